//! A store with a history: runs that ended, as nobody could wait for. Each has one stage and one attempt, with the events that
//! came of them.
//!
//! Not here: the attempts' folders. What only reads the store, as all lists do, does not miss them.

use std::path::Path;

use footplate_core::{AttemptStatus, ErrorCode, RunId, RunStatus, StageStatus};
use footplate_store::{AttemptRow, NewRun, NewStage, Role, Store, StoreError, Tx};
use uuid::Uuid;

/// UTC milliseconds: when the first of them was submitted, 70 days before 2026-11-20. One a minute.
const FIRST: i64 = 1_795_132_800_000 - 70 * 24 * 3_600_000;
const APART: i64 = 60_000;
const BATCH: i64 = 1_000;

fn run(index: i64) -> NewRun {
    NewRun {
        id: RunId(Uuid::now_v7()),
        name: format!("digits-{index}"),
        pipeline: "digits".to_owned(),
        experiment: None,
        queue: "training".to_owned(),
        priority: 0,
        target: "local".to_owned(),
        tags: Vec::new(),
        draft: false,
        definition: r#"{"format":1,"name":"digits","stages":{"train":{"command":["python","train.py"]}}}"#.to_owned(),
        params: r#"{"epochs":20}"#.to_owned(),
        cwd: b"/".to_vec(),
        pipeline_dir: b"/".to_vec(),
        run_dir: format!("/nowhere/{index}").into_bytes(),
        env_hash: None,
        secrets: None,
        umask: 0o022,
        limits: "{}".to_owned(),
        planning_ms: Some(3),
        not_before: None,
        after: Vec::new(),
        created_at: FIRST + index * APART,
    }
}

/// Writes `count` ended runs, `digits-1` and so on, into the store of a data folder, which is made where it is missing. Of a
/// thousand one failed, the seventh.
///
/// # Errors
/// Where the store does not take them.
pub fn fill(data: &Path, count: i64) -> Result<(), StoreError> {
    let mut store = Store::open(data, Role::Guest)?;
    for first in (1..=count).step_by(usize::try_from(BATCH).unwrap_or(1)) {
        store.write(|tx| (first..(first + BATCH).min(count + 1)).try_for_each(|index| one(tx, index)))?;
    }
    Ok(())
}

fn one(tx: &Tx<'_>, index: i64) -> Result<(), StoreError> {
    let failed = index % 1000 == 7;
    let stage = NewStage {
        name: "train".to_owned(),
        queue: "training".to_owned(),
        status: if failed { StageStatus::Failed } else { StageStatus::Completed },
        cpus: 1,
        memory: 0,
        gpus: 0,
        queued_at: None,
    };
    let (number, _) = tx.insert_run(&run(index), std::slice::from_ref(&stage))?;
    let created = FIRST + index * APART;
    let (started, ended) = (created + 1_000, created + 31_000);
    let attempt = AttemptRow {
        run: number,
        stage: 0,
        number: 1,
        generation: 1,
        status: if failed { AttemptStatus::Failed } else { AttemptStatus::Completed },
        code: failed.then_some(ErrorCode::ExitCode),
        boot_id: "0".to_owned(),
        created_at: created,
        pid: Some(4242),
        started_at: Some(started),
        finished_at: Some(ended),
        running_ms: Some(30_000),
        exit_code: Some(i32::from(failed)),
        signal: None,
        paused: false,
        orphan: false,
        note: None,
        error: None,
        log_size: Some(12_345),
        log_read_to: None,
        spawned: 1,
        gpus: Vec::new(),
        usage: None,
    };
    tx.insert_attempt(&attempt, ended)?;
    tx.set_run_times(number, Some(started), Some(ended))?;
    let end = if failed { RunStatus::Failed } else { RunStatus::Completed };
    tx.set_run_status(number, end, ended)?;
    Ok(())
}
