//! GPUs in words: what one is, who has it, and which may be given to a stage. Pure; who looks at them is the engine.
//!
//! Not here, on purpose: NVIDIA's library, processes, and how many a stage wants ([`crate::schedule`]).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::quantity::ByteSize;

/// A process of others counts as a user of a GPU from this on: a desktop or a monitor takes less. Bytes of its memory.
pub const FOREIGN_BYTES: u64 = 1 << 30;

/// One GPU as it was seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Gpu {
    /// Its place in the machine, from 0, as `nvidia-smi` counts.
    pub index: u32,
    /// What it is known by over restarts: `GPU-5b0c..` of NVIDIA; `amd.0`, `apple.0` where nothing better is told.
    pub id: String,
    /// Its model, as its driver says.
    pub name: String,
    /// The driver's version.
    pub driver: Option<String>,
    /// Bytes of its own memory; none where it shares the machine's.
    pub memory_total: Option<u64>,
    /// Bytes of it in use, by whomever.
    pub memory_used: Option<u64>,
    /// The share of the last moments in which it computed, 0 to 1.
    pub busy: Option<f64>,
    /// Degrees Celsius.
    pub temperature: Option<u32>,
    /// It is there, and does not answer its driver: it fell off the bus, or the driver is being replaced.
    pub silent: bool,
    /// The processes that compute on it, the largest first.
    pub users: Vec<GpuUser>,
    /// The run that holds it.
    pub run: Option<i64>,
}

/// A process that computes on a GPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct GpuUser {
    /// Its id.
    pub pid: i32,
    /// The system's short name for it; empty where it does not tell.
    pub name: String,
    /// Bytes of the GPU's memory it uses, where the driver tells.
    pub memory: Option<u64>,
    /// The run it belongs to, where it is one of ours.
    pub run: Option<i64>,
}

impl Gpu {
    /// A program can be told to use this one and no other.
    #[must_use]
    pub fn can_be_named(&self) -> bool {
        self.id.starts_with("GPU-")
    }
}

/// A GPU that no stage may have now, though none of ours holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpuTaken {
    /// Its place in the machine.
    pub index: u32,
    /// Why.
    pub by: TakenBy,
}

/// Why a GPU may not be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenBy {
    /// A process that computes on it, and is not of a stage that holds it.
    Process(GpuUser),
    /// It does not answer.
    Silent,
    /// Nobody has looked at it yet, or not lately.
    Unseen,
}

impl GpuTaken {
    /// In words; none where there is nothing to tell.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let index = self.index;
        match &self.by {
            TakenBy::Process(GpuUser { pid, name, memory, run }) => {
                let name = if name.is_empty() { "a program" } else { name };
                let memory = ByteSize(memory.unwrap_or(0)).rounded();
                Some(match run {
                    None => format!("GPU {index} is used by {name} (pid {pid}), {memory}"),
                    Some(run) => format!("GPU {index} is used by {name} of #{run} (pid {pid}), {memory}"),
                })
            }
            TakenBy::Silent => Some(format!("GPU {index} does not answer its driver")),
            TakenBy::Unseen => None,
        }
    }
}

/// The GPUs that may not be given to a stage and are held by none. `held`: ids that stages hold; `total`: how many there are, at
/// least. `ignore_others`: processes that are not ours count for nothing.
#[must_use]
pub fn taken(seen: &[Gpu], held: &BTreeSet<&str>, total: u32, ignore_others: bool) -> Vec<GpuTaken> {
    // Those that are held and were not seen are among the silent or the missing ones, and not to be counted twice.
    let mut held_unseen = held.iter().filter(|id| !seen.iter().any(|gpu| gpu.id == **id)).count();
    let mut taken = Vec::new();
    for gpu in seen.iter().filter(|gpu| !held.contains(gpu.id.as_str())) {
        if gpu.silent && held_unseen > 0 {
            held_unseen -= 1;
        } else if let Some(by) = taken_by(gpu, ignore_others) {
            taken.push(GpuTaken { index: gpu.index, by });
        }
    }
    let missing = (total as usize).saturating_sub(seen.len() + held_unseen);
    let first = seen.iter().map(|gpu| gpu.index + 1).max().unwrap_or(0);
    taken.extend((first..).take(missing).map(|index| GpuTaken { index, by: TakenBy::Unseen }));
    taken
}

fn taken_by(gpu: &Gpu, ignore_others: bool) -> Option<TakenBy> {
    if gpu.silent {
        return Some(TakenBy::Silent);
    }
    let large = |user: &&GpuUser| user.memory.is_some_and(|bytes| bytes > FOREIGN_BYTES);
    let counts = |user: &&GpuUser| user.run.is_some() || !ignore_others;
    gpu.users.iter().filter(large).find(counts).map(|user| TakenBy::Process(user.clone()))
}

/// Picks `wanted` GPUs that nobody holds and nothing takes: those with the most free memory first, then in their order. `None`:
/// there are not so many.
#[must_use]
pub fn pick(seen: &[Gpu], held: &BTreeSet<&str>, wanted: u32, ignore_others: bool) -> Option<Vec<String>> {
    let free = |gpu: &&Gpu| !held.contains(gpu.id.as_str()) && taken_by(gpu, ignore_others).is_none();
    let mut free: Vec<&Gpu> = seen.iter().filter(free).collect();
    let used = |gpu: &Gpu| gpu.memory_used.unwrap_or(0) / FOREIGN_BYTES;
    free.sort_by_key(|gpu| (used(gpu), gpu.index));
    let picked: Vec<String> = free.iter().take(wanted as usize).map(|gpu| gpu.id.clone()).collect();
    (picked.len() == wanted as usize).then_some(picked)
}

/// The GPUs that a value of `CUDA_VISIBLE_DEVICES` names, as far as it can be told: places, or ids and beginnings of ids. CUDA
/// reads up to the first part that names none. At most `most`.
#[must_use]
pub fn named(value: &str, seen: &[Gpu], most: u32) -> Vec<String> {
    let one = |part: &str| {
        let place = part.parse::<u32>().ok();
        let is_it = |gpu: &&Gpu| match place {
            Some(place) => gpu.index == place,
            None => part.starts_with("GPU-") && gpu.id.starts_with(part),
        };
        seen.iter().find(is_it).map(|gpu| gpu.id.clone())
    };
    value.split(',').map(str::trim).map_while(one).take(most as usize).collect()
}
