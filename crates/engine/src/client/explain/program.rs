//! A program that could not be started: what is there in its place, and what was perhaps meant.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use footplate_core::ErrorCode;
use footplate_core::state::settle::Evidence;
use footplate_core::view::Failure;
use footplate_shim::contract::Spec;

use super::{Facts, failure};

/// Most names that are compared when a near one is looked for.
const MOST_NAMES: usize = 20_000;

/// Why a program could not be started, in one text, from what it was to be started with and what the shim found. Asks the
/// disk, so it is for the moment of the failure, not for later views.
#[must_use]
pub fn not_started(spec: &Spec, evidence: &Evidence) -> String {
    let (errno, what) = match evidence {
        Evidence::ExecFailed { errno, what } => (*errno, what.as_str()),
        Evidence::NoClaim { errno } => (*errno, "launch"),
        Evidence::Voided | Evidence::Exited { .. } | Evidence::Lost { .. } => (0, "launch"),
    };
    let search = search_path(spec);
    let program = spec.argv.first().map_or(OsStr::new(""), |program| program.as_os_str());
    let told = start_failure(errno, what, program, search.as_deref().map(OsStr::from_bytes), spec.cwd.as_path());
    match told.hints.first() {
        Some(hint) if ["Did you mean", HOLDS_A_SPACE, OURS].iter().any(|start| hint.starts_with(start)) => {
            format!("{} {hint}", told.detail)
        }
        Some(hint) if hint.starts_with("chmod") || hint.starts_with("sed") => {
            format!("{} Mend it with: {hint}", told.detail)
        }
        _ => told.detail,
    }
}

const HOLDS_A_SPACE: &str = "Its name holds a space";
const OURS: &str = "It belongs to Footplate";

/// The search path that the program had.
fn search_path(spec: &Spec) -> Option<Vec<u8>> {
    let own = spec.env.iter().find(|(name, _)| name.0 == b"PATH").map(|(_, value)| value.0.clone());
    let captured = || {
        let all = crate::environment::read(spec.env_file.as_ref()?).ok()?;
        all.into_iter().find(|(name, _)| name == b"PATH").map(|(_, value)| value)
    };
    own.or_else(captured)
}

/// The file that an attempt's program is, where it is there.
#[must_use]
pub fn program_of(spec: &Spec) -> Option<PathBuf> {
    let search = search_path(spec);
    locate(spec.argv.first()?.as_os_str(), search.as_deref().map(OsStr::from_bytes), spec.cwd.as_path())
}

/// Why a program could not be started: `errno` and `what` of its exit record, its first argument, the search path it had
/// and its working folder.
#[must_use]
pub fn start_failure(errno: i32, what: &str, program: &OsStr, search: Option<&OsStr>, cwd: &Path) -> Failure {
    let shown = Path::new(program).display();
    if what == "cwd" {
        let detail =
            format!("Cannot start: the working folder {} cannot be entered: {}.", cwd.display(), os_error(errno));
        return Failure { detail, ..failure(ErrorCode::CwdMissing, &Facts::default()) };
    }
    let file = locate(program, search, cwd);
    let with = |code, detail: String, hints: Vec<String>| {
        let usual = failure(code, &Facts::default());
        Failure { detail, hints: if hints.is_empty() { usual.hints } else { hints }, ..usual }
    };
    match (errno, file) {
        (libc::ENOENT, None) => program_not_found(program, search, cwd),
        (libc::ENOENT | libc::ENOTDIR, Some(file)) => missing_interpreter(&file),
        (libc::EACCES | libc::EPERM, Some(file)) if file.is_dir() => with(
            ErrorCode::NotExecutable,
            format!("Cannot start: {} is a folder.", file.display()),
            vec!["Name the program in it.".into()],
        ),
        (libc::EACCES | libc::EPERM, file) => {
            let file = file.unwrap_or_else(|| cwd.join(program));
            let shown = file.display();
            let mut hints = vec![format!("chmod +x {shown}")];
            hints.extend(reader_of(&file).map(|reader| format!("Or let it be read: {reader} {shown}")));
            with(ErrorCode::NotExecutable, format!("Cannot start: {shown} is not executable."), hints)
        }
        (libc::ENOEXEC, file) => {
            let file = file.unwrap_or_else(|| cwd.join(program));
            wrong_format(&file)
        }
        (libc::E2BIG, _) => with(
            ErrorCode::LaunchFailed,
            format!("Cannot start {shown:?}: its arguments and environment are longer than the system allows."),
            vec!["Write the long ones into a file, and hand the program its path.".into()],
        ),
        (errno, _) => with(
            ErrorCode::LaunchFailed,
            format!("Cannot start {shown:?}: {what} failed: {}.", os_error(errno)),
            vec![],
        ),
    }
}

