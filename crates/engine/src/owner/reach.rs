//! Whether the disk that a place lies on answers. A look at one behind a network that is gone does not come back before the network does: it is
//! a thread's business, and the owner waits a moment for it. What is held for want of an answer goes on as soon as there is one.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use footplate_shim::clock;

use crate::wake::Waker;

/// How long one answer is waited for, milliseconds: longer than a disk and processors in full use take, too short to be felt by the other runs.
const MOMENT_MS: u64 = 500;
/// How long an owner with nothing else to do stays for an answer, milliseconds: a disk that has to be woken takes seconds.
const PATIENCE_MS: u64 = 60_000;

/// What is at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum There {
    /// A folder that can be entered.
    Folder,
    /// One that this user may not enter.
    Closed,
    /// None.
    NoFolder,
    /// Its disk has not answered.
    Silent,
}

/// Looks at places through a thread.
pub(super) struct Reach {
    waker: Waker,
    inner: RefCell<Inner>,
}

#[derive(Default)]
struct Inner {
    prober: Option<Prober>,
    /// Places that a thread still looks at.
    silent: Vec<Silent>,
    /// One of them answered since it was asked about.
    answered: bool,
}

/// A thread that looks at one place after the other, until nobody asks it any more.
struct Prober {
    asks: Sender<PathBuf>,
    answers: Receiver<There>,
    /// Nobody waits for its answer: it wakes the owner.
    late: Arc<AtomicBool>,
}

struct Silent {
    place: PathBuf,
    answers: Receiver<There>,
    /// The owner does not stay for it longer than this, on the running clock.
    until: u64,
}

impl Reach {
    #[must_use]
    pub(super) fn new(waker: Waker) -> Reach {
        Reach { waker, inner: RefCell::default() }
    }

    /// Looks at a place, for a moment. One that is silent since an earlier look costs nothing.
    pub(super) fn look(&self, place: &Path) -> There {
        let mut inner = self.inner.borrow_mut();
        inner.hear();
        if inner.silent.iter().any(|silent| silent.place == place) {
            return There::Silent;
        }
        let Some(prober) = inner.prober.take().or_else(|| Prober::start(&self.waker)) else {
            // No thread to be had: what is missing is room in memory, not the disk.
            return There::at(place);
        };
        let moment = Duration::from_millis(MOMENT_MS);
        let asked = prober.asks.send(place.to_owned()).is_ok();
        let mut answer = prober.answers.recv_timeout(moment).ok().filter(|_| asked);
        if answer.is_none() {
            prober.late.store(true, Ordering::SeqCst);
            // It may have answered before it saw that nobody waits any more.
            answer = prober.answers.try_recv().ok();
        }
        match answer {
            Some(there) => {
                prober.late.store(false, Ordering::SeqCst);
                inner.prober = Some(prober);
                there
            }
            None => {
                let until = clock::running_ms() + PATIENCE_MS;
                inner.silent.push(Silent { place: place.to_owned(), answers: prober.answers, until });
                There::Silent
            }
        }
    }

    /// A place that was silent has answered since the last time this was asked.
    pub(super) fn answered(&self) -> bool {
        let mut inner = self.inner.borrow_mut();
        inner.hear();
        std::mem::take(&mut inner.answered)
    }

    /// Until when an owner with nothing else to do stays, on the running clock.
    pub(super) fn until(&self) -> Option<u64> {
        let now = clock::running_ms();
        self.inner.borrow().silent.iter().map(|silent| silent.until).filter(|until| *until > now).max()
    }
}

impl There {
    /// Looks, as long as that takes.
    fn at(place: &Path) -> There {
        if !place.is_dir() {
            return There::NoFolder;
        }
        let enter = rustix::fs::access(place, rustix::fs::Access::EXEC_OK);
        if enter == Err(rustix::io::Errno::ACCESS) { There::Closed } else { There::Folder }
    }
}

impl Inner {
    fn hear(&mut self) {
        let before = self.silent.len();
        // An answer, or a thread that is gone: then it is asked again.
        self.silent.retain(|silent| matches!(silent.answers.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty)));
        self.answered |= self.silent.len() < before;
    }
}

impl Prober {
    fn start(waker: &Waker) -> Option<Prober> {
        let (asks, places) = channel::<PathBuf>();
        let (answer, answers) = channel();
        let late = Arc::new(AtomicBool::new(false));
        let (nobody_waits, waker) = (Arc::clone(&late), waker.clone());
        let started = std::thread::Builder::new().name("reach".to_owned()).spawn(move || {
            for place in places {
                let heard = answer.send(There::at(&place)).is_ok();
                if nobody_waits.load(Ordering::SeqCst) {
                    waker.wake();
                }
                if !heard {
                    return;
                }
            }
        });
        started.ok().map(|_| Prober { asks, answers, late })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;
    use crate::wake::pair;

    #[test]
    fn a_place_is_a_folder_or_none_and_one_thread_looks_at_all() {
        let (waker, _wakeable) = pair().unwrap();
        let reach = Reach::new(waker);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        for (name, there) in [("", There::Folder), ("file", There::NoFolder), ("none", There::NoFolder)] {
            assert_eq!(reach.look(&folder.path().join(name)), there, "{name}");
        }
        assert!(reach.inner.borrow().prober.is_some() && reach.until().is_none() && !reach.answered());
    }
}
