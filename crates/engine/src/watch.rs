//! Being told that files were written, without looking again and again.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// What is asked about the files of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heed {
    /// That one was written: those of an attempt's folder only grow.
    Growth,
    /// That too, that another takes the place of one, and the end of who had one open for writing, as an owner has its lock.
    Store,
}

/// Readable when something in one of its folders was written. One for all folders: to close such a descriptor makes the kernel wait
/// for all its processors, some ten milliseconds, and to forget a folder does not.
#[derive(Debug)]
pub(crate) struct Watch<K> {
    fd: OwnedFd,
    folders: HashMap<i32, K>,
}

/// What was written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Grown<K> {
    /// In these folders; some may be named more than once.
    These(Vec<K>),
    /// More than the system keeps: anything may have been.
    Any,
}

#[cfg(target_os = "linux")]
impl<K: Copy + Eq> Watch<K> {
    /// One that watches nothing yet.
    ///
    /// # Errors
    /// What the system says (a limit on watches, for one); then the reader looks each tick. Always on macOS, which has no such watch for
    /// the content of files in a folder.
    pub(crate) fn new() -> io::Result<Watch<K>> {
        use rustix::fs::inotify::{CreateFlags, init};
        Ok(Watch { fd: init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?, folders: HashMap::new() })
    }

    /// Watches a folder, too.
    ///
    /// # Errors
    /// As [`Watch::new`].
    pub(crate) fn add(&mut self, folder: &Path, heed: Heed, key: K) -> io::Result<()> {
        use rustix::fs::inotify::{WatchFlags, add_watch};
        let more = match heed {
            Heed::Growth => WatchFlags::empty(),
            Heed::Store => WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO,
        };
        let number = add_watch(&self.fd, folder, WatchFlags::MODIFY | more)?;
        self.folders.insert(number, key);
        Ok(())
    }

    /// Watches it no longer.
    pub(crate) fn forget(&mut self, key: K) {
        let fd = &self.fd;
        self.folders.retain(|number, other| {
            let stays = *other != key;
            if !stays {
                // One whose folder is gone was forgotten by the system.
                let _ = rustix::fs::inotify::remove_watch(fd, *number);
            }
            stays
        });
    }

    /// Takes what has been reported.
    pub(crate) fn take(&mut self) -> Grown<K> {
        use rustix::fs::inotify::{ReadFlags, Reader};
        let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.fd, &mut buffer);
        let mut all = false;
        let mut grown = Vec::new();
        while let Ok(event) = reader.next() {
            all |= event.events().contains(ReadFlags::QUEUE_OVERFLOW);
            // What was forgotten may still be reported.
            let key = self.folders.get(&event.wd()).copied().filter(|_| !event.events().contains(ReadFlags::IGNORED));
            // Of one log that is written a hundred times, one is enough.
            grown.extend(key.filter(|key| grown.last() != Some(key)));
        }
        if all { Grown::Any } else { Grown::These(grown) }
    }
}

#[cfg(not(target_os = "linux"))]
impl<K: Copy + Eq> Watch<K> {
    /// One that watches nothing yet.
    ///
    /// # Errors
    /// Always: the reader looks each tick.
    pub(crate) fn new() -> io::Result<Watch<K>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Watches a folder, too.
    ///
    /// # Errors
    /// Always.
    pub(crate) fn add(&mut self, _folder: &Path, _heed: Heed, _key: K) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Watches it no longer.
    pub(crate) fn forget(&mut self, key: K) {
        self.folders.retain(|_, other| *other != key);
    }

    /// Takes what has been reported.
    pub(crate) fn take(&mut self) -> Grown<K> {
        Grown::These(Vec::new())
    }
}

impl<K> Watch<K> {
    /// What to wait on.
    #[must_use]
    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.fd
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn one_watch_tells_which_of_its_folders_was_written_and_forgets_them_one_by_one() {
        let [one, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let mut watch = Watch::new().unwrap();
        watch.add(one.path(), Heed::Growth, 1).unwrap();
        watch.add(other.path(), Heed::Growth, 2).unwrap();
        assert_eq!(watch.take(), Grown::These(vec![]));
        std::fs::write(one.path().join("log.0"), "a").unwrap();
        assert_eq!(watch.take(), Grown::These(vec![1]));
        std::fs::write(other.path().join("log.0"), "b").unwrap();
        std::fs::write(one.path().join("log.0"), "c").unwrap();
        watch.forget(1);
        assert_eq!(watch.take(), Grown::These(vec![2]), "what was forgotten is reported no more");
        std::fs::write(one.path().join("log.0"), "d").unwrap();
        std::fs::remove_dir_all(other.path()).unwrap();
        let _ = watch.take();
        watch.forget(2);
        assert_eq!(watch.take(), Grown::These(vec![]));
        watch.add(one.path(), Heed::Growth, 3).unwrap();
        std::fs::write(one.path().join("log.0"), "e").unwrap();
        assert_eq!(watch.take(), Grown::These(vec![3]));
    }

    #[test]
    fn more_than_the_system_keeps_may_be_any() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch::new().unwrap();
        watch.add(folder.path(), Heed::Growth, ()).unwrap();
        let most: usize =
            std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap().trim().parse().unwrap();
        let files = ["a", "b"].map(|name| std::fs::File::create(folder.path().join(name)).unwrap());
        // Only the last report is merged with the next: by turns, each is kept.
        for turn in 0..=most {
            use std::io::Write;
            (&files[turn % 2]).write_all(b"x").unwrap();
        }
        assert_eq!(watch.take(), Grown::Any);
        assert_eq!(watch.take(), Grown::These(vec![]));
    }
}
