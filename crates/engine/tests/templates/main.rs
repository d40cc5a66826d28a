//! Templates of one's own: archives, consent, and what is made of runs.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may")]

mod consents;
mod hostile_archives;
mod hostile_templates;
mod owning;
mod raw;

use std::path::Path;
use std::sync::Arc;

use footplate_engine::client::{Client, OwnerStart, Submit};
use footplate_engine::environment::Captured;
use footplate_engine::{Home, templates};

pub(crate) const MANIFEST: &str = r#"{"format":1,"name":"demo"}"#;
pub(crate) const PIPELINE: &str = "format = 1\nname = \"demo\"\n[stages.a]\ncommand = [\"true\"]\n";

pub(crate) fn manifest(format: u32, name: &str) -> String {
    serde_json::json!({ "format": format, "name": name }).to_string()
}

pub(crate) fn home(place: &Path) -> Home {
    Home::at(&place.join("data")).unwrap()
}

pub(crate) fn client(home: &Home) -> Client {
    Client::open_with(home.clone(), OwnerStart::Never).unwrap()
}

/// A template's folder with these files.
pub(crate) fn folder(at: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = at.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// What a door submits for a template.
pub(crate) fn submit(home: &Home, name: &str, cwd: &Path) -> Submit {
    let found = templates::template(name, home, cwd).unwrap();
    let environment = Arc::new(Captured::from_pairs([(b"PATH".to_vec(), b"/usr/bin:/bin".to_vec())]));
    Submit { pipeline_dir: found.dir, ..Submit::new(found.definition, cwd.to_owned(), environment) }
}

/// Processes that this one has started and that are still there, dead or alive.
pub(crate) fn children() -> usize {
    let ours = std::process::id().to_string();
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let parent = |stat: String| stat.rsplit(") ").next()?.split(' ').nth(1).map(str::to_owned);
    all.filter(|entry| std::fs::read_to_string(entry.path().join("stat")).ok().and_then(parent).as_ref() == Some(&ours))
        .count()
}
