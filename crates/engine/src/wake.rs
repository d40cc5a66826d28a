//! What ends a loop's wait: a pipe that other threads and signals write into.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::pipe::{PipeFlags, pipe_with};

/// Wakes a loop. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Waker(Arc<OwnedFd>);

/// The end that the loop waits on.
#[derive(Debug)]
pub(crate) struct Wakeable(OwnedFd);

/// Makes a pair.
///
/// # Errors
/// What the system says.
pub(crate) fn pair() -> io::Result<(Waker, Wakeable)> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    Ok((Waker(Arc::new(write)), Wakeable(read)))
}

impl Waker {
    /// Wakes the loop; one byte too many in a full pipe is none too few.
    pub(crate) fn wake(&self) {
        let _ = rustix::io::write(&*self.0, b"!");
    }

    /// Lets a signal wake the loop.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn on_signal(&self, signal: i32) -> io::Result<()> {
        signal_hook::low_level::pipe::register(signal, self.0.try_clone()?).map(|_| ())
    }
}

impl Wakeable {
    /// Takes what has been written.
    pub(crate) fn drain(&self) {
        drain(self.0.as_fd());
    }
}

impl AsFd for Wakeable {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Reads a non-blocking descriptor empty.
pub(crate) fn drain(fd: BorrowedFd<'_>) {
    let mut buffer = [0; 256];
    while matches!(rustix::io::read(fd, &mut buffer), Ok(n) if n == buffer.len()) {}
}
