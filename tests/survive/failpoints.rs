//! Owners that die at named points of launch, finish, cancel and recover; the next one goes on.

use footplate_testkit::{Bench, Pretend, until};

use crate::LONG;

/// The points of `crates/engine/src/owner`, and how often each is reached before it kills.
pub(crate) const LAUNCH_AND_FINISH: &[&str] = &[
    "launch-before-commit",
    "launch-after-commit",
    "launch-folder-built",
    "launch-shim-started",
    "turn-before-commit",
    "turn-before-commit@2",
    "turn-before-commit@3",
    "turn-after-commit",
    "turn-after-commit@2",
    "turn-after-commit@3",
    "recover-look",
    "recover-look@2",
    "finish-before-log",
    "finish-before-commit",
];

/// The owner really came to the point: it says so in its log. An owner that merely left would look the same from outside.
pub(crate) fn died_at(bench: &Bench, point: &str) -> bool {
    let name = point.split('@').next().unwrap_or(point);
    let log = std::fs::read_to_string(bench.data().join("owner.log")).unwrap_or_default();
    log.lines().any(|line| line == format!("failpoint {name}"))
}

#[test]
fn an_owner_that_dies_at_a_named_point_of_launch_or_finish_loses_nothing() {
    for point in LAUNCH_AND_FINISH {
        let mut bench = Bench::new();
        bench.expect_nothing_left();
        // Long enough to be seen running: launch, start and end are a turn each.
        let program =
            Pretend::sh(&bench.work(), "p.sh", "echo '##PROGRESS##{\"output\":{\"x\":1}}##'; sleep 0.3; exit 5");
        let mut add = bench.footplate(["add", "--json", "--"]);
        let added = add.args(program.argv()).env("FOOTPLATE_FAILPOINT", point).output().unwrap();
        assert!(added.status.success(), "{point}: {added:?}");
        until(LONG, &format!("the owner dies at {point}"), || died_at(&bench, point));
        let waited = bench.run(&["wait", "1"]);
        assert_eq!(waited.code, 1, "{point}: {waited:?}");
        let run = bench.show(1);
        assert_eq!(run["status"], "failed", "{point}: {run:#}");
        let attempts = run["stages"][0]["attempts"].as_array().unwrap();
        let ran: Vec<_> = attempts.iter().filter(|a| a["status"] == "failed").collect();
        assert_eq!((ran.len(), program.starts()), (1, 1), "{point}: {run:#}");
        assert_eq!(ran[0]["exit_code"], 5, "{point}");
        bench.until_nothing_left(LONG);
    }
}

#[test]
fn an_owner_that_dies_between_a_shims_ring_and_its_commit_is_replaced_with_nobody_around() {
    for point in ["finish-before-log", "finish-before-commit", "turn-before-commit@3", "turn-after-commit@3"] {
        let mut bench = Bench::new();
        bench.expect_nothing_left();
        let gate = bench.work().join("go");
        let wait = format!("while [ ! -e {} ]; do sleep 0.05; done", gate.display());
        let first = Pretend::sh(&bench.work(), "first.sh", &wait);
        let second = Pretend::sh(&bench.work(), "second.sh", "true");
        let mut add = bench.footplate(["add", "--"]);
        assert!(add.args(first.argv()).env("FOOTPLATE_FAILPOINT", point).status().unwrap().success());
        // No guest looks from here on but the one that adds: the owner with the failpoint lives until the first run's end, or
        // died before, and was replaced by this one.
        bench.add(&[], &second.argv());
        std::fs::write(&gate, "").unwrap();
        until(LONG, &format!("{point}: the second program runs"), || second.starts() == 1);
        bench.until_nothing_left(LONG);
        assert_eq!((bench.status(1).as_str(), bench.status(2).as_str()), ("completed", "completed"), "{point}");
        assert_eq!((first.starts(), second.starts()), (1, 1), "{point}");
    }
}

#[test]
fn an_owner_that_dies_in_the_middle_of_a_cancel_leaves_it_to_the_next() {
    for point in
        ["cancel-after-commit", "turn-before-commit", "turn-after-commit", "finish-before-commit", "finish-before-log"]
    {
        let mut bench = Bench::new();
        bench.expect_nothing_left();
        let program = Pretend::sh(&bench.work(), "p.sh", "sleep 300");
        let number = bench.add(&[], &program.argv());
        bench.until_status(number, "running", LONG);
        until(LONG, "the program runs", || program.starts() == 1);
        bench.kill_owner();
        // The wish starts an owner that dies at the point.
        let cancel = bench.footplate(["cancel", "1", "--no-wait"]).env("FOOTPLATE_FAILPOINT", point).output().unwrap();
        assert!(cancel.status.success(), "{point}: {cancel:?}");
        until(LONG, &format!("the owner dies at {point}"), || died_at(&bench, point));
        bench.until_status(number, "cancelled", LONG);
        bench.until_nothing_left(LONG);
        assert_eq!(program.starts(), 1, "{point}");
    }
}

#[test]
fn a_shim_that_dies_at_a_named_point_ran_its_program_at_most_once() {
    for point in ["shim-locked", "shim-unclaimed"] {
        let mut bench = Bench::new();
        bench.set_env("FOOTPLATE_TEST_SHIM_FAILPOINT", point);
        bench.expect_nothing_left();
        let program = Pretend::sh(&bench.work(), "p.sh", "");
        let number = bench.add(&[], &program.argv());
        // Three shims come and go without a claim: given up, with nothing run.
        bench.until_status(number, "failed", LONG);
        assert_eq!(bench.show(number)["error"]["code"], "launch_failed");
        assert_eq!(program.starts(), 0, "{point}");
    }
}
