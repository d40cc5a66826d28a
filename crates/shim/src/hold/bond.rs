//! What binds a shim to its program: it is its parent, or it took the place of one that is gone.

use super::child::Report;
use footplate_shim::contract::Start;
use footplate_shim::os::{self, Ended, Usage};
use footplate_shim::sweep::Tree;
use rustix::process::{Pid, Signal, WaitOptions};
use std::os::fd::OwnedFd;

/// How the program's end is learnt, and its processes are reached.
pub(super) enum Bond {
    /// Our own child, not reaped before its tree is gone: until then its number is its own.
    Parent {
        /// Tells "could not exec" from "failed", once.
        report: Option<Report>,
        reaped: bool,
    },
    /// The child of a shim that is gone, reaped by whom it fell to: its number may be another's at any time, so every signal
    /// goes to a checked identity.
    Adopted {
        /// Readable when it has ended; none where the system has no such thing.
        end: Option<OwnedFd>,
    },
}

/// How the program ended.
pub(super) enum HowEnded {
    /// As a parent sees it.
    Seen(Ended, Usage),
    /// As the system tells those who are not its parent, if it does.
    Told(Option<Ended>),
}

impl Bond {
    pub(super) fn is_parent(&self) -> bool {
        matches!(self, Self::Parent { .. })
    }

    /// The descriptor to poll for the program's end; a parent is told by a signal.
    pub(super) fn end(&self) -> Option<&OwnedFd> {
        match self {
            Self::Parent { .. } => None,
            Self::Adopted { end } => end.as_ref(),
        }
    }

    /// Whether the end has to be looked for.
    pub(super) fn must_look(&self) -> bool {
        matches!(self, Self::Adopted { end: None })
    }

    /// Whether and how the program has ended.
    pub(super) fn ended(&self, start: &Start) -> Option<HowEnded> {
        match self {
            Self::Parent { .. } => {
                os::ended(start.child.pid).ok().flatten().map(|(how, usage)| HowEnded::Seen(how, usage))
            }
            Self::Adopted { .. } if start.child.is_alive() => None,
            Self::Adopted { end } => Some(HowEnded::Told(os::told_end(&start.child, end.as_ref()))),
        }
    }

    /// What could not be done before the program was there, and errno. To be asked once, after the end.
    pub(super) fn refused(&mut self) -> Option<(&'static str, i32)> {
        match self {
            Self::Parent { report, .. } => report.take().and_then(Report::read),
            Self::Adopted { .. } => None,
        }
    }

    /// Gives a child's number back. True from then on, and for what was never ours.
    pub(super) fn reap(&mut self, child: Pid) {
        if let Self::Parent { reaped, .. } = self
            && !*reaped
        {
            *reaped = true;
            let _ = rustix::process::waitpid(Some(child), WaitOptions::NOHANG);
        }
    }

    /// To the program alone.
    pub(super) fn signal(&self, start: &Start, child: Pid, signal: Signal) {
        match self {
            Self::Parent { reaped: true, .. } => {}
            Self::Parent { reaped: false, .. } => drop(rustix::process::kill_process(child, signal)),
            Self::Adopted { .. } => drop(start.child.signal(signal)),
        }
    }

    /// To its group. Nobody in it is no failure.
    pub(super) fn signal_group(&self, tree: &Tree, group: Pid, signal: Signal) {
        match self {
            Self::Parent { reaped: true, .. } => {}
            // The leader has not been reaped, so the number is still this group's.
            Self::Parent { reaped: false, .. } => drop(rustix::process::kill_process_group(group, signal)),
            Self::Adopted { .. } => drop(tree.signal_group(group.as_raw_nonzero().get(), signal)),
        }
    }
}
