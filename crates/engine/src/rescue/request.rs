//! The file by which guests ask the owner to look after the store: `mend`. A form that never changes; fields may be added.

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use serde::{Deserialize, Serialize};

use crate::home::Home;

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What was found wrong, in half a sentence: the owner looks through the store, and restores it where that is so.
    #[serde(default)]
    pub suspected: Option<String>,
    /// Somebody wants the store restored, sound or not: from the backup of that name, or from the newest where it is empty.
    #[serde(default)]
    pub wanted: Option<String>,
}

impl Request {
    /// Leaves the request for the owner; one that is there already is replaced, unless it asks for more.
    ///
    /// # Errors
    /// What the system says.
    pub fn leave(&self, home: &Home) -> io::Result<()> {
        if self.wanted.is_none() && Request::left(home).is_some() {
            return Ok(());
        }
        let draft = home.root().join(format!("mend.tmp{}", std::process::id()));
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        std::fs::rename(draft, home.mend())
    }

    /// The request that was left. One that cannot be read asks for a look.
    #[must_use]
    pub fn left(home: &Home) -> Option<Request> {
        let text = std::fs::read(home.mend()).ok()?;
        let unread = || Request { suspected: Some("somebody asked for a look".to_owned()), wanted: None };
        Some(serde_json::from_slice(&text).unwrap_or_else(|_| unread()))
    }

    /// It was granted, or there was nothing to grant. One that came meanwhile stays.
    pub(crate) fn done(&self, home: &Home) {
        if Request::left(home).as_ref() == Some(self) {
            let _ = std::fs::remove_file(home.mend());
        }
    }
}
