//! Stopping, pausing and timing out: programs that do not want to go, and everything they leave.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Held, Home, within};
use footplate_shim::clock::running_ms;
use footplate_shim::contract::{Command, OsBytes, Reason, paused_ms};
use footplate_shim::os;

const GRACE: u64 = 400;

/// Stops it, and looks that all of it is gone within grace + 2 s.
fn gone_after_stop(mut held: Held) -> (footplate_shim::contract::Exit, Held) {
    let before = running_ms();
    held.stop(GRACE);
    let exit = held.finish();
    let took = running_ms() - before;
    assert!(took <= GRACE + 2000, "took {took} ms");
    assert_eq!(exit.by_wish.as_deref(), Some("w1"));
    assert!(held.folder.acts().iter().any(|act| act.is_got("w1")));
    (exit, held)
}

#[test]
fn term_is_enough_for_the_willing() {
    let held = Home::new().sh("trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.05; done").hold();
    held.until_said("up");
    let (exit, held) = gone_after_stop(held);
    assert_eq!((exit.code, exit.signal), (Some(5), None));
    // Between the two, the shell may say that its sleep was terminated.
    assert!(held.text().starts_with("up\n") && held.text().ends_with("bye\n"), "{}", held.text());
    assert_eq!(held.verbs(), ["got", "term", "cont", "swept"]);
}

fn asked_to_save(ms: u64, script: &str) -> Held {
    let mut home = Home::new();
    home.spec.save_signal = Some(rustix::process::Signal::USR1.as_raw());
    home.spec.save_ms = ms;
    home.set_sh(script);
    let held = home.hold();
    held.until_said("up");
    held
}

#[test]
fn a_program_is_asked_for_a_checkpoint_before_it_is_told_to_end() {
    // It saves and goes on: TERM comes when its time is over.
    let held = asked_to_save(
        300,
        "trap 'echo saved' USR1; trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.05; done",
    );
    let (exit, held) = gone_after_stop(held);
    assert_eq!(exit.code, Some(5));
    assert!(held.text().contains("saved\n") && held.text().ends_with("bye\n"), "{}", held.text());
    assert_eq!(held.verbs(), ["got", "save", "term", "cont", "swept"]);
    // It saves and leaves: nobody waits longer, and what it left is told to end at once.
    let held = asked_to_save(
        60_000,
        "trap 'echo saved; exit 0' USR1; (trap 'echo worker; exit' TERM; echo up; while :; do sleep 0.05; done) & \
         while :; do sleep 0.05; done",
    );
    let (exit, held) = gone_after_stop(held);
    assert_eq!((exit.code, exit.by_wish.as_deref()), (Some(0), Some("w1")));
    within(5, "the worker was told", || held.text().contains("worker\n").then_some(()));
    assert_eq!(held.verbs(), ["got", "save", "term", "cont", "swept"]);
}

#[test]
fn a_second_wish_does_not_wait_for_the_checkpoint() {
    for (second, code, signal) in [
        (Command::Stop { wish: "w2".into(), grace_ms: GRACE }, Some(5), None),
        (Command::Kill { wish: "w2".into() }, None, Some(9)),
    ] {
        let script = "trap 'echo saving' USR1; trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done";
        let mut held = asked_to_save(600_000, script);
        held.stop(GRACE);
        held.until_said("saving");
        held.folder.tell(&second).unwrap();
        let exit = held.finish();
        assert_eq!((exit.code, exit.signal), (code, signal));
    }
}

#[test]
fn kill_follows_for_the_unwilling() {
    let held = Home::new().sh("trap '' TERM; echo up; while :; do sleep 0.05; done").hold();
    held.until_said("up");
    let (exit, held) = gone_after_stop(held);
    assert_eq!((exit.code, exit.signal), (None, Some(9)));
    assert!(held.verbs().contains(&"kill".to_owned()));
}

