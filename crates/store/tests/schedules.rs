//! Schedules and the runs they came to: the store refuses what would start one time twice.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod common;

use common::{NOW, guest, new_run, owner};
use footplate_core::UtcMs;
use footplate_core::event::Event;
use footplate_core::timetable::{CatchUp, Missed, Overlap};
use footplate_store::{ScheduleRow, Store, StoreError};

fn row(name: &str) -> ScheduleRow {
    ScheduleRow {
        id: uuid::Uuid::now_v7().to_string(),
        name: name.to_owned(),
        job: r#"{"source":{"kind":"template","name":"digits"}}"#.to_owned(),
        cwd: b"/home/\xffsomeone".to_vec(),
        env_hash: "abc".to_owned(),
        secrets: None,
        umask: 0o022,
        limits: "{}".to_owned(),
        timing: "@daily".to_owned(),
        zone: "Europe/Berlin".to_owned(),
        catch_up: CatchUp::Skip,
        overlap: Overlap::Queue,
        enabled: true,
        next_at: Some(NOW + 1000),
        last_run: None,
        missed: Vec::new(),
        created_at: NOW,
    }
}

fn only(store: &Store) -> ScheduleRow {
    store.read().unwrap().schedules().unwrap().remove(0)
}

#[test]
fn a_schedule_is_kept_as_it_was_written_and_its_name_is_its_own() {
    let dir = tempfile::tempdir().unwrap();
    owner(dir.path());
    let mut store = guest(dir.path());
    let nightly = row("nightly");
    assert!(store.write(|tx| tx.insert_schedule(&nightly, NOW)).unwrap());
    assert_eq!(only(&store), nightly);
    assert!(!store.write(|tx| tx.insert_schedule(&nightly, NOW)).unwrap(), "the same again is nothing");
    let refused = store.write(|tx| tx.insert_schedule(&row("nightly"), NOW)).unwrap_err();
    assert!(refused.is_refused_row(), "{refused:?}");
    assert_eq!(store.read().unwrap().schedule("nightly").unwrap(), Some(nightly.clone()));
    assert_eq!(store.read().unwrap().schedule("Nightly").unwrap(), None);
    let events = store.read().unwrap().events_after(0, 10).unwrap();
    let changed = Event::ScheduleChanged { schedule: "nightly".to_owned() };
    assert_eq!(events.iter().filter(|row| row.event == changed).count(), 1);
    assert!(store.write(|tx| tx.remove_schedule(&nightly, NOW)).unwrap());
    assert!(!store.write(|tx| tx.remove_schedule(&nightly, NOW)).unwrap());
}

#[test]
fn what_is_due_is_found_in_order_and_what_is_paused_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = owner(dir.path());
    let at = |name: &str, next: Option<i64>, enabled: bool| ScheduleRow { next_at: next, enabled, ..row(name) };
    let all = [at("b", Some(20), true), at("a", Some(10), true), at("paused", Some(1), false), at("never", None, true)];
    store.write(|tx| all.iter().try_for_each(|row| tx.insert_schedule(row, NOW).map(drop))).unwrap();
    let due = |store: &Store, now: i64, most: u32| -> Vec<String> {
        store.read().unwrap().schedules_due(now, most).unwrap().into_iter().map(|row| row.name).collect()
    };
    assert_eq!(store.read().unwrap().next_schedule(&[]).unwrap(), Some(10));
    assert_eq!(store.read().unwrap().next_schedule(&[all[1].id.clone()]).unwrap(), Some(20), "a is left out");
    assert_eq!(
        (due(&store, 9, 9), due(&store, 10, 9), due(&store, 30, 9)),
        (vec![], vec!["a".into()], vec!["a".into(), "b".into()])
    );
    assert_eq!(due(&store, 30, 1), ["a"]);
    store.write(|tx| tx.set_schedule(&all[2], true, Some(5), NOW)).unwrap();
    assert_eq!(due(&store, 30, 9), ["paused", "a", "b"]);
}

#[test]
fn one_time_is_dealt_with_once_and_has_one_run() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = owner(dir.path());
    let nightly = row("nightly");
    store.write(|tx| tx.insert_schedule(&nightly, NOW)).unwrap();
    let from = nightly.next_at.unwrap();
    let start = |tx: &footplate_store::Tx<'_>| -> Result<(i64, bool), StoreError> {
        let advanced = tx.advance_schedule(&nightly.id, from, Some(from + 1000))?;
        let (number, _) = tx.insert_run(&new_run("digits"), &[])?;
        tx.put_scheduled(number, &nightly, from)?;
        Ok((number, advanced))
    };
    assert_eq!(store.write(start).unwrap(), (1, true));
    let now = only(&store);
    assert_eq!((now.next_at, now.last_run), (Some(from + 1000), Some(1)));
    let by = store.read().unwrap().scheduled_by(1).unwrap().unwrap();
    assert_eq!((by.name.as_str(), by.due), ("nightly", UtcMs(from)));
    // Whoever is late finds it done; who tries all the same is refused, with the run.
    assert!(!store.write(|tx| tx.advance_schedule(&nightly.id, from, Some(0))).unwrap());
    assert!(store.write(start).unwrap_err().is_refused_row());
    assert_eq!(store.read().unwrap().count_runs().unwrap(), 1);
    assert!(store.read().unwrap().is_scheduled(&nightly.id, from).unwrap());
    // A run that is removed leaves no trace; a paused schedule is not advanced.
    store.write(|tx| tx.remove_run(1, NOW)).unwrap();
    assert_eq!(store.read().unwrap().scheduled_by(1).unwrap(), None);
    store.write(|tx| tx.set_schedule(&nightly, false, Some(from), NOW)).unwrap();
    assert!(!store.write(|tx| tx.advance_schedule(&nightly.id, from, None)).unwrap());
}

#[test]
fn missed_times_of_one_reason_in_a_row_are_one_entry_and_the_newest_twenty_stay() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = owner(dir.path());
    let nightly = row("nightly");
    store.write(|tx| tx.insert_schedule(&nightly, NOW)).unwrap();
    let mut miss = |at: i64, why: &str| {
        let missed = Missed { from: UtcMs(at), until: UtcMs(at), times: 1, why: why.to_owned() };
        store.write(|tx| tx.miss_schedule(&nightly.id, missed.clone(), NOW)).unwrap();
        only(&store).missed
    };
    miss(1, "a");
    miss(2, "a");
    let all = miss(3, "b");
    assert_eq!(all.iter().map(|m| (m.from.0, m.until.0, m.times)).collect::<Vec<_>>(), [(3, 3, 1), (1, 2, 2)]);
    for at in 4..40 {
        miss(at, &format!("reason {at}"));
    }
    let all = miss(40, "last");
    assert_eq!((all.len(), all[0].why.as_str(), all[19].why.as_str()), (20, "last", "reason 21"));
}
