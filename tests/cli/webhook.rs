//! Messages to a web address: told by the owner, to a real receiver, whatever becomes of either.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::time::Duration;

use common::{LONG, ended, gate, open, pipeline, run, start, words};
use footplate_testkit::{Bench, Receiver, Reply, until};
use serde_json::{Value, json};

/// A bench with a webhook at this receiver. Its address is a secret.
fn bench(receiver: &Receiver) -> Bench {
    let bench = Bench::new();
    let set = bench.run(&["webhook", "set", &receiver.url("/services/canary?token=canary")]).expect(0);
    assert!(!set.stdout.contains("canary") && set.stdout.contains(&receiver.host()), "{}", set.stdout);
    bench
}

/// What came: kind and title of each message.
fn told(receiver: &Receiver) -> Vec<(String, String)> {
    let word = |body: &Value, key: &str| body[key].as_str().unwrap().to_owned();
    receiver.seen().iter().map(|request| (word(&request.json(), "kind"), word(&request.json(), "title"))).collect()
}

fn said(kind: &str, title: &str) -> (String, String) {
    (kind.to_owned(), title.to_owned())
}

/// Waits until so many messages came. Where the owner left before its time, as on a machine that has none, the next one tells.
fn until_told(bench: &Bench, receiver: &Receiver, count: usize) {
    until(LONG, &format!("{count} messages came"), || {
        if receiver.seen().len() < count && bench.owner().is_none() {
            let _ = bench.run(&words("work --until-idle --no-wait"));
        }
        receiver.seen().len() >= count
    });
    assert_eq!(receiver.seen().len(), count, "{:?}", told(receiver));
}

/// Waits until nobody is the owner any more.
fn until_alone(bench: &Bench) {
    until(LONG, "the owner has left", || bench.owner().is_none());
}

#[test]
fn each_end_is_told_once_with_what_is_worth_knowing_and_the_next_owner_tells_nothing_again() {
    let receiver = Receiver::new();
    let bench = bench(&receiver);
    let metric = r#"##PROGRESS##{"step":1,"total":1,"metrics":{"val_accuracy":0.98039}}##"#;
    let path = pipeline(&bench, "good", &format!("[stages.train]\nshell = '''echo '{metric}' '''\n"));
    assert_eq!(run(&bench, &path, &["--name", "good"])["status"], "completed");
    until_told(&bench, &receiver, 1);
    until_alone(&bench);
    let path = pipeline(
        &bench,
        "bad",
        "[stages.train]\nshell = '''echo 'ModuleNotFoundError: No module named torch'; exit 1'''\n",
    );
    assert_eq!(run(&bench, &path, &["--name", "bad"])["status"], "failed");
    until_told(&bench, &receiver, 2);
    // Who cancels knows.
    let path = pipeline(&bench, "long", &format!("[stages.train]\nshell = '{}'\n", gate("go")));
    let third = start(&bench, &path, &[]);
    bench.until_status(third, "running", LONG);
    let _ = bench.run(&["cancel", &third.to_string()]).expect(0);
    until_alone(&bench);

    let seen = receiver.seen();
    let bodies: Vec<Value> = seen.iter().map(footplate_testkit::Request::json).collect();
    assert_eq!(told(&receiver), [said("completed", "#1 good is done"), said("failed", "#2 bad failed")]);
    assert!(bodies[0]["text"].as_str().unwrap().starts_with("val_accuracy 0.9804, in "), "{}", bodies[0]);
    assert_eq!(bodies[0]["metric"], json!({ "name": "val_accuracy", "value": 0.98039 }));
    let failure = bench.show(2)["error"].clone();
    assert_eq!((&bodies[1]["error"]["code"], &bodies[1]["error"]["title"]), (&failure["code"], &failure["title"]));
    assert!(bodies[1]["text"].as_str().unwrap().starts_with(failure["title"].as_str().unwrap()), "{}", bodies[1]);
    assert_eq!((&bodies[1]["version"], &bodies[1]["run"]["number"]), (&json!(1), &json!(2)));
    assert_ne!(bodies[0]["id"], bodies[1]["id"]);
    assert_eq!(seen[0].line, "POST /services/canary?token=canary HTTP/1.1");
    let shown = bench.run(&words("webhook show --json")).expect(0).json();
    assert!(shown["delivered_at"].is_string() && shown["failed_at"].is_null(), "{shown}");
}

