//! From one version's owner to the next: the older one leaves when it is asked, and no program notices.

use std::fs::File;
use std::io::Write;
use std::process::Stdio;

use footplate_testkit::{Bench, Found, Pretend, until};
use serde_json::{Value, json};

use crate::LONG;

/// What a newer version does: puts its own version into `hand_over` and rings.
fn ask(bench: &Bench, version: &str) {
    std::fs::write(bench.data().join("hand_over"), version).unwrap();
    let mut bell = File::options().write(true).open(bench.data().join("bell")).unwrap();
    bell.write_all(&[1]).unwrap();
}

fn line(bench: &Bench) -> Value {
    let text = std::fs::read_to_string(bench.data().join("owner.lock")).unwrap();
    serde_json::from_str(text.lines().next().unwrap()).unwrap()
}

#[test]
fn an_owner_that_is_asked_to_leave_by_another_version_leaves_its_programs_running() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let _ = bench.run(&["list"]).expect(0);
    let mut work = bench.footplate(["work"]);
    let mut owner = work.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until(LONG, "the owner has the lock", || bench.owner() == i32::try_from(owner.id()).ok());
    let gate = bench.work().join("go");
    let running = Pretend::sh(
        &bench.work(),
        "a.sh",
        &format!("while [ ! -e {} ]; do sleep 0.02; done; echo the end; exit 6", gate.display()),
    );
    let queued = Pretend::sh(&bench.work(), "b.sh", "exit 7");
    let one = bench.add(&[], &running.argv());
    let two = bench.add(&[], &queued.argv());
    let mut pid = None;
    until(LONG, "it runs", || {
        pid = bench.show(one)["stages"][0]["attempts"][0]["pid"].as_i64();
        pid.is_some()
    });
    let pid = pid.unwrap();

    // One of its own version is no reason to leave: it takes the ring and stays.
    ask(&bench, line(&bench)["version"].as_str().unwrap());
    let number = bench.add(&["--queue", "preprocessing"], &["true"]);
    let _ = bench.run(&["wait", &number.to_string()]).expect(0);
    assert!(owner.try_wait().unwrap().is_none());

    ask(&bench, "99.0.0");
    let mut left = None;
    until(LONG, "the older owner leaves", || {
        left = owner.try_wait().unwrap();
        left.is_some()
    });
    assert_eq!(left.unwrap().code(), Some(0));
    assert_eq!((bench.owner(), line(&bench)["orderly"].as_bool()), (None, Some(true)));
    assert_eq!(bench.processes_of("footplate-shim").len(), 1, "the shim did not notice");
    assert!(Found::of(i32::try_from(pid).unwrap()).is_some_and(|program| !program.is_zombie()));

    // Whoever has the lock next adopts it, and the word that asked is gone.
    assert_eq!(bench.status(one), "running");
    assert!(bench.owner().is_some());
    assert!(!bench.data().join("hand_over").exists(), "the next owner would leave at its first ring");
    std::fs::write(&gate, "").unwrap();
    assert_eq!(bench.run(&["wait", &one.to_string(), &two.to_string()]).code, 1);
    let code = |number: i64| bench.show(number)["stages"][0]["attempts"][0]["exit_code"].as_i64();
    assert_eq!((code(one), code(two)), (Some(6), Some(7)));
    assert_eq!((running.starts(), queued.starts()), (1, 1));
    assert_eq!(bench.run(&["logs", &one.to_string()]).expect(0).stdout, "the end\n");
}

#[test]
fn a_newer_owner_asks_the_older_one_and_waits_for_its_lock() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let _ = bench.run(&["list"]).expect(0);
    let path = bench.data().join("owner.lock");
    // The older owner is this test: it holds the lock under an earlier version.
    let older = |orderly: bool| {
        let line = json!({ "pid": std::process::id(), "version": "0.0.1", "orderly": orderly, "since_ms": 1 });
        std::fs::write(&path, format!("{line}\n")).unwrap();
    };
    older(false);
    let lock = File::open(&path).unwrap();
    lock.lock().unwrap();
    let program = Pretend::sh(&bench.work(), "p.sh", "exit 4");
    // Submitting works all the same, and starts the newer owner.
    let number = bench.add(&[], &program.argv());
    let word = bench.data().join("hand_over");
    let asked = || std::fs::read_to_string(&word).unwrap_or_default();
    until(LONG, "the older owner is asked to leave", || !asked().is_empty());
    assert_eq!(asked(), env!("CARGO_PKG_VERSION"));
    assert_eq!((bench.status(number), program.starts()), ("queued".into(), 0), "nothing starts under the older one");
    // A guest of the older version started another older owner just then, which removed the word: it is said again.
    std::fs::remove_file(&word).unwrap();
    until(LONG, "the next older owner is asked to leave", || !asked().is_empty());
    older(true);
    drop(lock);
    let _ = bench.run(&["wait", &number.to_string()]).expect(1);
    assert_eq!(bench.show(number)["stages"][0]["attempts"][0]["exit_code"], 4);
    assert_eq!(program.starts(), 1);
    // A second newer owner may have asked at the same time: it takes its word back once it sees who has the lock.
    until(LONG, "nobody asks any more", || !word.exists());
    assert_eq!(line(&bench)["version"], env!("CARGO_PKG_VERSION"));
}
