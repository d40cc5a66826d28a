//! Why a program failed: rules over how it ended and the end of its output. Pure; nothing is asked of the machine.
//!
//! A room of the engine, not of `footplate-progress`: a diagnosis needs the exit as much as the output, and it speaks in the same
//! sentences as `client::explain`. What a program says is never trusted: it only fills places of sentences, cut and without
//! control characters; where no rule fits there is no diagnosis, and people see the last lines.
//!
//! Deliberately not here: what the exit alone tells (`client::explain`), reading logs, and guesses.

mod output;
mod pattern;
mod rules;
mod traceback;
mod words;

use footplate_core::ErrorCode;
use footplate_core::quantity::ByteSize;
use footplate_core::view::{Diagnosis, Failure};
use indexmap::IndexMap;

pub use output::{Line, OUTPUT_MOST, Output};
use rules::{ENDINGS, EXCEPTIONS, ExceptionRule, LAUNCHERS, LINES, LineRule};
use traceback::{Link, Raised};

/// Bytes of output that may follow the exception that ended a program.
const AFTER_BYTES: u64 = 8 << 10;
/// Lines of output, without empty ones, that may follow it.
const AFTER_LINES: usize = 60;
/// So many lines after it that differ by their numbers alone are a training that goes on.
const SAME_SHAPE: usize = 5;

/// How it ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// The exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The file of the program, where it was found.
    pub program: Option<&'a str>,
    /// The folder it worked in: files below it are named from there.
    pub cwd: Option<&'a str>,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// No memory was left, or none was given.
    OutOfMemory,
    /// The GPU's memory was full.
    GpuOutOfMemory,
    /// The share of memory that Metal may use was full.
    MpsOutOfMemory,
    /// A process of it was killed from outside.
    Killed,
    /// Python did not find a module.
    ModuleNotFound,
    /// It wanted to start a program that is not there.
    ProgramNotFound,
    /// A file is not there.
    FileNotFound,
    /// It may not touch a file.
    PermissionDenied,
    /// No room on a disk.
    DiskFull,
    /// The GPU it asked for is not there.
    NoSuchGpu,
    /// The GPU's driver does not fit.
    GpuDriver,
    /// The framework was built without this GPU.
    GpuUnsupported,
    /// A check on the GPU failed.
    GpuAssertion,
    /// The model must be asked for.
    HubGated,
    /// The hub does not know the model.
    HubNotFound,
    /// The hub was not reached.
    HubOffline,
    /// The loss was no number any more.
    NanLoss,
    /// An assertion failed.
    Assertion,
    /// Another exception of Python's.
    PythonException,
    /// The port is taken.
    PortInUse,
    /// It ran for longer than it may.
    Timeout,
    /// It printed nothing for longer than it may.
    Stall,
    /// A rule on one of its metrics stopped it.
    Alert,
    /// Its end is not known, or the machine ended it.
    Interrupted,
    /// A value of another stage is missing.
    InputMissing,
}

impl Cause {
    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::OutOfMemory => "out_of_memory",
            Cause::GpuOutOfMemory => "gpu_out_of_memory",
            Cause::MpsOutOfMemory => "mps_out_of_memory",
            Cause::Killed => "killed",
            Cause::ModuleNotFound => "module_not_found",
            Cause::ProgramNotFound => "program_not_found",
            Cause::FileNotFound => "file_not_found",
            Cause::PermissionDenied => "permission_denied",
            Cause::DiskFull => "disk_full",
            Cause::NoSuchGpu => "no_such_gpu",
            Cause::GpuDriver => "gpu_driver",
            Cause::GpuUnsupported => "gpu_unsupported",
            Cause::GpuAssertion => "gpu_assertion",
            Cause::HubGated => "hub_gated",
            Cause::HubNotFound => "hub_not_found",
            Cause::HubOffline => "hub_offline",
            Cause::NanLoss => "nan_loss",
            Cause::Assertion => "assertion",
            Cause::PythonException => "python_exception",
            Cause::PortInUse => "port_in_use",
            Cause::Timeout => "timeout",
            Cause::Stall => "stall",
            Cause::Alert => "alert",
            Cause::Interrupted => "interrupted",
            Cause::InputMissing => "input_missing",
        }
    }

    /// It is a matter of the machine or of the network: it counts also where the program raised something else while it
    /// handled it.
    fn shines_through(self) -> bool {
        matches!(self, Cause::HubGated | Cause::HubNotFound | Cause::HubOffline | Cause::GpuOutOfMemory)
    }
}

/// A cause, and what it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What is wrong.
    pub cause: Cause,
    /// The values by name.
    pub args: IndexMap<String, String>,
    /// The byte of the log at which the line begins that says so.
    pub offset: u64,
    /// Its number from 1, where it is known.
    pub line: Option<u64>,
}

