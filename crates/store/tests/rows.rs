//! Runs, stages, attempts, wishes, events and the rest: what is written is what is read, moves are lost where they must be, and the
//! schema refuses what the types refuse.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod common;

use common::{NOW, add, attempt, new_run, new_stage, owner};
use footplate_core::event::Event;
use footplate_core::{AttemptKey, AttemptStatus, ErrorCode, RunStatus, StageKey, StageStatus};
use footplate_store::{
    After, AttemptChange, CapacityRow, LatestRow, NewWish, QueueChange, QueueCount, StageChange, Store, StoreError,
    WishStatus,
};

fn events(store: &Store) -> Vec<Event> {
    store.read().unwrap().events_after(0, 1000).unwrap().into_iter().map(|row| row.event).collect()
}

fn home() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = owner(dir.path());
    (dir, store)
}

#[test]
fn a_run_comes_back_as_it_was_written_and_is_written_once() {
    let (_dir, mut store) = home();
    let first = add(&mut store, "first");
    let mut new = new_run("a name with % and ünïcode");
    new.experiment = Some("sweep".to_owned());
    new.tags = vec!["a".to_owned(), "b \"c\"".to_owned()];
    new.after = vec![After { run: first, ok_only: true }];
    new.not_before = Some(NOW + 5);
    new.priority = -100;
    new.secrets = Some("file".to_owned());
    new.planning_ms = Some(17);
    let stages = [new_stage("train", StageStatus::Queued)];
    let (number, newly) = store.write(|tx| tx.insert_run(&new, &stages)).unwrap();
    assert!(newly && number == first + 1);
    assert_eq!(store.write(|tx| tx.insert_run(&new, &stages)).unwrap(), (number, false));
    let read = store.read().unwrap();
    let run = read.run(number).unwrap().unwrap();
    assert_eq!(read.run_by_id(&new.id).unwrap().as_ref(), Some(&run));
    assert_eq!(
        (run.id, &run.name, &run.experiment, &run.tags, &run.after, run.not_before, run.priority, &run.secrets),
        (new.id, &new.name, &new.experiment, &new.tags, &new.after, new.not_before, -100, &new.secrets)
    );
    assert_eq!((&run.definition, &run.params, &run.cwd, run.umask), (&new.definition, &new.params, &new.cwd, 0o022));
    assert_eq!((run.status, run.generation, run.order_key, run.created_at), (RunStatus::Queued, 1, number * 1024, NOW));
    assert_eq!(run.planning_ms, Some(17));
    assert_eq!(read.stages(number).unwrap().len(), 1);
    let stage = read.stage(number, 0).unwrap().unwrap();
    assert_eq!(
        (stage.status, stage.attempt, stage.memory, stage.outputs.as_str()),
        (StageStatus::Queued, 0, 2_000_000_000, "{}")
    );
    let briefs = read.runs_after(first, 10).unwrap();
    assert_eq!((briefs.len(), briefs[0].number, &briefs[0].after), (1, number, &new.after));
    assert_eq!(read.run_brief(number).unwrap().as_ref(), Some(&briefs[0]));
    drop(read);
    assert_eq!(events(&store), [Event::RunSubmitted, Event::RunSubmitted]);
}

#[test]
fn a_number_is_never_used_again() {
    let (_dir, mut store) = home();
    let number = add(&mut store, "a");
    assert!(store.write(|tx| tx.remove_run(number, NOW)).unwrap());
    assert!(!store.write(|tx| tx.remove_run(number, NOW)).unwrap());
    assert_eq!(add(&mut store, "b"), number + 1);
}

