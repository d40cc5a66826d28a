//! How long a program has printed nothing, in running time: neither sleep nor pauses count. Nobody looks again and again: the follower
//! writes down when it heard something, and the loop wakes when a silence could have become too long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use footplate_core::alert::AlertAction;
use footplate_shim::clock;
use footplate_shim::contract::{Act, Start, paused_ms};
use footplate_shim::folder::AttemptDir;
use footplate_shim::log::{INDEX_ENTRY_BYTES, IndexKind, index_from};

/// Entries of the index that are read to find the last output.
const ENTRIES: u64 = 64;

/// When an attempt's program was last heard; shared with the thread that reads its log.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// On the running clock, milliseconds.
    heard: AtomicU64,
    /// Up to here the log was read.
    read_to: AtomicU64,
    /// The loop wants to be woken by the next output.
    awaited: AtomicBool,
}

impl Pulse {
    /// Something was heard now: the log was read up to here. True: the loop waits for it.
    pub(super) fn beat(&self, read_to: u64) -> bool {
        self.read_to.fetch_max(read_to, Ordering::SeqCst);
        self.heard.fetch_max(clock::running_ms(), Ordering::SeqCst);
        self.awaited.load(Ordering::SeqCst)
    }

    fn heard(&self) -> u64 {
        self.heard.load(Ordering::SeqCst)
    }
}

/// What a stage says about silence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Running time without output that is too long, milliseconds.
    pub(super) limit_ms: u64,
    /// What follows.
    pub(super) action: AlertAction,
}

/// An alert that was raised and has not ended.
#[derive(Clone, Copy, Debug)]
struct Raised {
    alert: i64,
    /// When the program had been heard last, on the running clock.
    heard: u64,
}

/// The silence of one attempt, as the loop watches it.
#[derive(Debug)]
pub(super) struct Silence {
    pub(super) patience: Patience,
    pulse: Arc<Pulse>,
    /// Since when it is paused, on the running clock.
    paused: Option<u64>,
    raised: Option<Raised>,
}

/// What is to be done about a silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Called {
    /// It has become too long.
    TooLong,
    /// It is over: this alert ends.
    Over(i64),
}

impl Silence {
    /// Takes up an attempt: how long it has been silent is read from its folder. `before`: its alert that has not ended, and when it began.
    pub(super) fn of(
        dir: &AttemptDir,
        start: &Start,
        patience: Patience,
        pulse: &Arc<Pulse>,
        paused: bool,
        before: Option<(i64, i64)>,
    ) -> Silence {
        let (now, wall) = (clock::running_ms(), clock::wall_ms());
        let last = last_output(dir);
        let heard = last_heard(start, last, &dir.acts(), now, wall);
        // What was heard before this was called is in the records; the follower may have heard more since.
        pulse.heard.fetch_max(heard, Ordering::SeqCst);
        pulse.read_to.fetch_max(dir.log_end(), Ordering::SeqCst);
        let raised = before.map(|(alert, since)| {
            // It spoke again while nobody listened.
            let over = last.is_some_and(|last| last > since);
            Raised { alert, heard: if over { 0 } else { pulse.heard() } }
        });
        pulse.awaited.store(raised.is_some(), Ordering::SeqCst);
        Silence { patience, pulse: Arc::clone(pulse), paused: paused.then_some(now), raised }
    }

    /// Paused, or going on: the time between is no silence.
    pub(super) fn set_paused(&mut self, paused: bool, now: u64) {
        match (self.paused, paused) {
            (None, true) => self.paused = Some(now),
            (Some(since), false) => {
                self.paused = None;
                let quiet = since.saturating_sub(self.pulse.heard());
                self.pulse.heard.fetch_max(now.saturating_sub(quiet), Ordering::SeqCst);
                if let Some(raised) = &mut self.raised {
                    raised.heard = self.pulse.heard();
                }
            }
            _ => {}
        }
    }

    /// When something is to be done about it at the earliest, on the running clock; `None`: not before something else happens.
    pub(super) fn due(&self) -> Option<u64> {
        match self.raised {
            Some(raised) => (self.pulse.heard() > raised.heard).then_some(0),
            None if self.paused.is_some() => None,
            None => Some(self.pulse.heard().saturating_add(self.patience.limit_ms)),
        }
    }

    /// What is to be done now.
    pub(super) fn call(&self, now: u64) -> Option<Called> {
        if self.due().is_none_or(|due| due > now) {
            return None;
        }
        Some(self.raised.map_or(Called::TooLong, |raised| Called::Over(raised.alert)))
    }

    /// Whether its log has grown beyond what was read: the follower takes its time. It is heard then.
    pub(super) fn is_being_heard(&self, dir: &AttemptDir) -> bool {
        let end = dir.log_end();
        let grown = end > self.pulse.read_to.load(Ordering::SeqCst);
        if grown {
            self.pulse.beat(end);
        }
        grown
    }

