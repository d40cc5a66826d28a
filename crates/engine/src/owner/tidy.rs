//! What grows with every run and must not be felt: old events and answered wishes go, names come into their index. A little at
//! a time, so that nobody waits for it.

use footplate_shim::clock;
use footplate_store::{Store, StoreError};

/// Events and answered wishes are kept for 7 days ...
const KEEP_MS: i64 = 7 * 24 * 3600 * 1000;
/// ... and of the events at most so many.
const KEEP_EVENTS: u64 = 1_000_000;
/// Rows that go, and names that come, in one transaction, at most.
const STEP: u32 = 2_000;
/// Fewer runs than this are not worth a transaction: a search walks along them.
const NAMES: i64 = 500;
/// How often, while things change, it is looked whether something has grown old, milliseconds.
const EVERY_MS: u64 = 3_600_000;

/// When there is something to tidy up.
pub(super) struct Tidy {
    /// When to look for what has grown old, on the running clock; none where nothing has changed since.
    look_at: Option<u64>,
    /// Whether the last look left something.
    more: bool,
    /// The newest run in the index of names, once it was asked for.
    named: Option<i64>,
}

impl Tidy {
    /// Looks soon after the start.
    pub(super) fn new() -> Tidy {
        Tidy { look_at: Some(clock::running_ms()), more: false, named: None }
    }

    /// Something was committed.
    pub(super) fn changed(&mut self) {
        self.look_at.get_or_insert_with(|| clock::running_ms() + EVERY_MS);
    }

    /// Something is left to be tidied up at once.
    pub(super) fn is_busy(&self) -> bool {
        self.more
    }

    /// When the loop has to come back for this, on the running clock.
    pub(super) fn due(&self) -> Option<u64> {
        if self.more { Some(0) } else { self.look_at }
    }

    /// One step, where there is one to take. `newest`: the newest run there is.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn tend(&mut self, store: &mut Store, newest: i64) -> Result<(), StoreError> {
        let named = match self.named {
            Some(named) => named,
            None => store.read()?.named()?,
        };
        self.named = Some(named);
        let old = self.look_at.is_some_and(|at| at <= clock::running_ms());
        let unnamed = newest - named >= NAMES;
        self.more = false;
        if !old && !unnamed {
            return Ok(());
        }
        let now = clock::wall_ms();
        let (gone, named) = store.write(|tx| {
            let gone = if old {
                let events = tx.trim(KEEP_MS, KEEP_EVENTS, now, STEP)?;
                events.max(tx.trim_wishes(now - KEEP_MS, STEP)?)
            } else {
                0
            };
            Ok((gone, if unnamed { tx.name_runs(newest, STEP)? } else { named }))
        })?;
        let left = gone >= u64::from(STEP);
        if old && !left {
            self.look_at = None;
        }
        self.named = Some(named);
        self.more = left || newest - named >= NAMES;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_due_at_once_and_after_that_only_where_something_changes() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path(), footplate_store::Role::Owner).unwrap();
        let mut tidy = Tidy::new();
        assert!(tidy.due().is_some_and(|at| at <= clock::running_ms()), "at the start");
        tidy.tend(&mut store, 0).unwrap();
        assert_eq!((tidy.due(), tidy.is_busy()), (None, false));
        tidy.changed();
        assert!(tidy.due().is_some_and(|at| at > clock::running_ms() + EVERY_MS / 2));

        let event = footplate_core::event::Event::Note { stage: None, text: "old".to_owned() };
        let old = clock::wall_ms() - KEEP_MS - 1_000;
        let count = i64::from(STEP) * 2 + 10;
        store.write(|tx| (0..count).try_for_each(|_| tx.append(None, &event, old).map(|_| ()))).unwrap();
        tidy.look_at = Some(0);
        let mut steps = 0;
        while tidy.due() == Some(0) {
            tidy.tend(&mut store, 0).unwrap();
            steps += 1;
        }
        assert_eq!(steps, 3, "a little at a time");
        let read = store.read().unwrap();
        assert_eq!((read.first_seq().unwrap(), read.last_seq().unwrap()), (count, count), "the newest stays");
    }

    #[test]
    fn names_come_into_the_index_when_there_are_enough_of_them() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path(), footplate_store::Role::Owner).unwrap();
        let mut tidy = Tidy::new();
        tidy.tend(&mut store, NAMES - 1).unwrap();
        assert_eq!((store.read().unwrap().named().unwrap(), tidy.is_busy()), (0, false));
        // All of them were removed meanwhile: there is nothing to do, and that is done.
        tidy.tend(&mut store, NAMES).unwrap();
        assert_eq!((store.read().unwrap().named().unwrap(), tidy.is_busy()), (NAMES, false));
        tidy.tend(&mut store, NAMES + i64::from(STEP) * 3).unwrap();
        assert!(tidy.is_busy(), "the rest at once");
    }
}
