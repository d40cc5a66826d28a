//! Scripts that a person chose in a dialog: the view gets a handle, never a path.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use footplate_core::{ErrorCode, Fault};
use footplate_engine::environment::Captured;
use footplate_engine::{fresh, interpreters};
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, lock};
use crate::settings;

/// The newest that are kept.
const KEPT: usize = 100;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Known {
    handle: String,
    path: PathBuf,
}

/// All that are known, the newest last.
pub(crate) struct Scripts {
    file: PathBuf,
    known: Mutex<Vec<Known>>,
}

/// A program that can run a script.
#[derive(Debug, Serialize)]
pub(crate) struct InterpreterView {
    id: String,
    label: String,
}

/// A script, as the view sees it.
#[derive(Debug, Serialize)]
pub(crate) struct ScriptView {
    handle: String,
    name: String,
    path: String,
    folder: String,
    interpreters: Vec<InterpreterView>,
}

impl ScriptView {
    /// What stands for it.
    pub(crate) fn handle(&self) -> &str {
        &self.handle
    }
}

impl Scripts {
    pub(crate) fn open(folder: &Path) -> Scripts {
        let file = folder.join("scripts.json");
        let known = settings::read(&file).unwrap_or_default();
        Scripts { file, known: Mutex::new(known) }
    }

    /// Gives a script a handle; one that is known keeps its own.
    pub(crate) fn choose(&self, path: &Path, environment: &Captured) -> Answer<ScriptView> {
        let mut known = lock(&self.known);
        let handle = match known.iter().position(|one| one.path == path) {
            Some(at) => known.remove(at).handle,
            None => fresh::uuid().to_string(),
        };
        known.push(Known { handle: handle.clone(), path: path.to_owned() });
        let over = known.len().saturating_sub(KEPT);
        known.drain(..over);
        settings::write(&self.file, &*known)?;
        Ok(view(handle, path, environment))
    }

    /// The script behind a handle.
    pub(crate) fn path(&self, handle: &str) -> Answer<PathBuf> {
        let path = lock(&self.known).iter().find(|one| one.handle == handle).map(|one| one.path.clone());
        path.filter(|path| path.is_file()).ok_or_else(|| {
            Fault::new(ErrorCode::NotFound, "The script is not there any more.").hint("Choose it again.")
        })
    }

    pub(crate) fn show(&self, handle: &str, environment: &Captured) -> Answer<ScriptView> {
        Ok(view(handle.to_owned(), &self.path(handle)?, environment))
    }
}

fn view(handle: String, path: &Path, environment: &Captured) -> ScriptView {
    let found = interpreters::for_script(path, environment);
    ScriptView {
        handle,
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        path: interpreters::for_people(path, environment),
        folder: interpreters::for_people(path.parent().unwrap_or(path), environment),
        interpreters: found.into_iter().map(|one| InterpreterView { id: one.id, label: one.label }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_outlives_the_app_and_stands_for_one_file_only() {
        let place = tempfile::tempdir().unwrap();
        let script = place.path().join("train.py");
        std::fs::write(&script, "").unwrap();
        let environment = Captured::from_pairs([]);
        let first = Scripts::open(place.path()).choose(&script, &environment).unwrap().handle;
        let scripts = Scripts::open(place.path());
        assert_eq!(scripts.choose(&script, &environment).unwrap().handle, first);
        assert_eq!(scripts.path(&first).unwrap(), script);
        std::fs::remove_file(&script).unwrap();
        for handle in [first.as_str(), "", "../train.py", script.to_str().unwrap()] {
            assert_eq!(scripts.path(handle).unwrap_err().code, ErrorCode::NotFound, "{handle}");
        }
    }
}
