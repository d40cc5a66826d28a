//! A thread that measures, off the dispatcher: what live attempts use, each few seconds, and the GPUs when a stage waits for one. A
//! driver that hangs holds up this thread and no other. It begins with the first thing there is to measure.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use footplate_core::AttemptKey;
use footplate_core::gpu::Gpu;
use footplate_shim::clock;
use footplate_shim::contract::Start;
use footplate_store::telemetry::{Telemetry, UsageRow};

use crate::gpu::{self, Ours};
use crate::usage::{Census, Root};
use crate::wake::Waker;

/// Between two samples of an attempt, milliseconds ...
const SAMPLE_MS: u64 = 5_000;
/// ... while no more than so many live, with no more processes than that; with more of them it is longer in proportion.
const LIVE_USUAL: u64 = 16;
const PROCESSES_USUAL: u64 = 128;
/// Samples stay as they are for an hour; then each minute has one.
const CLOSE_MS: i64 = 3_600_000;

/// A driver that nobody asks is let go after this.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// An attempt to measure.
pub(super) struct Measured {
    /// Which.
    pub(super) key: AttemptKey,
    /// Who runs it.
    pub(super) start: Start,
    /// The mark of its processes.
    pub(super) mark: String,
    /// The GPUs that it holds.
    pub(super) gpus: Vec<String>,
    /// Its run's telemetry.
    pub(super) telemetry: PathBuf,
}

enum Ask {
    Watch(Box<Measured>),
    Forget(AttemptKey),
    LookAtGpus,
}

/// The dispatcher's side.
pub(super) struct Meter {
    waker: Waker,
    thread: Option<(Sender<Ask>, Receiver<Vec<Gpu>>)>,
}

impl Meter {
    /// Measures nothing yet. `waker` is woken with each look at the GPUs.
    pub(super) fn new(waker: Waker) -> Meter {
        Meter { waker, thread: None }
    }

    /// Measures this attempt from now on.
    pub(super) fn watch(&mut self, measured: Measured) {
        self.ask(Ask::Watch(Box::new(measured)));
    }

    /// No longer measures this attempt.
    pub(super) fn forget(&mut self, key: AttemptKey) {
        if self.thread.is_some() {
            self.ask(Ask::Forget(key));
        }
    }

    /// Wants to know of the GPUs.
    pub(super) fn look_at_gpus(&mut self) {
        self.ask(Ask::LookAtGpus);
    }

    /// What was seen of the GPUs, once.
    pub(super) fn gpus(&self) -> Option<Vec<Gpu>> {
        self.thread.as_ref()?.1.try_iter().last()
    }

    fn ask(&mut self, ask: Ask) {
        if self.thread.is_none() {
            let (asks, inbox) = channel();
            let (outbox, answers) = channel();
            let back = self.waker.clone();
            // It ends with its inbox. Not waited for: a driver may hang in it.
            let started = std::thread::Builder::new().name("meter".to_owned()).stack_size(256 << 10).spawn(move || {
                Thread { inbox, outbox, back, watched: Vec::new(), census: Census::default(), processes: 0 }.run();
            });
            match started {
                Ok(_) => self.thread = Some((asks, answers)),
                Err(error) => return eprintln!("nothing can be measured: {error}"),
            }
        }
        if let Some((asks, _)) = &self.thread {
            // A thread that is gone measures nothing: no attempt depends on that.
            let _ = asks.send(ask);
        }
    }
}

struct Watched {
    what: Measured,
    root: Root,
    /// The largest seen of what only grows: a child that nobody waited for takes its part with it.
    most: UsageRow,
    /// Where they go. Held open while few attempts live: to close it would sync it, and the disk is not to be woken for samples.
    rows: Option<Telemetry>,
}

struct Thread {
    inbox: Receiver<Ask>,
    outbox: Sender<Vec<Gpu>>,
    back: Waker,
    watched: Vec<Watched>,
    census: Census,
    /// How many processes they were at the last sample.
    processes: u64,
}

