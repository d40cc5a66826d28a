//! An attempt that holds a slot, as the owner watches it.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use footplate_core::state::attempt::AttemptState;
use footplate_core::state::settle::Evidence;
use footplate_core::{AttemptKey, RunId};
use footplate_shim::clock;
use footplate_shim::contract::{Command, Exit};
use footplate_shim::folder::AttemptDir;

use super::shims::Shim;
use super::silence::{Pulse, Silence};

/// Where an attempt is on its way to its end.
#[derive(Debug)]
pub(super) enum Phase {
    /// Its folder is to be built, or a shim has been started; no shim is known to hold it.
    Launching,
    /// A shim holds it.
    Held,
    /// What its dead shim left is being ended, off the loop.
    Sweeping {
        /// What is known of the end.
        evidence: Evidence,
        /// The exit record.
        exit: Option<Box<Exit>>,
    },
    /// Its tree is gone; its log is being read to the end.
    ReadingLog {
        /// What is known of the end.
        evidence: Evidence,
        /// The exit record.
        exit: Option<Box<Exit>>,
    },
}

/// A command on its way to the shim.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// What.
    pub(super) command: Command,
    /// When it was first said, on the running clock.
    pub(super) at: u64,
    /// The shim wrote that it got it.
    pub(super) got: bool,
    /// It was woken with CONT already.
    pub(super) woken: bool,
}

/// An attempt that holds a slot.
#[derive(Debug)]
pub(super) struct Live {
    /// Which.
    pub(super) key: AttemptKey,
    /// Its run's id.
    pub(super) run_id: RunId,
    /// Its folder.
    pub(super) dir: AttemptDir,
    /// Its state, as stored.
    pub(super) state: AttemptState,
    /// Where it is on its way.
    pub(super) phase: Phase,
    /// The boot it was launched in.
    pub(super) boot: String,
    /// Its folder was seen built or claimed.
    pub(super) known: bool,
    /// Shims started for it by this owner.
    pub(super) spawned: u32,
    /// Shims started to adopt it since it was last seen held.
    pub(super) adopters: u32,
    /// Its first shim is gone, and another has taken its place, as stored.
    pub(super) orphan: bool,
    /// How its last shim ended without a claim.
    pub(super) refused: Option<i32>,
    /// The shim, where it is our child.
    pub(super) child: Option<Shim>,
    /// Readable when the shim has ended.
    pub(super) pidfd: Option<OwnedFd>,
    /// When to look at its folder next, on the running clock.
    pub(super) look_at: Option<u64>,
    /// Time between looks, milliseconds.
    pub(super) look_every: u64,
    /// The ids of the GPUs that it holds.
    pub(super) gpus: Vec<String>,
    /// What it uses is being measured.
    pub(super) measured: bool,
    /// Its log is being followed.
    pub(super) followed: bool,
    /// Commands that the shim has not carried out yet.
    pub(super) sent: Vec<Sent>,
    /// The `paused` flag as stored.
    pub(super) paused: bool,
    /// Told to pause for want of room on the disk.
    pub(super) paused_for_disk: bool,
    /// When its program was last heard.
    pub(super) pulse: Arc<Pulse>,
    /// Its silence, where its stage says how long one may be; known once its program runs.
    pub(super) silence: Option<Silence>,
    /// The alert of its silence that an owner before this one raised, and since when it was silent.
    pub(super) stalled: Option<(i64, i64)>,
}

impl Live {
    /// An attempt whose shim is not known yet.
    #[must_use]
    pub(super) fn new(key: AttemptKey, run_id: RunId, dir: AttemptDir, boot: String) -> Live {
        Live {
            key,
            run_id,
            dir,
            state: AttemptState::Launching,
            phase: Phase::Launching,
            boot,
            known: false,
            spawned: 0,
            adopters: 0,
            orphan: false,
            refused: None,
            child: None,
            pidfd: None,
            look_at: None,
            look_every: 5,
            gpus: Vec::new(),
            measured: false,
            followed: false,
            sent: Vec::new(),
            paused: false,
            paused_for_disk: false,
            pulse: Arc::default(),
            silence: None,
            stalled: None,
        }
    }

    /// The random-looking but known word by which its processes are found, also where its folder is gone.
    #[must_use]
    pub(super) fn mark(&self) -> String {
        crate::attempt::mark(&self.run_id, self.key)
    }

    /// Looks again after the usual time, which grows to 100 ms.
    pub(super) fn look_again(&mut self) {
        self.look_at = Some(clock::running_ms() + self.look_every);
        self.look_every = (self.look_every * 2).min(100);
    }

    /// Looks again soon.
    pub(super) fn look_soon(&mut self) {
        self.look_every = 2;
        self.look_at = Some(clock::running_ms());
    }

    /// True where it was launched before the machine was last started.
    #[must_use]
    pub(super) fn is_of_another_boot(&self) -> bool {
        self.boot != clock::boot_id()
    }
}
