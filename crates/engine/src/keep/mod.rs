//! Which checkpoints of a stage stay and which go: the best by a metric, the newest, and never the last that could be gone on from.
//! Judged alike for those who ask what would go and for the owner, who removes it ([`remove`]).
//!
//! Only what fits the stage's `files` ever goes, and of that only what lies in the run's own folders and was written since the stage
//! began: a pattern that other runs write to costs them nothing.

pub(crate) mod checkpoint;
mod gather;
mod measure;
pub mod remove;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use footplate_core::alert::Better;
use footplate_core::definition::Checkpoints;
use serde::Serialize;

use checkpoint::{Candidate, candidate, matching};
pub(crate) use measure::Measured;

pub(crate) use gather::{folder, folder_as_written, real, stages};

/// What becomes of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Its stage removes none.
    Stays,
    /// One of the best.
    Best,
    /// One of the newest.
    Newest,
    /// Somebody pinned it.
    Pinned,
    /// The program that runs was told to go on from it.
    InUse,
    /// It may be being written, or is not whole.
    Unfinished,
    /// It is older than the stage's first attempt, or lies outside of the run's folders, or does not fit `files`.
    NotOurs,
    /// It goes when checkpoints are cleaned next.
    Goes,
}

/// A checkpoint and what becomes of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// Its stage.
    pub stage: String,
    /// Where it is.
    pub path: PathBuf,
    /// When it was written, UTC milliseconds.
    pub modified_ms: i64,
    /// The metric's value, where it is known and finite.
    pub value: Option<f64>,
    /// Its place by that value, from 1; only of whole ones.
    pub rank: Option<u32>,
    /// What becomes of it.
    pub fate: Fate,
}

/// What a stage's checkpoints are judged by.
#[derive(Clone, Debug)]
pub(crate) struct StageKeeping {
    pub(crate) name: String,
    pub(crate) rule: Checkpoints,
    /// The pattern, absolute.
    pub(crate) pattern: PathBuf,
    /// Those that progress lines named, with their figures of the metric.
    pub(crate) named: Vec<(PathBuf, Option<f64>)>,
    /// The metric's points, by when they were read.
    pub(crate) points: Vec<Measured>,
    /// When the stage's first attempt began, UTC milliseconds.
    pub(crate) since_ms: i64,
    /// The arguments of the program that runs, or what it is to go on from.
    pub(crate) arguments: Vec<String>,
    /// Those that somebody pinned.
    pub(crate) pinned: BTreeSet<PathBuf>,
    /// Folders of the run, as they are without links.
    pub(crate) roots: Vec<PathBuf>,
}

impl StageKeeping {
    /// Whether anything of it is ever removed.
    pub(crate) fn removes(&self) -> bool {
        self.rule.keep_best.is_some() || self.rule.keep_last.is_some()
    }

    /// Judges what is there now.
    pub(crate) fn judge(&self, now_ms: i64) -> Vec<Judged> {
        let mut found: Vec<Candidate> = self.pattern.to_str().map(matching).unwrap_or_default();
        let fitting: BTreeSet<PathBuf> = found.iter().map(|one| one.path.clone()).collect();
        found.extend(self.named.iter().filter(|(path, _)| !fitting.contains(path)).filter_map(|(p, _)| candidate(p)));
        found.sort_by(|a, b| b.modified_ms.cmp(&a.modified_ms).then_with(|| b.path.cmp(&a.path)));
        found.dedup_by(|a, b| a.path == b.path);
        let folder = self.pattern.parent().and_then(|folder| folder.canonicalize().ok());
        let ours = folder.is_some_and(|folder| self.roots.iter().any(|root| folder.starts_with(root)));
        let mut all: Vec<Judged> = found.iter().map(|one| self.first_look(one, now_ms)).collect();
        self.rank(&mut all);
        let maybe_best = self.maybe_best(&found, &all);
        let whole = |one: &&mut Judged| one.fate != Fate::Unfinished;
        // The newest that could be gone on from is what `resume` takes: it stays whatever the rule says.
        let last = self.rule.keep_last.unwrap_or(1).max(1) as usize;
        for one in all.iter_mut().filter(whole).take(last) {
            one.fate = Fate::Newest;
        }
        let best = self.rule.keep_best.unwrap_or(0);
        for (at, one) in all.iter_mut().enumerate().filter(|(_, one)| one.fate != Fate::Unfinished) {
            if one.rank.is_some_and(|rank| rank <= best) || maybe_best.contains(&at) {
                one.fate = Fate::Best;
            }
        }
        for one in &mut all {
            let free = one.fate == Fate::Goes;
            if one.fate != Fate::Unfinished && self.pinned.contains(&one.path) {
                one.fate = Fate::Pinned;
            } else if !self.removes() && one.fate != Fate::Unfinished {
                one.fate = Fate::Stays;
            } else if free && (!ours || !fitting.contains(&one.path) || one.modified_ms < self.since_ms) {
                one.fate = Fate::NotOurs;
            } else if free && self.is_in_use(&one.path) {
                one.fate = Fate::InUse;
            }
        }
        all
    }

