//! Points, marks, checkpoints and outputs of one run.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod common;

use std::os::unix::fs::PermissionsExt;

use footplate_store::Telemetry;
use footplate_store::telemetry::{CheckpointRow, PointRow, ReaderMark, UsageRow};
use proptest::prelude::*;
use serde_json::json;

fn mark(stage: u32, attempt: u32, offset: u64) -> ReaderMark<'static> {
    ReaderMark { stage, attempt, offset, state: b"state" }
}

fn point(name: &str, step: Option<i64>, value: f64) -> PointRow {
    PointRow { stage: 0, attempt: 1, name: name.into(), step, epoch: None, time: common::NOW, value }
}

type Bits = (u32, u32, String, Option<i64>, Option<u64>, i64, u64);

/// Bit for bit: NaN is not equal to itself.
fn bits(points: &[PointRow]) -> Vec<Bits> {
    points
        .iter()
        .map(|p| (p.stage, p.attempt, p.name.to_string(), p.step, p.epoch.map(f64::to_bits), p.time, p.value.to_bits()))
        .collect()
}

#[test]
fn nan_and_infinities_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("telemetry.db");
    let mut telemetry = Telemetry::open(&path, true).unwrap().unwrap();
    let values = [
        f64::NAN,
        -f64::NAN,
        f64::from_bits(0x7ff8_0000_dead_beef),
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        0.0,
        f64::MIN_POSITIVE / 2.0,
        f64::MAX,
        1.5,
    ];
    let points: Vec<PointRow> = values.iter().map(|value| point("loss", None, *value)).collect();
    telemetry.commit(&mark(0, 1, 10), &points, &[], &[]).unwrap();
    // Once more, into the block that is there: bytes joined to bytes.
    telemetry.commit(&mark(0, 1, 20), &points, &[], &[]).unwrap();
    let reader = Telemetry::open(&path, false).unwrap().unwrap();
    let twice: Vec<PointRow> = points.iter().chain(&points).cloned().collect();
    assert_eq!(bits(&reader.series(Some(0), &["loss".to_owned()]).unwrap()), bits(&twice));
    let nan = [point("loss", Some(3), f64::NAN)];
    telemetry.commit(&mark(0, 1, 30), &nan, &[], &[]).unwrap();
    assert_eq!(bits(&reader.last_values(0, 1).unwrap()), bits(&nan));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_that_is_not_there_or_was_only_begun_reads_as_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("telemetry.db");
    assert!(Telemetry::open(&path, false).unwrap().is_none());
    assert!(!path.exists());
    std::fs::write(&path, b"").unwrap();
    assert!(Telemetry::open(&path, false).unwrap().is_none());
    let telemetry = Telemetry::open(&path, true).unwrap().unwrap();
    assert_eq!(telemetry.mark(0, 1).unwrap(), None);
    assert!(Telemetry::open(&dir.path().join("no/folder.db"), true).is_err());
}

#[test]
fn marks_outputs_and_checkpoints_belong_to_their_attempts() {
    let dir = tempfile::tempdir().unwrap();
    let mut telemetry = Telemetry::open(&dir.path().join("telemetry.db"), true).unwrap().unwrap();
    let checkpoint = |attempt: u32, path: &str, step: i64| CheckpointRow {
        stage: 0,
        attempt,
        path: path.to_owned(),
        step: Some(step),
        epoch: Some(0.5),
        time: common::NOW,
        size: Some(1 << 40),
        data: r#"{"val_loss":null}"#.to_owned(),
    };
    let outputs = [("model".to_owned(), json!("a.bin")), ("accuracy".to_owned(), json!(0.97))];
    let checkpoints = [checkpoint(1, "last", 1), checkpoint(1, "best", 1)];
    telemetry.commit(&mark(0, 1, 10), &[], &checkpoints, &outputs).unwrap();
    let again = [("model".to_owned(), json!({"path": ["b.bin", 1]}))];
    telemetry.commit(&mark(0, 1, 12), &[], &[], &again).unwrap();
    telemetry.commit(&mark(0, 2, 5), &[], &[checkpoint(2, "last", 9)], &[]).unwrap();
    assert_eq!(telemetry.mark(0, 1).unwrap(), Some((12, b"state".to_vec())));
    assert_eq!(telemetry.mark(0, 2).unwrap(), Some((5, b"state".to_vec())));
    assert_eq!(telemetry.mark(1, 1).unwrap(), None);
    let expected = vec![("model".to_owned(), json!({"path": ["b.bin", 1]})), ("accuracy".to_owned(), json!(0.97))];
    assert_eq!(telemetry.outputs(0, 1).unwrap(), expected);
    assert!(telemetry.outputs(0, 2).unwrap().is_empty());
    assert_eq!(telemetry.checkpoints(0).unwrap(), [checkpoint(1, "best", 1), checkpoint(2, "last", 9)]);
    assert!(telemetry.checkpoints(1).unwrap().is_empty());
}