#[test]
fn removing_a_run_removes_all_that_belongs_to_it() {
    let (_dir, mut store) = home();
    let (number, other) = (add(&mut store, "a"), add(&mut store, "b"));
    let latest = |run| LatestRow {
        run,
        stage: 0,
        attempt: 1,
        progress: Some(f64::NAN),
        eta_s: Some(1.5),
        message: None,
        data: "{}".to_owned(),
        log_read_to: 7,
        updated_at: NOW,
    };
    store
        .write(|tx| {
            for run in [number, other] {
                tx.insert_attempt(&attempt(run, 0, 1), NOW)?;
                tx.put_latest(&latest(run))?;
                tx.put_latest(&latest(run))?;
            }
            tx.remove_run(number, NOW)
        })
        .unwrap();
    let read = store.read().unwrap();
    assert!(read.run(number).unwrap().is_none() && read.stages(number).unwrap().is_empty());
    assert!(read.attempts(number).unwrap().is_empty() && read.latest(number).unwrap().is_empty());
    let kept = read.latest_of(&[number, other]).unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].run, kept[0].progress, kept[0].eta_s, kept[0].log_read_to), (other, None, Some(1.5), 7));
    assert_eq!(read.live_attempts().unwrap().len(), 1);
    assert_eq!(read.counts().unwrap(), [(RunStatus::Queued, 1)]);
    drop(read);
    assert_eq!(events(&store).last(), Some(&Event::RunRemoved));
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_stage_is_moved_only_from_the_status_that_was_seen() {
    let (_dir, mut store) = home();
    let run = add(&mut store, "a");
    let key = StageKey { run, stage: 0 };
    let launched =
        StageChange { attempt: Some(1), started_at: Some(Some(NOW)), ..StageChange::to(StageStatus::Running) };
    assert!(store.write(|tx| tx.move_stage(key, StageStatus::Queued, &launched, NOW)).unwrap());
    let before = events(&store);
    assert_eq!(before.last(), Some(&Event::StageStatus { stage: 0, status: StageStatus::Running, code: None }));
    assert!(!store.write(|tx| tx.move_stage(key, StageStatus::Queued, &launched, NOW)).unwrap());
    assert!(!store.write(|tx| tx.move_stage(StageKey { run, stage: 9 }, StageStatus::Queued, &launched, NOW)).unwrap());
    assert_eq!(events(&store), before, "a lost race writes no event");
    let failed = StageChange {
        code: Some(ErrorCode::ExitCode),
        detail: Some("exit code 3".to_owned()),
        retries_used: Some(2),
        interruptions: Some(1),
        resume: Some(true),
        finished_at: Some(Some(NOW + 1)),
        outputs: Some(r#"{"a":1}"#.to_owned()),
        error: Some(Some("{}".to_owned())),
        ..StageChange::to(StageStatus::Failed)
    };
    assert!(store.write(|tx| tx.move_stage(key, StageStatus::Running, &failed, NOW)).unwrap());
    let stage = store.read().unwrap().stage(run, 0).unwrap().unwrap();
    assert_eq!((stage.attempt, stage.started_at, stage.queued_at), (1, Some(NOW), Some(NOW)));
    assert_eq!(
        (stage.code, stage.detail.as_deref(), stage.resume),
        (Some(ErrorCode::ExitCode), Some("exit code 3"), true)
    );
    assert_eq!((stage.retries_used, stage.interruptions, stage.outputs.as_str()), (2, 1, r#"{"a":1}"#));
    // A reopened stage: what belongs to the status goes with it, what is cleared is cleared, the rest stays.
    let again = StageChange { finished_at: Some(None), error: Some(None), ..StageChange::to(StageStatus::Queued) };
    assert!(store.write(|tx| tx.move_stage(key, StageStatus::Failed, &again, NOW)).unwrap());
    let stage = store.read().unwrap().stage(run, 0).unwrap().unwrap();
    assert_eq!((stage.code, &stage.detail, stage.finished_at, &stage.error), (None, &None, None, &None));
    assert_eq!((stage.attempt, stage.retries_used, stage.started_at), (1, 2, Some(NOW)));
    // Only fields: no event.
    let before = events(&store).len();
    assert!(
        store.write(|tx| tx.move_stage(key, StageStatus::Queued, &StageChange::to(StageStatus::Queued), NOW)).unwrap()
    );
    assert_eq!(events(&store).len(), before);
}

#[test]
fn two_movers_of_one_stage_one_wins() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = owner(dir.path());
    for _ in 0..20 {
        let run = add(&mut store, "a");
        let launched = StageChange { attempt: Some(1), ..StageChange::to(StageStatus::Running) };
        let won: usize = std::thread::scope(|scope| {
            let movers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut store = common::guest(dir.path());
                        store.write(|tx| tx.move_stage(StageKey { run, stage: 0 }, StageStatus::Queued, &launched, NOW))
                    })
                })
                .collect();
            movers.into_iter().map(|mover| usize::from(mover.join().unwrap().unwrap())).sum()
        });
        assert_eq!(won, 1);
    }
}

