//! Templates from elsewhere run nothing before the user saw what they would run, and allowed it.
//!
//! What is allowed is content: the hash of all files ([`Tree::hash`]). A byte that is another, in whatever way it came to be,
//! asks again. It is looked at where runs are submitted and started, behind every door ([`required`]), and before each launch.
//!
//! A path that somebody types is consent by itself, and so is a template made of one's own runs; built-in ones need none.

use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use footplate_core::definition::{Definition, ParamKind};
use footplate_core::{ErrorCode, Fault, UtcMs};
use footplate_spec as spec;
use serde::{Deserialize, Serialize};

use super::names::is_built_in;
use crate::archive::Tree;
use crate::home::Home;
use crate::start::written::{self, StageText};

/// Whether a template may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// It is built in, or its content was allowed.
    Allowed,
    /// Not before the user allows it.
    Asks,
}

/// A file of a template, as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileSize {
    /// Its path below the template's folder.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// It can be run.
    pub executable: bool,
}

/// What a template would run and read: what the user allows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConsentView {
    /// The template's name.
    pub name: String,
    /// What people read.
    pub title: Option<String>,
    /// One or two sentences.
    pub description: Option<String>,
    /// Whether it may run as it is now.
    pub trust: Trust,
    /// The hash of its content, which [`give`] takes; empty for one that is built in.
    pub hash: String,
    /// Its folder, which stands in commands as `{{ pipeline.dir }}`; `None`: it is built in.
    pub folder: Option<PathBuf>,
    /// What its stages run, in the order of the file.
    pub stages: Vec<StageText>,
    /// Parameters that name a file or a folder to be read.
    pub paths: Vec<String>,
    /// Its files.
    pub files: Vec<FileSize>,
    /// Bytes of all files.
    pub size: u64,
}

/// What was allowed, on disk.
#[derive(Debug, Serialize, Deserialize)]
struct Given {
    hash: String,
    at: UtcMs,
}

/// Shows what a template would run. Runs nothing.
///
/// # Errors
/// `NotFound`, `InvalidPipeline`; `Refused` for a folder that cannot be a template.
pub fn view(home: &Home, name: &str) -> Result<ConsentView, Fault> {
    if is_built_in(name) && fs::symlink_metadata(home.templates().join(name)).is_err() {
        let definition = super::template(name, home, home.root())?.definition;
        let view = described(name, &definition);
        return Ok(ConsentView { trust: Trust::Allowed, ..view });
    }
    let folder = super::names::folder(home, name)?;
    let tree = Tree::of(&folder)?;
    let (definition, _) = spec::load(&folder)?;
    // After the definition was read: what is shown is what the hash stands for, or the hash is another.
    let hash = tree.hash()?;
    let files = tree.files.iter();
    Ok(ConsentView {
        trust: if given(home, name).is_some_and(|given| given == hash) { Trust::Allowed } else { Trust::Asks },
        hash,
        size: tree.size(),
        files: files
            .map(|file| FileSize { path: file.path.clone(), size: file.size, executable: file.executable })
            .collect(),
        folder: Some(folder),
        ..described(name, &definition)
    })
}

/// What the definition alone says.
fn described(name: &str, definition: &Definition) -> ConsentView {
    let reads = |kind: ParamKind| matches!(kind, ParamKind::Path | ParamKind::Dataset);
    let paths = definition.params.iter().filter(|(_, param)| reads(param.kind)).map(|(name, _)| name.clone()).collect();
    ConsentView {
        name: name.to_owned(),
        title: definition.title.clone(),
        description: definition.description.clone(),
        trust: Trust::Asks,
        hash: String::new(),
        folder: None,
        stages: written::stages(definition),
        paths,
        files: Vec::new(),
        size: 0,
    }
}