    /// The alert that was raised.
    pub(super) fn raise(&mut self, alert: i64) {
        self.raised = Some(Raised { alert, heard: self.pulse.heard() });
        self.pulse.awaited.store(true, Ordering::SeqCst);
    }

    /// It has ended.
    pub(super) fn end(&mut self) {
        self.raised = None;
        self.pulse.awaited.store(false, Ordering::SeqCst);
    }
}

/// When the last output came, UTC milliseconds; `None` before the first.
pub(super) fn last_output(dir: &AttemptDir) -> Option<i64> {
    let entry = INDEX_ENTRY_BYTES as u64;
    let entries = std::fs::metadata(dir.index_path()).ok()?.len() / entry;
    let (last, _) = index_from(dir, entries.saturating_sub(ENTRIES) * entry).ok()?;
    last.iter().rev().find(|entry| entry.kind == IndexKind::Chunk).map(|entry| entry.wall_ms)
}

/// When a program was last heard, on the running clock, from what its shim wrote down. Outputs are dated by the wall clock only: all sleep
/// since the start is taken off, so that a silence is told too short rather than too long.
fn last_heard(start: &Start, last_output: Option<i64>, acts: &[Act], now: u64, wall: i64) -> u64 {
    let since = |then: i64| u64::try_from(wall.saturating_sub(then)).unwrap_or(0);
    let ran = now.saturating_sub(start.started_running_ms);
    let asleep = since(start.started_ms).saturating_sub(ran);
    let silent = since(last_output.unwrap_or(start.started_ms).max(start.started_ms)).saturating_sub(asleep).min(ran);
    let heard = now - silent;
    // Pauses after it; of those before it nothing counts.
    let after: Vec<Act> = acts.iter().map(|act| Act { running_ms: act.running_ms.max(heard), ..act.clone() }).collect();
    (heard + paused_ms(&after, now)).min(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(running: u64, wall: i64) -> Start {
        let one = serde_json::json!({ "pid": 5, "start": 0, "boot": "b" });
        serde_json::from_value(serde_json::json!({
            "version": 1, "shim": one, "child": one, "pgid": 5, "sid": 5,
            "started_ms": wall, "started_running_ms": running,
        }))
        .unwrap()
    }

    #[test]
    fn neither_sleep_nor_a_pause_nor_a_set_clock_is_silence() {
        let start = started(1_000, 50_000);
        let heard = |last, acts: &str, now, wall| {
            let acts: Vec<Act> = acts.lines().map(|line| line.parse().unwrap()).collect();
            last_heard(&start, last, &acts, now, wall)
        };
        assert_eq!(heard(None, "", 4_000, 53_000), 1_000, "it never said anything");
        assert_eq!(heard(Some(52_000), "", 4_000, 53_000), 3_000);
        // 100 s of sleep, before or after the last output: what is left is never more than the silence.
        assert_eq!(heard(Some(152_000), "", 4_000, 153_000), 4_000);
        assert_eq!(heard(Some(52_000), "", 4_000, 153_000), 3_000);
        // Paused for one of the two seconds, and paused still.
        assert_eq!(heard(Some(51_000), "2500 0 paused user\n3500 0 unpaused user", 4_000, 53_000), 3_000);
        assert_eq!(heard(Some(51_000), "2500 0 paused user", 4_000, 53_000), 3_500);
        assert_eq!(heard(Some(53_000), "1500 0 paused user\n1700 0 unpaused user", 4_000, 53_000), 4_000);
        // The wall clock was set back a year.
        assert_eq!(heard(Some(52_000), "", 4_000, -31_000_000_000), 4_000);
    }

    #[test]
    fn a_silence_is_called_once_and_its_end_once_and_a_pause_stops_its_clock() {
        let pulse = Arc::new(Pulse::default());
        pulse.heard.store(100, Ordering::SeqCst);
        let patience = Patience { limit_ms: 50, action: AlertAction::Notify };
        let mut silence = Silence { patience, pulse: Arc::clone(&pulse), paused: None, raised: None };
        assert_eq!((silence.due(), silence.call(149), silence.call(150)), (Some(150), None, Some(Called::TooLong)));
        silence.set_paused(true, 140);
        assert_eq!((silence.due(), silence.call(10_000)), (None, None));
        silence.set_paused(false, 1_000);
        assert_eq!(silence.due(), Some(1_010), "40 of the 50 had passed");
        silence.raise(7);
        assert_eq!((silence.due(), silence.call(u64::MAX)), (None, None));
        silence.set_paused(true, 2_000);
        silence.set_paused(false, 3_000);
        assert_eq!(silence.call(u64::MAX), None, "a pause is no word");
        pulse.heard.store(4_000, Ordering::SeqCst);
        assert_eq!(silence.call(1), Some(Called::Over(7)));
        silence.end();
        assert_eq!(silence.due(), Some(4_050));
    }
}
