//! Messages to a webhook: when the next try is due, made off the loop by a thread, and what came of it. Where there is no webhook, or no
//! news, there is no thread, no connection and nothing of the network's code in memory.

use std::sync::mpsc::{Receiver, TryRecvError, channel};

use footplate_core::Fault;
use footplate_shim::clock;

use crate::home::Home;
use crate::wake::Waker;
use crate::webhook::pace::Pace;
use crate::webhook::{self, Outcome};

/// How long an owner that has nothing else to do waits for messages on the way, milliseconds: a try that fails is known by then. What is not
/// taken the next one sends.
const LEAVE_MS: u64 = 6_000;
/// A receiver that has failed so often in a row is not waited for.
const DEAD: u32 = 2;

/// What the owner knows of the messages.
pub(super) struct Post {
    home: Home,
    waker: Waker,
    pace: Pace,
    /// The event that this owner told last.
    told: Option<i64>,
    trying: Option<Receiver<Result<Outcome, Fault>>>,
    /// The webhook's file when that try began.
    trying_with: Option<Seen>,
    /// News came during a try, which may not have seen them.
    more: bool,
    /// The webhook's file when the last try that failed began: its change since is a reason to try again.
    failed_with: Option<Seen>,
    /// Until when an owner that wants to leave stays for this, on the running clock.
    stays_until: Option<u64>,
}

/// When a file was written, and which it was.
type Seen = (std::time::SystemTime, u64);

impl Post {
    /// Looks first for what an owner before left untold.
    pub(super) fn new(home: &Home, waker: Waker) -> Post {
        let mut pace = Pace::default();
        pace.stir(clock::running_ms());
        let home = home.clone();
        Post {
            home,
            waker,
            pace,
            told: None,
            trying: None,
            trying_with: None,
            more: false,
            failed_with: None,
            stays_until: None,
        }
    }

    /// There are news.
    pub(super) fn stir(&mut self) {
        self.more = self.trying.is_some();
        self.pace.stir(clock::running_ms());
    }

    /// When the loop has to come back for this, on the running clock.
    pub(super) fn due(&self) -> Option<u64> {
        // A try that ends wakes the loop by itself.
        let next = self.pace.due().filter(|_| self.trying.is_none());
        next.into_iter().chain(self.stays_until).min()
    }

    /// Whether an owner with nothing else to do stays for this: for a while, where something is on its way or due.
    pub(super) fn holds(&mut self) -> bool {
        if (self.trying.is_none() && self.pace.due().is_none()) || self.pace.failures() > DEAD {
            self.stays_until = None;
            return false;
        }
        let now = clock::running_ms();
        self.pace.hurry(now);
        let until = *self.stays_until.get_or_insert(now + LEAVE_MS);
        now < until && (self.trying.is_some() || self.pace.due().is_some_and(|due| due < until))
    }

    /// The owner has something else to do.
    pub(super) fn let_go(&mut self) {
        self.stays_until = None;
    }

    /// Takes note of a try that is done, and begins the next one where it is due.
    pub(super) fn tend(&mut self) {
        let now = clock::running_ms();
        if let Some(trying) = &self.trying {
            match trying.try_recv() {
                Err(TryRecvError::Empty) => return,
                Ok(done) => self.take(done, now),
                // It died of a fault of ours; later it may not.
                Err(TryRecvError::Disconnected) => self.pace.failed(now, None),
            }
            self.trying = None;
            if std::mem::take(&mut self.more) {
                self.pace.stir(now);
            }
        }
        if self.pace.failures() > 0 && self.failed_with != self.seen() {
            self.failed_with = None;
            self.pace.begin_anew(now);
        }
        if self.pace.due().is_none_or(|due| due > now) {
            return;
        }
        let seen = self.seen();
        if seen.is_none() {
            self.pace.nothing();
            return;
        }
        let (tell, told) = channel();
        let (home, waker, known, wall) = (self.home.clone(), self.waker.clone(), self.told, clock::wall_ms());
        let started = std::thread::Builder::new().name("webhook".to_owned()).spawn(move || {
            // Nobody listens where the owner has left.
            let _ = tell.send(webhook::attempt(&home, known, wall, webhook::PATIENCE));
            waker.wake();
        });
        match started {
            Ok(_) => (self.trying, self.trying_with) = (Some(told), seen),
            Err(error) => {
                eprintln!("no message could be sent: {error}");
                self.pace.failed(now, None);
            }
        }
    }

    fn take(&mut self, done: Result<Outcome, Fault>, now: u64) {
        match done {
            Ok(Outcome::Nothing { told }) => {
                self.told = Some(told);
                self.pace.nothing();
            }
            Ok(Outcome::Sent { told, more }) => {
                self.told = Some(told);
                self.pace.sent(now, more);
            }
            Ok(Outcome::Failed { wait_ms }) => {
                self.pace.failed(now, wait_ms);
                self.failed_with = self.trying_with;
            }
            Err(fault) => {
                eprintln!("no message could be sent: {}", fault.message);
                self.pace.failed(now, None);
                self.failed_with = self.trying_with;
            }
        }
    }

    fn seen(&self) -> Option<Seen> {
        use std::os::unix::fs::MetadataExt;
        let facts = self.home.webhook().metadata().ok()?;
        Some((facts.modified().ok()?, facts.ino()))
    }
}
