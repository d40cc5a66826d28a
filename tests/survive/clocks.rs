//! Another boot, and time that passes while a program is paused.

use footplate_testkit::{Bench, Pretend, kill9, until};

use crate::LONG;

/// Kills all of the bench and pretends that the machine was started again.
fn reboot(bench: &mut Bench) {
    bench.kill_all();
    bench.set_env("FOOTPLATE_TEST_BOOT_ID", "another-boot");
}

#[test]
fn after_a_reboot_what_ran_is_interrupted_and_what_was_queued_runs() {
    let mut bench = Bench::new();
    let first = Pretend::sh(&bench.work(), "a.sh", "[ -e go ] || sleep 300");
    let second = Pretend::sh(&bench.work(), "b.sh", "");
    let one = bench.add(&[], &first.argv());
    let two = bench.add(&[], &second.argv());
    until(LONG, "it runs", || first.starts() == 1);
    bench.until_status(one, "running", LONG);
    reboot(&mut bench);
    assert_eq!(bench.run(&["wait", &one.to_string(), &two.to_string()]).code, 1);
    assert_eq!(bench.show(one)["error"]["code"], "rebooted");
    assert_eq!((bench.status(one), bench.status(two)), ("interrupted".into(), "completed".into()));
    assert_eq!((first.starts(), second.starts()), (1, 1));
}

#[test]
fn after_a_reboot_an_exit_record_counts_and_is_not_run_again() {
    let mut bench = Bench::new();
    let gate = bench.work().join("go");
    let program =
        Pretend::sh(&bench.work(), "p.sh", &format!("while [ ! -e {} ]; do sleep 0.02; done; exit 6", gate.display()));
    let number = bench.add(&[], &program.argv());
    until(LONG, "it runs", || program.starts() == 1);
    // Nobody settles it: the owner is stopped, the shim writes the record, then the power goes.
    let owner = bench.owner().unwrap();
    assert!(footplate_testkit::process::send(owner, rustix::process::Signal::STOP));
    std::fs::write(&gate, "").unwrap();
    let folder = bench.data().join("attempts").join(bench.show(number)["id"].as_str().unwrap()).join("0.1");
    until(LONG, "the shim has written all", || folder.join("swept.json").exists());
    // The shim first: it waits for the owner's word, and would start another.
    bench.processes_of("footplate-shim").iter().for_each(|shim| _ = kill9(shim.pid));
    kill9(owner);
    reboot(&mut bench);
    let _ = bench.run(&["wait", &number.to_string()]).expect(1);
    let run = bench.show(number);
    assert_eq!(
        (run["status"].as_str(), run["stages"][0]["attempts"][0]["exit_code"].as_i64()),
        (Some("failed"), Some(6))
    );
    assert_eq!(program.starts(), 1);
}

#[test]
fn a_launch_of_an_earlier_boot_that_never_ran_is_free_and_runs_now() {
    let mut bench = Bench::new();
    let program = Pretend::sh(&bench.work(), "p.sh", "");
    let mut add = bench.footplate(["add", "--"]);
    let added = add.args(program.argv()).env("FOOTPLATE_FAILPOINT", "launch-folder-built").output().unwrap();
    assert!(added.status.success());
    let log = bench.data().join("owner.log");
    until(LONG, "the owner died before it started a shim", || {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        said.contains("failpoint launch-folder-built") && bench.owner().is_none()
    });
    reboot(&mut bench);
    let _ = bench.run(&["wait", "1"]).expect(0);
    let attempts = bench.show(1)["stages"][0]["attempts"].clone();
    let statuses: Vec<_> =
        attempts.as_array().unwrap().iter().map(|a| a["status"].as_str().unwrap().to_owned()).collect();
    assert_eq!(statuses, ["void", "completed"]);
    assert_eq!(program.starts(), 1);
}

