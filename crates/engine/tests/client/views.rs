use footplate_core::view::Waiting;
use footplate_core::{AttemptKey, AttemptStatus, ErrorCode, RunStatus, StageKey, StageStatus, UtcMs};
use footplate_engine::client::{Client, ListQuery, OwnerState, Submit};
use footplate_store::{AttemptChange, AttemptRow, LatestRow, QueueChange, Role, StageChange, Store};

use crate::{Bench, captured, command, pipeline, stage};

const NOW: i64 = 1_800_000_000_000;

fn attempt(run: i64, stage: u32, number: u32, status: AttemptStatus) -> AttemptRow {
    AttemptRow {
        run,
        stage,
        number,
        generation: 1,
        status,
        code: None,
        boot_id: "boot".into(),
        created_at: NOW,
        pid: Some(4242),
        started_at: Some(NOW),
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
        spawned: 1,
        gpus: Vec::new(),
        usage: None,
    }
}

/// Plays the owner: a stage runs.
fn start(owner: &mut Store, run: i64, stage: u32) {
    owner
        .write(|tx| {
            tx.insert_attempt(&attempt(run, stage, 1, AttemptStatus::Running), NOW)?;
            let change =
                StageChange { attempt: Some(1), started_at: Some(Some(NOW)), ..StageChange::to(StageStatus::Running) };
            assert!(tx.move_stage(StageKey { run, stage }, StageStatus::Queued, &change, NOW)?);
            tx.set_run_status(run, RunStatus::Running, NOW)
        })
        .unwrap();
}

/// Plays the owner: it ends.
fn end(owner: &mut Store, run: i64, stage: u32, to: AttemptChange, stage_to: StageChange, status: RunStatus) {
    owner
        .write(|tx| {
            let key = AttemptKey { run, stage, attempt: 1 };
            assert!(tx.move_attempt(key, &[AttemptStatus::Running], &to, NOW + 5000)?);
            assert!(tx.move_stage(StageKey { run, stage }, StageStatus::Running, &stage_to, NOW + 5000)?);
            tx.set_run_status(run, status, NOW + 5000)
        })
        .unwrap();
}

fn waiting(client: &Client, run: i64) -> Waiting {
    client.show(run).unwrap().waiting.unwrap()
}

#[test]
fn a_run_that_waits_says_why() {
    let bench = Bench::new();
    let mut client = bench.client();
    let mut owner = Store::open(bench.home().state_dir(), Role::Owner).unwrap();
    for _ in 0..3 {
        client.submit(command(&["true"])).unwrap();
    }
    let mut after = command(&["true"]);
    after.after = vec![(1, true)];
    client.submit(after).unwrap();
    let mut later = command(&["true"]);
    later.not_before = Some(UtcMs(i64::MAX / 2));
    client.submit(later).unwrap();
    let mut other = command(&["true"]);
    other.queue = Some("evaluation".into());
    client.submit(other).unwrap();

    assert_eq!(waiting(&client, 1).reason, "no_owner");
    start(&mut owner, 1, 0);
    assert_eq!(
        waiting(&client, 2),
        Waiting { reason: "queue_limit".into(), detail: "1 of 1 default stages running".into() }
    );
    assert_eq!(waiting(&client, 4), Waiting { reason: "after".into(), detail: "comes after #1".into() });
    assert_eq!(waiting(&client, 5).reason, "not_before");
    assert_eq!(waiting(&client, 6).reason, "no_owner");
    let pause = QueueChange { paused: Some(true), ..QueueChange::default() };
    owner.write(|tx| tx.put_queue("evaluation", &pause, NOW)).unwrap();
    assert_eq!(waiting(&client, 6).reason, "queue_paused");
    owner
        .write(|tx| {
            tx.set_run_flags(3, false, true, false)?;
            tx.set_run_status(3, RunStatus::Paused, NOW)
        })
        .unwrap();
    assert_eq!(waiting(&client, 3).reason, "run_paused");
    let held = StageChange {
        code: Some(ErrorCode::SecretMissing),
        detail: Some("HF_TOKEN is missing".into()),
        ..StageChange::to(StageStatus::Held)
    };
    owner.write(|tx| tx.move_stage(StageKey { run: 2, stage: 0 }, StageStatus::Queued, &held, NOW)).unwrap();
    assert_eq!(waiting(&client, 2), Waiting { reason: "held".into(), detail: "HF_TOKEN is missing".into() });

    let page = client.list(&ListQuery::default()).unwrap();
    assert_eq!(page.total, 6);
    assert_eq!(page.runs.iter().map(|run| run.number).collect::<Vec<_>>(), [6, 5, 4, 3, 2, 1]);
    assert_eq!(page.runs[0].waiting.as_ref().unwrap().reason, "queue_paused");
    assert!(page.runs.iter().all(|run| run.stages.is_none() && run.params.is_none()));
    let running = ListQuery { statuses: vec![RunStatus::Running], ..ListQuery::default() };
    let page = client.list(&running).unwrap();
    assert_eq!((page.total, page.runs[0].number), (1, 1));
    let queues = client.queues().unwrap();
    let default = queues.iter().find(|queue| queue.name == "default").unwrap();
    assert_eq!((default.limit, default.queued, default.running), (1, 3, 1));
}

