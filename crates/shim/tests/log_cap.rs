//! The cap of a log while its disk fails, and while its writers die: head and tail stay, offsets stay true, nobody hangs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::after::has_strace;
use common::{Held, Home, SHIM, within};
use footplate_shim::contract::{self, ADOPT_OPTION};
use footplate_shim::folder::AttemptDir;
use footplate_shim::log::{IndexKind, LogRead, LogReader, index};
use std::process::{Command, Stdio};

const SEGMENT: u64 = 4096;
const CAP: u64 = 8 * SEGMENT;

fn home(lines: u64, waits: bool) -> Home {
    // It waits in between for its output to be read: so what is lost is lost in pieces, and not in one.
    let mut home = Home::new();
    let gate = if waits { home.path("go") } else { home.path("") };
    home = home.python(&format!(
        "import os, time\nfor n in range({lines}): print(n, flush=n % 200 == 0)\n\
         import sys; sys.stdout.flush()\nwhile not os.path.exists({gate:?}): time.sleep(0.02)"
    ));
    (home.spec.segment, home.spec.log_cap) = (SEGMENT, CAP);
    home
}

fn output(lines: u64) -> Vec<u8> {
    (0..lines).flat_map(|n| format!("{n}\n").into_bytes()).collect()
}

/// A shim under strace, which gives the calls on some files of the attempt what the expressions say.
fn strace(folder: &AttemptDir, files: &[String], expressions: &[String]) -> Command {
    let mut command = Command::new("strace");
    command.args(["-qq", "-e", "signal=none", "-o"]).arg(folder.path().with_extension("trace"));
    command.args(files.iter().flat_map(|file| ["-P".to_owned(), folder.path().join(file).display().to_string()]));
    command.args(expressions.iter().flat_map(|expression| ["-e", expression]));
    command.args([SHIM]).arg(folder.path()).stdin(Stdio::null()).stderr(Stdio::null());
    command.env_remove(contract::MARK_VARIABLE);
    command
}

/// What the log says against what was printed. Tells how many bytes are kept, and how many were lost for want of room. A writer that
/// was killed when the log had `killed_at` bytes took with it what it had read and not written.
fn check(folder: &AttemptDir, lines: u64, killed_at: Option<u64>, context: &str) -> (u64, u64) {
    let mut printed = output(lines);
    if let Some(at) = killed_at.map(|at| usize::try_from(at).unwrap()) {
        let taken = printed.len() - usize::try_from(folder.log_end()).unwrap();
        assert!(taken <= 1 << 16, "{context}: {taken} bytes went with the writer");
        printed.drain(at..at + taken);
    }
    // What found no room has no offsets: what was printed, without it, is what the offsets count.
    let notes = index(folder).unwrap();
    let (mut counted, mut from) = (Vec::new(), 0);
    let mut lost = 0;
    for note in notes.iter().filter(|note| note.kind == IndexKind::NoRoom) {
        let until = usize::try_from(note.offset + lost).unwrap();
        counted.extend_from_slice(&printed[from..until]);
        lost += note.dropped;
        from = until + usize::try_from(note.dropped).unwrap();
    }
    counted.extend_from_slice(&printed[from..]);
    let size = counted.len() as u64;
    assert_eq!(folder.log_end(), size, "{context}: {lost} bytes are said to be lost");
    let (mut reader, mut at, mut kept, mut gone) = (LogReader::new(folder), 0, 0, 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read_at(at, &mut buffer).unwrap() {
            LogRead::Bytes(count) => {
                let place = usize::try_from(at).unwrap();
                assert!(buffer[..count] == counted[place..place + count], "{context}: another text at {at}");
                (at, kept) = (at + count as u64, kept + count as u64);
            }
            LogRead::Dropped { next } => (at, gone) = (next, gone + next - at),
            LogRead::End => break,
        }
    }
    assert_eq!((at, kept + gone), (size, size), "{context}: it is read to its end");
    let noted: u64 = notes.iter().filter(|note| note.kind == IndexKind::OverCap).map(|note| note.dropped).sum();
    assert_eq!(noted, gone, "{context}: what is gone is noted, and once");
    let swept = folder.swept().unwrap();
    assert_eq!((swept.log_size, swept.dropped), (size, gone + lost), "{context}");
    // Head and tail are there.
    assert!(kept <= CAP, "{context}: {kept} bytes are kept");
    let segments = folder.segments().unwrap();
    assert_eq!(segments[..2], [(0, SEGMENT), (SEGMENT, SEGMENT)], "{context}: the head");
    let tail: u64 = segments.iter().rev().take(2).map(|(_, length)| length).sum();
    assert!(tail > SEGMENT, "{context}: the tail has {tail} bytes: {segments:?}");
    (kept, lost)
}

