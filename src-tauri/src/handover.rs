//! What the desktop hands over: files that somebody double-clicked, and `footplate://` links, which come as arguments of the
//! first or a second start and on macOS as an event; and what is dropped on the window.
//!
//! Whoever makes files and links is a stranger. An archive only ever opens the page that asks, a link only ever a view; what
//! is neither brings the window into view and does nothing else. What is dropped fills the wizard, and starts nothing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use footplate_core::{ErrorCode, Fault};
use footplate_engine::{archive, fresh, interpreters};
use tauri::{AppHandle, Manager, Url};

use crate::answer::{Answer, lock};
use crate::bridge::{Bridge, Push};
use crate::shell::Shell;

/// Handles of opened files that are kept.
const KEPT: usize = 20;
/// The only links there are: this, and the number of a run.
const RUN_LINK: &str = "footplate://run/";

/// Files that were opened: the view gets a handle, never a path.
#[derive(Default)]
pub(crate) struct Opened(Mutex<Vec<(String, PathBuf)>>);

impl Opened {
    fn add(&self, path: PathBuf) -> String {
        let mut known = lock(&self.0);
        let handle = fresh::uuid().to_string();
        known.push((handle.clone(), path));
        let over = known.len().saturating_sub(KEPT);
        known.drain(..over);
        handle
    }

    /// The file behind a handle.
    pub(crate) fn path(&self, handle: &str) -> Answer<PathBuf> {
        let found = lock(&self.0).iter().find(|(known, _)| known == handle).map(|(_, path)| path.clone());
        found.ok_or_else(|| {
            Fault::new(ErrorCode::NotFound, "The file is not open any more.").hint("Open it again, or use Import.")
        })
    }
}

/// What was dropped on the window.
#[derive(Debug, PartialEq, Eq)]
enum Dropped {
    /// An archive, or a folder with a pipeline: for the page that asks.
    Template,
    /// A program, or a file that an interpreter runs.
    Script,
    /// Any other file or folder.
    Data,
}

/// Takes what somebody dropped on the window: the first of it.
pub(crate) fn dropped(app: &AppHandle, paths: &[PathBuf]) {
    let (Some(path), Some(bridge), Some(shell)) =
        (paths.first(), app.try_state::<Arc<Bridge>>(), app.try_state::<Arc<Shell>>())
    else {
        return;
    };
    let (path, others) = (path.clone(), paths.len() - 1);
    let (bridge, shell) = (Arc::clone(&bridge), Arc::clone(&shell));
    // The window is not kept waiting by a slow disk.
    tauri::async_runtime::spawn_blocking(move || match what_is(&path) {
        Some(Dropped::Template) => bridge.open(&format!("open/{}", shell.opened.add(path))),
        Some(Dropped::Script) => {
            if let Ok(script) = shell.scripts.choose(&path, &shell.environment()) {
                bridge.open(&format!("new?script={}", script.handle()));
            }
        }
        Some(Dropped::Data) => {
            shell.picked.remember(&path);
            bridge.tell(&Push::Dropped { path: path.to_string_lossy().into_owned(), others });
        }
        None => {}
    });
}

fn what_is(path: &Path) -> Option<Dropped> {
    let facts = path.metadata().ok()?;
    if facts.is_dir() {
        let pipeline = ["footplate.toml", "footplate.json"].iter().any(|name| path.join(name).is_file());
        return Some(if pipeline { Dropped::Template } else { Dropped::Data });
    }
    if !facts.is_file() {
        return None;
    }
    Some(if is_archive(path) {
        Dropped::Template
    } else if interpreters::is_script(path) {
        Dropped::Script
    } else {
        Dropped::Data
    })
}

fn is_archive(path: &Path) -> bool {
    path.extension().and_then(OsStr::to_str).is_some_and(|e| e.eq_ignore_ascii_case(archive::EXTENSION))
}

/// What somebody wants to see.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    /// The page that asks about an archive.
    Archive(PathBuf),
    /// The view of a run.
    Run(i64),
}

/// What was handed over before there was anything to show it in: on macOS a file that starts the app comes before its window.
static EARLY: Mutex<Vec<Wanted>> = Mutex::new(Vec::new());

/// Opens what was handed over, if it is something; before the app is ready, as soon as it is.
pub(crate) fn open(app: &AppHandle, all: &[String], cwd: &Path) {
    let Some(wanted) = all.iter().find_map(|one| wanted(one, cwd)) else { return };
    let mut early = lock(&EARLY);
    if !show(app, &wanted) {
        early.push(wanted);
    }
}

/// Opens what came too early. To be called when the shell is there.
pub(crate) fn open_early(app: &AppHandle) {
    // Only one place can be shown: the last that was asked for.
    if let Some(wanted) = std::mem::take(&mut *lock(&EARLY)).pop() {
        let _ = show(app, &wanted);
    }
}

