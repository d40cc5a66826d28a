//! Our executables in `bin/<hash>/`: owner and shims run from copies in the data folder, so that an upgrade or an
//! unmounted disk image cannot pull them away, and so that a sweep knows them by where they lie.
//!
//! Deliberately not here: starting them ([`crate::client`], [`crate::owner`]).

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use footplate_core::{ErrorCode, Fault};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::environment::hex;
use crate::home::Home;

/// Names the `footplate` executable, where it is not this one nor beside it.
pub const PROGRAM_VARIABLE: &str = "FOOTPLATE_EXE";
/// Names the `footplate-shim` executable, where it is not beside this one.
pub const SHIM_VARIABLE: &str = "FOOTPLATE_SHIM";

const PROGRAM: &str = "footplate";
const SHIM: &str = "footplate-shim";
/// Beside the copies: the folder they came from, where `footplate-*` programs of pipelines are looked for.
const ORIGIN: &str = "origin";

/// The copies to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Their folder, `bin/<hash>/`, canonical.
    pub dir: PathBuf,
    /// The owner's executable.
    pub footplate: PathBuf,
    /// The shim's.
    pub shim: PathBuf,
}

impl Installed {
    fn at(dir: PathBuf) -> Installed {
        Installed { footplate: dir.join(PROGRAM), shim: dir.join(SHIM), dir }
    }

    fn is_complete(&self) -> bool {
        self.footplate.is_file() && self.shim.is_file()
    }
}

/// What was copied, so that nothing is read again while it stays the same.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    sources: [Facts; 2],
    hash: String,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Facts {
    path: PathBuf,
    device: u64,
    inode: u64,
    size: u64,
    changed_s: i64,
    changed_ns: i64,
}

impl Facts {
    fn of(path: &Path) -> io::Result<Facts> {
        let facts = path.metadata()?;
        Ok(Facts {
            path: path.to_owned(),
            device: facts.dev(),
            inode: facts.ino(),
            size: facts.len(),
            changed_s: facts.mtime(),
            changed_ns: facts.mtime_nsec(),
        })
    }
}

/// Copies `footplate` and `footplate-shim` into the data folder, unless the same are there. Costs a few `stat`s then.
/// A process that runs from the data folder itself gets its own folder.
///
/// # Errors
/// `NotFound` where an executable is missing; `Refused` where the disk forbids execution; `DiskFull`, `Storage`.
pub fn install_executables(home: &Home) -> Result<Installed, Fault> {
    let own = own_path()?;
    if let Some(installed) = running_from(home, &own) {
        return Ok(installed);
    }
    let sources = [find(PROGRAM, PROGRAM_VARIABLE, &own)?, find(SHIM, SHIM_VARIABLE, &own)?];
    let fault = |e: io::Error| storage_fault(home, &e);
    let facts = [Facts::of(&sources[0]).map_err(fault)?, Facts::of(&sources[1]).map_err(fault)?];
    if let Some(installed) = known(home, &facts) {
        return Ok(installed);
    }
    check_exec(home)?;
    // One after the other: twenty first starts at once copy once.
    let lock = lock(home).map_err(fault)?;
    if let Some(installed) = known(home, &facts) {
        return Ok(installed);
    }
    let hash = copy(home, &sources).map_err(fault)?;
    let installed = Installed::at(home.bin_dir().join(&hash));
    remove_unused(home, &hash);
    if let Some(origin) = sources[0].parent() {
        let path = installed.dir.join(ORIGIN);
        let bytes = std::os::unix::ffi::OsStrExt::as_bytes(origin.as_os_str());
        if std::fs::read(&path).ok().as_deref() != Some(bytes) {
            crate::private::write_private(&path, bytes).map_err(fault)?;
        }
    }
    let note = serde_json::to_vec(&Known { sources: facts, hash }).unwrap_or_default();
    crate::private::write_private(&home.bin_dir().join("installed.json"), &note).map_err(fault)?;
    drop(lock);
    Ok(installed)
}

