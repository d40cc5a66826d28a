//! The protocol, searched: every interleaving of its processes, crashes and reboots, within bounds.
//!
//! `launch`: one job, a retry, three shims, two owner crashes, a shim kill, a reboot that loses what was not fsynced.
//! `wish`: the same with settling split into sweep and commit, and a cancel wish. `idle`: an owner that leaves while
//! guests wish. `adopt`: a shim that is killed while its program runs, and those that take its place. Each rule left out must show a violation or a state that cannot come to its end: a model in which nothing
//! can go wrong proves nothing.
//!
//! Model and code are kept in step: `crates/shim/src/hold/launch.rs` (lock, claim, start, gate), `hold/attend/end.rs`
//! (exit, end), and the owner's look, settle and wish in the engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod adopt;
mod idle;
mod launch;
mod search;
mod wish;

use launch::Variant;
use search::{Report, search};

fn launch(variant: Variant) -> Report {
    search(&launch::Launch { variant })
}

#[test]
fn the_proposed_launch_protocol_has_no_violation_and_no_dead_end() {
    let report = launch(Variant::Proposed);
    assert_eq!(report.states, 84_002);
    report.assert_sound();
}

macro_rules! must_fail {
    ($($name:ident: $variant:ident, $states:expr, $violations:expr, $stuck:expr;)*) => {
        $(#[test]
        fn $name() {
            let report = launch(Variant::$variant);
            assert!(!report.violations.is_empty());
            // The same space as the model this was ported from.
            assert_eq!((report.states, report.violations.len(), report.stuck), ($states, $violations, $stuck));
        })*
    };
}

must_fail! {
    without_a_claim_it_fails: NoClaim, 275_429, 4, 10_115;
    without_void_it_fails: NoVoid, 120_966, 3, 733;
    spawning_before_the_commit_fails: SpawnBeforeDb, 79_950, 1, 8_119;
    without_a_start_record_it_fails: NoStartRecord, 66_187, 2, 168;
    reading_lock_and_exit_before_the_claim_fails: LockExitThenClaim, 302_563, 3, 3_979;
    reading_exit_before_the_lock_fails: ExitBeforeLock, 102_334, 1, 726;
    settling_at_the_exit_record_fails: SettleAtExitRecord, 92_493, 1, 168;
    settling_at_a_free_lock_fails: SettleAtLockFree, 85_157, 1, 168;
    ignoring_the_boot_fails: IgnoreBoot, 119_612, 1, 1_008;
}

#[test]
fn a_cancel_is_carried_out_once_told_truly_and_survives_crashes() {
    search(&wish::Wishes { rule: wish::Rule::All }).assert_sound();
}

#[test]
fn a_signal_before_the_wish_is_committed_fails() {
    search(&wish::Wishes { rule: wish::Rule::SignalBeforeCommit })
        .assert_violates("stopped by a wish that nobody knows of");
}

#[test]
fn a_wish_that_is_not_sent_again_after_a_crash_fails() {
    search(&wish::Wishes { rule: wish::Rule::SentOnce }).assert_stuck();
}

#[test]
fn committing_before_the_sweep_fails() {
    search(&wish::Wishes { rule: wish::Rule::CommitBeforeSweep })
        .assert_violates("a retry runs beside left-over processes of the first attempt");
}

#[test]
fn an_end_that_asks_the_wish_alone_fails() {
    search(&wish::Wishes { rule: wish::Rule::EndFromWishAlone })
        .assert_violates("it ended by itself, and is called cancelled");
}

#[test]
fn a_retry_in_spite_of_the_wish_fails() {
    search(&wish::Wishes { rule: wish::Rule::RetryDespiteWish })
        .assert_violates("an attempt was begun after the wish to cancel");
}

#[test]
fn no_wish_is_stranded_by_an_owner_that_goes() {
    search(&idle::Idle { owner_looks_again: true, guest_looks_again: true }).assert_sound();
}

#[test]
fn an_owner_that_does_not_look_again_strands_a_wish() {
    search(&idle::Idle { owner_looks_again: false, guest_looks_again: true }).assert_violates("a wish is stranded");
}

#[test]
fn a_guest_that_does_not_look_again_strands_a_wish() {
    search(&idle::Idle { owner_looks_again: true, guest_looks_again: false }).assert_violates("a wish is stranded");
}

#[test]
fn a_program_that_lost_its_shim_keeps_its_slot_and_its_end_is_recorded_once() {
    search(&adopt::Adopt { rule: adopt::Rule::All }).assert_sound();
}

#[test]
fn an_orphan_that_frees_its_slot_fails() {
    search(&adopt::Adopt { rule: adopt::Rule::OrphanFreesSlot })
        .assert_violates("the next attempt runs beside what the first left");
}

#[test]
fn an_owner_that_decides_without_the_lock_fails() {
    search(&adopt::Adopt { rule: adopt::Rule::DecideWithoutTheLock })
        .assert_violates("a recorded end is called interrupted");
}

#[test]
fn adopting_without_a_look_fails() {
    search(&adopt::Adopt { rule: adopt::Rule::AdoptWithoutALook })
        .assert_violates("a recorded end is called interrupted");
}

#[test]
fn adopting_without_the_lock_fails() {
    search(&adopt::Adopt { rule: adopt::Rule::AdoptWithoutTheLock }).assert_violates("two watch one program");
}

#[test]
fn adopting_what_stands_at_its_gate_fails() {
    search(&adopt::Adopt { rule: adopt::Rule::AdoptAtTheGate })
        .assert_violates("an end was recorded of a program that never ran");
}
