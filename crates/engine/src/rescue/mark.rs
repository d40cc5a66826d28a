//! How far the store had come when an owner last looked, or somebody added a run, in a small file beside it. A store that is behind it
//! lost its newest changes: its journal was removed or damaged, or an older file was put in its place. SQLite finds nothing wrong with
//! such a file.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use footplate_store::{Store, StoreError};
use serde::{Deserialize, Serialize};

use crate::home::Home;

/// The file has this size, padded with blanks: written in one piece, in place.
const BYTES: usize = 160;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    /// The store's own name.
    epoch: String,
    /// The greatest number that a run was given.
    run: i64,
    /// The greatest number of an event.
    seq: i64,
}

/// The owner's hand on the file.
#[derive(Debug)]
pub(crate) struct Mark {
    file: Option<File>,
    epoch: String,
    run: i64,
}

impl Mark {
    /// For this store, written at the first call of [`Mark::advance`]. Where the file cannot be made there is no mark.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) fn of(home: &Home, store: &Store) -> Result<Mark, StoreError> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(home.mark());
        Ok(Mark { file: file.ok(), epoch: store.epoch()?, run: -1 })
    }

    /// The store has come to this run: written where that is further than before.
    pub(crate) fn advance(&mut self, run: i64, seq: impl FnOnce() -> Result<i64, StoreError>) {
        if run > self.run {
            self.run = run;
            self.write(seq);
        }
    }

    /// The store's last word, by an owner who leaves.
    pub(crate) fn leave(&mut self, run: i64, seq: impl FnOnce() -> Result<i64, StoreError>) {
        self.run = self.run.max(run);
        self.write(seq);
    }

    fn write(&mut self, seq: impl FnOnce() -> Result<i64, StoreError>) {
        let (Some(file), Ok(seq)) = (&self.file, seq()) else { return };
        let line = Line { epoch: self.epoch.clone(), run: self.run, seq };
        // A mark that could not be written tells less; nothing depends on it.
        let _ = encode(&line).and_then(|bytes| file.write_all_at(&bytes, 0));
    }
}

fn encode(line: &Line) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(line)?;
    if bytes.len() >= BYTES {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    bytes.resize(BYTES - 1, b' ');
    bytes.push(b'\n');
    Ok(bytes)
}

/// Forgets the mark: what it was set at is no more.
pub(crate) fn forget(home: &Home) {
    let _ = std::fs::remove_file(home.mark());
}

/// A guest has added runs, up to this one: there may be no owner to see them before the store is lost. What cannot be noted is not.
pub(crate) fn note(home: &Home, store: &Store, run: i64) {
    let note = || -> Result<(), StoreError> {
        let mut mark = Mark::of(home, store)?;
        if read(home).is_none_or(|line| line.run < run || line.epoch != mark.epoch) {
            mark.advance(run, || store.read()?.last_seq());
        }
        Ok(())
    };
    let _ = note();
}

fn read(home: &Home) -> Option<Line> {
    let text = std::fs::read_to_string(home.mark()).ok()?;
    serde_json::from_str(text.trim()).ok()
}

/// The greatest number that a run was given, as far as the mark tells.
pub(super) fn newest_run(home: &Home) -> i64 {
    read(home).map_or(0, |line| line.run)
}

/// How a store that SQLite finds sound falls short of the mark, in half a sentence.
pub(super) enum Short {
    /// It is ours, and ends too early.
    Behind(String),
    /// It is another one.
    Foreign(String),
}

/// What the store lacks; `None` where it has come as far as the mark, or there is none.
///
/// # Errors
/// What the store says.
pub(super) fn lacks(home: &Home, store: &Store) -> Result<Option<Short>, StoreError> {
    let Some(line) = read(home) else { return Ok(None) };
    let read = store.read()?;
    let (run, seq) = (read.next_run_number()? - 1, read.last_seq()?);
    if line.epoch != store.epoch()? {
        let why = "state.db is another store than the one that was used here last".to_owned();
        return Ok(Some(Short::Foreign(why)));
    }
    Ok((line.run > run || line.seq > seq).then(|| {
        Short::Behind(format!(
            "its newest changes are missing: it ends with run #{run} and change {seq}, and had come to run #{} and change {}",
            line.run, line.seq
        ))
    }))
}