/// A `footplate-*` program that lies beside our own executable, or beside the one that was copied into the data folder.
#[must_use]
pub fn companion(name: &str) -> Option<PathBuf> {
    if !(name.starts_with("footplate-") || name == PROGRAM) || name.contains('/') {
        return None;
    }
    let own = own_path().ok()?;
    let beside = own.parent()?;
    let mut places = vec![beside.to_owned()];
    if let Ok(origin) = std::fs::read(beside.join(ORIGIN)) {
        places.insert(0, PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(origin)));
    }
    if beside.file_name().is_some_and(|n| n == "deps") {
        places.extend(beside.parent().map(Path::to_owned));
    }
    places.into_iter().map(|place| place.join(name)).find(|path| path.is_file())
}

fn own_path() -> Result<PathBuf, Fault> {
    std::env::current_exe()
        .and_then(|path| path.canonicalize())
        .map_err(|e| Fault::new(ErrorCode::NotFound, format!("The path of this program is not known: {e}.")))
}

fn running_from(home: &Home, own: &Path) -> Option<Installed> {
    let dir = own.parent()?;
    let installed = Installed::at(dir.to_owned());
    (dir.parent()? == home.bin_dir() && installed.is_complete()).then_some(installed)
}

fn find(name: &str, variable: &str, own: &Path) -> Result<PathBuf, Fault> {
    if let Some(path) = std::env::var_os(variable).filter(|v| !v.is_empty()).map(PathBuf::from) {
        return path.canonicalize().map_err(|e| {
            Fault::new(ErrorCode::NotFound, format!("{variable} names {}, which cannot be used: {e}.", path.display()))
        });
    }
    if own.file_name().is_some_and(|own| own == name) {
        return Ok(own.to_owned());
    }
    let beside = own.parent().unwrap_or(Path::new("/"));
    // Test programs of cargo lie one folder below the executables.
    let above = beside.file_name().filter(|n| *n == "deps").and_then(|_| beside.parent());
    [Some(beside), above].into_iter().flatten().map(|place| place.join(name)).find(|path| path.is_file()).ok_or_else(
        || {
            Fault::new(ErrorCode::NotFound, format!("{name} is not beside {}.", own.display()))
                .hint(format!("Install it again, or name it with {variable}."))
        },
    )
}

fn known(home: &Home, facts: &[Facts; 2]) -> Option<Installed> {
    let note: Known = serde_json::from_slice(&std::fs::read(home.bin_dir().join("installed.json")).ok()?).ok()?;
    let installed = Installed::at(home.bin_dir().join(&note.hash));
    (note.sources == *facts && installed.is_complete()).then_some(installed)
}

fn check_exec(home: &Home) -> Result<(), Fault> {
    let noexec = rustix::fs::statvfs(home.bin_dir()).is_ok_and(|facts| facts.f_flag.bits() & u64::from(NOEXEC) != 0);
    if !noexec {
        return Ok(());
    }
    let shown = home.root().display();
    Err(Fault::new(
        ErrorCode::Refused,
        format!(
            "The data folder {shown} is on a disk mounted noexec: no program may run from it, and owner and shims do."
        ),
    )
    .hint(format!("Use a folder elsewhere: --data-dir or {}.", crate::home::DATA_VARIABLE))
    .hint("Or mount the disk without noexec."))
}

#[cfg(target_os = "linux")]
const NOEXEC: u32 = 8;
/// statvfs of macOS does not tell; the copy's first start would fail with a sentence of its own.
#[cfg(not(target_os = "linux"))]
const NOEXEC: u32 = 0;

fn lock(home: &Home) -> io::Result<File> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(home.bin_dir().join("lock"))?;
    file.lock()?;
    Ok(file)
}

