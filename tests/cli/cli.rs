//! The command line as 5-doors describes it: the shapes of its JSON, its exit codes, and what each verb and option does, seen from outside.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::os::unix::ffi::OsStringExt;

use common::{LONG, ended, gate, keys, open, pipeline, run, stage, start, text, words};
use footplate_testkit::{Bench, Pretend, until};
use serde_json::{Value, json};

/// The fields of a run in a list; `show` has `cwd`, `notes`, `params` and `stages` too.
const RUN: &str = "id number name pipeline experiment queue priority target tags status confirmed progress eta_s message waiting created_at started_at finished_at result result_at generation error";
const STAGE: &str = "name status queue needs command shell progress eta_s message metrics waiting outputs allow_failure tail queued_at started_at finished_at error attempts";
const ATTEMPT: &str = "number status command paused pid exit_code signal started_at finished_at running_s log_size usage gpus notes error";

#[test]
fn the_shape_of_every_answer_in_json() {
    let bench = Bench::new();
    let path = pipeline(
        &bench,
        "shape",
        "[params.epochs]\ntype = \"integer\"\ndefault = 2\n[stages.prepare]\nshell = '''echo 'rows=7' > $FOOTPLATE_OUTPUT'''\n[stages.train]\nneeds = [\"prepare\"]\nshell = '''echo '##PROGRESS##{\"step\":1,\"metrics\":{\"loss\":0.5}}##'; exit 3'''\n",
    );
    let plan = bench.run(&["plan", &path, "--json", "-p", "epochs=5"]).expect(0).json();
    assert_eq!(
        keys(&plan),
        words("pipeline stages levels max_parallelism critical_path expected_stage_s expected_s params")
    );
    assert_eq!(plan["params"], json!({ "epochs": 5 }));

    let added = bench.run(&words("add --json -- sh -c true")).expect(0).json();
    assert_eq!(keys(&added), ["id", "number", "name"]);
    assert_eq!(added["number"], 1);
    let submitted = bench.run(&["run", &path, "--detach", "--json"]).expect(0).json();
    assert_eq!(keys(&submitted), ["id", "number", "name"]);

    let waited = bench.run(&words("wait 1 2 --json")).expect(1).json_lines();
    let mut by_number = waited.clone();
    by_number.sort_by_key(|line| line["number"].as_i64());
    assert!(waited.iter().all(|line| keys(line) == ["id", "number", "name", "status"]), "{waited:?}");
    assert_eq!((&by_number[0]["status"], &by_number[1]["status"]), (&json!("completed"), &json!("failed")));

    let shown = bench.run(&words("show 2 --json")).expect(0).json();
    assert_eq!(keys(&shown), words(&format!("{RUN} cwd notes params stages")));
    assert_eq!(shown["params"], json!({ "epochs": 2 }));
    assert_eq!(keys(&shown["error"]), words("code title detail hints log_line"));
    let train = stage(&shown, "train");
    assert_eq!((keys(train), keys(&train["attempts"][0])), (words(STAGE), words(ATTEMPT)));
    assert_eq!(train["needs"], json!(["prepare"]));
    assert_eq!(stage(&shown, "prepare")["outputs"], json!({ "rows": "7" }));

    let listed = bench.run(&words("list --json")).expect(0).json();
    assert_eq!(keys(&listed[0]), words(RUN));
    assert_eq!((&listed[0]["number"], &listed[1]["number"]), (&json!(2), &json!(1)), "newest first");

    let report = bench.run(&words("report 2 --json")).expect(0).json();
    assert_eq!(
        keys(&report),
        words(
            "run status planning_s queued_s execution_s total_s levels max_parallelism peak_parallelism critical_path critical_path_s totals stages longest_stage average_stage_s errors alerts"
        )
    );
    assert_eq!(keys(&report["run"]), ["id", "number", "name"]);
    assert_eq!(
        keys(stage(&report, "train")),
        words("name level status allow_failure tail queued_s run_s attempts error")
    );
    assert_eq!(
        keys(&stage(&report, "train")["attempts"][0]),
        words("number status started_at finished_at run_s exit_code signal usage error will_retry")
    );
    assert_eq!(keys(&report["errors"][0]), words("stage attempt will_retry allowed error"));

    let queues = bench.run(&words("queue list --json")).expect(0).json();
    let names: Vec<_> = queues
        .as_array()
        .unwrap()
        .iter()
        .map(|q| (q["name"].as_str().unwrap(), q["priority"].as_i64().unwrap()))
        .collect();
    assert_eq!(names, [("training", 10), ("evaluation", 7), ("default", 5), ("preprocessing", 3), ("maintenance", 1)]);
    assert_eq!(keys(&queues[0]), words("name priority limit paused queued running"));

    let points = bench.run(&words("metrics 2 --json")).expect(0).json();
    assert_eq!(keys(&points[0]), words("stage attempt name step epoch time value"));
    let line = bench.run(&words("logs 2 train --json")).expect(0).json_lines();
    assert_eq!(keys(&line[0]), words("stage attempt line offset time text"));

    let wish = bench.run(&words("rename 1 other --json")).expect(0).json();
    assert_eq!(keys(&wish), words("id number name done message"));
    assert_eq!(keys(&bench.run(&words("retry 2 --json")).expect(0).json()), ["id", "number", "name"]);
    let missing = bench.run(&words("show 77 --json")).expect(4);
    assert_eq!(keys(&missing.error()), ["code", "message", "hints"]);
}

