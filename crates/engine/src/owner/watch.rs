//! Being told that a log grows, without looking again and again.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Readable when something in a folder was written.
#[derive(Debug)]
pub(super) struct Growth(OwnedFd);

impl Growth {
    /// Watches the files of a folder.
    ///
    /// # Errors
    /// What the system says (a limit on watches, for one); then the reader looks each tick.
    #[cfg(target_os = "linux")]
    pub(super) fn of(folder: &Path) -> io::Result<Growth> {
        use rustix::fs::inotify;
        let fd = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
        inotify::add_watch(&fd, folder, inotify::WatchFlags::MODIFY)?;
        Ok(Growth(fd))
    }

    /// macOS has no such watch for the content of files in a folder; the reader looks each tick.
    ///
    /// # Errors
    /// Always `Unsupported`.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn of(_folder: &Path) -> io::Result<Growth> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// What to wait on.
    #[must_use]
    pub(super) fn fd(&self) -> &OwnedFd {
        &self.0
    }

    /// Takes what has been reported.
    pub(super) fn drain(&mut self) {
        use std::os::fd::AsFd;
        super::wake::drain(self.0.as_fd());
    }
}
