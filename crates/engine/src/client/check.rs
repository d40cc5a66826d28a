//! What is refused at submit, each with the value and what to do. Nothing runs and nothing is written here.
//!
//! Deliberately not here: the pipeline's own faults (`footplate-spec`), and what is only known at launch.

use std::path::{Path, PathBuf};

use footplate_core::definition::{Definition, Stage};
use footplate_core::quantity::ByteSize;
use footplate_core::schedule::{Capacity, Demand};
use footplate_core::{ErrorCode, Fault};

use super::types::Submit;
use crate::environment::{Captured, check_name};

/// Most characters of a name.
pub(super) const NAME_MOST: usize = 200;
/// Longest single argument on Linux (MAX_ARG_STRLEN, linux/binfmts.h), bytes with its NUL.
const ARGUMENT_MOST: usize = 128 * 1024;

fn invalid(message: String, hint: impl Into<String>) -> Fault {
    Fault::new(ErrorCode::Invalid, message).hint(hint)
}

/// Text that people read on one line.
pub(super) fn line(what: &str, text: &str) -> Result<(), Fault> {
    let length = text.chars().count();
    if length > NAME_MOST {
        let start: String = text.chars().take(20).collect();
        return Err(invalid(
            format!("The {what} {start:?}.. has {length} characters; the limit is {NAME_MOST}."),
            format!("Choose a shorter {what}."),
        ));
    }
    if text.trim().is_empty() {
        return Err(invalid(
            format!("The {what} is empty."),
            format!("Write a {what} of 1 to {NAME_MOST} characters."),
        ));
    }
    if let Some(bad) = text.chars().find(|c| c.is_control()) {
        return Err(invalid(
            format!("The {what} {text:?} holds the control character {}.", bad.escape_unicode()),
            format!("Write the {what} on one line, without control characters."),
        ));
    }
    Ok(())
}

/// -100 to 100.
pub(super) fn priority(priority: i32) -> Result<(), Fault> {
    if (-100..=100).contains(&priority) {
        return Ok(());
    }
    Err(invalid(
        format!("The priority {priority} is out of bounds."),
        "Write a whole number from -100 to 100; higher starts first.",
    ))
}

/// One that exists.
pub(super) fn queue(name: &str, known: &[String]) -> Result<(), Fault> {
    if known.iter().any(|k| k == name) {
        return Ok(());
    }
    let fault = Fault::new(ErrorCode::NotFound, format!("There is no queue {name:?}."));
    let fault = match footplate_spec::nearest(name, known.iter().map(String::as_str)) {
        Some(near) => fault.hint(format!("Did you mean \"{near}\"?")),
        None => fault,
    };
    Err(fault.hint(format!("The queues are {}; footplate queue set NAME makes one.", known.join(", "))))
}

/// An absolute path of a folder that is there.
pub(super) fn folder(what: &str, path: &Path) -> Result<PathBuf, Fault> {
    let shown = path.display();
    let fault = |why: &str| {
        Fault::new(ErrorCode::CwdMissing, format!("The {what} {shown} {why}.")).hint("Name a folder that exists.")
    };
    if std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).contains(&0) {
        return Err(invalid(format!("The {what} {path:?} has a NUL byte in it."), "Paths cannot hold NUL."));
    }
    let path = std::path::absolute(path).map_err(|e| fault(&format!("cannot be used: {e}")))?;
    match path.metadata() {
        Ok(facts) if facts.is_dir() => Ok(path),
        Ok(_) => Err(fault("is not a folder")),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(fault("does not exist")),
        Err(e) => Err(fault(&format!("cannot be used: {e}"))),
    }
}

/// Name, experiment, tags, priority, target.
pub(super) fn words(s: &Submit) -> Result<(), Fault> {
    if let Some(name) = &s.name {
        line("name", name)?;
    }
    if let Some(experiment) = &s.experiment {
        line("experiment", experiment)?;
    }
    for tag in &s.tags {
        line("tag", tag)?;
    }
    if s.tags.len() > 100 {
        return Err(invalid(format!("The run has {} tags; the limit is 100.", s.tags.len()), "Leave some out."));
    }
    if let Some(p) = s.priority {
        priority(p)?;
    }
    if s.target != "local" {
        return Err(Fault::new(ErrorCode::NotFound, format!("There is no target {:?}.", s.target))
            .hint("Runs start on this machine: local."));
    }
    Ok(())
}

/// Arguments and environment that the system could never start a program with.
pub(super) fn arguments(definition: &Definition, environment: &Captured) -> Result<(), Fault> {
    let limit = argument_limit(environment);
    for (name, stage) in &definition.stages {
        one_stage(name, stage, environment, limit)?;
    }
    Ok(())
}