#[test]
fn a_stopped_program_hears_term() {
    let held = Home::new().sh("trap 'exit 6' TERM; echo up; kill -STOP $$; sleep 60").hold();
    held.until_said("up");
    let pid = held.start().child.pid;
    let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    within(20, "it is stopped", || state().contains(") T ").then_some(()));
    let (exit, _) = gone_after_stop(held);
    assert_eq!(exit.code, Some(6));
}

#[test]
fn what_forked_away_goes_too() {
    for line in [
        // Double-forked, its parent gone.
        "trap 'exit 0' TERM; (sh -c 'trap \"\" TERM HUP; echo away; sleep 60; sleep 60' &) ; while :; do sleep 0.05; done",
        // In a session of its own.
        "trap 'exit 0' TERM; setsid sh -c 'echo away; sleep 60; sleep 60' & while :; do sleep 0.05; done",
        // In a session of its own, with an environment of its own.
        "trap 'exit 0' TERM; setsid env -i sh -c 'echo away; sleep 60; sleep 60' & while :; do sleep 0.05; done",
    ] {
        let held = Home::new().sh(line).hold();
        held.until_said("away");
        let (exit, held) = gone_after_stop(held);
        assert_eq!(exit.code, Some(0), "{line}");
        // One in the program's group went with it; the others had to be found.
        assert_eq!(held.folder.swept().unwrap().left.is_empty(), !line.contains("setsid"), "{line}");
        assert!(os::processes().unwrap().iter().all(|p| p.parent != held.start().shim.pid));
    }
}

#[test]
fn fifty_workers_go() {
    let held =
        Home::new().sh("trap '' TERM; for n in $(seq 50); do sleep 60 & done; echo up; wait; wait; sleep 60").hold();
    held.until_said("up");
    let (exit, _) = gone_after_stop(held);
    assert_eq!(exit.signal, Some(9));
}

#[test]
fn a_bounded_fork_loop_goes() {
    // Each process forks its successor into a session of its own and leaves: at any time there are a few, never the same.
    let program = "
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('up', flush=True)
end = time.monotonic() + 30
def chase():
    while time.monotonic() < end:
        if os.fork():
            os._exit(0)
        os.setsid()
for _ in range(8):
    if os.fork() == 0:
        chase()
time.sleep(60)
";
    let held = Home::new().python(program).hold();
    held.until_said("up");
    gone_after_stop(held);
}

#[test]
fn a_chatty_grandchild_that_holds_the_log_does_not_hold_the_record() {
    let mut held =
        Home::new().sh("(setsid sh -c 'while :; do echo chatter; done' &) ; sleep 0.2; echo last; exit 3").hold();
    within(20, "the record", || held.folder.path().join("exit.json").exists().then_some(()));
    // The record is there while the chatter goes on; the lock is held until that is gone, five seconds later.
    assert!(held.folder.lock_is_held().unwrap());
    assert_eq!(held.exit().code, Some(3));
    assert!(common::find(&held.log(), b"last\n"));
    let before = running_ms();
    assert_eq!(held.finish().code, Some(3));
    assert!((3000..8000).contains(&(running_ms() - before)));
    assert!(held.folder.swept().unwrap().left.iter().any(|line| line.ends_with(" sh")));
}

#[test]
fn what_a_program_leaves_may_end_by_itself() {
    let mut held = Home::new().sh("(sleep 1; echo late) & exit 0").hold();
    assert_eq!(held.finish().code, Some(0));
    assert_eq!(held.text(), "late\n");
    assert_eq!(held.folder.swept().unwrap().left, Vec::<String>::new());
}

#[test]
fn wait_group_waits_for_the_last_of_them() {
    let mut home = Home::new().sh("(sleep 6; echo late) & exit 0");
    home.spec.wait_group = true;
    let mut held = home.hold();
    assert_eq!(held.finish().code, Some(0));
    assert_eq!(held.text(), "late\n");
    // And can be paused and stopped while it waits: that is then how it ended, and when.
    home.set_sh("sleep 60 & echo up; exit 0");
    let mut held = home.hold();
    within(20, "the record", || held.folder.path().join("exit.json").exists().then_some(()));
    let first = held.exit();
    held.tell(&Command::Pause { wish: "w0".into(), reason: Reason::User });
    within(20, "it is paused", || held.verbs().iter().any(|verb| verb == "paused").then_some(()));
    held.stop(GRACE);
    let exit = held.finish();
    assert_eq!((exit.code, exit.by_wish.as_deref()), (Some(0), Some("w1")));
    assert!(exit.finished_ms > first.finished_ms && exit.running_ms >= first.running_ms, "{exit:?} {first:?}");
}

