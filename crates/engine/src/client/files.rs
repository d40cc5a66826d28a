//! What lies in a run's folder, and what its stages said they made.
//!
//! Deliberately not here: opening or deleting anything.

use std::collections::{HashMap, HashSet};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use footplate_core::{ErrorCode, Fault, UtcMs};
use footplate_shim::clock;
use footplate_store::Telemetry;
use indexmap::IndexMap;
use serde::Serialize;

use super::keeper::Client;
use super::look::Rows;
use super::wishes::no_run;
use crate::keep::checkpoint;
use crate::keep::{self, Fate};

/// Most files in a list.
const MOST: usize = 500;
/// Most entries that are looked at.
const LOOKED_AT: usize = 200_000;
/// How deep folders are looked into.
const DEEP: usize = 16;

/// What a file is to its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// Declared by a stage.
    Output,
    /// A state to go on from.
    Checkpoint,
    /// Any other.
    File,
}

/// A file of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FileView {
    /// What stands for it.
    pub id: String,
    /// What it is.
    pub kind: FileKind,
    /// Whose output or checkpoint it is.
    pub stage: Option<String>,
    /// The output's name, or the path below the run's folder.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// When it was changed last.
    pub modified_at: Option<UtcMs>,
    /// False: declared, but not there.
    pub exists: bool,
    /// False: a checkpoint that is not complete, as far as its format tells, or anything that is not there.
    pub whole: bool,
    /// What its program said of it, where it is a checkpoint that a line named.
    pub checkpoint: Option<CheckpointFacts>,
    /// What becomes of it, where it is a checkpoint of a stage that was tried.
    pub keeping: Option<Keeping>,
}

/// What becomes of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Keeping {
    /// Whether it stays, and why; or that it goes.
    pub fate: Fate,
    /// Its place by its stage's metric, from 1; the best is 1.
    pub rank: Option<u32>,
    /// The metric's value, where it is known and finite.
    pub value: Option<f64>,
}

/// What a program said of a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CheckpointFacts {
    /// The step it was taken at.
    pub step: Option<i64>,
    /// The epoch it was taken at.
    pub epoch: Option<f64>,
    /// Its figures; `None` for one that is no number.
    pub metrics: IndexMap<String, Option<f64>>,
}

/// The files of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Files {
    /// The run's folder.
    pub folder: PathBuf,
    /// Bytes of all of it.
    pub size: u64,
    /// Outputs first, then checkpoints that lines named, then the newest, at most 500; each with its place.
    pub files: Vec<(FileView, PathBuf)>,
    /// How many more there are.
    pub more: u64,
}

impl Client {
    /// What lies in a run's folder, and its declared outputs.
    ///
    /// # Errors
    /// `NotFound`; `Storage`.
    pub fn files(&self, number: i64) -> Result<Files, Fault> {
        self.files_up_to(number, MOST)
    }

