//! Why a stage waits: a word for programs, data, and one sentence for people.

use std::fmt;
use std::sync::Arc;

use super::StartsHeld;
use crate::gpu::GpuTaken;
use crate::quantity::ByteSize;
use crate::time::UtcMs;
use crate::view::Waiting;

/// The stable words of `waiting.reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WhyReason {
    /// A stage it needs, or its own last attempt, has not ended.
    Dependency,
    /// Its queue is paused.
    QueuePaused,
    /// Its queue, or the owner as a whole, runs as many stages as it may.
    QueueLimit,
    /// Not enough free cores.
    Cpus,
    /// Not enough free memory.
    Memory,
    /// Not enough free GPUs.
    Gpus,
    /// Another stage writes the same checkpoint folder.
    FolderInUse,
    /// Its time has not come.
    NotBefore,
    /// The run it comes after has not ended.
    After,
    /// Its run is paused or not started yet.
    RunPaused,
    /// Too little room on the disk.
    Disk,
    /// Somebody has to agree first.
    Consent,
    /// It failed and is tried again at a known time.
    RetryAt,
    /// Its target cannot be reached.
    TargetAway,
    /// Nobody is there to start it.
    NoOwner,
}

impl WhyReason {
    /// Every reason.
    pub const ALL: &'static [WhyReason] = &[
        WhyReason::Dependency,
        WhyReason::QueuePaused,
        WhyReason::QueueLimit,
        WhyReason::Cpus,
        WhyReason::Memory,
        WhyReason::Gpus,
        WhyReason::FolderInUse,
        WhyReason::NotBefore,
        WhyReason::After,
        WhyReason::RunPaused,
        WhyReason::Disk,
        WhyReason::Consent,
        WhyReason::RetryAt,
        WhyReason::TargetAway,
        WhyReason::NoOwner,
    ];

    /// The word in every door.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            WhyReason::Dependency => "dependency",
            WhyReason::QueuePaused => "queue_paused",
            WhyReason::QueueLimit => "queue_limit",
            WhyReason::Cpus => "cpus",
            WhyReason::Memory => "memory",
            WhyReason::Gpus => "gpus",
            WhyReason::FolderInUse => "folder_in_use",
            WhyReason::NotBefore => "not_before",
            WhyReason::After => "after",
            WhyReason::RunPaused => "run_paused",
            WhyReason::Disk => "disk",
            WhyReason::Consent => "consent",
            WhyReason::RetryAt => "retry_at",
            WhyReason::TargetAway => "target_away",
            WhyReason::NoOwner => "no_owner",
        }
    }
}

impl fmt::Display for WhyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a stage waits. [`super::Backlog::why`] answers for what it knows; `Dependency`, `RetryAt` and `NoOwner` come from whoever
/// knows the states and the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Stages it needs have not ended.
    Dependency {
        /// Their names.
        needs: Vec<String>,
    },
    /// Its own last attempt has not ended.
    LastAttempt,
    /// Its queue is paused.
    QueuePaused {
        /// The queue's name.
        queue: Arc<str>,
    },
    /// Its queue runs as many stages as it may.
    QueueLimit {
        /// The queue's name.
        queue: Arc<str>,
        /// Stages running.
        running: u32,
        /// Stages at once.
        limit: u32,
    },
    /// The owner runs as many stages as it may in all (`work --max`).
    Max {
        /// Stages running.
        running: u32,
        /// Stages at once.
        limit: u32,
    },
    /// Not enough free cores.
    Cpus {
        /// Cores wanted.
        wanted: u32,
        /// Cores free.
        free: u32,
        /// Cores of the machine.
        of: u32,
        /// The run that the free ones are kept for.
        kept_for: Option<i64>,
    },
    /// Not enough free memory.
    Memory {
        /// Bytes wanted.
        wanted: u64,
        /// Bytes not reserved.
        free: u64,
        /// Bytes of the machine.
        of: u64,
        /// The run that the free ones are kept for.
        kept_for: Option<i64>,
    },
    /// Not enough free GPUs.
    Gpus {
        /// GPUs wanted.
        wanted: u32,
        /// GPUs free.
        free: u32,
        /// GPUs of the machine.
        of: u32,
        /// Those that no stage holds and none may have.
        taken: Arc<[GpuTaken]>,
        /// The run that the free ones are kept for.
        kept_for: Option<i64>,
    },
    /// Another stage that runs writes its checkpoints to the same folder.
    FolderInUse {
        /// That stage's run.
        run: i64,
    },
    /// Its time has not come.
    NotBefore {
        /// When it may start.
        at: UtcMs,
    },
    /// The run it comes after has not ended.
    After {
        /// That run's number.
        run: i64,
    },
    /// Its run is paused.
    RunPaused,
    /// Its run is a draft.
    Draft,
    /// Nothing at all starts.
    StartsHeld(StartsHeld),
    /// It failed and is tried again.
    RetryAt {
        /// When.
        at: UtcMs,
    },
    /// No owner is there.
    NoOwner,
}

