//! Runs that come after others, whatever is asked of them meanwhile and whoever is killed.

use footplate_testkit::{Bench, Pretend, until};

use crate::LONG;

/// A program that runs until `NAME.go` is there.
fn gated(bench: &Bench, name: &str) -> Pretend {
    let go = bench.work().join(format!("{name}.go"));
    Pretend::sh(&bench.work(), name, &format!("while [ ! -e {} ]; do sleep 0.02; done", go.display()))
}

fn open(bench: &Bench, name: &str) {
    bench.write(&format!("{name}.go"), "");
}

#[test]
fn what_is_cancelled_and_asked_for_again_still_waits() {
    let bench = Bench::new();
    let (first, second) = (gated(&bench, "first"), Pretend::sh(&bench.work(), "second", ""));
    let one = bench.add(&["--cpus", "0"], &first.argv());
    // In another queue: there is room for it.
    let free = ["--cpus", "0", "--queue", "evaluation"];
    let two = bench.add(&[&free[..], &["--after", "1"]].concat(), &second.argv());
    until(LONG, "the first is at work", || first.starts() == 1);
    let _ = bench.run(&["cancel", "2"]).expect(0);
    let _ = bench.run(&["retry", "2"]).expect(0);
    // Something else passes by meanwhile: it could have begun.
    let other = bench.add(&free, &["true"]);
    bench.until_status(other, "completed", LONG);
    assert_eq!((second.starts(), bench.show(two)["waiting"]["reason"].as_str()), (0, Some("after")));
    open(&bench, "first");
    bench.until_status(two, "completed", LONG);
    assert_eq!(bench.status(one), "completed");
}

#[test]
fn who_asks_again_knows_that_the_first_failed_and_no_later_owner_knows_better() {
    let bench = Bench::new();
    let second = gated(&bench, "second");
    let _ = bench.add(&["--cpus", "0"], &["false"]);
    let two = bench.add(&["--cpus", "0", "--after-ok", "1"], &second.argv());
    bench.until_status(two, "cancelled", LONG);
    let _ = bench.run(&["retry", "2"]).expect(0);
    until(LONG, "the second is at work", || second.starts() == 1);
    assert!(bench.kill_owner());
    // Another owner comes, and knows what it finds.
    let other = bench.add(&["--cpus", "0", "--queue", "evaluation"], &["true"]);
    bench.until_status(other, "completed", LONG);
    assert_eq!(bench.status(two), "running");
    open(&bench, "second");
    let _ = bench.run(&["wait", "2"]).expect(0);
    assert_eq!((bench.status(two).as_str(), second.starts()), ("completed", 1));
}

#[test]
fn after_a_draft_that_is_removed_nothing_waits() {
    let bench = Bench::new();
    let (any, only) = (Pretend::sh(&bench.work(), "any", ""), Pretend::sh(&bench.work(), "only", ""));
    let draft = bench.add(&["--draft"], &["true"]);
    let (after, after_ok) = (["--after", "1"], ["--after-ok", "1"]);
    let (any_end, success) = (bench.add(&after, &any.argv()), bench.add(&after_ok, &only.argv()));
    until(LONG, "they wait", || bench.show(success)["waiting"]["reason"] == "after");
    let _ = bench.run(&["rm", &draft.to_string()]).expect(0);
    bench.until_status(any_end, "completed", LONG);
    bench.until_status(success, "cancelled", LONG);
    assert_eq!((any.starts(), only.starts()), (1, 0));
}
