//! A disk that fails: each call of the shim that touches a file is given an error, once or for good.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::after::{Call, calls, check_after_death, has_strace, lines, strace_files};
use common::{Home, within};
use footplate_shim::folder::{AttemptDir, Claim, ExitRecord};

/// Calls that want room or the disk.
const OF_FILES: [&str; 12] = [
    "openat",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "symlink",
    "link",
    "unlink",
    "ftruncate",
];

/// What an attempt came to whose shim was given an error.
fn end_of(home: &Home, folder: &AttemptDir, ran: &std::path::Path, context: &str) -> &'static str {
    let unclaimed = folder.claim().unwrap() == Claim::None;
    let refused = match folder.exit().unwrap() {
        ExitRecord::Valid(exit) => exit.exec_errno.is_some(),
        ExitRecord::Missing | ExitRecord::Blank => false,
    };
    if refused {
        // Claimed, and written down that it could not be started.
        within(10, "its lock is free", || (!folder.lock_is_held().unwrap()).then_some(()));
        assert_eq!(lines(ran), 0, "{context}: it ran, and is said not to have been started");
        return "refused";
    }
    check_after_death(home, folder, ran, context);
    match folder.exit().unwrap() {
        ExitRecord::Valid(exit) => {
            assert_eq!((exit.code, exit.unseen), (Some(7), false), "{context}");
            if unclaimed { "launched again" } else { "true" }
        }
        ExitRecord::Missing | ExitRecord::Blank if lines(ran) == 0 => "never ran",
        ExitRecord::Missing | ExitRecord::Blank => "lost",
    }
}

fn every_error(errors: &[&str], when: &str) {
    if !has_strace() {
        eprintln!("SKIPPED: no strace on this machine, so errors of the disk were not tried");
        return;
    }
    let mut home = Home::new();
    let ran = home.path("ran");
    home.set_sh(&format!("echo ran >> {}; echo output; exit 7", ran.display()));
    let trace = home.path("trace");
    let folder = home.build();
    assert_eq!(strace_files(&folder, &trace, &["trace=all"]).code(), Some(0));
    let all = calls(&trace);
    let of_files: Vec<&Call> = all.iter().filter(|call| OF_FILES.contains(&call.name.as_str())).collect();
    let (mut tried, mut given) = (0, 0);
    let mut met = std::collections::BTreeMap::<&str, Vec<String>>::new();
    for Call { name, nth, line } in of_files {
        for error in errors {
            let folder = home.build();
            let _ = std::fs::remove_file(&ran);
            let context = format!("{error} at {name} number {nth}{when}: {line}");
            strace_files(&folder, &trace, &[&format!("inject={name}:error={error}:when={nth}{when}")]);
            (tried, given) =
                (tried + 1, given + usize::from(std::fs::read_to_string(&trace).unwrap().contains("(INJECTED)")));
            let end = end_of(&home, &folder, &ran, &context);
            met.entry(end).or_default().push(context);
        }
    }
    assert!(given * 10 >= tried * 9 && given > 30, "only {given} of {tried} errors were given");
    assert!(!met.contains_key("lost"), "lost: {:#?}", met["lost"]);
    for end in ["true", "launched again", "refused"] {
        assert!(met.contains_key(end), "no error led to \"{end}\": {met:#?}");
    }
}

#[test]
fn an_error_of_the_disk_at_any_call_loses_no_result_and_hangs_nobody() {
    every_error(&["ENOSPC", "EIO", "EDQUOT"], "");
}

#[test]
fn a_disk_that_fails_from_any_call_on_tells_no_lie_and_hangs_nobody() {
    every_error(&["ENOSPC", "EIO"], "+");
}

#[test]
fn a_disk_that_is_gone_at_the_end_is_given_up_and_the_end_is_not_made_up() {
    if !has_strace() {
        eprintln!("SKIPPED: no strace on this machine, so a disk that is gone was not tried");
        return;
    }
    let mut home = Home::new();
    let ran = home.path("ran");
    home.set_sh(&format!("echo ran >> {}; exit 7", ran.display()));
    let (trace, folder) = (home.path("trace"), home.build());
    assert_eq!(strace_files(&folder, &trace, &["trace=all"]).code(), Some(0));
    let all = calls(&trace);
    let start = all.iter().find(|call| call.name == "openat" && call.line.contains("start.json")).unwrap();
    let folder = home.build();
    std::fs::remove_file(&ran).unwrap();
    let open = format!("inject=openat:error=EIO:when={}+", start.nth + 1);
    assert_eq!(strace_files(&folder, &trace, &[&open, "inject=pwrite64:error=EIO"]).code(), Some(0), "it gives up");
    assert_eq!((lines(&ran), folder.exit().unwrap()), (1, ExitRecord::Blank));
    // An owner says `interrupted`; nobody runs it again.
    check_after_death(&home, &folder, &ran, "the disk is gone");
}
