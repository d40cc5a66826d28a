//! Being told that files were written, without looking again and again.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Readable when something in a folder was written.
#[derive(Debug)]
pub(crate) struct Growth(OwnedFd);

impl Growth {
    /// Watches the files of an attempt's folder, which only grow.
    ///
    /// # Errors
    /// What the system says (a limit on watches, for one); then the reader looks each tick. Always on macOS, which has no such watch for
    /// the content of files in a folder.
    pub(crate) fn of(folder: &Path) -> io::Result<Growth> {
        Growth::watch(folder, false)
    }

    /// Watches the files of a data folder: what is written, what another takes the place of, and the end of who had one open for
    /// writing, as an owner has its lock.
    ///
    /// # Errors
    /// As [`Growth::of`].
    pub(crate) fn of_store(folder: &Path) -> io::Result<Growth> {
        Growth::watch(folder, true)
    }

    #[cfg(target_os = "linux")]
    fn watch(folder: &Path, ends: bool) -> io::Result<Growth> {
        use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let more = if ends { WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO } else { WatchFlags::empty() };
        inotify::add_watch(&fd, folder, WatchFlags::MODIFY | more)?;
        Ok(Growth(fd))
    }

    #[cfg(not(target_os = "linux"))]
    fn watch(_folder: &Path, _ends: bool) -> io::Result<Growth> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// What to wait on.
    #[must_use]
    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.0
    }

    /// Takes what has been reported.
    pub(crate) fn drain(&mut self) {
        use std::os::fd::AsFd;
        crate::wake::drain(self.0.as_fd());
    }
}
