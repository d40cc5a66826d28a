//! Many at once, and death at any moment: one attempt runs at most once, and what is on disk tells the truth.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::after::{Call, calls, check_after_death, has_strace, lines, strace, wait};
use common::{Home, shim};
use footplate_shim::contract::code;
use footplate_shim::folder::{Claim, ExitRecord};
use std::process::{Child, Stdio};

const SHIMS: usize = 20;
const ROUNDS: usize = 100;

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

#[test]
fn killed_before_every_system_call_it_never_runs_twice_and_the_folder_tells_the_truth() {
    if !has_strace() {
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
        let calls = calls(&trace);
        // What the loader does before the shim reads its spec touches nothing: a few of these are enough.
        let main = calls.iter().position(|call| call.line.contains("spec.json")).unwrap();
        let (mut again, mut settled, mut free, mut other) = (0, 0, 0, 0);
        for (at, call) in calls.iter().enumerate() {
            if at % stride.max(if at < main { 16 } else { 1 }) > 0 {
                continue;
            }
            let Call { name, nth, .. } = call;
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
