//! What lies in a template's folder: its files in order, and the hash of all of them.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use footplate_core::{ErrorCode, Fault};
use sha2::{Digest, Sha256};

use super::names::{self, Seen};
use super::{MOST_BYTES, MOST_ENTRIES};

/// A file of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path below the folder, with `/`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Its owner may run it.
    pub executable: bool,
}

/// The files of a folder, sorted by path. Folders without files are not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    root: PathBuf,
    /// All files.
    pub files: Vec<Entry>,
    /// What the file system says about each: where it is the same, so is the content.
    stamps: Vec<Stamp>,
}

/// Of one file: path, device, inode, mode, length, and the time of its last change in nanoseconds, which nobody can set.
type Stamp = (String, u64, u64, u32, u64, i128);

/// Hashes that were taken, by folder.
static TAKEN: LazyLock<Mutex<HashMap<PathBuf, Taken>>> = LazyLock::new(Mutex::default);

/// A hash, and what the file system said when it was taken.
type Taken = (Vec<Stamp>, String);

/// A file that changed so lately may change again within the same tick of the file system's clock.
const TICK_NS: i128 = 2_000_000_000;

impl Tree {
    /// Looks at a folder. What programs leave behind by themselves (`__pycache__`, `.DS_Store`) is passed over.
    ///
    /// # Errors
    /// `Refused` for links, devices, names that not every system allows, and over the limits; `NotFound`, `Storage`.
    pub fn of(root: &Path) -> Result<Tree, Fault> {
        let mut files = Vec::new();
        let mut stamps = Vec::new();
        let mut seen = Seen::default();
        let mut bytes = 0_u64;
        let mut count = 0_usize;
        let mut left = vec![String::new()];
        while let Some(folder) = left.pop() {
            let place = root.join(&folder);
            for entry in fs::read_dir(&place).map_err(|error| unreadable(&place, &error))? {
                let entry = entry.map_err(|error| unreadable(&place, &error))?;
                let name = entry.file_name();
                let Some(name) = name.to_str() else {
                    return Err(refused(root, format!("the name {name:?} is not UTF-8")));
                };
                if names::is_litter(name) {
                    continue;
                }
                let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
                let parts = names::parts(&path).map_err(|why| refused(root, why))?;
                let facts = entry.metadata().map_err(|error| unreadable(&place, &error))?;
                count += 1;
                if count > MOST_ENTRIES {
                    return Err(refused(root, format!("it holds more than {MOST_ENTRIES} files and folders")));
                }
                if facts.is_dir() {
                    seen.add(&parts, true).map_err(|why| refused(root, why))?;
                    left.push(path);
                } else if facts.is_file() {
                    seen.add(&parts, false).map_err(|why| refused(root, why))?;
                    bytes = bytes.saturating_add(facts.len());
                    let changed = i128::from(facts.ctime()) * 1_000_000_000 + i128::from(facts.ctime_nsec());
                    stamps.push((path.clone(), facts.dev(), facts.ino(), facts.mode(), facts.len(), changed));
                    files.push(Entry { path, size: facts.len(), executable: facts.mode() & 0o100 != 0 });
                } else {
                    return Err(refused(root, format!("\"{path}\" is neither a file nor a folder")));
                }
            }
        }
        if bytes > MOST_BYTES {
            return Err(refused(root, format!("its files have {bytes} bytes; the limit is {MOST_BYTES}")));
        }
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        stamps.sort_unstable();
        Ok(Tree { root: root.to_owned(), files, stamps })
    }

