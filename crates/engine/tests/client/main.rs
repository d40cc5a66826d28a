//! The Client over a real store, without an owner.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may")]

mod bad_inputs;
mod environment;
mod first_start;
mod ids;
mod submitting;
mod views;

use std::path::Path;
use std::sync::Arc;

use footplate_core::definition::{Definition, Stage};
use footplate_engine::client::{Client, OwnerStart, Submit};
use footplate_engine::environment::Captured;
use footplate_engine::home::Home;
use indexmap::IndexMap;

/// A data folder of its own, gone at the end.
pub(crate) struct Bench {
    place: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        Bench { place: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.place.path()
    }

    pub(crate) fn home(&self) -> Home {
        Home::at(&self.place.path().join("data")).unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        Client::open_with(self.home(), OwnerStart::Never).unwrap()
    }
}

pub(crate) fn captured(pairs: &[(&str, &str)]) -> Arc<Captured> {
    Arc::new(Captured::from_pairs(pairs.iter().map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec()))))
}

pub(crate) fn stage(command: &[&str], needs: &[&str]) -> Stage {
    let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
    Stage { command: texts(command), needs: texts(needs), ..Stage::default() }
}

pub(crate) fn pipeline(name: &str, stages: &[(&str, Stage)]) -> Definition {
    Definition {
        format: 1,
        name: name.into(),
        title: None,
        description: None,
        queue: None,
        priority: 0,
        on_failure: footplate_core::definition::OnFailure::Continue,
        params: IndexMap::new(),
        presets: IndexMap::new(),
        stages: stages.iter().map(|(n, s)| ((*n).to_owned(), s.clone())).collect(),
    }
}

/// One command as a run of one stage.
pub(crate) fn command(argv: &[&str]) -> Submit {
    let definition = pipeline("command", &[("main", stage(argv, &[]))]);
    Submit::new(definition, std::env::temp_dir(), captured(&[("PATH", "/usr/bin:/bin")]))
}