#[test]
fn a_plan_looks_at_the_data_and_names_its_faults_by_line() {
    let bench = Bench::new();
    let path = pipeline(
        &bench,
        "tune",
        "[params.data]\ntype = \"dataset\"\n[stages.main]\ncommand = [\"cat\", \"{{ params.data }}\"]\n",
    );
    bench.write("chats.jsonl", "{\"ask\":\"a\"}\n{\"ask\":\u{202e}\n{}\n");
    let args = ["plan", &path, "-p", "data=chats.jsonl"];
    let text = bench.run(&args).expect(0).stdout;
    assert!(text.contains("data: chats.jsonl, 3 rows; 1 fault, the first: line 2 is not JSON"), "{text}");
    let told = bench.run(&[&args[..], &["--json"]].concat()).expect(0).json();
    assert_eq!(told["data"][0]["param"], "data");
    let content = &told["data"][0]["seen"]["content"];
    assert_eq!((&content["columns"], &content["rows"]), (&json!(["ask"]), &json!(3)));
    assert_eq!(content["faults"], json!([{ "line": 2, "what": "not_json" }]));
    let gone = bench.run(&["plan", &path, "-p", "data=none.jsonl"]);
    assert!(gone.stdout.contains("none.jsonl is not there.") || gone.code == 3, "{gone:?}");
}

