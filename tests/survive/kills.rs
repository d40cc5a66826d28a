//! One kill at a time.

use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;

use footplate_shim::contract::{Ended, SETTLED};
use footplate_testkit::{Bench, Pretend, kill9, until};

use crate::LONG;

pub(crate) fn pid_of_program(bench: &Bench, number: i64) -> i32 {
    let mut pid = None;
    until(LONG, "the program runs", || {
        pid = bench.show(number)["stages"][0]["attempts"][0]["pid"].as_i64();
        pid.is_some()
    });
    i32::try_from(pid.unwrap()).unwrap()
}

#[test]
fn the_program_survives_the_owner_and_its_true_exit_code_is_known() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let gate = bench.work().join("go");
    let program =
        Pretend::sh(&bench.work(), "p.sh", &format!("while [ ! -e {} ]; do sleep 0.05; done; exit 7", gate.display()));
    let number = bench.add(&[], &program.argv());
    bench.until_status(number, "running", LONG);
    let before = pid_of_program(&bench, number);
    assert!(bench.kill_owner());
    // Any later look tells the truth, and sees to it that there is an owner.
    assert_eq!(bench.status(number), "running");
    assert!(bench.show(number)["confirmed"].as_bool().unwrap());
    assert_eq!(pid_of_program(&bench, number), before);
    // For a moment a child that the dead one was just starting may hold its lock, and it seems to be there still.
    until(LONG, "another one is there, and killed", || bench.status(number) == "running" && bench.kill_owner());
    std::fs::write(&gate, "").unwrap();
    let _ = bench.run(&["wait", &number.to_string()]).expect(1);
    let run = bench.show(number);
    assert_eq!(run["status"], "failed");
    assert_eq!(run["stages"][0]["attempts"][0]["exit_code"], 7);
    assert_eq!(program.starts(), 1);
}

#[test]
fn everything_but_the_shim_is_killed_and_the_exit_is_known_in_the_end() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let gate = bench.work().join("go");
    let program = Pretend::sh(
        &bench.work(),
        "p.sh",
        &format!("while [ ! -e {} ]; do sleep 0.05; done; echo last words", gate.display()),
    );
    let number = bench.add(&[], &program.argv());
    bench.until_status(number, "running", LONG);
    let mut watching = bench.spawn(&["watch", &number.to_string()]);
    let mut waiting = bench.spawn(&["wait", &number.to_string()]);
    until(LONG, "watch and wait are there", || bench.processes_of("footplate").len() >= 3);
    // Guests that wait start another owner while they live: they go first.
    let _ = (watching.kill(), waiting.kill());
    let _ = (watching.wait(), waiting.wait());
    until(LONG, "no footplate is left", || {
        let left = bench.processes_of("footplate");
        for found in &left {
            kill9(found.pid);
        }
        left.is_empty()
    });
    let shims = || bench.processes_of("footplate-shim");
    let one = footplate_testkit::holds_within(LONG, || shims().len() == 1);
    assert!(one, "{:?} {:#}", bench.processes(), bench.show(number));
    std::fs::write(&gate, "").unwrap();
    // Nobody is around at the program's end: its shim starts an owner, which settles and leaves.
    bench.until_nothing_left(LONG);
    let run = bench.show(number);
    assert_eq!(
        (run["status"].as_str(), run["stages"][0]["attempts"][0]["exit_code"].as_i64()),
        (Some("completed"), Some(0))
    );
    assert_eq!(bench.run(&["logs", &number.to_string()]).expect(0).stdout, "last words\n");
    assert_eq!(program.starts(), 1);
}

#[test]
fn with_nobody_around_the_queue_goes_on_by_itself() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let gate = bench.work().join("go");
    let first =
        Pretend::sh(&bench.work(), "first.sh", &format!("while [ ! -e {} ]; do sleep 0.05; done", gate.display()));
    let second = Pretend::sh(&bench.work(), "second.sh", "");
    let one = bench.add(&[], &first.argv());
    let two = bench.add(&[], &second.argv());
    // A run counts as running from its attempt's row on; before there is a shim, nobody is left to go on.
    until(LONG, "the first program runs", || first.starts() == 1);
    assert!(bench.kill_owner());
    assert_eq!(second.starts(), 0);
    std::fs::write(&gate, "").unwrap();
    until(LONG, "the second program ran", || second.starts() == 1);
    bench.until_nothing_left(LONG);
    assert_eq!((bench.status(one), bench.status(two)), ("completed".into(), "completed".into()));
}

