//! Many at once, and death at any moment: one attempt runs at most once, and what is on disk tells the truth.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Home, living, shim, within};
use footplate_shim::contract::code;
use footplate_shim::folder::{AttemptDir, Claim, ExitRecord};
use footplate_shim::sweep::{Tree, sweep};
use std::process::{Child, Command, ExitStatus, Stdio};

const SHIMS: usize = 20;
const ROUNDS: usize = 100;

fn lines(path: &std::path::Path) -> usize {
    std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

fn wait(mut child: Child) -> ExitStatus {
    within(60, "a shim ends", || child.try_wait().unwrap())
}

#[test]
fn of_twenty_shims_on_one_attempt_one_runs_it() {
    let mut home = Home::new();
    let ran = home.path("ran");
    home.set_sh(&format!("echo ran >> {}", ran.display()));
    for round in 1..=ROUNDS {
        let folder = home.build();
        let shims: Vec<Child> =
            (0..SHIMS).map(|_| shim(folder.path()).stderr(Stdio::null()).spawn().unwrap()).collect();
        // In every other round the owner gives up at the same time.
        let void = round % 2 == 0 && folder.try_void().unwrap();
        let mut codes: Vec<i32> = shims.into_iter().map(|shim| wait(shim).code().unwrap()).collect();
        codes.sort_unstable();
        let held = codes.iter().filter(|&&c| c == i32::from(code::HELD)).count();
        assert_eq!(held, usize::from(!void), "{codes:?}");
        assert!(codes[held..].iter().all(|&c| c == i32::from(code::CLAIM_LOST) || c == i32::from(code::LOCKED)));
        if void {
            assert_eq!(folder.claim().unwrap(), Claim::Void);
            assert_eq!(folder.exit().unwrap(), ExitRecord::Missing);
        } else {
            assert!(matches!(folder.exit().unwrap(), ExitRecord::Valid(exit) if exit.code == Some(0)));
        }
        let ended = std::fs::read_dir(home.path("attempts").join("run")).unwrap().flatten();
        let runs = ended.filter(|entry| entry.path().join("exit.json").exists()).count();
        assert_eq!(lines(&ran), runs, "round {round}");
    }
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
fn check_after_death(home: &Home, folder: &AttemptDir, ran: &std::path::Path, context: &str) {
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

#[test]
fn killed_before_every_system_call_it_never_runs_twice_and_the_folder_tells_the_truth() {
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("SKIPPED: no strace on this machine, so death before every system call was not tried");
        return;
    }
    let ran = |home: &Home| home.path("ran");
    // Every call of a plain attempt; then some of one that leaves a process behind for the sweep, which makes hundreds.
    for (after, stride) in [("", 1), ("(sleep 0.1 &) ; ", 67)] {
        let mut home = Home::new();
        let ran = ran(&home);
        home.set_sh(&format!("echo ran >> {}; echo output; {after}exit 7", ran.display()));
        let trace = home.path("trace");
        let folder = home.build();
        assert_eq!(strace(&folder, &trace, "trace=all").code(), Some(0));
        let text = std::fs::read_to_string(&trace).unwrap();
        let calls: Vec<String> = text
            .lines()
            .filter(|line| !line.starts_with(['-', '+']))
            .filter_map(|line| line.split_once('(').map(|(name, _)| name.to_owned()))
            .collect();
        // What the loader does before the shim reads its spec touches nothing: a few of these are enough.
        let main = text.lines().position(|line| line.contains("spec.json")).unwrap();
        let (mut again, mut settled, mut free, mut other) = (0, 0, 0, 0);
        for (at, name) in calls.iter().enumerate() {
            if at % stride.max(if at < main { 16 } else { 1 }) > 0 {
                continue;
            }
            // It counts each call by its name.
            let nth = calls.iter().take(at + 1).filter(|earlier| *earlier == name).count();
            let folder = home.build();
            let _ = std::fs::remove_file(&ran);
            let status = strace(&folder, &trace, &format!("inject={name}:signal=KILL:when={nth}"));
            if status.code() == Some(0) {
                // A moment of another order; it came to its end before that call.
                assert!(matches!(folder.exit().unwrap(), ExitRecord::Valid(exit) if exit.code == Some(7)));
            }
            let before = (folder.claim().unwrap(), folder.exit().unwrap(), folder.start().is_some());
            match &before {
                (Claim::None, _, _) => again += 1,
                (_, ExitRecord::Valid(_), _) => settled += 1,
                (_, _, false) => free += 1,
                _ => other += 1,
            }
            check_after_death(&home, &folder, &ran, &format!("killed before {name} number {nth}, {before:?}"));
        }
        // All four ends were met, so it went through the whole of it.
        let met = [again, free, other, settled];
        assert!(stride > 1 || met.iter().all(|&n| n > 8), "{} calls: {met:?}", calls.len());
    }
}

fn strace(folder: &AttemptDir, trace: &std::path::Path, expression: &str) -> ExitStatus {
    let mut command = Command::new("strace");
    command
        .args(["-qq", "-e", "signal=none", "-o"])
        .arg(trace)
        .args(["-e", expression, common::SHIM])
        .arg(folder.path());
    command.stdin(Stdio::null()).stderr(Stdio::null()).status().unwrap()
}

#[test]
fn killed_at_its_named_points_it_leaves_what_the_table_expects() {
    let mut home = Home::new();
    let ran = home.path("ran");
    home.set_sh(&format!("echo ran >> {}; exit 7", ran.display()));
    for point in [
        "shim-locked",
        "shim-unclaimed",
        "shim-claimed",
        "shim-forked",
        "shim-exit-room-named",
        "shim-room",
        "shim-started",
        "shim-gate-open",
        "shim-ended",
        "shim-exit-written",
        "shim-exit-durable",
        "shim-exit-recorded",
        "shim-gone",
        "shim-swept",
    ] {
        let folder = home.build();
        let _ = std::fs::remove_file(&ran);
        let status = wait(shim(folder.path()).env("FOOTPLATE_FAILPOINT", point).spawn().unwrap());
        assert_eq!(status.code(), None, "{point} was not reached");
        let record = folder.exit().unwrap();
        let recorded = ["shim-exit-written", "shim-exit-durable", "shim-exit-recorded", "shim-gone", "shim-swept"];
        assert_eq!(matches!(record, ExitRecord::Valid(_)), recorded.contains(&point), "{point}: {record:?}");
        let unclaimed = ["shim-locked", "shim-unclaimed"].contains(&point);
        assert_eq!(folder.claim().unwrap() == Claim::None, unclaimed, "{point}");
        check_after_death(&home, &folder, &ran, point);
    }
}
