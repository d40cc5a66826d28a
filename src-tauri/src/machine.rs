//! This machine now: what it has, and how much of it is in use.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Mutex;

use footplate_core::gpu::Gpu;
use footplate_core::view::{DiskLevel, DiskView};
use footplate_engine::client::{GpusView, machine_capacity};
use footplate_engine::gpu;
use footplate_engine::{Client, Home, VERSION, interpreters};
use footplate_shim::clock;
use serde::Serialize;
use sysinfo::System;

use crate::answer::lock;

/// The size of the data folder is not counted again before that, milliseconds.
const COUNTED_MS: u64 = 60_000;
/// Between two samples of the last hour, milliseconds, and how many there are.
const SAMPLE_MS: u64 = 15_000;
const SAMPLES: usize = 240;
/// Most files that are counted.
const FILES_MOST: u32 = 100_000;

/// The machine, as the view sees it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MachineView {
    platform: &'static str,
    cpus: u32,
    cpu_use: Option<f64>,
    memory_total: u64,
    memory_used: Option<u64>,
    gpus: Vec<Gpu>,
    ignore_others: bool,
    /// `None` where the system does not tell.
    disk: Option<DiskView>,
    store_size: Option<u64>,
    store_folder: String,
    version: &'static str,
}

/// One look at the machine; shares of all there is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MachineSample {
    at_ms: i64,
    cpu: Option<f64>,
    memory: Option<f64>,
    gpu: Option<f64>,
    disk: Option<f64>,
}

/// Remembers what a share of use is counted from.
#[derive(Default)]
pub(crate) struct Machine {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    system: Option<System>,
    /// When, on the running clock, and how large the data folder was.
    counted: Option<(u64, Option<u64>)>,
    /// Sampled by a system of its own: a share is of the time since the sample before.
    sampler: Option<System>,
    sampled: Option<u64>,
    samples: VecDeque<MachineSample>,
    /// What was seen of the GPUs when somebody looked, and when, on the running clock.
    gpus: Option<(u64, GpusView)>,
    level: Option<DiskLevel>,
    /// Of a disk that has become fuller, until it was told.
    fuller: Option<DiskView>,
}

impl Machine {
    /// Begins to count, so that the first look has a time before it to tell of.
    pub(crate) fn begin(&self) {
        let _ = see(&mut lock(&self.state).system);
    }

    /// Takes a sample where it is time for one. While the window is hidden it is asked less often than that.
    pub(crate) fn sample(&self, client: &Client) {
        let mut state = lock(&self.state);
        let now = clock::running_ms();
        if state.sampled.is_some_and(|at| now < at + SAMPLE_MS) {
            return;
        }
        let first = state.sampled.replace(now).is_none();
        let share = |part: u64, all: u64| (all > 0).then(|| (part as f64 / all as f64).clamp(0.0, 1.0));
        let seen = see(&mut state.sampler);
        let cpu = seen.as_ref().and_then(|seen| seen.cpu).filter(|_| !first);
        let memory = seen.and_then(|seen| share(seen.memory_used, seen.memory_total));
        let seen = client.disk().ok();
        state.note(seen);
        let disk = seen.and_then(|disk| share(disk.total.saturating_sub(disk.free), disk.total));
        // They are asked only while somebody looks; a driver that nobody asks can be replaced.
        let gpu =
            state.gpus.as_ref().filter(|(at, _)| now < at + SAMPLE_MS).and_then(|(_, seen)| seen.gpus.first()?.busy);
        if gpu.is_none() {
            gpu::release();
        }
        let sample = MachineSample { at_ms: clock::wall_ms(), cpu, memory, gpu, disk };
        state.samples.push_back(sample);
        let over = state.samples.len().saturating_sub(SAMPLES);
        state.samples.drain(..over);
    }

    /// The disk, where it has come below a mark and nobody was told yet.
    pub(crate) fn fuller(&self) -> Option<DiskView> {
        lock(&self.state).fuller.take()
    }

    /// The samples of the last hour, oldest first.
    pub(crate) fn history(&self) -> Vec<MachineSample> {
        lock(&self.state).samples.iter().cloned().collect()
    }

