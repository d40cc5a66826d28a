//! What comes due at a known time, on the running clock: a wall clock that is set back a year delays no retry.

use std::collections::{BTreeSet, HashMap};

use footplate_core::StageKey;

/// Stages and when something is to be done about them, milliseconds on the running clock.
#[derive(Debug, Default)]
pub(super) struct Due {
    by_time: BTreeSet<(u64, StageKey)>,
    by_stage: HashMap<StageKey, u64>,
}

impl Due {
    /// At `at`, or later if that has passed; an earlier entry of the same stage is replaced.
    pub(super) fn insert(&mut self, stage: StageKey, at: u64) {
        self.remove(stage);
        self.by_stage.insert(stage, at);
        self.by_time.insert((at, stage));
    }

    /// No longer.
    pub(super) fn remove(&mut self, stage: StageKey) {
        if let Some(at) = self.by_stage.remove(&stage) {
            self.by_time.remove(&(at, stage));
        }
    }

    /// When this stage is due.
    pub(super) fn at(&self, stage: StageKey) -> Option<u64> {
        self.by_stage.get(&stage).copied()
    }

    /// When the first one is due.
    pub(super) fn first(&self) -> Option<u64> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// All at `at`, however late they were.
    pub(super) fn all_at(&mut self, at: u64) {
        let stages: Vec<StageKey> = self.by_stage.keys().copied().collect();
        stages.into_iter().for_each(|stage| self.insert(stage, at));
    }

    /// Takes one that is due.
    pub(super) fn take(&mut self, now: u64) -> Option<StageKey> {
        let (at, stage) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.remove(stage);
        Some(stage)
    }

    /// Nothing will come due.
    pub(super) fn is_empty(&self) -> bool {
        self.by_time.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_first_and_only_once() {
        let stage = |stage| StageKey { run: 1, stage };
        let mut due = Due::default();
        due.insert(stage(1), 20);
        due.insert(stage(2), 10);
        due.insert(stage(1), 5);
        assert_eq!((due.first(), due.take(4)), (Some(5), None));
        assert_eq!((due.take(30), due.take(30), due.take(30)), (Some(stage(1)), Some(stage(2)), None));
        due.insert(stage(3), 1);
        due.remove(stage(3));
        assert!(due.is_empty());
    }
}