/// Allows a template to run, as long as its content is that of `hash`.
///
/// # Errors
/// `Conflict` where the content is another than the one that was shown; as [`view`].
pub fn give(home: &Home, name: &str, hash: &str) -> Result<(), Fault> {
    let folder = super::names::folder(home, name)?;
    if Tree::of(&folder)?.hash()? != hash {
        return Err(Fault::new(ErrorCode::Conflict, format!("The template {name:?} was changed since it was shown."))
            .hint("Look at it again."));
    }
    write(home, name, hash)
}

/// Whether a template may run as it is now. One that cannot be read asks.
#[must_use]
pub fn trust(home: &Home, name: &str) -> Trust {
    let Some(given) = given(home, name) else { return Trust::Asks };
    let hash = super::names::folder(home, name).and_then(|folder| Tree::of(&folder)?.known_hash());
    if hash.is_ok_and(|hash| hash == given) { Trust::Allowed } else { Trust::Asks }
}

/// Refuses what lies among the templates and was not allowed. `pipeline_dir` is the folder of a pipeline's file.
///
/// # Errors
/// `ConsentMissing`, and what to do.
pub fn required(home: &Home, pipeline_dir: &Path) -> Result<(), Fault> {
    let Some(name) = name_of(home, pipeline_dir) else { return Ok(()) };
    if trust(home, &name) == Trust::Allowed {
        return Ok(());
    }
    let why = match given(home, &name) {
        Some(_) => "was changed since you allowed it",
        None => "came from elsewhere, and you have not allowed it",
    };
    Err(Fault::new(ErrorCode::ConsentMissing, format!("The template {name:?} {why}: it may not run."))
        .hint(format!("footplate template show {name} says what it would run"))
        .hint(format!("footplate template consent {name} allows it")))
}

/// As [`required`], for a run that was allowed before: where its template has gone, there is nothing left that could be another.
///
/// # Errors
/// As [`required`].
pub(crate) fn required_again(home: &Home, pipeline_dir: &Path) -> Result<(), Fault> {
    match name_of(home, pipeline_dir) {
        Some(name) if fs::symlink_metadata(home.templates().join(&name)).is_err() => Ok(()),
        _ => required(home, pipeline_dir),
    }
}

/// The template that a folder belongs to.
pub(super) fn name_of(home: &Home, folder: &Path) -> Option<String> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let below = real(folder).strip_prefix(real(&home.templates())).ok()?.to_owned();
    match below.components().next() {
        Some(Component::Normal(name)) => Some(name.to_string_lossy().into_owned()),
        // The folder of all of them is no template, and nobody was asked about it.
        _ => Some(String::new()),
    }
}

/// Writes a consent down without a question: the user made the template himself.
pub(super) fn write(home: &Home, name: &str, hash: &str) -> Result<(), Fault> {
    let folder = home.consents();
    let cannot = |error: &std::io::Error| {
        Fault::new(ErrorCode::Storage, format!("{} cannot be written: {error}.", folder.display()))
    };
    let made = DirBuilder::new().mode(0o700).recursive(true).create(&folder);
    made.map_err(|error| cannot(&error))?;
    let given = Given { hash: hash.to_owned(), at: UtcMs(footplate_shim::clock::wall_ms()) };
    let text = serde_json::to_vec(&given).map_err(|error| cannot(&error.into()))?;
    let beside = folder.join(format!(".{}", crate::fresh::uuid()));
    let put = || {
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(&text)?;
        fs::rename(&beside, folder.join(name))
    };
    put().map_err(|error| cannot(&error))
}

/// Takes a consent back; one that is not there is none.
pub(super) fn forget(home: &Home, name: &str) -> Result<(), Fault> {
    match fs::remove_file(home.consents().join(name)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Fault::new(ErrorCode::Storage, format!("The consent for {name:?} cannot be taken back: {error}.")))
        }
        _ => Ok(()),
    }
}

/// The hash that was allowed.
pub(super) fn given(home: &Home, name: &str) -> Option<String> {
    if !super::names::is_name(name) {
        return None;
    }
    let text = fs::read(home.consents().join(name)).ok()?;
    Some(serde_json::from_slice::<Given>(&text).ok()?.hash)
}
