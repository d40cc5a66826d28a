//! The store itself is damaged, gone, put back in time, moved to another machine or written by a newer version: what was there is there
//! again, or it is said; programs at work are found again; nothing runs twice.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use footplate_store::{Role, SCHEMA_VERSION, Store, verify};
use footplate_testkit::{Bench, Pretend, until};
use serde_json::Value;

use crate::LONG;

/// A program that runs until its file is there, then exits with 3.
fn gated(bench: &Bench, name: &str) -> (Pretend, PathBuf) {
    let gate = bench.work().join(format!("{name}.go"));
    let body = format!("while [ ! -e {} ]; do sleep 0.02; done; exit 3", gate.display());
    (Pretend::sh(&bench.work(), &format!("{name}.sh"), &body), gate)
}

/// Waits until the program of that run is at work: a run says so as soon as its launch is decided.
fn until_at_work(bench: &Bench, number: i64, program: &Pretend) {
    bench.until_status(number, "running", LONG);
    until(LONG, "the program has begun", || program.starts() == 1);
}

fn state(bench: &Bench) -> PathBuf {
    bench.data().join("state.db")
}

/// Overwrites the file's beginning: no database any more.
fn wreck(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let most = bytes.len().min(3 * 4096);
    bytes[..most].fill(0xa5);
    std::fs::write(path, bytes).unwrap();
}

fn statuses(bench: &Bench) -> Vec<(i64, String)> {
    let list = bench.run(&["list", "--json"]).expect(0).json();
    let word = |run: &Value| (run["number"].as_i64().unwrap(), run["status"].as_str().unwrap().to_owned());
    let mut all: Vec<_> = list.as_array().unwrap().iter().map(word).collect();
    all.sort();
    all
}

fn report(bench: &Bench) -> Value {
    bench.run(&["restore", "--report", "--json"]).expect(0).json()
}

fn numbers(value: &Value) -> Vec<i64> {
    value.as_array().unwrap().iter().map(|number| number.as_i64().unwrap()).collect()
}

fn epoch(bench: &Bench) -> String {
    Store::open(&bench.data(), Role::ReadOnly).unwrap().epoch().unwrap()
}