/// What the exit alone says, without any output.
#[must_use]
pub fn of_exit(code: ErrorCode, exit_code: Option<i32>, signal: Option<i32>) -> Option<Diagnosis> {
    let cause = match code {
        ErrorCode::TimedOut => Cause::Timeout,
        ErrorCode::Stalled => Cause::Stall,
        ErrorCode::StoppedByAlert => Cause::Alert,
        ErrorCode::InputMissing => Cause::InputMissing,
        ErrorCode::ProgramNotFound => Cause::ProgramNotFound,
        ErrorCode::DiskFull => Cause::DiskFull,
        ErrorCode::Interrupted
        | ErrorCode::Rebooted
        | ErrorCode::ShimLost
        | ErrorCode::FolderDeleted
        | ErrorCode::SessionEnd => Cause::Interrupted,
        ErrorCode::Signal if signal == Some(9) => Cause::Killed,
        ErrorCode::ExitCode if exit_code == Some(137) => Cause::Killed,
        _ => return None,
    };
    Some(Diagnosis { code: cause.as_str().into(), args: IndexMap::new(), log_offset: None })
}

/// Looks for the reason why a program failed of itself: with an exit code, or by a signal that was not ours.
#[must_use]
pub fn diagnose(facts: &Facts<'_>, output: &Output) -> Option<Found> {
    if facts.exit_code == Some(0) || facts.exit_code.is_none() && facts.signal.is_none() {
        return None;
    }
    let mut found = if from_outside(facts) {
        of_lines(facts, output).filter(|found| matches!(found.cause, Cause::OutOfMemory | Cause::Killed))?
    } else {
        let raised = traceback::all(&output.lines);
        of_exceptions(&raised, facts, output).or_else(|| of_lines(facts, output))?
    };
    let python = |path: &&str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        name.starts_with("python") || name.starts_with("pypy")
    };
    if found.cause == Cause::ModuleNotFound {
        if let Some(module) = found.args.get("module").cloned() {
            found.args.insert("package".into(), words::package_of(&module).to_owned());
        }
        if let Some(python) = facts.program.filter(python).and_then(pattern::value) {
            found.args.insert("python".into(), python);
        }
    }
    Some(found)
}

/// Somebody's signal ended it, or the part of it that it speaks of: what it said before is not why. Its own faults end by others.
fn from_outside(facts: &Facts<'_>) -> bool {
    let own = [libc::SIGILL, libc::SIGABRT, libc::SIGBUS, libc::SIGFPE, libc::SIGSEGV];
    facts.signal.is_some_and(|signal| !own.contains(&signal)) || facts.exit_code == Some(128 + libc::SIGKILL)
}

/// True where it, or the part of it that its output speaks of, was ended by a signal that nothing in it sends.
#[must_use]
pub fn was_killed(facts: &Facts<'_>, found: Option<&Found>) -> bool {
    let killed = facts.signal == Some(libc::SIGKILL) || facts.exit_code == Some(128 + libc::SIGKILL);
    killed || found.is_some_and(|found| found.cause == Cause::Killed)
}

/// The failure of a program that the system ended for want of memory, where the system tells so. `most`: bytes of memory that it had.
#[must_use]
pub fn ended_for_memory(failure: Failure, found: Option<&Found>, most: Option<u64>, run: Option<i64>) -> Failure {
    let used = most.map(|bytes| ("used".to_owned(), ByteSize(bytes).rounded()));
    let args = used.into_iter().collect();
    let line = found.map(|found| (found.offset, found.line));
    let (offset, line) = line.map_or((None, None), |(offset, line)| (Some(offset), line));
    let told = told(&Found { cause: Cause::OutOfMemory, args, offset: offset.unwrap_or(0), line }, failure, run, false);
    let diagnosis = told.diagnosis.map(|diagnosis| Diagnosis { log_offset: offset, ..diagnosis });
    Failure { diagnosis, ..told }
}

/// The failure with the cause's sentences in place of those of its exit. `resumes`: the stage can go on from a checkpoint.
#[must_use]
pub fn told(found: &Found, failure: Failure, run: Option<i64>, resumes: bool) -> Failure {
    let (title, detail, hints) = words::sentences(found, run, resumes);
    Failure {
        title,
        detail: if detail.is_empty() { failure.detail } else { detail },
        hints,
        log_line: found.line,
        diagnosis: Some(Diagnosis {
            code: found.cause.as_str().into(),
            args: found.args.clone(),
            log_offset: Some(found.offset),
        }),
        ..failure
    }
}

