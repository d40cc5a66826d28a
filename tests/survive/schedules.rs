//! Work that repeats: started once each time, whoever dies; after sleep as its rule says; and an owner that stays for it without looking.

use std::path::PathBuf;

use footplate_core::UtcMs;
use footplate_testkit::{Bench, Pretend, SilentDisk, in_own_mounts, until};
use serde_json::Value;

use crate::{Dice, LONG, crash_rounds, let_pass};

const HOUR_MS: i64 = 3_600_000;

/// A bench whose wall clock a test moves.
struct Clocked {
    bench: Bench,
    file: PathBuf,
    shift: i64,
}

impl Clocked {
    fn new() -> Clocked {
        let mut bench = Bench::new();
        bench.expect_nothing_left();
        let file = bench.work().join("shift");
        std::fs::write(&file, "0").unwrap();
        bench.set_env("FOOTPLATE_TEST_WALL_SHIFT", &file);
        Clocked { bench, file, shift: 0 }
    }

    /// The clock goes so much, as in sleep or by somebody's hand; the owner learns of it as from a timer.
    fn pass(&mut self, ms: i64) {
        self.shift += ms;
        // Whole at each moment: owners read it.
        let aside = self.file.with_extension("new");
        std::fs::write(&aside, self.shift.to_string()).unwrap();
        std::fs::rename(&aside, &self.file).unwrap();
        if self.bench.owner().is_some() {
            self.ring();
        }
    }

    fn ring(&self) {
        let _ = self.bench.run(&["queue", "set", "maintenance", "--limit", "7"]).expect(0);
    }

    fn schedule(&self, name: &str) -> Value {
        self.bench.run(&["schedule", "show", name, "--json"]).expect(0).json()
    }

    fn runs(&self) -> Vec<Value> {
        self.bench.run(&["list", "--json", "--limit", "1000"]).expect(0).json().as_array().unwrap().clone()
    }

    fn until_ended(&self, runs: usize) {
        until(LONG, &format!("{runs} runs have ended"), || {
            let all = self.runs();
            assert!(all.len() <= runs, "{} runs: {all:#?}", all.len());
            all.len() == runs && all.iter().all(|run| !run["finished_at"].is_null())
        });
    }

    /// Until the schedule is not due any more.
    fn until_dealt_with(&self, name: &str) {
        until(LONG, "the time is dealt with", || {
            // Where there is no owner a look starts one.
            let _ = self.bench.run(&["schedule", "list"]).expect(0);
            at(&self.schedule(name)["next_at"]) > wall() + self.shift
        });
    }
}

fn wall() -> i64 {
    footplate_shim::clock::wall_ms()
}

fn at(value: &Value) -> i64 {
    UtcMs::parse(value.as_str().unwrap_or_default()).unwrap_or_else(|| panic!("{value} is no moment")).0
}

