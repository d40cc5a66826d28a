//! The bell: a FIFO the owner holds open for reading and writing; guests and shims write a byte and never wait.
//!
//! Nothing depends on it: who misses it looks at the store's `data_version` a little later.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use footplate_core::AttemptKey;
use footplate_shim::clock;
use footplate_shim::contract::Ended;
use footplate_shim::os::make_fifo;
use rustix::fs::OFlags;

use crate::home::Home;

/// Whether anybody listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// An owner holds the bell open.
    Heard,
    /// Nobody does.
    Nobody,
}

/// Rings the owner's bell. Never waits and never fails: what cannot be rung is heard by nobody.
#[must_use]
pub fn ring(home: &Home) -> Ring {
    ring_with(home, 1)
}

/// Rings for those that are held: what they lack may be there now. As [`ring`].
#[must_use]
pub fn ring_for_held(home: &Home) -> Ring {
    ring_with(home, FOR_HELD)
}

/// What a guest rings with who did something about what a stage is held for; any other byte tells of something in the store.
const FOR_HELD: u8 = b'?';

fn ring_with(home: &Home, byte: u8) -> Ring {
    match open(&home.bell(), false) {
        Ok(mut bell) => match bell.write(&[byte]) {
            Ok(_) => Ring::Heard,
            // Full: it rings already.
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ring::Heard,
            Err(_) => Ring::Nobody,
        },
        Err(_) => Ring::Nobody,
    }
}

/// Rings, and waits until the ring is taken: true. False where it is not within `ms`, or `given_up` says so: who holds the lock may be
/// dying, and hold lock and bell for some milliseconds more.
#[must_use]
pub fn is_heard(home: &Home, ms: u64, mut given_up: impl FnMut() -> bool) -> bool {
    let until = clock::running_ms() + ms;
    let mut rung: Option<File> = None;
    loop {
        match &rung {
            // An error is a system that does not tell: believed.
            Some(bell) if matches!(rustix::io::ioctl_fionread(bell), Ok(0) | Err(_)) => return true,
            Some(_) => {}
            None => {
                rung = open(&home.bell(), false).ok();
                if let Some(mut bell) = rung.as_ref() {
                    // Full: it rings already.
                    let _ = bell.write(&[1]);
                }
            }
        }
        if given_up() || clock::running_ms() >= until {
            return false;
        }
        std::thread::sleep(Duration::from_micros(300));
    }
}

/// So much read at once is nearly what a pipe holds: some may have found it full, and are not among those who rang.
const NEARLY_FULL: usize = 32 * 1024;
/// Longer than any line that a shim rings with.
const LONGEST_LINE: usize = 64;

/// Who rang.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rang {
    /// A guest: something is new in the store.
    pub guest: bool,
    /// A guest: what stages are held for may be there now.
    pub held: bool,
    /// Shims: these attempts are over.
    pub ended: Vec<AttemptKey>,
    /// Others may be over as well: the bell was full, or somebody could not be understood.
    pub others: bool,
}

/// The owner's end.
#[derive(Debug)]
pub struct Bell {
    fifo: File,
}

