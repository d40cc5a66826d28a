//! Processes as `/proc` shows them.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

/// A process that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub pid: i32,
    /// Its parent's id.
    pub parent: i32,
    /// Its arguments, separated by spaces.
    pub command: String,
    /// The file it runs, where that can be read.
    pub exe: Option<PathBuf>,
    /// The state's letter of proc(5): `R`, `S`, `T`, `Z` ...
    pub state: char,
}

impl Found {
    /// A process that is there; `None` where it is gone.
    #[must_use]
    pub fn of(pid: i32) -> Option<Found> {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let stat = fs::read_to_string(folder.join("stat")).ok()?;
        // The name in brackets may hold anything; what follows the last bracket is regular.
        let mut rest = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
        let state = rest.next()?.chars().next()?;
        let parent = rest.next()?.parse().ok()?;
        let command = fs::read(folder.join("cmdline")).unwrap_or_default();
        let command = command.split(|b| *b == 0).filter(|arg| !arg.is_empty());
        let command = command.map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ");
        Some(Found { pid, parent, command, exe: fs::read_link(folder.join("exe")).ok(), state })
    }

    /// True for what runs no code any more.
    #[must_use]
    pub fn is_zombie(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }

    /// The last part of the executable's path: `footplate-shim`; `fork-server` for the one that only forks shims, and `stand-by` for
    /// shims without an attempt.
    #[must_use]
    pub fn program(&self) -> String {
        for role in ["fork-server", "stand-by"] {
            if self.command.ends_with(&format!("--{role}")) {
                return role.to_owned();
            }
        }
        let name = self.exe.as_ref().and_then(|exe| exe.file_name()).map(|name| name.to_string_lossy().into_owned());
        // A deleted executable is marked so.
        name.unwrap_or_default().trim_end_matches(" (deleted)").to_owned()
    }
}

/// Every process, zombies left out, whose environment, arguments, working folder or executable names this text. This
/// process itself is not among them.
#[must_use]
pub fn naming(text: &[u8]) -> Vec<Found> {
    let own = std::process::id();
    let Ok(all) = fs::read_dir("/proc") else { return Vec::new() };
    let mut found = Vec::new();
    for entry in all.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()).filter(|pid| *pid as u32 != own) else {
            continue;
        };
        let folder = entry.path();
        let in_file = |file: &str| fs::read(folder.join(file)).is_ok_and(|bytes| contains(&bytes, text));
        let in_link =
            |link: &str| fs::read_link(folder.join(link)).is_ok_and(|path| contains(path.as_os_str().as_bytes(), text));
        if in_file("environ") || in_file("cmdline") || in_link("exe") || in_link("cwd") {
            found.extend(Found::of(pid).filter(|process| !process.is_zombie()));
        }
    }
    found
}

/// Every process of an attempt, by the mark in its environment.
#[must_use]
pub fn marked(mark: &str) -> Vec<Found> {
    naming(format!("FOOTPLATE_MARK={mark}").as_bytes())
}

/// Every process whose environment, arguments, working folder or executable names this folder.
#[must_use]
pub fn of_folder(folder: &Path) -> Vec<Found> {
    naming(folder.as_os_str().as_bytes())
}

/// Sends SIGKILL. False where there is no such process any more.
///
/// # Panics
/// For pids that mean more than one process.
pub fn kill9(pid: i32) -> bool {
    send(pid, Signal::KILL)
}

/// Sends a signal. False where there is no such process any more.
///
/// # Panics
/// For pids that mean more than one process.
pub fn send(pid: i32, signal: Signal) -> bool {
    assert!(pid > 1, "{pid} is no single process of ours");
    Pid::from_raw(pid).is_some_and(|pid| kill_process(pid, signal).is_ok())
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    !text.is_empty() && bytes.windows(text.len()).any(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::time::Duration;

    #[test]
    fn a_process_is_found_by_a_word_of_its_environment_until_it_is_killed() {
        let mark = format!("bench-test-{}", std::process::id());
        let mut child = Command::new("sleep").arg("300").env("FOOTPLATE_MARK", &mark).spawn().unwrap();
        let pid = child.id() as i32;
        crate::until(Duration::from_secs(10), "the program runs", || {
            marked(&mark).iter().any(|found| found.pid == pid)
        });
        assert_eq!(Found::of(pid).unwrap().parent, std::process::id() as i32);
        assert!(kill9(pid));
        child.wait().unwrap();
        assert!(marked(&mark).is_empty());
        assert!(!kill9(pid));
    }
}
