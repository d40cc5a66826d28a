//! A shim that is killed while its program runs, and one that takes its place.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Held, Home, SHIM, find, shim, within};
use footplate_shim::clock::running_ms;
use footplate_shim::contract::{self, ADOPT_OPTION, Command, Exit, Reason, code, paused_ms};
use footplate_shim::folder::{AttemptDir, ExitRecord};
use std::process::{Child, Stdio};

/// From kernel 6.15 on, those who have a pidfd are told how a process ended that is not theirs.
fn told() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (6, 15)
}

fn adopter(folder: &AttemptDir) -> std::process::Command {
    let mut command = std::process::Command::new(SHIM);
    command.arg(ADOPT_OPTION).arg(folder.path()).stdin(Stdio::null()).env_remove(contract::MARK_VARIABLE);
    command
}

fn kill_shim(held: &mut Held) {
    held.shim.kill().unwrap();
    held.shim.wait().unwrap();
    assert!(!held.folder.lock_is_held().unwrap());
}

fn adopt(held: &mut Held) {
    held.shim = adopter(&held.folder).spawn().unwrap();
    let pid = i32::try_from(held.shim.id()).unwrap();
    within(20, "it is adopted", || held.folder.adopted().filter(|adopted| adopted.shim.pid == pid));
    assert!(held.folder.lock_is_held().unwrap());
}

/// The record's end: as it was where the system tells, else not known, and said so.
fn assert_ended(exit: &Exit, code: Option<i32>, signal: Option<i32>) {
    if told() {
        assert_eq!((exit.code, exit.signal, exit.unseen), (code, signal, false));
    } else {
        assert_eq!((exit.code, exit.signal, exit.unseen), (None, None, true));
    }
}

fn refusal(mut child: Child) -> Option<i32> {
    within(20, "it leaves", || child.try_wait().unwrap()).code()
}

#[test]
fn the_output_goes_on_where_it_was_and_the_end_is_recorded() {
    let mut home = Home::new();
    let gate = home.path("go");
    home.set_sh(&format!("echo one; while [ ! -e {} ]; do sleep 0.02; done; echo two; exit 7", gate.display()));
    let mut held = home.hold();
    held.until_said("one");
    let before = held.start();
    kill_shim(&mut held);
    adopt(&mut held);
    assert_eq!(held.start(), before, "the start record stays what it was");
    std::fs::write(&gate, "").unwrap();
    let exit = held.finish();
    assert_ended(&exit, Some(7), None);
    assert_eq!(held.text(), "one\ntwo\n");
    assert_eq!(exit.started_ms, before.started_ms);
    assert_eq!(held.verbs(), ["adopted", "swept"]);
}

#[test]
fn a_signal_that_ends_it_is_told_too() {
    let mut held = Home::new().sh("echo up; sleep 60").hold();
    held.until_said("up");
    kill_shim(&mut held);
    adopt(&mut held);
    assert!(held.start().child.signal(rustix::process::Signal::KILL).unwrap());
    assert_ended(&held.finish(), None, Some(9));
}

#[test]
fn nothing_is_lost_of_what_was_written_while_nobody_read() {
    // More than the pipe holds: the program waits, it does not die.
    let mut home = Home::new();
    let gate = home.path("go");
    home.set_sh(&format!(
        "echo up; while [ ! -e {} ]; do sleep 0.02; done; i=0; while [ $i -lt 60000 ]; do echo line-$i; i=$((i+1)); done; \
         echo through",
        gate.display()
    ));
    let mut held = home.hold();
    held.until_said("up");
    kill_shim(&mut held);
    std::fs::write(&gate, "").unwrap();
    let fifo = std::fs::OpenOptions::new();
    let waiting = {
        use std::os::unix::fs::OpenOptionsExt;
        let mut open = fifo;
        open.read(true).custom_flags(libc::O_NONBLOCK).open(held.folder.fifo_path()).unwrap()
    };
    within(30, "the pipe is filling", || (rustix::io::ioctl_fionread(&waiting).unwrap() > 60_000).then_some(()));
    drop(waiting);
    adopt(&mut held);
    held.finish();
    let all: String = (0..60_000).map(|i| format!("line-{i}\n")).collect();
    assert_eq!(held.text(), format!("up\n{all}through\n"));
}