impl Bell {
    /// Makes the FIFO where it is missing (or is something else) and listens.
    ///
    /// # Errors
    /// What the system says.
    pub fn listen(home: &Home) -> io::Result<Bell> {
        let path = home.bell();
        match path.symlink_metadata() {
            Ok(facts) if facts.file_type().is_fifo() => {}
            Ok(_) => {
                std::fs::remove_file(&path)?;
                make_fifo(&path)?;
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => make_fifo(&path)?,
            Err(e) => return Err(e),
        }
        Ok(Bell { fifo: open(&path, true)? })
    }

    /// Takes all rings so far, and says who rang.
    ///
    /// # Errors
    /// What the system says.
    pub fn drain(&mut self) -> io::Result<Rang> {
        let mut buffer = [0; 1024];
        let (mut rang, mut taken) = (Rang::default(), 0);
        // The line of a shim that is being read.
        let mut line: Option<String> = None;
        loop {
            match self.fifo.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => {
                    taken += n;
                    buffer[..n].iter().for_each(|byte| rang.take(*byte, &mut line));
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        // One write is one line: a part of one is none of ours.
        rang.others |= taken >= NEARLY_FULL || line.is_some();
        Ok(rang)
    }
}

impl Rang {
    fn take(&mut self, byte: u8, line: &mut Option<String>) {
        match (line.as_mut(), byte) {
            (None, Ended::MARK) => *line = Some(char::from(byte).to_string()),
            (None, FOR_HELD) => (self.guest, self.held) = (true, true),
            (None, _) => self.guest = true,
            (Some(text), b'\n') => {
                match text.parse::<Ended>() {
                    Ok(Ended { run, stage, attempt }) => self.ended.push(AttemptKey { run, stage, attempt }),
                    Err(()) => self.others = true,
                }
                *line = None;
            }
            (Some(text), _) if text.len() < LONGEST_LINE => text.push(char::from(byte)),
            (Some(_), _) => {
                self.others = true;
                *line = None;
            }
        }
    }
}

impl AsFd for Bell {
    /// For `poll`: readable when it rang.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fifo.as_fd()
    }
}

fn open(path: &Path, listen: bool) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed();
    let fifo = OpenOptions::new().read(listen).write(true).custom_flags(flags).open(path)?;
    if fifo.metadata()?.file_type().is_fifo() {
        Ok(fifo)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "the bell is no FIFO"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_heard_only_while_somebody_listens_and_never_blocks() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(place.path()).unwrap();
        assert_eq!(ring(&home), Ring::Nobody);
        let mut bell = Bell::listen(&home).unwrap();
        assert_eq!(bell.drain().unwrap(), Rang::default());
        assert_eq!(ring_for_held(&home), Ring::Heard);
        assert_eq!(bell.drain().unwrap(), Rang { guest: true, held: true, ..Rang::default() });
        // More than any pipe holds.
        for _ in 0..100_000 {
            assert_eq!(ring(&home), Ring::Heard);
        }
        assert_eq!(bell.drain().unwrap(), Rang { guest: true, others: true, ..Rang::default() });
        assert_eq!(bell.drain().unwrap(), Rang::default());
        drop(bell);
        assert_eq!(ring(&home), Ring::Nobody);
    }

    #[test]
    fn a_file_or_a_link_in_its_place_is_not_written_to() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(place.path()).unwrap();
        std::fs::write(home.bell(), "mine").unwrap();
        assert_eq!(ring(&home), Ring::Nobody);
        assert_eq!(std::fs::read(home.bell()).unwrap(), b"mine");
        let mut bell = Bell::listen(&home).unwrap();
        assert_eq!(ring(&home), Ring::Heard);
        assert_eq!(bell.drain().unwrap(), Rang { guest: true, ..Rang::default() });
    }

    #[test]
    fn shims_say_which_attempt_is_over_and_what_nobody_understands_means_any() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(place.path()).unwrap();
        let mut bell = Bell::listen(&home).unwrap();
        let mut rings = |texts: &[&str]| {
            for text in texts {
                assert_eq!(open(&home.bell(), false).unwrap().write(text.as_bytes()).unwrap(), text.len());
            }
            bell.drain().unwrap()
        };
        let ended = |run, stage, attempt| Ended { run, stage, attempt }.to_string();
        let two = rings(&[&ended(12, 0, 1), "\u{1}", &ended(i64::MAX, u32::MAX, u32::MAX)]);
        let keys = [(12, 0, 1), (i64::MAX, u32::MAX, u32::MAX)];
        let keys = keys.map(|(run, stage, attempt)| AttemptKey { run, stage, attempt }).to_vec();
        assert_eq!(two, Rang { guest: true, ended: keys, ..Rang::default() });
        for odd in ["!\n", "!1.2\n", "!1.2.3.4\n", "!-.0.1\n", "!1.0.1", &format!("!{}\n", "9".repeat(200))] {
            let rang = rings(&[odd]);
            assert!(rang.others && rang.ended.is_empty(), "{odd:?}: {rang:?}");
        }
        // More than a pipe holds: those who found it full are not among them.
        let many = vec![ended(7, 0, 1); 10_000];
        for text in &many {
            let _ = open(&home.bell(), false).unwrap().write(text.as_bytes());
        }
        let rang = bell.drain().unwrap();
        assert!(rang.others && rang.ended.len() < many.len());
    }
}
