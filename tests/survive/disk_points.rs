//! The disk fails under the store while the owner stands at a named point: it is stopped there, the next call on the database's files
//! is given an error, and it goes on. Crossed: each point, each error, and what comes after it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use footplate_testkit::process::{Found, send};
use footplate_testkit::{Bench, Pretend, kill9, until};
use rustix::process::Signal;

use crate::LONG;
use crate::failpoints::{LAUNCH_AND_FINISH, died_at};
use crate::kills::pid_of_program;

/// Which call is given which error.
const FAULTS: [(&str, &str); 4] =
    [("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("fdatasync", "EIO"), ("pread64", "EIO")];
/// What a store says of them.
const SENTENCES: [&str; 2] = ["there is no room left on the disk of the store", "the disk of the store gave an error"];

#[derive(Clone, Copy, Debug, PartialEq)]
enum After {
    /// One call fails, then the disk is well; the owner does what it does.
    Well,
    /// One call fails, and the owner is killed as soon as it has.
    Killed,
    /// The disk fails for as long as this owner lives.
    Failing,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    point: &'static str,
    call: &'static str,
    error: &'static str,
    after: After,
}

/// All of them under `make soak`; else each point once, with another error and another aftermath, and of those every fifth.
fn cases(points: &[&'static str]) -> Vec<Case> {
    let all = std::env::var_os("FOOTPLATE_SOAK").is_some();
    let mut cases = Vec::new();
    for (p, point) in points.iter().enumerate() {
        for (f, (call, error)) in FAULTS.into_iter().enumerate() {
            for (a, after) in [After::Well, After::Killed, After::Failing].into_iter().enumerate() {
                let short = p % 5 == 1 && f == p / 5 % FAULTS.len() && a == p / 5 % 3;
                if all || short {
                    cases.push(Case { point, call, error, after });
                }
            }
        }
    }
    cases
}

/// strace, attached to a stopped owner.
struct Disk {
    strace: Child,
    owner: i32,
    trace: PathBuf,
}

impl Disk {
    /// Waits until the owner stands at the point, puts the failing disk under it and lets it go on.
    fn fails_at(bench: &Bench, case: Case) -> Disk {
        let mut owner = None;
        until(LONG, &format!("the owner stands at {}", case.point), || {
            owner = bench.owner().filter(|pid| Found::of(*pid).is_some_and(|found| found.state == 'T'));
            owner.is_some() && died_at(bench, case.point)
        });
        let owner = owner.unwrap();
        let trace = bench.root().join("trace");
        let mut command = Command::new("strace");
        for suffix in ["", "-wal", "-shm"] {
            command.arg("-P").arg(bench.data().join(format!("state.db{suffix}")));
        }
        let when = if case.after == After::Failing { "1+" } else { "1" };
        let inject = format!("inject={}:error={}:when={when}", case.call, case.error);
        command.args(["-f", "-q", "-e", "signal=none", "-e", &inject, "-p", &owner.to_string(), "-o"]).arg(&trace);
        let strace = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        until(LONG, "strace is attached to every thread", || {
            let tasks = std::fs::read_dir(format!("/proc/{owner}/task")).unwrap();
            tasks.flatten().all(|task| {
                let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
                status.lines().any(|line| line.starts_with("TracerPid:") && !line.ends_with("\t0"))
            })
        });
        assert!(send(owner, Signal::CONT));
        Disk { strace, owner, trace }
    }

    fn trace(&self) -> String {
        std::fs::read_to_string(&self.trace).unwrap_or_default()
    }

    fn owner_is_gone(&self) -> bool {
        Found::of(self.owner).is_none_or(|found| found.is_zombie())
    }

    /// Lets it come to the error and what follows it; tells whether there was one. No owner hangs, and one that ends because of the error
    /// says so.
    fn comes_to_it(mut self, bench: &Bench, case: Case) -> bool {
        until(LONG, &format!("{case:?}: the error, or the end"), || {
            self.trace().contains("(INJECTED)") || self.owner_is_gone()
        });
        if case.after == After::Killed {
            kill9(self.owner);
        }
        // Because of the error, or when all is done. Of one that was killed strace may say nothing.
        let mut end = None;
        until(LONG, &format!("{case:?}: the owner leaves"), || {
            let line = format!("{} ", self.owner);
            let ends = |text: &str| Some(text.strip_prefix(&line)?.trim_start().strip_prefix("+++ ")?.to_owned());
            end = self.trace().lines().find_map(ends);
            end.is_some()
                || self.strace.try_wait().unwrap().is_some()
                || case.after == After::Killed && self.owner_is_gone()
        });
        // By KILL: told to leave, it may wait for good for a thread of an owner that is just ending.
        let _ = self.strace.kill();
        self.strace.wait().unwrap();
        let failed = end.is_some_and(|end| end.starts_with("exited with ") && end != "exited with 0 +++");
        let log = std::fs::read_to_string(bench.data().join("owner.log")).unwrap_or_default();
        assert!(!failed || SENTENCES.iter().any(|said| log.contains(said)), "{case:?}: it does not say why: {log}");
        self.trace().contains("(INJECTED)")
    }
}

/// strace is there and may be attached to what it has not started.
fn with_strace() -> bool {
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("SKIPPED: no strace on this machine, so errors under the store were not tried");
        return false;
    }
    // Yama: 0 nobody is refused, 1 who did not ask for it (the points do), 2 all but root.
    let scope = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    let root = rustix::process::geteuid().is_root();
    let may = matches!(scope.trim(), "" | "0" | "1") || root && scope.trim() == "2";
    if !may {
        eprintln!("SKIPPED: kernel.yama.ptrace_scope is {}, so errors under the store were not tried", scope.trim());
    }
    may
}

fn stop_at(command: &mut Command, case: Case) -> Child {
    let command = command.env("FOOTPLATE_FAILPOINT", format!("{}:stop", case.point));
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The program ran once, its end is known, and the store is sound.
fn ended(bench: &Bench, case: Case, program: &Pretend, status: &str) {
    let _ = bench.run(&["wait", "1"]);
    let run = bench.show(1);
    assert_eq!(run["status"], status, "{case:?}: {run:#}");
    assert_eq!(program.starts(), 1, "{case:?}: {run:#}");
    bench.until_nothing_left(LONG);
    assert_eq!(bench.run(&["doctor", "--json"]).expect(0).json()["store"]["sound"], true, "{case:?}");
}

/// At some points some calls never come (what it would read is in memory): so many did.
fn enough(given: usize, cases: usize) {
    assert!(given * 3 >= cases * 2, "only {given} of {cases} errors were given");
}

#[test]
fn a_disk_that_fails_at_a_named_point_of_launch_or_finish_loses_nothing() {
    let cases = if with_strace() { cases(LAUNCH_AND_FINISH) } else { Vec::new() };
    let mut given = 0;
    for case in &cases {
        let mut bench = Bench::new();
        bench.expect_nothing_left();
        let program =
            Pretend::sh(&bench.work(), "p.sh", "echo '##PROGRESS##{\"output\":{\"x\":1}}##'; sleep 0.1; exit 5");
        let mut add = stop_at(bench.footplate(["add", "--"]).args(program.argv()), *case);
        let disk = Disk::fails_at(&bench, *case);
        given += usize::from(disk.comes_to_it(&bench, *case));
        add.wait().unwrap();
        ended(&bench, *case, &program, "failed");
        let run = bench.show(1);
        let attempts = run["stages"][0]["attempts"].as_array().unwrap();
        let ran: Vec<_> = attempts.iter().filter(|a| a["status"] == "failed").collect();
        assert_eq!((ran.len(), ran[0]["exit_code"].as_i64()), (1, Some(5)), "{case:?}: {run:#}");
    }
    enough(given, cases.len());
}

#[test]
fn a_disk_that_fails_at_a_named_point_of_a_cancel_leaves_it_to_the_next_owner() {
    let points =
        ["turn-before-commit", "cancel-after-commit", "turn-after-commit", "finish-before-log", "finish-before-commit"];
    let cases = if with_strace() { cases(&points) } else { Vec::new() };
    let mut given = 0;
    for case in &cases {
        let mut bench = Bench::new();
        bench.expect_nothing_left();
        let program = Pretend::sh(&bench.work(), "p.sh", "sleep 300");
        let number = bench.add(&[], &program.argv());
        bench.until_status(number, "running", LONG);
        until(LONG, "the program runs", || program.starts() == 1);
        bench.kill_owner();
        let mut cancel = stop_at(&mut bench.footplate(["cancel", "1", "--no-wait"]), *case);
        let disk = Disk::fails_at(&bench, *case);
        given += usize::from(disk.comes_to_it(&bench, *case));
        cancel.wait().unwrap();
        ended(&bench, *case, &program, "cancelled");
    }
    enough(given, cases.len());
}

#[test]
fn a_disk_that_fails_at_a_named_point_of_recovery_keeps_what_runs_and_its_end() {
    let points = ["recover-look", "turn-before-commit", "turn-after-commit", "recover-adopt"];
    let cases = if with_strace() { cases(&points) } else { Vec::new() };
    let mut given = 0;
    for case in &cases {
        let mut bench = Bench::new();
        bench.expect_nothing_left();
        let gate = bench.work().join("go");
        let wait = format!("while [ ! -e {} ]; do sleep 0.02; done; exit 5", gate.display());
        let program = Pretend::sh(&bench.work(), "p.sh", &wait);
        let number = bench.add(&[], &program.argv());
        bench.until_status(number, "running", LONG);
        until(LONG, "the program runs", || program.starts() == 1);
        // Its shim is to be replaced as well: its end is known only where the system tells a process that is no parent.
        let orphan = case.point == "recover-adopt";
        let shim = footplate_shim::os::process(pid_of_program(&bench, number)).unwrap().parent;
        bench.kill_owner();
        if orphan {
            assert!(kill9(shim));
        }
        let mut list = stop_at(&mut bench.footplate(["list"]), *case);
        let disk = Disk::fails_at(&bench, *case);
        std::fs::write(&gate, "").unwrap();
        given += usize::from(disk.comes_to_it(&bench, *case));
        list.wait().unwrap();
        let _ = bench.run(&["wait", "1"]);
        let attempt = bench.show(number)["stages"][0]["attempts"][0].clone();
        let unseen = orphan && attempt["status"] == "interrupted";
        assert!(unseen || attempt["exit_code"] == 5, "{case:?}: {attempt:#}");
        ended(&bench, *case, &program, if unseen { "interrupted" } else { "failed" });
    }
    enough(given, cases.len());
}