#[test]
fn an_attempt_moves_until_it_has_ended() {
    let (_dir, mut store) = home();
    let run = add(&mut store, "a");
    let key = AttemptKey { run, stage: 0, attempt: 1 };
    let live = [AttemptStatus::Launching, AttemptStatus::Running, AttemptStatus::Stopping];
    store.write(|tx| tx.insert_attempt(&attempt(run, 0, 1), NOW)).unwrap();
    assert_eq!(store.write(|tx| tx.add_spawn(key)).unwrap(), 1);
    assert_eq!(store.write(|tx| tx.add_spawn(key)).unwrap(), 2);
    let running = AttemptChange { pid: Some(77), started_at: Some(NOW), ..AttemptChange::to(AttemptStatus::Running) };
    assert!(store.write(|tx| tx.move_attempt(key, &[AttemptStatus::Launching], &running, NOW)).unwrap());
    assert!(!store.write(|tx| tx.move_attempt(key, &[AttemptStatus::Launching], &running, NOW)).unwrap());
    assert!(store.write(|tx| tx.set_attempt_paused(key, true, NOW)).unwrap());
    assert!(!store.write(|tx| tx.set_attempt_paused(key, true, NOW)).unwrap());
    assert!(store.read().unwrap().live_attempts().unwrap()[0].paused);
    let ended = AttemptChange {
        code: Some(ErrorCode::Signal),
        signal: Some(9),
        finished_at: Some(NOW + 9),
        running_ms: Some(9),
        note: Some("a note".to_owned()),
        log_size: Some(1 << 40),
        log_read_to: Some(12),
        ..AttemptChange::to(AttemptStatus::Failed)
    };
    assert!(store.write(|tx| tx.move_attempt(key, &live, &ended, NOW)).unwrap());
    let row = store.read().unwrap().attempt(key).unwrap().unwrap();
    assert_eq!(
        (row.pid, row.started_at, row.signal, row.paused, row.spawned),
        (Some(77), Some(NOW), Some(9), false, 2)
    );
    assert_eq!((row.log_size, row.log_read_to, row.running_ms), (Some(1 << 40), Some(12), Some(9)));
    let before = events(&store);
    assert!(!store.write(|tx| tx.move_attempt(key, &live, &running, NOW)).unwrap());
    assert!(!store.write(|tx| tx.set_attempt_paused(key, true, NOW)).unwrap());
    assert_eq!(events(&store), before);
    // Whoever names a final status as the one to move from is refused by the schema itself.
    let error = store.write(|tx| tx.move_attempt(key, &[AttemptStatus::Failed], &running, NOW)).unwrap_err();
    assert!(error.is_refused_row(), "{error}");
    assert!(store.read().unwrap().live_attempts().unwrap().is_empty());
    assert_eq!(store.read().unwrap().attempts_of(run, 0).unwrap(), store.read().unwrap().attempts(run).unwrap());
}

