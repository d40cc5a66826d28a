//! A store with a history: 100,000 runs that ended, as nobody could wait for.

use footplate_core::{RunId, RunStatus, StageStatus};
use footplate_store::{NewRun, NewStage, Role, Store, StoreError};
use footplate_testkit::Bench;
use uuid::Uuid;

/// 2026-11-20, UTC milliseconds: when the first of them was submitted. One a minute.
const FIRST: i64 = 1_795_132_800_000 - 70 * 24 * 3_600_000;
const APART: i64 = 60_000;

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

/// Writes `count` ended runs, `digits-1` and so on, into a bench's data folder. Of a thousand one failed, the seventh.
///
/// # Panics
/// Where the store does not take them.
pub fn fill(bench: &Bench, count: i64) {
    // The folder is made as for everybody.
    let _ = bench.run(&["list"]).expect(0);
    let filled = write(bench, count);
    assert!(filled.is_ok(), "{filled:?}");
}

fn write(bench: &Bench, count: i64) -> Result<(), StoreError> {
    let mut store = Store::open(&bench.data(), Role::Guest)?;
    let stage = NewStage {
        name: "train".to_owned(),
        queue: "training".to_owned(),
        status: StageStatus::Completed,
        cpus: 1,
        memory: 0,
        gpus: 0,
        queued_at: None,
    };
    for first in (1..=count).step_by(1000) {
        store.write(|tx| {
            for index in first..(first + 1000).min(count + 1) {
                let (number, _) = tx.insert_run(&run(index), std::slice::from_ref(&stage))?;
                let ended = FIRST + index * APART + 31_000;
                let end = if index % 1000 == 7 { RunStatus::Failed } else { RunStatus::Completed };
                tx.set_run_times(number, Some(ended - 30_000), Some(ended))?;
                tx.set_run_status(number, end, ended)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}