#[test]
fn show_tells_what_was_run_where_and_what_was_noted() {
    let bench = Bench::new();
    let script = format!(
        "trap 'exit 0' TERM; echo '##PROGRESS##{{\"progress\":1.5,\"status\":\"completed\"}}##'; {}",
        gate("never")
    );
    let number = bench.add(&["--name", "noted"], &["sh", "-c", &script]);
    bench.until_status(number, "running", LONG);
    until(LONG, "the line is read", || bench.show(number)["progress"] == 1.0);
    let _ = bench.run(&words("cancel 1")).expect(0);
    let run = bench.show(number);
    let main = stage(&run, "main");
    assert_eq!(run["cwd"], bench.work().display().to_string().as_str());
    assert_eq!(main["command"], json!(["sh", "-c", script]));
    let notes: Vec<&str> =
        main["attempts"][0]["notes"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    for part in ["progress 1.5", "its status is \"completed\""] {
        assert_eq!(notes.iter().filter(|note| note.contains(part)).count(), 1, "said once: {notes:?}");
    }
    for note in run["notes"].as_array().unwrap() {
        assert_eq!(note["stage"], "main", "{note}");
        assert!(note["time"].is_string() && notes.contains(&note["text"].as_str().unwrap()), "{note}");
    }
    assert_eq!(run["notes"].as_array().unwrap().len(), notes.len());
    let text = bench.run(&words("show 1")).expect(0).stdout;
    for part in ["command  ", "folder   ", "NOTES\n  main, attempt 1: "] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    for note in notes {
        assert_eq!(text.matches(note).count(), 1, "{note:?} in {text}");
    }
}

#[test]
fn arguments_that_are_no_utf_8_reach_the_program_as_they_are() {
    let bench = Bench::new();
    let odd = std::ffi::OsString::from_vec(b"a\xff b".to_vec());
    let script = r#"for x in "$@"; do printf '%s' "$x" | od -An -tx1; done"#;
    let command = ["add", "--json", "--", "sh", "-c", script, "name"].map(std::ffi::OsString::from);
    let added = bench.run(&command.into_iter().chain([odd, "plain".into()]).collect::<Vec<_>>()).expect(0).json();
    assert_eq!(added["number"], 1);
    assert_eq!(ended(&bench, 1)["status"], "completed");
    assert_eq!(bench.run(&words("logs 1")).expect(0).stdout, " 61 ff 20 62\n 70 6c 61 69 6e\n");
    assert_eq!(stage(&bench.show(1), "main")["command"][4], "a\u{fffd} b");
    // The same again, from its record.
    let _ = bench.run(&words("run --like 1")).expect(0);
    assert_eq!(bench.run(&words("logs 2")).expect(0).stdout, " 61 ff 20 62\n 70 6c 61 69 6e\n");
}

#[test]
fn exit_codes() {
    let bench = Bench::new();
    let good = pipeline(&bench, "good", "[stages.a]\ncommand = [\"true\"]\n");
    let bad = pipeline(&bench, "bad", "[stages.a]\ncommand = [\"false\"]\n");
    for (args, code) in [
        (vec!["run", good.as_str()], 0),
        (vec!["run", bad.as_str()], 1),
        (vec!["watch", "1"], 0),
        (vec!["watch", "2"], 1),
        (vec!["wait", "1"], 0),
        (vec!["wait", "1", "2"], 1),
        (words("list --nonsense"), 2),
        (words("show ../x"), 3),
        (words("show 9"), 4),
        (words("cancel 1"), 5),
        (words("--help"), 0),
        (words("--version"), 0),
        (words("completions bash"), 0),
    ] {
        let output = bench.run(&args);
        assert_eq!(output.code, code, "{args:?}: {output:?}");
    }
    // 130: cancelled while somebody watched.
    let number = bench.add(&[], &["sleep", "300"]);
    bench.until_status(number, "running", LONG);
    let mut watch = bench.spawn(&["watch", "3"]);
    let _ = bench.run(&words("cancel 3")).expect(0);
    assert_eq!(watch.wait().unwrap().code(), Some(130));
    assert_eq!(bench.run(&words("wait 3")).code, 1);
    // 7: another process holds the store.
    let mut owner = bench.spawn(&["work"]);
    until(LONG, "an owner", || bench.owner().is_some_and(|pid| pid == owner.id().cast_signed()));
    let _ = bench.run(&words("work --no-wait")).expect(7);
    let _ = bench.run(&words("work --until-idle --no-wait")).expect(7);
    owner.kill().unwrap();
    owner.wait().unwrap();
}

#[test]
fn run_prints_the_run_at_its_end_as_show_does() {
    let bench = Bench::new();
    let path = pipeline(&bench, "whole", "[stages.a]\nshell = \"exit 4\"\n");
    let output = bench
        .run(&["run", &path, "--json", "--name", "n", "--experiment", "e", "--queue", "training", "--priority", "7"])
        .expect(1);
    let run = output.json();
    assert_eq!(run, bench.show(1));
    assert_eq!(
        (&run["name"], &run["experiment"], &run["queue"], &run["priority"]),
        (&json!("n"), &json!("e"), &json!("training"), &json!(7))
    );
    // A folder is as good as the file in it, and people read lines.
    bench.write("folder/footplate.toml", "format = 1\nname = \"inside\"\n[stages.a]\ncommand = [\"true\"]\n");
    let output = bench.run(&["run", "folder"]).expect(0);
    assert!(output.stdout.starts_with("#2 inside-2 completed in "), "{output:?}");
    assert!(output.stderr.contains("#2 a completed"), "{output:?}");
}

const VARIED: &str = r#"
[params.lr]
type = "number"
default = 0.1
[params.epochs]
type = "integer"
default = 3
[presets.quick]
title = "Quick look"
epochs = 1
[stages.main]
command = ["echo", "{{ params.lr }}", "{{ params.epochs }}"]
"#;

#[test]
fn the_same_again_but_for_what_is_given() {
    let bench = Bench::new();
    let path = pipeline(&bench, "varied", VARIED);
    run(&bench, &path, &["--preset", "quick", "-p", "lr=0.5"]);
    // The file has changed since; the run has not.
    bench.write("varied.toml", "nonsense");
    let _ = bench.run(&words("run --like 1 -p epochs=9")).expect(0);
    let _ = bench.run(&words("run --like 2 --name again")).expect(0);
    let printed = |number: &str| bench.run(&["logs", number]).expect(0).stdout;
    assert_eq!([printed("1"), printed("2"), printed("3")], ["0.5 1\n", "0.5 9\n", "0.5 9\n"]);
    assert_eq!(
        (&bench.show(2)["params"], &bench.show(3)["name"]),
        (&json!({ "lr": 0.5, "epochs": 9 }), &json!("again"))
    );
}

#[test]
fn a_wish_that_nobody_waits_for() {
    let bench = Bench::new();
    let number = bench.add(&[], &["sh", "-c", &gate("go")]);
    bench.until_status(number, "running", LONG);
    let said = bench.run(&words("pause 1 --no-wait --json")).expect(0).json();
    assert_eq!((&said["done"], &said["message"]), (&json!(false), &json!("requested")));
    bench.until_status(number, "paused", LONG);
    assert!(bench.run(&words("unpause 1 --no-wait")).expect(0).stdout.starts_with("#1 unpause requested"));
    bench.until_status(number, "running", LONG);
    open(&bench, "go");
    assert_eq!(ended(&bench, number)["status"], "completed");
}

#[test]
fn commands_from_stdin_are_added_together_or_not_at_all() {
    let bench = Bench::new();
    let lines = "echo 'one word' two\n\n# a remark\n[\"printf\", \"%s\", \"a\\nb\"]\nsh -c 'exit 3'\n";
    let added = bench.run_with_stdin(&words("add --stdin --json --tag batch"), lines).expect(0).json_lines();
    assert_eq!(added.iter().map(|run| run["number"].as_i64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    let _ = bench.run(&words("wait 1 2 3")).expect(1);
    assert_eq!(bench.run(&words("logs 1")).expect(0).stdout, "one word two\n");
    assert_eq!(bench.run(&words("logs 2")).expect(0).stdout, "a\nb\n");
    assert_eq!(stage(&bench.show(3), "main")["attempts"][0]["exit_code"], 3);
    let _ = bench.run_with_stdin(&words("add --stdin"), "true\ntrue\necho 'open\n").expect(3);
    // More than a transaction holds, the last line bad.
    let many = format!("{}echo 'open\n", "true\n".repeat(2500));
    let _ = bench.run_with_stdin(&words("add --stdin"), many).expect(3);
    assert_eq!(bench.run(&words("list --json --limit 10000")).expect(0).json().as_array().unwrap().len(), 3);
    let _ = bench.run_with_stdin(&words("add --stdin"), "").expect(0);
}

#[test]
fn logs_readable_raw_searched_cut_and_timed() {
    let bench = Bench::new();
    let bytes = "\u{1b}[31mred\u{1b}[0m\r\n 10%\r 50%\r100%\n\u{1b}]0;title\u{7}plain\nlast one\n";
    bench.write("out", bytes);
    let number = bench.add(&[], &["cat", "out"]);
    ended(&bench, number);
    let logs = |options: &str| bench.run(&words(&format!("logs 1{options}"))).expect(0).stdout;
    assert_eq!(logs(""), "red\n100%\nplain\nlast one\n");
    assert_eq!(logs(" --raw"), bytes);
    assert_eq!(logs(" --grep ^(100|last)"), "100%\nlast one\n");
    assert_eq!(logs(" --tail 2"), "plain\nlast one\n");
    assert_eq!(logs(" --tail 2 --raw"), "\u{1b}]0;title\u{7}plain\nlast one\n");
    assert_eq!(logs(" main --attempt 1 -f"), logs(""));
    for line in logs(" --times").lines() {
        let (time, rest) = line.split_once("  ").unwrap();
        assert!(time.starts_with("20") && time.contains("+00:00") && !rest.is_empty(), "{line}");
    }
    let lines = bench.run(&words("logs 1 --json")).expect(0).json_lines();
    assert_eq!(
        lines.iter().map(|line| line["text"].as_str().unwrap()).collect::<Vec<_>>(),
        ["red", "100%", "plain", "last one"]
    );
}

#[test]
fn who_follows_a_log_reads_it_to_its_end() {
    let bench = Bench::new();
    let number = bench.add(&[], &["sh", "-c", &format!("echo first; {}; echo last", gate("go"))]);
    bench.until_status(number, "running", LONG);
    let followed = bench.root().join("followed");
    let out = std::fs::File::create(&followed).unwrap();
    let mut follower = bench.footplate(words("logs 1 -f")).stdout(out).spawn().unwrap();
    until(LONG, "the first line", || std::fs::read_to_string(&followed).unwrap() == "first\n");
    open(&bench, "go");
    assert!(follower.wait().unwrap().success());
    assert_eq!(std::fs::read_to_string(&followed).unwrap(), "first\nlast\n");
}

#[test]
fn metrics_as_a_table_as_json_and_as_csv() {
    let bench = Bench::new();
    let program = "for step in (1, 2, 3):\n    print('##PROGRESS##{\"step\":%d,\"metrics\":{\"loss\":%s,\"val,acc\":0.1}}##' % (step, ['0.5', '\"nan\"', '1e-30'][step - 1]), flush=True)\n";
    bench.write("m.py", program);
    let number = bench.add(&[], &["python3", "m.py"]);
    ended(&bench, number);
    let csv = bench.run(&words("metrics 1 --csv")).expect(0).stdout;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines[0], lines.len()), ("stage,name,step,time,value", 7), "{csv}");
    let csv = bench.run(&words("metrics 1 loss --csv")).expect(0).stdout;
    let points: Vec<(&str, f64)> = csv
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>())
        .map(|f| (f[2], f[4].parse().unwrap()))
        .collect();
    assert_eq!((points[0], points[2]), (("1", 0.5), ("3", 1e-30)));
    assert!(points[1].1.is_nan(), "{csv}");
    assert!(csv.lines().skip(1).all(|line| line.starts_with("main,loss,") && line.contains('Z')), "{csv}");
    let shown = bench.run(&words("metrics 1")).expect(0).stdout;
    assert!(shown.contains("loss") && shown.contains("val,acc"), "{shown}");
    let values = bench.run(&words("metrics 1 loss --json")).expect(0).json();
    assert_eq!(
        values.as_array().unwrap().iter().map(|point| point["value"].clone()).collect::<Vec<_>>(),
        [json!(0.5), Value::Null, json!(1e-30)]
    );
}