#[test]
fn the_schema_refuses_illegal_rows() {
    let (_dir, mut store) = home();
    let run = add(&mut store, "a");
    let key = StageKey { run, stage: 0 };
    let retry = StageChange::to(StageStatus::Retrying);
    let due = StageChange { retry_at: Some(1), ..StageChange::to(StageStatus::Queued) };
    let no_attempt = StageChange::to(StageStatus::Running);
    let wish = NewWish {
        id: String::new(),
        run: None,
        generation: None,
        kind: "x".to_owned(),
        args: "{}".to_owned(),
        created_at: 1,
    };
    type Write<'a> = Box<dyn Fn(&footplate_store::Tx<'_>) -> Result<(), StoreError> + 'a>;
    let refused: Vec<(&str, Write<'_>)> = vec![
        ("priority", Box::new(|tx| tx.set_priority(run, 101, NOW))),
        ("empty name", Box::new(|tx| tx.rename_run(run, "", NOW))),
        ("result that is no end", Box::new(|tx| tx.fix_result(run, RunStatus::Queued, NOW).map(drop))),
        ("retrying without a time", Box::new(|tx| tx.move_stage(key, StageStatus::Queued, &retry, NOW).map(drop))),
        ("a time without retrying", Box::new(|tx| tx.move_stage(key, StageStatus::Queued, &due, NOW).map(drop))),
        (
            "running without an attempt",
            Box::new(|tx| tx.move_stage(key, StageStatus::Queued, &no_attempt, NOW).map(drop)),
        ),
        ("attempt of no stage", Box::new(|tx| tx.insert_attempt(&attempt(run, 9, 1), NOW))),
        ("attempt of no run", Box::new(|tx| tx.insert_attempt(&attempt(run + 1, 0, 1), NOW))),
        ("attempt 0", Box::new(|tx| tx.insert_attempt(&attempt(run, 0, 0), NOW))),
        ("wish without an id", Box::new(|tx| tx.insert_wish(&wish).map(drop))),
        ("queue without a name", Box::new(|tx| tx.put_queue("", &QueueChange::default(), NOW))),
        (
            "umask",
            Box::new(|tx| tx.insert_run(&footplate_store::NewRun { umask: 0o1000, ..new_run("b") }, &[]).map(drop)),
        ),
    ];
    let before = events(&store);
    for (what, write) in &refused {
        let error = store.write(|tx| write(tx)).expect_err(what);
        assert!(error.is_refused_row(), "{what}: {error:?}");
    }
    assert_eq!(events(&store), before);
}

#[test]
fn the_words_of_the_schema_are_those_of_core() {
    let (dir, mut store) = home();
    let run = add(&mut store, "a");
    let wish = NewWish {
        id: "w".to_owned(),
        run: None,
        generation: None,
        kind: "pause".to_owned(),
        args: "{}".to_owned(),
        created_at: NOW,
    };
    store.write(|tx| tx.insert_attempt(&attempt(run, 0, 1), NOW).and_then(|()| tx.insert_wish(&wish))).unwrap();
    let conn = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
    conn.execute_batch("DROP TRIGGER attempt_final").unwrap();
    let accepts = |sql: &str, word: &str| conn.execute(sql, [word]).is_ok();
    for status in RunStatus::ALL {
        assert!(accepts("UPDATE run SET status = ?1", status.as_str()), "{status}");
    }
    for status in StageStatus::ALL {
        let sql = "UPDATE stage SET attempt = 1, status = ?1, retry_at = iif(?1 = 'retrying', 1, NULL)";
        assert!(accepts(sql, status.as_str()), "{status}");
    }
    for status in AttemptStatus::ALL {
        assert!(accepts("UPDATE attempt SET status = ?1", status.as_str()), "{status}");
    }
    for table in ["run", "stage", "attempt", "wish"] {
        for word in ["", "done ", "Running", "unknown"] {
            assert!(!accepts(&format!("UPDATE {table} SET status = ?1"), word), "{table} {word}");
        }
    }
}

