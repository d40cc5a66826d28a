//! What the shim writes down about itself: `acts.log` and the exit record.

use footplate_shim::clock::{running_ms, wall_ms};
use footplate_shim::contract::Exit;
use footplate_shim::failpoint;
use footplate_shim::folder::AttemptDir;
use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `acts.log`, made when there is a first act.
pub(super) struct Acts {
    path: PathBuf,
    file: Option<File>,
    torn: bool,
}

impl Acts {
    pub(super) fn new(folder: &AttemptDir) -> Self {
        Self { path: folder.acts_path(), file: None, torn: false }
    }

    /// Whether anything was done at all.
    pub(super) fn any(&self) -> bool {
        self.file.is_some()
    }

    /// One line, one write. A full disk stops nobody.
    pub(super) fn write(&mut self, act: impl Display) {
        let torn = if self.torn { "\n" } else { "" };
        let line = format!("{torn}{} {} {act}\n", running_ms(), wall_ms());
        if self.file.is_none() {
            self.file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path).ok();
        }
        if let Some(file) = &mut self.file {
            self.torn = file.write_all(line.as_bytes()).is_err();
        }
    }
}

/// Between two tries to write the exit record; each wait is twice the one before, and the last no longer than this.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The room for the exit record, taken before the gate opens, so that a full disk cannot keep it out.
pub(super) struct ExitPaper {
    folder: AttemptDir,
    file: File,
}

impl ExitPaper {
    /// Takes the room, under a name that means nothing yet: an `exit.tmp` says that the gate may have opened.
    pub(super) fn take(folder: &AttemptDir) -> io::Result<Self> {
        let path = folder.path().join("exit.new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(&Exit::blank())?;
        Ok(Self { folder: folder.clone(), file })
    }

    /// The room that a shim took which is gone now.
    pub(super) fn again(folder: &AttemptDir) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).open(folder.path().join("exit.tmp"))?;
        Ok(Self { folder: folder.clone(), file })
    }

    /// Makes it `exit.tmp`, and sure to survive a power cut: itself, and the three folders it hangs on. Where one journal
    /// orders the whole file system, the file's own fsync after the rename has carried them with it.
    pub(super) fn put_down(&self) -> io::Result<()> {
        let attempt = self.folder.path();
        std::fs::rename(attempt.join("exit.new"), attempt.join("exit.tmp"))?;
        failpoint::hit("shim-exit-room-named");
        self.file.sync_all()?;
        if !footplate_shim::os::fsync_carries_folders(&self.file) {
            for folder in attempt.ancestors().take(3) {
                sync_folder(folder)?;
            }
        }
        Ok(())
    }

    /// Writes the record in place, makes it durable, and gives it its name. Under either name it counts. A disk that refuses is
    /// asked again for a while, and for another place: a file system that never overwrites may have no room even here.
    pub(super) fn record(&self, exit: &Exit) -> io::Result<()> {
        let sealed = exit.seal()?;
        let mut wait = FIRST_WAIT;
        loop {
            let error = match self.record_in_place(&sealed).or_else(|_| self.record_anew(&sealed)) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if wait > LONGEST_WAIT {
                return Err(error);
            }
            std::thread::sleep(wait);
            wait *= 2;
        }
    }

    /// Puts another record in the place of the first, or leaves that.
    pub(super) fn replace(&self, exit: &Exit) {
        let _ = exit.seal().and_then(|sealed| self.record_anew(&sealed));
    }

    fn record_in_place(&self, sealed: &[u8]) -> io::Result<()> {
        self.file.write_all_at(sealed, 0)?;
        failpoint::hit("shim-exit-written");
        self.file.sync_data()?;
        failpoint::hit("shim-exit-durable");
        let attempt = self.folder.path();
        // It counts under this name, too.
        let _ = std::fs::rename(attempt.join("exit.tmp"), attempt.join("exit.json"));
        Ok(())
    }

    fn record_anew(&self, sealed: &[u8]) -> io::Result<()> {
        let attempt = self.folder.path();
        let draft = attempt.join("exit.new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(sealed)?;
        file.sync_all()?;
        std::fs::rename(draft, attempt.join("exit.json"))
    }

    /// Makes the record's name durable, too, where a power cut in a rename could leave neither name. With one journal for
    /// the whole file system one of the two is there, and under either it counts.
    pub(super) fn sync_name(&self) {
        if !footplate_shim::os::fsync_carries_folders(&self.file) {
            let _ = sync_folder(self.folder.path());
        }
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        // Some file systems cannot sync folders; they have nothing to say about our order either.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
        other => other,
    }
}
