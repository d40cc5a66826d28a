//! Small disks: real file systems of a few kilobytes, in a mount namespace of the test's own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const INSIDE: &str = "FOOTPLATE_TEST_OWN_MOUNTS";

/// Runs the calling test, given by its full name, once more where it may mount; true in there. False outside: it has passed inside,
/// or mounting is refused here, which is printed.
///
/// # Panics
/// Where the test fails inside, or there is none of this name.
#[must_use]
pub fn in_own_mounts(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "sh", "-c", "mount -t tmpfs none /mnt"]).stdin(Stdio::null()).stderr(Stdio::null());
    if !unshare.status().is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: mounting is refused here (not root?), so {test} was not tried on a full disk");
        return false;
    }
    let own = std::env::current_exe().unwrap_or_default();
    let mut inside = Command::new("unshare");
    inside.arg("--mount").arg(own).args(["--exact", test, "--nocapture"]).env(INSIDE, "1");
    match inside.stdin(Stdio::null()).output() {
        Ok(output) => {
            let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let (out, err) = (said(&output.stdout), said(&output.stderr));
            assert!(output.status.success() && out.contains("1 passed"), "{test} in its own mounts:\n{out}\n{err}");
        }
        Err(error) => panic!("{test} cannot be run again: {error}"),
    }
    false
}

/// A disk of its own at a path, unmounted when dropped. Only [`in_own_mounts`].
#[derive(Debug)]
pub struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    /// Mounts a disk of so many KiB.
    ///
    /// # Panics
    /// Where it cannot be mounted.
    #[must_use]
    pub fn mount(at: &Path, kib: u32) -> SmallDisk {
        let made = std::fs::create_dir_all(at);
        assert!(made.is_ok(), "{}: {made:?}", at.display());
        mount(&["-t", "tmpfs", "-o", &format!("size={kib}k,mode=700"), "small"], at);
        SmallDisk { at: at.to_owned() }
    }

    /// Makes it larger, or smaller down to what is on it.
    ///
    /// # Panics
    /// Where that is refused.
    pub fn resize(&self, kib: u32) {
        mount(&["-o", &format!("remount,size={kib}k")], &self.at);
    }

    /// Takes all the room that is left, with a file of this name.
    ///
    /// # Panics
    /// Where that fails for another reason than want of room.
    pub fn fill(&self, name: &str) -> PathBuf {
        use std::io::Write;
        let path = self.at.join(name);
        let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
        let mut file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for block in [1 << 16, 4096, 1] {
            let bytes = vec![0; block];
            loop {
                match file.write(&bytes) {
                    Ok(_) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::StorageFull => break,
                    Err(error) => panic!("{}: {error}", path.display()),
                }
            }
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What still has files open there keeps them.
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

/// A disk that does not answer, mounted over a folder: whoever looks at it waits until [`SilentDisk::answer`]. Only [`in_own_mounts`].
#[derive(Debug)]
pub struct SilentDisk {
    at: PathBuf,
    /// Nobody reads the kernel's questions from it. Dropped last, which ends them.
    _server: std::fs::File,
}

impl SilentDisk {
    /// Mounts one: a file system in user space whose server says nothing, not even hello. `None` where the kernel has no such
    /// file systems, which is printed.
    ///
    /// # Panics
    /// Where it cannot be mounted.
    #[must_use]
    pub fn mount(at: &Path) -> Option<SilentDisk> {
        let opened = std::fs::OpenOptions::new().read(true).write(true).open("/dev/fuse");
        let Ok(server) = opened else {
            eprintln!("SKIPPED: no /dev/fuse here ({opened:?}), so no disk that hangs was tried");
            return None;
        };
        let handed = server.try_clone().unwrap_or_else(|error| panic!("/dev/fuse: {error}"));
        let mut mount = Command::new("mount");
        mount.args(["-i", "-t", "fuse", "-o", "fd=0,rootmode=40000,user_id=0,group_id=0", "silent"]).arg(at);
        let status = mount.stdin(handed).status();
        assert!(status.as_ref().is_ok_and(|status| status.success()), "a silent disk at {}: {status:?}", at.display());
        Some(SilentDisk { at: at.to_owned(), _server: server })
    }

    /// What is below it is there again, and whoever waits goes on.
    pub fn answer(self) {
        drop(self);
    }
}

impl Drop for SilentDisk {
    fn drop(&mut self) {
        // Before its server goes: who asks again asks what is below.
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

#[track_caller]
fn mount(options: &[&str], at: &Path) {
    let status = Command::new("mount").args(options).arg(at).stdin(Stdio::null()).status();
    assert!(status.as_ref().is_ok_and(|status| status.success()), "mount {options:?} {}: {status:?}", at.display());
}