#[test]
fn a_wish_is_answered_once_and_kept_in_order() {
    let (_dir, mut store) = home();
    let run = add(&mut store, "a");
    let wish = |id: &str, kind: &str| NewWish {
        id: id.to_owned(),
        run: Some(run),
        generation: Some(1),
        kind: kind.to_owned(),
        args: "{}".to_owned(),
        created_at: NOW,
    };
    let first = store.write(|tx| tx.insert_wish(&wish("one", "cancel"))).unwrap();
    let second = store.write(|tx| tx.insert_wish(&wish("two", "pause"))).unwrap();
    assert!(second > first);
    assert_eq!(store.write(|tx| tx.insert_wish(&wish("one", "cancel"))).unwrap(), first);
    let order = |store: &Store| -> Vec<String> {
        store.read().unwrap().pending_wishes().unwrap().into_iter().map(|wish| wish.id).collect()
    };
    assert_eq!(order(&store), ["one", "two"]);
    assert!(store.read().unwrap().accepted_cancel(run, 1).unwrap());
    assert!(!store.read().unwrap().accepted_cancel(run, 2).unwrap());
    assert!(store.write(|tx| tx.answer_wish("two", true, Some(ErrorCode::Conflict), "paused", NOW)).unwrap());
    assert!(!store.write(|tx| tx.answer_wish("two", false, None, "no", NOW)).unwrap());
    assert!(store.write(|tx| tx.answer_wish("one", false, Some(ErrorCode::AlreadyEnded), "ended", NOW)).unwrap());
    assert!(!store.write(|tx| tx.answer_wish("three", true, None, "", NOW)).unwrap());
    let read = store.read().unwrap();
    assert!(!read.accepted_cancel(run, 1).unwrap(), "a refused cancel does not count");
    assert!(read.cancel_wishes(run, 1).unwrap().is_empty());
    let (one, two) = (read.wish("one").unwrap().unwrap(), read.wish("two").unwrap().unwrap());
    assert_eq!((one.status, one.code, one.done_at), (WishStatus::Refused, Some(ErrorCode::AlreadyEnded), Some(NOW)));
    assert_eq!((two.status, two.code, two.message.as_deref()), (WishStatus::Done, None, Some("paused")));
    drop(read);
    let answers: Vec<Event> = events(&store).into_iter().filter(|e| matches!(e, Event::WishAnswered { .. })).collect();
    assert_eq!(answers.len(), 2);
    store.write(|tx| tx.insert_wish(&wish("four", "pause"))).unwrap();
    assert_eq!(store.write(|tx| tx.trim_wishes(NOW + 1, 100)).unwrap(), 2);
    assert_eq!(order(&store), ["four"]);
}

#[test]
fn a_run_is_changed_and_reopened() {
    let (_dir, mut store) = home();
    let run = add(&mut store, "a");
    store
        .write(|tx| {
            assert!(tx.set_run_status(run, RunStatus::Failed, NOW)?);
            assert!(!tx.set_run_status(run, RunStatus::Failed, NOW)?);
            tx.set_run_flags(run, false, true, true)?;
            tx.set_run_times(run, Some(1), Some(2))?;
            tx.set_run_error(run, Some("{}"))?;
            assert!(tx.fix_result(run, RunStatus::Failed, 2)?);
            assert!(!tx.fix_result(run, RunStatus::Completed, 3)?);
            tx.rename_run(run, "b", NOW)?;
            tx.set_tags(run, &["x".to_owned()], NOW)?;
            tx.set_priority(run, 7, NOW)?;
            tx.set_order_key(run, -5, NOW)?;
            tx.set_definition(run, "{\"n\":1}", NOW)
        })
        .unwrap();
    let row = store.read().unwrap().run(run).unwrap().unwrap();
    assert_eq!(
        (row.status, row.paused, row.after_failed, row.result),
        (RunStatus::Failed, true, true, Some(RunStatus::Failed))
    );
    assert_eq!((row.name.as_str(), row.tags, row.priority, row.order_key), ("b", vec!["x".to_owned()], 7, -5));
    assert_eq!((row.definition.as_str(), row.started_at, row.finished_at), ("{\"n\":1}", Some(1), Some(2)));
    assert_eq!(store.read().unwrap().ended_before(3, 10).unwrap(), [(run, row.id)]);
    assert_eq!(store.write(|tx| tx.reopen_run(run)).unwrap(), 2);
    let row = store.read().unwrap().run(run).unwrap().unwrap();
    assert_eq!((row.result, row.result_at, row.finished_at, row.error), (None, None, None, None));
    assert_eq!((row.generation, row.paused, row.after_failed, row.started_at), (2, false, false, Some(1)));
    assert!(store.write(|tx| tx.reopen_run(99)).is_err());
    assert!(store.read().unwrap().ended_before(i64::MAX, 10).unwrap().is_empty());
}

