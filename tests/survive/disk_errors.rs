//! A disk that fails under the store: the owner's calls on the database's files are given errors, one a round.

use std::process::{Child, Command, Stdio};

use footplate_testkit::{Bench, Pretend, until};

use crate::{Dice, LONG, rounds};

const CALLS: [&str; 5] = ["pwrite64", "fdatasync", "openat", "ftruncate", "pread64"];
const ERRORS: [&str; 3] = ["ENOSPC", "EIO", "EDQUOT"];

/// An owner under strace, which gives `call` an error the `nth` time it touches the database.
fn owner_with(bench: &Bench, call: &str, error: &str, nth: u64) -> Child {
    let plain = bench.footplate(["work"]);
    let mut command = Command::new("strace");
    for suffix in ["", "-wal", "-shm"] {
        command.arg("-P").arg(bench.data().join(format!("state.db{suffix}")));
    }
    command.args(["-f", "-qq", "-e", "signal=none", "-e", &format!("inject={call}:error={error}:when={nth}"), "-o"]);
    command.arg(bench.root().join("trace")).arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(folder) = plain.get_current_dir() {
        command.current_dir(folder);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_store_whose_disk_fails_at_any_call_loses_no_run_and_runs_none_twice() {
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("SKIPPED: no strace on this machine, so errors under the store were not tried");
        return;
    }
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let _ = bench.run(&["list"]).expect(0);
    bench.until_nothing_left(LONG);
    let mut dice = Dice(0x6a09_e667_f3bc_c909);
    let (mut all, mut given) = (Vec::new(), 0);
    for round in 0..rounds(12, 300) {
        let call = CALLS[dice.below(CALLS.len() as u64) as usize];
        let error = ERRORS[dice.below(3) as usize];
        let nth = 1 + dice.below(if call == "pwrite64" { 40 } else { 8 });
        let mut owner = owner_with(&bench, call, error, nth);
        // It may be over before it began: then whoever adds starts another.
        until(LONG, "an owner is there, or gone", || bench.owner().is_some() || owner.try_wait().unwrap().is_some());
        for n in 0..2 {
            let code = if n == 0 { 0 } else { 5 };
            let program = Pretend::sh(&bench.work(), &format!("p{round}.{n}.sh"), &format!("exit {code}"));
            all.push((bench.add(&[], &program.argv()), code, program, format!("{error} at {call} number {nth}")));
        }
        for (number, ..) in all.iter().rev().take(2) {
            let _ = bench.run(&["wait", &number.to_string()]);
        }
        if let Some(pid) = bench.owner() {
            footplate_testkit::process::send(pid, rustix::process::Signal::TERM);
        }
        until(LONG, "the owner left", || bench.owner().is_none());
        until(LONG, "strace left", || owner.try_wait().unwrap().is_some());
        given += u32::from(std::fs::read_to_string(bench.root().join("trace")).unwrap().contains("(INJECTED)"));
    }
    assert!(given * 2 >= rounds(12, 300), "only {given} errors were given");
    for (number, code, program, context) in all {
        let run = bench.show(number);
        let attempts = run["stages"][0]["attempts"].as_array().unwrap();
        assert_eq!(run["status"], if code == 0 { "completed" } else { "failed" }, "{context}: {run:#}");
        assert_eq!(attempts.last().unwrap()["exit_code"], code, "{context}: {run:#}");
        assert_eq!(program.starts(), 1, "{context}: {run:#}");
    }
    assert_eq!(bench.run(&["doctor", "--json"]).expect(0).json()["store"]["sound"], true);
}