#[test]
fn live_attempts_without_an_owner_are_not_confirmed() {
    let bench = Bench::new();
    let mut client = bench.client();
    client.submit(command(&["true"])).unwrap();
    client.submit(command(&["true"])).unwrap();
    assert!(client.show(1).unwrap().confirmed);
    let mut owner = Store::open(bench.home().state_dir(), Role::Owner).unwrap();
    start(&mut owner, 1, 0);
    assert!(!client.show(1).unwrap().confirmed);
    assert!(client.show(2).unwrap().confirmed, "nothing of it is live");
}

#[test]
fn progress_is_the_mean_over_stages_and_of_the_newest_attempt_only() {
    let bench = Bench::new();
    let mut client = bench.client();
    let stages = [("a", stage(&["true"], &[])), ("b", stage(&["true"], &[])), ("c", stage(&["true"], &["a"]))];
    client.submit(Submit::new(pipeline("three", &stages), bench.path().to_owned(), captured(&[]))).unwrap();
    assert_eq!(client.show(1).unwrap().progress, None);
    let mut owner = Store::open(bench.home().state_dir(), Role::Owner).unwrap();
    start(&mut owner, 1, 0);
    start(&mut owner, 1, 1);
    let done = StageChange { finished_at: Some(Some(NOW + 5000)), ..StageChange::to(StageStatus::Completed) };
    end(&mut owner, 1, 0, AttemptChange::to(AttemptStatus::Completed), done, RunStatus::Running);
    let latest = |attempt: u32| LatestRow {
        run: 1,
        stage: 1,
        attempt,
        progress: Some(0.5),
        eta_s: Some(61.0),
        message: Some("epoch 9 of 20".into()),
        data: r#"{"latest":{"epoch":9},"metrics":{"loss":0.25}}"#.into(),
        log_read_to: 10,
        updated_at: i64::MAX / 2,
    };
    owner.write(|tx| tx.put_latest(&latest(1))).unwrap();
    let view = client.show(1).unwrap();
    assert_eq!((view.progress, view.eta_s, view.message.as_deref()), (Some(0.5), Some(61.0), Some("epoch 9 of 20")));
    let b = &view.stages.unwrap()[1];
    assert_eq!((b.metrics["epoch"], b.metrics["loss"]), (9.0, 0.25));
    owner.write(|tx| tx.put_latest(&latest(7))).unwrap();
    let view = client.show(1).unwrap();
    assert_eq!((view.progress, view.eta_s), (Some(1.0 / 3.0), None));
}

#[test]
fn a_failure_is_told_with_its_values_in_run_stage_attempt_and_report() {
    let bench = Bench::new();
    let mut client = bench.client();
    let stages = [("train", stage(&["false"], &[])), ("evaluate", stage(&["true"], &["train"]))];
    client.submit(Submit::new(pipeline("two", &stages), bench.path().to_owned(), captured(&[]))).unwrap();
    let mut owner = Store::open(bench.home().state_dir(), Role::Owner).unwrap();
    start(&mut owner, 1, 0);
    let failed = AttemptChange {
        code: Some(ErrorCode::ExitCode),
        exit_code: Some(3),
        finished_at: Some(NOW + 5000),
        running_ms: Some(5000),
        ..AttemptChange::to(AttemptStatus::Failed)
    };
    let stage_failed = StageChange {
        code: Some(ErrorCode::ExitCode),
        finished_at: Some(Some(NOW + 5000)),
        ..StageChange::to(StageStatus::Failed)
    };
    end(&mut owner, 1, 0, failed, stage_failed, RunStatus::Failed);
    let skipped = StageChange {
        code: Some(ErrorCode::NeedNotCompleted),
        detail: Some("train ended failed".into()),
        ..StageChange::to(StageStatus::Skipped)
    };
    owner.write(|tx| tx.move_stage(StageKey { run: 1, stage: 1 }, StageStatus::Waiting, &skipped, NOW)).unwrap();

    let view = client.show(1).unwrap();
    let error = view.error.clone().unwrap();
    assert_eq!((error.code.as_str(), error.detail.as_str()), ("exit_code", "It ended with exit code 3."));
    assert!(error.hints[0].contains("footplate logs 1 train"), "{:?}", error.hints);
    let stages = view.stages.unwrap();
    assert_eq!(stages[0].attempts[0].error.as_ref(), Some(&error));
    assert_eq!(stages[0].attempts[0].running_s, Some(5.0));
    assert_eq!(stages[1].error.as_ref().unwrap().detail, "Train ended failed.");
    let listed = client.list(&ListQuery::default()).unwrap().runs.remove(0);
    assert_eq!(listed.error, Some(error.clone()));

    let report = client.report(1).unwrap();
    assert_eq!(report.totals.values().sum::<u64>(), 2);
    assert_eq!(report.errors[0].error, error);
    assert_eq!(report.levels, [["train"], ["evaluate"]]);
    assert_eq!(client.report(9).unwrap_err().code, ErrorCode::NotFound);
}