#[test]
fn another_queue_takes_the_stages_that_have_not_begun() {
    let (_dir, mut store) = home();
    let names = ["done", "live", "waits", "elsewhere"];
    let mut stages: Vec<_> = names.iter().map(|name| new_stage(name, StageStatus::Queued)).collect();
    stages[2].status = StageStatus::Waiting;
    stages[3].queue = "training".to_owned();
    let run = store.write(|tx| tx.insert_run(&new_run("a"), &stages)).unwrap().0;
    let running = StageChange { attempt: Some(1), ..StageChange::to(StageStatus::Running) };
    store
        .write(|tx| {
            for stage in [0, 1] {
                tx.move_stage(StageKey { run, stage }, StageStatus::Queued, &running, NOW)?;
            }
            let done = StageChange::to(StageStatus::Completed);
            tx.move_stage(StageKey { run, stage: 0 }, StageStatus::Running, &done, NOW)?;
            tx.set_queue(run, "evaluation", NOW)
        })
        .unwrap();
    let read = store.read().unwrap();
    let queues: Vec<String> = read.stages(run).unwrap().into_iter().map(|stage| stage.queue).collect();
    assert_eq!(queues, ["default", "default", "evaluation", "training"]);
    assert_eq!(read.run(run).unwrap().unwrap().queue, "evaluation");
    let count = |queue: &str, queued, running| QueueCount { queue: queue.to_owned(), queued, running };
    assert_eq!(read.queue_counts().unwrap(), [count("default", 0, 1), count("training", 1, 0)]);
    let open = |status| -> Vec<u32> { read.open_stages(status).unwrap().into_iter().map(|stage| stage.idx).collect() };
    assert_eq!((open(StageStatus::Queued), open(StageStatus::Running)), (vec![3], vec![1]));
    assert_eq!((open(StageStatus::Waiting), open(StageStatus::Held)), (vec![2], vec![]));
}

#[test]
fn drafts_are_released_together() {
    let (_dir, mut store) = home();
    let draft = |name: &str| footplate_store::NewRun { draft: true, ..new_run(name) };
    let a = store.write(|tx| tx.insert_run(&draft("a"), &[])).unwrap().0;
    let b = store.write(|tx| tx.insert_run(&draft("b"), &[])).unwrap().0;
    assert_eq!(store.read().unwrap().counts().unwrap(), [(RunStatus::Draft, 2)]);
    assert_eq!(store.write(|tx| tx.release_drafts(&[a, b, 99], NOW)).unwrap(), 2);
    assert_eq!(store.write(|tx| tx.release_drafts(&[a, b], NOW)).unwrap(), 0);
    assert_eq!(store.read().unwrap().counts().unwrap(), [(RunStatus::Queued, 2)]);
    assert_eq!(
        events(&store)[2..],
        [const { Event::RunStatus { status: RunStatus::Queued } }, Event::RunStatus { status: RunStatus::Queued }]
    );
}