fn one_stage(name: &str, stage: &Stage, environment: &Captured, limit: usize) -> Result<(), Fault> {
    let of = format!("stage \"{name}\"");
    let nul = |what: String| {
        Err(invalid(format!("{what} of {of} has a NUL byte in it."), "Arguments and variables cannot hold NUL."))
    };
    if stage.shell.is_none() && stage.command.first().is_none_or(|program| program.trim().is_empty()) {
        return Err(invalid(
            format!("The command of {of} is empty: there is no program to start."),
            "Write the program first, then its arguments: python train.py",
        ));
    }
    let mut total = environment.size();
    for (index, argument) in stage.command.iter().chain(&stage.resume).chain(&stage.shell).enumerate() {
        if argument.contains('\0') {
            return nul(format!("Argument {index} ({:?})", cut(argument)));
        }
        if cfg!(target_os = "linux") && argument.len() >= ARGUMENT_MOST {
            return Err(invalid(
                format!(
                    "Argument {index} ({:?}) of {of} has {} bytes; the system's limit for one is {ARGUMENT_MOST}.",
                    cut(argument),
                    argument.len()
                ),
                "Write it into a file, and hand the program the file's path.",
            ));
        }
        total += argument.len() + 1 + size_of::<usize>();
    }
    for (variable, value) in &stage.env {
        check_name(variable.as_bytes())?;
        if value.contains('\0') {
            return nul(format!("The value of the variable {variable}"));
        }
        total += variable.len() + value.len() + 2 + size_of::<usize>();
    }
    for secret in &stage.secrets {
        check_name(secret.as_bytes())?;
    }
    if let Some(cwd) = stage.cwd.as_ref().filter(|cwd| cwd.contains('\0')) {
        return nul(format!("The working folder {:?}", cut(cwd)));
    }
    if total > limit {
        let longest = stage.command.iter().enumerate().max_by_key(|(_, argument)| argument.len());
        let (index, argument) = longest.map_or((0, ""), |(index, argument)| (index, argument.as_str()));
        return Err(invalid(
            format!(
                "The arguments and the environment of {of} have {total} bytes; the system's limit is {limit}. The longest is argument {index} ({:?}), {} bytes.",
                cut(argument),
                argument.len()
            ),
            "Write long lists into a file, and hand the program the file's path.",
        ));
    }
    Ok(())
}

fn cut(text: &str) -> String {
    let start: String = text.chars().take(40).collect();
    if start.len() < text.len() { format!("{start}..") } else { start }
}

/// What execve(2) allows for arguments and environment together, less room for what stage and shim add: on Linux a quarter
/// of the stack limit, between 128 KiB and 6 MiB; 1 MiB elsewhere.
fn argument_limit(environment: &Captured) -> usize {
    const RESERVE: usize = 16 << 10;
    if !cfg!(target_os = "linux") {
        return (1 << 20) - RESERVE;
    }
    let stack = environment.limits().iter().find(|(name, _, _)| name == "stack").map_or(8 << 20, |(_, soft, _)| *soft);
    let quarter = usize::try_from(stack / 4).unwrap_or(usize::MAX);
    quarter.clamp(128 << 10, 6 << 20) - RESERVE
}

/// More than this machine has.
pub(super) fn resources(definition: &Definition, capacity: Capacity) -> Result<(), Fault> {
    for (name, stage) in &definition.stages {
        let wanted = Demand::from(stage.resources);
        if capacity.can_hold(wanted) {
            continue;
        }
        let mut over = Vec::new();
        let cores = |n: u32| format!("{n} {}", if n == 1 { "core" } else { "cores" });
        let gpus = |n: u32| match n {
            0 => "no GPU".to_owned(),
            1 => "1 GPU".to_owned(),
            n => format!("{n} GPUs"),
        };
        if wanted.cpus > capacity.cpus {
            over.push(format!("{}; this machine has {}", cores(wanted.cpus), cores(capacity.cpus)));
        }
        if wanted.memory > capacity.memory {
            over.push(format!("{} of memory; this machine has {}", ByteSize(wanted.memory), size(capacity.memory)));
        }
        if wanted.gpus > capacity.gpus {
            over.push(format!("{}; this machine has {}", gpus(wanted.gpus), gpus(capacity.gpus)));
        }
        return Err(Fault::new(
            ErrorCode::ImpossibleResources,
            format!("Stage \"{name}\" asks for {}.", over.join(", and for ")),
        )
        .hint("Ask for less in `resources`, or run it on a larger machine."));
    }
    Ok(())
}

fn size(bytes: u64) -> String {
    format!("{:.1}GB", bytes as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_line_of_at_most_200_characters() {
        for good in ["digits-3", "größer", "训练 🚂", &"x".repeat(200), "\u{202e}backwards"] {
            assert!(line("name", good).is_ok(), "{good}");
        }
        for bad in ["", "  ", "a\nb", "a\tb", "\u{7}", &"x".repeat(201), &"x".repeat(10_000)] {
            let fault = line("name", bad).unwrap_err();
            assert_eq!(fault.code, ErrorCode::Invalid);
            assert!(fault.message.len() < 300, "{}", fault.message);
        }
    }

    #[test]
    fn an_unknown_queue_gets_the_nearest_name() {
        let known = ["training".to_owned(), "default".to_owned()];
        assert!(queue("training", &known).is_ok());
        let fault = queue("trainng", &known).unwrap_err();
        assert_eq!((fault.code, fault.hints[0].as_str()), (ErrorCode::NotFound, "Did you mean \"training\"?"));
    }
}