#[test]
fn a_queued_run_can_be_changed_moved_named_and_tagged() {
    let bench = Bench::new();
    let _ = bench.run(&words("queue pause default")).expect(0);
    let program = |n: u32| ["sh".to_owned(), "-c".to_owned(), format!("echo {n} >> order")];
    for n in 1..=5 {
        let _ = bench.add(&[], &program(n));
    }
    assert_eq!(bench.show(1)["waiting"]["reason"], "queue_paused");
    let _ = bench.run(&words("set 4 --priority 50 --timeout 2h")).expect(0);
    let _ = bench.run(&words("move 5 --to 2")).expect(0);
    let _ = bench.run(&words("set 3 --queue training")).expect(0);
    assert_eq!(ended(&bench, 3)["status"], "completed", "its new queue is not paused");
    let _ = bench.run(&["rename", "1", "first of all"]).expect(0);
    let _ = bench.run(&words("tag 1 good keep")).expect(0);
    let _ = bench.run(&words("tag 1 better --remove keep")).expect(0);
    let renamed = bench.run(&["show", "first of all", "--json"]).expect(0).json();
    assert_eq!((&renamed["number"], &renamed["tags"]), (&json!(1), &json!(["good", "better"])));
    assert_eq!(bench.run(&words("list --search of --json")).expect(0).json()[0]["number"], 1);
    assert_eq!(bench.run(&words("list --search better --json")).expect(0).json()[0]["number"], 1, "by its tag");
    let tagged = |tag: &str| bench.run(&["list", "--tag", tag, "--json"]).expect(0).json().as_array().unwrap().len();
    assert_eq!((tagged("better"), tagged("bett"), tagged("keep")), (1, 0, 0), "a whole tag, of those it has now");
    assert_eq!((&bench.show(4)["priority"], &bench.show(3)["queue"]), (&json!(50), &json!("training")));
    let _ = bench.run(&words("queue unpause default")).expect(0);
    let _ = bench.run(&words("wait 1 2 4 5")).expect(0);
    assert_eq!(text(&bench, "order"), "3\n4\n1\n5\n2\n", "the place is one among those of the same priority");
}