/// Copies both beside, names the folder by what was copied (a source may change meanwhile), and puts it in its place. Returns
/// the name.
fn copy(home: &Home, sources: &[PathBuf; 2]) -> io::Result<String> {
    let aside = home.bin_dir().join(format!(".new.{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&aside);
    DirBuilder::new().mode(0o700).create(&aside)?;
    let done = (|| {
        for (source, name) in sources.iter().zip([PROGRAM, SHIM]) {
            let target = aside.join(name);
            std::fs::copy(source, &target)?;
            std::fs::set_permissions(&target, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
            File::open(&target)?.sync_all()?;
        }
        let hash = content_hash(&[aside.join(PROGRAM), aside.join(SHIM)])?;
        let to = home.bin_dir().join(&hash);
        if Installed::at(to.clone()).is_complete() {
            std::fs::remove_dir_all(&aside)?;
            return Ok(hash);
        }
        if to.exists() {
            // Somebody deleted a part of it.
            std::fs::remove_dir_all(&to)?;
        }
        std::fs::rename(&aside, &to)?;
        Ok(hash)
    })();
    if done.is_err() {
        let _ = std::fs::remove_dir_all(&aside);
    }
    done
}

fn content_hash(files: &[PathBuf; 2]) -> io::Result<String> {
    let mut hash = Sha256::new();
    for file in files {
        let mut file = File::open(file)?;
        let mut buffer = vec![0; 1 << 18];
        hash.update(file.metadata()?.len().to_le_bytes());
        loop {
            match io::Read::read(&mut file, &mut buffer)? {
                0 => break,
                n => hash.update(&buffer[..n]),
            }
        }
    }
    Ok(hex(&hash.finalize()[..12]))
}

/// Removes copies from which no process runs, unless they are younger than an hour: somebody may be about to start them.
fn remove_unused(home: &Home, keep: &str) {
    let (Ok(copies), Some(used)) = (std::fs::read_dir(home.bin_dir()), running_programs()) else { return };
    let hour_ago = footplate_shim::clock::wall_ms() / 1000 - 3600;
    for copy in copies.flatten() {
        let path = copy.path();
        let old = path.metadata().is_ok_and(|facts| facts.is_dir() && facts.mtime() < hour_ago);
        if old && copy.file_name() != keep && !used.iter().any(|exe| exe.starts_with(&path)) {
            // What stays is tried again with the next version.
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

#[cfg(target_os = "linux")]
fn running_programs() -> Option<Vec<PathBuf>> {
    let all = std::fs::read_dir("/proc").ok()?;
    Some(all.flatten().filter_map(|entry| std::fs::read_link(entry.path().join("exe")).ok()).collect())
}

/// Without `/proc` there is no list that is sure to be whole, so nothing is removed.
#[cfg(not(target_os = "linux"))]
fn running_programs() -> Option<Vec<PathBuf>> {
    None
}

fn storage_fault(home: &Home, error: &io::Error) -> Fault {
    let shown = home.bin_dir();
    let shown = shown.display();
    if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        return Fault::new(ErrorCode::DiskFull, format!("There is no room for our executables in {shown}."))
            .hint("Free some space, then try again.");
    }
    Fault::new(ErrorCode::Storage, format!("Our executables cannot be copied to {shown}: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(place: &Path, content: &str) -> [PathBuf; 2] {
        let made = [place.join(PROGRAM), place.join(SHIM)];
        for path in &made {
            std::fs::write(path, format!("{content} {}", path.display())).unwrap();
        }
        made
    }

    #[test]
    fn copies_are_named_by_content_and_a_change_of_either_makes_another() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(&place.path().join("data")).unwrap();
        let one = copy(&home, &sources(place.path(), "a")).unwrap();
        let files = sources(place.path(), "b");
        let two = copy(&home, &files).unwrap();
        assert_ne!(one, two);
        let installed = Installed::at(home.bin_dir().join(&two));
        assert!(installed.is_complete() && Installed::at(home.bin_dir().join(&one)).is_complete());
        assert_eq!(installed.shim.metadata().unwrap().mode() & 0o777, 0o700);
        std::fs::remove_file(&installed.shim).unwrap();
        assert_eq!(copy(&home, &files).unwrap(), two);
        assert_eq!(copy(&home, &files).unwrap(), two);
        assert!(installed.is_complete());
        assert_eq!(std::fs::read_dir(home.bin_dir()).unwrap().count(), 2, "something was left aside");
        let facts = [Facts::of(&files[0]).unwrap(), Facts::of(&files[1]).unwrap()];
        let note = serde_json::to_vec(&Known { sources: facts, hash: two }).unwrap();
        std::fs::write(home.bin_dir().join("installed.json"), note).unwrap();
        let again = [Facts::of(&files[0]).unwrap(), Facts::of(&files[1]).unwrap()];
        assert_eq!(known(&home, &again), Some(installed));
        std::fs::write(&files[0], "c").unwrap();
        let changed = [Facts::of(&files[0]).unwrap(), Facts::of(&files[1]).unwrap()];
        assert_eq!(known(&home, &changed), None);
    }

    #[test]
    fn only_names_of_ours_are_companions() {
        for name in ["python", "footplate-/../x", "../footplate-x", ""] {
            assert_eq!(companion(name), None, "{name}");
        }
    }
}
