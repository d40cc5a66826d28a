//! The user's own templates: a folder each in the data folder, made of an archive, a folder or a run.
//!
//! One that is being made lies beside the others under a name that no template has, and is renamed at the end. A lock keeps
//! two processes from making, renaming or removing at a time.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use footplate_core::{ErrorCode, Fault};
use footplate_spec as spec;

use super::consent;
pub use super::names::folder;
use super::names::{is_built_in, is_name};
use crate::archive::{self, Manifest, Tree};
use crate::home::Home;

/// Before the names of what is being made.
const UNFINISHED: &str = ".unfinished-";

/// How a new template is called.
#[derive(Clone, Copy, Debug)]
pub enum Name<'a> {
    /// Exactly so; refused where there is one of that name.
    Exactly(&'a str),
    /// As it calls itself; refused where there is one of that name.
    Own,
    /// As it calls itself, with a number where there is one of that name.
    Free,
}

/// Unpacks an archive among the templates. It may run nothing until [`consent::give`]. Returns its name; with [`Name::Free`]
/// that of one with the same content where there is one.
///
/// # Errors
/// `Refused` with what is wrong with the archive; `InvalidPipeline`; `Conflict` where the name is taken; `Storage`.
pub fn import(home: &Home, file: &Path, name: Name<'_>) -> Result<String, Fault> {
    let desk = Desk::open(home)?;
    let manifest = archive::unpack(file, &desk.place)?;
    let hash = desk.check()?;
    if matches!(name, Name::Free)
        && let Some(same) = same_content(home, &hash)
    {
        return Ok(same);
    }
    desk.finish(&manifest.name, name)
}

/// Writes a template as an archive.
///
/// # Errors
/// `NotFound`; `Refused` for a folder that cannot be a template; `Storage`.
pub fn export(home: &Home, name: &str, to: &Path) -> Result<(), Fault> {
    let folder = folder(home, name)?;
    let tree = Tree::of(&folder)?;
    let (definition, _) = spec::load(&folder)?;
    let manifest = Manifest {
        format: archive::FORMAT,
        name: name.to_owned(),
        title: definition.title,
        description: definition.description,
    };
    archive::pack(&tree, &manifest, to)
}

/// Copies a folder with a pipeline among the templates. `allowed`: whoever asks typed the path, or chose it to be run.
///
/// # Errors
/// As [`import`].
pub fn add(home: &Home, from: &Path, name: Name<'_>, allowed: bool) -> Result<String, Fault> {
    let tree = Tree::of(from)?;
    let (definition, _) = spec::load(from)?;
    let desk = Desk::open(home)?;
    desk.copy(&tree, &[])?;
    let name = desk.finish(&definition.name, name)?;
    if allowed {
        desk.allow(&name)?;
    }
    Ok(name)
}

/// A new template with the files of another, but for the pipeline's. The user's own work, as far as the other was allowed.
pub(super) fn copy(home: &Home, from: &str, file: &str, base: &str, name: Name<'_>) -> Result<String, Fault> {
    let tree = Tree::of(&folder(home, from)?)?;
    let allowed = consent::trust(home, from) == consent::Trust::Allowed;
    let desk = Desk::open(home)?;
    desk.copy(&tree, &super::FILES)?;
    desk.write(super::FILES[0], file.as_bytes())?;
    let name = desk.finish(base, name)?;
    if allowed {
        desk.allow(&name)?;
    }
    Ok(name)
}

/// Writes a new template of one file, which is the user's own work.
pub(super) fn make(home: &Home, text: &str, base: &str, name: Name<'_>) -> Result<String, Fault> {
    let desk = Desk::open(home)?;
    desk.write(super::FILES[0], text.as_bytes())?;
    let name = desk.finish(base, name)?;
    desk.allow(&name)?;
    Ok(name)
}

/// Gives a template another name. What was allowed stays allowed: its content is the same.
///
/// # Errors
/// `NotFound`; `Invalid` for what is no name; `Conflict` where it is taken.
pub fn rename(home: &Home, name: &str, to: &str) -> Result<(), Fault> {
    let _lock = lock(home)?;
    let from = folder(home, name)?;
    let given = consent::given(home, name);
    free(home, to)?;
    if let Some(hash) = &given {
        consent::write(home, to, hash)?;
    }
    let place = home.templates().join(to);
    fs::rename(&from, &place).map_err(|error| unwritable(&place, &error))?;
    consent::forget(home, name)
}

/// Removes a template, and what was allowed with it. Runs that were made of it stay.
///
/// # Errors
/// `NotFound`; `Storage`.
pub fn remove(home: &Home, name: &str) -> Result<(), Fault> {
    let lock = lock(home)?;
    let from = folder(home, name)?;
    consent::forget(home, name)?;
    // First out of the way, so that a removal that breaks off leaves no half of a template.
    let aside = lock.unfinished();
    fs::rename(&from, &aside).map_err(|error| unwritable(&from, &error))?;
    fs::remove_dir_all(&aside).map_err(|error| unwritable(&aside, &error))
}

/// Held while the folder of all templates is changed.
struct Lock {
    templates: PathBuf,
    /// The kernel lets go of it when it is closed.
    _file: File,
}

impl Lock {
    fn unfinished(&self) -> PathBuf {
        self.templates.join(format!("{UNFINISHED}{}", crate::fresh::uuid()))
    }
}