    fn first_look(&self, one: &Candidate, now_ms: i64) -> Judged {
        let named = self.named.iter().rev().find(|(path, _)| *path == one.path);
        let finished = one.is_finished(named.is_some(), now_ms);
        let measured = || measure::likely(&self.points, one).map(|point| point.value);
        let value = named.and_then(|(_, value)| *value).or_else(measured).filter(|value| value.is_finite());
        Judged {
            stage: self.name.clone(),
            path: one.path.clone(),
            modified_ms: one.modified_ms,
            value: value.filter(|_| self.rule.metric.is_some()),
            rank: None,
            fate: if finished { Fate::Goes } else { Fate::Unfinished },
        }
    }

    /// The best first; of equals the newer one, which stands first already.
    fn rank(&self, all: &mut [Judged]) {
        let mut order: Vec<(usize, f64)> = (0..all.len())
            .filter(|at| all[*at].fate != Fate::Unfinished)
            .filter_map(|at| Some((at, all[at].value?)))
            .collect();
        order.sort_by(|(_, one), (_, other)| match self.rule.mode {
            Better::Min => one.total_cmp(other),
            Better::Max => other.total_cmp(one),
        });
        for (place, (at, _)) in order.into_iter().enumerate() {
            all[at].rank = Some(place as u32 + 1);
        }
    }

    /// Those of which it is not sure which point was theirs, and that would be among the best by another one: a point is read later
    /// than it was printed, and by then the next checkpoint may be there. One too many is no harm, the best that is gone is.
    fn maybe_best(&self, found: &[Candidate], all: &[Judged]) -> BTreeSet<usize> {
        let best = self.rule.keep_best.unwrap_or(0) as usize;
        if best == 0 || self.rule.metric.is_none() {
            return BTreeSet::new();
        }
        let unsure =
            |at: usize| all[at].fate != Fate::Unfinished && !self.named.iter().any(|(path, _)| *path == all[at].path);
        let claims: Vec<(usize, usize)> = (0..found.len())
            .filter(|at| unsure(*at))
            .flat_map(|at| measure::possible(&self.points, &found[at]).into_iter().map(move |point| (at, point)))
            .filter(|(_, point)| self.points[*point].value.is_finite())
            .collect();
        // Each once: two of one value must not stand in each other's place.
        let points: BTreeSet<usize> = claims.iter().map(|(_, point)| *point).collect();
        let mut points: Vec<usize> = points.into_iter().collect();
        points.sort_by(|one, other| {
            let (one, other) = (self.points[*one].value, self.points[*other].value);
            if self.rule.mode == Better::Min { one.total_cmp(&other) } else { other.total_cmp(&one) }
        });
        points.truncate(best);
        claims.into_iter().filter(|(_, point)| points.contains(point)).map(|(at, _)| at).collect()
    }