#[test]
fn it_can_be_stopped_and_what_it_left_is_swept() {
    let line = "trap 'echo bye; exit 5' TERM; setsid sh -c 'trap \"\" TERM; echo away; sleep 60; sleep 60' & \
                while :; do sleep 0.02; done";
    let mut held = Home::new().sh(line).hold();
    held.until_said("away");
    kill_shim(&mut held);
    adopt(&mut held);
    held.stop(400);
    let exit = held.finish();
    assert_eq!(exit.by_wish.as_deref(), Some("w1"));
    assert_ended(&exit, Some(5), None);
    assert!(held.text().contains("bye\n"));
    assert!(held.folder.swept().unwrap().left.iter().any(|line| line.ends_with(" sh") || line.ends_with(" sleep")));
}

#[test]
fn a_stop_that_was_begun_is_gone_on_with() {
    let mut home = Home::new();
    home.spec.grace_ms = 300;
    home.set_sh("trap 'echo heard' TERM; echo up; while :; do sleep 0.02; done");
    let mut held = home.hold();
    held.until_said("up");
    held.stop(600_000);
    held.until_said("heard");
    kill_shim(&mut held);
    adopt(&mut held);
    let exit = held.finish();
    assert_eq!(exit.by_wish.as_deref(), Some("w1"));
    assert_ended(&exit, None, Some(9));
    // The same wish again is the same wish.
    assert_eq!(held.verbs().iter().filter(|verb| *verb == "got").count(), 1);
}

#[test]
fn a_pause_goes_on_and_its_time_does_not_count() {
    let mut home = Home::new();
    home.spec.timeout_ms = Some(60_000);
    // The system sends HUP and CONT to a stopped group whose last parent in its session dies: the anchor is one that lives on.
    home.set_sh("trap 'exit 3' TERM; echo up; while :; do sleep 0.02; done");
    let mut held = home.hold();
    held.until_said("up");
    held.tell(&Command::Pause { wish: "p".into(), reason: Reason::User });
    within(20, "it is paused", || held.verbs().contains(&"paused".into()).then_some(()));
    let state = |held: &Held| std::fs::read_to_string(format!("/proc/{}/stat", held.start().child.pid)).unwrap();
    let switches = |held: &Held| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", held.start().child.pid)).unwrap();
        status.lines().filter(|line| line.contains("ctxt_switches")).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = switches(&held);
    // Again and again: with nobody there it is not woken either.
    for times in 1..=3 {
        kill_shim(&mut held);
        assert!(state(&held).contains(") T "), "its shim's death ended the pause: {}", state(&held));
        adopt(&mut held);
        within(20, "what was done is gone on with", || {
            (held.verbs().iter().filter(|verb| *verb == "adopted").count() == times).then_some(())
        });
    }
    assert_eq!((state(&held).contains(") T "), switches(&held)), (true, before), "it ran in between");
    held.tell(&Command::Resume { wish: "r".into(), reason: Reason::User });
    within(20, "it runs", || (!state(&held).contains(") T ")).then_some(()));
    let paused = paused_ms(&held.folder.acts(), running_ms());
    held.stop(5000);
    let exit = held.finish();
    let whole = u64::try_from(exit.finished_ms - exit.started_ms).unwrap();
    assert!(paused > 0 && exit.running_ms <= (whole + 100).saturating_sub(paused), "{exit:?}, paused {paused}");
}

#[test]
fn a_pause_that_was_only_heard_of_is_carried_out() {
    let mut held = Home::new().sh("trap 'exit 3' TERM; echo up; while :; do sleep 0.02; done").hold();
    held.until_said("up");
    kill_shim(&mut held);
    let now = running_ms();
    std::fs::write(held.folder.acts_path(), format!("{now} 0 got p pause user\n")).unwrap();
    adopt(&mut held);
    within(20, "it is paused", || held.verbs().contains(&"paused".into()).then_some(()));
    held.stop(5000);
    held.finish();
}

