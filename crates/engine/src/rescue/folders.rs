//! What the attempts' folders say: which runs there are, which attempts, and how each ended.

use std::collections::BTreeMap;
use std::path::PathBuf;

use footplate_core::state::settle::{Evidence, Verdict, settle};
use footplate_core::{AttemptKey, AttemptStatus, ErrorCode, RunId};
use footplate_shim::clock;
use footplate_shim::contract::{Exit, Spec, Start};
use footplate_shim::folder::AttemptDir;
use footplate_store::AttemptRow;

use super::record::RunRecord;
use crate::attempt::told::told;
use crate::home::Home;

/// The folder of a run's attempts.
#[derive(Debug)]
pub(super) struct RunFolder {
    pub(super) id: RunId,
    path: PathBuf,
    /// By stage: the numbers of its attempts, rising.
    pub(super) attempts: BTreeMap<u32, Vec<u32>>,
}

/// One attempt, as its folder tells.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) key: AttemptKey,
    /// Its shim is at work.
    pub(super) held: bool,
    /// How it ended, unless a shim is at work.
    pub(super) verdict: Verdict,
    pub(super) start: Option<Start>,
    boot: String,
    exit: Option<Box<Exit>>,
    gpus: Vec<String>,
    log_size: u64,
}

/// Every run's folder, oldest run first.
///
/// # Errors
/// What the system says of the folder of all.
pub(super) fn all(home: &Home) -> std::io::Result<Vec<RunFolder>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(home.attempts())? {
        let entry = entry?;
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<RunId>().ok()) else { continue };
        found.push(RunFolder { id, attempts: attempts_in(&entry.path()), path: entry.path() });
    }
    found.sort_by_key(|folder| folder.id.0);
    Ok(found)
}

fn attempts_in(folder: &std::path::Path) -> BTreeMap<u32, Vec<u32>> {
    let mut stages: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        // `<stage>.<attempt>`; what is being built has another name.
        let Some((stage, attempt)) = name.to_str().and_then(|name| name.split_once('.')) else { continue };
        if let (Ok(stage), Ok(attempt)) = (stage.parse(), attempt.parse())
            && attempt > 0
            && entry.path().join("spec.json").exists()
        {
            stages.entry(stage).or_default().push(attempt);
        }
    }
    stages.values_mut().for_each(|numbers| numbers.sort_unstable());
    stages
}

impl RunFolder {
    /// `run.json`.
    ///
    /// # Errors
    /// Why it cannot be used, in half a sentence.
    pub(super) fn record(&self) -> Result<RunRecord, String> {
        let text = std::fs::read(self.path.join("run.json")).map_err(|e| format!("its run.json: {e}"))?;
        let record: RunRecord = serde_json::from_slice(&text).map_err(|e| format!("its run.json: {e}"))?;
        if record.id != self.id {
            return Err(format!("its run.json is that of run {}", record.id));
        }
        Ok(record)
    }

    /// One of its attempts.
    pub(super) fn attempt(&self, number: i64, stage: u32, attempt: u32) -> Told {
        let key = AttemptKey { run: number, stage, attempt };
        let dir = AttemptDir::open(self.path.join(key.folder_name()));
        let (start, spec) = (dir.start(), dir.spec().ok());
        let boot = spec.as_ref().map(|spec| spec.boot_id.clone()).or(start.as_ref().map(|s| s.shim.boot.clone()));
        let boot = boot.unwrap_or_else(|| clock::boot_id().to_owned());
        // A folder that cannot be read says nothing of an end.
        let unknown = Evidence::Lost { started: true, why: ErrorCode::ShimLost };
        let (evidence, exit) = told(&dir, &boot).unwrap_or_else(|_| (Some(unknown.clone()), None));
        let held = evidence.is_none();
        let verdict = settle(&evidence.unwrap_or(unknown), false);
        let gpus = spec.map(|spec| spec.gpus).unwrap_or_default();
        Told { key, held, verdict, boot, start, exit, gpus, log_size: dir.log_end() }
    }

    /// `spec.json` of any of its attempts.
    pub(super) fn any_spec(&self) -> Option<Spec> {
        let keys = self.attempts.iter().flat_map(|(stage, all)| all.iter().map(|attempt| (*stage, *attempt)));
        let spec = |(stage, attempt)| {
            let key = AttemptKey { run: 0, stage, attempt };
            AttemptDir::open(self.path.join(key.folder_name())).spec().ok()
        };
        keys.rev().find_map(spec)
    }

    /// Whether a shim is at work on any of its attempts.
    pub(super) fn is_at_work(&self) -> bool {
        let keys = self.attempts.iter().filter_map(|(stage, all)| Some((*stage, *all.last()?)));
        keys.map(|(stage, attempt)| self.attempt(0, stage, attempt)).any(|told| told.held)
    }
}

impl Told {
    /// Its row. `live`: as one that the owner has to look at; else as it ended.
    pub(super) fn row(&self, generation: u32, created_at: i64, live: bool) -> AttemptRow {
        let exit = self.exit.as_ref().filter(|exit| exit.exec_errno.is_none() && !live);
        let started = exit.map(|exit| exit.started_ms).or(self.start.as_ref().map(|start| start.started_ms));
        let finished = exit.map_or(started.unwrap_or(created_at), |exit| exit.finished_ms.max(exit.started_ms));
        AttemptRow {
            run: self.key.run,
            stage: self.key.stage,
            number: self.key.attempt,
            generation,
            status: match (live, &self.start) {
                (true, Some(_)) => AttemptStatus::Running,
                (true, None) => AttemptStatus::Launching,
                (false, _) => self.verdict.status,
            },
            code: if live { None } else { self.verdict.code },
            boot_id: self.boot.clone(),
            created_at: started.unwrap_or(created_at),
            pid: self.start.as_ref().map(|start| start.child.pid).filter(|pid| *pid > 1),
            started_at: started,
            finished_at: (!live).then_some(finished),
            running_ms: exit.map(|exit| exit.running_ms),
            exit_code: if live { None } else { self.verdict.exit_code },
            signal: if live { None } else { self.verdict.signal.filter(|signal| *signal > 0) },
            paused: false,
            orphan: false,
            note: None,
            error: None,
            log_size: (!live).then_some(self.log_size),
            log_read_to: None,
            spawned: 0,
            gpus: self.gpus.clone(),
            usage: None,
        }
    }

    /// When its program began.
    pub(super) fn started_at(&self) -> Option<i64> {
        self.start.as_ref().map(|start| start.started_ms)
    }
}