#[test]
fn queues_are_listed_limited_and_paused() {
    let bench = Bench::new();
    let _ = bench.run(&words("queue set default --limit 3 --priority 8")).expect(0);
    let _ = bench.run(&words("queue pause default")).expect(0);
    let _ = bench.add(&[], &["true"]);
    let queues = bench.run(&words("queue --json")).expect(0).json();
    let default = queues.as_array().unwrap().iter().find(|q| q["name"] == "default").unwrap();
    assert_eq!(
        default,
        &json!({ "name": "default", "priority": 8, "limit": 3, "paused": true, "queued": 1, "running": 0 })
    );
    let shown = bench.run(&words("queue list")).expect(0).stdout;
    assert!(shown.lines().any(|line| line.contains("default") && line.contains("paused")), "{shown}");
    let _ = bench.run(&words("queue unpause default")).expect(0);
    let _ = bench.run(&words("wait 1")).expect(0);
}

#[test]
fn ended_runs_and_drafts_are_removed_and_their_files_only_when_asked() {
    let bench = Bench::new();
    for _ in 0..2 {
        let number = bench.add(&[], &["sh", "-c", "echo kept > \"$FOOTPLATE_RUN_DIR/model\""]);
        ended(&bench, number);
    }
    let _ = bench.run(&words("add --draft -- false")).expect(0);
    let ids = [1, 2].map(|n| bench.show(n)["id"].as_str().unwrap().to_owned());
    let _ = bench.run(&words("rm 1 3")).expect(0);
    let _ = bench.run(&words("rm 2 --files")).expect(0);
    assert_eq!(bench.run(&words("list --json")).expect(0).json(), json!([]));
    let data = bench.data();
    until(LONG, "the logs are gone", || ids.iter().all(|id| !data.join("attempts").join(id).exists()));
    until(LONG, "the second one's files are gone", || !data.join("runs").join(&ids[1]).exists());
    assert!(data.join("runs").join(&ids[0]).join("model").exists());
    // Numbers are never given twice.
    assert_eq!(bench.add(&[], &["true"]), 4);
}

