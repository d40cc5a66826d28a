//! What was found and may be written down a little later: that a program runs. One that ends before that costs a commit less, and
//! in a graph of short stages it is the commits that others wait for.

use footplate_core::AttemptKey;
use footplate_shim::clock;

use super::recover::Finding;

/// How much later at most, milliseconds: nobody who looks sees the difference.
const LATER_MS: u64 = 100;

/// Findings that no transaction has taken yet.
#[derive(Default)]
pub(super) struct Untold {
    /// May wait for the next transaction, whatever that is for.
    waiting: Vec<Finding>,
    /// Must be written down now.
    pressing: Vec<Finding>,
    /// When those that wait have waited long enough, on the running clock.
    due: Option<u64>,
}

impl Untold {
    /// Something was found. What is over need not be said to have begun.
    pub(super) fn add(&mut self, found: Vec<Finding>) {
        for finding in found {
            match waits(&finding) {
                Some(key) => {
                    let same = |other: &Finding| {
                        waits(other) == Some(key) && std::mem::discriminant(other) == std::mem::discriminant(&finding)
                    };
                    // Seen again: what was seen last counts.
                    self.waiting.retain(|other| !same(other));
                    self.due.get_or_insert_with(|| clock::running_ms() + LATER_MS);
                    self.waiting.push(finding);
                }
                None => {
                    if let Finding::Ended(end) = &finding {
                        self.waiting.retain(|other| waits(other) != Some(end.key));
                    }
                    self.pressing.push(finding);
                }
            }
        }
        if self.waiting.is_empty() {
            self.due = None;
        }
    }

    /// A transaction is needed for it.
    pub(super) fn is_pressing(&self) -> bool {
        !self.pressing.is_empty() || self.due.is_some_and(|at| at <= clock::running_ms())
    }

    /// When a transaction will be needed for what waits, on the running clock.
    pub(super) fn due(&self) -> Option<u64> {
        self.due
    }

    /// What waited: it goes before the wishes, which may be about it.
    pub(super) fn waiting(&mut self) -> Vec<Finding> {
        self.due = None;
        std::mem::take(&mut self.waiting)
    }

    /// What is pressing: it goes after the wishes, on which an end depends.
    pub(super) fn pressing(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.pressing)
    }
}

/// Of which attempt, where it may wait.
fn waits(finding: &Finding) -> Option<AttemptKey> {
    match finding {
        Finding::Started(key, _) | Finding::Measured(key, _) => Some(*key),
        Finding::Adopted(_)
        | Finding::Ended(_)
        | Finding::Relaunch(_)
        | Finding::Carried(..)
        | Finding::Told(..)
        | Finding::Stuck(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use footplate_core::state::settle::Evidence;
    use footplate_shim::contract::Start;
    use footplate_shim::identity::Identity;

    use super::super::ends::End;
    use super::*;

    fn key(stage: u32) -> AttemptKey {
        AttemptKey { run: 1, stage, attempt: 1 }
    }

    fn started(stage: u32) -> Vec<Finding> {
        let me = Identity::own().expect("this process");
        let start = Start {
            version: 1,
            shim: me.clone(),
            child: me,
            pgid: 0,
            sid: 0,
            started_ms: 0,
            started_running_ms: 0,
            oom_kills: None,
        };
        vec![Finding::Measured(key(stage), Box::new(start.clone())), Finding::Started(key(stage), Box::new(start))]
    }

    fn ended(stage: u32) -> Vec<Finding> {
        vec![Finding::Ended(Box::new(End::nothing(key(stage), Evidence::Voided)))]
    }

    #[test]
    fn a_start_waits_for_the_next_transaction_and_is_found_once() {
        let mut untold = Untold::default();
        untold.add(started(1));
        untold.add(started(1));
        assert!(!untold.is_pressing() && untold.due().is_some());
        untold.add(ended(2));
        assert!(untold.is_pressing());
        let keys: Vec<_> = untold.waiting().iter().map(|f| waits(f).expect("it waits").stage).collect();
        assert_eq!(keys, [1, 1], "measured and started, once each");
        assert_eq!(untold.pressing().len(), 1);
        assert!(!untold.is_pressing() && untold.due().is_none());
    }

    #[test]
    fn what_ends_while_its_start_waits_is_only_said_to_have_ended() {
        let mut untold = Untold::default();
        untold.add(started(1));
        untold.add(started(2));
        untold.add(ended(1));
        let keys: Vec<_> = untold.waiting().iter().map(|f| waits(f).expect("it waits").stage).collect();
        assert_eq!(keys, [2, 2]);
        untold.add(started(3));
        untold.add(ended(3));
        assert_eq!((untold.due(), untold.pressing().len()), (None, 2));
    }
}
