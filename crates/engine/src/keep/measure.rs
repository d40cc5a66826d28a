//! Which point of a metric belongs to which checkpoint: the last one that the program printed before it wrote the file, or the one of
//! the same step. When a point was printed is not known, only when it was read, which is a moment later, and much later where the
//! owner was held up.

use super::checkpoint::Candidate;

/// A point of the metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Measured {
    /// When it was read, or when its program says it was, UTC milliseconds.
    pub(crate) time: i64,
    pub(crate) step: Option<i64>,
    pub(crate) epoch: Option<f64>,
    pub(crate) value: f64,
}

/// A point is read up to so long after it was printed, milliseconds, while nobody watches ...
const USUAL_MS: i64 = 1_000;
/// ... and at most so long, while nothing is in the owner's way.
const LAG_MS: i64 = 1_500;
/// With the right step it is taken up to so long after the file was written, milliseconds.
const STEP_MS: i64 = 60_000;
/// Points that were read at once: there was something in the way. Milliseconds.
const AT_ONCE_MS: i64 = 100;

/// The one that is taken for the checkpoint's.
pub(super) fn likely(points: &[Measured], one: &Candidate) -> Option<Measured> {
    let read = || points.partition_point(|point| point.time <= one.modified_ms + USUAL_MS).checked_sub(1);
    points.get(by_step(points, one).or_else(read)?).copied()
}

/// All that it may be, by their places.
pub(super) fn possible(points: &[Measured], one: &Candidate) -> Vec<usize> {
    if let Some(certain) = by_step(points, one) {
        return vec![certain];
    }
    let before = before(points, one);
    let mut all: Vec<usize> = before.checked_sub(1).into_iter().collect();
    let soon = |point: &Measured| point.time <= one.modified_ms + LAG_MS;
    all.extend((before..points.len()).take_while(|at| soon(&points[*at])));
    // A heap of them at the same moment was printed long before: any of it may be this one's.
    if let Some(first) = points.get(before) {
        let heap = (before..points.len()).take_while(|at| points[*at].time <= first.time + AT_ONCE_MS);
        let heap: Vec<usize> = heap.collect();
        if heap.len() > 1 {
            all.extend(heap);
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// How many were read by the time the file was written.
fn before(points: &[Measured], one: &Candidate) -> usize {
    points.partition_point(|point| point.time <= one.modified_ms)
}

/// The point of the step or epoch that the file's name ends with, where it was read about then.
fn by_step(points: &[Measured], one: &Candidate) -> Option<usize> {
    let number = last_number(one.path.file_stem()?.to_str()?)?;
    let before = before(points, one);
    let soon = |point: &Measured| point.time <= one.modified_ms + STEP_MS;
    let near = (before..points.len()).take_while(|at| soon(&points[*at]));
    let is_it = |at: &usize| {
        let point = &points[*at];
        point.step == Some(number) || point.epoch == Some(number as f64)
    };
    before.checked_sub(1).into_iter().chain(near).find(is_it)
}

/// The last run of digits.
fn last_number(name: &str) -> Option<i64> {
    let end = name.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = name[..end].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    name.get(start..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keep::checkpoint::candidate;

    fn file(folder: &std::path::Path, name: &str, ms: u64) -> Candidate {
        let path = folder.join(name);
        std::fs::write(&path, "x").unwrap();
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(ms);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
        candidate(&path).unwrap()
    }

    fn point(time: i64, step: Option<i64>, value: f64) -> Measured {
        Measured { time, step, epoch: None, value }
    }

    #[test]
    fn a_step_in_the_name_tells_though_the_next_point_was_read_by_then() {
        let folder = tempfile::tempdir().unwrap();
        // Epochs of a second, read a moment late: of 4 when 5 had begun.
        let points = [point(3_900, Some(3), 0.8), point(4_900, Some(4), 0.05), point(5_900, Some(5), 0.6)];
        let one = file(folder.path(), "ep4.bin", 4_100);
        assert_eq!(likely(&points, &one).unwrap().value, 0.05);
        assert_eq!(possible(&points, &one), [1]);
        // An owner that was held up for half a minute reads all at once.
        let points = [3, 4, 5].map(|step| point(30_000, Some(step), step as f64));
        assert_eq!(likely(&points, &one).unwrap().step, Some(4));
        // Without steps any of them may be it.
        let points = points.map(|point| Measured { step: None, ..point });
        assert_eq!(possible(&points, &one), [0, 1, 2]);
        let names = [("checkpoint-500", Some(500)), ("epoch=3-step=100", Some(100)), ("best", None), ("v2x", Some(2))];
        for (name, number) in names {
            assert_eq!(last_number(name), number, "{name}");
        }
    }

    #[test]
    fn without_steps_the_last_before_counts_and_what_came_a_moment_later_may() {
        let folder = tempfile::tempdir().unwrap();
        let points = [point(1_000, None, 3.0), point(9_000, None, 2.0), point(60_000, None, 1.0)];
        let one = file(folder.path(), "a.bin", 7_800);
        assert_eq!(likely(&points, &one).unwrap().value, 3.0);
        assert_eq!(possible(&points, &one), [0, 1]);
        let late = file(folder.path(), "b.bin", 20_000);
        assert_eq!((likely(&points, &late).unwrap().value, possible(&points, &late)), (2.0, vec![1]));
        let early = file(folder.path(), "c.bin", 500);
        assert_eq!(likely(&points, &early).unwrap().value, 3.0);
    }
}