/// False where there is nothing yet to show it in.
fn show(app: &AppHandle, wanted: &Wanted) -> bool {
    let (Some(bridge), Some(shell)) = (app.try_state::<Arc<Bridge>>(), app.try_state::<Arc<Shell>>()) else {
        return false;
    };
    match wanted {
        Wanted::Archive(path) => bridge.open(&format!("open/{}", shell.opened.add(path.clone()))),
        Wanted::Run(number) => bridge.open(&format!("run/{number}")),
    }
    true
}

fn wanted(text: &str, cwd: &Path) -> Option<Wanted> {
    if let Some(number) = text.strip_prefix(RUN_LINK) {
        let plain = (1..=15).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        return Some(Wanted::Run(number.parse().ok().filter(|number| plain && *number > 0)?));
    }
    let path = if text.starts_with("file:") { Url::parse(text).ok()?.to_file_path().ok()? } else { cwd.join(text) };
    // What it is inside is looked at when it is unpacked, in front of the user.
    (is_archive(&path) && path.is_file()).then_some(Wanted::Archive(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_opens_the_page_that_asks_by_path_or_by_address() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("a b.footplate");
        std::fs::write(&file, "").unwrap();
        let address = Url::from_file_path(&file).unwrap().to_string();
        for text in [file.to_str().unwrap(), "a b.footplate", "./a b.footplate", &address] {
            let Some(Wanted::Archive(path)) = wanted(text, place.path()) else { panic!("{text}") };
            assert_eq!(path.canonicalize().unwrap(), file.canonicalize().unwrap());
        }
        std::fs::write(place.path().join("x.sh"), "").unwrap();
        std::fs::create_dir(place.path().join("folder.footplate")).unwrap();
        for text in ["gone.footplate", "x.sh", "folder.footplate", "", "--hidden", "file:", "file://host/a.footplate"] {
            assert_eq!(wanted(text, place.path()), None, "{text}");
        }
        let opened = Opened::default();
        let handle = opened.add(file.clone());
        assert_eq!(opened.path(&handle).unwrap(), file);
        for bad in ["", "x", file.to_str().unwrap()] {
            assert_eq!(opened.path(bad).unwrap_err().code, ErrorCode::NotFound);
        }
    }

    #[test]
    fn what_is_dropped_is_told_apart_by_what_it_is() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        for (name, text) in
            [("a.footplate", "PK"), ("train.py", ""), ("go", "#!/bin/sh\n"), ("chats.jsonl", "{}"), ("no", "")]
        {
            std::fs::write(at(name), text).unwrap();
        }
        std::fs::create_dir(at("pictures")).unwrap();
        std::fs::create_dir(at("project")).unwrap();
        std::fs::write(at("project/footplate.toml"), "").unwrap();
        std::os::unix::fs::symlink("/dev/null", at("device.py")).unwrap();
        for (name, what) in [
            ("a.footplate", Some(Dropped::Template)),
            ("project", Some(Dropped::Template)),
            ("train.py", Some(Dropped::Script)),
            ("go", Some(Dropped::Script)),
            ("chats.jsonl", Some(Dropped::Data)),
            ("no", Some(Dropped::Data)),
            ("pictures", Some(Dropped::Data)),
            ("device.py", None),
            ("gone", None),
        ] {
            assert_eq!(what_is(&at(name)), what, "{name}");
        }
    }

    #[test]
    fn a_link_opens_the_view_of_a_run_and_no_other_link_does_anything() {
        let cwd = Path::new("/");
        assert_eq!(wanted("footplate://run/142", cwd), Some(Wanted::Run(142)));
        for hostile in [
            "footplate://run/",
            "footplate://run/0",
            "footplate://run/-1",
            "footplate://run/+1",
            "footplate://run/1/cancel",
            "footplate://run/1?start=1",
            "footplate://run/1#x",
            "footplate://run/1 ",
            "footplate://run/1\n",
            "footplate://run/1;rm",
            "footplate://run/../settings",
            "footplate://run/%31",
            "footplate://run/１",
            "footplate://run/1e3",
            "footplate://run/0x1",
            "footplate://run/99999999999999999999",
            "footplate://run/javascript:alert(1)",
            "footplate://run//1",
            "footplate://user@run/1",
            "footplate://run:80/1",
            "footplate:run/1",
            "footplate:///run/1",
            "footplate://start/digits",
            "footplate://new?template=digits",
            "footplate://import/https://evil/x.footplate",
            "footplate://open/x",
            "footplate://consent/demo?allow=1",
            "FOOTPLATE://run/1",
            "footplate2://run/1",
            "http://run/1",
            "https://evil/x.footplate",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "ftp://x/a.footplate",
        ] {
            assert_eq!(wanted(hostile, cwd), None, "{hostile}");
        }
    }
}