fn kept(bench: &Bench) -> Vec<String> {
    let doctor = bench.run(&["doctor", "--json"]).expect(0).json();
    doctor["backups"]["kept"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_damaged_store_is_restored_from_its_backup_and_the_folders_and_programs_at_work_are_found_again() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let _ = bench.run(&["queue", "set", "default", "--limit", "2"]).expect(0);
    let done = Pretend::sh(&bench.work(), "done.sh", "");
    let first = bench.add(&[], &done.argv());
    bench.until_status(first, "completed", LONG);
    let (long, go) = gated(&bench, "long");
    let running = bench.add(&[], &long.argv());
    until_at_work(&bench, running, &long);
    let made = bench.run(&["backup", "--json"]).expect(0).json();
    assert_eq!(made["runs"], 2);
    // What the backup does not know: a run that ended, one that runs, one that waits for room.
    let ended = Pretend::sh(&bench.work(), "ended.sh", "exit 5");
    let after = bench.add(&[], &ended.argv());
    bench.until_status(after, "failed", LONG);
    let (other, go_other) = gated(&bench, "other");
    let also = bench.add(&[], &other.argv());
    until_at_work(&bench, also, &other);
    let queued = Pretend::sh(&bench.work(), "queued.sh", "");
    let waits = bench.add(&[], &queued.argv());
    let (before, old) = (statuses(&bench), epoch(&bench));
    assert!(bench.kill_owner());
    wreck(&state(&bench));

    // Whoever looks next has it restored.
    until(LONG, "all is there again", || statuses(&bench) == before[..4]);
    let told = report(&bench);
    assert_eq!(numbers(&told["rebuilt"]), [after, also], "{told:#}");
    assert_eq!(numbers(&told["running"]), [running, also], "{told:#}");
    assert_eq!(told["lost"][0]["number"], waits, "what never started is not there, and it is said: {told:#}");
    assert!(told["backup"].is_string() && told["why"].is_string(), "{told:#}");
    assert_ne!(epoch(&bench), old, "a cursor of before would be taken for one of now");
    assert_eq!(kept(&bench).len(), 1);
    assert_eq!(bench.show(after)["stages"][0]["attempts"][0]["exit_code"], 5);
    let remark = bench.run(&["list"]).expect(0).stderr;
    assert!(remark.contains("The store was restored") && remark.contains("1 could not be brought back"), "{remark}");
    // Numbers go on where they were.
    let next = bench.add(&[], &done.argv());
    assert_eq!(next, waits + 1);

    std::fs::write(go, "").unwrap();
    std::fs::write(go_other, "").unwrap();
    for number in [running, also] {
        let _ = bench.run(&["wait", &number.to_string()]).expect(1);
        assert_eq!(bench.show(number)["stages"][0]["attempts"][0]["exit_code"], 3);
    }
    bench.until_status(next, "completed", LONG);
    let starts = [&done, &long, &ended, &other, &queued].map(Pretend::starts);
    assert_eq!(starts, [2, 1, 1, 1, 0]);
    let _ = bench.run(&["restore", "--seen"]).expect(0);
    assert_eq!(bench.run(&["list"]).expect(0).stderr, "");
    let _ = bench.run(&["restore", "--report"]).expect(4);
    assert_eq!(kept(&bench).len(), 1, "what was put aside is never deleted");
}

#[test]
fn without_any_backup_the_folders_alone_are_enough_and_a_pipeline_goes_on() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let (work, go) = (bench.work(), bench.work().join("go"));
    let note = format!("echo $FOOTPLATE_STAGE >> {}/lines", work.display());
    let text = format!(
        "format = 1\nname = \"two\"\n[params.lr]\ntype = \"number\"\ndefault = 0.5\n\
         [stages.first]\nshell = '{note}; while [ ! -e {} ]; do sleep 0.02; done; echo {{\\\"output\\\": {{\\\"x\\\": 7}}}}'\n\
         [stages.second]\nneeds = [\"first\"]\ncommand = [\"sh\", \"-c\", \"{note}; test {{{{ params.lr }}}} = 0.25\"]\n",
        go.display()
    );
    let pipeline = bench.write("two/footplate.toml", text).parent().unwrap().display().to_string();
    let run = ["run", &pipeline, "--detach", "--json", "-p", "lr=0.25", "--name", "zwei", "--experiment", "e"];
    let number = bench.run(&run).expect(0).json()["number"].as_i64().unwrap();
    bench.until_status(number, "running", LONG);
    until(LONG, "it began", || work.join("lines").exists());
    // In the middle of its life, under the owner's eyes.
    wreck(&state(&bench));
    std::fs::remove_file(bench.data().join("state.db-wal")).unwrap();
    assert!(bench.kill_owner());
    let before = bench.run(&["show", "--json", "1"]).expect(0).json();
    let facts = ["name", "experiment", "pipeline", "status"].map(|key| before[key].clone());
    assert_eq!(serde_json::json!(facts), serde_json::json!(["zwei", "e", "two", "running"]), "{before:#}");
    assert_eq!(before["params"]["lr"], 0.25);
    std::fs::write(go, "").unwrap();
    let _ = bench.run(&["wait", "1"]).expect(0);
    assert_eq!(std::fs::read_to_string(work.join("lines")).unwrap(), "first\nsecond\n");
    assert!(report(&bench)["backup"].is_null());
}