fn of_exceptions(all: &[Raised], facts: &Facts<'_>, output: &Output) -> Option<Found> {
    let end = output.lines.last()?.offset;
    let mut last = all.len().checked_sub(1)?;
    let after = output.lines.get(all[last].end..).unwrap_or_default();
    let lines = after.iter().filter(|line| !line.text.is_empty()).count();
    let bytes = end.saturating_sub(output.lines.get(all[last].at)?.offset);
    if lines > AFTER_LINES || bytes > AFTER_BYTES || goes_on(after) && !LAUNCHERS.contains(&all[last].name()) {
        return None;
    }
    while LAUNCHERS.contains(&all[last].name()) {
        last = last.checked_sub(1)?;
    }
    let raised = &all[last];
    if ENDINGS.contains(&raised.name()) {
        return None;
    }
    // What it came of: each is named by the one after it.
    let (mut chain, mut at, mut direct) = (Vec::new(), last, true);
    while all[at].link != Link::None && at > 0 {
        direct &= all[at].link == Link::Cause;
        at -= 1;
        chain.push((&all[at], direct));
    }
    let fitting = fits(raised).or_else(|| {
        chain.iter().find_map(|(of, direct)| fits(of).filter(|(rule, _)| *direct || rule.cause.shines_through()))
    });
    let (cause, mut args) = match fitting {
        Some((rule, args)) => (rule.cause, args),
        // Python ends with 1 where nobody caught it. With another code, something caught it and went on.
        None if facts.exit_code == Some(1) => (Cause::PythonException, IndexMap::new()),
        None => return None,
    };
    // The program that `subprocess` was to start.
    let started = raised.frames.last().is_some_and(|frame| frame.file.ends_with("/subprocess.py"));
    let cause = if cause == Cause::FileNotFound && started {
        args = args.into_iter().map(|(_, value)| ("program".to_owned(), value)).collect();
        Cause::ProgramNotFound
    } else {
        cause
    };
    args.extend(pattern::value(&raised.kind).map(|kind| ("kind".to_owned(), kind)));
    if !args.contains_key("message") {
        args.extend(pattern::value(&raised.message).map(|message| ("message".to_owned(), message)));
    }
    let users = raised.users().or_else(|| chain.iter().find_map(|(of, _)| of.users()));
    if let Some(frame) = users
        && let Some(file) = pattern::value(below(&frame.file, facts.cwd))
    {
        args.insert("at_file".into(), file);
        args.insert("at_line".into(), frame.line.to_string());
        if frame.function != "<module>" {
            args.extend(pattern::value(&frame.function).map(|function| ("at_function".to_owned(), function)));
        }
    }
    Some(Found { cause, args, offset: output.lines.get(raised.at)?.offset, line: output.number(raised.at) })
}

fn below<'f>(file: &'f str, cwd: Option<&str>) -> &'f str {
    cwd.and_then(|cwd| file.strip_prefix(cwd)?.strip_prefix('/')).unwrap_or(file)
}

/// Whether a program went on after what it had raised: lines of one shape that differ by their numbers.
fn goes_on(after: &[Line]) -> bool {
    let mut shapes: Vec<(String, usize)> = Vec::new();
    for line in after {
        let parts: Vec<&str> = line.text.split(|c: char| c.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
        if parts.len() < 2 {
            continue;
        }
        let shape = parts.join("0");
        match shapes.iter_mut().find(|(known, _)| *known == shape) {
            Some((_, count)) => *count += 1,
            None => shapes.push((shape, 1)),
        }
    }
    shapes.iter().any(|(_, count)| *count >= SAME_SHAPE)
}

fn fits(raised: &Raised) -> Option<(&'static ExceptionRule, IndexMap<String, String>)> {
    EXCEPTIONS.iter().find_map(|rule| {
        let named = rule.kinds.is_empty() || rule.kinds.contains(&raised.name());
        let says = || rule.says.iter().find_map(|says| message_says(says, &raised.message));
        Some((rule, named.then(says)??))
    })
}

/// A pattern fits in one line of a message.
fn message_says(says: &str, message: &str) -> Option<IndexMap<String, String>> {
    if says.is_empty() {
        return Some(IndexMap::new());
    }
    message.lines().find_map(|line| pattern::anywhere(says, line))
}

fn of_lines(facts: &Facts<'_>, output: &Output) -> Option<Found> {
    let last: Vec<usize> =
        (0..output.lines.len()).rev().filter(|at| !output.lines[*at].text.is_empty()).take(60).collect();
    let fits = |rule: &LineRule, text: &str| rule.says.iter().find_map(|says| pattern::from_start(says, text));
    LINES
        .iter()
        .filter(|rule| rule.exits.is_empty() || facts.exit_code.is_some_and(|code| rule.exits.contains(&code)))
        .find_map(|rule| {
            last.iter().take(rule.within).find_map(|at| {
                let line = &output.lines[*at];
                let args = fits(rule, line.text.trim_start())?;
                Some(Found { cause: rule.cause, args, offset: line.offset, line: output.number(*at) })
            })
        })
}
