//! Runs that add runs, and programs that delete folders.

use footplate_testkit::{Bench, Pretend, kill9, until};

use crate::LONG;

#[test]
fn a_run_that_adds_a_run_does_not_take_it_along_when_it_is_swept() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let _ = bench.run(&["queue", "set", "default", "--limit", "2"]).expect(0);
    let gate = bench.work().join("go");
    let inner = Pretend::sh(
        &bench.work(),
        "inner.sh",
        &format!("while [ ! -e {} ]; do sleep 0.05; done; exit 4", gate.display()),
    );
    let footplate = Bench::executable("footplate");
    let argv = inner.argv().join(" ");
    // The outer run starts the inner one's owner itself: the one that started the outer run is killed first.
    let outer = Pretend::sh(
        &bench.work(),
        "outer.sh",
        &format!("while [ ! -e killed ]; do sleep 0.02; done; {} add -- {argv}; sleep 300", footplate.display()),
    );
    let one = bench.add(&[], &outer.argv());
    until(LONG, "the outer run is up", || outer.starts() == 1);
    bench.until_status(one, "running", LONG);
    bench.kill_owner();
    std::fs::write(bench.work().join("killed"), "").unwrap();
    until(LONG, "the inner run is up", || inner.starts() == 1);
    let two = one + 1;
    bench.until_status(two, "running", LONG);
    let owner = bench.owner().unwrap();
    let _ = bench.run(&["cancel", &one.to_string()]).expect(0);
    assert_eq!(bench.status(one), "cancelled");
    assert_eq!(bench.owner(), Some(owner), "the inner run's owner survives");
    assert_eq!(bench.status(two), "running");
    assert_eq!(inner.starts(), 1);
    std::fs::write(&gate, "").unwrap();
    let _ = bench.run(&["wait", &two.to_string()]).expect(1);
    assert_eq!(bench.show(two)["stages"][0]["attempts"][0]["exit_code"], 4);
}

#[test]
fn a_program_that_wipes_its_run_folder_is_not_launched_twice() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let program = Pretend::sh(&bench.work(), "p.sh", "rm -rf \"$FOOTPLATE_RUN_DIR\"; sleep 0.3; exit 2");
    let number = bench.add(&[], &program.argv());
    until(LONG, "it runs", || program.starts() == 1);
    bench.kill_owner();
    let _ = bench.run(&["wait", &number.to_string()]).expect(1);
    assert_eq!((bench.status(number), program.starts()), ("failed".into(), 1));
}

#[test]
fn a_program_whose_attempt_folder_is_deleted_is_interrupted_and_not_launched_twice() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let program = Pretend::sh(&bench.work(), "p.sh", "sleep 300");
    let number = bench.add(&[], &program.argv());
    until(LONG, "it runs", || program.starts() == 1);
    bench.until_status(number, "running", LONG);
    bench.kill_owner();
    let id = bench.show(number)["id"].as_str().unwrap().to_owned();
    bench.kill_owner();
    for shim in bench.processes_of("footplate-shim") {
        kill9(shim.pid);
    }
    std::fs::remove_dir_all(bench.data().join("attempts").join(id)).unwrap();
    bench.until_status(number, "interrupted", LONG);
    assert_eq!(bench.show(number)["error"]["code"], "folder_deleted");
    bench.until_nothing_left(LONG);
    assert_eq!(program.starts(), 1);
}

#[test]
fn what_a_program_left_running_is_ended_and_named() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let program = Pretend::sh(&bench.work(), "p.sh", "for i in 1 2 3 4; do sleep 300 & done; exit 0");
    let number = bench.add(&[], &program.argv());
    let _ = bench.run(&["wait", &number.to_string()]).expect(0);
    let run = bench.show(number);
    let notes = run["stages"][0]["attempts"][0]["notes"].to_string();
    assert!(notes.contains("what it left running was ended: ") && notes.contains(", and 1 more"), "{run:#}");
    assert!(notes.contains("sleep"), "{notes}");
}
