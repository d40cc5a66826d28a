//! Rows for tests, and this test executable started once more as a child.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::path::Path;
use std::process::{Child, Command, Stdio};

use footplate_core::{AttemptStatus, RunId, StageStatus};
use footplate_store::{AttemptRow, NewRun, NewStage, Role, Store};
use uuid::Uuid;

pub(crate) const NOW: i64 = 1_795_291_262_345;

pub(crate) fn new_run(name: &str) -> NewRun {
    NewRun {
        id: RunId(Uuid::now_v7()),
        name: name.to_owned(),
        pipeline: "digits".to_owned(),
        experiment: None,
        queue: "default".to_owned(),
        priority: 0,
        target: "local".to_owned(),
        tags: Vec::new(),
        draft: false,
        definition: r#"{"format":1,"name":"digits","stages":{}}"#.to_owned(),
        params: r#"{"epochs":20}"#.to_owned(),
        cwd: b"/home/\xffsomeone".to_vec(),
        pipeline_dir: b"/home".to_vec(),
        run_dir: b"/runs/1".to_vec(),
        env_hash: Some("abc".to_owned()),
        secrets: None,
        umask: 0o022,
        limits: "{}".to_owned(),
        planning_ms: Some(3),
        not_before: None,
        after: Vec::new(),
        created_at: NOW,
    }
}

pub(crate) fn new_stage(name: &str, status: StageStatus) -> NewStage {
    NewStage {
        name: name.to_owned(),
        queue: "default".to_owned(),
        status,
        cpus: 1,
        memory: 2_000_000_000,
        gpus: 0,
        queued_at: (status == StageStatus::Queued).then_some(NOW),
    }
}

/// A run of two stages, the second of which waits for the first.
pub(crate) fn add(store: &mut Store, name: &str) -> i64 {
    let stages = [new_stage("prepare", StageStatus::Queued), new_stage("train", StageStatus::Waiting)];
    store.write(|tx| tx.insert_run(&new_run(name), &stages)).unwrap().0
}

pub(crate) fn attempt(run: i64, stage: u32, number: u32) -> AttemptRow {
    AttemptRow {
        run,
        stage,
        number,
        generation: 1,
        status: AttemptStatus::Launching,
        code: None,
        boot_id: "boot".to_owned(),
        created_at: NOW,
        pid: None,
        started_at: None,
        finished_at: None,
        running_ms: None,
        exit_code: None,
        signal: None,
        paused: false,
        orphan: false,
        note: None,
        error: None,
        log_size: None,
        log_read_to: None,
        spawned: 0,
        gpus: Vec::new(),
        usage: None,
    }
}

pub(crate) fn owner(dir: &Path) -> Store {
    Store::open(dir, Role::Owner).unwrap()
}

pub(crate) fn guest(dir: &Path) -> Store {
    Store::open(dir, Role::Guest).unwrap()
}

const CHILD: &str = "FOOTPLATE_STORE_TEST_CHILD";

/// What this process is to do as a child of the test of that name; `None` in the test itself.
pub(crate) fn child_task() -> Option<String> {
    std::env::var(CHILD).ok()
}

/// Starts this executable as the child of the test of that name.
pub(crate) fn child(test: &str, task: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, task)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A number below `below` that differs from call to call.
pub(crate) fn random(below: u64) -> u64 {
    (Uuid::now_v7().as_u128() as u64 & 0xffff_ffff) % below
}
