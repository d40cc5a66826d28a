//! Alerts and the duty to look through checkpoints: written once, ended once, and gone with their run.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod common;

use common::{NOW, add, attempt, owner};
use footplate_core::alert::{AlertAction, AlertFacts, AlertKind};
use footplate_core::event::{AlertChange, Event};
use footplate_core::{AttemptKey, StageKey};
use footplate_store::STALL_RULE;

#[test]
fn an_episode_is_one_row_however_often_it_is_told_and_each_change_is_one_event() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = owner(dir.path());
    let run = add(&mut store, "one");
    let key = AttemptKey { run, stage: 0, attempt: 1 };
    let stall = AlertFacts::stall(1_800_000, AlertAction::Stop);
    let first = store
        .write(|tx| {
            tx.insert_attempt(&attempt(run, 0, 1), NOW)?;
            let first = tx.raise_alert(key, (STALL_RULE, 1), &stall, NOW - 10, NOW)?;
            assert_eq!(tx.raise_alert(key, (STALL_RULE, 1), &stall, NOW - 10, NOW + 1)?, None, "told again");
            assert_eq!((tx.last_episode(key, STALL_RULE)?, tx.last_episode(key, 0)?), (1, 0));
            Ok(first.unwrap())
        })
        .unwrap();
    let other = store.write(|tx| tx.raise_alert(key, (0, 1), &stall, NOW, NOW)).unwrap().unwrap();
    let row = store.read().unwrap().alert(first).unwrap().unwrap();
    assert_eq!((row.key, row.rule, row.episode, row.since, row.raised_at), (key, STALL_RULE, 1, NOW - 10, NOW));
    assert_eq!((row.facts, row.ended_at, row.dismissed_at), (stall, None, None));
    assert_eq!(store.read().unwrap().runs_with_open_alerts().unwrap(), 1);
    store
        .write(|tx| {
            // An end before its beginning is none.
            assert!(tx.end_alert(first, NOW - 500, NOW + 5)?);
            assert!(!tx.end_alert(first, NOW + 6, NOW + 6)?);
            assert!(tx.dismiss_alert(other, NOW + 7)? && !tx.dismiss_alert(other, NOW + 8)?);
            assert!(!tx.end_alert(99, NOW, NOW)?);
            Ok(())
        })
        .unwrap();
    let read = store.read().unwrap();
    assert_eq!(read.alert(first).unwrap().unwrap().ended_at, Some(NOW - 10));
    // A dismissed one is so still, and its attempt's end ends it.
    assert_eq!(read.alerts_of(key).unwrap().iter().map(|row| row.id).collect::<Vec<_>>(), [other]);
    assert_eq!((read.open_alerts(10).unwrap().len(), read.runs_with_open_alerts().unwrap()), (0, 0));
    assert_eq!(read.alerts(run, 10).unwrap().iter().map(|row| row.id).collect::<Vec<_>>(), [other, first]);
    let changes: Vec<_> = read
        .events_after(0, 100)
        .unwrap()
        .into_iter()
        .filter_map(|row| match row.event {
            Event::Alert { alert, change, .. } => Some((alert, change)),
            _ => None,
        })
        .collect();
    let expected = [
        (first, AlertChange::Raised),
        (other, AlertChange::Raised),
        (first, AlertChange::Ended),
        (other, AlertChange::Dismissed),
    ];
    assert_eq!(changes, expected);
    assert_eq!(AlertKind::Stall, read.alert(first).unwrap().unwrap().facts.kind);
}

#[test]
fn with_a_run_its_alerts_and_duties_go_and_none_is_kept_for_a_stage_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = owner(dir.path());
    let run = add(&mut store, "one");
    let stage = |stage| StageKey { run, stage };
    let facts = AlertFacts::stall(1_000, AlertAction::Notify);
    store
        .write(|tx| {
            tx.raise_alert(AttemptKey { run, stage: 1, attempt: 1 }, (STALL_RULE, 1), &facts, NOW, NOW)?;
            tx.put_keeping(stage(0), NOW + 5)?;
            tx.put_keeping(stage(0), NOW + 9)?;
            tx.put_keeping(stage(1), NOW)
        })
        .unwrap();
    assert_eq!(store.read().unwrap().keeping().unwrap(), [(stage(0), NOW + 9), (stage(1), NOW)]);
    store.write(|tx| tx.end_keeping(stage(1))).unwrap();
    assert_eq!(store.read().unwrap().keeping().unwrap(), [(stage(0), NOW + 9)]);
    let nobody = AttemptKey { run, stage: 7, attempt: 1 };
    assert!(store.write(|tx| tx.raise_alert(nobody, (0, 1), &facts, NOW, NOW)).unwrap_err().is_refused_row());
    assert!(store.write(|tx| tx.put_keeping(stage(7), NOW)).unwrap_err().is_refused_row());
    store.write(|tx| tx.remove_run(run, NOW).map(drop)).unwrap();
    let read = store.read().unwrap();
    assert!(read.alerts(run, 10).unwrap().is_empty() && read.keeping().unwrap().is_empty());
}
