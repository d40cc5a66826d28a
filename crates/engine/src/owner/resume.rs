//! Where a stage goes on: the newest valid checkpoint since it last began anew, or the one that a person chose.
//!
//! What was chosen holds until the program has written a newer one: an attempt that is interrupted before that begins there again.
//! What lay there before the stage began anew is never taken by itself: it is another run's, or of what was before.

use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use footplate_core::{AttemptKey, ErrorCode};
use footplate_shim::clock;
use footplate_shim::folder::{AttemptDir, ExitRecord};
use footplate_store::StageRow;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::active::ActiveRun;
use super::launch;
use super::reach::{Reach, There};
use super::wishes::Refused;
use crate::client::files::fits;
use crate::home::Home;
use crate::keep::checkpoint::{self, Only};

/// Of more stages than this nobody is told how each begins.
const LOOKED_AT: usize = 100;

/// Which checkpoints count: `resume_from` of the stage's row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chosen {
    /// One that was chosen; none: the beginning.
    path: Option<String>,
    /// Only what is written later than this takes its place, UTC milliseconds.
    since: i64,
}

impl Chosen {
    /// The stage began anew at this time.
    pub(super) fn anew(since: i64) -> Chosen {
        Chosen { path: None, since }
    }

    /// What the row of a stage says.
    pub(super) fn of(row: &StageRow) -> Option<Chosen> {
        row.resume_from.as_deref().and_then(|json| serde_json::from_str(json).ok())
    }

    /// Since when what lies there is the stage's own, where no checkpoint was chosen.
    pub(super) fn began_anew(row: &StageRow) -> Option<i64> {
        Chosen::of(row).filter(|chosen| chosen.path.is_none()).map(|chosen| chosen.since)
    }