#[test]
fn with_wait_group_the_time_is_that_of_the_last_of_them() {
    let mut home = Home::new().sh("sleep 60 & echo up; exit 0");
    home.spec.wait_group = true;
    home.spec.timeout_ms = Some(300);
    let exit = home.hold().finish();
    assert!(exit.timed_out && exit.code == Some(0) && exit.running_ms >= 300, "{exit:?}");
}

#[test]
fn a_repeated_wish_is_ignored_and_a_shorter_grace_obeyed() {
    let mut held = Home::new().sh("trap '' TERM; echo up; while :; do sleep 0.05; done").hold();
    held.until_said("up");
    held.stop(60_000);
    within(20, "it was got", || held.folder.acts().iter().any(|act| act.is_got("w1")).then_some(()));
    held.stop(1);
    held.tell(&Command::Pause { wish: "w2".into(), reason: Reason::User });
    within(20, "both were read", || held.folder.acts().iter().any(|act| act.is_got("w2")).then_some(()));
    assert!(held.shim.try_wait().unwrap().is_none(), "the repeat was obeyed");
    held.tell(&Command::Kill { wish: "w3".into() });
    let exit = held.finish();
    assert_eq!((exit.signal, exit.by_wish.as_deref()), (Some(9), Some("w1")));
    assert_eq!(held.verbs(), ["got", "term", "cont", "got", "got", "kill", "swept"]);
    assert!(!held.folder.tell(&Command::Kill { wish: "w4".into() }).unwrap(), "nobody reads any more");
}

#[test]
fn a_timeout_is_enforced_with_its_grace_and_told() {
    let mut home = Home::new().sh("trap '' TERM; while :; do sleep 0.05; done");
    (home.spec.timeout_ms, home.spec.grace_ms) = (Some(300), 200);
    let mut held = home.hold();
    let exit = held.finish();
    assert!(exit.timed_out && exit.by_wish.is_none() && exit.signal == Some(9));
    assert!((500..2500).contains(&exit.running_ms), "{} ms", exit.running_ms);
    assert_eq!(held.verbs(), ["timeout", "term", "cont", "kill", "swept"]);
}

#[test]
fn a_pause_stops_the_tree_and_its_clock() {
    let line = "setsid sh -c 'while :; do echo s; sleep 0.01; done' & while :; do echo m; sleep 0.01; done";
    let mut home = Home::new().sh(line);
    (home.spec.timeout_ms, home.spec.grace_ms) = (Some(1500), 100);
    let mut held = home.hold();
    held.until_said("m\n");
    held.until_said("s\n");
    let pause = |wish: &str, reason| Command::Pause { wish: wish.into(), reason };
    let resume = |wish: &str, reason| Command::Resume { wish: wish.into(), reason };
    held.tell(&pause("p1", Reason::User));
    held.tell(&pause("p2", Reason::Disk));
    held.tell(&resume("p3", Reason::User));
    within(20, "paused for one reason", || held.verbs().contains(&"unpaused".to_owned()).then_some(()));
    // Longer than its time, and longer than many lines: neither comes.
    let quiet = held.log().len();
    let from = running_ms();
    within(20, "two seconds pass", || (running_ms() > from + 2000).then_some(()));
    assert!(held.log().len() <= quiet + 4, "it went on");
    assert!(held.shim.try_wait().unwrap().is_none(), "its clock went on");
    held.tell(&resume("p4", Reason::Disk));
    let exit = held.finish();
    assert!(exit.timed_out);
    assert!((1500..4000).contains(&exit.running_ms), "{} ms", exit.running_ms);
    let paused = paused_ms(&held.folder.acts(), running_ms());
    assert!((2000..20_000).contains(&paused), "{paused} ms");
}

