//! Secrets that belong to nobody: of a submit that was killed before its run was written, or of a removal that was killed before they
//! were erased. They go a week later, a few at a time.

use std::collections::VecDeque;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use footplate_core::RunId;
use footplate_shim::clock;
use footplate_store::{Read, Store, StoreError};

use crate::home::Home;
use crate::secrets;

/// A submit writes them before its run, and people may go back to a store that was put aside: for so long they stay.
const YOUNG: Duration = Duration::from_secs(7 * 24 * 3600);
/// How often they are looked for, milliseconds.
const EVERY_MS: u64 = 24 * 3_600_000;
/// So many are looked up at a time.
const STEP: usize = 200;

/// The ones to be looked up.
pub(super) struct Strays {
    /// When to look for them next, on the running clock.
    next: u64,
    names: VecDeque<String>,
}

impl Strays {
    /// Looks soon after the start.
    pub(super) fn new() -> Strays {
        Strays { next: clock::running_ms(), names: VecDeque::new() }
    }

    /// Whether some are left to be looked up at once.
    pub(super) fn is_busy(&self) -> bool {
        !self.names.is_empty()
    }

    /// One step, where there is one to take. What cannot be erased stays until the next look.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn tend(&mut self, home: &Home, store: &Store) -> Result<(), StoreError> {
        if self.names.is_empty() {
            if clock::running_ms() < self.next {
                return Ok(());
            }
            self.next = clock::running_ms() + EVERY_MS;
            self.names = old(home, YOUNG);
        }
        if self.names.is_empty() {
            return Ok(());
        }
        let read = store.read()?;
        for _ in 0..STEP {
            let Some(name) = self.names.pop_front() else { break };
            if !is_named(&read, &name)? {
                let _ = secrets::erase(home, &name);
            }
        }
        Ok(())
    }
}

/// The files that are old enough, by name. Not by the time of their content: a link to another run's is as old as that.
fn old(home: &Home, young: Duration) -> VecDeque<String> {
    let before = clock::wall_ms() / 1000 - i64::try_from(young.as_secs()).unwrap_or(i64::MAX);
    let Ok(entries) = std::fs::read_dir(home.secrets_dir()) else { return VecDeque::new() };
    entries
        .flatten()
        .filter(|entry| entry.metadata().is_ok_and(|facts| facts.ctime() <= before))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
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
        let store = Store::open(home.state_dir(), Role::Owner).unwrap();
        let nobodys = home.secrets_dir().join(RunId(crate::fresh::uuid()).to_string());
        let foreign = home.secrets_dir().join("notes.txt");
        for path in [&nobodys, &foreign] {
            std::fs::write(path, "secret").unwrap();
        }
        let mut strays = Strays::new();
        strays.tend(&home, &store).unwrap();
        assert!(nobodys.exists(), "it may be that of a submit under way");
        strays.names = old(&home, Duration::ZERO);
        strays.tend(&home, &store).unwrap();
        assert_eq!([nobodys.exists(), foreign.exists(), strays.is_busy()], [false, true, false]);
    }
}
