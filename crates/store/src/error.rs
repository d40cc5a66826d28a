//! What can go wrong with the store, and what people read about it.

use std::path::{Path, PathBuf};

use footplate_core::{ErrorCode, Fault};

/// Why the store did not do it. Nothing of the transaction stands.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file was written by a newer version of this program; it is left alone.
    #[error("the store has format {found}, and this program knows formats up to {known}")]
    Newer {
        /// The format of the file.
        found: u32,
        /// The newest format this program knows.
        known: u32,
    },
    /// The file is of an older version, and only an owner may bring it up to date.
    #[error("the store has format {found}; it is brought up to format {known} by the next `footplate work`")]
    Older {
        /// The format of the file.
        found: u32,
        /// The format this program needs.
        known: u32,
    },
    /// Others held the store for longer than this process waits.
    #[error("the store was busy for too long")]
    Busy,
    /// There is no room on the disk.
    #[error("there is no room left on the disk of the store")]
    Full,
    /// The disk refused to read or to write.
    #[error("the disk of the store gave an error: {0}")]
    Disk(String),
    /// The file is not a store, or a part of it cannot be read.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The file is not there, though there are attempts or backups beside its place.
    #[error("the store is damaged: state.db is not there, though there are attempts or backups")]
    Missing,
    /// Another file has taken this one's place: the store was restored.
    #[error("the store was restored meanwhile")]
    Replaced,
    /// A write on a connection that only reads.
    #[error("the store is open for reading only")]
    ReadOnly,
    /// An error of the file system.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What the caller decided inside a transaction: it is rolled back.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Any other error of SQLite, refused rows (CHECK, FOREIGN KEY) among them.
    #[error("the store cannot be used: {0}")]
    Sqlite(rusqlite::Error),
}

impl StoreError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::StorageFull {
            return StoreError::Full;
        }
        StoreError::Io { path: path.to_owned(), source }
    }

    /// True where the schema refused a row (CHECK, UNIQUE, FOREIGN KEY, a trigger).
    #[must_use]
    pub fn is_refused_row(&self) -> bool {
        matches!(self, StoreError::Sqlite(e)
            if e.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation))
    }

    /// True where the file itself is at fault, or gone, and a restore may help.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, StoreError::Damaged(_) | StoreError::Missing)
    }

    /// The same for people: code, sentence, what to do.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let sentence = self.to_string();
        match self {
            StoreError::Newer { .. } => Fault::new(ErrorCode::StoreNewer, sentence)
                .hint("use the newer version of Footplate, or restore a backup made before it was installed"),
            StoreError::Older { .. } => Fault::new(ErrorCode::StoreHeld, sentence).hint("run `footplate work`"),
            StoreError::Busy => {
                Fault::new(ErrorCode::StoreHeld, sentence).hint("see with `footplate doctor` who holds it")
            }
            StoreError::Full => Fault::new(ErrorCode::DiskFull, sentence).hint("make room and try again"),
            StoreError::Disk(_) => Fault::new(ErrorCode::Storage, sentence)
                .hint("look at the disk (the system's log tells of its errors), and try again: `footplate doctor`"),
            StoreError::Damaged(_) | StoreError::Missing => Fault::new(ErrorCode::StoreDamaged, sentence)
                .hint("the next `footplate work` restores it; `footplate restore` shows from what"),
            StoreError::Replaced => {
                Fault::new(ErrorCode::Conflict, sentence).hint("try again; `footplate doctor` tells what was restored")
            }
            StoreError::ReadOnly | StoreError::Sqlite(_) => Fault::new(ErrorCode::Storage, sentence),
            StoreError::Io { .. } => {
                Fault::new(ErrorCode::Storage, sentence).hint("check the data folder: it must be writable and local")
            }
            StoreError::Fault(fault) => fault.clone(),
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        error.fault()
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match &error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..) => return StoreError::Damaged(error.to_string()),
            // What it could not make larger is the index of its journal: where the disk is full, the first thing to want room.
            rusqlite::Error::SqliteFailure(failure, _)
                if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE =>
            {
                return StoreError::Full;
            }
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                Code::DatabaseBusy | Code::DatabaseLocked => return StoreError::Busy,
                Code::DiskFull => return StoreError::Full,
                Code::DatabaseCorrupt | Code::NotADatabase => return StoreError::Damaged(error.to_string()),
                Code::ReadOnly => return StoreError::ReadOnly,
                Code::SystemIoFailure => return StoreError::Disk(error.to_string()),
                _ => {}
            },
            _ => {}
        }
        StoreError::Sqlite(error)
    }
}
