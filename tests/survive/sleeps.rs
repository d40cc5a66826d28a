//! The machine sleeps while attempts are under way, and clocks jump: the wall clock runs ahead, the running clock does not.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use footplate_testkit::{Bench, Pretend, until};
use serde_json::Value;

use crate::LONG;

const NIGHT_MS: i64 = 8 * 3600 * 1000;
const YEAR_MS: i64 = 365 * 24 * 3600 * 1000;

/// Sets the wall clock of all that is started, whole at once.
fn jump(shift: &Path, ms: i64) {
    let draft = shift.with_extension("new");
    std::fs::write(&draft, ms.to_string()).unwrap();
    std::fs::rename(draft, shift).unwrap();
}

fn submit(bench: &Bench, name: &str, keys: &str, program: &Pretend) -> i64 {
    let argv = serde_json::to_string(&program.argv()).unwrap();
    let text =
        format!("format = 1\nname = \"{name}\"\n[stages.main]\nresources = {{ cpus = 0 }}\n{keys}\ncommand = {argv}\n");
    let path = bench.write(&format!("{name}/footplate.toml"), text);
    let out = bench.run(&["run", path.to_str().unwrap(), "--detach", "--json"]).expect(0).json();
    out["number"].as_i64().unwrap()
}

fn attempt(run: &Value, index: usize) -> &Value {
    &run["stages"][0]["attempts"][index]
}

fn ran_s(run: &Value) -> f64 {
    attempt(run, 0)["running_s"].as_f64().unwrap()
}

/// One attempt in each thing that takes time, and four jumps while all of them are under way.
#[test]
fn sleeps_in_the_middle_of_attempts_neither_shorten_nor_lengthen_anything() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let shift = bench.root().join("shift");
    jump(&shift, 0);
    bench.set_env("FOOTPLATE_TEST_WALL_SHIFT", &shift);
    let _ = bench.run(&["queue", "set", "default", "--limit", "8"]).expect(0);

    let work = bench.work();
    let long = Pretend::sh(&work, "long.sh", "while [ ! -e go ]; do sleep 0.02; done");
    let limited = submit(&bench, "long", "timeout = \"5m\"", &long);
    let ends = Pretend::sh(&work, "ends.sh", "sleep 300");
    let timed = submit(&bench, "ends", "timeout = \"6s\"", &ends);
    let deaf = Pretend::python(
        &work,
        "deaf.py",
        "import signal\nsignal.signal(signal.SIGTERM, lambda *_: note('term'))\nnote('ready')\nwhile True: time.sleep(0.05)",
    );
    let stopped = submit(&bench, "deaf", "grace = \"5s\"", &deaf);
    let again = Pretend::python(
        &work,
        "again.py",
        "note(time.monotonic())\nwhile not os.path.exists('fail'): time.sleep(0.01)\nnote(time.monotonic())\nsys.exit(os.environ['FOOTPLATE_ATTEMPT'] == '1')",
    );
    let retries = "retries = { max = 1, delay = \"5s\", jitter = 0 }";
    let retried = submit(&bench, "again", retries, &again);
    let tomorrow = Pretend::sh(&work, "tomorrow.sh", "");
    let scheduled = bench.add(&["--at", "+1h"], &tomorrow.argv());
    until(LONG, "all four run", || {
        long.starts() == 1 && ends.starts() == 1 && deaf.lines().len() == 2 && again.lines().len() == 2
    });
    for number in [limited, timed, stopped, retried] {
        bench.until_status(number, "running", LONG);
    }
    let owner = bench.owner().unwrap();
    std::fs::write(work.join("fail"), "").unwrap();
    until(LONG, "the retry is waited for", || bench.show(retried)["stages"][0]["status"] == "retrying");
    let stop = Instant::now();
    let _ = bench.run(&["cancel", &stopped.to_string(), "--no-wait"]).expect(0);
    until(LONG, "the stop has begun", || deaf.lines().len() == 3);
    assert_eq!(tomorrow.starts(), 0);

    for (index, ms) in [NIGHT_MS, 20 * NIGHT_MS, -YEAR_MS, -2 * YEAR_MS].into_iter().enumerate() {
        jump(&shift, ms);
        // Owner and shim have worked under the new time.
        let number = bench.add(&[], &["true"]);
        let _ = bench.run(&["wait", &number.to_string()]).expect(0);
        if index == 0 {
            // Schedules are of the wall clock: what fell due in the night runs in the morning.
            let _ = bench.run(&["wait", &scheduled.to_string()]).expect(0);
        }
        assert_eq!(bench.status(limited), "running", "a jump to {ms} ms ended it");
    }

    let _ = bench.run(&["wait", &stopped.to_string()]);
    let grace = stop.elapsed();
    assert!((5.0..30.0).contains(&grace.as_secs_f64()), "the grace of 5 s took {grace:?}");
    assert_eq!(bench.status(stopped), "cancelled");
    let _ = bench.run(&["wait", &timed.to_string()]).expect(1);
    let run = bench.show(timed);
    assert_eq!(attempt(&run, 0)["status"], "timed_out", "{run:#}");
    assert!((6.0..30.0).contains(&ran_s(&run)), "{run:#}");
    let _ = bench.run(&["wait", &retried.to_string()]).expect(0);
    let times: Vec<f64> = again.lines().iter().filter_map(|line| line.parse().ok()).collect();
    let delay = times[2] - times[1];
    assert!((5.0..30.0).contains(&delay), "the delay of 5 s took {delay} s");
    assert_eq!(bench.owner(), Some(owner), "one owner went through all of it");
    std::fs::write(work.join("go"), "").unwrap();
    let _ = bench.run(&["wait", &limited.to_string()]).expect(0);
    let run = bench.show(limited);
    assert!((1.0..120.0).contains(&ran_s(&run)), "{run:#}");
}

