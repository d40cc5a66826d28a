//! Bytes and paths -> a checked definition.

use std::fmt;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use footplate_core::definition::{Definition, FORMAT, OnFailure, Stage};
use footplate_core::{ErrorCode, Fault};
use indexmap::IndexMap;

use crate::Form;
use crate::check::Checker;
use crate::problem::{Problem, Problems, shown};
use crate::read::{Reader, STAGES};
use crate::source::{self, Found, LARGEST};

/// Reads and checks a pipeline in TOML.
///
/// # Errors
/// Everything that is wrong, in the order of the file, with line and column.
pub fn parse_toml(text: &[u8]) -> Result<Definition, Problems> {
    parse_within(text, Form::Toml, STAGES)
}

/// Reads and checks a pipeline in JSON.
///
/// # Errors
/// Everything that is wrong, in the order of the file, with line and column; of the grammar the first fault only.
pub fn parse_json(text: &[u8]) -> Result<Definition, Problems> {
    parse_within(text, Form::Json, STAGES)
}

/// Reads and checks a pipeline with another limit of stages.
///
/// # Errors
/// As [`parse_toml`].
pub fn parse_within(text: &[u8], form: Form, most_stages: usize) -> Result<Definition, Problems> {
    let text = source::text(text)?;
    let tree = match form {
        Form::Toml => source::toml(text),
        Form::Json => source::json(text)?,
    };
    if !tree.whole {
        return Err(Problems(source::placed(text, tree.found)));
    }
    let mut reader = Reader::new();
    let mut definition = reader.definition(&tree.root, most_stages);
    let mut found = tree.found;
    found.append(&mut reader.found);
    let mut checker = Checker::default();
    checker.definition(&mut definition, most_stages);
    // What follows from a part that could not be read is no fault of its own.
    let follows = |path: &[String]| reader.faulty.iter().any(|bad| bad.starts_with(path) || path.starts_with(bad));
    let places = checker.found.into_iter().filter(|(path, _)| !follows(path));
    found.extend(places.map(|(path, problem)| Found::new(tree.root.place(&path), problem)));
    if found.is_empty() { Ok(definition) } else { Err(Problems(source::placed(text, found))) }
}

/// Why a pipeline could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// There is no such file, or it cannot be read.
    File(Fault),
    /// It was read, and is wrong.
    Problems {
        /// The file, as people named it.
        file: String,
        /// What is wrong with it.
        problems: Problems,
    },
}

impl LoadError {
    /// As a fault.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            LoadError::File(fault) => fault.clone(),
            LoadError::Problems { file, problems } => problems.fault(file),
        }
    }
}

impl From<LoadError> for Fault {
    fn from(error: LoadError) -> Fault {
        error.fault()
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::File(fault) => fault.fmt(f),
            LoadError::Problems { file, problems } => f.write_str(&problems.text(file)),
        }
    }
}

impl std::error::Error for LoadError {}

/// Loads a `.toml` or `.json` file, or the `footplate.toml` (else `footplate.json`) of a folder. Gives the definition and the absolute
/// folder that it lies in, `pipeline.dir`.
///
/// # Errors
/// `not_found` with near names, what the file system says, or [`Problems`].
pub fn load(path: &Path) -> Result<(Definition, PathBuf), LoadError> {
    let file = find(path).map_err(LoadError::File)?;
    let cannot = |error: &std::io::Error| {
        LoadError::File(Fault::new(
            ErrorCode::Invalid,
            format!("cannot read {}: {error}", shown(&file.to_string_lossy())),
        ))
    };
    let about = fs::metadata(&file).map_err(|error| cannot(&error))?;
    // Before it is opened: a FIFO would be waited for, and a device may never end.
    if let Some(what) = no_file(about.file_type()) {
        let message = format!("{} is {what}; a pipeline is read from a file", shown(&file.to_string_lossy()));
        return Err(LoadError::File(Fault::new(ErrorCode::Invalid, message).hint("write it to a file, and name that")));
    }
    let length = about.len();
    let problems = |problems| LoadError::Problems { file: file.display().to_string(), problems };
    if length > LARGEST as u64 {
        let message = format!("the file has {length} bytes; the limit is {LARGEST}");
        return Err(problems(Problem::new("limit", message).into()));
    }
    let bytes = fs::read(&file).map_err(|error| cannot(&error))?;
    let json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let definition = if json { parse_json(&bytes) } else { parse_toml(&bytes) }.map_err(problems)?;
    let whole = fs::canonicalize(&file).map_err(|error| cannot(&error))?;
    let folder = whole.parent().map_or_else(|| PathBuf::from("/"), Path::to_path_buf);
    Ok((definition, folder))
}

/// What it is, where it is no file that can be read to its end.
fn no_file(kind: fs::FileType) -> Option<&'static str> {
    match kind {
        kind if kind.is_file() => None,
        kind if kind.is_fifo() => Some("a FIFO"),
        kind if kind.is_socket() => Some("a socket"),
        kind if kind.is_dir() => Some("a folder"),
        _ => Some("a device"),
    }
}

fn find(path: &Path) -> Result<PathBuf, Fault> {
    let named = shown(&path.to_string_lossy());
    if path.is_dir() {
        let files = ["footplate.toml", "footplate.json"].map(|name| path.join(name));
        let file = files.iter().find(|file| file.is_file()).or_else(|| files.iter().find(|file| file.exists()));
        return file
            .cloned()
            .ok_or_else(|| Fault::new(ErrorCode::NotFound, format!("the folder {named} has no footplate.toml")));
    }
    if !path.exists() {
        let quoted = &named;
        let fault = Fault::new(ErrorCode::NotFound, format!("there is no {quoted}"));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let names: Vec<String> = fs::read_dir(folder)
            .map(|list| list.flatten().take(1000).map(|e| e.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        return Err(match crate::problem::nearest(&wanted, names.iter().map(String::as_str)) {
            Some(near) => fault.hint(format!("did you mean {}?", shown(&folder.join(near).to_string_lossy()))),
            None => fault,
        });
    }
    let known = |extension: &str| extension.eq_ignore_ascii_case("toml") || extension.eq_ignore_ascii_case("json");
    if !path.extension().and_then(|extension| extension.to_str()).is_some_and(known) {
        let fault = Fault::new(ErrorCode::Invalid, format!("{named} is neither a .toml nor a .json file"));
        return Err(fault.hint("a single command is queued with: footplate add -- PROGRAM ARGS.."));
    }
    Ok(path.to_path_buf())
}

/// What `footplate add` submits: one stage named `main`, whose command is `argv` as it was typed. Nothing in it is a template, not in
/// `env` and `cwd` either: the stage is marked `literal`, which pipeline files cannot say. `rest` holds everything but the command
/// (environment, folder, timeout, retries, resources ..); its `queue` is the stage's.
#[must_use]
pub fn single(argv: Vec<String>, rest: Stage) -> Definition {
    let name = program_name(argv.first().map_or("", String::as_str));
    let stage = Stage { command: argv, shell: None, literal: true, ..rest };
    Definition {
        format: FORMAT,
        name,
        title: None,
        description: None,
        queue: None,
        priority: 0,
        on_failure: OnFailure::default(),
        params: IndexMap::new(),
        presets: IndexMap::new(),
        stages: IndexMap::from([("main".to_owned(), stage)]),
    }
}

/// A pipeline's name made of a program's.
fn program_name(program: &str) -> String {
    let base = program.rsplit('/').next().unwrap_or_default().to_lowercase();
    let plain: String =
        base.chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' }).take(64).collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { "command".to_owned() } else { plain.to_owned() }
}
