//! The cancel matrix: whatever the tree does, it is gone within the grace and 2 s, and the run is `cancelled`.

use std::time::Duration;

use footplate_testkit::{Bench, Pretend, until};

use crate::LONG;

/// With a grace of one second: three, and the command's own time on a slow machine.
const GONE: Duration = Duration::from_secs(6);

fn cancelled(python: &str, ready: usize) {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let program = Pretend::python(&bench.work(), "p.py", python);
    let toml = format!(
        "format = 1\nname = \"c\"\n[stages.main]\ngrace = \"1s\"\ncommand = {}\n",
        serde_json::to_string(&program.argv()).unwrap()
    );
    let path = bench.write("footplate.toml", toml);
    let _ = bench.run(&["run", path.to_str().unwrap(), "--detach"]).expect(0);
    until(LONG, "the tree is up", || program.lines().len() > ready);
    let before = std::time::Instant::now();
    let _ = bench.run(&["cancel", "1"]).expect(0);
    assert_eq!(bench.status(1), "cancelled");
    assert!(before.elapsed() < GONE, "took {:?}", before.elapsed());
    bench.until_nothing_left(Duration::from_secs(5));
    assert_eq!(program.starts(), 1);
}

#[test]
fn one_that_ignores_term() {
    cancelled(
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nnote('ready')\nwhile True: time.sleep(1)",
        1,
    );
}

#[test]
fn one_that_is_stopped() {
    cancelled("import signal\nnote('ready')\nos.kill(os.getpid(), signal.SIGSTOP)\ntime.sleep(300)", 1);
}

#[test]
fn one_that_forked_twice() {
    cancelled(
        "if os.fork() == 0:\n    if os.fork() == 0:\n        note('ready')\n        time.sleep(300)\n    os._exit(0)\ntime.sleep(300)",
        1,
    );
}

#[test]
fn one_with_a_session_of_its_own() {
    cancelled(
        "if os.fork() == 0:\n    os.setsid()\n    import signal\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    note('ready')\n    time.sleep(300)\n    os._exit(0)\ntime.sleep(300)",
        1,
    );
}

#[test]
fn fifty_workers() {
    cancelled(
        "for i in range(50):\n    if os.fork() == 0:\n        note('ready')\n        time.sleep(300)\n        os._exit(0)\ntime.sleep(300)",
        50,
    );
}

#[test]
fn a_bounded_fork_loop() {
    // Children that fork children, two hundred generations at most, faster than anybody could list them.
    cancelled(
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nnote('ready')\nfor i in range(200):\n    pid = os.fork()\n    if pid != 0:\n        time.sleep(300)\n        os._exit(0)\n    time.sleep(0.01)\ntime.sleep(300)",
        1,
    );
}

#[test]
fn a_chatty_grandchild_that_holds_the_log() {
    cancelled(
        "import signal\nif os.fork() == 0:\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    note('ready')\n    while True:\n        print('still here', flush=True)\n        time.sleep(0.001)\ntime.sleep(300)",
        1,
    );
}

#[test]
fn one_that_is_still_queued_never_runs() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let first = bench.add(&[], &["sleep", "300"]);
    let program = Pretend::sh(&bench.work(), "p.sh", "");
    let second = bench.add(&[], &program.argv());
    let _ = bench.run(&["cancel", &second.to_string()]).expect(0);
    assert_eq!(bench.status(second), "cancelled");
    let _ = bench.run(&["cancel", &first.to_string()]).expect(0);
    assert_eq!((bench.status(first), program.starts()), ("cancelled".into(), 0));
}

#[test]
fn a_cancel_right_after_the_submit_is_heard() {
    for _ in 0..10 {
        let bench = Bench::new();
        let program = Pretend::sh(&bench.work(), "p.sh", "sleep 300");
        let number = bench.add(&[], &program.argv());
        let _ = bench.run(&["cancel", &number.to_string()]).expect(0);
        assert_eq!(bench.status(number), "cancelled");
        bench.until_nothing_left(LONG);
        assert!(program.starts() <= 1);
    }
}

#[test]
fn a_paused_one() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let program = Pretend::sh(&bench.work(), "p.sh", "sleep 300");
    let number = bench.add(&[], &program.argv());
    until(LONG, "it runs", || program.starts() == 1);
    let _ = bench.run(&["pause", &number.to_string()]).expect(0);
    assert_eq!(bench.status(number), "paused");
    let _ = bench.run(&["cancel", &number.to_string()]).expect(0);
    assert_eq!(bench.status(number), "cancelled");
}

#[test]
fn a_pause_that_comes_too_late_is_answered() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    // The program has ended; what it left behind is waited for, a moment.
    let program = Pretend::sh(&bench.work(), "p.sh", "sleep 300 & echo left >> \"$LINES\"");
    let number = bench.add(&[], &program.argv());
    let id = bench.show(number)["id"].as_str().unwrap().to_owned();
    let ended = bench.data().join("attempts").join(id).join("0.1/exit.json");
    until(LONG, "the program has ended", || ended.exists());
    let _ = bench.run(&["pause", &number.to_string()]).expect(0);
    let _ = bench.run(&["wait", &number.to_string()]).expect(0);
    assert_eq!((bench.status(number).as_str(), program.starts()), ("completed", 1));
}
