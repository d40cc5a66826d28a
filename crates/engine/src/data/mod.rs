//! What lies behind a path that a run is to be given as its data: how much, what it looks like, and its faults by line,
//! before a training meets them.
//!
//! Bounded: so many entries of a folder, so many bytes of a file, whatever is there. Nothing is followed out of a folder,
//! nothing but a regular file is opened, nothing is written.

mod rows;
pub mod sounds;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Take};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use footplate_core::definition::{Definition, ParamKind};
use footplate_core::{ErrorCode, Fault};
use indexmap::IndexMap;
use rustix::fs::OFlags;
use serde::Serialize;
use serde_json::Value;
pub use sounds::Sound;

/// Entries of a folder, of all levels, that are counted.
pub const ENTRIES: u64 = 100_000;
/// Levels of a folder that are gone into.
const DEPTH: usize = 32;
/// Bytes of one file that are read.
pub const BYTES: u64 = 32 << 20;
/// Faults that are named; all of them are counted.
pub const FAULTS: usize = 50;
/// Rows, columns and signs of a value in a preview.
const ROWS: usize = 20;
const COLUMNS: usize = 12;
const SIGNS: usize = 200;
/// Pictures in a preview, and how large one may be to be shown.
const PICTURES: usize = 12;
const PICTURE_BYTES: u64 = 256 << 10;
/// Recordings in a preview.
const SOUNDS: usize = 12;
/// Kinds of file that are told apart.
const KINDS: usize = 8;

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A JSON value a line.
    Jsonl,
    /// One JSON value.
    Json,
    /// Columns with commas.
    Csv,
    /// Columns with tabs.
    Tsv,
    /// Lines.
    Text,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Wrong {
    /// It is not JSON.
    NotJson,
    /// It has another number of columns than the first line.
    Columns {
        /// Of this line.
        found: usize,
        /// Of the first one.
        expected: usize,
    },
    /// It is not UTF-8.
    NotUtf8,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Wrong::NotJson => f.write_str("is not JSON"),
            Wrong::Columns { found, expected } => write!(f, "has {found} columns, the first line has {expected}"),
            Wrong::NotUtf8 => f.write_str("is not UTF-8"),
        }
    }
}

/// A line with a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineFault {
    /// From 1.
    pub line: u64,
    /// What is wrong.
    #[serde(flatten)]
    pub wrong: Wrong,
}

/// Files with the same ending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kind {
    /// In small letters, without the dot; empty where there is none.
    pub ending: String,
    /// How many.
    pub files: u64,
    /// Bytes of all of them.
    pub size: u64,
}

/// A picture, small enough to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// The path below the folder.
    pub name: String,
    /// A `data:` address.
    pub address: String,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Content {
    /// The path below the folder, or the file's name.
    pub name: String,
    /// How it was read.
    pub format: Format,
    /// Lines, or rows without the head.
    pub rows: u64,
    /// Everything was read; else only the first bytes.
    pub whole: bool,
    /// Names of the columns; empty for lines.
    pub columns: Vec<String>,
    /// The first rows, cut.
    pub preview: Vec<Vec<String>>,
    /// The first faults.
    pub faults: Vec<LineFault>,
    /// How many there are in what was read.
    pub faults_total: u64,
}

/// What lies behind a path.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DataView {
    /// Its last part.
    pub name: String,
    /// A folder, not a file.
    pub folder: bool,
    /// Regular files.
    pub files: u64,
    /// Bytes of all of them.
    pub size: u64,
    /// Everything was counted; else there are more.
    pub counted: bool,
    /// Links and whatever else is no file and no folder; left out.
    pub others: u64,
    /// The endings with most files.
    pub kinds: Vec<Kind>,
    /// What the file holds; for a folder its first file of a known format.
    pub content: Option<Content>,
    /// The first pictures.
    pub pictures: Vec<Picture>,
    /// The first recordings.
    pub sounds: Vec<Sound>,
}

