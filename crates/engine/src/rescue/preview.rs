//! What a restore by hand would do, told before it is done.

use footplate_core::{Fault, RunId, UtcMs};
use footplate_store::{ListQuery, Role, Store};
use serde::Serialize;

use super::{Base, folders, newest_good, wanted};
use crate::home::Home;

/// What would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// The backup's file; `None`: no backup checks out, and the folders alone would have to do.
    pub backup: Option<String>,
    /// When it was made.
    pub at: Option<UtcMs>,
    /// How many runs are in it.
    pub runs: u64,
    /// How many runs the store has now; `None` where it cannot be read.
    pub runs_now: Option<u64>,
    /// How many runs would be rebuilt from their folders.
    pub from_folders: u64,
    /// Whether the present store can be read, so that runs without a folder would be taken over from it.
    pub readable: bool,
}

/// Looks at what a restore from this backup (`""`: the newest that checks out) would do. Changes nothing.
///
/// # Errors
/// `NotFound` where there is no such backup; `StoreDamaged` where it does not check out; `Storage`.
pub fn preview(home: &Home, name: &str) -> Result<Preview, Fault> {
    let base = if name.is_empty() { newest_good(home) } else { wanted(home, name)? };
    let now = Store::open(home.state_dir(), Role::ReadOnly);
    let counted = now.as_ref().ok().and_then(|store| store.read().ok()?.count_runs().ok());
    let (backup, at) = match base {
        Base::Backup(backup) => (Some(backup.name), Some(backup.at)),
        Base::Present | Base::Empty => (None, None),
    };
    let copy = backup.as_ref().map(|name| footplate_store::peek(&home.backups().join(name))).transpose();
    let copy = copy.map_err(|e| e.fault())?;
    let known: Vec<RunId> = match &backup {
        Some(name) => footplate_store::run_ids(&home.backups().join(name)).map_err(|e| e.fault())?,
        None => Vec::new(),
    };
    let known: std::collections::HashSet<RunId> = known.into_iter().collect();
    let folders = folders::all(home).unwrap_or_default();
    let from_folders = folders.iter().filter(|folder| !known.contains(&folder.id)).count() as u64;
    let readable = now.is_ok_and(|store| store.read().is_ok_and(|read| read.list(&ListQuery::default()).is_ok()));
    Ok(Preview { backup, at, runs: copy.map_or(0, |copy| copy.runs), runs_now: counted, from_folders, readable })
}