    /// As [`Client::files`], with at most so many files.
    pub(super) fn files_up_to(&self, number: i64, most: usize) -> Result<Files, Fault> {
        let read = self.store.read()?;
        let run = self.home().own(read.run(number)?.ok_or_else(|| no_run(number))?);
        let folder = PathBuf::from(std::ffi::OsString::from_vec(run.run_dir.clone()));
        let cwd = PathBuf::from(std::ffi::OsString::from_vec(run.cwd.clone()));
        let rows = Rows::of(&read, &run)?;
        let telemetry = Telemetry::open(&self.home().telemetry(&run.id), false)?;
        let mut first = Vec::new();
        let mut declared: HashSet<PathBuf> = HashSet::new();
        let mut globs = Vec::new();
        let mut named: IndexMap<PathBuf, (String, Option<CheckpointFacts>)> = IndexMap::new();
        for row in &rows.stages {
            let Some(stage) = rows.stage(row) else { continue };
            if let Some(checkpoints) = &stage.checkpoints {
                globs.push((row.name.clone(), in_run_dir(&checkpoints.files, &folder)));
            }
            for said in telemetry.as_ref().map(|t| t.checkpoints(row.idx)).transpose()?.unwrap_or_default() {
                let metrics = serde_json::from_str(&said.data).unwrap_or_default();
                let facts = CheckpointFacts { step: said.step, epoch: said.epoch, metrics };
                // As the owner reads it: below the run's working folder. Without the `.` that programs write.
                let path = cwd.join(&said.path).components().collect();
                named.insert(path, (row.name.clone(), Some(facts)));
            }
            let handed: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&row.outputs).unwrap_or_default();
            for name in stage.outputs.keys() {
                let path = handed.get(name).and_then(|value| value.as_str()).map(PathBuf::from);
                let Some(path) = path.filter(|path| path.is_absolute()) else { continue };
                let facts = facts(&path);
                let view = FileView {
                    id: format!("{}/{name}", row.name),
                    kind: FileKind::Output,
                    stage: Some(row.name.clone()),
                    name: name.clone(),
                    size: facts.map_or(0, |(size, _)| size),
                    modified_at: facts.and_then(|(_, at)| at),
                    exists: facts.is_some(),
                    whole: facts.is_some(),
                    checkpoint: None,
                    keeping: None,
                };
                declared.insert(path.clone());
                first.push((view, path));
            }
        }
        let now = clock::wall_ms();
        let mut kept: HashMap<PathBuf, Keeping> = HashMap::new();
        for stage in keep::stages(&read, self.home(), &run)? {
            // Oldest first, as those that lines named.
            for one in stage.judge(now).into_iter().rev() {
                // Files below the run's folder are found there; folders, and what lies elsewhere, are not.
                let elsewhere = !one.path.starts_with(&folder);
                let own = !elsewhere || one.modified_ms >= stage.since_ms;
                if own && (elsewhere || one.path.is_dir()) && !named.contains_key(&one.path) {
                    named.insert(one.path.clone(), (one.stage, None));
                }
                kept.insert(one.path, Keeping { fate: one.fate, rank: one.rank, value: one.value });
            }
        }
        let mut found = Vec::new();
        let mut looked_at = 0;
        walk(&folder, 0, &mut looked_at, &mut found);
        let size = found.iter().map(|(_, size, _)| size).sum();
        // Newest first, as the files are.
        for (path, (stage, said)) in named.iter().rev() {
            let below = path.strip_prefix(&folder).ok();
            let own = facts(path);
            // A folder that is one checkpoint: what is in it is not listed again.
            let parts = found.iter().filter(|(part, ..)| part != path && part.starts_with(path));
            let size = match own {
                Some(_) if path.is_dir() && below.is_none() => size_of(path),
                Some((size, _)) if !path.is_dir() => size,
                _ => 0,
            };
            let view = FileView {
                id: format!("{stage}@{}", path.to_string_lossy()),
                kind: FileKind::Checkpoint,
                stage: Some(stage.clone()),
                name: below.unwrap_or(path).to_string_lossy().into_owned(),
                size: size + parts.map(|(_, size, _)| size).sum::<u64>(),
                modified_at: own.and_then(|(_, at)| at),
                exists: own.is_some(),
                whole: checkpoint::is_valid(path),
                checkpoint: said.clone(),
                keeping: kept.get(path).copied(),
            };
            if !declared.contains(path) {
                first.push((view, path.clone()));
            }
        }
        found.retain(|(path, ..)| !declared.contains(path) && !path.ancestors().any(|above| named.contains_key(above)));
        found.sort_by(|(one, _, at_one), (two, _, at_two)| at_two.cmp(at_one).then_with(|| one.cmp(two)));
        let more = (first.len() + found.len()).saturating_sub(most) as u64;
        first.truncate(most);
        let room = most - first.len();
        for (path, size, modified_at) in found.into_iter().take(room) {
            let Ok(below) = path.strip_prefix(&folder) else { continue };
            let name = below.to_string_lossy().into_owned();
            let whole = path.to_string_lossy();
            let stage = globs.iter().find(|(_, glob)| fits(glob.as_bytes(), whole.as_bytes())).map(|(name, _)| name);
            let keeping = kept.get(&path).copied();
            let view = FileView {
                id: format!("./{name}"),
                kind: if stage.is_some() { FileKind::Checkpoint } else { FileKind::File },
                stage: stage.cloned(),
                name,
                size,
                modified_at,
                exists: true,
                whole: stage.is_none() || checkpoint::is_valid(&path),
                checkpoint: None,
                keeping,
            };
            first.push((view, path));
        }
        Ok(Files { folder, size, files: first, more })
    }

    /// The checkpoints of a run's stages that say which of them stay, newest first in each, with what becomes of each.
    ///
    /// # Errors
    /// `NotFound`; `Storage`.
    pub fn kept(&self, number: i64) -> Result<Vec<keep::Judged>, Fault> {
        let read = self.store.read()?;
        let run = read.run(number)?.ok_or_else(|| no_run(number))?;
        let stages = keep::stages(&read, self.home(), &run)?;
        let now = clock::wall_ms();
        Ok(stages.iter().filter(|stage| stage.removes()).flat_map(|stage| stage.judge(now)).collect())
    }

    /// Where a file of [`Client::files`] is, by its id; `None`: the run's folder.
    ///
    /// # Errors
    /// `NotFound` where it is not among them, or is not there any more; `Storage`.
    pub fn file_path(&self, number: i64, id: Option<&str>) -> Result<PathBuf, Fault> {
        let files = self.files(number)?;
        let path = match id {
            None => Some(files.folder),
            Some(id) => files.files.into_iter().find(|(view, _)| view.id == id).map(|(_, path)| path),
        };
        path.filter(|path| path.exists()).ok_or_else(|| {
            Fault::new(ErrorCode::NotFound, format!("#{number} has no such file (any more)."))
                .hint("It may have been moved or deleted.")
        })
    }
}