#[test]
fn its_time_is_over_when_it_is_over() {
    let mut home = Home::new();
    home.spec.timeout_ms = Some(1500);
    home.spec.grace_ms = 200;
    home.set_sh("trap 'exit 4' TERM; echo up; while :; do sleep 0.02; done");
    let mut held = home.hold();
    held.until_said("up");
    kill_shim(&mut held);
    adopt(&mut held);
    let exit = held.finish();
    assert!(exit.timed_out, "{exit:?}");
    assert!(exit.running_ms >= 1500, "{exit:?}");
}

#[test]
fn one_after_the_other_may_be_killed() {
    let mut home = Home::new();
    let gate = home.path("go");
    home.set_sh(&format!(
        "i=0; while [ ! -e {} ]; do echo n-$i; i=$((i+1)); sleep 0.01; done; echo last-$i",
        gate.display()
    ));
    let mut held = home.hold();
    for round in 1..6 {
        held.until_said(&format!("n-{}\n", round * 5));
        kill_shim(&mut held);
        adopt(&mut held);
    }
    std::fs::write(&gate, "").unwrap();
    assert_ended(&held.finish(), Some(0), None);
    let text = held.text();
    let lines: Vec<&str> = text.lines().collect();
    let (last, counted) = lines.split_last().unwrap();
    assert_eq!(*last, format!("last-{}", counted.len()));
    assert!(counted.iter().enumerate().all(|(i, line)| *line == format!("n-{i}")), "{text}");
}

#[test]
fn there_is_nothing_to_adopt_where_somebody_holds_it_or_it_has_ended() {
    let mut held = Home::new().sh("echo up; sleep 60").hold();
    held.until_said("up");
    let nothing = Some(i32::from(code::NOTHING_TO_ADOPT));
    assert_eq!(refusal(adopter(&held.folder).spawn().unwrap()), nothing, "held");
    kill_shim(&mut held);
    assert!(held.start().child.signal(rustix::process::Signal::KILL).unwrap());
    within(20, "it is gone", || (!held.start().child.is_alive()).then_some(()));
    assert_eq!(refusal(adopter(&held.folder).spawn().unwrap()), nothing, "dead");
    assert_eq!(held.folder.exit().unwrap(), ExitRecord::Blank, "no record is made up");
    assert!(held.folder.adopted().is_none() && held.folder.swept().is_none());

    let mut held = Home::new().sh("exit 0").hold();
    held.finish();
    assert_eq!(refusal(adopter(&held.folder).spawn().unwrap()), nothing, "over");
}

#[test]
fn what_never_left_its_gate_is_no_program() {
    // Killed after the start record and before the gate: the child may still stand there when the adopter comes.
    for _ in 0..20 {
        let mut home = Home::new().sh("echo ran");
        let folder = home.build();
        let mut first =
            shim(folder.path()).env("FOOTPLATE_FAILPOINT", "shim-started").stderr(Stdio::null()).spawn().unwrap();
        first.wait().unwrap();
        let held = home.held(folder, first);
        assert_eq!(refusal(adopter(&held.folder).spawn().unwrap()), Some(i32::from(code::NOTHING_TO_ADOPT)));
        assert_eq!(held.folder.exit().unwrap(), ExitRecord::Blank);
        assert!(!find(&held.log(), b"ran"));
    }
}

#[test]
fn twenty_that_want_to_adopt_are_one() {
    let mut home = Home::new();
    let gate = home.path("go");
    home.set_sh(&format!("echo up; while [ ! -e {} ]; do sleep 0.02; done; exit 7", gate.display()));
    let mut held = home.hold();
    held.until_said("up");
    kill_shim(&mut held);
    let mut all: Vec<Child> = (0..20).map(|_| adopter(&held.folder).spawn().unwrap()).collect();
    // Nineteen leave with nothing.
    within(60, "one is left", || {
        (all.iter_mut().filter_map(|child| child.try_wait().unwrap()).count() == 19).then_some(())
    });
    let at = all.iter_mut().position(|child| child.try_wait().unwrap().is_none()).unwrap();
    held.shim = all.swap_remove(at);
    for mut other in all {
        assert_eq!(other.wait().unwrap().code(), Some(i32::from(code::NOTHING_TO_ADOPT)));
    }
    std::fs::write(&gate, "").unwrap();
    assert_ended(&held.finish(), Some(7), None);
}