    /// As [`Tree::hash`], without reading the files again where the file system says that none was changed.
    ///
    /// # Errors
    /// As [`Tree::hash`].
    pub fn known_hash(&self) -> Result<String, Fault> {
        let taken = || TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((stamps, hash)) = taken().get(&self.root)
            && *stamps == self.stamps
        {
            return Ok(hash.clone());
        }
        let now = i128::from(footplate_shim::clock::wall_ms()) * 1_000_000;
        let hash = self.hash()?;
        if self.stamps.iter().all(|stamp| stamp.5 < now - TICK_NS) {
            taken().insert(self.root.clone(), (self.stamps.clone(), hash.clone()));
        }
        Ok(hash)
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Bytes of all files.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Opens one of its files; a link that took its place meanwhile is not followed.
    pub(crate) fn open(&self, file: &Entry) -> Result<File, Fault> {
        let path = self.root.join(&file.path);
        let opened = File::options().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(&path);
        let opened = opened.map_err(|error| unreadable(&path, &error))?;
        match opened.metadata() {
            Ok(facts) if facts.is_file() => Ok(opened),
            Ok(_) => Err(refused(&self.root, format!("\"{}\" is no file any more", file.path))),
            Err(error) => Err(unreadable(&path, &error)),
        }
    }

    /// SHA-256 over path, executable bit, length and content of each file in order, in hexadecimal.
    ///
    /// # Errors
    /// `Storage` where a file cannot be read, or changes meanwhile.
    pub fn hash(&self) -> Result<String, Fault> {
        let mut all = Sha256::new();
        all.update(b"footplate template 1\n");
        let mut buffer = vec![0; 64 << 10];
        for file in &self.files {
            all.update((file.path.len() as u64).to_be_bytes());
            all.update(file.path.as_bytes());
            all.update([u8::from(file.executable)]);
            all.update(file.size.to_be_bytes());
            let mut from = self.open(file)?;
            let mut length = 0;
            loop {
                match from.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(read) => {
                        length += read as u64;
                        all.update(&buffer[..read]);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(unreadable(&self.root.join(&file.path), &error)),
                }
            }
            if length != file.size {
                let path = self.root.join(&file.path);
                return Err(Fault::new(ErrorCode::Conflict, format!("{} changes while it is read.", path.display()))
                    .hint("Try again when nothing writes there any more."));
            }
        }
        Ok(all.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

fn refused(root: &Path, why: impl std::fmt::Display) -> Fault {
    Fault::new(ErrorCode::Refused, format!("The folder {} cannot be a template: {why}.", root.display()))
        .hint("A template holds files and folders only: at most 10,000, and 1 GiB.")
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Fault {
    let code = if error.kind() == io::ErrorKind::NotFound { ErrorCode::NotFound } else { ErrorCode::Storage };
    Fault::new(code, format!("{} cannot be read: {error}.", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn any_byte_name_or_bit_is_another_hash_and_litter_is_none() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("src")).unwrap();
        let script = place.path().join("src/train.py");
        fs::write(&script, "print(1)\n").unwrap();
        fs::write(place.path().join("footplate.toml"), "x").unwrap();
        let hash = || {
            let tree = Tree::of(place.path()).unwrap();
            // However quickly one change follows upon another, what is known is what is there.
            assert_eq!(tree.known_hash().unwrap(), tree.hash().unwrap());
            tree.hash().unwrap()
        };
        let first = hash();
        assert_eq!(first.len(), 64);
        fs::create_dir_all(place.path().join("src/__pycache__")).unwrap();
        fs::write(place.path().join("src/__pycache__/a.pyc"), "x").unwrap();
        assert_eq!(hash(), first);
        let mut hashes = vec![first];
        fs::write(&script, "print(2)\n").unwrap();
        hashes.push(hash());
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        hashes.push(hash());
        fs::rename(&script, place.path().join("src/train2.py")).unwrap();
        hashes.push(hash());
        fs::write(place.path().join("new"), "").unwrap();
        hashes.push(hash());
        let mut unique = hashes.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), hashes.len());
    }

    #[test]
    fn links_and_pipes_are_no_part_of_a_template() {
        let place = tempfile::tempdir().unwrap();
        symlink("/etc/passwd", place.path().join("link")).unwrap();
        let fault = Tree::of(place.path()).unwrap_err();
        assert_eq!(fault.code, ErrorCode::Refused);
        assert!(fault.message.contains("\"link\" is neither a file nor a folder"), "{fault}");
    }
}