#[test]
fn time_in_a_pause_does_not_count_towards_the_limit() {
    let bench = Bench::new();
    let program = Pretend::python(
        &bench.work(),
        "p.py",
        "note('ready')\nend = time.monotonic() + 0\nwhile not os.path.exists('go'): time.sleep(0.02)",
    );
    let number = bench.add(&["--timeout", "4s"], &program.argv());
    until(LONG, "it runs", || program.lines().len() == 2);
    let _ = bench.run(&["pause", &number.to_string()]).expect(0);
    // Longer than the limit, paused.
    crate::let_pass(5_000);
    assert_eq!(bench.status(number), "paused");
    std::fs::write(bench.work().join("go"), "").unwrap();
    let _ = bench.run(&["unpause", &number.to_string()]).expect(0);
    let _ = bench.run(&["wait", &number.to_string()]).expect(0);
}

#[test]
fn the_limit_holds_without_an_owner() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let program = Pretend::sh(&bench.work(), "p.sh", "sleep 300");
    let number = bench.add(&["--timeout", "1s"], &program.argv());
    until(LONG, "it runs", || program.starts() == 1);
    for found in bench.processes_of("footplate") {
        kill9(found.pid);
    }
    bench.until_nothing_left(LONG);
    let run = bench.show(number);
    assert_eq!(run["stages"][0]["attempts"][0]["status"], "timed_out", "{run:#}");
    assert_eq!((run["status"].as_str(), run["error"]["code"].as_str()), (Some("failed"), Some("timed_out")));
}

/// A night of sleep: the wall clock jumps ahead, the running clock does not. And a clock that is set back a year.
#[test]
fn a_jump_of_the_wall_clock_is_no_timeout_and_delays_no_retry() {
    const NIGHT_MS: i64 = 8 * 3600 * 1000;
    const YEAR_MS: i64 = 365 * 24 * 3600 * 1000;
    let mut bench = Bench::new();
    let shift = bench.work().join("shift");
    std::fs::write(&shift, "0").unwrap();
    bench.set_env("FOOTPLATE_TEST_WALL_SHIFT", &shift);
    let program = Pretend::sh(
        &bench.work(),
        "p.sh",
        "while [ ! -e go$FOOTPLATE_ATTEMPT ]; do sleep 0.02; done; [ $FOOTPLATE_ATTEMPT -gt 1 ]",
    );
    let toml = format!(
        "format = 1\nname = \"jump\"\n[stages.main]\ntimeout = \"1m\"\nretries = {{ max = 1, delay = \"1s\" }}\ncommand = {}\n",
        serde_json::to_string(&program.argv()).unwrap()
    );
    let path = bench.write("jump/footplate.toml", toml);
    let _ = bench.run(&["run", path.to_str().unwrap(), "--detach"]).expect(0);
    until(LONG, "it runs", || program.starts() == 1);
    bench.until_status(1, "running", LONG);
    for jump in [NIGHT_MS, 20 * NIGHT_MS, -YEAR_MS] {
        std::fs::write(&shift, jump.to_string()).unwrap();
        // An owner that is new to it looks at the same clock.
        bench.kill_owner();
        assert_eq!(bench.status(1), "running", "a jump of {jump} ms ended it");
    }
    std::fs::write(bench.work().join("go1"), "").unwrap();
    until(LONG, "the first attempt failed", || bench.show(1)["stages"][0]["status"] == "retrying");
    std::fs::write(&shift, (-2 * YEAR_MS).to_string()).unwrap();
    until(LONG, "the retry runs", || program.starts() == 2);
    std::fs::write(bench.work().join("go2"), "").unwrap();
    let _ = bench.run(&["wait", "1"]).expect(0);
    let attempts = bench.show(1)["stages"][0]["attempts"].clone();
    for attempt in attempts.as_array().unwrap() {
        let ran = attempt["running_s"].as_f64().unwrap();
        assert!((0.0..60.0).contains(&ran), "{attempt}");
    }
}
