//! Removing checkpoints: by the handle of their folder, reached from a root without following a link, and only what was judged.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, openat, renameat, statat, unlinkat};

/// How deep the folders of a checkpoint may be.
const DEEP: usize = 16;

/// Removes a checkpoint that lies below one of these roots (as they are without links) and was last written at this time, UTC
/// milliseconds. Bytes that it took, links counted as nothing.
///
/// # Errors
/// `PermissionDenied` where it lies elsewhere, is a link or is reached by one below its root, or has changed; what the system says.
pub fn remove(path: &Path, roots: &[PathBuf], modified_ms: i64) -> io::Result<u64> {
    let refused = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, why.to_owned()));
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return refused("it has no folder") };
    let folder = folder.canonicalize()?;
    let Some(root) = roots.iter().find(|root| folder.starts_with(root)) else {
        return refused("it lies outside of the run's folders");
    };
    let handle = descend(root, folder.strip_prefix(root).unwrap_or(Path::new("")))?;
    let about = statat(&handle, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if changed_ms(&about) != modified_ms {
        return refused("it was written meanwhile");
    }
    match FileType::from_raw_mode(about.st_mode) {
        FileType::RegularFile => {
            unlinkat(&handle, name, AtFlags::empty())?;
            Ok(u64::try_from(about.st_size).unwrap_or(0))
        }
        FileType::Directory => {
            // First out of sight: half a checkpoint is none.
            let mut aside = OsStr::new(".footplate-removed-").to_owned();
            aside.push(name);
            renameat(&handle, name, &handle, &aside)?;
            empty(&handle, &aside, 0)
        }
        _ => refused("it is no file and no folder"),
    }
}

fn changed_ms(about: &Stat) -> i64 {
    let nanos = i64::try_from(about.st_mtime_nsec).unwrap_or(0);
    about.st_mtime.saturating_mul(1_000).saturating_add(nanos / 1_000_000)
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The folder `below` a root, step by step: whoever puts a link in the way meanwhile leads nowhere.
fn descend(root: &Path, below: &Path) -> io::Result<OwnedFd> {
    let mut handle = openat(CWD, root, FOLDER, Mode::empty())?;
    for part in below.components() {
        let Component::Normal(name) = part else { return Err(io::ErrorKind::InvalidInput.into()) };
        handle = openat(&handle, name, FOLDER, Mode::empty())?;
    }
    Ok(handle)
}

fn empty(parent: &OwnedFd, name: &OsStr, depth: usize) -> io::Result<u64> {
    if depth > DEEP {
        return Err(io::Error::other("its folders are too deep"));
    }
    let handle = openat(parent, name, FOLDER, Mode::empty())?;
    let mut freed = 0;
    let entries: Vec<_> = Dir::read_from(&handle)?.collect::<Result<_, _>>()?;
    for entry in entries {
        let name = entry.file_name();
        if name.to_bytes() == b"." || name.to_bytes() == b".." {
            continue;
        }
        let about = statat(&handle, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(about.st_mode) == FileType::Directory {
            use std::os::unix::ffi::OsStrExt;
            freed += empty(&handle, OsStr::from_bytes(name.to_bytes()), depth + 1)?;
        } else {
            unlinkat(&handle, name, AtFlags::empty())?;
            freed += u64::try_from(about.st_size).unwrap_or(0);
        }
    }
    unlinkat(parent, name, AtFlags::REMOVEDIR)?;
    Ok(freed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn written(path: &Path) -> i64 {
        let at = path.symlink_metadata().unwrap().modified().unwrap();
        at.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64
    }

    #[test]
    fn files_and_whole_folders_go_and_links_in_them_leave_their_victims() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().canonicalize().unwrap().join("run");
        let victim = place.path().join("victim");
        std::fs::create_dir_all(&victim).unwrap();
        std::fs::write(victim.join("precious"), "1").unwrap();
        let ckpt = root.join("ckpt");
        std::fs::create_dir_all(ckpt.join("whole/part")).unwrap();
        std::fs::write(ckpt.join("a.pt"), "12345").unwrap();
        std::fs::write(ckpt.join("whole/part/w"), "123").unwrap();
        symlink(&victim, ckpt.join("whole/link")).unwrap();
        symlink(victim.join("precious"), ckpt.join("whole/part/file")).unwrap();
        let roots = [root];
        assert_eq!(remove(&ckpt.join("a.pt"), &roots, written(&ckpt.join("a.pt"))).unwrap(), 5);
        let whole = ckpt.join("whole");
        assert!(remove(&whole, &roots, written(&whole)).unwrap() >= 3);
        assert!(std::fs::read_dir(&ckpt).unwrap().next().is_none());
        assert_eq!(std::fs::read_to_string(victim.join("precious")).unwrap(), "1");
    }

    #[test]
    fn a_link_a_changed_file_and_what_lies_elsewhere_are_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let base = place.path().canonicalize().unwrap();
        let root = base.join("run");
        std::fs::create_dir_all(&root).unwrap();
        std::fs::create_dir_all(base.join("else")).unwrap();
        std::fs::write(base.join("else/v.pt"), "1").unwrap();
        symlink(base.join("else/v.pt"), root.join("l.pt")).unwrap();
        symlink(base.join("else"), root.join("dir")).unwrap();
        std::fs::write(root.join("a.pt"), "1").unwrap();
        let roots = [root.clone()];
        let denied = |path: &Path, at: i64| {
            let error = remove(path, &roots, at).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{}: {error}", path.display());
        };
        denied(&root.join("l.pt"), written(&root.join("l.pt")));
        denied(&root.join("dir/v.pt"), written(&base.join("else/v.pt")));
        denied(&base.join("else/v.pt"), written(&base.join("else/v.pt")));
        denied(&root.join("../else/v.pt"), written(&base.join("else/v.pt")));
        denied(&root.join("a.pt"), written(&root.join("a.pt")) - 1);
        assert!(base.join("else/v.pt").exists() && root.join("a.pt").exists());
        // A link put in the way after the look: the steps down do not follow it.
        assert!(descend(&root, Path::new("dir")).is_err());
    }
}
