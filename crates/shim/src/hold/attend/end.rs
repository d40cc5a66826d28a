//! The program's end: its record at once, then its tree.

use super::{
    Attendance, Ended, Exit, HowEnded, LINGER_MS, LOOK_EVERY_MS, Phase, Pid, STUBBORN_EVERY_MS, STUBBORN_MS, VERSION,
    WaitOptions, failpoint, os, running_ms, sweep, wall_ms,
};

/// How many of the processes a sweep found are named in its record.
const NAMED: usize = 64;
/// Between two passes of a sweep, where no child's end comes first.
const PASS_EVERY_MS: u64 = 20;

impl Attendance {
    pub(super) fn children_changed(&mut self) {
        let now = running_ms();
        match self.phase {
            Phase::Running => self.look_for_the_end(now),
            Phase::Lingering { until, look_at } => {
                self.reap_adopted();
                // A tree of many short processes must not make us look at each one's end.
                let soon = now + 100;
                self.phase = Phase::Lingering { until, look_at: Some(look_at.map_or(soon, |at| at.min(soon))) };
            }
            Phase::Sweeping { since, empty, .. } => {
                self.reap_adopted();
                self.phase = Phase::Sweeping { since, next: now, empty };
            }
            Phase::Gone => {}
        }
    }

    pub(super) fn look_for_the_end(&mut self, now: u64) {
        match self.bond.ended(&self.start) {
            Some(how) => self.program_ended(now, how),
            None => self.reap_adopted(),
        }
    }

    /// Orphans that became ours. The program itself is left alone: its number must stay its own until the tree is gone.
    fn reap_adopted(&self) {
        for pid in os::own_children().unwrap_or_default() {
            if pid != self.start.child.pid {
                let _ = rustix::process::waitpid(Pid::from_raw(pid), WaitOptions::NOHANG);
            }
        }
    }

    fn program_ended(&mut self, now: u64, how: HowEnded) {
        failpoint::hit("shim-ended");
        self.take_what_is_there();
        self.end_pause(now);
        let refused = self.bond.refused();
        let (how, usage) = match how {
            HowEnded::Seen(how, usage) => (Some(how), usage),
            HowEnded::Told(how) => (how, os::Usage::default()),
        };
        let (code, signal) = match how {
            _ if refused.is_some() => (None, None),
            Some(Ended::Code(code)) => (Some(code), None),
            Some(Ended::Signal(signal)) => (None, Some(signal)),
            None => (None, None),
        };
        // Only where the system counts can its count tell; a program that ended well needs no such reason.
        let oom_kills = match (self.start.oom_kills, signal, code) {
            (Some(before), Some(_), _) | (Some(before), _, Some(1..)) => {
                os::oom_kills().map_or(0, |now| now.saturating_sub(before))
            }
            _ => 0,
        };
        let exit = Exit {
            version: VERSION,
            exec_errno: refused.map(|(_, errno)| errno),
            exec_what: refused.map(|(what, _)| what.to_owned()),
            code,
            signal,
            by_wish: self.by_wish.clone(),
            timed_out: self.timed_out,
            session_end: self.session_end,
            started_ms: self.start.started_ms,
            finished_ms: wall_ms(),
            running_ms: now.saturating_sub(self.start.started_running_ms).saturating_sub(self.paused_ms),
            user_ms: usage.user_ms,
            system_ms: usage.system_ms,
            max_rss_kb: usage.max_rss_kb,
            unseen: how.is_none(),
            oom_kills,
            log_size: self.log.size(),
        };
        // Where even this fails (a broken disk), there is no record: the owner will say so, rather than we guess.
        let _ = self.paper.record(&exit);
        failpoint::hit("shim-exit-recorded");
        if self.nothing_left() {
            self.phase = Phase::Gone;
            return;
        }
        self.sync();
        self.program = self.spec.wait_group.then_some(exit);
        if let Some(stop) = &mut self.stop
            && let Some(term_at) = stop.term_at
        {
            // It saved and left: what it left is told to end now.
            stop.kill_at = now.saturating_add(stop.kill_at.saturating_sub(term_at));
            self.term(now);
        }
        match &self.stop {
            Some(stop) if stop.killed_at.is_some() => self.begin_sweep(now),
            Some(stop) => self.linger(now, Some(stop.kill_at)),
            None if self.spec.wait_group => self.linger(now, None),
            None => self.linger(now, Some(now + LINGER_MS)),
        }
    }