#[test]
fn retry_runs_what_failed_and_what_depends_on_it_and_from_a_stage_all_that_follows() {
    let bench = Bench::new();
    let note = "echo $FOOTPLATE_STAGE >> ran";
    let path = pipeline(
        &bench,
        "retried",
        &format!(
            "[stages.a]\nshell = '{note}'\n[stages.b]\nneeds = [\"a\"]\nshell = '{note}; test -e mended'\n[stages.c]\nneeds = [\"b\"]\nshell = '{note}'\n[stages.d]\nneeds = [\"a\"]\nshell = '{note}'\n"
        ),
    );
    let first = run(&bench, &path, &[]);
    assert_eq!((first["status"].as_str(), stage(&first, "c")["status"].as_str()), (Some("failed"), Some("skipped")));
    open(&bench, "mended");
    std::fs::remove_file(bench.work().join("ran")).unwrap();
    let _ = bench.run(&words("retry 1 --failed")).expect(0);
    let second = ended(&bench, 1);
    assert_eq!((second["status"].as_str(), second["generation"].as_i64()), (Some("completed"), Some(2)));
    assert_eq!(text(&bench, "ran"), "b\nc\n");
    assert_eq!(stage(&second, "b")["attempts"].as_array().unwrap().len(), 2, "history is kept");
    std::fs::remove_file(bench.work().join("ran")).unwrap();
    let _ = bench.run(&words("retry 1 --from b")).expect(0);
    assert_eq!(ended(&bench, 1)["status"], "completed");
    assert_eq!(text(&bench, "ran"), "b\nc\n");
}

