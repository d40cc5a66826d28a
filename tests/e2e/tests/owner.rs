//! The app sees to it that somebody decides: where the owner goes, it starts another.

use std::fs;

use footplate_e2e::{Desk, PATIENCE};
use footplate_testkit::{Pretend, until};

#[test]
fn an_owner_that_is_killed_is_replaced_and_the_queue_goes_on() {
    let desk = Desk::new();
    let bench = &desk.bench;
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    until(PATIENCE, "the app has started an owner", || bench.owner().is_some());
    let program = |name: &str| Pretend::sh(&bench.work(), name, "while [ ! -e gate ]; do sleep 0.02; done");
    let (first, second) = (program("first.sh"), program("second.sh"));
    let running = bench.add(&["--name", "first"], &first.argv());
    let waiting = bench.add(&["--name", "second"], &second.argv());
    window.shows("second");
    until(PATIENCE, "the first runs", || first.starts() == 1);

    for round in 0..3 {
        let old = bench.owner();
        assert!(bench.kill_owner());
        // No command is given, and nobody touches the window.
        until(PATIENCE, "another owner is there", || bench.owner().is_some_and(|new| Some(new) != old));
        assert_eq!(bench.status(running), "running", "round {round}");
        assert_eq!(bench.status(waiting), "queued", "round {round}");
    }
    if let Err(error) = fs::write(bench.work().join("gate"), "") {
        panic!("the gate cannot be opened: {error}");
    }
    bench.until_status(waiting, "completed", PATIENCE);
    assert_eq!((bench.status(running).as_str(), first.starts(), second.starts()), ("completed", 1, 1));
    // Who looks later, without a terminal, finds what happened.
    let journal =
        fs::read_to_string(bench.root().join("share/dev.footplate.desktop/logs/footplate.log")).unwrap_or_default();
    assert!(journal.contains("Footplate 0") && journal.contains("is open"), "{journal}");
    assert!(journal.contains("an owner ended: signal: 9"), "{journal}");
    window.close();
}
