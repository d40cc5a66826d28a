//! Many at once: guests write while the owner writes without a break, and nobody is turned away.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::{add, attempt, child, child_task, guest, new_run, new_stage, owner};
use footplate_core::{AttemptKey, AttemptStatus, StageStatus};
use footplate_store::{AttemptChange, NewWish};

const WRITES: usize = 25;

fn wishes(dir: &str, who: usize) -> Duration {
    let mut store = guest(dir.as_ref());
    let mut longest = Duration::ZERO;
    for index in 0..WRITES {
        let start = Instant::now();
        store
            .write(|tx| {
                tx.insert_run(&new_run("of a guest"), &[new_stage("train", StageStatus::Queued)])?;
                tx.insert_wish(&NewWish {
                    id: format!("{who}-{index}"),
                    run: Some(1),
                    generation: Some(1),
                    kind: "pause".to_owned(),
                    args: "{}".to_owned(),
                    created_at: common::NOW,
                })
            })
            .unwrap();
        longest = longest.max(start.elapsed());
    }
    longest
}

/// Writes without a break until it is told to stop; returns its run and how many commits there were.
fn busy_owner(dir: &str, stop: &AtomicBool) -> (i64, u64) {
    let mut store = owner(dir.as_ref());
    let run = add(&mut store, "busy");
    let mut commits = 0;
    while !stop.load(Ordering::Relaxed) {
        commits += 1;
        let number = u32::try_from(commits).unwrap();
        let key = AttemptKey { run, stage: 0, attempt: number };
        store
            .write(|tx| {
                tx.insert_attempt(&attempt(run, 0, number), common::NOW)?;
                let change = AttemptChange { exit_code: Some(0), ..AttemptChange::to(AttemptStatus::Completed) };
                assert!(tx.move_attempt(key, &[AttemptStatus::Launching], &change, common::NOW)?);
                Ok(())
            })
            .unwrap();
    }
    (run, commits)
}

#[test]
fn twenty_threads_write_while_the_owner_writes_without_a_break() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    owner(dir.path());
    let stop = AtomicBool::new(false);
    let ((run, commits), longest) = std::thread::scope(|scope| {
        let busy = scope.spawn(|| busy_owner(path, &stop));
        let guests: Vec<_> = (0..20).map(|who| scope.spawn(move || wishes(path, who))).collect();
        let longest = guests.into_iter().map(|guest| guest.join().unwrap()).max().unwrap();
        stop.store(true, Ordering::Relaxed);
        (busy.join().unwrap(), longest)
    });
    println!("owner: {commits} commits; the longest wait of a guest: {longest:?}");
    let store = guest(dir.path());
    let read = store.read().unwrap();
    assert_eq!(read.pending_wishes().unwrap().len(), 20 * WRITES);
    assert_eq!(read.open_runs().unwrap().len(), 20 * WRITES + 1);
    assert_eq!(read.attempts(run).unwrap().len() as u64, commits);
    // Neither starves the other.
    assert!(commits > WRITES as u64 / 4, "the owner came through {commits} times while each guest did {WRITES} times");
    assert!(longest < Duration::from_secs(20), "a guest waited for {longest:?}");
}

#[test]
fn twenty_processes_write_while_the_owner_writes_without_a_break() {
    if let Some(task) = child_task() {
        let (who, dir) = task.split_once(' ').unwrap();
        wishes(dir, who.parse().unwrap());
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    owner(dir.path());
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| busy_owner(path, &stop));
        let name = "twenty_processes_write_while_the_owner_writes_without_a_break";
        let children: Vec<_> = (0..20).map(|who| child(name, &format!("{who} {path}"))).collect();
        let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
        stop.store(true, Ordering::Relaxed);
        busy.join().unwrap();
        for output in outputs {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    });
    let store = guest(dir.path());
    assert_eq!(store.read().unwrap().pending_wishes().unwrap().len(), 20 * WRITES);
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}
