//! What went wrong, in sentences: one entry a code, with the values. Used by views, and by the owner when it settles.
//!
//! `program.rs` looks for a program that could not be started. Deliberately not here: what the output says about it (`diagnose`), and translations.

use footplate_core::ErrorCode;
use footplate_core::quantity::Span;
use footplate_core::view::Failure;

use crate::diagnose;

pub use program::{locate, not_started, program_not_found, program_of, start_failure};

mod program;

/// The remark at an attempt whose first shim is gone while its program went on.
pub const TAKEN_OVER: &str = "the process that held it was killed, and another has taken its place";

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
    /// The stage can go on from a checkpoint: its definition has `resume`.
    pub resumes: bool,
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
    let fit = |hint: &&&str| facts.resumes || **hint != RESUME;
    let hints = hints.iter().filter(fit).map(|h| h.replace("{run}", &run).replace("{stage}", stage)).collect();
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
/// Only where the stage can: `footplate resume` refuses it elsewhere.
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
        C::DiskSilent => entry(
            "Disk does not answer",
            "The disk that a folder of it lies on does not answer.",
            &[
                "It starts by itself once the disk answers: look at its network or its cable.",
                "Or: footplate cancel {run}",
            ],
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
        for code in ErrorCode::ALL {
            let hints = |resumes| failure(*code, &Facts { resumes, ..Facts::default() }).hints;
            let again = |hints: &[String]| hints.iter().any(|hint| hint.contains("footplate re"));
            assert!(!hints(false).iter().any(|hint| hint.contains("footplate resume")), "{code}");
            assert_eq!(again(&hints(false)), again(&hints(true)), "{code}: nothing is left to do");
        }
        let told =
            failure(ErrorCode::NeedNotCompleted, &Facts { detail: Some("train ended failed"), ..Facts::default() });
        assert_eq!(told.detail, "Train ended failed.");
    }
}