/// An owner whose running clock stands elsewhere than that of the shim it takes over: further than any limit, and back again.
#[test]
fn an_owner_whose_running_clock_is_hours_ahead_adopts_what_runs_and_ends_nothing() {
    let ahead = |program: &Path| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--time", "--monotonic", "28800"]).arg(program);
        unshare
    };
    if !ahead(Path::new("true")).stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: time namespaces are refused here (not root?), so a shifted running clock was not tried");
        return;
    }
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let _ = bench.run(&["queue", "set", "default", "--limit", "8"]).expect(0);
    let work = bench.work();
    let body = "while [ ! -e go ]; do sleep 0.02; done; exit 3";
    let (first, second) = (Pretend::sh(&work, "a.sh", body), Pretend::sh(&work, "b.sh", body));
    let paused = Pretend::sh(&work, "c.sh", "sleep 300");
    let one = submit(&bench, "one", "timeout = \"1h\"", &first);
    let three = submit(&bench, "three", "timeout = \"1h\"", &paused);
    until(LONG, "they run", || first.starts() == 1 && paused.starts() == 1);
    for number in [one, three] {
        bench.until_status(number, "running", LONG);
    }

    // The next owner, and the shims it starts, live eight hours later than the first shims do.
    bench.kill_owner();
    let mut plain = bench.footplate(["work"]);
    let mut later = ahead(Path::new(plain.get_program()));
    later.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?)))).args(["work"]);
    let mut owner = later.current_dir(&work).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    until(LONG, "the later owner has the lock", || bench.owner() == i32::try_from(owner.id()).ok());
    let two = submit(&bench, "two", "timeout = \"1h\"", &second);
    until(LONG, "the second runs", || second.starts() == 1);
    bench.until_status(two, "running", LONG);
    let _ = bench.run(&["pause", &three.to_string()]).expect(0);
    let _ = bench.run(&["unpause", &three.to_string()]).expect(0);
    assert_eq!((bench.status(one), bench.status(three)), ("running".into(), "running".into()));

    // And one whose clock stands eight hours before that of the second shim.
    assert!(bench.kill_owner());
    let _ = owner.wait();
    plain.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut owner = plain.spawn().unwrap();
    until(LONG, "the earlier owner has the lock", || bench.owner() == i32::try_from(owner.id()).ok());
    let _ = bench.run(&["cancel", &three.to_string()]).expect(0);
    assert_eq!((bench.status(one), bench.status(two)), ("running".into(), "running".into()));
    assert_eq!(bench.status(three), "cancelled");
    std::fs::write(work.join("go"), "").unwrap();
    for number in [one, two] {
        let _ = bench.run(&["wait", &number.to_string()]).expect(1);
        let run = bench.show(number);
        assert_eq!(
            (attempt(&run, 0)["status"].as_str(), attempt(&run, 0)["exit_code"].as_i64()),
            (Some("failed"), Some(3))
        );
        assert!((0.0..600.0).contains(&ran_s(&run)), "{run:#}");
    }
    assert_eq!((first.starts(), second.starts(), paused.starts()), (1, 1, 1));
    assert!(footplate_testkit::process::send(bench.owner().unwrap(), rustix::process::Signal::TERM));
    until(Duration::from_secs(10), "the owner leaves", || owner.try_wait().unwrap().is_some());
}
