//! `run.json`: what a run is made of, written at its first launch, enough to build its rows again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use footplate_core::definition::Definition;
use footplate_core::schedule::Demand;
use footplate_core::{RunId, RunStatus, StageStatus, UtcMs};
use footplate_shim::contract::{OsBytes, Spec};
use footplate_store::{After, RunRow, StageRow};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version that is written.
const VERSION: u32 = 1;

/// The content of `run.json`. Fields that earlier releases did not write are taken from an attempt's `spec.json`, or as they are
/// by default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunRecord {
    version: u32,
    pub(super) id: RunId,
    pub(super) number: i64,
    pub(super) name: String,
    pipeline: String,
    #[serde(default)]
    experiment: Option<String>,
    queue: String,
    #[serde(default)]
    priority: i32,
    #[serde(default = "local")]
    target: String,
    #[serde(default)]
    tags: Vec<String>,
    created_at: UtcMs,
    #[serde(default)]
    generation: Option<u32>,
    #[serde(default)]
    not_before: Option<UtcMs>,
    #[serde(default)]
    after: Vec<After>,
    #[serde(default)]
    cwd: Option<OsBytes>,
    #[serde(default)]
    pipeline_dir: Option<OsBytes>,
    #[serde(default)]
    run_dir: Option<OsBytes>,
    #[serde(default)]
    env: Option<String>,
    #[serde(default)]
    secrets: Option<String>,
    #[serde(default)]
    umask: Option<u32>,
    #[serde(default)]
    limits: Option<Value>,
    #[serde(default)]
    planning_ms: Option<u64>,
    /// The queue of each stage, where it is not the run's.
    #[serde(default)]
    queues: BTreeMap<String, String>,
    pub(super) definition: Definition,
    params: Map<String, Value>,
}

fn local() -> String {
    "local".to_owned()
}

impl RunRecord {
    /// Of a run as it stands in the store.
    ///
    /// # Errors
    /// Where its parameters are no JSON.
    pub(crate) fn of(row: &RunRow, definition: &Definition, stages: &[StageRow]) -> serde_json::Result<RunRecord> {
        let bytes = |bytes: &[u8]| Some(OsBytes(bytes.to_vec()));
        Ok(RunRecord {
            version: VERSION,
            id: row.id,
            number: row.number,
            name: row.name.clone(),
            pipeline: row.pipeline.clone(),
            experiment: row.experiment.clone(),
            queue: row.queue.clone(),
            priority: row.priority,
            target: row.target.clone(),
            tags: row.tags.clone(),
            created_at: UtcMs(row.created_at),
            generation: Some(row.generation),
            not_before: row.not_before.map(UtcMs),
            after: row.after.clone(),
            cwd: bytes(&row.cwd),
            pipeline_dir: bytes(&row.pipeline_dir),
            run_dir: bytes(&row.run_dir),
            env: row.env_hash.clone(),
            secrets: row.secrets.clone(),
            umask: Some(row.umask),
            limits: serde_json::from_str(&row.limits).ok(),
            planning_ms: row.planning_ms,
            queues: stages
                .iter()
                .filter(|stage| stage.queue != row.queue)
                .map(|stage| (stage.name.clone(), stage.queue.clone()))
                .collect(),
            definition: definition.clone(),
            params: serde_json::from_str(&row.params)?,
        })
    }

    /// The run's row, queued and with nothing done; `spec` is that of any of its attempts, for what an earlier release did not write.
    ///
    /// # Errors
    /// Where the definition has no JSON.
    pub(super) fn row(&self, spec: Option<&Spec>, run_dir: PathBuf) -> serde_json::Result<RunRow> {
        let path = |given: &Option<OsBytes>, other: Option<OsBytes>| given.clone().or(other).map(|bytes| bytes.0);
        let cwd = path(&self.cwd, spec.map(|spec| spec.cwd.clone())).unwrap_or_default();
        let own = spec.map_or(run_dir, |spec| spec.run_dir.clone());
        let env = spec.and_then(|spec| Some(spec.env_file.as_ref()?.file_name()?.to_str()?.to_owned()));
        let limits = match (&self.limits, spec) {
            (Some(limits), _) => limits.clone(),
            (None, Some(spec)) => serde_json::to_value(&spec.limits)?,
            (None, None) => Value::Array(Vec::new()),
        };
        Ok(RunRow {
            number: self.number,
            id: self.id,
            name: self.name.clone(),
            pipeline: self.pipeline.clone(),
            experiment: self.experiment.clone(),
            queue: self.queue.clone(),
            priority: self.priority.clamp(-100, 100),
            target: self.target.clone(),
            tags: self.tags.clone(),
            status: RunStatus::Queued,
            draft: false,
            paused: false,
            after_failed: false,
            generation: self.generation.unwrap_or(1).max(1),
            definition: serde_json::to_string(&self.definition)?,
            params: serde_json::to_string(&self.params)?,
            pipeline_dir: path(&self.pipeline_dir, None).unwrap_or_else(|| cwd.clone()),
            cwd,
            run_dir: path(&self.run_dir, Some(OsBytes::from(own))).unwrap_or_default(),
            env_hash: self.env.clone().or(env),
            secrets: self.secrets.clone(),
            umask: self.umask.or(spec.and_then(|spec| spec.umask)).unwrap_or(0o022) & 0o777,
            limits: limits.to_string(),
            planning_ms: self.planning_ms,
            not_before: self.not_before.map(|at| at.0),
            // It was started: what it came after has ended.
            after: Vec::new(),
            order_key: self.number * 1024,
            created_at: self.created_at.0,
            started_at: None,
            finished_at: None,
            result: None,
            result_at: None,
            error: None,
        })
    }

    /// The rows of its stages, all waiting.
    pub(super) fn stages(&self) -> Vec<StageRow> {
        let stages = self.definition.stages.iter().enumerate();
        let row = |(idx, (name, stage)): (usize, (&String, &footplate_core::definition::Stage))| {
            let demand = Demand::from(stage.resources);
            let queue = self.queues.get(name).or(stage.queue.as_ref()).unwrap_or(&self.queue);
            StageRow {
                run: self.number,
                idx: u32::try_from(idx).unwrap_or(u32::MAX),
                name: name.clone(),
                queue: queue.clone(),
                status: StageStatus::Waiting,
                code: None,
                detail: None,
                attempt: 0,
                retries_used: 0,
                interruptions: 0,
                retry_at: None,
                cpus: demand.cpus,
                memory: demand.memory,
                gpus: demand.gpus,
                resume: false,
                resume_from: None,
                queued_at: None,
                started_at: None,
                finished_at: None,
                outputs: "{}".to_owned(),
                error: None,
            }
        };
        stages.map(row).collect()
    }
}
