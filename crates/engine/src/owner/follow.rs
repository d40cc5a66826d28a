//! A thread that follows the logs of live attempts, off the dispatcher: it reads what is new, stores it, and keeps `latest` for those who
//! look, in one commit a tick. Asleep while no log grows.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;

use std::sync::Arc;

use footplate_core::AttemptKey;
use footplate_core::alert::Episode;
use footplate_shim::clock;
use footplate_shim::folder::AttemptDir;
use footplate_store::LatestRow;
use footplate_store::Store;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::silence::Pulse;
use super::tail::{Newest, Reading, Summary, Tail};
use crate::home::Home;
use crate::wake::{Wakeable, Waker, pair};
use crate::watch::{Grown, Heed, Watch};

/// Between two looks at growing logs while somebody watches, milliseconds.
const TICK_WATCHED_MS: u64 = 100;
/// The same while nobody does.
const TICK_ALONE_MS: u64 = 1000;
/// Read of one log before the others have their turn, bytes.
const TURN: usize = 4 << 20;

/// What the dispatcher asks.
pub(super) enum Ask {
    /// Follow this attempt's log.
    Follow {
        /// The attempt.
        key: AttemptKey,
        /// Its folder.
        dir: AttemptDir,
        /// Its run's telemetry.
        telemetry: PathBuf,
        /// How it is read.
        reading: Reading,
        /// Where it is written down that something was heard.
        pulse: Arc<Pulse>,
    },
    /// The program and its tree are gone: read to the end and answer.
    Finish(AttemptKey),
}

/// What the thread answers.
pub(super) enum Answer {
    /// A log was read to its end.
    Finished(Box<Finished>),
    /// Something began or ended by the rules of this attempt's stage.
    Told(AttemptKey, Vec<Episode>),
}

/// An attempt's log was read to its end.
pub(super) struct Finished {
    /// The attempt.
    pub(super) key: AttemptKey,
    /// What was found.
    pub(super) summary: Summary,
    /// The newest state.
    pub(super) newest: Newest,
}

/// The dispatcher's side.
pub(super) struct Follower {
    asks: Sender<Ask>,
    answers: Receiver<Answer>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Starts the thread. `back` is woken with each answer.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn start(home: &Home, back: Waker) -> std::io::Result<Follower> {
        let (asks, inbox) = channel();
        let (outbox, answers) = channel();
        let (waker, wakeable) = pair()?;
        let presence = home.presence();
        let root = home.root().to_owned();
        let thread = std::thread::Builder::new().name("follower".to_owned()).spawn(move || {
            Thread {
                inbox,
                outbox,
                back,
                wakeable,
                presence,
                root,
                store: None,
                tails: HashMap::new(),
                watch: Watch::new().ok(),
                changed: BTreeMap::new(),
            }
            .run();
        })?;
        Ok(Follower { asks, answers, waker, thread: Some(thread) })
    }

    /// Asks.
    pub(super) fn ask(&self, ask: Ask) {
        // A thread that is gone is noticed when the owner leaves; attempts then settle inline.
        let _ = self.asks.send(ask);
        self.waker.wake();
    }

