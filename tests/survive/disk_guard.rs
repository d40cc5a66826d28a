//! The disk guard: with little room nothing starts, with nearly none what runs is paused, and all goes on when there is room. How much
//! is free is told by a file, but for the last test, which has a small disk of its own.

use std::path::PathBuf;

use footplate_testkit::{Bench, Pretend, SmallDisk, in_own_mounts, until};
use serde_json::Value;

use crate::LONG;

/// A disk whose room the test decides upon: nothing starts below 5 GB, what runs is paused below 500 MB.
struct Disk {
    bench: Bench,
    free: PathBuf,
}

impl Disk {
    fn new() -> Disk {
        let mut bench = Bench::new();
        bench.expect_nothing_left();
        let free = bench.root().join("free");
        bench.set_env("FOOTPLATE_TEST_DISK_FREE", &free);
        let disk = Disk { bench, free };
        disk.has_mb(100_000);
        let _ = disk.bench.run(&["disk", "--warning", "5GB", "--critical", "500MB"]).expect(0);
        disk
    }

    fn has_mb(&self, mb: u64) {
        let draft = self.free.with_extension("new");
        std::fs::write(&draft, (mb * 1_000_000).to_string()).unwrap();
        std::fs::rename(draft, &self.free).unwrap();
    }

    fn attempt(&self, number: i64) -> Value {
        self.bench.show(number)["stages"][0]["attempts"][0].clone()
    }

    fn until_paused(&self, number: i64, paused: bool) {
        until(LONG, &format!("#{number} paused: {paused}"), || self.attempt(number)["paused"] == paused);
    }

    fn notes(&self, number: i64) -> String {
        self.bench.show(number)["notes"].to_string()
    }
}

/// Writes a line each 50 ms until it may end.
fn ticking(bench: &Bench, name: &str) -> Pretend {
    Pretend::sh(
        &bench.work(),
        &format!("{name}.sh"),
        &format!("while [ ! -e {name}.go ]; do echo tick; sleep 0.05; done; exit 3"),
    )
}

fn is_stopped(program: &Pretend) -> bool {
    let name = program.argv().pop().unwrap();
    let all = footplate_testkit::process::naming(name.as_bytes());
    all.iter().any(|found| found.state == 'T')
}

#[test]
fn below_the_warning_mark_nothing_starts_the_reason_is_said_and_it_starts_when_there_is_room() {
    let disk = Disk::new();
    let bench = &disk.bench;
    disk.has_mb(1_234);
    let told = bench.run(&["disk", "--json"]).expect(0).json();
    let told = ["free", "warning", "critical", "level"].map(|key| told[key].clone());
    assert_eq!(serde_json::json!(told), serde_json::json!([1_234_000_000_u64, 5_000_000_000_u64, 500_000_000, "low"]));
    let program = Pretend::sh(&bench.work(), "p.sh", "");
    let number = bench.add(&[], &program.argv());
    until(LONG, "the reason is told", || bench.show(number)["waiting"]["reason"] == "disk");
    assert_eq!(
        bench.show(number)["waiting"]["detail"],
        "1.2GB free on the disk; nothing starts below 5GB",
        "{:#}",
        bench.show(number)
    );
    assert_eq!(program.starts(), 0);
    // It is seen without anybody's asking.
    disk.has_mb(6_000);
    until(LONG, "it ran", || program.starts() == 1);
    bench.until_status(number, "completed", LONG);

    // The marks are kept, and 0 is never.
    disk.has_mb(1);
    let _ = bench.run(&["disk", "--warning", "0", "--critical", "0"]).expect(0);
    let next = bench.add(&[], &program.argv());
    bench.until_status(next, "completed", LONG);
    let text = bench.run(&["disk"]).expect(0).stdout;
    assert!(
        text.ends_with("starts are never held; what runs is never paused\n") && text.starts_with("1MB of "),
        "{text}"
    );
}