/// An owner that dies between the commit and the word to the shim leaves one that rings again, at an owner that has nothing to settle.
#[test]
fn a_shim_that_rings_for_what_was_settled_before_is_told_so() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let number = bench.add(&[], &["true"]);
    let _ = bench.run(&["wait", &number.to_string()]).expect(0);
    let id = bench.show(number)["id"].as_str().unwrap().to_owned();
    bench.until_nothing_left(LONG);
    let mut owner = bench.spawn(&["work"]);
    let ctl = bench.data().join("attempts").join(id).join("0.1/ctl");
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let mut ctl = std::fs::File::options().read(true).custom_flags(nonblock).open(ctl).unwrap();
    let mut bell = None;
    until(LONG, "an owner listens", || {
        let path = bench.data().join("bell");
        bell = std::fs::File::options().write(true).custom_flags(nonblock).open(path).ok();
        bell.is_some()
    });
    let ring = Ended { run: number, stage: 0, attempt: 1 }.to_string();
    std::io::Write::write_all(&mut bell.unwrap(), ring.as_bytes()).unwrap();
    let mut said = Vec::new();
    until(LONG, "the word is there", || {
        let _ = ctl.read_to_end(&mut said);
        said.ends_with(b"\n")
    });
    assert_eq!(String::from_utf8_lossy(&said), format!("{SETTLED}\n"));
    assert!(bench.kill_owner());
    let _ = owner.wait().unwrap();
}

/// Kills the shim that holds the program, and no other process.
fn kill_shim_of(bench: &Bench, number: i64) {
    let pid = pid_of_program(bench, number);
    let parent = footplate_shim::os::process(pid).unwrap().parent;
    assert!(bench.processes_of("footplate-shim").iter().any(|shim| shim.pid == parent), "{parent} holds it no more");
    assert!(kill9(parent));
}

fn until_adopted(bench: &Bench, number: i64) {
    let said = |run: &serde_json::Value| {
        run["stages"][0]["attempts"][0]["notes"].to_string().contains("another has taken its place")
    };
    let adopted = footplate_testkit::holds_within(LONG, || said(&bench.show(number)));
    assert!(adopted, "nobody took its place: {:#} {:?}", bench.show(number), bench.processes());
}

#[test]
fn a_killed_shim_is_replaced_and_its_program_keeps_its_slot_and_its_output() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let gate = bench.work().join("go");
    let wait = format!("echo before; while [ ! -e {} ]; do sleep 0.05; done; echo after; exit 7", gate.display());
    let program = Pretend::sh(&bench.work(), "p.sh", &wait);
    let next = Pretend::sh(&bench.work(), "next.sh", "");
    let number = bench.add(&[], &program.argv());
    let second = bench.add(&[], &next.argv());
    bench.until_status(number, "running", LONG);
    until(LONG, "it printed", || bench.run(&["logs", &number.to_string()]).stdout == "before\n");
    kill_shim_of(&bench, number);
    until_adopted(&bench, number);
    assert_eq!((bench.status(number), next.starts()), ("running".into(), 0), "its slot is not free");
    std::fs::write(&gate, "").unwrap();
    let _ = bench.run(&["wait", &number.to_string()]);
    // Never a completion; a failure only where the system tells the code.
    let run = bench.show(number);
    let attempt = &run["stages"][0]["attempts"][0];
    match attempt["exit_code"].as_i64() {
        Some(code) => assert_eq!((code, run["status"].as_str()), (7, Some("failed"))),
        None => assert_eq!(
            (run["status"].as_str(), run["error"]["code"].as_str()),
            (Some("interrupted"), Some("shim_lost"))
        ),
    }
    assert_eq!(bench.run(&["logs", &number.to_string()]).expect(0).stdout, "before\nafter\n");
    bench.until_status(second, "completed", LONG);
    assert_eq!((program.starts(), next.starts()), (1, 1));
}

#[test]
fn a_paused_program_whose_shim_is_killed_stays_paused_and_goes_on_when_it_is_told_to() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let gate = bench.work().join("go");
    // It does not ignore HUP, which the system sends to a stopped group that nobody is left for.
    let program =
        Pretend::sh(&bench.work(), "p.sh", &format!("while [ ! -e {} ]; do sleep 0.05; done; exit 7", gate.display()));
    let number = bench.add(&[], &program.argv());
    bench.until_status(number, "running", LONG);
    let pid = pid_of_program(&bench, number);
    let is_stopped = || footplate_testkit::process::Found::of(pid).is_some_and(|found| found.state == 'T');
    let _ = bench.run(&["pause", &number.to_string()]).expect(0);
    until(LONG, "it is stopped", is_stopped);
    std::fs::write(&gate, "").unwrap();
    kill_shim_of(&bench, number);
    until_adopted(&bench, number);
    assert_eq!((bench.status(number).as_str(), is_stopped()), ("paused", true), "{:?}", bench.processes());
    let _ = bench.run(&["unpause", &number.to_string()]).expect(0);
    let _ = bench.run(&["wait", &number.to_string()]);
    let attempt = bench.show(number)["stages"][0]["attempts"][0].clone();
    // Where the system does not tell another than its parent how it ended, that is not made up.
    let seen = (attempt["status"].as_str(), attempt["exit_code"].as_i64());
    assert!([(Some("failed"), Some(7)), (Some("interrupted"), None)].contains(&seen), "{attempt:#}");
    assert_eq!(program.starts(), 1);
    bench.until_nothing_left(LONG);
}