    /// The next answer that is there.
    pub(super) fn answer(&self) -> Option<Answer> {
        self.answers.try_recv().ok()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let (closed, _) = channel();
        self.asks = closed;
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Followed {
    tail: Tail,
    pulse: Arc<Pulse>,
    /// The log's length when it was taken up: what stands before that was printed in another's time.
    old: u64,
    /// Its growth is told; otherwise each tick looks.
    watched: bool,
    dirty: bool,
    finishing: bool,
}

struct Thread {
    inbox: Receiver<Ask>,
    outbox: Sender<Answer>,
    back: Waker,
    wakeable: Wakeable,
    presence: PathBuf,
    root: PathBuf,
    store: Option<Store>,
    tails: HashMap<AttemptKey, Followed>,
    /// Their folders.
    watch: Option<Watch<AttemptKey>>,
    changed: BTreeMap<AttemptKey, Newest>,
}

impl Thread {
    fn run(mut self) {
        let mut next_tick = clock::running_ms();
        loop {
            if !self.take_asks() {
                return;
            }
            let mut more = false;
            let now = clock::running_ms();
            if now >= next_tick {
                more = self.read_dirty();
                self.put_latest();
                next_tick = clock::running_ms() + if self.somebody_watches() { TICK_WATCHED_MS } else { TICK_ALONE_MS };
            }
            more |= self.finish();
            let busy = more || self.tails.values().any(|t| t.dirty);
            let wait = busy.then(|| if more { 0 } else { next_tick.saturating_sub(clock::running_ms()) });
            if more {
                next_tick = clock::running_ms();
            }
            self.wait(wait);
        }
    }

    /// False: the dispatcher is gone.
    fn take_asks(&mut self) -> bool {
        loop {
            match self.inbox.try_recv() {
                Ok(Ask::Follow { key, dir, telemetry, reading, pulse }) => {
                    let watched =
                        self.watch.as_mut().is_some_and(|watch| watch.add(dir.path(), Heed::Growth, key).is_ok());
                    let old = dir.log_end();
                    let tail = Tail::open(&dir, telemetry, key.stage, key.attempt, reading);
                    self.tails.insert(key, Followed { tail, pulse, old, watched, dirty: true, finishing: false });
                }
                Ok(Ask::Finish(key)) => {
                    if let Some(followed) = self.tails.get_mut(&key) {
                        followed.finishing = true;
                    }
                }
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// True: a log has more than a turn's worth left.
    fn read_dirty(&mut self) -> bool {
        let mut more = false;
        for (key, followed) in &mut self.tails {
            if !followed.dirty || followed.finishing {
                continue;
            }
            let before = followed.tail.read_to().max(followed.old);
            let advanced = followed.tail.advance(TURN);
            let read_to = followed.tail.read_to();
            if read_to > before && followed.pulse.beat(read_to) {
                self.back.wake();
            }
            let told = followed.tail.told();
            if !told.is_empty() {
                let _ = self.outbox.send(Answer::Told(*key, told));
                self.back.wake();
            }
            match advanced {
                Ok(true) => followed.dirty = !followed.watched,
                Ok(false) => more = true,
                // Tried again at the next tick; the end of the attempt says what could not be read.
                Err(_) => followed.dirty = true,
            }
            self.changed.insert(*key, followed.tail.newest());
        }
        more
    }

    /// Tells what the logs of ended attempts say, once they are read to their ends: a turn's worth of each at a time, so that a huge
    /// one holds up no other. True: one has more than that left.
    fn finish(&mut self) -> bool {
        let ready: Vec<AttemptKey> = self.tails.iter().filter(|(_, t)| t.finishing).map(|(k, _)| *k).collect();
        let mut more = false;
        for key in ready {
            // What cannot be read is said by the last look.
            if let Some(Ok(false)) = self.tails.get_mut(&key).map(|followed| followed.tail.advance(TURN)) {
                more = true;
            } else if let Some(followed) = self.tails.remove(&key) {
                if let Some(watch) = &mut self.watch {
                    watch.forget(key);
                }
                let (summary, newest) = followed.tail.finish();
                self.changed.remove(&key);
                let _ = self.outbox.send(Answer::Finished(Box::new(Finished { key, summary, newest })));
                self.back.wake();
            }
        }
        more
    }

    fn put_latest(&mut self) {
        if self.changed.is_empty() {
            return;
        }
        if self.store.is_none() {
            self.store = Store::open(&self.root, footplate_store::Role::Guest).ok();
            if let Some(store) = &self.store {
                let _ = store.set_durable(false);
            }
        }
        let rows: Vec<LatestRow> = self.changed.iter().map(|(key, newest)| latest_row(*key, newest)).collect();
        let stored = self.store.as_mut().map(|store| {
            store.write(|tx| {
                for row in &rows {
                    tx.put_latest(row)?;
                }
                Ok(())
            })
        });
        match stored {
            Some(Ok(())) => self.changed.clear(),
            // Passing facts: the next tick brings newer ones.
            Some(Err(_)) => self.store = None,
            None => {}
        }
    }

    fn somebody_watches(&self) -> bool {
        match std::fs::File::open(&self.presence) {
            Ok(file) => matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)),
            Err(_) => false,
        }
    }

    fn wait(&mut self, at_most_ms: Option<u64>) {
        let timeout = at_most_ms
            .map(|ms| Timespec { tv_sec: (ms / 1000).cast_signed(), tv_nsec: ((ms % 1000) * 1_000_000).cast_signed() });
        // While a tick is awaited, growth need not wake: the tick reads it.
        let watch = self.watch.as_mut().filter(|_| at_most_ms.is_none());
        let mut polled = vec![PollFd::new(&self.wakeable, PollFlags::IN)];
        polled.extend(watch.iter().map(|watch| PollFd::new(watch.fd(), PollFlags::IN)));
        // Interrupted or not: the loop looks at everything.
        let _ = poll(&mut polled, timeout.as_ref());
        let grown = polled.get(1).is_some_and(|fd| !fd.revents().is_empty());
        self.wakeable.drain();
        match watch.filter(|_| grown).map(Watch::take) {
            None => {}
            Some(Grown::These(keys)) => {
                for key in keys {
                    self.tails.get_mut(&key).into_iter().for_each(|followed| followed.dirty = true);
                }
            }
            Some(Grown::Any) => self.tails.values_mut().for_each(|followed| followed.dirty = true),
        }
    }
}

/// The row that shows an attempt's newest state.
#[must_use]
pub(super) fn latest_row(key: AttemptKey, newest: &Newest) -> LatestRow {
    let values: serde_json::Map<String, serde_json::Value> =
        newest.values.iter().map(|(name, value)| (name.clone(), number(*value))).collect();
    LatestRow {
        run: key.run,
        stage: key.stage,
        attempt: key.attempt,
        progress: newest.latest.progress,
        eta_s: newest.latest.eta_s,
        message: newest.latest.message.clone(),
        data: serde_json::json!({ "latest": newest.latest, "metrics": values }).to_string(),
        log_read_to: newest.read_to,
        updated_at: clock::wall_ms(),
    }
}

/// JSON has no NaN and no infinity: they are the words that the protocol reads.
fn number(value: f64) -> serde_json::Value {
    match serde_json::Number::from_f64(value) {
        Some(number) => number.into(),
        None if value.is_nan() => "nan".into(),
        None if value > 0.0 => "inf".into(),
        None => "-inf".into(),
    }
}