/// The program is not in the search path (or at its path): says where it was looked for, and a name that is near.
#[must_use]
pub fn program_not_found(program: &OsStr, search: Option<&OsStr>, cwd: &Path) -> Failure {
    let shown = Path::new(program).display().to_string();
    let folders = searched(program, search, cwd);
    let listed = folders.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", ");
    let listed = if listed.is_empty() { "nothing, for PATH is empty".into() } else { listed };
    let mut hints = Vec::new();
    if shown.contains(char::is_whitespace) && !shown.contains('/') {
        hints
            .push(format!("{HOLDS_A_SPACE}: a program and its arguments are separate words, footplate add -- {shown}"));
    }
    if shown.starts_with("footplate-") {
        hints.push(format!("{OURS}: keep all its executables in one folder."));
    }
    if let Some(near) = nearest(program, &folders, cwd) {
        hints.push(format!("Did you mean \"{near}\"?"));
        if let Some(reader) = reader_of(Path::new(&near)) {
            hints.push(format!("A script is started by its reader: {reader} {near}"));
        }
    }
    let usual = failure(ErrorCode::ProgramNotFound, &Facts::default());
    hints.extend(usual.hints.iter().cloned());
    let detail = format!("Cannot start: \"{shown}\" not found. Searched: {listed}.");
    Failure { detail, hints, ..usual }
}

/// Where a program is: its own path, or the first file of its name in the search path, executable ones first.
#[must_use]
pub fn locate(program: &OsStr, search: Option<&OsStr>, cwd: &Path) -> Option<PathBuf> {
    if program.is_empty() {
        return None;
    }
    let all = searched(program, search, cwd);
    let files = || all.iter().map(|folder| folder.join(Path::new(program).file_name().unwrap_or(program)));
    if program.as_bytes().contains(&b'/') {
        let path = cwd.join(program);
        return path.exists().then_some(path);
    }
    let executable = |path: &PathBuf| path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    files().find(executable).or_else(|| files().find(|path| path.exists()))
}

fn searched(program: &OsStr, search: Option<&OsStr>, cwd: &Path) -> Vec<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return cwd.join(program).parent().map(Path::to_owned).into_iter().collect();
    }
    // As execvp(3): an empty part is the working folder.
    std::env::split_paths(search.unwrap_or(OsStr::new("/usr/local/bin:/usr/bin:/bin")))
        .map(|part| cwd.join(part))
        .collect()
}

/// The nearest name: files of the working folder (scripts people mistype) and programs of the search path.
fn nearest(program: &OsStr, folders: &[PathBuf], cwd: &Path) -> Option<String> {
    let path = Path::new(program);
    let wanted = path.file_name()?.to_string_lossy().into_owned();
    let most = (wanted.chars().count() / 3).clamp(1, 3);
    let mut best: Option<(usize, String)> = None;
    let here = cwd.to_owned();
    for folder in std::iter::once(&here).chain(folders) {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries.flatten().take(MOST_NAMES) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name == wanted && folder == &here && best.is_none() {
                // It is in the working folder, which is not searched.
                best = Some((0, format!("./{name}")));
            }
            if name.len().abs_diff(wanted.len()) > most || name == wanted {
                continue;
            }
            let distance = strsim::damerau_levenshtein(&wanted, &name);
            if distance <= most && best.as_ref().is_none_or(|(least, _)| distance < *least) {
                best = Some((distance, name));
            }
        }
    }
    let (_, name) = best?;
    // A path keeps its folder.
    match path.parent().filter(|p| !p.as_os_str().is_empty()) {
        Some(folder) => Some(folder.join(name.trim_start_matches("./")).display().to_string()),
        None => Some(name),
    }
}

fn reader_of(file: &Path) -> Option<&'static str> {
    match file.extension()?.to_str()? {
        "py" => Some("python"),
        "sh" => Some("sh"),
        "jl" => Some("julia"),
        "R" | "r" => Some("Rscript"),
        "js" | "mjs" => Some("node"),
        _ => None,
    }
}

fn missing_interpreter(file: &Path) -> Failure {
    let shown = file.display();
    let usual = failure(ErrorCode::NotExecutable, &Facts::default());
    let first = first_line(file);
    let (detail, hint) = match first.as_deref().and_then(|line| line.strip_prefix("#!")) {
        Some(line) if line.ends_with('\r') => (
            format!(
                "Cannot start: {shown} has Windows line ends, so its first line names a program that is not there ({:?}).",
                line.trim()
            ),
            format!("sed -i 's/\\r$//' {shown}"),
        ),
        Some(line) => (
            format!("Cannot start: {shown} asks for \"{}\", which is not there.", line.trim()),
            "Install it, or correct the first line of the file.".into(),
        ),
        None => (
            format!("Cannot start: {shown} needs a loader or library that is not there: built for another system?"),
            format!("file {shown} tells what it was built for"),
        ),
    };
    Failure { detail, hints: vec![hint], ..usual }
}

