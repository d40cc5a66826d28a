//! Where another shim has been before.

use super::{Attendance, Reason, running_ms};
use footplate_shim::contract::{Act, paused_ms};

impl Attendance {
    /// What the shim before had been told and had begun, from its own account.
    pub(super) fn recall(&mut self, acts: &[Act]) {
        let first = |act: &Act| act.args.first().cloned().unwrap_or_default();
        let now = running_ms();
        // What it had got and not come to: of those that are not over and done with, only the last is without its answer.
        let mut open = None;
        for act in acts {
            match act.verb.as_str() {
                "got" => {
                    self.wishes.push(first(act));
                    open = act.args.get(1).zip(act.args.get(2).and_then(|reason| reason.parse::<Reason>().ok()));
                }
                "paused" => self.paused_for.extend(first(act).parse::<Reason>()),
                "unpaused" => self.paused_for.retain(|reason| reason.to_string() != first(act)),
                _ => {}
            }
            if matches!(act.verb.as_str(), "paused" | "unpaused") {
                open = None;
            }
        }
        self.paused_ms = paused_ms(acts, now);
        if !self.paused_for.is_empty() {
            // Where there is no anchor, a stopped group that loses its last parent in the session is sent HUP and CONT: who survived the
            // first runs.
            self.stop_tree();
            self.paused_since = Some(now);
        }
        self.acts.write("adopted");
        let did = |verb: &str| acts.iter().any(|act| act.verb == verb);
        let told = |verb: &str| acts.iter().find(|act| act.verb == "got" && act.args.get(1).is_some_and(|v| v == verb));
        self.timed_out = did("timeout");
        self.session_end = did("session_end");
        self.by_wish = told("stop").or_else(|| told("kill")).map(first);
        // What was begun is gone on with; a checkpoint that was asked for has had its time.
        if told("kill").is_some() {
            self.begin_stop(now, 0, false);
        } else if self.by_wish.is_some() || self.timed_out || self.session_end {
            self.begin_stop(now, self.spec.grace_ms, false);
        }
        match open {
            Some((verb, reason)) if verb == "pause" => self.pause(now, reason),
            Some((_, reason)) => self.resume(now, reason),
            None => {}
        }
    }
}