#[test]
fn whoever_takes_a_shims_place_may_be_killed_too_with_the_owner_or_with_nobody_around() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let program = Pretend::sh(&bench.work(), "p.sh", "trap 'exit 5' TERM; while :; do sleep 0.05; done");
    let number = bench.add(&[], &program.argv());
    bench.until_status(number, "running", LONG);
    kill_shim_of(&bench, number);
    until_adopted(&bench, number);
    let adopts = |shim: &footplate_testkit::process::Found| shim.command.contains("--adopt");
    let held = || bench.processes_of("footplate-shim").into_iter().filter(adopts).collect::<Vec<_>>();
    for round in 0..4 {
        let mut before = Vec::new();
        until(LONG, "it is held", || {
            before = held();
            !before.is_empty()
        });
        if round % 2 == 1 {
            bench.kill_owner();
        }
        before.iter().for_each(|shim| _ = kill9(shim.pid));
        // Whoever looks sees to it that there is an owner, and that one to it that somebody holds the program.
        assert_eq!(bench.status(number), "running");
        let next = || held().iter().any(|shim| before.iter().all(|old| old.pid != shim.pid));
        let came = footplate_testkit::holds_within(LONG, next);
        assert!(came, "round {round}: after {before:?} {:#} {:?}", bench.show(number), bench.processes());
    }
    let _ = bench.run(&["cancel", &number.to_string()]).expect(0);
    assert_eq!((bench.status(number), program.starts()), ("cancelled".into(), 1));
}

#[test]
fn a_shim_killed_with_its_program_is_never_a_completion_and_never_a_failure() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let program = Pretend::sh(&bench.work(), "p.sh", "sleep 300 & sleep 300");
    let number = bench.add(&[], &program.argv());
    bench.until_status(number, "running", LONG);
    let pid = pid_of_program(&bench, number);
    // Stopped, the shim does not see the end of its program.
    let shim = footplate_shim::os::process(pid).unwrap().parent;
    assert!(footplate_testkit::process::send(shim, rustix::process::Signal::STOP));
    assert!(kill9(pid) && kill9(shim));
    bench.until_status(number, "interrupted", LONG);
    assert_eq!(bench.show(number)["error"]["code"], "shim_lost");
    bench.until_nothing_left(LONG);
    assert_eq!(program.starts(), 1);
    // People decide: a retry starts it again, in the same run.
    assert_eq!(bench.run(&["retry", &number.to_string()]).expect(0).code, 0);
    until(LONG, "it runs again", || program.starts() == 2);
    let _ = bench.run(&["cancel", &number.to_string()]).expect(0);
    assert_eq!(bench.status(number), "cancelled");
}

#[test]
fn a_shim_that_cannot_be_replaced_leaves_no_process_and_no_lie() {
    let mut bench = Bench::new();
    // Each of those that come dies with the lock in its hand.
    bench.set_env("FOOTPLATE_TEST_SHIM_FAILPOINT", "adopt-locked");
    bench.expect_nothing_left();
    let program = Pretend::sh(&bench.work(), "p.sh", "sleep 300");
    let number = bench.add(&[], &program.argv());
    bench.until_status(number, "running", LONG);
    kill_shim_of(&bench, number);
    bench.until_status(number, "interrupted", LONG);
    assert_eq!(bench.show(number)["error"]["code"], "shim_lost");
    bench.until_nothing_left(LONG);
    assert_eq!(program.starts(), 1);
}