#[test]
fn below_the_critical_mark_what_runs_is_paused_and_goes_on_also_under_the_next_owner() {
    let disk = Disk::new();
    let bench = &disk.bench;
    let program = ticking(bench, "p");
    let number = bench.add(&[], &program.argv());
    bench.until_status(number, "running", LONG);
    disk.has_mb(400);
    disk.until_paused(number, true);
    until(LONG, "its processes are stopped", || is_stopped(&program));
    assert!(disk.notes(number).contains("paused: 400MB are free on the disk"), "{}", disk.notes(number));
    // A little more is not enough: it would stop again at once.
    disk.has_mb(600);
    assert!(bench.kill_owner());
    // A dying one may seem to be there for a moment still.
    until(LONG, "another owner is there", || bench.status(number) == "running" && bench.owner().is_some());
    assert!(is_stopped(&program));
    disk.has_mb(6_000);
    disk.until_paused(number, false);
    until(LONG, "its processes go on", || !is_stopped(&program));
    assert!(disk.notes(number).contains("goes on: 6GB are free on the disk"), "{}", disk.notes(number));
    std::fs::write(bench.work().join("p.go"), "").unwrap();
    bench.until_status(number, "failed", LONG);
    assert_eq!((disk.attempt(number)["exit_code"].as_i64(), program.starts()), (Some(3), 1));
}

#[test]
fn a_users_pause_and_the_disks_do_not_end_each_other_and_a_cancel_ends_both() {
    let disk = Disk::new();
    let bench = &disk.bench;
    let program = ticking(bench, "p");
    let number = bench.add(&[], &program.argv());
    let run = number.to_string();
    bench.until_status(number, "running", LONG);
    let _ = bench.run(&["pause", &run]).expect(0);
    disk.has_mb(400);
    let id = bench.show(number)["id"].as_str().unwrap().to_owned();
    let acts = bench.data().join("attempts").join(id).join("0.1/acts.log");
    let until_acts = |count: usize, act: &str| {
        until(LONG, act, || std::fs::read_to_string(&acts).unwrap().matches(act).count() == count);
    };
    until_acts(1, " paused user\n");
    until_acts(1, " paused disk\n");
    disk.has_mb(6_000);
    until_acts(1, " unpaused disk\n");
    assert_eq!((bench.status(number), is_stopped(&program)), ("paused".to_owned(), true));
    disk.has_mb(400);
    until_acts(2, " paused disk\n");
    let _ = bench.run(&["unpause", &run]).expect(0);
    until_acts(1, " unpaused user\n");
    assert!(is_stopped(&program), "the user's word does not make room");
    assert_eq!(disk.attempt(number)["paused"], true);
    let _ = bench.run(&["cancel", &run]).expect(0);
    bench.until_status(number, "cancelled", LONG);
    let left = footplate_testkit::process::naming(program.argv().pop().unwrap().as_bytes());
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_ballast_is_laid_where_room_is_scarce_and_given_up_where_there_is_none() {
    if !in_own_mounts("disk_guard::the_ballast_is_laid_where_room_is_scarce_and_given_up_where_there_is_none") {
        return;
    }
    let bench = Bench::new();
    let disk = SmallDisk::mount(&bench.data(), 512 * 1024);
    let ballast = bench.data().join("ballast");
    let program = ticking(&bench, "p");
    let number = bench.add(&[], &program.argv());
    bench.until_status(number, "running", LONG);
    assert!(!ballast.exists(), "with four times the mark there is no need of it");
    // A tenth and a hundredth of the disk are its marks: twice the first stays free, however large our executables are.
    let most = bench.data().join("most");
    let free = bench.run(&["disk", "--json"]).expect(0).json()["free"].as_u64().unwrap();
    std::fs::write(&most, vec![0; usize::try_from(free - (512 << 20) / 5).unwrap()]).unwrap();
    until(LONG, "the ballast is laid", || ballast.metadata().is_ok_and(|about| about.len() == (512 << 20) / 100));
    let rest = disk.fill("rest");
    until(LONG, "it is given up", || !ballast.exists());
    until(LONG, "the program is paused", || is_stopped(&program));
    assert_eq!(bench.status(number), "running", "the room that it left is enough for the store");
    std::fs::remove_file(rest).unwrap();
    until(LONG, "it goes on", || !is_stopped(&program));
    std::fs::write(bench.work().join("p.go"), "").unwrap();
    let _ = bench.run(&["wait", &number.to_string()]).expect(1);
    assert_eq!(bench.show(number)["stages"][0]["attempts"][0]["exit_code"], 3);
    bench.until_nothing_left(LONG);
}