#[test]
fn after_another_run_whatever_its_end_or_only_if_it_completed() {
    let bench = Bench::new();
    let _ = bench.run(&words("queue set default --limit 4")).expect(0);
    let first = bench.add(&["--cpus", "0"], &["sh", "-c", &format!("{}; exit 2", gate("go"))]);
    let (any, only) = (Pretend::sh(&bench.work(), "any.sh", ""), Pretend::sh(&bench.work(), "only.sh", ""));
    let second = bench.add(&["--cpus", "0", "--after", "1"], &any.argv());
    let third = bench.add(&["--cpus", "0", "--after-ok", "#1"], &only.argv());
    let fourth = bench.add(&["--cpus", "0", "--after-ok", "2"], &only.argv());
    bench.until_status(first, "running", LONG);
    let waiting = &bench.show(second)["waiting"];
    assert_eq!(waiting["reason"], "after");
    assert!(waiting["detail"].as_str().unwrap().contains("#1"), "{waiting}");
    open(&bench, "go");
    for (number, status) in [(second, "completed"), (third, "cancelled"), (fourth, "completed")] {
        assert_eq!(ended(&bench, number)["status"], status, "#{number}");
    }
    assert_eq!(bench.show(third)["error"]["code"], "after_failed");
    assert_eq!((any.starts(), only.starts()), (1, 1));
}

#[test]
fn not_before_a_time() {
    let bench = Bench::new();
    let later = bench.add(&["--at", "2099-01-01T00:00:00Z"], &["true"]);
    let soon = bench.add(&["--at", "+1s"], &["true"]);
    let waiting = &bench.show(later)["waiting"];
    assert_eq!(waiting["reason"], "not_before");
    assert!(waiting["detail"].as_str().unwrap().contains("2099"), "{waiting}");
    let end = ended(&bench, soon);
    let time = |name: &str| end[name].as_str().unwrap().to_owned();
    assert_eq!(end["status"], "completed");
    let seconds = |text: &str| text[17..23].parse::<f64>().unwrap();
    let waited = (seconds(&time("started_at")) - seconds(&time("created_at"))).rem_euclid(60.0);
    assert!((0.9..30.0).contains(&waited), "{end:#}");
    assert_eq!(bench.status(later), "queued");
    let past = bench.run(&words("add --at 2020-01-01 -- true")).expect(0);
    assert!(past.stderr.contains("is past"), "{past:?}");
    assert_eq!(ended(&bench, 3)["status"], "completed");
}

