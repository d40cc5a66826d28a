//! What went wrong, in sentences: one entry a code, with the values. Used by views, and by the owner when it settles.
//!
//! Deliberately not here: what the output says about it (`diagnose`), and translations.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use footplate_core::ErrorCode;
use footplate_core::quantity::Span;
use footplate_core::state::settle::Evidence;
use footplate_core::view::Failure;
use footplate_shim::contract::Spec;

use crate::diagnose;

/// The remark at an attempt whose first shim is gone while its program went on.
pub const TAKEN_OVER: &str = "the process that held it was killed, and another has taken its place";

/// Most names that are compared when a near one is looked for.
const MOST_NAMES: usize = 20_000;

/// What is known beside the code.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// The exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The limit of running time, milliseconds.
    pub timeout_ms: Option<u64>,
    /// The longest silence its stage allows, milliseconds of running time.
    pub stall_ms: Option<u64>,
    /// What was noted when it happened; where there is one it is the detail.
    pub detail: Option<&'a str>,
    /// The run's number, for hints.
    pub run: Option<i64>,
    /// The stage's name, for hints.
    pub stage: Option<&'a str>,
}

/// The sentences for a code.
#[must_use]
pub fn failure(code: ErrorCode, facts: &Facts<'_>) -> Failure {
    let (title, usual, hints) = table(code, facts);
    let detail = match facts.detail {
        Some(detail) if !detail.is_empty() => sentence(detail),
        _ => usual,
    };
    let run = facts.run.map_or("RUN".to_owned(), |n| n.to_string());
    let stage = facts.stage.unwrap_or("STAGE");
    let hints = hints.iter().map(|h| h.replace("{run}", &run).replace("{stage}", stage)).collect();
    let mut diagnosis = diagnose::of_exit(code, facts.exit_code, facts.signal);
    let limit = match code {
        ErrorCode::TimedOut => facts.timeout_ms,
        ErrorCode::Stalled => facts.stall_ms,
        _ => None,
    };
    if let (Some(found), Some(ms)) = (&mut diagnosis, limit) {
        found.args.insert("limit".into(), Span(ms).to_string());
    }
    Failure { code: code.as_str().into(), title: title.into(), detail, hints, log_line: None, diagnosis }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

type Entry = (&'static str, String, &'static [&'static str]);

const LOG: &str = "Read its output: footplate logs {run} {stage}";
const RETRY: &str = "Try again: footplate retry {run} --failed";
const RESUME: &str = "Go on from the newest checkpoint: footplate resume {run}";

fn entry(title: &'static str, detail: &str, hints: &'static [&'static str]) -> Entry {
    (title, detail.to_owned(), hints)
}

fn table(code: ErrorCode, facts: &Facts<'_>) -> Entry {
    use ErrorCode as C;
    match code {
        C::ExitCode => exit_code(facts.exit_code),
        C::Signal => signal(facts.signal),
        C::TimedOut => {
            let limit = facts.timeout_ms.map_or("its limit".to_owned(), |ms| Span(ms).to_string());
            (
                "Time limit reached",
                format!("It ran for {limit} of running time, its limit, and was stopped."),
                &["Give it a longer `timeout`, then: footplate retry {run} --failed", RESUME],
            )
        }
        C::Stalled => {
            let limit = facts.stall_ms.map_or("its limit".to_owned(), |ms| Span(ms).to_string());
            (
                "No output for too long",
                format!(
                    "It printed nothing for {limit} of running time, the longest silence its stage allows, and was stopped."
                ),
                &[
                    LOG,
                    "Give it a longer `stall`, or let it print more often; then: footplate retry {run} --failed",
                    RESUME,
                ],
            )
        }
        C::StoppedByAlert => entry(
            "Stopped by an alert",
            "A rule on one of its metrics stopped it.",
            &["Look at its metrics: footplate metrics {run}", RESUME, RETRY],
        ),
        C::LaunchFailed => entry(
            "Could not be started",
            "The program could not be started.",
            &[RETRY, "footplate doctor looks for what is wrong with this machine"],
        ),
        C::ProgramNotFound => entry(
            "Program not found",
            "The program is not in the search path.",
            &["Write its full path, or activate the environment it is installed in before you submit."],
        ),
        C::NotExecutable => entry(
            "Not executable",
            "The file is there but cannot be executed.",
            &["Make it executable: chmod +x FILE", "Or name the program that reads it: python FILE"],
        ),
        C::CwdMissing => entry(
            "Working folder gone",
            "The working folder is not there any more.",
            &["It starts by itself once the folder is back.", "Or: footplate cancel {run}"],
        ),
        C::InputMissing => entry(
            "An input is missing",
            "A value that it uses is not there.",
            &["Make the stage that hands it on write it: an output line, or $FOOTPLATE_OUTPUT.", RETRY],
        ),
        C::OutputMissing => {
            entry("An output is missing", "A path declared as output was not there at the end.", &[LOG])
        }
        C::Expression => entry(
            "An expression failed",
            "An expression of the pipeline could not be evaluated.",
            &["Correct the pipeline file, then submit it again."],
        ),
        C::Interrupted => entry("Interrupted", "How it ended is not known.", &[RESUME, RETRY]),
        C::Rebooted => entry("Interrupted by a restart", "The machine was restarted while it ran.", &[RESUME, RETRY]),
        C::ShimLost => entry(
            "Interrupted",
            "The process that held the program was killed, so how it ended is not known.",
            &[RESUME, RETRY],
        ),
        C::FolderDeleted => {
            entry("Interrupted", "The attempt's folder was deleted while it ran, so its end is not known.", &[RETRY])
        }
        C::SessionEnd => entry(
            "Interrupted",
            "The session or the machine was ending, and so the program was ended.",
            &[RESUME, RETRY],
        ),
        C::Cancelled => entry("Cancelled", "It was ended by a wish.", &[RETRY]),
        C::NeedNotCompleted => entry("Not run", "A stage it needs did not complete.", &[RETRY]),
        C::ConditionFalse => entry("Not run", "Its condition was false.", &[]),
        C::StoppedByFailure => {
            entry("Not run", "Another stage failed, and the pipeline says on_failure = \"stop\".", &[RETRY])
        }
        C::AfterFailed => entry(
            "Cancelled",
            "The run it comes after did not complete.",
            &["Submit it again with --after, or without."],
        ),
        C::LogLost => entry("Output lost", "The log is shorter than its record says: its end was lost.", &[RETRY]),
        C::SecretMissing => entry(
            "A secret is missing",
            "A secret that it uses is not there.",
            &["Set it in the environment, then submit again."],
        ),
        C::DiskFull => entry(
            "No room on the disk",
            "There is no room on the disk.",
            &["Free some space; it goes on by itself.", "footplate clean --older-than 30d removes ended runs"],
        ),
        C::Usage => entry("Wrong arguments", "The arguments cannot be understood.", &[]),
        C::Invalid => entry("Cannot be used", "An input cannot be used.", &[]),
        C::InvalidPipeline => entry("Faults in the pipeline", "The pipeline has faults.", &[]),
        C::NotARunId => entry("Not a run", "This is no run id, number or name.", &["footplate list shows the runs"]),
        C::Ambiguous => entry("Ambiguous", "This fits several runs.", &["Write more of the id, or the number."]),
        C::ImpossibleResources => entry(
            "More than this machine has",
            "It asks for more than this machine has.",
            &["Ask for less in `resources`."],
        ),
        C::NotFound => entry("Not found", "There is no such thing.", &[]),
        C::Conflict => entry("Not possible now", "Its present state does not allow it.", &[]),
        C::AlreadyEnded => entry("Already ended", "It has already ended.", &[]),
        C::StillLive => entry("Still live", "It, or a part that matters here, is still live.", &[]),
        C::AlreadyStarted => entry("Already started", "It was started before.", &[]),
        C::NothingToResume => entry(
            "Nothing to go on from",
            "There is no checkpoint to go on from.",
            &["Start afresh: footplate retry {run} --failed"],
        ),
        C::Refused => entry("Refused", "A setting forbids it.", &[]),
        C::ConsentMissing => entry(
            "Not allowed yet",
            "Its template came from elsewhere, or was changed, and has not been allowed to run.",
            &["footplate template list shows which; footplate template consent NAME allows one"],
        ),
        C::NoAnswer => entry("No answer", "Nobody answered in time; the wish stays on record.", &[]),
        C::StoreHeld => entry("Held by another", "Another process holds the data folder.", &[]),
        C::StoreDamaged => entry(
            "Store damaged",
            "The store cannot be read.",
            &["It is restored by itself; footplate doctor tells more."],
        ),
        C::StoreNewer => entry("Newer data", "The data was written by a newer version.", &["Please update Footplate."]),
        C::Storage => {
            entry("Storage", "The data cannot be read or written.", &["footplate doctor looks for what is wrong"])
        }
    }
}

fn exit_code(code: Option<i32>) -> Entry {
    let title = "The program failed";
    match code {
        Some(126) => (
            title,
            "It ended with exit code 126: a shell found a command that it could not execute.".into(),
            &[LOG, RETRY],
        ),
        Some(127) => (title, "It ended with exit code 127: a shell did not find a command.".into(), &[LOG, RETRY]),
        Some(137) => (
            title,
            "It ended with exit code 137: something inside it was killed by signal 9, often for want of memory.".into(),
            &[LOG, "Use less memory: a smaller batch, fewer workers.", RETRY],
        ),
        Some(code) => (title, format!("It ended with exit code {code}."), &[LOG, RETRY]),
        None => (title, "It ended with an error.".into(), &[LOG, RETRY]),
    }
}

fn signal(signal: Option<i32>) -> Entry {
    let title = "The program was killed";
    let Some(number) = signal else {
        return (title, "A signal ended it, not sent by Footplate.".into(), &[LOG, RETRY]);
    };
    let name = signal_name(number).map_or(String::new(), |name| format!(" ({name})"));
    match number {
        9 => (
            title,
            format!("It was killed by signal 9{name}, not by Footplate. The system does so when memory runs out."),
            &[LOG, "Use less memory: a smaller batch, fewer workers.", RESUME, RETRY],
        ),
        4 | 6 | 7 | 8 | 11 => (
            "The program crashed",
            format!("It crashed with signal {number}{name}: a fault in the program or in a library it uses."),
            &[LOG, RETRY],
        ),
        _ => (title, format!("It was killed by signal {number}{name}, not by Footplate."), &[LOG, RETRY]),
    }
}

/// The name of a signal that ends programs, by its number on Linux and macOS where they agree.
#[must_use]
pub fn signal_name(number: i32) -> Option<&'static str> {
    Some(match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        _ => return None,
    })
}

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
    fn every_code_has_sentences_and_values_stand_in_them() {
        for code in ErrorCode::ALL {
            let told = failure(*code, &Facts { run: Some(7), stage: Some("train"), ..Facts::default() });
            assert!(!told.title.is_empty() && told.detail.ends_with('.'), "{code}: {told:?}");
            assert!(told.hints.iter().all(|h| !h.contains('{')), "{code}: {told:?}");
        }
        let told = failure(ErrorCode::ExitCode, &Facts { exit_code: Some(3), ..Facts::default() });
        assert_eq!(told.detail, "It ended with exit code 3.");
        let told = failure(ErrorCode::Signal, &Facts { signal: Some(9), ..Facts::default() });
        assert!(told.detail.contains("killed by signal 9 (SIGKILL), not by Footplate"));
        let told = failure(ErrorCode::TimedOut, &Facts { timeout_ms: Some(5_400_000), ..Facts::default() });
        assert!(told.detail.contains("1h30m"));
        assert_eq!(told.diagnosis.unwrap().args["limit"], "1h30m");
        let told =
            failure(ErrorCode::NeedNotCompleted, &Facts { detail: Some("train ended failed"), ..Facts::default() });
        assert_eq!(told.detail, "Train ended failed.");
    }

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