#[test]
fn only_what_is_wanted_is_told_and_nothing_once_it_is_removed() {
    let receiver = Receiver::new();
    let bench = bench(&receiver);
    let shown = bench.run(&words("webhook set --on failed,interrupted --json")).expect(0).json();
    assert_eq!((&shown["host"], &shown["on"]), (&json!(receiver.host()), &json!(["failed", "interrupted"])));
    let number = bench.add(&[], &["true"]);
    assert_eq!(ended(&bench, number)["status"], "completed");
    let number = bench.add(&[], &["false"]);
    assert_eq!(ended(&bench, number)["status"], "failed");
    until_told(&bench, &receiver, 1);
    assert_eq!(told(&receiver), [said("failed", "#2 false failed")]);
    until_alone(&bench);
    assert_eq!(bench.run(&words("webhook rm --json")).expect(0).json()["done"], true);
    assert_eq!(bench.run(&words("webhook rm --json")).expect(0).json()["done"], false);
    assert!(bench.run(&words("webhook show --json")).expect(0).json().is_null());
    let number = bench.add(&[], &["false"]);
    assert_eq!(ended(&bench, number)["status"], "failed");
    until_alone(&bench);
    // One that is set later is not told of what was before.
    let _ = bench.run(&["webhook", "set", &receiver.url("/new")]).expect(0);
    let number = bench.add(&[], &["true"]);
    ended(&bench, number);
    until_told(&bench, &receiver, 2);
    assert_eq!(told(&receiver)[1], said("completed", "#4 true is done"));
}

#[test]
fn an_owner_that_dies_before_it_remembers_a_message_leaves_one_that_comes_again_and_no_more_than_that() {
    let receiver = Receiver::new();
    let mut bench = bench(&receiver);
    bench.set_env("FOOTPLATE_FAILPOINT", "webhook-after-send");
    let number = bench.add(&[], &["true"]);
    until(LONG, "it was told", || receiver.seen().len() == 1);
    until(LONG, "the owner is dead", || bench.owner().is_none());
    let log = std::fs::read_to_string(bench.data().join("owner.log")).unwrap();
    assert!(log.contains("failpoint webhook-after-send"), "{log}");
    bench.set_env("FOOTPLATE_FAILPOINT", "");
    let _ = bench.run(&words("work --until-idle")).expect(0);
    let _ = bench.run(&words("work --until-idle")).expect(0);
    assert_eq!(bench.status(number), "completed");
    let ids: Vec<Value> = receiver.seen().iter().map(|request| request.json()["id"].clone()).collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
    assert_eq!(ids[0], ids[1], "the same message has the same id");
}

#[test]
fn a_dead_receiver_delays_nothing_is_told_by_the_doctor_and_gets_everything_as_one_message_once_it_lives() {
    let receiver = Receiver::new();
    let bench = bench(&receiver);
    receiver.always(Reply::Hang);
    let mut last = bench.add(&[], &["false"]);
    for program in ["true", "false", "true"] {
        // Each starts while a message hangs.
        last = bench.add(&["--after", &last.to_string()], &[program]);
    }
    assert_eq!(ended(&bench, last)["status"], "completed");
    let before = std::time::Instant::now();
    until_alone(&bench);
    assert!(before.elapsed() < Duration::from_secs(20), "it kept the owner {:?}", before.elapsed());
    receiver.always(Reply::Close);
    let doctor = bench.run(&words("doctor --json")).expect(0).json();
    let problems = doctor["problems"].to_string();
    assert!(problems.contains("could not be delivered at") && problems.contains(&receiver.host()), "{problems}");
    assert!(doctor["webhook"]["delivered_at"].is_null(), "{doctor}");
    let tried = bench.run(&words("webhook test"));
    assert!(tried.code != 0 && tried.stderr.contains("closed the connection without an answer"), "{tried:?}");

    receiver.always(Reply::Status(200));
    let before = receiver.seen().len();
    let _ = bench.run(&words("work --until-idle")).expect(0);
    let news = receiver.seen().split_off(before);
    assert_eq!(news.len(), 1, "{news:?}");
    let body = news[0].json();
    assert_eq!((&body["kind"], &body["title"]), (&json!("several"), &json!("2 failed, 2 done")));
    assert_eq!(body["counts"], json!({ "failed": 2, "completed": 2 }));
    let text = body["text"].as_str().unwrap();
    assert!(text.starts_with("#1 false failed: ") && text.lines().count() == 4, "{text}");
    assert!(!bench.run(&words("doctor --json")).expect(0).stdout.contains("could not be delivered"));
}

