//! Disks without room: a program is neither blocked nor killed for it, its end is known, and what could not start waits.

use footplate_shim::folder::AttemptDir;
use footplate_shim::log::{IndexKind, index};
use footplate_testkit::{Bench, Pretend, SmallDisk, in_own_mounts, until};

use crate::LONG;

fn folder(bench: &Bench, number: i64) -> AttemptDir {
    let id = bench.show(number)["id"].as_str().unwrap().to_owned();
    AttemptDir::open(bench.data().join("attempts").join(id).join("0.1"))
}

/// 16 MB in lines, more than the disk holds; then a word in its file, a last line when it may go on, and its code.
fn flood(bench: &Bench, name: &str) -> Pretend {
    Pretend::python(
        &bench.work(),
        name,
        "line = b'y' * 999 + b'\\n'\nfor i in range(16000): os.write(1, line)\nnote('written')\n\
         while not os.path.exists('go'): time.sleep(0.01)\nos.write(1, b'last\\n')\nsys.exit(7)",
    )
}

const FLOOD: u64 = 16_000_000;

#[test]
fn a_flood_on_a_full_disk_blocks_nobody_is_counted_and_the_log_goes_on_when_there_is_room() {
    if !in_own_mounts(
        "full_disk::a_flood_on_a_full_disk_blocks_nobody_is_counted_and_the_log_goes_on_when_there_is_room",
    ) {
        return;
    }
    let bench = Bench::new();
    let _ = bench.run(&["list"]).expect(0);
    let disk = SmallDisk::mount(&bench.data().join("attempts"), 4096);
    let program = flood(&bench, "p.py");
    let number = bench.add(&[], &program.argv());
    until(LONG, "all is written", || program.lines().len() == 2);
    assert_eq!(bench.status(number), "running");
    disk.resize(64 * 1024);
    std::fs::write(bench.work().join("go"), "").unwrap();
    let _ = bench.run(&["wait", &number.to_string()]).expect(1);
    let run = bench.show(number);
    assert_eq!((run["status"].as_str(), run["error"]["code"].as_str()), (Some("failed"), Some("exit_code")), "{run:#}");
    assert_eq!(run["stages"][0]["attempts"][0]["exit_code"], 7);
    // What was dropped left a line without its end: the last one stands behind it.
    let tail = bench.run(&["logs", &number.to_string(), "--tail", "1"]).expect(0).stdout;
    assert!(tail.ends_with("last\n"), "{tail}");
    // Where it is missing it is said, between what stood before it and what stands behind it.
    let whole = bench.run(&["logs", &number.to_string()]).expect(0).stdout;
    let remarks: Vec<&str> = whole.lines().filter(|line| line.contains("no room on the disk")).collect();
    let [remark] = remarks[..] else { panic!("{remarks:?}") };
    assert!(remark.starts_with('[') && remark.contains(" were lost here: "), "{remark}");
    assert!(whole.ends_with(&format!("{remark}\nlast\n")), "{}", &whole[whole.len() - 200..]);
    let folder = folder(&bench, number);
    let noted = index(&folder).unwrap();
    let lost: u64 = noted.iter().filter(|e| e.kind == IndexKind::NoRoom).map(|e| e.dropped).sum();
    assert!(lost > 8_000_000, "{lost} bytes are said to be lost");
    assert_eq!(folder.log_end() + lost, FLOOD + 5, "each byte is kept or counted");
    assert_eq!(folder.swept().unwrap().dropped, lost);
    let said = format!("{lost} bytes of its output are lost: there was no room on the disk");
    assert!(run["stages"][0]["attempts"][0]["notes"].to_string().contains(&said), "{run:#}");
    assert_eq!(program.starts(), 1);
    bench.until_nothing_left(LONG);
}

