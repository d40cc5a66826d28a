//! Which machine this is: a name that stays with it through restarts, and is another on every other one, copies of its disk among
//! them where the system sees to that.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

use std::fmt::Write as _;
use std::sync::OnceLock;

use footplate_core::storage::Moved;
#[cfg(target_os = "linux")]
use linux::own_id;
#[cfg(target_os = "macos")]
use macos::own_id;
use sha2::{Digest, Sha256};

use crate::home::APP_ID;

/// The setting that holds the question, JSON of [`Asked`].
pub(crate) const ASKED: &str = "machine.moved";

/// The question, and which machine it was asked on.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Asked {
    /// On this one.
    pub(crate) machine: String,
    /// What was done when it was asked.
    #[serde(flatten)]
    pub(crate) moved: Moved,
}

/// The machine's name, 32 hexadecimal digits; `None` where the system has none (in most containers). Not the system's own id, which is
/// nobody's business (machine-id(5)), but one that follows from it and from us. `FOOTPLATE_TEST_MACHINE_ID` is taken for the system's,
/// so that tests can pretend a move; empty: there is none.
#[must_use]
pub fn machine_id() -> Option<&'static str> {
    static ID: OnceLock<Option<String>> = OnceLock::new();
    ID.get_or_init(|| {
        let id = std::env::var("FOOTPLATE_TEST_MACHINE_ID").ok().or_else(own_id)?;
        let id = id.trim().to_owned();
        (!id.is_empty()).then(|| derive(&id))
    })
    .as_deref()
}

fn derive(id: &str) -> String {
    let hash = Sha256::digest(format!("{APP_ID} {id}"));
    hash.iter().take(16).fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_follows_from_the_systems_and_does_not_tell_it() {
        let (one, other) = (derive("0123456789abcdef0123456789abcdef"), derive("0123456789abcdef0123456789abcdee"));
        assert_eq!(one, derive("0123456789abcdef0123456789abcdef"));
        assert!(one != other && one.len() == 32 && !one.contains("0123456789abcdef"), "{one} {other}");
    }
}
