//! Files that are there whole or not at all.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fault::Fault;

/// The one metadata entry of our safetensors files; a single key, so that the same content gives the same bytes.
const METADATA: &str = "footplate_sample";

/// Writes beside, fsyncs, renames, fsyncs the folder: a reader sees the old file or the new one, after a power cut too.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let beside = folder.join(name);
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|source| {
        // A full disk is no place for half a file.
        let _ = fs::remove_file(&beside);
        Fault::Write { path: path.to_owned(), source }
    })
}

/// Packs tensors and a description into the bytes of a safetensors file.
pub(crate) fn pack(tensors: Vec<(String, TensorView<'_>)>, about: &impl Serialize) -> Result<Vec<u8>, Fault> {
    let about = serde_json::to_string(about).map_err(|error| {
        Fault::Tensor(candle_core::Error::Msg(format!("the description could not be written: {error}")))
    })?;
    Ok(safetensors::serialize(tensors, Some(HashMap::from([(METADATA.to_owned(), about)])))?)
}

/// A safetensors file in memory; `what` and `hint` go into its faults.
pub(crate) struct Packed<'a> {
    pub(crate) path: &'a Path,
    what: &'static str,
    hint: &'static str,
    bytes: Vec<u8>,
}

impl<'a> Packed<'a> {
    pub(crate) fn read(path: &'a Path, what: &'static str, hint: &'static str) -> Result<Self, Fault> {
        let bytes = fs::read(path).map_err(|source| Fault::Read { what, path: path.to_owned(), source, hint })?;
        Ok(Self { path, what, hint, bytes })
    }

    /// "It is not what it should be", with this file's name.
    pub(crate) fn broken(&self, why: impl ToString) -> Fault {
        Fault::Broken { what: self.what, path: self.path.to_owned(), why: why.to_string(), hint: self.hint }
    }

    /// The tensors; checks the whole header.
    pub(crate) fn tensors(&self) -> Result<SafeTensors<'_>, Fault> {
        SafeTensors::deserialize(&self.bytes).map_err(|error| self.broken(error))
    }

    /// The description that [`pack`] put in.
    pub(crate) fn about<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let (_, header) = SafeTensors::read_metadata(&self.bytes).map_err(|error| self.broken(error))?;
        let text = header.metadata().as_ref().and_then(|entries| entries.get(METADATA));
        let text = text.ok_or_else(|| self.broken("it was not written by footplate-sample"))?;
        serde_json::from_str(text).map_err(|error| self.broken(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_replaces_the_old_one_whole_and_leaves_nothing_beside() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("deep/er/file");
        write_whole(&path, b"old, and longer").unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_in_the_way_is_a_sentence() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("taken")).unwrap();
        let fault = write_whole(&home.path().join("taken"), b"x").unwrap_err().to_string();
        assert!(fault.starts_with("cannot write") && fault.contains("taken"), "{fault}");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing is left beside");
    }
}
