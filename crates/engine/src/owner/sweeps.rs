//! Ending what a dead shim left, off the loop: it may take as long as a process cannot be interrupted.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};

use footplate_core::AttemptKey;
use footplate_shim::clock;
use footplate_shim::contract::{Start, Swept, VERSION};
use footplate_shim::folder::{AttemptDir, LockGuard};
use footplate_shim::sweep::{Tree, sweep};

use crate::wake::Waker;

/// How long one sweep tries, milliseconds; then the attempt stays `stopping` and is swept again.
const PATIENCE_MS: u64 = 30_000;
/// Between two sweeps of a tree that would not go, milliseconds.
pub(super) const AGAIN_MS: u64 = 10_000;

/// What a sweep came to.
pub(super) struct Done {
    /// Which attempt.
    pub(super) key: AttemptKey,
    /// What is left, named; empty when the tree is gone.
    pub(super) left: Vec<String>,
    /// Whether it is gone.
    pub(super) gone: bool,
}

/// Sweeps, one thread each.
pub(super) struct Sweeps {
    outbox: Sender<Done>,
    inbox: Receiver<Done>,
    waker: Waker,
    bin_dir: PathBuf,
}

impl Sweeps {
    /// `bin_dir`: where owners and shims run from; they are spared. `waker` is woken when a sweep is done.
    #[must_use]
    pub(super) fn new(bin_dir: PathBuf, waker: Waker) -> Sweeps {
        let (outbox, inbox) = channel();
        Sweeps { outbox, inbox, waker, bin_dir }
    }

    /// Starts a sweep, which holds the attempt's `lock` meanwhile. Where the system gives no thread it is tried again later.
    pub(super) fn start(
        &self,
        key: AttemptKey,
        dir: AttemptDir,
        mark: &str,
        start: Option<&Start>,
        lock: Option<LockGuard>,
    ) {
        let tree = Tree::of(mark, start, &self.bin_dir);
        let (outbox, waker) = (self.outbox.clone(), self.waker.clone());
        let work = move || {
            let outcome = sweep(&tree, clock::running_ms() + PATIENCE_MS);
            if outcome.gone && dir.exists() {
                let swept = Swept {
                    by: "owner".to_owned(),
                    left: outcome.left.clone(),
                    log_size: dir.log_end(),
                    dropped: 0,
                    at_ms: clock::wall_ms(),
                    version: VERSION,
                };
                // Without the record the next owner sweeps again, and finds nothing.
                let _ = dir.write_swept(&swept);
            }
            drop(lock);
            let _ = outbox.send(Done { key, left: outcome.left, gone: outcome.gone });
            waker.wake();
        };
        let spawned = std::thread::Builder::new().name("sweep".to_owned()).spawn(work);
        if spawned.is_err() {
            let _ = self.outbox.send(Done { key, left: Vec::new(), gone: false });
            self.waker.wake();
        }
    }

    /// The next sweep that is done.
    #[must_use]
    pub(super) fn done(&self) -> Option<Done> {
        self.inbox.try_recv().ok()
    }
}
