//! The monotonic clock, which all programs of a machine share, and the FIFO they say it through.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::Trouble;

/// Nanoseconds on the monotonic clock.
pub(crate) fn now() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}

/// Where programs say when they ran. Held open for both directions, so that nobody who opens it waits.
pub(crate) struct Stamps {
    path: PathBuf,
    fifo: File,
}

impl Stamps {
    pub(crate) fn at(path: &Path) -> Result<Stamps, Trouble> {
        make_fifo(path)?;
        let fifo = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Stamps { path: path.to_owned(), fifo })
    }

    pub(crate) fn path(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// The next stamp, whoever it is from.
    pub(crate) fn next(&mut self, within: Duration) -> Result<u64, Trouble> {
        if !self.ready(within) {
            return Err(format!("no program said within {within:?} that it ran").into());
        }
        let mut bytes = [0; 8];
        self.fifo.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Lets everything that the last stamp set off come to its end.
    pub(crate) fn quiet(&self, duration: Duration) {
        let _ = self.ready(duration);
    }

    fn ready(&self, within: Duration) -> bool {
        let timeout = Timespec { tv_sec: within.as_secs().cast_signed(), tv_nsec: i64::from(within.subsec_nanos()) };
        let mut fds = [PollFd::new(&self.fifo, PollFlags::IN)];
        matches!(poll(&mut fds, Some(&timeout)), Ok(1))
    }
}

/// What `gate` programs wait for.
pub(crate) struct Gate(PathBuf);

impl Gate {
    pub(crate) fn at(path: &Path) -> Result<Gate, Trouble> {
        make_fifo(path)?;
        Ok(Gate(path.to_owned()))
    }

    pub(crate) fn path(&self) -> String {
        self.0.to_string_lossy().into_owned()
    }

    /// Lets `count` programs through that wait for it. Waits until as many are there.
    pub(crate) fn open(&self, count: usize) -> Result<(), Trouble> {
        use std::io::Write;
        // Each reader takes one byte; the FIFO stays open here until all have.
        let mut gate = OpenOptions::new().read(true).write(true).open(&self.0)?;
        gate.write_all(&vec![b'g'; count])?;
        let emptied = footplate_testkit::holds_within(Duration::from_secs(30), || {
            rustix::io::ioctl_fionread(&gate).is_ok_and(|left| left == 0)
        });
        if emptied { Ok(()) } else { Err("nobody came to the gate within 30 s".into()) }
    }
}

fn make_fifo(path: &Path) -> Result<(), Trouble> {
    let made = rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    );
    Ok(made?)
}