    /// As it stands in the stage's row.
    pub(super) fn row(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

/// Where checkpoints of a stage may lie.
struct Places {
    /// What progress lines named, oldest first.
    named: Vec<String>,
    pattern: Option<String>,
}

/// Where this attempt goes on; `None`: at the beginning. A checkpoint that was chosen and cannot be used is an error: going on from
/// another one is not what was asked for.
///
/// # Errors
/// `InputMissing`, with a sentence.
pub(super) fn point(
    run: &ActiveRun,
    home: &Home,
    key: AttemptKey,
    secrets: &IndexMap<String, String>,
) -> Result<Option<PathBuf>, Refused> {
    let row = &run.rows[key.stage as usize];
    if !row.resume || run.stage(key.stage).resume.is_empty() {
        return Ok(None);
    }
    let places = places(run, home, key, secrets);
    let settled = settled_ms(home, run, key);
    let newest = |only| checkpoint::newest_valid(&places.named, places.pattern.as_deref(), only, settled);
    // None: a row of an older version.
    let Some(chosen) = Chosen::of(row) else { return Ok(newest(Only::All)) };
    let Some(path) = chosen.path else { return Ok(newest(Only::MadeSince(chosen.since))) };
    if let Some(newer) = newest(Only::WrittenAfter(chosen.since)) {
        return Ok(Some(newer));
    }
    match unusable(&path) {
        None => Ok(Some(PathBuf::from(path))),
        Some((_, text)) => Err((ErrorCode::InputMissing, text)),
    }
}

/// How these stages of a resumed run begin, in a sentence; asked of the disk as their launches will ask it. `None`: that is not known now,
/// for a disk does not answer, or they are too many to be looked at here.
pub(super) fn begins(run: &ActiveRun, home: &Home, reach: &Reach, stages: &[u32]) -> Option<String> {
    let secrets = launch::secrets_of(run, home);
    let mut able = stages.iter().filter(|stage| !run.stage(**stage).resume.is_empty());
    if able.clone().count() > LOOKED_AT || able.any(|stage| !answers(run, home, reach, *stage, &secrets)) {
        return None;
    }
    let (mut on, mut anew) = (Vec::new(), Vec::new());
    for stage in stages {
        let row = &run.rows[*stage as usize];
        let key = AttemptKey { run: run.row.number, stage: *stage, attempt: row.attempt + 1 };
        let from = point(run, home, key, &secrets).ok().flatten();
        let list = if from.is_some() { &mut on } else { &mut anew };
        list.push(row.name.as_str());
    }
    let (number, on, anew) = (run.row.number, on.join(", "), anew.join(", "));
    Some(match (on.is_empty(), anew.is_empty()) {
        (false, true) => format!("#{number} goes on with {on}"),
        (false, false) => format!("#{number} goes on with {on}; from the beginning: {anew}"),
        (true, _) => format!("#{number} has no checkpoint to go on from; from the beginning: {anew}"),
    })
}

/// Whether the disks answer that a stage's checkpoints may lie on.
fn answers(run: &ActiveRun, home: &Home, reach: &Reach, stage: u32, secrets: &IndexMap<String, String>) -> bool {
    let key = AttemptKey { run: run.row.number, stage, attempt: run.rows[stage as usize].attempt + 1 };
    let Places { named, pattern } = places(run, home, key, secrets);
    let mut folders: Vec<PathBuf> =
        named.iter().chain(&pattern).filter_map(|path| Some(Path::new(path).parent()?.to_owned())).collect();
    folders.sort_unstable();
    folders.dedup();
    folders.iter().all(|folder| reach.look(folder) != There::Silent)
}

/// What was written until then was written to its end: all, where the last attempt's program left by itself; where it was killed, what
/// it had left alone for a while by then. Formats that tell of their end are asked, and need no such guess.
fn settled_ms(home: &Home, run: &ActiveRun, key: AttemptKey) -> i64 {
    let before = AttemptKey { attempt: key.attempt.saturating_sub(1), ..key };
    match AttemptDir::open(home.attempt(&run.row.id, before)).exit() {
        Ok(ExitRecord::Valid(exit)) if exit.code.is_some() => i64::MAX,
        Ok(ExitRecord::Valid(exit)) => exit.finished_ms.saturating_sub(checkpoint::SETTLED_MS),
        // Nobody saw its end, which was before this.
        Ok(ExitRecord::Missing | ExitRecord::Blank) | Err(_) => clock::wall_ms().saturating_sub(checkpoint::SETTLED_MS),
    }
}

/// Writes down that a stage is to go on from this checkpoint.
///
/// # Errors
/// `NothingToResume`, `NotFound`, `Invalid`: with the reason.
pub(super) fn choose(run: &ActiveRun, home: &Home, stage: u32, path: &str) -> Result<Chosen, Refused> {
    let (number, name) = (run.row.number, &run.rows[stage as usize].name);
    if run.stage(stage).resume.is_empty() {
        let text = format!("Stage {name} of #{number} cannot go on from a checkpoint (no `resume` in its definition)");
        return Err((ErrorCode::NothingToResume, text));
    }
    let key = AttemptKey { run: number, stage, attempt: run.rows[stage as usize].attempt };
    let places = places(run, home, key, &launch::secrets_of(run, home));
    let fits = |pattern: &String| fits(pattern.as_bytes(), path.as_bytes());
    // Compared as paths: programs write `./` at will.
    let named = places.named.iter().any(|named| Path::new(named) == Path::new(path));
    if !named && !places.pattern.as_ref().is_some_and(fits) {
        return Err((ErrorCode::NotFound, format!("{path} is no checkpoint of stage {name} of #{number}")));
    }
    if let Some(refused) = unusable(path) {
        return Err(refused);
    }
    let newest = checkpoint::newest_moment(&places.named, places.pattern.as_deref());
    // What is there now is passed over, even where the disk's clock is ahead of ours.
    let since = newest.unwrap_or(i64::MIN).max(clock::wall_ms());
    Ok(Chosen { path: Some(path.to_owned()), since })
}

fn unusable(path: &str) -> Option<Refused> {
    if checkpoint::is_valid(Path::new(path)) {
        None
    } else if Path::new(path).exists() {
        Some((ErrorCode::Invalid, format!("The checkpoint {path} is not complete")))
    } else {
        Some((ErrorCode::NotFound, format!("The checkpoint {path} is gone")))
    }
}

fn places(run: &ActiveRun, home: &Home, key: AttemptKey, secrets: &IndexMap<String, String>) -> Places {
    let telemetry = footplate_store::telemetry::Telemetry::open(&home.telemetry(&run.row.id), false).ok().flatten();
    let cwd = PathBuf::from(std::ffi::OsString::from_vec(run.row.cwd.clone()));
    let absolute = |path: &str| cwd.join(path).to_string_lossy().into_owned();
    let named = telemetry
        .and_then(|t| t.checkpoints(key.stage).ok())
        .unwrap_or_default()
        .into_iter()
        .map(|c| absolute(&c.path))
        .collect();
    let stage = run.stage(key.stage);
    let pattern = run
        .with_scope(home, secrets, key.stage, key.attempt, None, |scope| {
            footplate_spec::render(&run.rows[key.stage as usize].name, stage, scope)
        })
        .ok()
        .and_then(|rendered| rendered.checkpoint_glob)
        .map(|p| absolute(&p));
    Places { named, pattern }
}