fn lock(home: &Home) -> Result<Lock, Fault> {
    let templates = home.templates();
    let made = DirBuilder::new().mode(0o700).recursive(true).create(&templates);
    made.map_err(|error| unwritable(&templates, &error))?;
    let path = templates.join(".lock");
    let open = || {
        let file = File::options().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        file.lock()?;
        Ok(file)
    };
    let file = open().map_err(|error: io::Error| unwritable(&path, &error))?;
    let lock = Lock { templates, _file: file };
    // Whoever made them has died: the lock is ours.
    for entry in fs::read_dir(&lock.templates).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            // What cannot be removed now is tried again the next time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(lock)
}

/// Where a template is made before it has its name.
struct Desk<'h> {
    home: &'h Home,
    _lock: Lock,
    place: PathBuf,
}

impl<'h> Desk<'h> {
    fn open(home: &'h Home) -> Result<Desk<'h>, Fault> {
        let lock = lock(home)?;
        let place = lock.unfinished();
        Ok(Desk { home, _lock: lock, place })
    }

    /// Writes a new file of it.
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Fault> {
        let to = self.place.join(path);
        let put = || self.create(&to, 0o600)?.write_all(bytes);
        put().map_err(|error| unwritable(&to, &error))
    }

    /// Copies files into it, but for those at these paths.
    fn copy(&self, tree: &Tree, but: &[&str]) -> Result<(), Fault> {
        for file in tree.files.iter().filter(|file| !but.contains(&&*file.path)) {
            let to = self.place.join(&file.path);
            let mode = if file.executable { 0o700 } else { 0o600 };
            let mut from = tree.open(file)?;
            let copied = self.create(&to, mode).and_then(|mut new| io::copy(&mut from, &mut new));
            copied.map_err(|error| unwritable(&to, &error))?;
        }
        Ok(())
    }

    fn create(&self, to: &Path, mode: u32) -> io::Result<File> {
        DirBuilder::new().mode(0o700).recursive(true).create(to.parent().unwrap_or(&self.place))?;
        File::options().write(true).create_new(true).mode(mode).open(to)
    }

    /// The user's own work needs no question.
    fn allow(&self, name: &str) -> Result<(), Fault> {
        consent::write(self.home, name, &Tree::of(&folder(self.home, name)?)?.hash()?)
    }

    /// What was made can be read as a template: its hash.
    fn check(&self) -> Result<String, Fault> {
        let tree = Tree::of(&self.place)?;
        let there = |name: &str| tree.files.iter().any(|file| file.path == name);
        match super::FILES.iter().filter(|name| there(name)).count() {
            0 => {
                return Err(Fault::new(ErrorCode::Refused, "That is no template: it has no footplate.toml.")
                    .hint("Nothing of it was kept."));
            }
            1 => {}
            _ => {
                return Err(Fault::new(ErrorCode::Refused, "It has both footplate.toml and footplate.json.")
                    .hint("A template has one of them."));
            }
        }
        // Faults name the file as it is called in the template, not where it is unpacked for now.
        spec::load(&self.place).map_err(|error| match error {
            spec::LoadError::Problems { file, problems } => {
                let file = Path::new(&file).file_name().unwrap_or_default().to_string_lossy().into_owned();
                problems.fault(&file)
            }
            spec::LoadError::File(fault) => fault,
        })?;
        tree.hash()
    }

    /// Gives it its name.
    fn finish(&self, base: &str, name: Name<'_>) -> Result<String, Fault> {
        self.check()?;
        let name = match name {
            Name::Exactly(name) => name.to_owned(),
            Name::Own => base.to_owned(),
            Name::Free => free_name(self.home, base),
        };
        free(self.home, &name)?;
        // Of one that was removed by hand.
        consent::forget(self.home, &name)?;
        let place = self.home.templates().join(&name);
        fs::rename(&self.place, &place).map_err(|error| unwritable(&place, &error))?;
        Ok(name)
    }
}

impl Drop for Desk<'_> {
    fn drop(&mut self) {
        // It has its name, and is not there any more; or it came to nothing.
        let _ = fs::remove_dir_all(&self.place);
    }
}

fn is_taken(home: &Home, name: &str) -> bool {
    is_built_in(name) || fs::symlink_metadata(home.templates().join(name)).is_ok()
}

fn free(home: &Home, name: &str) -> Result<(), Fault> {
    if !is_name(name) {
        return Err(Fault::new(ErrorCode::Invalid, format!("{name:?} is no name for a template."))
            .hint("A name has 1 to 64 of a-z, 0-9 and -."));
    }
    if is_taken(home, name) {
        return Err(Fault::new(ErrorCode::Conflict, format!("There is a template {name:?} already."))
            .hint("Give it another name with --name."));
    }
    Ok(())
}

fn free_name(home: &Home, base: &str) -> String {
    let base = if is_name(base) { base } else { "template" };
    let numbered = |number: u32| {
        let end = format!("-{number}");
        format!("{}{end}", &base[..base.len().min(64 - end.len())])
    };
    let mut names = std::iter::once(base.to_owned()).chain((2..).map(numbered));
    names.find(|name| !is_taken(home, name)).unwrap_or_else(|| base.to_owned())
}

fn same_content(home: &Home, hash: &str) -> Option<String> {
    super::own_names(home).into_iter().find(|name| {
        let known = folder(home, name).and_then(|folder| Tree::of(&folder)?.hash());
        known.is_ok_and(|known| known == hash)
    })
}

fn unwritable(path: &Path, error: &io::Error) -> Fault {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let code = if full { ErrorCode::DiskFull } else { ErrorCode::Storage };
    Fault::new(code, format!("{} cannot be written: {error}.", path.display())).hint("Free some space, then try again.")
}
