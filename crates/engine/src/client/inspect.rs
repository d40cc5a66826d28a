//! What `doctor` and `run --like` ask: is the store sound, and what a run was made of.

use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use footplate_core::definition::Definition;
use footplate_core::{ErrorCode, Fault};
use footplate_store::SCHEMA_VERSION;

use super::Client;
use crate::environment::{self, Captured};
use crate::secrets::Secrets;

/// Whether the store is sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreCheck {
    /// The schema's version in the file.
    pub schema: u32,
    /// The version that this program writes.
    pub known: u32,
    /// No fault was found.
    pub sound: bool,
    /// `ok`, or the faults.
    pub detail: String,
}

/// What a run was made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// Its pipeline.
    pub definition: Definition,
    /// The folder of the pipeline's file.
    pub pipeline_dir: PathBuf,
    /// The working folder it was submitted from.
    pub cwd: PathBuf,
}

impl Client {
    /// Checks the whole store; takes time in proportion to its size.
    ///
    /// # Errors
    /// `Storage` where it cannot even be read.
    pub fn check_store(&self) -> Result<StoreCheck, Fault> {
        let schema = self.store.version().map_err(|e| e.fault())?;
        let faults = self.store.check().map_err(|e| e.fault())?;
        let detail = if faults.is_empty() { "ok".to_owned() } else { faults.join("; ") };
        Ok(StoreCheck { schema, known: SCHEMA_VERSION, sound: faults.is_empty(), detail })
    }

    /// What a run was made of when it was submitted.
    ///
    /// # Errors
    /// `NotFound`; `Storage` where it cannot be read.
    pub fn definition(&self, number: i64) -> Result<Origin, Fault> {
        let read = self.store.read().map_err(|e| e.fault())?;
        let row = read.run(number).map_err(|e| e.fault())?.ok_or_else(|| super::wishes::no_run(number))?;
        let definition = serde_json::from_str(&row.definition).map_err(|e| {
            Fault::new(ErrorCode::Storage, format!("The definition of run #{number} cannot be read: {e}."))
        })?;
        let path = |bytes| PathBuf::from(std::ffi::OsString::from_vec(bytes));
        Ok(Origin { definition, pipeline_dir: path(row.pipeline_dir), cwd: path(row.cwd) })
    }

    /// The environment that a run was submitted with, its secrets among it; `None` where it is not there any more.
    ///
    /// # Errors
    /// `NotFound`; `Storage`.
    pub fn environment(&self, number: i64) -> Result<Option<Captured>, Fault> {
        let read = self.store.read().map_err(|e| e.fault())?;
        let row = read.run(number).map_err(|e| e.fault())?.ok_or_else(|| super::wishes::no_run(number))?;
        let Some(mut all) = row.env_hash.and_then(|hash| environment::read(&self.home.env_file(&hash)).ok()) else {
            return Ok(None);
        };
        if let Some(name) = row.secrets {
            let Ok(secrets) = Secrets::read(&self.home, &name) else { return Ok(None) };
            all.extend(secrets.env.into_iter().map(|(name, value)| (name.0, value.0)));
        }
        Ok(Some(Captured::from_pairs(all)))
    }
}
