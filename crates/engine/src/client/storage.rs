//! The store itself, for guests: opening one that is damaged, older or newer, what is to be told of it, and its backups.

use std::path::{Path, PathBuf};
use std::time::Duration;

use footplate_core::storage::StorageView;
use footplate_core::{ErrorCode, Fault};
use footplate_shim::clock;
use footplate_store::{Copy, Role, Store, StoreError};

use super::keeper::{self, Client};
use super::types::{OwnerStart, OwnerState};
use crate::backup::{self, Backup};
use crate::bell;
use crate::home::Home;
use crate::machine_id::{ASKED, Asked};
use crate::rescue::{self, REPORT, Request};

/// How long an owner is waited for that restores the store: it reads all folders first.
const RESTORE: Duration = Duration::from_secs(120);

/// A store that is open, and why it is only read, where a newer version wrote it.
pub(super) type Opened = (Store, Option<String>);

/// Opens the store for a guest. A damaged one is restored by an owner first.
pub(super) fn open(home: &Home, start: OwnerStart) -> Result<Opened, Fault> {
    match Store::open(home.state_dir(), Role::Guest) {
        Err(error @ StoreError::Newer { .. }) => {
            let store = Store::open(home.state_dir(), Role::ReadOnly).map_err(|e| e.fault())?;
            Ok((store, Some(format!("{error}; it is only read"))))
        }
        Err(error) if error.is_damage() && start == OwnerStart::WhenNeeded => {
            heal(home, &error.to_string())?;
            Store::open(home.state_dir(), Role::Guest).map(|store| (store, None)).map_err(|e| e.fault())
        }
        other => other.map(|store| (store, None)).map_err(|e| e.fault()),
    }
}

/// The store, once it is as far as an owner has seen it: one that lost its journal is restored first.
pub(super) fn whole(home: &Home, store: Store) -> Result<Store, Fault> {
    let Some(why) = rescue::lacks(home, &store) else { return Ok(store) };
    // One that was put aside just now lacks what the new one has.
    let replaced = matches!(store.data_version(), Err(StoreError::Replaced));
    drop(store);
    if !replaced {
        heal(home, &why)?;
    }
    Store::open(home.state_dir(), Role::Guest).map_err(|e| e.fault())
}

/// Has an owner look through the store, and restore it where that is needed; returns when it has. For who met damage.
///
/// # Errors
/// `Storage`: why it could not be done.
pub fn heal(home: &Home, found: &str) -> Result<(), Fault> {
    ask(home, &Request { suspected: Some(found.to_owned()), wanted: None })
}

/// Leaves a request for the owner, and waits until it is granted.
fn ask(home: &Home, request: &Request) -> Result<(), Fault> {
    request
        .leave(home)
        .map_err(|e| Fault::new(ErrorCode::Storage, format!("{} cannot be written: {e}.", home.mend().display())))?;
    let deadline = clock::running_ms() + RESTORE.as_millis() as u64;
    let mut owner = None;
    while clock::running_ms() < deadline {
        if Request::left(home).is_none()
            && !matches!(Store::open(home.state_dir(), Role::Guest), Err(e) if e.is_damage())
        {
            // Reaped there, should it leave while we live.
            if let Some(owner) = owner {
                keeper::reap(owner);
            }
            return Ok(());
        }
        match (keeper::look(home), &mut owner) {
            (OwnerState::Present { .. }, _) => {
                let _ = bell::ring(home);
            }
            (OwnerState::Absent { .. }, None) => owner = Some(keeper::launch(home)?),
            (OwnerState::Absent { .. }, Some(child)) => {
                if let Ok(Some(status)) = child.try_wait() {
                    if Request::left(home).is_none() && status.success() {
                        continue;
                    }
                    return Err(not_restored(home, &format!("the owner that was to restore it ended with {status}")));
                }
            }
        }
        keeper::nap(20);
    }
    Err(not_restored(home, "no owner has answered"))
}

fn not_restored(home: &Home, why: &str) -> Fault {
    Fault::new(ErrorCode::Storage, format!("The store was not restored: {why}."))
        .hint(format!("{} tells why.", home.owner_log().display()))
        .hint("Keep a copy of the data folder before anything else.")
}

impl Client {
    /// What is to be told of the store itself: that it was restored, came from another machine, or is a newer version's.
    ///
    /// # Errors
    /// `Storage`.
    pub fn storage(&self) -> Result<StorageView, Fault> {
        let read = self.store.read()?;
        let restored = read.setting(REPORT)?.and_then(|text| serde_json::from_str(&text).ok());
        let asked: Option<Asked> = read.setting(ASKED)?.and_then(|text| serde_json::from_str(&text).ok());
        Ok(StorageView { restored, moved: asked.map(|asked| asked.moved), newer: self.newer.clone() })
    }

    /// The backups of the store, newest first.
    #[must_use]
    pub fn backups(&self) -> Vec<Backup> {
        backup::list(&self.home)
    }

    /// Makes a backup now, in the data folder or in a file that is not there yet; verified when this returns.
    ///
    /// # Errors
    /// `StoreDamaged` where the store does not check out, `Conflict` where the file is there; `DiskFull`, `Storage`.
    pub fn back_up(&self, to: Option<&Path>) -> Result<(PathBuf, Copy), Fault> {
        backup::make(&self.home, to, clock::wall_ms())
    }
}

/// Has the owner restore the store from the backup of this name (`""`: the newest) and the attempts' folders; returns when it has.
///
/// # Errors
/// `Storage` where it was not: there is no such backup, it does not check out, or the owner could not do it; [`rescue::preview`] tells
/// before.
pub fn restore(home: &Home, name: &str) -> Result<(), Fault> {
    let epoch = || Store::open(home.state_dir(), Role::ReadOnly).and_then(|store| store.epoch()).ok();
    let before = epoch();
    ask(home, &Request { suspected: None, wanted: Some(name.to_owned()) })?;
    if before.is_some() && epoch() == before {
        return Err(not_restored(home, "the owner could not do it"));
    }
    Ok(())
}
