//! What starts next, and why the rest waits: a [`Backlog`] of queued stages, the rules of their queues, and the room on the machine.
//!
//! Order: queue priority (higher first), the run's own priority (higher first), the run's order key, run number, stage index.
//! A smaller stage may pass one that waits for room; once one has waited [`KEEP_ROOM_AFTER_MS`] since it was first found at the head,
//! room is kept for it: another starts only where it takes nothing the head needs.
//!
//! Deliberately not here: states (a stage is pushed when it is `queued`), the clock (handed in), which GPU by its UUID and who else
//! uses it ([`crate::gpu`]; the backlog is told how many and why), and whether a launch succeeds (`ended` gives the room back).

mod backlog;
mod line;
mod why;

use std::sync::Arc;

pub use backlog::Backlog;
pub use why::{Why, WhyReason};

use crate::definition::Resources;
use crate::gpu::GpuTaken;
use crate::id::StageKey;
use crate::time::UtcMs;

/// How long a stage waits for room at the head before room is kept for it, milliseconds.
pub const KEEP_ROOM_AFTER_MS: i64 = 10 * 60 * 1000;

/// The rule of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueRule {
    /// Higher starts first.
    pub priority: i32,
    /// Stages at once; 0 starts nothing.
    pub limit: u32,
    /// Starts nothing; what runs goes on.
    pub paused: bool,
}

/// The queues that every store has, with the limits for a machine of `cores` cores.
#[must_use]
pub fn built_in_queues(cores: u32) -> [(&'static str, QueueRule); 5] {
    let rule = |priority, limit| QueueRule { priority, limit, paused: false };
    let cores = cores.max(1);
    [
        ("training", rule(10, 1)),
        ("evaluation", rule(7, cores)),
        ("default", rule(5, 1)),
        ("preprocessing", rule(3, cores)),
        ("maintenance", rule(1, cores)),
    ]
}

/// What a stage takes while it runs. The order (cores first) is that of the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Demand {
    /// Cores.
    pub cpus: u32,
    /// Bytes.
    pub memory: u64,
    /// GPUs.
    pub gpus: u32,
}

impl From<Resources> for Demand {
    fn from(resources: Resources) -> Self {
        Demand { cpus: resources.cpus, memory: resources.memory.0, gpus: resources.gpus }
    }
}

/// What the machine has for stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Cores.
    pub cpus: u32,
    /// Bytes.
    pub memory: u64,
    /// GPUs.
    pub gpus: u32,
}

impl Capacity {
    /// True where a stage with this demand could run here were nothing else running.
    #[must_use]
    pub fn can_hold(&self, demand: Demand) -> bool {
        demand.cpus <= self.cpus && demand.memory <= self.memory && demand.gpus <= self.gpus
    }
}

/// A stage that is queued (or was found running).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which stage.
    pub key: StageKey,
    /// Its queue's name. One without a rule gets priority 0 and the number of cores as its limit.
    pub queue: Arc<str>,
    /// The run's own priority, -100 to 100, higher first.
    pub run_priority: i32,
    /// The run's order key, lower first; ties go by run number and stage index.
    pub order: i64,
    /// What it takes while it runs.
    pub demand: Demand,
    /// Not started before.
    pub not_before: Option<UtcMs>,
}

/// Why no stage of a run starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunGate {
    /// Paused by the user.
    Paused,
    /// Comes after a run that has not ended.
    After {
        /// That run's number.
        run: i64,
    },
    /// Not started yet.
    Draft,
}

/// Why nothing at all starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartsHeld {
    /// Less room on the disk than the warning mark.
    Disk {
        /// Bytes free.
        free: u64,
        /// The mark, bytes.
        mark: u64,
    },
    /// The owner is about to leave (hand-over, TERM).
    Leaving,
}