#[test]
fn another_address_is_tried_at_once_while_the_old_one_is_left_alone() {
    let (dead, alive) = (Receiver::new(), Receiver::new());
    dead.always(Reply::With(503, "retry-after: 3000".to_owned()));
    let bench = bench(&dead);
    // It keeps its owner.
    let long = bench.add(&["--queue", "evaluation"], &["sh".to_owned(), "-c".to_owned(), gate("go")]);
    bench.until_status(long, "running", LONG);
    let number = bench.add(&[], &["true"]);
    assert_eq!(ended(&bench, number)["status"], "completed");
    until(LONG, "the dead one was tried", || !dead.seen().is_empty());
    until(LONG, "that is known", || {
        bench.run(&words("webhook show --json")).expect(0).json()["failure"].to_string().contains("answered with 503")
    });
    let _ = bench.run(&["webhook", "set", &alive.url("/hook")]).expect(0);
    until(LONG, "the other one is told", || told(&alive) == [said("completed", "#2 true is done")]);
    assert_eq!(dead.seen().len(), 1);
    open(&bench, "go");
    assert_eq!(ended(&bench, long)["status"], "completed");
}

#[test]
fn an_address_that_is_set_while_the_old_one_is_tried_is_tried_next_and_at_once() {
    let (dead, alive) = (Receiver::new(), Receiver::new());
    dead.always(Reply::Hang);
    let bench = bench(&dead);
    let long = bench.add(&["--queue", "evaluation"], &["sh".to_owned(), "-c".to_owned(), gate("go")]);
    bench.until_status(long, "running", LONG);
    let _ = bench.add(&[], &["true"]);
    until(LONG, "the dead one is tried", || !dead.seen().is_empty());
    let _ = bench.run(&["webhook", "set", &alive.url("/hook")]).expect(0);
    dead.answer_those_that_hang(503, "retry-after: 3000");
    until(LONG, "the other one is told", || told(&alive) == [said("completed", "#2 true is done")]);
    open(&bench, "go");
    assert_eq!(ended(&bench, long)["status"], "completed");
}

#[test]
fn a_silence_and_a_metric_beyond_its_rule_are_told_while_the_program_runs() {
    let receiver = Receiver::new();
    let bench = bench(&receiver);
    let nan = r#"##PROGRESS##{"step":1,"metrics":{"loss":"NaN"}}##"#;
    let keys = "stall = \"1s\"\nalerts = [{ metric = \"loss\", when = \"nan\" }]\n";
    let shell = format!("shell = '''echo '{nan}'; {}'''\n", gate("go"));
    let path = pipeline(&bench, "quiet", &format!("[stages.train]\n{shell}{keys}"));
    let number = start(&bench, &path, &["--name", "quiet"]);
    until(LONG, "both are told", || receiver.seen().len() == 2);
    assert_eq!(bench.status(number), "running");
    // On a busy machine the value may be read after the second is over.
    let mut all = told(&receiver);
    all.sort();
    assert_eq!(all, [said("alert", "#1 quiet needs a look"), said("stalled", "#1 quiet prints nothing")]);
    let mut bodies: Vec<Value> = receiver.seen().iter().map(footplate_testkit::Request::json).collect();
    bodies.sort_by_key(|body| body["kind"].to_string());
    assert_eq!((&bodies[0]["text"], &bodies[1]["text"]), (&json!("loss is nan."), &json!("No output for 1s.")));
    assert_eq!(bodies[1]["alert"]["stage"], "train");
    open(&bench, "go");
    assert_eq!(ended(&bench, number)["status"], "completed");
}