impl DataView {
    /// In one sentence, for a terminal: how much there is, and the first fault.
    #[must_use]
    pub fn sentence(&self) -> String {
        let count = |n: u64, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
        let more = if self.counted { "" } else { " or more" };
        let mut text = if self.folder { count(self.files, "file", "files") + more } else { self.name.clone() };
        let read = |content: &&Content| content.whole || content.rows > 0;
        let Some(content) = self.content.as_ref().filter(read) else { return text };
        let at_least = if content.whole { "" } else { "at least " };
        let of = if self.folder { format!(" in {}", content.name) } else { String::new() };
        text.push_str(&format!(", {at_least}{}{of}", count(content.rows, "row", "rows")));
        if let Some(first) = content.faults.first() {
            let faults = count(content.faults_total, "fault", "faults");
            text.push_str(&format!("; {faults}, the first: line {} {}", first.line, first.wrong));
        }
        text
    }
}

/// Looks at a file or a folder.
///
/// # Errors
/// `NotFound` where there is nothing; `Invalid` where it is neither file nor folder; `Storage` where it cannot be read.
pub fn look(path: &Path) -> Result<DataView, Fault> {
    let broken = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Fault::new(ErrorCode::NotFound, format!("{} is not there.", path.display())).hint("Choose it again.")
        }
        _ => Fault::new(ErrorCode::Storage, format!("{} cannot be read: {error}.", path.display())),
    };
    let about = fs::metadata(path).map_err(broken)?;
    let name = path.file_name().map_or_else(|| "/".into(), |name| name.to_string_lossy().into_owned());
    if about.is_file() {
        let kinds = vec![Kind { ending: ending(path), files: 1, size: about.len() }];
        let content = content(path, &name).map_err(broken)?;
        let pictures = picture(path, &name, about.len()).into_iter().collect();
        let sounds = sounds::look(path, &name, about.len()).into_iter().collect();
        return Ok(DataView {
            name,
            folder: false,
            files: 1,
            size: about.len(),
            counted: true,
            others: 0,
            kinds,
            content,
            pictures,
            sounds,
        });
    }
    if !about.is_dir() {
        return Err(Fault::new(ErrorCode::Invalid, format!("{} is neither a file nor a folder.", path.display()))
            .hint("Choose a file or a folder."));
    }
    let found = walk(path).map_err(broken)?;
    let below = |file: &Path| file.strip_prefix(path).unwrap_or(file).to_string_lossy().into_owned();
    let content = match found.readable {
        Some(file) => content(&file, &below(&file)).map_err(broken)?,
        None => None,
    };
    let pictures = found.pictures.iter().filter_map(|(file, size)| picture(file, &below(file), *size)).collect();
    let sounds = found.sounds.iter().filter_map(|(file, size)| sounds::look(file, &below(file), *size)).collect();
    Ok(DataView {
        name,
        folder: true,
        files: found.files,
        size: found.size,
        counted: found.counted,
        others: found.others,
        kinds: found.kinds,
        content,
        pictures,
        sounds,
    })
}

/// The values of a pipeline's parameters of kind `dataset`, each looked at; relative ones from `cwd`. Empty ones are left out.
#[must_use]
pub fn given(
    definition: &Definition,
    values: &IndexMap<String, Value>,
    cwd: &Path,
) -> Vec<(String, Result<DataView, Fault>)> {
    let named = definition.params.iter().filter(|(_, param)| param.kind == ParamKind::Dataset);
    let paths = named.filter_map(|(name, _)| values.get(name)?.as_str().map(|text| (name, text)));
    paths.filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name.clone(), look(&cwd.join(text)))).collect()
}

#[derive(Default)]
struct Walked {
    files: u64,
    size: u64,
    counted: bool,
    others: u64,
    kinds: Vec<Kind>,
    readable: Option<PathBuf>,
    pictures: Vec<(PathBuf, u64)>,
    sounds: Vec<(PathBuf, u64)>,
}