#[test]
fn events_are_trimmed_from_the_oldest_and_numbers_go_on() {
    let (_dir, mut store) = home();
    assert_eq!((store.read().unwrap().first_seq().unwrap(), store.read().unwrap().last_seq().unwrap()), (1, 0));
    assert_eq!(store.write(|tx| tx.trim(10, 10, NOW, 100)).unwrap(), 0);
    store
        .write(|tx| {
            for index in 0..10 {
                let note = Event::Note { stage: None, text: format!("note {index}") };
                assert_eq!(tx.append(None, &note, 100 * index)?, index + 1);
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(store.write(|tx| tx.trim(450, 1000, 950, 2)).unwrap(), 2, "no more than asked for");
    // Those of the last 450 ms before 950 are from 500 on.
    assert_eq!(store.write(|tx| tx.trim(450, 1000, 950, 100)).unwrap(), 3);
    assert_eq!(store.read().unwrap().first_seq().unwrap(), 6);
    assert_eq!(store.write(|tx| tx.trim(1_000_000, 3, 950, 100)).unwrap(), 2);
    let left: Vec<i64> = store.read().unwrap().events_after(0, 100).unwrap().iter().map(|row| row.seq).collect();
    assert_eq!(left, [8, 9, 10]);
    assert_eq!(store.write(|tx| tx.trim(0, 0, i64::MAX, 100)).unwrap(), 2);
    assert_eq!(store.write(|tx| tx.append(None, &Event::RunChanged, 1)).unwrap(), 11);
    assert_eq!(store.read().unwrap().last_seq().unwrap(), 11);
    assert_eq!(store.read().unwrap().events_after(10, 1).unwrap()[0].event, Event::RunChanged);
}

#[test]
fn the_notes_of_a_run_are_found_without_looking_at_its_other_events() {
    let (dir, mut store) = home();
    let run = add(&mut store, "noted");
    let other = add(&mut store, "other");
    let note = |text: &str| Event::Note { stage: Some(0), text: text.to_owned() };
    store
        .write(|tx| {
            for index in 0..5 {
                tx.append(Some(run), &Event::RunChanged, NOW)?;
                tx.append(Some(other), &note("of another"), NOW)?;
                tx.append(Some(run), &note(&index.to_string()), NOW + index)?;
            }
            tx.append(None, &note("of none"), NOW)
        })
        .unwrap();
    let found = store.read().unwrap().notes(run, 3).unwrap();
    let told: Vec<_> = found.iter().map(|row| (row.time - NOW, row.run, row.event.clone())).collect();
    assert_eq!(told, [2, 3, 4].map(|index: i64| (index, Some(run), note(&index.to_string()))));
    let conn = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
    let plan = "EXPLAIN QUERY PLAN SELECT seq, time, data FROM event WHERE run = 1 AND substr(data, 1, 14) = '{\"kind\":\"note\"'
                ORDER BY seq DESC LIMIT 200";
    let plan: String = conn.query_row(plan, [], |row| row.get(3)).unwrap();
    assert!(plan.contains("USING INDEX event_note"), "{plan}");
}

#[test]
fn queues_settings_and_capacity_are_kept() {
    let (_dir, mut store) = home();
    let seeded: Vec<(String, i32, Option<u32>)> =
        store.read().unwrap().queues().unwrap().into_iter().map(|q| (q.name, q.priority, q.limit)).collect();
    let seed = |name: &str, priority, limit| (name.to_owned(), priority, limit);
    let expected = [
        seed("training", 10, Some(1)),
        seed("evaluation", 7, None),
        seed("default", 5, Some(1)),
        seed("preprocessing", 3, None),
        seed("maintenance", 1, None),
    ];
    assert_eq!(seeded, expected);
    let change = QueueChange { limit: Some(Some(4)), paused: Some(true), ..QueueChange::default() };
    store.write(|tx| tx.put_queue("default", &change, NOW)).unwrap();
    let unlimited = QueueChange { limit: Some(None), priority: Some(2), ..QueueChange::default() };
    store.write(|tx| tx.put_queue("mine", &unlimited, NOW)).unwrap();
    let read = store.read().unwrap();
    let default = read.queue("default").unwrap().unwrap();
    assert_eq!((default.priority, default.limit, default.paused), (5, Some(4), true));
    let mine = read.queue("mine").unwrap().unwrap();
    assert_eq!((mine.priority, mine.limit, mine.paused), (2, None, false));
    assert!(read.queue("none").unwrap().is_none() && read.capacity().unwrap().is_none());
    drop(read);
    let row = |pid| CapacityRow { pid, version: "0.1.0".to_owned(), data: "{}".to_owned(), updated_at: NOW };
    store.set_durable(false).unwrap();
    store.write(|tx| tx.put_capacity(&row(1)).and_then(|()| tx.put_capacity(&row(2)))).unwrap();
    store.set_durable(true).unwrap();
    assert_eq!(store.read().unwrap().capacity().unwrap(), Some(row(2)));
    store.write(|tx| tx.put_setting("k", "1").and_then(|()| tx.put_setting("k", "2"))).unwrap();
    assert_eq!(store.read().unwrap().setting("k").unwrap().as_deref(), Some("2"));
    let queue = |name: &str| Event::QueueChanged { queue: name.to_owned() };
    assert_eq!(events(&store), [queue("default"), queue("mine")]);
}

/// What SQLite would do for a statement: the names of its steps, and its plan.
fn explained(conn: &rusqlite::Connection, sql: &str) -> (Vec<String>, String) {
    let column = |prefix: &str, at: usize| -> Vec<String> {
        let mut statement = conn.prepare(&format!("{prefix} {sql}")).unwrap();
        statement.query_map([], |row| row.get(at)).unwrap().map(Result::unwrap).collect()
    };
    (column("EXPLAIN", 1), column("EXPLAIN QUERY PLAN", 3).join("; "))
}

#[test]
fn no_row_costs_a_table_of_its_own_and_what_is_open_is_found_by_its_index() {
    let (dir, _store) = home();
    let conn = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
    for sql in [
        "INSERT INTO run DEFAULT VALUES",
        "INSERT INTO stage DEFAULT VALUES",
        "INSERT INTO attempt DEFAULT VALUES",
        "INSERT INTO wish DEFAULT VALUES",
        "UPDATE run SET status = 'queued', result = NULL WHERE number = 1",
        "UPDATE stage SET status = 'queued' WHERE run = 1 AND idx = 0",
        "UPDATE attempt SET status = 'running' WHERE run = 1 AND stage = 0 AND number = 1",
        "UPDATE wish SET status = 'done' WHERE id = 'x'",
    ] {
        let (steps, _) = explained(&conn, sql);
        assert!(!steps.iter().any(|step| step == "OpenEphemeral"), "{sql}: {steps:?}");
    }
    let open = "status = 'queued' OR status = 'running' OR status = 'retrying' OR status = 'held'";
    let live = "status = 'launching' OR status = 'running' OR status = 'stopping'";
    for (sql, index) in [
        (format!("SELECT queue, status, count(*) FROM stage WHERE {open} GROUP BY status, queue"), "stage_open"),
        (format!("SELECT run FROM stage WHERE status = 'held' AND ({open}) ORDER BY queue, run, idx"), "stage_open"),
        (format!("SELECT run FROM attempt WHERE {live} ORDER BY run, stage, number"), "attempt_live"),
    ] {
        let (_, plan) = explained(&conn, &sql);
        assert!(plan.contains(index), "{sql}: {plan}");
    }
}

#[test]
fn runs_are_counted_whatever_else_their_transaction_does() {
    let (_dir, mut store) = home();
    // Two are added and one of them moved, in one transaction; of what is taken back nothing is counted.
    let taken_back = store.write(|tx| {
        let (first, _) = tx.insert_run(&new_run("a"), &[])?;
        tx.insert_run(&new_run("b"), &[])?;
        tx.set_run_status(first, RunStatus::Paused, NOW)?;
        let refused: Result<(), StoreError> = tx.savepoint(|tx| {
            tx.insert_run(&new_run("c"), &[])?;
            Err(StoreError::Full)
        });
        tx.insert_run(&new_run("d"), &[])?;
        Ok(refused.is_err())
    });
    assert!(taken_back.unwrap());
    let mut counts = store.read().unwrap().counts().unwrap();
    counts.sort_by_key(|(status, _)| status.as_str());
    assert_eq!(counts, [(RunStatus::Paused, 1), (RunStatus::Queued, 2)]);
}