#[test]
fn on_a_disk_that_stays_full_the_true_exit_code_is_known_all_the_same() {
    if !in_own_mounts("full_disk::on_a_disk_that_stays_full_the_true_exit_code_is_known_all_the_same") {
        return;
    }
    let bench = Bench::new();
    let _ = bench.run(&["list"]).expect(0);
    let disk = SmallDisk::mount(&bench.data().join("attempts"), 4096);
    let program = flood(&bench, "p.py");
    let number = bench.add(&[], &program.argv());
    until(LONG, "all is written", || program.lines().len() == 2);
    disk.fill("the rest");
    // The owner dies too: what is known comes from the folder alone.
    bench.kill_owner();
    std::fs::write(bench.work().join("go"), "").unwrap();
    let _ = bench.run(&["wait", &number.to_string()]).expect(1);
    let run = bench.show(number);
    assert_eq!(run["stages"][0]["attempts"][0]["exit_code"], 7, "{run:#}");
    assert_eq!((run["status"].as_str(), run["error"]["code"].as_str()), (Some("failed"), Some("exit_code")));
    assert_eq!(program.starts(), 1);
    bench.until_nothing_left(LONG);
}

#[test]
fn what_cannot_start_for_want_of_room_waits_and_starts_when_there_is_some() {
    if !in_own_mounts("full_disk::what_cannot_start_for_want_of_room_waits_and_starts_when_there_is_some") {
        return;
    }
    let bench = Bench::new();
    let _ = bench.run(&["list"]).expect(0);
    let disk = SmallDisk::mount(&bench.data().join("attempts"), 1024);
    let program = Pretend::sh(&bench.work(), "p.sh", "echo hello; exit 5");
    let (mut held, mut ran) = (0, 0);
    // From none at all to enough: the folder, the claim, each record and the log in turn find no room.
    for (round, room) in (0..14).map(|pages| pages * 4096).enumerate() {
        let filler = disk.fill("filler");
        let taken = std::fs::metadata(&filler).unwrap().len();
        std::fs::File::options().write(true).open(&filler).unwrap().set_len(taken - room).unwrap();
        let number = bench.add(&[], &program.argv());
        let status = || bench.show(number)["stages"][0]["status"].as_str().unwrap().to_owned();
        let settled = || matches!(status().as_str(), "held" | "failed");
        assert!(footplate_testkit::holds_within(LONG, settled), "{room} bytes of room: {:#}", bench.show(number));
        if status() == "held" {
            held += 1;
            let run = bench.show(number);
            assert_eq!((run["status"].as_str(), program.starts()), (Some("queued"), round), "{room}: {run:#}");
            assert_eq!(run["stages"][0]["waiting"]["reason"], "disk", "{room}: {run:#}");
        } else {
            ran += 1;
        }
        std::fs::remove_file(filler).unwrap();
        let _ = bench.run(&["wait", &number.to_string()]).expect(1);
        let run = bench.show(number);
        let attempts = run["stages"][0]["attempts"].as_array().unwrap();
        assert_eq!(attempts.last().unwrap()["exit_code"], 5, "{room}: {run:#}");
        assert_eq!(program.starts(), round + 1, "{room}: {run:#}");
    }
    assert!(held >= 3 && ran >= 1, "{held} waited, {ran} ran at once");
    bench.until_nothing_left(LONG);
}

#[test]
fn a_data_folder_without_room_stops_no_program_and_the_store_is_sound_afterwards() {
    if !in_own_mounts("full_disk::a_data_folder_without_room_stops_no_program_and_the_store_is_sound_afterwards") {
        return;
    }
    let bench = Bench::new();
    let disk = SmallDisk::mount(&bench.data(), 512 * 1024);
    // The guard would pause it; this is what is left where it is off, or too late.
    let _ = bench.run(&["disk", "--warning", "0", "--critical", "0"]).expect(0);
    let gate = bench.work().join("go");
    let program = Pretend::sh(
        &bench.work(),
        "p.sh",
        &format!("while [ ! -e {} ]; do sleep 0.02; done; echo the end; exit 9", gate.display()),
    );
    let number = bench.add(&[], &program.argv());
    until(LONG, "the program runs", || program.starts() == 1);
    let id = bench.show(number)["id"].as_str().unwrap().to_owned();
    let record = bench.data().join("attempts").join(id).join("0.1/exit.json");
    let filler = disk.fill("filler");
    std::fs::write(&gate, "").unwrap();
    until(LONG, "the program's end is recorded", || record.exists());
    // A submit that cannot be kept says so; it is not half there.
    let refused = bench.run(&["add", "--", "true"]);
    let listed = bench.run(&["list", "--json"]);
    std::fs::remove_file(filler).unwrap();
    if refused.code != 0 {
        assert_eq!(refused.code, 8, "{refused:?}");
    }
    assert!(matches!(listed.code, 0 | 8), "{listed:?}");
    let _ = bench.run(&["wait", &number.to_string()]).expect(1);
    let run = bench.show(number);
    assert_eq!(run["stages"][0]["attempts"][0]["exit_code"], 9, "{run:#}");
    assert_eq!(program.starts(), 1);
    let doctor = bench.run(&["doctor", "--json"]).expect(0).json();
    assert_eq!(doctor["store"]["sound"], true, "{doctor}");
    let next = bench.add(&[], &["true"]);
    let _ = bench.run(&["wait", &next.to_string()]).expect(0);
    bench.until_nothing_left(LONG);
}