#[test]
fn what_nobody_is_at_work_on_waits_for_a_word() {
    let bench = Bench::new();
    let text = "format = 1\nname = \"pair\"\n[stages.a]\nshell = 'true'\n[stages.b]\nneeds = [\"a\"]\n\
                not_before = \"2099-01-01T00:00:00Z\"\nshell = 'true'\n";
    let pipeline = bench.write("pair/footplate.toml", text).parent().unwrap().display().to_string();
    let _ = bench.run(&["run", &pipeline, "--detach"]).expect(0);
    until(LONG, "the first stage ended", || bench.show(1)["stages"][0]["status"] == "completed");
    let _ = bench.kill_owner();
    std::fs::remove_file(state(&bench)).unwrap();
    assert_eq!(statuses(&bench), [(1, "paused".to_owned())]);
    let told = report(&bench);
    assert_eq!((numbers(&told["held_back"]), told["why"].as_str()), (vec![1], Some("state.db was gone")), "{told:#}");
    // One whose folder says nothing cannot be brought back, and that is said.
    let id = bench.show(1)["id"].as_str().unwrap().to_owned();
    let _ = bench.kill_owner();
    std::fs::remove_file(bench.data().join("attempts").join(id).join("run.json")).unwrap();
    std::fs::remove_file(state(&bench)).unwrap();
    assert_eq!(statuses(&bench), []);
    let lost = report(&bench)["lost"][0].clone();
    assert!(lost["number"] == 1 && lost["why"].as_str().unwrap().contains("run.json"), "{lost}");
}

#[test]
fn a_run_that_is_brought_back_ended_when_its_last_stage_did_though_one_was_skipped() {
    let bench = Bench::new();
    let text = "format = 1\nname = \"pair\"\n[stages.a]\nshell = 'true'\n\
                [stages.b]\nneeds = [\"a\"]\nif = \"false\"\nshell = 'true'\n";
    let pipeline = bench.write("pair/footplate.toml", text).parent().unwrap().display().to_string();
    let _ = bench.run(&["run", &pipeline]).expect(0);
    let before = bench.show(1);
    assert_eq!(before["stages"][1]["status"], "skipped");
    bench.until_nothing_left(LONG);
    wreck(&state(&bench));
    let status = bench.status(1);
    if status == "paused" {
        let _ = bench.run(&["unpause", "1"]).expect(0);
    }
    bench.until_status(1, "completed", LONG);
    assert_eq!(bench.show(1)["finished_at"], before["finished_at"]);
}

#[test]
fn a_store_that_lost_its_journal_is_found_out_although_sqlite_finds_nothing_wrong() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let (program, go) = gated(&bench, "p");
    let number = bench.add(&[], &program.argv());
    until_at_work(&bench, number, &program);
    let queued = Pretend::sh(&bench.work(), "queued.sh", "");
    let waits = bench.add(&[], &queued.argv());
    until(LONG, "the owner has seen it", || bench.show(waits)["waiting"]["reason"] == "queue_limit");
    assert!(bench.kill_owner());
    for suffix in ["-wal", "-shm"] {
        std::fs::remove_file(bench.data().join(format!("state.db{suffix}"))).unwrap();
    }
    until(LONG, "the program is found again", || statuses(&bench) == [(number, "running".to_owned())]);
    let told = report(&bench);
    assert!(told["why"].as_str().unwrap().contains("its newest changes are missing"), "{told:#}");
    assert_eq!(told["lost"][0]["number"], waits, "{told:#}");
    std::fs::write(go, "").unwrap();
    let _ = bench.run(&["wait", &number.to_string()]).expect(1);
    assert_eq!((program.starts(), queued.starts()), (1, 0));
}

