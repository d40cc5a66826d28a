//! Files and folders that a person chose in a dialog: only what was chosen is looked into for the view.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use footplate_core::{ErrorCode, Fault};

use crate::answer::{Answer, lock};

/// The newest that are kept.
const KEPT: usize = 100;

/// What was chosen since the app started, the newest last.
#[derive(Default)]
pub(crate) struct Picked(Mutex<Vec<PathBuf>>);

impl Picked {
    pub(crate) fn remember(&self, path: &Path) {
        let mut known = lock(&self.0);
        known.retain(|one| one != path);
        known.push(path.to_owned());
        let over = known.len().saturating_sub(KEPT);
        known.drain(..over);
    }

    /// The path, if it was chosen.
    pub(crate) fn path(&self, text: &str) -> Answer<PathBuf> {
        let found = lock(&self.0).iter().find(|one| one.to_str() == Some(text)).cloned();
        found.ok_or_else(|| {
            Fault::new(ErrorCode::Refused, "Only what was chosen in the dialog is looked into.")
                .hint("Choose it again.")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_chosen_is_looked_into_and_only_exactly_that() {
        let picked = Picked::default();
        assert_eq!(picked.path("/etc/passwd").unwrap_err().code, ErrorCode::Refused);
        picked.remember(Path::new("/data/chats"));
        assert_eq!(picked.path("/data/chats").unwrap(), Path::new("/data/chats"));
        for text in ["/data/chats/", "/data/chats/x", "/data/../data/chats", "/data", ""] {
            assert_eq!(picked.path(text).unwrap_err().code, ErrorCode::Refused, "{text}");
        }
        for n in 0..KEPT {
            picked.remember(Path::new(&format!("/other/{n}")));
        }
        assert!(picked.path("/data/chats").is_err(), "the oldest is forgotten");
    }
}