#[test]
fn a_draft_runs_when_it_is_started() {
    let bench = Bench::new();
    let program = Pretend::sh(&bench.work(), "p.sh", "");
    let number = bench.add(&["--draft"], &program.argv());
    assert_eq!(bench.status(number), "draft");
    let other = bench.add(&[], &["true"]);
    ended(&bench, other);
    assert_eq!(program.starts(), 0);
    let _ = bench.run(&words("start 1")).expect(0);
    assert_eq!(ended(&bench, number)["status"], "completed");
    assert_eq!(program.starts(), 1);
}

#[test]
fn the_pid_of_a_program_that_ended_at_once_is_known() {
    let bench = Bench::new();
    let number = bench.add(&[], &["sh", "-c", "echo $$ > pid"]);
    let run = ended(&bench, number);
    let pid: i64 = text(&bench, "pid").trim().parse().unwrap();
    assert_eq!(stage(&run, "main")["attempts"][0]["pid"], pid);
}

#[test]
fn pause_stops_the_program_for_a_while() {
    let bench = Bench::new();
    let number = bench.add(&[], &["sh", "-c", "while :; do echo x >> ticks; sleep 0.02; [ -e go ] && exit 0; done"]);
    until(LONG, "it runs", || !text(&bench, "ticks").is_empty());
    let said = bench.run(&words("pause 1")).expect(0).stdout;
    assert!(said.starts_with("#1 is paused"), "{said}");
    assert_eq!(bench.status(number), "paused");
    let pid = stage(&bench.show(number), "main")["attempts"][0]["pid"].as_i64().unwrap();
    let state = || footplate_testkit::Found::of(i32::try_from(pid).unwrap()).map(|found| found.state);
    assert_eq!(state(), Some('T'));
    let _ = bench.run(&words("unpause 1")).expect(0);
    until(LONG, "it goes on", || state() != Some('T'));
    open(&bench, "go");
    assert_eq!(ended(&bench, number)["status"], "completed");
}

#[test]
fn a_limit_of_running_time() {
    let bench = Bench::new();
    let number = bench.add(&["--timeout", "300ms"], &["sleep", "300"]);
    let end = ended(&bench, number);
    assert_eq!((end["status"].as_str(), end["error"]["code"].as_str()), (Some("failed"), Some("timed_out")));
    assert_eq!(stage(&end, "main")["attempts"][0]["status"], "timed_out");
}

#[test]
fn single_stages_are_cancelled_alone() {
    let bench = Bench::new();
    let _ = bench.run(&words("queue set default --limit 4")).expect(0);
    let toml = format!(
        "[stages.a]\nshell = '{0}'\nresources = {{ cpus = 0 }}\n[stages.b]\nshell = '{0}'\nresources = {{ cpus = 0 }}\n",
        gate("go")
    );
    let number = start(&bench, &pipeline(&bench, "two", &toml), &[]);
    until(LONG, "both run", || ["a", "b"].iter().all(|name| stage(&bench.show(number), name)["status"] == "running"));
    let _ = bench.run(&words("cancel 1 --stage a")).expect(0);
    let now = bench.show(number);
    assert_eq!(
        (stage(&now, "a")["status"].as_str(), stage(&now, "b")["status"].as_str()),
        (Some("cancelled"), Some("running"))
    );
    open(&bench, "go");
    assert_eq!(ended(&bench, number)["status"], "cancelled");
    assert_eq!(stage(&bench.show(number), "b")["status"], "completed");
}