fn facts(path: &Path) -> Option<(u64, Option<UtcMs>)> {
    let facts = path.symlink_metadata().ok()?;
    let at = facts.modified().ok()?.duration_since(UNIX_EPOCH).ok();
    Some((facts.len(), at.and_then(|at| i64::try_from(at.as_millis()).ok()).map(UtcMs)))
}

/// Links are listed, never followed.
fn walk(folder: &Path, depth: usize, looked_at: &mut usize, found: &mut Vec<(PathBuf, u64, Option<UtcMs>)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        *looked_at += 1;
        if *looked_at > LOOKED_AT {
            return;
        }
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if depth < DEEP {
                walk(&path, depth + 1, looked_at, found);
            }
        } else if let Some((size, at)) = facts(&path) {
            found.push((path, size, at));
        }
    }
}

fn size_of(folder: &Path) -> u64 {
    let mut found = Vec::new();
    walk(folder, 0, &mut 0, &mut found);
    found.iter().map(|(_, size, _)| size).sum()
}

fn in_run_dir(glob: &str, folder: &Path) -> String {
    let folder = folder.to_string_lossy();
    glob.replace("{{ run.dir }}", &folder).replace("{{run.dir}}", &folder)
}

/// `*` is anything but `/`, `**` anything, `?` one character.
pub(crate) fn fits(glob: &[u8], text: &[u8]) -> bool {
    match (glob.first(), text.first()) {
        (None, None) => true,
        (Some(b'*'), _) if glob.get(1) == Some(&b'*') => {
            fits(&glob[2..], text) || (!text.is_empty() && fits(glob, &text[1..]))
        }
        (Some(b'*'), first) => fits(&glob[1..], text) || (first.is_some_and(|b| *b != b'/') && fits(glob, &text[1..])),
        (Some(b'?'), Some(b)) if *b != b'/' => fits(&glob[1..], &text[1..]),
        (Some(a), Some(b)) => a == b && fits(&glob[1..], &text[1..]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_know_folders() {
        let fits = |glob: &str, text: &str| fits(glob.as_bytes(), text.as_bytes());
        assert!(fits("/r/ckpt/*.safetensors", "/r/ckpt/12.safetensors"));
        assert!(!fits("/r/ckpt/*.safetensors", "/r/ckpt/a/12.safetensors"));
        assert!(fits("/r/**/m?.pt", "/r/a/b/m1.pt"));
        assert!(!fits("/r/*", "/q/a"));
    }

    #[test]
    fn links_are_not_followed() {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("a")).unwrap();
        std::fs::write(place.path().join("a/one"), "123").unwrap();
        std::os::unix::fs::symlink("/", place.path().join("all")).unwrap();
        let mut found = Vec::new();
        walk(place.path(), 0, &mut 0, &mut found);
        assert_eq!(found.len(), 2);
    }
}
