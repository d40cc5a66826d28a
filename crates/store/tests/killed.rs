//! A writer killed at any instant: what it was told is committed stands, and nothing stands by halves.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use common::{child, child_task, guest, new_run, new_stage, owner, random};
use footplate_core::{RunStatus, StageStatus};
use footplate_store::telemetry::{CheckpointRow, PointRow, ReaderMark};
use footplate_store::{ListQuery, Telemetry};

const ROUNDS: u64 = 25;
const BATCH: usize = 20;

/// Lets the child say `after` times that it has committed, waits a random moment longer, and kills it. Returns what it said.
fn kill_after(test: &str, task: &str, after: u64) -> Vec<u64> {
    let mut writer = child(test, task);
    let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    let mut next = || -> Option<u64> {
        loop {
            if let Some(number) = lines.next()?.ok()?.strip_prefix("committed ") {
                return number.parse().ok();
            }
        }
    };
    while (said.len() as u64) < after {
        said.push(next().expect("the child ended by itself"));
    }
    let mut spin = random(300_000);
    while std::hint::black_box(spin) > 0 {
        spin -= 1;
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    while let Some(number) = next() {
        said.push(number);
    }
    said
}

fn say(number: u64) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "committed {number}").unwrap();
    out.flush().unwrap();
}

fn write_runs(dir: &Path) {
    let mut store = owner(dir);
    let first: u64 = store.read().unwrap().setting("batch").unwrap().map_or(0, |text| text.parse().unwrap());
    for batch in first + 1.. {
        store
            .write(|tx| {
                for _ in 0..BATCH {
                    let stages = [new_stage("a", StageStatus::Queued), new_stage("b", StageStatus::Waiting)];
                    let (number, _) = tx.insert_run(&new_run(&format!("batch-{batch}")), &stages)?;
                    tx.set_run_status(number, RunStatus::Completed, 1)?;
                }
                tx.put_setting("batch", &batch.to_string())
            })
            .unwrap();
        say(batch);
    }
}

#[test]
fn a_writer_killed_in_the_middle_leaves_whole_transactions_only() {
    if let Some(dir) = child_task() {
        return write_runs(dir.as_ref());
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let mut known = 0;
    for round in 0..ROUNDS {
        let said = kill_after("a_writer_killed_in_the_middle_leaves_whole_transactions_only", path, random(4));
        known = known.max(said.last().copied().unwrap_or(0));
        let store = guest(dir.path());
        assert_eq!(store.check().unwrap(), Vec::<String>::new(), "round {round}");
        let read = store.read().unwrap();
        let batches: u64 = read.setting("batch").unwrap().map_or(0, |text| text.parse().unwrap());
        assert!(batches >= known, "round {round}: told of {known}, there are {batches}");
        let runs = batches * BATCH as u64;
        assert_eq!(read.list(&ListQuery::default()).unwrap().1, runs);
        assert_eq!(read.last_seq().unwrap() as u64, runs * 2, "an event for each change");
        let newest = read.find_runs(&format!("batch-{}", batches + 1)).unwrap();
        assert!(newest.is_empty(), "a batch by halves");
        assert_eq!(read.runs_after(0, u32::MAX).unwrap().len() as u64, runs);
    }
    assert!(known > 0, "no round came to a commit");
}

fn write_points(path: &Path) {
    let mut telemetry = Telemetry::open(path, true).unwrap().unwrap();
    let first = telemetry.mark(0, 1).unwrap().map_or(0, |(offset, _)| offset);
    for offset in first + 1.. {
        let points: Vec<PointRow> = (0..offset % 7 + 1).map(|i| point("loss", offset, i)).collect();
        let checkpoint = CheckpointRow {
            stage: 0,
            attempt: 1,
            path: format!("ckpt-{offset}"),
            step: None,
            epoch: None,
            time: 1,
            size: None,
            data: "{}".to_owned(),
        };
        let mark = ReaderMark { stage: 0, attempt: 1, offset, state: &offset.to_le_bytes() };
        telemetry.commit(&mark, &points, &[checkpoint], &[("at".to_owned(), offset.into())]).unwrap();
        say(offset);
    }
}

fn point(name: &str, offset: u64, index: u64) -> PointRow {
    PointRow {
        stage: 0,
        attempt: 1,
        name: name.into(),
        step: Some(i64::try_from(offset).unwrap()),
        epoch: None,
        time: i64::try_from(index).unwrap(),
        value: offset as f64,
    }
}

#[test]
fn points_and_the_mark_stand_together_or_not_at_all() {
    if let Some(path) = child_task() {
        return write_points(path.as_ref());
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("telemetry.db");
    let mut known = 0;
    for round in 0..ROUNDS {
        let test = "points_and_the_mark_stand_together_or_not_at_all";
        let said = kill_after(test, path.to_str().unwrap(), random(12));
        known = known.max(said.last().copied().unwrap_or(0));
        let Some(telemetry) = Telemetry::open(&path, false).unwrap() else {
            assert_eq!(known, 0);
            continue;
        };
        let (offset, state) = telemetry.mark(0, 1).unwrap().unwrap_or((0, 0_u64.to_le_bytes().to_vec()));
        assert!(offset >= known, "round {round}: told of {known}, the mark is {offset}");
        assert_eq!(state, offset.to_le_bytes());
        let expected: Vec<PointRow> =
            (1..=offset).flat_map(|o| (0..o % 7 + 1).map(move |i| point("loss", o, i))).collect();
        assert_eq!(telemetry.series(None, &[]).unwrap(), expected, "round {round}");
        assert_eq!(telemetry.checkpoints(0).unwrap().len() as u64, offset);
        let outputs = telemetry.outputs(0, 1).unwrap();
        assert_eq!(outputs.first().map(|(_, value)| value.as_u64()), (offset > 0).then_some(Some(offset)));
    }
    assert!(known > 0, "no round came to a commit");
}