/// All that is in a folder, in the order of names, without following a link.
fn walk(root: &Path) -> std::io::Result<Walked> {
    let mut found = Walked { counted: true, ..Walked::default() };
    let mut kinds: HashMap<String, (u64, u64)> = HashMap::new();
    let mut entries = 0_u64;
    let mut folders = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let listed = match fs::read_dir(&folder) {
            Ok(listed) => listed,
            Err(error) if folder == root => return Err(error),
            Err(_) => {
                found.counted = false;
                continue;
            }
        };
        let room = usize::try_from(ENTRIES - entries).unwrap_or(usize::MAX);
        let mut here: Vec<_> = listed.filter_map(Result::ok).take(room).collect();
        entries += here.len() as u64;
        here.sort_unstable_by_key(fs::DirEntry::file_name);
        let mut inner = Vec::new();
        for entry in here {
            let Ok(about) = entry.metadata() else { continue };
            let path = entry.path();
            if about.is_dir() {
                if depth < DEPTH { inner.push((path, depth + 1)) } else { found.counted = false }
            } else if about.is_file() {
                found.files += 1;
                found.size += about.len();
                let known = kinds.entry(ending(&path)).or_default();
                *known = (known.0 + 1, known.1 + about.len());
                if found.pictures.len() < PICTURES && about.len() <= PICTURE_BYTES && media(&path).is_some() {
                    found.pictures.push((path, about.len()));
                } else if found.sounds.len() < SOUNDS && sounds::is_one(&path) {
                    found.sounds.push((path, about.len()));
                } else if found.readable.is_none() && format(&path).is_some() {
                    found.readable = Some(path);
                }
            } else {
                found.others += 1;
            }
        }
        if entries >= ENTRIES {
            found.counted = false;
            break;
        }
        folders.extend(inner.into_iter().rev());
    }
    found.kinds = kinds.into_iter().map(|(ending, (files, size))| Kind { ending, files, size }).collect();
    found.kinds.sort_unstable_by(|a, b| b.files.cmp(&a.files).then_with(|| a.ending.cmp(&b.ending)));
    found.kinds.truncate(KINDS);
    Ok(found)
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn format(path: &Path) -> Option<Format> {
    Some(match ending(path).as_str() {
        "jsonl" | "ndjson" => Format::Jsonl,
        "json" => Format::Json,
        "csv" => Format::Csv,
        "tsv" => Format::Tsv,
        "txt" | "text" | "md" => Format::Text,
        _ => return None,
    })
}

fn media(path: &Path) -> Option<&'static str> {
    Some(match ending(path).as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        _ => return None,
    })
}

/// Opens a regular file, and nothing that took its place meanwhile; neither blocks on what would.
fn open(path: &Path) -> std::io::Result<Take<File>> {
    let flags = OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is no regular file any more"));
    }
    Ok(file.take(BYTES))
}

fn content(path: &Path, name: &str) -> std::io::Result<Option<Content>> {
    let Some(format) = format(path) else { return Ok(None) };
    let mut bytes = Vec::new();
    let mut file = open(path)?;
    file.read_to_end(&mut bytes)?;
    let whole = file.into_inner().metadata()?.len() <= bytes.len() as u64;
    Ok(Some(rows::read(name, format, &bytes, whole)))
}

fn picture(path: &Path, name: &str, size: u64) -> Option<Picture> {
    let media = media(path).filter(|_| size <= PICTURE_BYTES)?;
    let mut bytes = Vec::new();
    open(path).ok()?.take(PICTURE_BYTES).read_to_end(&mut bytes).ok()?;
    Some(Picture { name: name.to_owned(), address: format!("data:{media};base64,{}", STANDARD.encode(&bytes)) })
}

/// A text with at most so many signs.
fn cut(text: &str) -> String {
    match text.char_indices().nth(SIGNS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