#[test]
fn an_owner_that_dies_at_a_named_point_of_a_restore_leaves_it_to_the_next() {
    for point in ["restore-built", "restore-kept", "restore-journal-aside", "restore-swapped"] {
        let mut bench = Bench::new();
        bench.expect_nothing_left();
        let done = Pretend::sh(&bench.work(), "done.sh", "");
        let first = bench.add(&[], &done.argv());
        bench.until_status(first, "completed", LONG);
        let (long, go) = gated(&bench, "long");
        let second = bench.add(&[], &long.argv());
        until_at_work(&bench, second, &long);
        assert!(bench.kill_owner());
        wreck(&state(&bench));
        let died = bench.footplate(["list"]).env("FOOTPLATE_FAILPOINT", point).output().unwrap();
        let log = || std::fs::read_to_string(bench.data().join("owner.log")).unwrap();
        assert!(log().contains(&format!("failpoint {point}")), "{point}: {died:?} {}", log());
        let all = [(first, "completed"), (second, "running")].map(|(n, s)| (n, s.to_owned()));
        let there = footplate_testkit::holds_within(LONG, || statuses(&bench) == all);
        assert!(there, "{point}: {:?} {:#} {}", statuses(&bench), report(&bench), log());
        let told = report(&bench);
        assert!(
            numbers(&told["rebuilt"]) == [first, second] && told["lost"] == serde_json::json!([]),
            "{point}: {told:#}"
        );
        std::fs::write(go, "").unwrap();
        let _ = bench.run(&["wait", &second.to_string()]).expect(1);
        assert_eq!((done.starts(), long.starts()), (1, 1), "{point}");
        assert!(!bench.data().join("restoring").exists() && !kept(&bench).is_empty(), "{point}");
    }
}

/// Whoever was told that a run is written down finds it after a restore that came in between.
#[test]
fn runs_that_are_added_while_the_store_is_restored_are_there_afterwards_or_refused() {
    let bench = Bench::new();
    let _ = bench.run(&["queue", "pause", "default"]).expect(0);
    let _ = bench.run(&["backup"]).expect(0);
    let over = AtomicBool::new(false);
    let (added, refused): (Vec<String>, u32) = std::thread::scope(|scope| {
        let adders: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let (mut ids, mut refused) = (Vec::new(), 0);
                    while !over.load(Ordering::Relaxed) {
                        let out = bench.run(&["add", "--json", "--", "true"]);
                        match out.code {
                            0 => ids.push(out.json()["id"].as_str().unwrap().to_owned()),
                            // It was put aside between the look and the write.
                            5 => refused += 1,
                            _ => panic!("{out:?}"),
                        }
                    }
                    (ids, refused)
                })
            })
            .collect();
        let restored: Vec<_> = (0..3).map(|_| bench.run(&["restore", "--yes"])).collect();
        over.store(true, Ordering::Relaxed);
        assert!(restored.iter().all(|out| out.code == 0), "{restored:?}");
        let all = adders.into_iter().map(|adder| adder.join().unwrap());
        all.fold((Vec::new(), 0), |(mut ids, refused), (more, also)| {
            ids.extend(more);
            (ids, refused + also)
        })
    });
    let list = bench.run(&["list", "--json", "--limit", "10000"]).expect(0).json();
    let there: Vec<&str> = list.as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect();
    let lost: Vec<&String> = added.iter().filter(|id| !there.contains(&id.as_str())).collect();
    assert!(!added.is_empty() && lost.is_empty(), "{} of {} are lost, {refused} were refused", lost.len(), added.len());
}

#[test]
fn a_run_whose_row_means_nothing_any_more_stops_no_other() {
    let bench = Bench::new();
    let program = Pretend::sh(&bench.work(), "p.sh", "");
    let _ = bench.run(&["queue", "pause", "default"]).expect(0);
    let odd = bench.add(&["--name", "odd"], &program.argv());
    let good = bench.add(&["--name", "good"], &program.argv());
    bench.until_nothing_left(LONG);
    // Its definition, and the backup's too: SQLite has nothing against any text.
    let _ = bench.run(&["backup"]).expect(0);
    let backups = std::fs::read_dir(bench.data().join("backups")).unwrap().map(|entry| entry.unwrap().path());
    for path in backups.chain([state(&bench)]) {
        let mut bytes = std::fs::read(&path).unwrap();
        let words = b"{\"format\":1";
        let at = bytes.windows(words.len()).rposition(|window| window == words).unwrap();
        bytes[at + 2] = b'F';
        std::fs::write(&path, bytes).unwrap();
    }
    let names = |all: &Value| all.as_array().unwrap().iter().map(|run| run["name"].to_string()).collect::<Vec<_>>();
    assert_eq!(names(&bench.run(&["list", "--json"]).expect(0).json()).len(), 2);
    let _ = bench.run(&["queue", "unpause", "default", "--no-wait"]);
    until(LONG, "an owner has met it", || bench.run(&["restore", "--report"]).code == 0);
    let told = report(&bench);
    let lost = told["lost"][0]["number"].as_i64().unwrap();
    assert!([odd, good].contains(&lost) && told["lost"].as_array().unwrap().len() == 1, "{told:#}");
    assert_eq!(statuses(&bench).len(), 1);
    let _ = bench.run(&["queue", "unpause", "default"]).expect(0);
    let left = odd + good - lost;
    bench.until_status(left, "completed", LONG);
    assert_eq!(program.starts(), 1);
}