/// Names of the segments that an output of this length has.
fn segments(lines: u64) -> Vec<String> {
    (0..output(lines).len() as u64 / SEGMENT + 1).map(|n| format!("log.{}", n * SEGMENT)).collect()
}

#[test]
fn a_segment_that_cannot_be_removed_or_opened_costs_no_more_than_it_must() {
    if !has_strace() {
        eprintln!("SKIPPED: no strace on this machine, so errors under the log's cap were not tried");
        return;
    }
    let lines = 20_000;
    let all = segments(lines);
    let mut given = 0;
    for (files, calls, error, when, loses) in [
        // Each removal fails once: the next segment goes in its place.
        (all.as_slice(), "unlink,unlinkat", "EIO", "1", false),
        (&all, "unlink,unlinkat", "ENOSPC", "3..6", false),
        // Some never go.
        (&all[2..4], "unlink,unlinkat", "EPERM", "1+", false),
        // None goes any more: what comes then finds no room, and once some go again it goes on.
        (&all, "unlink,unlinkat", "EIO", "2..40", true),
        // A new one cannot be opened for a while.
        (&all[10..], "openat", "ENOSPC", "1", true),
        (&all[4..], "openat", "EIO", "2..5", true),
        // The index cannot be written: what is gone is noted later.
        (&["log.idx".to_owned()][..], "write", "ENOSPC", "2..4", false),
    ] {
        let mut home = home(lines, false);
        let folder = home.build();
        let context = format!("{error} at {calls} {when} of {} files", files.len());
        let expressions = [format!("trace={calls}"), format!("inject={calls}:error={error}:when={when}")];
        let mut child = strace(&folder, files, &expressions).spawn().unwrap();
        let status = within(60, &context, || child.try_wait().unwrap());
        assert_eq!(status.code(), Some(0), "{context}");
        let trace = std::fs::read_to_string(folder.path().with_extension("trace")).unwrap();
        given += usize::from(trace.contains("(INJECTED)"));
        let (_, lost) = check(&folder, lines, None, &context);
        assert!(loses || lost == 0, "{context}: {lost} bytes were lost");
    }
    assert_eq!(given, 7, "every error was given");
}

#[test]
fn a_writer_that_is_killed_while_it_drops_is_followed_by_one_that_goes_on() {
    if !has_strace() {
        eprintln!("SKIPPED: no strace on this machine, so kills under the log's cap were not tried");
        return;
    }
    let lines = 40_000;
    let all = segments(lines);
    for (calls, nth) in [("unlink,unlinkat", 1), ("unlink,unlinkat", 4), ("unlink,unlinkat", 9), ("openat", 7)] {
        let mut home = home(lines, true);
        let folder = home.build();
        let context = format!("killed at {calls} number {nth}");
        let kill = [format!("trace={calls}"), format!("inject={calls}:signal=KILL:when={nth}")];
        let mut child = strace(&folder, &all, &kill).spawn().unwrap();
        within(60, &context, || child.try_wait().unwrap());
        within(10, "its lock is free", || (!folder.lock_is_held().unwrap()).then_some(()));
        assert!(folder.start().unwrap().child.is_alive(), "{context}: the program goes on");
        let killed_at = folder.log_end();
        let adopter = Command::new(SHIM).arg(ADOPT_OPTION).arg(folder.path()).stdin(Stdio::null()).spawn();
        let mut held: Held = home.held(folder, adopter.unwrap());
        let pid = i32::try_from(held.shim.id()).unwrap();
        within(20, "it is adopted", || held.folder.adopted().filter(|adopted| adopted.shim.pid == pid));
        std::fs::write(home.path("go"), "").unwrap();
        held.finish();
        let (_, lost) = check(&held.folder, lines, Some(killed_at), &context);
        assert_eq!(lost, 0, "{context}");
    }
}
