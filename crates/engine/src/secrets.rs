//! Captured secrets: `secrets/<run id>` (0600), referenced by the run and erased with it.
//!
//! The file is what [`footplate_shim::contract::encode_secrets`] writes: variables of the environment by name, and values
//! of `secret` parameters under `param=NAME`, which can be no variable's name. Runs of one batch share one file by hard
//! links, so that each can be erased by itself. Deliberately not here: what looks like a secret ([`crate::environment`]),
//! and the keychain.

use std::fs::File;
use std::io;

use footplate_core::RunId;
use footplate_shim::contract::{OsBytes, encode_secrets, read_secrets};
use indexmap::IndexMap;
use serde_json::Value;

use crate::environment::Captured;
use crate::home::Home;
use crate::private::write_private;

const PARAM: &[u8] = b"param=";

/// The secrets of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Secrets {
    /// Variables of the environment, as they go to the shim.
    pub env: Vec<(OsBytes, OsBytes)>,
    /// Values of `secret` parameters, for expressions in `env`.
    pub params: IndexMap<String, Value>,
}

impl Secrets {
    /// The secrets of a captured environment and of parameters.
    #[must_use]
    pub fn new(environment: &Captured, params: IndexMap<String, Value>) -> Secrets {
        let env = environment.secrets().iter().map(|(n, v)| (OsBytes(n.clone()), OsBytes(v.clone()))).collect();
        Secrets { env, params }
    }

    /// True where there are none: no file is needed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.env.is_empty() && self.params.is_empty()
    }

    /// The file's content.
    ///
    /// # Errors
    /// `InvalidInput` when they are longer than 4 GiB.
    pub fn encode(&self) -> io::Result<Vec<u8>> {
        let params = self.params.iter().map(|(name, value)| {
            let mut key = PARAM.to_vec();
            key.extend_from_slice(name.as_bytes());
            (OsBytes(key), OsBytes(value.to_string().into_bytes()))
        });
        encode_secrets(&self.env.iter().cloned().chain(params).collect::<Vec<_>>())
    }

    /// Reads a run's file. The name comes from the run's row.
    ///
    /// # Errors
    /// `NotFound` where it is gone, `InvalidData` where it is damaged or its name is no file's, what the system says.
    pub fn read(home: &Home, name: &str) -> io::Result<Secrets> {
        let mut secrets = Secrets::default();
        for (name, value) in read_secrets(File::open(place(home, name)?)?)? {
            match name.0.strip_prefix(PARAM) {
                Some(param) => {
                    let value = serde_json::from_slice(&value.0)?;
                    secrets.params.insert(String::from_utf8_lossy(param).into_owned(), value);
                }
                None => secrets.env.push((name, value)),
            }
        }
        Ok(secrets)
    }

    /// Writes the file of a run and returns its name. On disk once the folder `secrets/` is, too.
    ///
    /// # Errors
    /// What the system says.
    pub fn store(&self, home: &Home, run: &RunId) -> io::Result<String> {
        let name = run.to_string();
        write_private(&home.secrets_dir().join(&name), &self.encode()?)?;
        Ok(name)
    }
}

/// Gives another run the same secrets: a link to the file, which is written already.
///
/// # Errors
/// What the system says, where the disk has no links, or has too many of this file.
pub fn share(home: &Home, from: &str, run: &RunId) -> io::Result<String> {
    let name = run.to_string();
    std::fs::hard_link(place(home, from)?, home.secrets_dir().join(&name))?;
    Ok(name)
}

/// Erases a run's file. One that is gone already is fine.
///
/// # Errors
/// What the system says.
pub fn erase(home: &Home, name: &str) -> io::Result<()> {
    match std::fs::remove_file(place(home, name)?) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// A name from a row is only ever one of ours.
fn place(home: &Home, name: &str) -> io::Result<std::path::PathBuf> {
    let run: RunId = name.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    Ok(home.secrets_dir().join(run.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn secrets_survive_are_private_and_each_link_is_erased_by_itself() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(place.path()).unwrap();
        let environment = Captured::from_pairs([(b"HF_TOKEN".to_vec(), vec![0xff, b'x'])]);
        let params = IndexMap::from([("token".to_owned(), Value::from("t\"1"))]);
        let secrets = Secrets::new(&environment, params);
        let (one, two) = (RunId(uuid::Uuid::now_v7()), RunId(uuid::Uuid::now_v7()));
        let name = secrets.store(&home, &one).unwrap();
        let other = share(&home, &name, &two).unwrap();
        assert_eq!(home.secrets_dir().join(&other).metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(Secrets::read(&home, &other).unwrap(), secrets);
        erase(&home, &name).unwrap();
        erase(&home, &name).unwrap();
        assert_eq!(Secrets::read(&home, &name).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(Secrets::read(&home, &other).unwrap(), secrets);
    }

    #[test]
    fn a_name_that_is_no_run_id_reaches_no_file() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(place.path()).unwrap();
        std::fs::write(place.path().join("victim"), "x").unwrap();
        for name in ["../victim", "", ".", "/etc/passwd", "victim"] {
            assert_eq!(Secrets::read(&home, name).unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert!(erase(&home, name).is_err());
        }
        assert!(place.path().join("victim").exists());
    }
}
