//! The one lock: whoever holds it decides. The kernel gives it back when its holder dies; no clock is asked.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use footplate_shim::clock;
use footplate_shim::contract::OwnerLine;

/// This program's version, as written into the lock file.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The owner's lock, held until dropped.
#[derive(Debug)]
pub struct OwnerLock {
    file: File,
    path: PathBuf,
    line: OwnerLine,
    after_order: bool,
}

/// What became of a try.
#[derive(Debug)]
pub enum Acquired {
    /// It is ours.
    Ours(OwnerLock),
    /// Somebody holds it; who, as far as the file tells.
    Held(Option<OwnerLine>),
}

impl OwnerLock {
    /// Tries once, without waiting.
    ///
    /// # Errors
    /// What the system says.
    pub fn try_acquire(path: &Path) -> io::Result<Acquired> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Self::taken(file, path).map(Acquired::Ours),
            Err(TryLockError::WouldBlock) => Ok(Acquired::Held(read_line(&file))),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Waits until the lock is ours.
    ///
    /// # Errors
    /// What the system says.
    pub fn acquire(path: &Path) -> io::Result<OwnerLock> {
        loop {
            let file = open(path)?;
            file.lock()?;
            // The file may have been replaced while we waited in the old one's queue.
            if same_file(&file, path) {
                return Self::taken(file, path);
            }
        }
    }

    fn taken(file: File, path: &Path) -> io::Result<OwnerLock> {
        let line = OwnerLine {
            pid: std::process::id().cast_signed(),
            version: VERSION.to_owned(),
            orderly: false,
            since_ms: clock::wall_ms(),
        };
        // An empty file is a new one: nobody left it in disorder.
        let after_order = file.metadata()?.len() == 0 || read_line(&file).is_some_and(|before| before.orderly);
        let mut lock = OwnerLock { file, path: path.to_owned(), line, after_order };
        lock.write()?;
        Ok(lock)
    }

    /// Whether the lock we hold is still the one that others would try: the data folder was not replaced under us.
    #[must_use]
    pub fn is_still_there(&self) -> bool {
        same_file(&self.file, &self.path)
    }

    /// Whether the holder before us meant to leave.
    #[must_use]
    pub fn follows_order(&self) -> bool {
        self.after_order
    }

    /// Gives the lock back, with the remark that its holder meant to leave.
    ///
    /// # Errors
    /// What the system says; the lock is free all the same.
    pub fn leave(mut self) -> io::Result<()> {
        self.line.orderly = true;
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        let mut text = serde_json::to_vec(&self.line)?;
        text.push(b'\n');
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&text)?;
        self.file.set_len(text.len() as u64)
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn read_line(mut file: &File) -> Option<OwnerLine> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(text.lines().next()?).ok()
}

fn same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(there)) => held.ino() == there.ino() && held.dev() == there.dev(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_the_next_reads_how_the_last_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("owner.lock");
        let Acquired::Ours(first) = OwnerLock::try_acquire(&path).unwrap() else { panic!("the lock is free") };
        assert!(first.is_still_there());
        let Acquired::Held(Some(line)) = OwnerLock::try_acquire(&path).unwrap() else { panic!("the lock is held") };
        assert_eq!((line.pid, line.orderly), (std::process::id().cast_signed(), false));
        first.leave().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(serde_json::from_str::<OwnerLine>(text.trim()).unwrap().orderly);
        let second = OwnerLock::acquire(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(!second.is_still_there());
    }
}