impl Thread {
    fn run(mut self) {
        let mut next = 0;
        loop {
            let asked = if self.watched.is_empty() {
                match self.inbox.recv_timeout(KEPT_FOR) {
                    Err(RecvTimeoutError::Timeout) => {
                        gpu::release();
                        self.inbox.recv().map_err(|_| RecvTimeoutError::Disconnected)
                    }
                    asked => asked,
                }
            } else {
                let left = Duration::from_millis(u64::saturating_sub(next, clock::running_ms()));
                self.inbox.recv_timeout(left)
            };
            match asked {
                Ok(Ask::Watch(what)) => {
                    if self.watched.is_empty() {
                        next = clock::running_ms() + self.every();
                    }
                    self.watch(*what);
                }
                Ok(Ask::Forget(key)) => self.watched.retain(|one| one.what.key != key),
                Ok(Ask::LookAtGpus) => {
                    let seen = self.gpus();
                    if self.outbox.send(seen).is_err() {
                        return;
                    }
                    self.back.wake();
                }
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if !self.watched.is_empty() && clock::running_ms() >= next {
                self.sample();
                next = clock::running_ms() + self.every();
            }
        }
    }

    fn every(&self) -> u64 {
        let attempts = (self.watched.len() as u64).div_ceil(LIVE_USUAL);
        sample_ms() * attempts.max(self.processes.div_ceil(PROCESSES_USUAL)).max(1)
    }

    fn watch(&mut self, what: Measured) {
        let root = Root { shim: what.start.shim.pid, session: what.start.sid, child: what.start.child.pid };
        let most = UsageRow { stage: what.key.stage, attempt: what.key.attempt, ..UsageRow::default() };
        self.watched.retain(|one| one.what.key != what.key);
        self.watched.push(Watched { what, root, most, rows: None });
    }

    fn gpus(&self) -> Vec<Gpu> {
        let mut seen = gpu::look();
        if seen.iter().any(|gpu| !gpu.users.is_empty()) {
            let mut ours = Ours::default();
            for one in &self.watched {
                ours.add(one.what.key.run, &one.what.start, &one.what.mark);
            }
            ours.tell(&mut seen);
        }
        seen
    }

    fn sample(&mut self) {
        let gpus = gpu::look();
        let roots: Vec<Root> = self.watched.iter().map(|one| one.root).collect();
        let now = clock::wall_ms();
        let all = self.census.look(&roots);
        self.processes = all.iter().map(|used| used.pids.len() as u64).sum();
        let few = self.watched.len() as u64 <= LIVE_USUAL;
        for (one, used) in self.watched.iter_mut().zip(all) {
            if used.pids.is_empty() {
                continue;
            }
            let (gpu, gpu_memory) = of_gpus(&gpus, &one.what.gpus, &used.pids);
            one.most = UsageRow {
                time: now,
                cpu_ms: one.most.cpu_ms.max(used.cpu_ms),
                memory: used.memory,
                read: one.most.read.max(used.read),
                written: one.most.written.max(used.written),
                gpu,
                gpu_memory,
                ..one.most
            };
            let rows = one.rows.take().or_else(|| Telemetry::open(&one.what.telemetry, true).ok().flatten());
            // Passing facts: where there is no room for them the next ones may have some, in a file that is opened anew.
            let added = rows.and_then(|mut rows| rows.add_usage(&[one.most], now - CLOSE_MS).ok().map(|()| rows));
            one.rows = added.filter(|_| few);
        }
    }
}

/// How busy its GPUs are, those that it holds and those that it is on; and how much memory it has on all.
fn of_gpus(gpus: &[Gpu], held: &[String], pids: &[i32]) -> (Option<f64>, Option<u64>) {
    let uses = |gpu: &Gpu| gpu.users.iter().any(|user| pids.contains(&user.pid));
    let its: Vec<&Gpu> = gpus.iter().filter(|gpu| held.contains(&gpu.id) || uses(gpu)).collect();
    let busy: Vec<f64> = its.iter().filter_map(|gpu| gpu.busy).collect();
    let users = its.iter().flat_map(|gpu| &gpu.users).filter(|user| pids.contains(&user.pid));
    let memory = users.filter_map(|user| user.memory).reduce(|a, b| a + b);
    let busy = (!busy.is_empty()).then(|| busy.iter().sum::<f64>() / busy.len() as f64);
    (busy, memory.or((!its.is_empty()).then_some(0)))
}

/// Tests set `FOOTPLATE_TEST_SAMPLE_MS`.
fn sample_ms() -> u64 {
    let set = std::env::var("FOOTPLATE_TEST_SAMPLE_MS").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(SAMPLE_MS).max(10)
}

/// An attempt that ran shorter has no samples, milliseconds.
pub(super) fn shortest_ms() -> u64 {
    sample_ms()
}