fn missed(schedule: &Value) -> Vec<(i64, String)> {
    let all = schedule["missed"].as_array().unwrap();
    all.iter().map(|m| (m["times"].as_i64().unwrap(), m["why"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn an_owner_that_dies_before_or_after_a_start_is_written_starts_it_once() {
    for point in ["schedule-before-commit", "turn-before-commit@2", "turn-after-commit@2", "launch-after-commit"] {
        let mut it = Clocked::new();
        let program = Pretend::sh(&it.bench.work(), "p.sh", "");
        let add = ["schedule", "add", "hourly", "every 1h", "--"];
        let _ = it
            .bench
            .run(&[&add[..], &program.argv().iter().map(String::as_str).collect::<Vec<_>>()].concat())
            .expect(0);
        // One that is still on its way would be there in place of the one that is to die.
        until(LONG, "an owner is there", || it.bench.owner().is_some());
        it.bench.kill_owner();
        it.pass(HOUR_MS + 5_000);
        let list = it.bench.footplate(["schedule", "list"]).env("FOOTPLATE_FAILPOINT", point).output().unwrap();
        assert!(list.status.success(), "{point}: {list:?}");
        let died = || {
            let log = std::fs::read_to_string(it.bench.data().join("owner.log")).unwrap_or_default();
            log.lines().any(|line| line == format!("failpoint {}", point.split('@').next().unwrap()))
        };
        until(LONG, &format!("the owner dies at {point}"), died);
        it.until_ended(1);
        let run = it.bench.show(1);
        assert_eq!((run["status"].as_str(), program.starts()), (Some("completed"), 1), "{point}: {run:#}");
        assert_eq!(run["schedule"]["name"], "hourly");
        let schedule = it.schedule("hourly");
        assert_eq!(at(&schedule["next_at"]), at(&run["schedule"]["due"]) + HOUR_MS, "{point}");
        assert_eq!(missed(&schedule), [], "{point}");
        let _ = it.bench.run(&["schedule", "rm", "hourly"]).expect(0);
    }
}

#[test]
fn owners_die_at_random_instants_and_each_time_is_started_once() {
    let mut it = Clocked::new();
    let program = Pretend::sh(&it.bench.work(), "p.sh", "");
    let add = ["schedule", "add", "hourly", "every 1h", "--"];
    let argv = program.argv();
    let _ = it.bench.run(&[&add[..], &argv.iter().map(String::as_str).collect::<Vec<_>>()].concat()).expect(0);
    let first = at(&it.schedule("hourly")["next_at"]);
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let rounds = crash_rounds(12);
    for round in 1..=rounds {
        it.bench.kill_owner();
        it.pass(HOUR_MS);
        for _ in 0..=dice.below(2) {
            // It starts an owner where there is none.
            let _ = it.bench.run(&["schedule", "list"]).expect(0);
            let_pass(dice.below(25));
            it.bench.kill_owner();
        }
        it.until_ended(round as usize);
    }
    let mut due: Vec<i64> = it.runs().iter().map(|run| at(&run["schedule"]["due"])).collect();
    due.sort_unstable();
    let expected: Vec<i64> = (0..i64::from(rounds)).map(|round| first + round * HOUR_MS).collect();
    assert_eq!(due, expected);
    assert_eq!(program.starts(), rounds as usize);
    let _ = it.bench.run(&["schedule", "rm", "hourly"]).expect(0);
}

#[test]
fn a_schedule_edited_in_the_moment_it_is_due_is_started_once_and_goes_on_by_its_new_rule() {
    let mut it = Clocked::new();
    let program = Pretend::sh(&it.bench.work(), "p.sh", "");
    let argv = program.argv();
    let add = ["schedule", "add", "it", "every 1h", "--"];
    let _ = it.bench.run(&[&add[..], &argv.iter().map(String::as_str).collect::<Vec<_>>()].concat()).expect(0);
    let made = at(&it.schedule("it")["created_at"]);
    // Every third hour is a time of both rules.
    let rounds = 8;
    for round in 1..=rounds {
        let (rule, hours) = if round % 2 == 1 { ("every 3h", 3) } else { ("every 1h", 1) };
        let edit = ["schedule", "set", "it", "--when", rule];
        if round == 4 {
            // Nobody is there: what was due by the old rule is started by the new one.
            it.bench.kill_owner();
            it.pass(3 * HOUR_MS);
            let _ = it.bench.run(&edit).expect(0);
        } else {
            let mut editing = it.bench.footplate(edit).spawn().unwrap();
            it.pass(3 * HOUR_MS);
            assert!(editing.wait().unwrap().success());
        }
        it.until_ended(round as usize);
        it.until_dealt_with("it");
        let now = it.schedule("it");
        assert_eq!((now["timing"].as_str(), at(&now["next_at"])), (Some(rule), made + (3 * round + hours) * HOUR_MS));
    }
    let mut due: Vec<i64> = it.runs().iter().map(|run| at(&run["schedule"]["due"])).collect();
    due.sort_unstable();
    assert_eq!(due, (1..=rounds).map(|round| made + 3 * round * HOUR_MS).collect::<Vec<i64>>());
    assert_eq!(program.starts(), rounds as usize);
    let _ = it.bench.run(&["schedule", "rm", "it"]).expect(0);
}

#[test]
fn after_sleep_one_run_makes_up_for_all_times_or_they_are_told_as_missed() {
    let mut it = Clocked::new();
    for (name, rule) in [("made-up", "once"), ("left-out", "skip")] {
        let _ = it.bench.run(&["schedule", "add", name, "every 1h", "--catch-up", rule, "--", "true"]).expect(0);
    }
    // Three hours and a half, with an owner that was there the whole time.
    it.pass(3 * HOUR_MS + HOUR_MS / 2);
    it.until_ended(1);
    it.until_dealt_with("left-out");
    let (once, skip) = (it.schedule("made-up"), it.schedule("left-out"));
    assert_eq!(missed(&once), [(2, "Nobody was there to start it; run #1 made up for it.".to_owned())]);
    assert_eq!(missed(&skip).iter().map(|(times, _)| *times).collect::<Vec<_>>(), [3]);
    assert_eq!(
        (it.bench.show(1)["schedule"]["name"].as_str(), skip["last_run"].as_null()),
        (Some("made-up"), Some(()))
    );
    // A clock that is put back: nothing is started a second time.
    let next = at(&once["next_at"]);
    it.pass(-3 * HOUR_MS);
    it.ring();
    assert_eq!((it.runs().len(), at(&it.schedule("made-up")["next_at"])), (1, next));
    // And with nobody there at all: the next owner makes up for it.
    it.bench.kill_owner();
    it.pass(4 * HOUR_MS);
    it.until_ended(2);
    for name in ["made-up", "left-out"] {
        let _ = it.bench.run(&["schedule", "rm", name]).expect(0);
    }
}

#[test]
fn a_start_while_the_last_run_goes_on_is_left_out_or_waits_behind_it_and_never_more_than_one() {
    let mut it = Clocked::new();
    let _ = it.bench.run(&["queue", "set", "default", "--limit", "4"]).expect(0);
    let gate = it.bench.work().join("go");
    let wait = format!("while [ ! -e {} ]; do sleep 0.02; done", gate.display());
    for rule in ["skip", "queue"] {
        let _ =
            it.bench.run(&["schedule", "add", rule, "every 1h", "--overlap", rule, "--", "sh", "-c", &wait]).expect(0);
    }
    it.pass(HOUR_MS + 1_000);
    until(LONG, "both run", || it.runs().iter().filter(|run| run["status"] == "running").count() == 2);
    for hour in 1..=4 {
        it.pass(HOUR_MS);
        it.until_dealt_with("skip");
        it.until_dealt_with("queue");
        assert_eq!(it.runs().len(), 3, "hour {hour}");
    }
    let number = |name: &str| it.schedule(name)["last_run"]["number"].as_i64().unwrap();
    let skipped = missed(&it.schedule("skip"));
    assert_eq!(skipped, [(4, format!("Run #{}, which it started before, had not ended.", number("skip")))]);
    let queued = missed(&it.schedule("queue"));
    assert_eq!(queued, [(3, format!("Run #{}, which it started before, had not begun.", number("queue")))]);
    let behind = it.bench.show(number("queue"));
    assert_eq!((behind["status"].as_str(), behind["waiting"]["reason"].as_str()), (Some("queued"), Some("after")));
    std::fs::write(&gate, "").unwrap();
    it.until_ended(3);
    for rule in ["skip", "queue"] {
        let _ = it.bench.run(&["schedule", "rm", rule]).expect(0);
    }
}

#[test]
fn a_pipeline_that_is_broken_or_gone_at_its_time_is_missed_with_the_reason_and_the_schedule_goes_on() {
    let mut it = Clocked::new();
    let good = "format = 1\nname = \"late\"\n[stages.main]\ncommand = [\"true\"]\n";
    let path = it.bench.write("late/footplate.toml", good);
    let folder = path.parent().unwrap().to_str().unwrap().to_owned();
    let _ = it.bench.run(&["schedule", "add", "late", "every 1h", &folder]).expect(0);
    std::fs::write(&path, "format = 1\nname = \"late\"\n[stages.main]\ncomand = [\"true\"]\n").unwrap();
    it.pass(HOUR_MS + 1_000);
    it.until_dealt_with("late");
    std::fs::remove_file(&path).unwrap();
    it.pass(HOUR_MS);
    it.until_dealt_with("late");
    assert_eq!(it.runs().len(), 0);
    let told = missed(&it.schedule("late"));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].1.contains("comand") && told[0].1.contains("late"), "{told:?}");
    std::fs::write(&path, good).unwrap();
    it.pass(HOUR_MS);
    it.until_ended(1);
    assert_eq!(it.bench.status(1), "completed");
    let _ = it.bench.run(&["schedule", "rm", "late"]).expect(0);
}

#[test]
fn a_pipeline_on_a_disk_that_hangs_holds_up_nothing_else_and_is_missed_with_the_reason_until_it_answers() {
    if !in_own_mounts(
        "schedules::a_pipeline_on_a_disk_that_hangs_holds_up_nothing_else_and_is_missed_with_the_reason_until_it_answers",
    ) {
        return;
    }
    let mut it = Clocked::new();
    it.bench.set_env("FOOTPLATE_TEST_READ_MS", "300");
    let good = "format = 1\nname = \"far\"\n[stages.main]\ncommand = [\"true\"]\n";
    let path = it.bench.write("far/footplate.toml", good);
    let _ = it.bench.run(&["schedule", "add", "far", "every 1h", path.to_str().unwrap()]).expect(0);
    let _ = it.bench.run(&["schedule", "add", "near", "every 1h", "--", "true"]).expect(0);
    std::fs::write(&path, good.replace("far", "changed")).unwrap();
    let Some(disk) = SilentDisk::mount(path.parent().unwrap()) else { return };
    it.pass(HOUR_MS + 1_000);
    // What is near starts, and so does what somebody adds.
    it.until_ended(1);
    let mine = it.bench.add(&[], &["true"]);
    let _ = it.bench.run(&["wait", &mine.to_string()]).expect(0);
    it.until_dealt_with("far");
    // At its next time the thread hangs still: no second one is sent after it.
    it.pass(HOUR_MS);
    it.until_dealt_with("far");
    let told = missed(&it.schedule("far"));
    assert_eq!(told.len(), 2, "{told:?}");
    let shown = path.display();
    assert_eq!(told[1].1, format!("{shown} could not be read within 1 s: the disk it lies on does not answer."));
    assert_eq!(told[0].1, format!("{shown} still cannot be read: the disk it lies on does not answer."));
    // The disk answers: what it says now counts, not what it said when the schedule was made.
    disk.answer();
    it.until_ended(3);
    it.pass(HOUR_MS);
    it.until_ended(5);
    let pipelines: Vec<Value> = it.runs().iter().map(|run| run["pipeline"].clone()).collect();
    assert_eq!(pipelines.iter().filter(|name| **name == "changed").count(), 1, "{pipelines:?}");
    for name in ["far", "near"] {
        let _ = it.bench.run(&["schedule", "rm", name]).expect(0);
    }
}

#[test]
fn an_owner_stays_for_a_schedule_without_waking_and_leaves_when_it_is_paused_or_not_wanted() {
    let it = Clocked::new();
    let bench = &it.bench;
    let _ = bench.run(&["schedule", "add", "daily", "@daily", "--", "true"]).expect(0);
    until(LONG, "an owner is there", || bench.owner().is_some());
    let owner = bench.owner().unwrap();
    // Over its start, and what that wrote.
    until(LONG, "it sleeps", || {
        let before = switches(owner);
        let_pass(150);
        switches(owner) == before
    });
    let before = switches(owner);
    let_pass(700);
    assert_eq!(switches(owner), before, "it woke with nothing to do");
    assert_eq!(bench.owner(), Some(owner));
    let gone = |what: &str| until(LONG, what, || bench.processes().is_empty());
    let _ = bench.run(&["schedule", "pause", "daily"]).expect(0);
    gone("the owner leaves a paused schedule alone");
    let _ = bench.run(&["schedule", "unpause", "daily"]).expect(0);
    until(LONG, "an owner is there again", || bench.owner().is_some());
    // Killed, it is started again by who looks.
    bench.kill_owner();
    let _ = bench.run(&["list"]).expect(0);
    until(LONG, "a look starts an owner", || bench.owner().is_some());
    let _ = bench.run(&["schedule", "keep", "off"]).expect(0);
    gone("the owner does not stay where nobody wants it to");
    let _ = bench.run(&["list"]).expect(0);
    assert_eq!(bench.run(&["schedule", "keep"]).expect(0).stdout.trim(), "off: no owner stays for schedules");
    gone("a look starts none either");
}

/// How often the threads of a process gave the processor away: each time one woke, it did.
fn switches(pid: i32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let of = |path: PathBuf| {
        let status = std::fs::read_to_string(path.join("status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    tasks.flatten().map(|task| of(task.path())).sum()
}

#[test]
fn after_a_restore_schedules_go_on_from_then_and_what_was_started_since_the_backup_is_not_started_again() {
    let mut it = Clocked::new();
    let _ = it.bench.run(&["schedule", "add", "hourly", "every 1h", "--", "true"]).expect(0);
    let made = it.bench.run(&["backup", "--json"]).expect(0).json();
    let name = PathBuf::from(made["path"].as_str().unwrap()).file_name().unwrap().to_str().unwrap().to_owned();
    it.pass(HOUR_MS + 1_000);
    it.until_ended(1);
    let _ = it.bench.run(&["restore", &name, "--yes"]).expect(0);
    let schedule = it.schedule("hourly");
    assert!(at(&schedule["next_at"]) > wall() + it.shift, "{schedule:#}");
    it.ring();
    assert_eq!(it.runs().len(), 1, "it was started twice");
    it.pass(HOUR_MS);
    it.until_ended(2);
    let _ = it.bench.run(&["schedule", "rm", "hourly"]).expect(0);
}

#[test]
fn a_clock_that_stood_ahead_silences_no_schedule() {
    const AHEAD_MS: i64 = 400 * 24 * HOUR_MS;
    let mut it = Clocked::new();
    let _ = it.bench.run(&["schedule", "add", "hourly", "every 1h", "--", "true"]).expect(0);
    it.pass(AHEAD_MS);
    it.until_ended(1);
    it.bench.kill_owner();
    it.pass(-AHEAD_MS);
    until(LONG, "it is due within the hour again", || {
        let _ = it.bench.run(&["schedule", "list"]).expect(0);
        at(&it.schedule("hourly")["next_at"]) <= wall() + HOUR_MS
    });
    it.ring();
    assert_eq!(it.runs().len(), 1, "what was caught up is not made up for again");
    it.pass(HOUR_MS);
    it.until_ended(2);
    let _ = it.bench.run(&["schedule", "rm", "hourly"]).expect(0);
}