impl Why {
    /// The word for programs.
    #[must_use]
    pub fn reason(&self) -> WhyReason {
        match self {
            Why::Dependency { .. } | Why::LastAttempt => WhyReason::Dependency,
            Why::QueuePaused { .. } => WhyReason::QueuePaused,
            Why::QueueLimit { .. } | Why::Max { .. } => WhyReason::QueueLimit,
            Why::Cpus { .. } => WhyReason::Cpus,
            Why::Memory { .. } => WhyReason::Memory,
            Why::Gpus { .. } => WhyReason::Gpus,
            Why::FolderInUse { .. } => WhyReason::FolderInUse,
            Why::NotBefore { .. } => WhyReason::NotBefore,
            Why::After { .. } => WhyReason::After,
            Why::RunPaused | Why::Draft => WhyReason::RunPaused,
            Why::StartsHeld(StartsHeld::Disk { .. }) => WhyReason::Disk,
            Why::RetryAt { .. } => WhyReason::RetryAt,
            Why::NoOwner | Why::StartsHeld(StartsHeld::Leaving) => WhyReason::NoOwner,
        }
    }

    /// The reason with one sentence, as the doors show it.
    #[must_use]
    pub fn sentence(&self) -> Waiting {
        let detail = match self {
            Why::Dependency { needs } if needs.is_empty() => "a stage it needs has not ended".to_owned(),
            Why::Dependency { needs } => format!("needs {}", needs.join(", ")),
            Why::LastAttempt => "its last attempt has not ended".to_owned(),
            Why::QueuePaused { queue } => format!("queue {queue} is paused"),
            Why::QueueLimit { queue, limit: 0, .. } => format!("the limit of queue {queue} is 0"),
            Why::QueueLimit { queue, running, limit } => format!("{running} of {limit} {queue} stages running"),
            Why::Max { running, limit } => format!("{running} of {limit} stages running in all"),
            Why::Cpus { wanted, free, of, kept_for } => {
                let amount = |n: u32| format!("{n} {}", if n == 1 { "core" } else { "cores" });
                room(wanted > of, kept_for, &amount(*wanted), &format!("{free} of {} free", amount(*of)), &amount(*of))
            }
            Why::Memory { wanted, free, of, kept_for } => {
                let of_text = ByteSize(*of).rounded();
                room(
                    wanted > of,
                    kept_for,
                    &ByteSize(*wanted).rounded(),
                    &format!("{} of {of_text} free", ByteSize(*free).rounded()),
                    &of_text,
                )
            }
            Why::Gpus { wanted: number, free, of, taken, kept_for } => {
                let amount = |n: u32| format!("{n} {}", if n == 1 { "GPU" } else { "GPUs" });
                let (wanted, free) = (amount(*number), format!("{free} of {} free", amount(*of)));
                // Where it would not do, or others come first, what stands in the way of the rest is no news.
                let taken = if number > of || kept_for.is_some() { &[][..] } else { taken };
                let named = taken.iter().filter_map(GpuTaken::sentence);
                match named.reduce(|one_is_taken, others_are_taken| format!("{one_is_taken}; {others_are_taken}")) {
                    Some(taken) => format!("wants {wanted}; {free}; {taken}"),
                    None => room(number > of, kept_for, &wanted, &free, &amount(*of)),
                }
            }
            Why::FolderInUse { run } => format!("#{run} writes checkpoints to the same folder"),
            Why::NotBefore { at } => format!("not before {at}"),
            Why::After { run } => format!("comes after #{run}"),
            Why::RunPaused => "the run is paused".to_owned(),
            Why::Draft => "the run is a draft; `footplate start` starts it".to_owned(),
            Why::StartsHeld(StartsHeld::Disk { free, mark }) => {
                format!(
                    "{} free on the disk; nothing starts below {}",
                    ByteSize(*free).rounded(),
                    ByteSize(*mark).rounded()
                )
            }
            Why::StartsHeld(StartsHeld::Leaving) => "the owner is about to leave; the next one starts it".to_owned(),
            Why::RetryAt { at } => format!("failed; the next try is at {at}"),
            Why::NoOwner => "no owner is running".to_owned(),
        };
        Waiting { reason: self.reason().as_str().to_owned(), detail }
    }
}

fn room(impossible: bool, kept_for: &Option<i64>, wanted: &str, free: &str, of: &str) -> String {
    match kept_for {
        _ if impossible => format!("wants {wanted}; this machine has {of}"),
        Some(run) => format!("wants {wanted}; {free}, and kept for #{run}, which has waited longer than 10 minutes"),
        None => format!("wants {wanted}; {free}"),
    }
}