#[test]
fn a_paused_program_can_be_stopped() {
    let held = Home::new().sh("trap 'exit 8' TERM; echo up; while :; do sleep 0.05; done").hold();
    held.until_said("up");
    held.tell(&Command::Pause { wish: "p".into(), reason: Reason::User });
    within(20, "paused", || held.verbs().contains(&"paused".to_owned()).then_some(()));
    let (exit, held) = gone_after_stop(held);
    assert_eq!(exit.code, Some(8));
    assert!(held.verbs().contains(&"unpaused".to_owned()));
}

#[test]
fn a_session_end_is_passed_on_and_not_taken_for_a_wish() {
    let mut held = Home::new().sh("trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done").hold();
    held.until_said("up");
    assert!(held.start().shim.signal(footplate_shim::Signal::TERM).unwrap());
    let exit = held.finish();
    assert_eq!((exit.code, exit.session_end, exit.by_wish, exit.timed_out), (Some(9), true, None, false));
}

#[test]
fn the_sweep_ends_at_what_runs_from_the_data_folder_and_leaves_what_is_below() {
    let mut home = Home::new();
    // A shim from this data folder's bin, with an attempt of its own: a run that adds a run.
    let bin = home.spec.bin_dir.join("footplate-shim");
    std::fs::copy(common::SHIM, &bin).unwrap();
    home.set_sh("echo inner; sleep 60");
    let inner = home.build();
    let inner_mark = home.spec.mark.clone();
    home.spec.argv = [bin.to_str().unwrap(), inner.path().to_str().unwrap()].map(OsBytes::from).to_vec();
    home.set_sh(&format!("setsid {} {} & sleep 60", bin.display(), inner.path().display()));
    let outer = home.hold();
    let (mark, bin_dir) = (home.spec.mark.clone(), home.spec.bin_dir.clone());
    within(20, "the inner program runs", || inner.start());
    within(20, "the inner program runs", || (inner.log_end() > 0).then_some(()));
    let (_, outer) = gone_after_stop(outer);
    let start = inner.start().unwrap();
    assert!(start.shim.is_alive() && start.child.is_alive(), "the inner run was swept");
    // Nor does an owner's sweep of the outer attempt find them.
    let tree = footplate_shim::sweep::Tree::of(&mark, outer.folder.start().as_ref(), &bin_dir);
    assert_eq!(tree.members().unwrap(), vec![]);
    // But its own does, once its shim is dead.
    assert!(start.shim.signal(footplate_shim::Signal::KILL).unwrap());
    within(20, "the inner shim is dead", || (!start.shim.is_alive()).then_some(()));
    let tree = footplate_shim::sweep::Tree::of(&inner_mark, Some(&start), &bin_dir);
    let outcome = footplate_shim::sweep::sweep(&tree, running_ms() + 10_000);
    assert!(outcome.gone && !outcome.left.is_empty(), "{outcome:?}");
    assert!(!start.child.is_alive());
}

#[test]
fn an_owner_sweeps_what_a_dead_shim_left() {
    let line = "setsid sh -c 'echo away; sleep 60; sleep 60' & env -i sh -c 'echo bare; sleep 60; sleep 60' & sleep 60";
    let mut home = Home::new().sh(line);
    let mut held = home.hold();
    held.until_said("away");
    held.until_said("bare");
    held.shim.kill().unwrap();
    held.shim.wait().unwrap();
    let start = held.start();
    assert!(start.child.is_alive() && !held.folder.lock_is_held().unwrap());
    let tree = footplate_shim::sweep::Tree::of(&home.spec.mark, Some(&start), &home.spec.bin_dir);
    let outcome = footplate_shim::sweep::sweep(&tree, running_ms() + 10_000);
    assert!(outcome.gone && outcome.left.len() >= 5, "{outcome:?}");
    assert!(!start.child.is_alive());
    assert!(os::processes().unwrap().iter().all(|p| p.dead || p.session != start.sid));
}