#[test]
fn a_log_is_found_by_stage_and_attempt_or_says_what_there_is() {
    let bench = Bench::new();
    let mut client = bench.client();
    let run = client.submit(command(&["true"])).unwrap();
    let fault = client.log(1, None, None).unwrap_err();
    assert!(fault.message.contains("nothing of it has started"), "{fault:?}");
    let mut owner = Store::open(bench.home().state_dir(), Role::Owner).unwrap();
    start(&mut owner, 1, 0);
    let folder = bench.home().attempt(&run.id, AttemptKey { run: 1, stage: 0, attempt: 1 });
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("log.0"), "hello\n").unwrap();
    let mut log = client.log(1, None, None).unwrap();
    assert_eq!((log.stage(), log.ended(), log.end()), ("main", false, 6));
    let mut buffer = [0; 16];
    assert_eq!(log.read(2, &mut buffer).unwrap(), footplate_engine::logs::LogChunk::Bytes(4));
    assert_eq!(&buffer[..4], b"llo\n");
    assert_eq!(log.read(6, &mut buffer).unwrap(), footplate_engine::logs::LogChunk::End);
    assert_eq!(client.log(1, Some("mian"), None).unwrap_err().hints, ["Did you mean \"main\"?"]);
    assert_eq!(client.log(1, Some("main"), Some(4)).unwrap_err().hints, ["It has 1."]);
    assert!(client.metrics(1, &[]).unwrap().is_empty());
}

#[test]
fn expected_times_come_from_completed_runs_of_the_same_pipeline() {
    let bench = Bench::new();
    let mut client = bench.client();
    let mut owner = Store::open(bench.home().state_dir(), Role::Owner).unwrap();
    for (run, seconds) in [(1, 10), (2, 30), (3, 20)] {
        client.submit(command(&["true"])).unwrap();
        start(&mut owner, run, 0);
        let done = AttemptChange { running_ms: Some(seconds * 1000), ..AttemptChange::to(AttemptStatus::Completed) };
        end(&mut owner, run, 0, done, StageChange::to(StageStatus::Completed), RunStatus::Completed);
    }
    assert_eq!(client.expected_times("command").unwrap()["main"], 20.0);
    assert!(client.expected_times("comman").unwrap().is_empty());
    let plan = footplate_engine::plan::plan(&command(&["true"]).definition, &indexmap::IndexMap::new(), Some(&client))
        .unwrap();
    assert_eq!(plan.expected_s, Some(20.0));
}

#[test]
fn a_lock_is_believed_though_its_owner_cannot_be_seen_and_not_once_it_is_free() {
    let bench = Bench::new();
    let client = bench.client();
    let mut dead = std::process::Command::new("true").spawn().unwrap();
    let pid = dead.id();
    dead.wait().unwrap();
    std::fs::write(bench.home().owner_lock(), format!(r#"{{"pid":{pid},"version":"1.2.3","since_ms":5}}"#)).unwrap();
    let lock = std::fs::File::open(bench.home().owner_lock()).unwrap();
    lock.lock().unwrap();
    // Another container's, say.
    let seen = client.owner();
    assert!(matches!(&seen, OwnerState::Present { pid: held, .. } if i64::from(*held) == i64::from(pid)), "{seen:?}");
    drop(lock);
    assert!(matches!(client.owner(), OwnerState::Absent { orderly: false }), "{:?}", client.owner());
}