#[test]
fn a_store_of_a_newer_version_is_read_and_not_written() {
    let bench = Bench::new();
    let program = Pretend::sh(&bench.work(), "p.sh", "");
    let number = bench.add(&[], &program.argv());
    let _ = bench.run(&["wait", &number.to_string()]).expect(0);
    bench.until_nothing_left(LONG);
    let path = state(&bench);
    let mut bytes = std::fs::read(&path).unwrap();
    // The format, in the header: sqlite.org/fileformat.html, offset 60.
    bytes[60..64].copy_from_slice(&(SCHEMA_VERSION + 1).to_be_bytes());
    std::fs::write(&path, &bytes).unwrap();
    let list = bench.run(&["list"]).expect(0);
    assert!(list.stdout.contains("#1") && list.stderr.contains("it is only read"), "{list:?}");
    assert_eq!(bench.run(&["show", "1", "--json"]).expect(0).json()["status"], "completed");
    for refused in [&["add", "--json", "--", "true"][..], &["retry", "1", "--json"], &["work", "--json", "--no-wait"]] {
        assert_eq!(bench.run(refused).expect(8).error()["code"], "store_newer", "{refused:?}");
    }
    let doctor = bench.run(&["doctor", "--json"]).expect(8).json();
    assert!(doctor["problems"].as_array().unwrap().iter().any(|p| p["code"] == "store_newer"), "{doctor:#}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn on_another_machine_all_queues_are_paused_and_every_door_asks_until_somebody_answers() {
    let bench_on = |bench: &mut Bench, machine: &str| bench.set_env("FOOTPLATE_TEST_MACHINE_ID", machine);
    let mut bench = Bench::new();
    bench_on(&mut bench, "here");
    let program = Pretend::sh(&bench.work(), "p.sh", "");
    let _ = bench.run(&["queue", "pause", "evaluation"]).expect(0);
    let first = bench.add(&[], &program.argv());
    let _ = bench.run(&["wait", &first.to_string()]).expect(0);
    bench.until_nothing_left(LONG);
    bench_on(&mut bench, "there");
    let second = bench.add(&[], &program.argv());
    until(LONG, "the reason is told", || bench.show(second)["waiting"]["reason"] == "queue_paused");
    let asked = bench.run(&["list"]).expect(0).stderr;
    assert!(asked.contains("used on another machine") && asked.contains("footplate adopt"), "{asked}");
    let doctor = bench.run(&["doctor", "--json"]).expect(0).json();
    assert!(doctor["problems"].to_string().contains("footplate adopt"), "{doctor:#}");
    // Asked once: a queue that somebody unpauses by hand stays so, and the question too.
    assert_eq!(program.starts(), 1);
    let _ = bench.run(&["adopt"]).expect(0);
    bench.until_status(second, "completed", LONG);
    let queues = bench.run(&["queue", "list", "--json"]).expect(0).json();
    let paused: Vec<&Value> = queues.as_array().unwrap().iter().filter(|q| q["paused"] == true).collect();
    assert!(paused.len() == 1 && paused[0]["name"] == "evaluation", "what was paused before stays so: {queues}");
    let again = bench.run(&["adopt", "--json"]).expect(5);
    assert_eq!(again.error()["code"], "conflict");
    assert_eq!(bench.run(&["list"]).expect(0).stderr, "");

    // Back where it was adopted from it is another machine's again; and where it comes home, nobody is asked any more.
    bench.until_nothing_left(LONG);
    bench_on(&mut bench, "here");
    let third = bench.add(&[], &program.argv());
    until(LONG, "the reason is told", || bench.show(third)["waiting"]["reason"] == "queue_paused");
    bench.until_nothing_left(LONG);
    bench_on(&mut bench, "there");
    let _ = bench.run(&["work", "--until-idle"]).expect(0);
    bench.until_status(third, "completed", LONG);
    assert_eq!(program.starts(), 3);
}

#[test]
fn by_hand_a_preview_comes_first_and_nothing_of_the_present_is_lost() {
    let bench = Bench::new();
    let program = Pretend::sh(&bench.work(), "p.sh", "");
    let one = bench.add(&[], &program.argv());
    let _ = bench.run(&["wait", &one.to_string()]).expect(0);
    let _ = bench.run(&["restore"]).expect(0);
    let made = bench.run(&["backup", "--json"]).expect(0).json();
    let name = Path::new(made["path"].as_str().unwrap()).file_name().unwrap().to_str().unwrap().to_owned();
    let two = bench.add(&[], &program.argv());
    let _ = bench.run(&["wait", &two.to_string()]).expect(0);
    let _ = bench.run(&["queue", "pause", "default"]).expect(0);
    let three = bench.add(&[], &program.argv());
    let list = bench.run(&["restore", "--list", "--json"]).expect(0).json();
    assert_eq!(list[0]["name"], name.as_str());
    let old = epoch(&bench);
    let would = bench.run(&["restore", &name, "--json"]).expect(0).json();
    let facts = ["runs", "runs_now", "from_folders"].map(|key| would["would"][key].clone());
    assert_eq!(serde_json::json!(facts), serde_json::json!([1, 3, 1]), "{would}");
    assert_eq!(epoch(&bench), old, "a preview changes nothing");
    assert_eq!(bench.run(&["restore", "state-19990101T000000Z.db", "--json"]).expect(4).error()["code"], "not_found");

    let told = bench.run(&["restore", &name, "--yes", "--json"]).expect(0).json();
    assert_eq!(numbers(&told["rebuilt"]), [two, three], "{told:#}");
    assert_eq!(
        numbers(&told["held_back"]),
        [three],
        "a command that was not launched is not launched unseen: {told:#}"
    );
    assert_ne!(epoch(&bench), old);
    let all = [(one, "completed"), (two, "completed"), (three, "draft")].map(|(n, s)| (n, s.to_owned()));
    until(LONG, "all are there", || statuses(&bench) == all);
    let _ = bench.run(&["start", &three.to_string()]).expect(0);
    bench.until_status(three, "completed", LONG);
    assert_eq!(program.starts(), 3);
}

#[test]
fn backups_are_made_by_the_hour_while_things_change_and_never_where_room_is_scarce() {
    let mut bench = Bench::new();
    let (shift, free) = (bench.root().join("shift"), bench.root().join("free"));
    bench.set_env("FOOTPLATE_TEST_WALL_SHIFT", &shift);
    bench.set_env("FOOTPLATE_TEST_DISK_FREE", &free);
    let after_minutes = |minutes: i64| std::fs::write(&shift, (minutes * 60_000).to_string()).unwrap();
    let has = |bytes: u64| std::fs::write(&free, bytes.to_string()).unwrap();
    let made = || {
        let list = bench.run(&["restore", "--list", "--json"]).expect(0).json();
        list.as_array().unwrap().iter().map(|b| b["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let change = || {
        let number = bench.add(&[], &["true"]);
        let _ = bench.run(&["wait", &number.to_string()]).expect(0);
        // An owner leaves when its backup is done, not before.
        bench.until_nothing_left(LONG);
    };
    after_minutes(0);
    has(100_000_000_000);
    let _ = bench.run(&["disk", "--warning", "5GB"]).expect(0);
    change();
    assert_eq!(made(), [] as [String; 0], "there was nothing to lose yet");
    after_minutes(11);
    change();
    assert_eq!(made().len(), 1);
    after_minutes(60);
    change();
    assert_eq!(made().len(), 1, "the hour is not over");
    after_minutes(72);
    has(5_000_010_000);
    change();
    assert_eq!(made().len(), 1, "it would bring the disk to the mark");
    has(100_000_000_000);
    change();
    let two = made();
    assert_eq!(two.len(), 2);
    let copy = verify(&bench.data().join("backups").join(&two[0])).unwrap();
    assert!(copy.runs >= 4, "{copy:?}");
    let left: Vec<_> = std::fs::read_dir(bench.data().join("backups")).unwrap().collect();
    assert_eq!(left.len(), 2, "nothing half made is left: {left:?}");
}

#[test]
fn what_was_removed_since_the_backup_does_not_start_again() {
    let bench = Bench::new();
    let (done, dropped) = (Pretend::sh(&bench.work(), "done.sh", ""), Pretend::sh(&bench.work(), "dropped.sh", ""));
    let _ = bench.run(&["queue", "pause", "default"]).expect(0);
    let completed = bench.add(&[], &done.argv());
    let cancelled = bench.add(&[], &dropped.argv());
    let made = bench.run(&["backup", "--json"]).expect(0).json();
    let name = Path::new(made["path"].as_str().unwrap()).file_name().unwrap().to_str().unwrap().to_owned();
    let _ = bench.run(&["cancel", &cancelled.to_string()]).expect(0);
    let _ = bench.run(&["queue", "unpause", "default"]).expect(0);
    bench.until_status(completed, "completed", LONG);
    let _ = bench.run(&["rm", &completed.to_string(), &cancelled.to_string()]).expect(0);
    let told = bench.run(&["restore", &name, "--yes", "--json"]).expect(0).json();
    assert_eq!(numbers(&told["held_back"]), [completed, cancelled], "{told:#}");
    let _ = bench.run(&["queue", "unpause", "default"]).expect(0);
    // There is room, and somebody who starts what may be started.
    let other = bench.add(&[], &["true"]);
    bench.until_status(other, "completed", LONG);
    assert_eq!((done.starts(), dropped.starts()), (1, 0));
    let _ = bench.run(&["unpause", &cancelled.to_string()]).expect(0);
    bench.until_status(cancelled, "completed", LONG);
}

#[test]
fn a_copy_of_the_data_folder_leaves_the_original_alone() {
    let mut bench = Bench::new();
    let program = ["sh", "-c", "echo kept > \"$FOOTPLATE_RUN_DIR/model\""];
    let number = bench.add(&[], &program);
    bench.until_status(number, "completed", LONG);
    bench.until_nothing_left(LONG);
    let (original, copy) = (bench.data(), bench.root().join("copy"));
    let copied = std::process::Command::new("cp").arg("-a").arg(&original).arg(&copy).status().unwrap();
    assert!(copied.success());
    let id = bench.show(number)["id"].as_str().unwrap().to_owned();
    let model = |folder: &Path| folder.join("runs").join(&id).join("model");
    bench.set_env("FOOTPLATE_DATA", &copy);
    std::fs::remove_file(model(&copy)).unwrap();
    let _ = bench.run(&["retry", "1", "--from", "main"]).expect(0);
    let _ = bench.run(&["wait", "1"]).expect(0);
    assert!(model(&copy).exists(), "it worked in the folder of the copy");
    let _ = bench.run(&["rm", "1", "--files"]).expect(0);
    until(LONG, "the copy's files are gone", || !model(&copy).exists());
    assert_eq!(std::fs::read_to_string(model(&original)).unwrap(), "kept\n");
}
