//! What the owner and the system want of the program: stop, kill, pause, resume; and its time.

use super::{Attendance, Command, Phase, Reason, STUBBORN_EVERY_MS, STUBBORN_MS, Signal, Stop, os, running_ms, sweep};

/// Longer than any command.
const LONGEST_LINE: usize = 1024;

impl Attendance {
    pub(super) fn read_commands(&mut self) {
        let mut bytes = [0_u8; 512];
        while let Ok(count) = rustix::io::read(&self.ctl, &mut bytes) {
            if count == 0 {
                return;
            }
            for &byte in bytes.iter().take(count) {
                if byte != b'\n' {
                    if self.line.len() <= LONGEST_LINE {
                        self.line.push(byte);
                    }
                    continue;
                }
                let line = std::mem::take(&mut self.line);
                if let Some(command) = std::str::from_utf8(&line).ok().and_then(|line| line.parse().ok()) {
                    self.obey(&command);
                }
            }
        }
    }

    /// A repeat (the owner was killed before it saw our answer) is ignored.
    fn obey(&mut self, command: &Command) {
        if self.wishes.iter().any(|wish| wish == command.wish()) {
            return;
        }
        self.wishes.push(command.wish().to_owned());
        match command {
            Command::Pause { wish, reason } | Command::Resume { wish, reason } => {
                self.acts.write(format_args!("got {wish} {} {reason}", command.verb()));
            }
            Command::Stop { wish, .. } | Command::Kill { wish } => {
                self.acts.write(format_args!("got {wish} {}", command.verb()));
            }
        }
        let now = running_ms();
        match command {
            Command::Stop { wish, grace_ms } => {
                self.wished(wish);
                self.begin_stop(now, *grace_ms, true);
            }
            Command::Kill { wish } => {
                self.wished(wish);
                self.begin_stop(now, 0, false);
            }
            Command::Pause { reason, .. } => self.pause(now, *reason),
            Command::Resume { reason, .. } => self.resume(now, *reason),
        }
    }

    /// The first wish that reaches the program before its end is the one that ended it.
    fn wished(&mut self, wish: &str) {
        if self.is_at_work() && self.by_wish.is_none() {
            self.by_wish = Some(wish.to_owned());
        }
    }

    /// TERM without a wish: the session ends. Passed on, and written down as not ours.
    pub(super) fn session_ends(&mut self) {
        self.acts.write("session_end");
        if self.is_at_work() && self.by_wish.is_none() && !self.timed_out {
            self.session_end = true;
        }
        // There is no time for a checkpoint.
        self.begin_stop(running_ms(), self.spec.grace_ms, false);
    }

    /// The signal that asks for a checkpoint, where there is one and `save` says that there is time; then TERM. A later wish can
    /// only make it shorter.
    pub(super) fn begin_stop(&mut self, now: u64, grace_ms: u64, save: bool) {
        if matches!(self.phase, Phase::Sweeping { .. } | Phase::Gone) {
            return;
        }
        let kill_at = now.saturating_add(grace_ms);
        match &mut self.stop {
            Some(stop) => {
                stop.kill_at = stop.kill_at.min(kill_at);
                if stop.term_at.is_some() && grace_ms > 0 {
                    self.term(now);
                }
            }
            None => {
                let asked = save && grace_ms > 0 && self.ask_for_checkpoint(now);
                let save_ms = if asked { self.spec.save_ms } else { 0 };
                let kill_at = kill_at.saturating_add(save_ms);
                self.stop =
                    Some(Stop { term_at: asked.then(|| now.saturating_add(save_ms)), kill_at, killed_at: None });
                if !asked && grace_ms > 0 {
                    self.term(now);
                }
                // What the program left has the same grace.
                if let Phase::Lingering { until, .. } = &mut self.phase {
                    *until = Some(kill_at);
                }
            }
        }
        if grace_ms == 0 {
            self.kill(now);
        }
    }

    /// To the program alone: its workers may not know the signal, and would be ended by it.
    fn ask_for_checkpoint(&mut self, now: u64) -> bool {
        let signal = self.spec.save_signal.and_then(Signal::from_named_raw);
        let Some(signal) = signal.filter(|_| matches!(self.phase, Phase::Running)) else { return false };
        self.bond.signal(&self.start, self.child, signal);
        self.acts.write("save");
        self.end_pause(now);
        true
    }

    /// TERM, then CONT so that a stopped process hears it.
    pub(super) fn term(&mut self, now: u64) {
        if let Some(stop) = &mut self.stop {
            stop.term_at = None;
        }
        self.signal_group("term", Signal::TERM);
        self.end_pause(now);
        self.signal_group("cont", Signal::CONT);
    }

    /// KILL; again and again where the kernel cannot let go of the program yet.
    pub(super) fn kill(&mut self, now: u64) {
        let first = self.stop.as_ref().and_then(|stop| stop.killed_at).unwrap_or(now);
        self.stop = Some(Stop { term_at: None, kill_at: now + STUBBORN_EVERY_MS, killed_at: Some(first) });
        self.signal_group("kill", Signal::KILL);
        if matches!(self.phase, Phase::Running) {
            // It may have left its group.
            self.bond.signal(&self.start, self.child, Signal::KILL);
            if now.saturating_sub(first) >= STUBBORN_MS
                && let Some(process) = os::process(self.start.child.pid)
            {
                self.acts.write(format_args!("left {}", sweep::describe(&process)));
            }
        } else {
            self.begin_sweep(now);
        }
        self.end_pause(now);
    }

    fn signal_group(&mut self, act: &str, signal: Signal) {
        self.bond.signal_group(&self.tree, self.group, signal);
        self.acts.write(act);
    }

    pub(super) fn pause(&mut self, now: u64, reason: Reason) {
        if self.stop.is_some() || !self.is_at_work() || self.paused_for.contains(&reason) {
            return;
        }
        self.paused_for.push(reason);
        if self.paused_since.is_none() {
            self.stop_tree();
            self.anchor();
            self.paused_since = Some(now);
            self.acts.write("stop");
        }
        self.acts.write(format_args!("paused {reason}"));
    }

    /// Twice: what was forked during the first pass is caught by the second.
    pub(super) fn stop_tree(&self) {
        for _ in 0..2 {
            let _ = self.tree.signal(Signal::STOP);
        }
    }

    /// Once, at the first pause: it stays until the program has ended. A program whose first shim is gone has one, or never will.
    fn anchor(&mut self) {
        if self.bond.is_parent() && matches!(self.phase, Phase::Running) && !std::mem::replace(&mut self.anchored, true)
        {
            // Where it cannot be, a death of this shim ends the pause.
            let _ = os::anchor_group(self.child, self.group);
        }
    }

    pub(super) fn resume(&mut self, now: u64, reason: Reason) {
        if !self.paused_for.contains(&reason) {
            return;
        }
        self.paused_for.retain(|&other| other != reason);
        self.acts.write(format_args!("unpaused {reason}"));
        if self.paused_for.is_empty() {
            self.run_again(now);
        }
    }

    /// Takes every reason away.
    pub(super) fn end_pause(&mut self, now: u64) {
        if self.paused_since.is_none() {
            return;
        }
        for reason in std::mem::take(&mut self.paused_for) {
            self.acts.write(format_args!("unpaused {reason}"));
        }
        self.run_again(now);
    }

    fn run_again(&mut self, now: u64) {
        if let Some(since) = self.paused_since.take() {
            self.paused_ms += now.saturating_sub(since);
            for _ in 0..2 {
                let _ = self.tree.signal(Signal::CONT);
            }
            self.acts.write("cont");
        }
    }
}