#[test]
fn a_disk_that_fills_while_something_runs_is_told_once_also_by_the_next_owner_and_again_after_there_was_room() {
    let receiver = Receiver::new();
    let mut bench = bench(&receiver);
    let free = bench.root().join("free");
    bench.set_env("FOOTPLATE_TEST_DISK_FREE", &free);
    let has = |mb: u64| {
        let draft = free.with_extension("new");
        std::fs::write(&draft, (mb * 1_000_000).to_string()).unwrap();
        std::fs::rename(draft, &free).unwrap();
    };
    has(100_000);
    let _ = bench.run(&words("disk --warning 5GB --critical 500MB")).expect(0);
    let number = bench.add(&[], &["sh".to_owned(), "-c".to_owned(), gate("go")]);
    bench.until_status(number, "running", LONG);
    has(4_000);
    until(LONG, "it is told", || receiver.seen().len() == 1);
    let body = receiver.seen()[0].json();
    assert_eq!((&body["kind"], &body["disk"]["level"]), (&json!("disk"), &json!("low")));
    assert_eq!(body["text"], "4GB are free. Nothing new starts below 5GB.");
    // One that dies before it has noted that would tell it again.
    until(LONG, "that it is told is known", || {
        bench.run(&words("webhook show --json")).expect(0).json()["delivered_at"].is_string()
    });
    assert!(bench.kill_owner());
    until(LONG, "another owner is there", || bench.status(number) == "running" && bench.owner().is_some());
    // A little more than the mark is not yet room.
    has(5_100);
    has(4_000);
    has(400);
    until(LONG, "worse is told", || receiver.seen().len() == 2);
    assert_eq!(
        receiver.seen()[1].json()["disk"],
        json!({ "level": "critical", "free_bytes": 400_000_000, "mark_bytes": 500_000_000 })
    );
    has(100_000);
    until(LONG, "it goes on", || bench.show(number)["stages"][0]["attempts"][0]["paused"] == false);
    has(4_000);
    until(LONG, "it is told again", || receiver.seen().len() == 3);
    has(100_000);
    open(&bench, "go");
    assert_eq!(ended(&bench, number)["status"], "completed");
}

#[test]
fn the_address_stands_in_one_file_of_the_users_own_and_is_shown_nowhere() {
    use std::os::unix::fs::PermissionsExt;
    let receiver = Receiver::new();
    let bench = bench(&receiver);
    receiver.next([Reply::Status(404)]);
    let number = bench.add(&[], &["false"]);
    ended(&bench, number);
    until_told(&bench, &receiver, 2);
    until_alone(&bench);
    receiver.always(Reply::Status(500));
    let number = bench.add(&[], &["false"]);
    ended(&bench, number);
    until_alone(&bench);
    let mut said = String::new();
    for line in [
        "webhook",
        "webhook show --json",
        "webhook test",
        "webhook test --json",
        "doctor",
        "doctor --json",
        "show 1 --json",
        "report 1",
        "list --json",
        "backup",
    ] {
        let output = bench.run(&words(line));
        said.push_str(&output.stdout);
        said.push_str(&output.stderr);
    }
    let twice = bench.run_with_stdin(&["webhook", "set", "-", "--json"], receiver.url("/canary2\n")).expect(0);
    let bad = bench.run(&["webhook", "set", "canary://x"]);
    assert!(bad.code == 3 && bad.stderr.contains("does not begin with https://"), "{bad:?}");
    for text in [&said, &twice.stdout, &twice.stderr, &bad.stderr] {
        assert!(!text.contains("canary"), "{text}");
    }
    let mut holders = Vec::new();
    let mut folders = vec![bench.data()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() && entry.file_name() != "bin" {
                folders.push(entry.path());
            } else if kind.is_file() && std::fs::read(entry.path()).unwrap().windows(6).any(|part| part == b"canary") {
                holders.push(entry.path());
            }
        }
    }
    assert_eq!(holders, [bench.data().join("webhook.json")]);
    assert_eq!(holders[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
}
