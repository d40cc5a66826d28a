//! Copies of the store, in one step, verified before they count.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::connection::Store;
use crate::error::StoreError;

impl Store {
    /// Writes a copy of the whole store, as of one moment, to `path` (0600); replaces a file there. The copy is checked
    /// (`PRAGMA quick_check`) before it gets its name.
    ///
    /// # Errors
    /// `Full`, `Io`, or `Damaged` where the copy does not check out.
    pub fn backup_to(&self, path: &Path) -> Result<(), StoreError> {
        backup(self.connection(), path)
    }
}

pub(crate) fn backup(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".new-{}", std::process::id()));
    let aside = Path::new(&aside);
    let done = copy(conn, aside)
        .and_then(|()| std::fs::rename(aside, path).map_err(|e| StoreError::io(path, e)))
        .and_then(|()| match path.parent() {
            Some(folder) => {
                File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| StoreError::io(folder, e))
            }
            None => Ok(()),
        });
    if done.is_err() {
        let _ = std::fs::remove_file(aside);
    }
    done
}

fn copy(conn: &Connection, aside: &Path) -> Result<(), StoreError> {
    OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(aside)
        .map_err(|e| StoreError::io(aside, e))?;
    let mut target = Connection::open(aside)?;
    {
        let backup = Backup::new(conn, &mut target)?;
        // One step: one snapshot, however much others write meanwhile.
        match backup.step(-1)? {
            StepResult::Done => {}
            StepResult::Busy | StepResult::Locked => return Err(StoreError::Busy),
            _ => return Err(StoreError::Damaged("the copy did not come to its end".to_owned())),
        }
    }
    let verdict: String = target.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(StoreError::Damaged(verdict));
    }
    target.close().map_err(|(_, e)| StoreError::from(e))?;
    File::open(aside).and_then(|file| file.sync_all()).map_err(|e| StoreError::io(aside, e))
}