#[test]
fn without_a_byte_of_room_every_verb_says_so_and_what_was_there_is_there_again() {
    if !in_own_mounts("full_disk::without_a_byte_of_room_every_verb_says_so_and_what_was_there_is_there_again") {
        return;
    }
    let bench = Bench::new();
    let disk = SmallDisk::mount(&bench.data(), 256 * 1024);
    let _ = bench.run(&["disk", "--warning", "0", "--critical", "0"]).expect(0);
    let _ = bench.run(&["schedule", "add", "nightly", "@daily", "--", "true"]).expect(0);
    let _ = bench.run(&["schedule", "pause", "nightly"]).expect(0);
    until(LONG, "nobody is at work", || bench.owner().is_none());
    let filler = disk.fill("filler");
    for words in [
        "list",
        "schedule list",
        "schedule run nightly",
        "schedule add other @daily -- true",
        "sweep digits -p epochs=1,2",
        "add -- true",
        "compare --experiment digits-sweep-1",
    ] {
        let out = bench.run(&words.split(' ').collect::<Vec<_>>()).expect(8);
        assert!(out.stderr.contains("no room left on the disk"), "{words}: {}", out.stderr);
        assert!(out.stderr.contains("make room and try again"), "{words}: {}", out.stderr);
    }
    std::fs::remove_file(filler).unwrap();
    let all = bench.run(&["schedule", "list", "--json"]).expect(0).json();
    assert_eq!((all.as_array().unwrap().len(), &all[0]["name"]), (1, &serde_json::json!("nightly")));
    assert_eq!(bench.run(&["list", "--json"]).expect(0).json(), serde_json::json!([]), "nothing is half there");
    let _ = bench.run(&["schedule", "rm", "nightly"]).expect(0);
    bench.until_nothing_left(LONG);
}

#[test]
fn with_nobody_about_the_ballast_lets_people_look_and_clean_on_a_full_disk() {
    if !in_own_mounts("full_disk::with_nobody_about_the_ballast_lets_people_look_and_clean_on_a_full_disk") {
        return;
    }
    let bench = Bench::new();
    let disk = SmallDisk::mount(&bench.data(), 512 * 1024);
    let _ = bench.run(&["disk", "--warning", "0", "--critical", "0"]).expect(0);
    let program = Pretend::sh(&bench.work(), "p.sh", "echo hello");
    let number = bench.add(&[], &program.argv());
    let _ = bench.run(&["wait", &number.to_string()]).expect(0);
    bench.until_nothing_left(LONG);
    let ballast = bench.data().join("ballast");
    std::fs::write(&ballast, vec![0; 4 << 20]).unwrap();
    let _ = disk.fill("filler");
    let listed = bench.run(&["list"]).expect(0).stdout;
    assert!(listed.contains("completed") && !ballast.exists(), "{listed}");
    let _ = bench.run(&["rm", &number.to_string(), "--files"]).expect(0);
    // Without a ballast it is said what is the matter.
    bench.until_nothing_left(LONG);
    let _ = disk.fill("the rest");
    let refused = bench.run(&["list"]).expect(8);
    assert!(refused.stderr.contains("no room left on the disk"), "{}", refused.stderr);
}