fn wrong_format(file: &Path) -> Failure {
    let shown = file.display();
    let usual = failure(ErrorCode::NotExecutable, &Facts::default());
    let mut start = [0; 4];
    let read = std::fs::File::open(file).and_then(|mut f| std::io::Read::read(&mut f, &mut start)).unwrap_or(0);
    let binary = matches!(&start, b"\x7fELF" | b"\xcf\xfa\xed\xfe" | b"\xca\xfe\xba\xbe" | b"MZ\x90\x00");
    let (detail, hints) = if binary {
        (
            format!("Cannot start: {shown} was built for another processor or system."),
            vec![format!("file {shown} tells which; this machine is {}.", std::env::consts::ARCH)],
        )
    } else if read == 0 {
        (format!("Cannot start: {shown} is empty."), vec![])
    } else {
        let reader = reader_of(file).unwrap_or("sh");
        (
            format!("Cannot start: {shown} does not say which program reads it (no #! in its first line)."),
            vec![format!("{reader} {shown}")],
        )
    };
    Failure { detail, hints, ..usual }
}

fn first_line(file: &Path) -> Option<String> {
    let mut start = vec![0; 256];
    let read = std::fs::File::open(file).and_then(|mut f| std::io::Read::read(&mut f, &mut start)).ok()?;
    let line = start[..read].split(|b| *b == b'\n').next()?;
    Some(String::from_utf8_lossy(line).into_owned())
}

fn os_error(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_program_gets_the_near_name_and_the_places_searched() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("train.py"), "").unwrap();
        let bin = place.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::fs::write(bin.join("python3"), "").unwrap();
        let search = bin.as_os_str();
        let told = program_not_found(OsStr::new("trian.py"), Some(search), place.path());
        assert_eq!(told.detail, format!("Cannot start: \"trian.py\" not found. Searched: {}.", bin.display()));
        assert_eq!(told.hints[0], "Did you mean \"train.py\"?");
        let told = program_not_found(OsStr::new("pyhton3"), Some(search), place.path());
        assert_eq!(told.hints[0], "Did you mean \"python3\"?");
        let told = program_not_found(OsStr::new("train.py"), Some(search), place.path());
        assert_eq!(told.hints[0], "Did you mean \"./train.py\"?");
        let told = program_not_found(OsStr::new("./tran.py"), Some(search), place.path());
        assert_eq!(told.hints[0], "Did you mean \"./train.py\"?");
        let told = program_not_found(OsStr::new("zzzzzzzz"), Some(search), place.path());
        assert!(!told.hints.iter().any(|h| h.starts_with("Did you mean")));
    }

    #[test]
    fn what_is_there_but_cannot_be_started_says_which() {
        let place = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8], mode: u32| {
            let path = place.path().join(name);
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            format!("./{name}")
        };
        std::fs::create_dir(place.path().join("folder")).unwrap();
        for (program, errno, text, hint) in [
            (file("plain.py", b"print(1)", 0o644), libc::EACCES, "plain.py is not executable", "chmod +x"),
            ("./folder".into(), libc::EACCES, "folder is a folder", "Name the program"),
            (file("crlf.sh", b"#!/bin/sh\r\necho\r\n", 0o755), libc::ENOENT, "Windows line ends", "sed -i"),
            (
                file("gone.sh", b"#!/opt/none/python\n", 0o755),
                libc::ENOENT,
                "\"/opt/none/python\", which is not there",
                "Install",
            ),
            (file("bare.py", b"print(1)\n", 0o755), libc::ENOEXEC, "no #!", "python "),
            (file("alien", b"\x7fELF....", 0o755), libc::ENOEXEC, "another processor", "file "),
            ("./nothing".into(), libc::ENOENT, "not found", "Write its full path"),
        ] {
            let told = start_failure(errno, "exec", OsStr::new(&program), None, place.path());
            assert!(told.detail.contains(text), "{program}: {}", told.detail);
            assert!(told.hints[0].contains(hint), "{program}: {:?}", told.hints);
        }
        let told = start_failure(libc::ENOENT, "cwd", OsStr::new("x"), None, Path::new("/gone"));
        assert_eq!(told.code, "cwd_missing");
        assert!(told.detail.contains("/gone"));
    }
}