    fn is_in_use(&self, path: &Path) -> bool {
        let text = path.to_string_lossy();
        self.arguments.iter().any(|argument| argument.contains(&*text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeping(folder: &Path, rule: Checkpoints) -> StageKeeping {
        StageKeeping {
            name: "train".into(),
            pattern: folder.join("*.bin"),
            named: Vec::new(),
            points: Vec::new(),
            since_ms: 0,
            arguments: Vec::new(),
            pinned: BTreeSet::new(),
            roots: vec![folder.canonicalize().unwrap()],
            rule,
        }
    }

    /// A file `name.bin` that was written so many seconds after the epoch.
    fn file(folder: &Path, name: &str, second: u64) -> PathBuf {
        let path = folder.join(format!("{name}.bin"));
        std::fs::write(&path, name).unwrap();
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(second);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
        path
    }

    fn fates(keeping: &StageKeeping, now_ms: i64) -> Vec<(String, Fate, Option<u32>)> {
        let name = |one: &Judged| one.path.file_stem().unwrap().to_string_lossy().into_owned();
        keeping.judge(now_ms).iter().map(|one| (name(one), one.fate, one.rank)).collect()
    }

    fn rule(best: Option<u32>, last: Option<u32>) -> Checkpoints {
        let metric = best.map(|_| "val_loss".to_owned());
        Checkpoints { files: "x".into(), metric, keep_best: best, keep_last: last, ..Checkpoints::default() }
    }

    #[test]
    fn the_best_and_the_newest_stay_and_the_rest_goes() {
        let folder = tempfile::tempdir().unwrap();
        for (second, name) in [(10, "a"), (20, "b"), (30, "c"), (40, "d"), (50, "e")] {
            file(folder.path(), name, second);
        }
        let mut keeping = keeping(folder.path(), rule(Some(2), None));
        // By the points before each: a 5, b 1, c nothing finite, d 3, e 4.
        let point = |(time, value)| Measured { time, step: None, epoch: None, value };
        keeping.points =
            [(9_000, 5.0), (19_000, 1.0), (29_000, f64::NAN), (39_000, 3.0), (49_000, 4.0)].map(point).to_vec();
        let row = |name: &str, fate, rank| (name.to_owned(), fate, rank);
        assert_eq!(
            fates(&keeping, i64::MAX),
            [
                row("e", Fate::Newest, Some(3)),
                row("d", Fate::Best, Some(2)),
                row("c", Fate::Goes, None),
                row("b", Fate::Best, Some(1)),
                row("a", Fate::Goes, Some(4)),
            ]
        );
        // What the program said of one goes over what its metric was.
        keeping.named = vec![(folder.path().join("a.bin"), Some(0.5))];
        assert_eq!(fates(&keeping, i64::MAX)[4], row("a", Fate::Best, Some(1)));
        keeping.rule.mode = Better::Max;
        assert_eq!(fates(&keeping, i64::MAX)[0], row("e", Fate::Best, Some(1)));
        keeping.rule = rule(None, None);
        assert!(fates(&keeping, i64::MAX).iter().all(|(_, fate, _)| *fate == Fate::Stays));
    }

    #[test]
    fn two_that_share_their_points_push_no_third_out_of_the_best() {
        let folder = tempfile::tempdir().unwrap();
        for (second, name) in [(10, "a"), (10, "b"), (30, "d"), (50, "c"), (90, "e")] {
            file(folder.path(), name, second);
        }
        let mut keeping = keeping(folder.path(), rule(Some(3), None));
        // Two of one value that may be a's or b's; of c either the one before it or the one a moment later.
        let point = |(time, value)| Measured { time, step: None, epoch: None, value };
        let points = [(10_050, 1.0), (10_060, 1.0), (29_000, 7.0), (49_500, 5.0), (50_800, 9.0), (89_000, 100.0)];
        keeping.points = points.map(point).to_vec();
        let best = |(name, fate, _): (String, Fate, Option<u32>)| (fate == Fate::Best).then_some(name);
        let mut names: Vec<String> = fates(&keeping, i64::MAX).into_iter().filter_map(best).collect();
        names.sort();
        assert_eq!(names, ["a", "b", "c", "d"]);
    }

    #[test]
    fn what_is_being_written_in_use_older_or_elsewhere_stays_and_so_does_the_last_whole_one() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["old", "used", "gone", "last", "open"];
        let paths: Vec<PathBuf> =
            names.iter().enumerate().map(|(at, name)| file(folder.path(), name, 10 * (at as u64 + 1))).collect();
        let mut keeping = keeping(folder.path(), rule(Some(0), Some(0)));
        keeping.rule.keep_last = Some(0);
        keeping.since_ms = 15_000;
        keeping.arguments = vec!["--resume".into(), format!("file={}", paths[1].display())];
        let row = |name: &str, fate| (name.to_owned(), fate, None);
        let expected = [
            row("open", Fate::Unfinished),
            row("last", Fate::Newest),
            row("gone", Fate::Goes),
            row("used", Fate::InUse),
            row("old", Fate::NotOurs),
        ];
        assert_eq!(fates(&keeping, 55_000), expected);
        keeping.pinned = [paths[2].clone(), paths[4].clone()].into();
        let pinned = [(2, Fate::Pinned), (0, Fate::Unfinished)];
        for (at, fate) in pinned {
            assert_eq!(fates(&keeping, 55_000)[at].1, fate, "what is not whole is not made whole by a pin");
        }
        keeping.rule = rule(None, None);
        assert_eq!(fates(&keeping, 55_000)[2].1, Fate::Pinned, "seen where none is removed, too");
        keeping.rule = rule(Some(0), Some(0));
        keeping.pinned.clear();
        keeping.roots = vec!["/nowhere".into()];
        assert!(fates(&keeping, 55_000).iter().all(|(_, fate, _)| *fate != Fate::Goes));
    }
}
