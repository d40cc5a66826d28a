//! Secrets that belong to nobody: of a submit that was killed before its run was written, or of a removal that was killed before they
//! were erased. They go a week later, a few at a time.

use std::fs::ReadDir;
use std::os::unix::fs::MetadataExt;

use footplate_core::RunId;
use footplate_shim::clock;
use footplate_store::{Read, Store, StoreError};

use crate::home::Home;
use crate::secrets;

/// A submit writes them before its run, and people may go back to a store that was put aside: for so long they stay,
/// seconds.
const YOUNG_S: i64 = 7 * 24 * 3600;
/// How often they are looked for, whoever is the owner, milliseconds.
const EVERY_MS: i64 = 24 * 3_600_000;
/// So many files are looked at at a time.
const STEP: usize = 200;
/// The setting with the time of the last look, UTC milliseconds.
const LOOKED: &str = "secrets.looked";

/// Where the look stands.
#[derive(Default)]
pub(super) struct Strays {
    /// When to look next, UTC milliseconds; none before the store was asked.
    next: Option<i64>,
    /// What is left of the folder.
    left: Option<ReadDir>,
}

impl Strays {
    /// Whether some are left to be looked at at once.
    pub(super) fn is_busy(&self) -> bool {
        self.left.is_some()
    }

    /// One step, where there is one to take. What cannot be erased stays until the next look.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn tend(&mut self, home: &Home, store: &mut Store) -> Result<(), StoreError> {
        let now = clock::wall_ms();
        if self.left.is_none() {
            let next = match self.next {
                Some(next) => next,
                None => next(store.read()?.setting(LOOKED)?.as_deref(), now),
            };
            self.next = Some(next);
            if now < next {
                return Ok(());
            }
            self.next = Some(now + EVERY_MS);
            match store.write(|tx| tx.put_setting(LOOKED, &now.to_string())) {
                // No reason for an owner to leave.
                Err(StoreError::Full) => return Ok(()),
                other => other?,
            }
            self.left = std::fs::read_dir(home.secrets_dir()).ok();
        }
        self.step(home, store, now / 1000 - YOUNG_S)
    }

    /// Looks at some of the files that nothing has touched since `before`, in seconds since the epoch. Not by the time of their content: a
    /// link to another run's is as old as that.
    fn step(&mut self, home: &Home, store: &Store, before: i64) -> Result<(), StoreError> {
        let Some(left) = &mut self.left else { return Ok(()) };
        let read = store.read()?;
        for _ in 0..STEP {
            let Some(entry) = left.next() else {
                self.left = None;
                return Ok(());
            };
            let Ok(entry) = entry else { continue };
            let name = entry.file_name();
            let old = entry.metadata().is_ok_and(|facts| facts.ctime() <= before);
            if let Some(name) = name.to_str().filter(|_| old)
                && !is_named(&read, name)?
            {
                let _ = secrets::erase(home, name);
            }
        }
        Ok(())
    }
}

/// When to look next, by when somebody looked last. A clock that stood ahead then puts nothing off.
fn next(looked: Option<&str>, now: i64) -> i64 {
    let looked: Option<i64> = looked.and_then(|text| text.parse().ok());
    looked.filter(|at| *at <= now).map_or(now, |at| at + EVERY_MS)
}

/// Whether a run or a schedule names it; what is not named like one of ours is left alone.
fn is_named(read: &Read<'_>, name: &str) -> Result<bool, StoreError> {
    let Ok(id) = name.parse::<RunId>() else { return Ok(true) };
    let of_run = read.run_by_id(&id)?.is_some_and(|run| run.secrets.as_deref() == Some(name));
    Ok(of_run || read.schedules()?.iter().any(|schedule| schedule.secrets.as_deref() == Some(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use footplate_store::Role;

    #[test]
    fn old_ones_that_nobody_names_go_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path()).unwrap();
        let mut store = Store::open(home.state_dir(), Role::Owner).unwrap();
        let name = || home.secrets_dir().join(RunId(crate::fresh::uuid()).to_string());
        let nobodys: Vec<_> = (0..STEP + 10).map(|_| name()).collect();
        let foreign = home.secrets_dir().join("notes.txt");
        for path in nobodys.iter().chain([&foreign]) {
            std::fs::write(path, "secret").unwrap();
        }
        let there = || nobodys.iter().filter(|path| path.exists()).count();
        let mut strays = Strays::default();
        while strays.next.is_none() || strays.is_busy() {
            strays.tend(&home, &mut store).unwrap();
        }
        assert_eq!(there(), nobodys.len(), "they may be those of a submit under way");
        strays.tend(&home, &mut store).unwrap();
        assert!(!strays.is_busy(), "looked at once a day");
        let mut of_the_next = Strays::default();
        of_the_next.tend(&home, &mut store).unwrap();
        assert!(!of_the_next.is_busy(), "whoever is the owner");
        let mut steps = 0;
        strays.left = Some(std::fs::read_dir(home.secrets_dir()).unwrap());
        while strays.is_busy() {
            strays.step(&home, &store, i64::MAX).unwrap();
            steps += 1;
        }
        assert_eq!((there(), foreign.exists(), steps), (0, true, 2));
    }

    #[test]
    fn a_clock_that_stood_ahead_puts_no_look_off() {
        assert_eq!(next(None, 10), 10);
        assert_eq!(next(Some("4"), 10), 4 + EVERY_MS);
        assert_eq!((next(Some("11"), 10), next(Some("rubbish"), 10)), (10, 10));
    }
}