#[test]
fn a_second_writer_continues_the_series_of_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("telemetry.db");
    let mut writers: Vec<Telemetry> = (0..2).map(|_| Telemetry::open(&path, true).unwrap().unwrap()).collect();
    let mut expected = Vec::new();
    for step in 0..200 {
        let points = [point("loss", Some(step), step as f64)];
        let writer = &mut writers[usize::from(step % 3 == 0)];
        writer.commit(&mark(0, 1, step as u64), &points, &[], &[]).unwrap();
        expected.extend(points);
    }
    assert_eq!(bits(&writers[0].series(None, &[]).unwrap()), bits(&expected));
}

fn any_point() -> impl Strategy<Value = PointRow> {
    (
        0..3_u32,
        1..3_u32,
        prop::sample::select(vec!["loss", "accuracy", "lr", "é", "loss "]),
        any::<Option<i64>>(),
        any::<Option<f64>>(),
        any::<i64>(),
        any::<u64>(),
    )
        .prop_map(|(stage, attempt, name, step, epoch, time, value)| PointRow {
            stage,
            attempt,
            name: name.into(),
            step,
            epoch,
            time,
            value: f64::from_bits(value),
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// However the points are cut into commits, and the file opened anew between them: by stage, name and attempt, in the order
    /// they came.
    #[test]
    fn series_come_back_in_the_order_they_came(
        commits in prop::collection::vec((prop::collection::vec(any_point(), 0..40), any::<bool>()), 1..12),
        stage in prop::option::of(0..3_u32),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("telemetry.db");
        let mut telemetry = Telemetry::open(&path, true).unwrap().unwrap();
        let mut all: Vec<PointRow> = Vec::new();
        for (offset, (points, reopen)) in commits.iter().enumerate() {
            telemetry.commit(&mark(0, 1, offset as u64), points, &[], &[]).unwrap();
            all.extend(points.iter().cloned());
            if *reopen {
                telemetry = Telemetry::open(&path, true).unwrap().unwrap();
            }
        }
        let mut expected = all.clone();
        expected.sort_by(|a, b| (a.stage, &a.name, a.attempt).cmp(&(b.stage, &b.name, b.attempt)));
        prop_assert_eq!(bits(&telemetry.series(None, &[]).unwrap()), bits(&expected));
        let names = ["loss".to_owned(), "é".to_owned()];
        expected.retain(|p| stage.is_none_or(|s| s == p.stage) && names.iter().any(|n| **n == *p.name));
        prop_assert_eq!(bits(&telemetry.series(stage, &names).unwrap()), bits(&expected));
        for (stage, attempt) in [(0, 1), (2, 2)] {
            let mut last: Vec<PointRow> = Vec::new();
            for p in all.iter().filter(|p| p.stage == stage && p.attempt == attempt) {
                match last.iter_mut().find(|l| l.name == p.name) {
                    Some(l) => *l = p.clone(),
                    None => last.push(p.clone()),
                }
            }
            prop_assert_eq!(bits(&telemetry.last_values(stage, attempt).unwrap()), bits(&last));
        }
    }
}

fn used(time: i64, cpu_ms: u64, memory: u64, gpu: f64) -> UsageRow {
    let (stage, attempt) = (0, 1);
    UsageRow {
        stage,
        attempt,
        time,
        cpu_ms,
        memory,
        read: None,
        written: Some(cpu_ms),
        gpu: Some(gpu),
        gpu_memory: None,
    }
}

#[test]
fn a_minute_that_is_long_over_keeps_its_end_and_the_peaks_of_all() {
    let dir = tempfile::tempdir().unwrap();
    let mut telemetry = Telemetry::open(&dir.path().join("telemetry.db"), true).unwrap().unwrap();
    let rows = [used(1_000, 10, 5, 0.0), used(6_000, 20, 9, 0.5), used(11_000, 30, 7, 1.0), used(61_000, 40, 1, 0.0)];
    telemetry.add_usage(&rows, 30_000).unwrap();
    assert_eq!(telemetry.usage(None).unwrap(), rows, "the minute is not over");
    let expected = [used(11_000, 30, 9, 0.5), used(61_000, 40, 1, 0.0)];
    for time in [61_000, 119_000] {
        telemetry.add_usage(&[], time).unwrap();
        assert_eq!(telemetry.usage(Some(0)).unwrap(), expected, "once or twice is the same");
    }
    assert_eq!(telemetry.usage(Some(1)).unwrap(), []);
    // The same moment again, by an owner that was not sure: one row.
    telemetry.add_usage(&[used(61_000, 41, 1, 0.0)], 0).unwrap();
    assert_eq!(telemetry.usage(None).unwrap().len(), 2);
}

#[test]
fn a_file_of_the_first_format_is_read_as_it_is_and_brought_up_by_who_writes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("telemetry.db");
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute_batch(include_str!("../migrations/telemetry_0001.sql")).unwrap();
    conn.pragma_update(None, "user_version", 1).unwrap();
    drop(conn);
    let old = Telemetry::open(&path, false).unwrap().unwrap();
    assert_eq!((old.usage(None).unwrap(), old.mark(0, 1).unwrap()), (Vec::new(), None));
    drop(old);
    let mut telemetry = Telemetry::open(&path, true).unwrap().unwrap();
    telemetry.add_usage(&[used(1_000, 1, 1, 0.0)], 0).unwrap();
    drop(telemetry);
    assert_eq!(Telemetry::open(&path, false).unwrap().unwrap().usage(None).unwrap().len(), 1);
}