    /// `gpus`: as they are now, and `count`: the size of the data folder is wanted, where somebody looks closely.
    pub(crate) fn look(&self, home: &Home, disk: Option<DiskView>, gpus: Option<GpusView>, count: bool) -> MachineView {
        // Counted without the lock: the live picture waits for nobody's thousands of files.
        let counted = lock(&self.state).counted;
        let now = clock::running_ms();
        let store_size = match counted {
            Some((at, size)) if now < at + COUNTED_MS || !count => size,
            None if !count => None,
            _ => {
                let mut files = 0;
                let size = size_of(home.root(), &mut files);
                lock(&self.state).counted = Some((now, size));
                size
            }
        };
        let mut state = lock(&self.state);
        if let Some(gpus) = gpus {
            state.gpus = Some((clock::running_ms(), gpus));
        }
        let first = state.system.is_none();
        let seen = see(&mut state.system);
        let cpu_use = seen.as_ref().and_then(|seen| seen.cpu).filter(|_| !first);
        let memory_used = seen.map(|seen| seen.memory_used).filter(|used| *used > 0);
        let capacity = machine_capacity();
        MachineView {
            platform: if cfg!(target_os = "macos") { "macos" } else { "linux" },
            cpus: capacity.cpus,
            cpu_use,
            memory_total: capacity.memory,
            memory_used: memory_used.map(|used| used.min(capacity.memory)),
            ignore_others: state.gpus.as_ref().is_some_and(|(_, seen)| seen.ignore_others),
            gpus: known(state.gpus.as_ref(), now, capacity.gpus),
            disk,
            store_size,
            store_folder: interpreters::below(home.root(), std::env::var_os("HOME").as_deref()),
            version: VERSION,
        }
    }
}

impl State {
    fn note(&mut self, disk: Option<DiskView>) {
        let rank = |level: Option<DiskLevel>| match level {
            None | Some(DiskLevel::Enough) => 0,
            Some(DiskLevel::Low) => 1,
            Some(DiskLevel::Critical) => 2,
        };
        let level = disk.map(|disk| disk.level);
        match rank(level).cmp(&rank(self.level)) {
            Ordering::Greater => self.fuller = disk,
            Ordering::Less => self.fuller = None,
            Ordering::Equal => {}
        }
        self.level = level;
    }
}

struct Seen {
    /// Of the time since the look before.
    cpu: Option<f64>,
    memory_used: u64,
    memory_total: u64,
}

/// `None` where this system tells nothing.
fn see(kept: &mut Option<System>) -> Option<Seen> {
    if kept.is_none() {
        *kept = System::new().ok();
    }
    let system = kept.as_mut()?;
    system.refresh_cpu_usage();
    system.refresh_memory();
    let share = f64::from(system.global_cpu_usage()) / 100.0;
    Some(Seen {
        cpu: share.is_finite().then(|| share.clamp(0.0, 1.0)),
        memory_used: system.used_memory(),
        memory_total: system.total_memory(),
    })
}

/// `None`: there is more than is worth counting.
fn size_of(folder: &Path, files: &mut u32) -> Option<u64> {
    let mut size = 0;
    for entry in std::fs::read_dir(folder).ok()?.flatten() {
        *files += 1;
        if *files > FILES_MOST {
            return None;
        }
        // Neither follows links.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => size += size_of(&entry.path(), files)?,
            _ => size += entry.metadata().map_or(0, |facts| facts.len()),
        }
    }
    Some(size)
}

/// What was seen just now; else what is there, without figures.
fn known(seen: Option<&(u64, GpusView)>, now: u64, count: u32) -> Vec<Gpu> {
    match seen {
        Some((at, seen)) if now < at + SAMPLE_MS => seen.gpus.clone(),
        Some((_, seen)) if seen.gpus.len() == count as usize => seen.gpus.iter().map(bare).collect(),
        _ => (0..count).map(|index| Gpu { index, name: "GPU".to_owned(), ..Gpu::default() }).collect(),
    }
}

fn bare(gpu: &Gpu) -> Gpu {
    Gpu { index: gpu.index, id: gpu.id.clone(), name: gpu.name.clone(), ..Gpu::default() }
}