#[test]
fn an_orderly_stop_of_the_owner_starts_no_other_and_stops_nothing() {
    let bench = Bench::new();
    let gate = bench.work().join("go");
    let program =
        Pretend::sh(&bench.work(), "p.sh", &format!("while [ ! -e {} ]; do sleep 0.05; done", gate.display()));
    let number = bench.add(&[], &program.argv());
    bench.until_status(number, "running", LONG);
    let owner = bench.owner().unwrap();
    assert!(footplate_testkit::process::send(owner, rustix::process::Signal::TERM));
    until(LONG, "the owner left", || bench.owner().is_none());
    until(LONG, "one shim holds it", || bench.processes_of("footplate-shim").len() == 1);
    std::fs::write(&gate, "").unwrap();
    until(LONG, "the shim is gone", || bench.processes_of("footplate-shim").is_empty());
    assert!(bench.processes_of("footplate").is_empty(), "whoever was told to leave is not started again");
    bench.until_status(number, "completed", LONG);
}

#[test]
fn the_owner_leaves_within_two_seconds_of_being_idle() {
    let bench = Bench::new();
    let number = bench.add(&[], &["true"]);
    let _ = bench.run(&["wait", &number.to_string()]).expect(0);
    bench.until_nothing_left(std::time::Duration::from_secs(2));
}

#[test]
fn the_fork_server_or_what_stands_by_is_killed_or_stopped_and_the_queue_goes_on() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let servers = || bench.processes_of("fork-server");
    let waiting = || bench.processes_of("stand-by");
    let gate = bench.work().join("go");
    let wait = format!("while [ ! -e {} ]; do sleep 0.05; done", gate.display());
    let holder = bench.add(&[], &Pretend::sh(&bench.work(), "hold.sh", &wait).argv());
    bench.until_status(holder, "running", LONG);
    until(LONG, "there is one fork server", || servers().len() == 1);
    let first = servers()[0].clone();
    let programs: Vec<Pretend> =
        (0..3).map(|i| Pretend::sh(&bench.work(), &format!("p{i}.sh"), &format!("exit {i}"))).collect();
    let runs: Vec<i64> = programs.iter().map(|program| bench.add(&[], &program.argv())).collect();
    until(LONG, "two stand by", || waiting().len() == 2);
    kill9(first.pid);
    // One of them is lost before it is needed; the other is needed, and there is no next.
    kill9(waiting()[0].pid);
    std::fs::write(&gate, "").unwrap();
    bench.until_status(runs[0], "completed", LONG);
    // The next are stopped: nobody answers, and they are given up.
    let gate = bench.work().join("go again");
    let wait = format!("while [ ! -e '{}' ]; do sleep 0.05; done", gate.display());
    let holder = bench.add(&["--priority", "50"], &Pretend::sh(&bench.work(), "hold2.sh", &wait).argv());
    let after = bench.add(&[], &Pretend::sh(&bench.work(), "after.sh", "true").argv());
    bench.until_status(holder, "running", LONG);
    let second = servers();
    assert!(second.iter().all(|server| server.pid != first.pid), "{second:?}");
    let stopped = waiting();
    for process in second.iter().chain(&stopped) {
        footplate_testkit::process::send(process.pid, rustix::process::Signal::STOP);
    }
    std::fs::write(&gate, "").unwrap();
    bench.until_status(after, "completed", LONG);
    // Going on, they find that there is nothing for them, or that another has it.
    for process in &stopped {
        footplate_testkit::process::send(process.pid, rustix::process::Signal::CONT);
    }
    for (code, (number, program)) in runs.iter().zip(&programs).enumerate() {
        bench.until_status(*number, if code == 0 { "completed" } else { "failed" }, LONG);
        assert_eq!(bench.show(*number)["stages"][0]["attempts"][0]["exit_code"], code);
        assert_eq!(program.starts(), 1, "each ran once");
    }
}

#[test]
fn a_forked_shim_is_the_owners_child_and_shows_its_folder() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let gate = bench.work().join("go");
    let wait = format!("while [ ! -e {} ]; do sleep 0.05; done", gate.display());
    let number = bench.add(&[], &Pretend::sh(&bench.work(), "p.sh", &wait).argv());
    bench.until_status(number, "running", LONG);
    let id = bench.show(number)["id"].as_str().unwrap().to_owned();
    let title = format!("footplate-shim {}", bench.data().join(format!("attempts/{id}/0.1")).display());
    let owner = bench.owner();
    // A program at its gate is a copy of its shim, and the shim's child; and one look at the table may miss what is there.
    let mut all = Vec::new();
    let found = footplate_testkit::holds_within(LONG, || {
        all = bench.processes_of("footplate-shim");
        all.iter().any(|shim| Some(shim.parent) == owner && shim.command == title)
    });
    std::fs::write(&gate, "").unwrap();
    assert!(found, "{owner:?} {title}: {all:?}");
    bench.until_status(number, "completed", LONG);
}
