//! A queue's stages: one ordered line for each distinct demand, so that a demand without room is passed over in one step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Demand, QueueRule};
use crate::id::StageKey;
use crate::time::UtcMs;

/// A stage's place among those of queues with the same priority; the least starts first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// The run's priority, negated: higher first. 64 bits, so that no priority overflows.
    behind: i64,
    order: i64,
    key: StageKey,
}

impl Rank {
    pub(super) fn new(run_priority: i32, order: i64, key: StageKey) -> Self {
        Rank { behind: -i64::from(run_priority), order, key }
    }

    pub(super) fn key(self) -> StageKey {
        self.key
    }

    /// The stage, its run's priority, and its run's order.
    pub(super) fn parts(self) -> (StageKey, i32, i64) {
        // It was made of 32 bits.
        (self.key, i32::try_from(-self.behind).unwrap_or_default(), self.order)
    }
}

/// A rank among all queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    behind: i64,
    pub(super) rank: Rank,
}

impl Place {
    pub(super) fn new(queue_priority: i32, rank: Rank) -> Self {
        Place { behind: -i64::from(queue_priority), rank }
    }
}

/// A queue: its rule, its lines, and how many of its stages run.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) name: Arc<str>,
    pub(super) rule: QueueRule,
    pub(super) running: u32,
    /// All its queued stages, startable or not: what people see as its order.
    pub(super) all: BTreeSet<Rank>,
    /// Those that start as soon as the queue and the machine have room.
    pub(super) ready: BTreeSet<Rank>,
    /// The same, one line for each demand. No line is empty.
    pub(super) lines: BTreeMap<Demand, BTreeSet<Rank>>,
    /// How many of the lines want a GPU.
    pub(super) gpu_lines: usize,
    /// Those that start at a known time at the earliest.
    pub(super) timed: BTreeSet<(UtcMs, StageKey)>,
}

impl Queue {
    pub(super) fn new(name: Arc<str>, rule: QueueRule) -> Self {
        Queue {
            name,
            rule,
            running: 0,
            all: BTreeSet::new(),
            ready: BTreeSet::new(),
            lines: BTreeMap::new(),
            gpu_lines: 0,
            timed: BTreeSet::new(),
        }
    }

    /// Room for one more stage now.
    pub(super) fn is_open(&self) -> bool {
        !self.rule.paused && self.running < self.rule.limit
    }

    /// Starts stages when room comes, without anybody's wish.
    pub(super) fn goes_on(&self) -> bool {
        !self.rule.paused && self.rule.limit > 0
    }

    pub(super) fn line_up(&mut self, demand: Demand, rank: Rank) {
        self.ready.insert(rank);
        let line = self.lines.entry(demand).or_default();
        self.gpu_lines += usize::from(demand.gpus > 0 && line.is_empty());
        line.insert(rank);
    }

    pub(super) fn leave_line(&mut self, demand: Demand, rank: Rank) {
        self.ready.remove(&rank);
        if let Some(line) = self.lines.get_mut(&demand) {
            line.remove(&rank);
            if line.is_empty() {
                self.lines.remove(&demand);
                self.gpu_lines -= usize::from(demand.gpus > 0);
            }
        }
    }
}