    /// Where all that the program started is waited for, the attempt ended with the last of it, and for the reason that ended that.
    /// Until this is written the program's own record counts.
    pub(super) fn record_the_group(&mut self) {
        let Some(program) = self.program.take() else { return };
        let exit = Exit {
            by_wish: self.by_wish.clone(),
            timed_out: self.timed_out,
            session_end: self.session_end,
            finished_ms: wall_ms(),
            running_ms: running_ms().saturating_sub(self.start.started_running_ms).saturating_sub(self.paused_ms),
            log_size: self.log.size(),
            ..program
        };
        self.paper.replace(&exit);
    }

    /// Exactly the bytes that are in the pipe now: the program's last line is among them, and a chatty process it left
    /// behind cannot hold up the record.
    fn take_what_is_there(&mut self) {
        let mut left = usize::try_from(rustix::io::ioctl_fionread(&self.fifo).unwrap_or(0)).unwrap_or(0);
        while left > 0 {
            let room = left.min(self.buffer.len());
            let Some(buffer) = self.buffer.get_mut(..room) else { return };
            match rustix::io::read(&self.fifo, buffer) {
                Ok(count) if count > 0 => {
                    left -= count;
                    self.log.write(self.buffer.get(..count).unwrap_or_default());
                }
                _ => return,
            }
        }
    }

    /// The quick way, which most attempts go: a subreaper without children but the ended program has no tree.
    fn nothing_left(&mut self) -> bool {
        if !self.bond.is_parent()
            || !os::HAS_SUBREAPER
            || os::own_children().is_none_or(|all| all.iter().any(|&pid| pid != self.start.child.pid))
        {
            return false;
        }
        self.bond.reap(self.child);
        // The list can miss one, this cannot.
        matches!(rustix::process::wait(WaitOptions::NOHANG), Err(rustix::io::Errno::CHILD))
    }

    /// What two looks at the table did not find may only have moved too fast for them. As long as the tree lives, one of
    /// it is a child of this subreaper; spared ones may be as well.
    fn nobody_left(&mut self) -> bool {
        self.bond.reap(self.child);
        if !self.bond.is_parent() || !os::HAS_SUBREAPER {
            return true;
        }
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(rustix::io::Errno::CHILD) => return true,
                Err(_) => return false,
            }
        }
        let children = os::own_children().unwrap_or_default();
        !children.is_empty() && children.iter().all(|&pid| self.tree.spares(pid))
    }

    fn linger(&mut self, now: u64, until: Option<u64>) {
        self.look_whether_gone(now, until);
    }

    pub(super) fn look_whether_gone(&mut self, now: u64, until: Option<u64>) {
        self.reap_adopted();
        let living = self.tree.members().unwrap_or_default();
        if living.is_empty() {
            return self.begin_sweep(now);
        }
        // A child of ours tells its end by a signal; what is not below us has to be looked for.
        let told = os::HAS_SUBREAPER
            && os::own_children().is_some_and(|ours| living.iter().any(|process| ours.contains(&process.pid)));
        self.phase = Phase::Lingering { until, look_at: (!told).then_some(now + LOOK_EVERY_MS) };
    }

    pub(super) fn begin_sweep(&mut self, now: u64) {
        self.sweep_pass(now, now, 0);
    }

    pub(super) fn sweep_pass(&mut self, now: u64, since: u64, mut empty: u8) {
        loop {
            self.reap_adopted();
            // A table that cannot be read (no descriptors left) is no proof of emptiness.
            let found = self.tree.pass();
            if let Ok(found) = &found
                && found.is_empty()
            {
                empty += 1;
                // What was moving may have moved past one look; below a subreaper it cannot.
                let enough = if self.bond.is_parent() || self.left.is_empty() { 2 } else { 4 };
                if empty < enough {
                    continue;
                }
                if self.nobody_left() {
                    self.phase = Phase::Gone;
                    return;
                }
            }
            let stubborn = now.saturating_sub(since) >= STUBBORN_MS;
            for process in found.unwrap_or_default() {
                let line = sweep::describe(&process);
                if stubborn {
                    self.acts.write(format_args!("left {line}"));
                }
                if self.left.len() < NAMED && !self.left.contains(&line) {
                    self.left.push(line);
                }
            }
            let wait = if stubborn { STUBBORN_EVERY_MS } else { PASS_EVERY_MS };
            self.phase = Phase::Sweeping { since, next: now + wait, empty: 0 };
            return;
        }
    }
}
