//! After a shim's death, or an error it was given: what the folder says, and whether that is true.

use super::{Home, living, shim, within};
use footplate_shim::contract::code;
use footplate_shim::folder::{AttemptDir, Claim, ExitRecord};
use footplate_shim::sweep::{Tree, sweep};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

pub fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

pub fn wait(mut child: Child) -> ExitStatus {
    within(60, "a shim ends", || child.try_wait().unwrap())
}

/// What a recovering owner concludes: the table of the design, as far as one folder goes.
#[derive(Debug, PartialEq)]
enum Conclusion {
    LaunchAgain,
    Settle,
    Interrupted { free: bool },
}

fn recover(folder: &AttemptDir, tree: &Tree) -> Conclusion {
    if folder.claim().unwrap() == Claim::None {
        return Conclusion::LaunchAgain;
    }
    // A child just forked has a copy until its first instruction; then it is free.
    within(10, "a dead shim's lock is free", || (!folder.lock_is_held().unwrap()).then_some(()));
    let swept = folder.swept().is_some();
    let outcome = sweep(tree, footplate_shim::clock::running_ms() + 10_000);
    assert!(outcome.gone);
    assert!(!swept || outcome.left.is_empty(), "swept.json, but {:?} was left", outcome.left);
    match folder.exit().unwrap() {
        ExitRecord::Valid(_) => Conclusion::Settle,
        _ => Conclusion::Interrupted { free: folder.start().is_none() },
    }
}

/// Runs shims until the attempt is settled, and checks what the program did against what the folder says.
pub fn check_after_death(home: &Home, folder: &AttemptDir, ran: &Path, context: &str) {
    let tree = || Tree::of(&home.spec.mark, folder.start().as_ref(), &home.spec.bin_dir);
    // A gated child whose shim died ends by itself; nothing shows it but its session.
    let mut conclusion = recover(folder, &tree());
    if conclusion == Conclusion::LaunchAgain {
        assert_eq!(lines(ran), 0, "{context}: it ran without a claim");
        assert_eq!(folder.exit().unwrap(), ExitRecord::Missing, "{context}: an exit without a claim");
        let again = wait(shim(folder.path()).spawn().unwrap());
        assert_eq!(again.code(), Some(0), "{context}: the next shim");
        conclusion = recover(folder, &tree());
        assert_eq!(conclusion, Conclusion::Settle, "{context}");
    }
    match conclusion {
        Conclusion::Settle => assert_eq!(lines(ran), 1, "{context}: settled"),
        Conclusion::Interrupted { free: true } => assert_eq!(lines(ran), 0, "{context}: free of charge"),
        _ => assert!(lines(ran) <= 1, "{context}: it ran twice"),
    }
    // Whatever happened: no later shim runs it.
    let late = wait(shim(folder.path()).spawn().unwrap());
    assert_eq!(late.code(), Some(i32::from(code::CLAIM_LOST)), "{context}");
    assert!(lines(ran) <= 1, "{context}: it ran twice");
    assert_eq!(living(&home.spec.mark), Vec::<String>::new(), "{context}");
}

/// A system call of a shim.
#[derive(Debug)]
pub struct Call {
    pub name: String,
    /// It counts each by its name.
    pub nth: usize,
    /// As strace shows it.
    pub line: String,
}

pub fn has_strace() -> bool {
    Command::new("strace").arg("-V").output().is_ok()
}

/// All calls of the shim itself that strace wrote down.
pub fn calls(trace: &Path) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for line in std::fs::read_to_string(trace).unwrap().lines().filter(|line| !line.starts_with(['-', '+'])) {
        if let Some((name, _)) = line.split_once('(') {
            let nth = calls.iter().filter(|earlier| earlier.name == name).count() + 1;
            calls.push(Call { name: name.to_owned(), nth, line: line.to_owned() });
        }
    }
    calls
}

/// Files of an attempt's folder that a shim uses.
const FILES: [&str; 13] = [
    "spec.json",
    "lock",
    "claim",
    "exit.new",
    "exit.tmp",
    "exit.json",
    "start.json",
    "log.0",
    "log.idx",
    "acts.log",
    "swept.json",
    "out.fifo",
    "ctl",
];

/// The same, for calls on the attempt's own files alone.
pub fn strace_files(folder: &AttemptDir, trace: &Path, expressions: &[&str]) -> ExitStatus {
    let paths: Vec<String> = FILES.iter().map(|file| folder.path().join(file).display().to_string()).collect();
    let mut command = Command::new("strace");
    command.args(["-qq", "-y", "-e", "signal=none"]).args(paths.iter().flat_map(|path| ["-P", path])).arg("-o");
    command.arg(trace).args(expressions.iter().flat_map(|expression| ["-e", expression])).arg(super::SHIM);
    command.arg(folder.path()).stdin(Stdio::null()).stderr(Stdio::null()).spawn().map(wait).unwrap()
}

/// Runs a shim under strace, which writes what it sees to `trace`.
pub fn strace(folder: &AttemptDir, trace: &Path, expression: &str) -> ExitStatus {
    let mut command = Command::new("strace");
    command
        .args(["-qq", "-y", "-e", "signal=none", "-o"])
        .arg(trace)
        .args(["-e", expression, super::SHIM])
        .arg(folder.path());
    command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().map(wait).unwrap()
}
