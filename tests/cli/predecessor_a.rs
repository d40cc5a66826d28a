//! All that predecessor A did (1-product, "What it replaces"), done from the command line, an item a test.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use common::{LONG, ended, gate, keys, open, pipeline, run, stage, start, text};
use footplate_testkit::{Bench, Pretend, kill9, until};
use serde_json::{Value, json};

/// A training as predecessor A's were: `--config FILE --task-id ID`, and progress as `##PROGRESS##{json}##` lines.
const TRAINER: &str = r###"
import argparse, json, os
parser = argparse.ArgumentParser()
parser.add_argument("--config", required=True)
parser.add_argument("--task-id", required=True)
args = parser.parse_args()
with open(args.config) as f:
    config = json.load(f)
with open("seen.json", "w") as f:
    json.dump({"task": args.task_id, "config": config, "mode": oct(os.stat(args.config).st_mode & 0o777),
               "token": os.environ.get("TOKEN")}, f)
print("loading " + config["experiment_name"])
for done in (0.5, 1.0):
    print("##PROGRESS##" + json.dumps({"stage": "train", "progress": done, "overall_progress": done / 2,
        "message": "epoch %g" % (done * 2), "status": "running", "error": None}) + "##", flush=True)
"###;

#[test]
fn submit_with_a_config_and_get_an_id() {
    let bench = Bench::new();
    bench.write("trainer.py", TRAINER);
    let path = pipeline(
        &bench,
        "trainer",
        r#"
[params.experiment_name]
type = "string"
[params.version]
type = "integer"
default = 1
[params.stages]
type = "choice"
choices = ["prepare", "train", "all"]
default = "all"
[params.token]
type = "secret"
[stages.main]
command = ["python3", "trainer.py", "--config", "{{ run.config }}", "--task-id", "{{ run.id }}"]
env = { TOKEN = "{{ params.token }}" }
"#,
    );
    let options =
        ["-p", "experiment_name=voices", "-p", "version=3", "-p", "token=hf_secret", "--experiment", "voices"];
    let mut args = vec!["run", &path, "--detach", "--json"];
    args.extend(options);
    let submitted = bench.run(&args).expect(0).json();
    assert_eq!(keys(&submitted), ["id", "number", "name"]);
    let number = submitted["number"].as_i64().unwrap();
    let done = ended(&bench, number);
    assert_eq!(done["status"], "completed", "{done:#}");
    assert_eq!(done["experiment"], "voices");
    let seen: Value = serde_json::from_str(&text(&bench, "seen.json")).unwrap();
    assert_eq!(seen["task"], submitted["id"]);
    assert_eq!(seen["config"], json!({ "experiment_name": "voices", "version": 3, "stages": "all" }));
    assert_eq!((seen["mode"].as_str(), seen["token"].as_str()), (Some("0o600"), Some("hf_secret")));
    assert_eq!(bench.run(&["logs", "1", "--grep", "^loading"]).expect(0).stdout, "loading voices\n");
}

#[test]
fn a_process_of_its_own_for_each_task_with_an_environment_and_a_working_folder() {
    let mut bench = Bench::new();
    bench.set_env("FROM_SHELL", "of the shell");
    bench.write("sub/here", "");
    let tell =
        r#"pwd; echo "$FROM_SHELL,$OWN,$FOOTPLATE_RUN_NUMBER,$FOOTPLATE_STAGE,$FOOTPLATE_ATTEMPT"; test -e here"#;
    let folder = bench.work().join("sub");
    let number = bench.add(&["--cwd", "sub", "--env", "OWN=a b=c"], &["sh", "-c", tell]);
    assert_eq!(ended(&bench, number)["status"], "completed");
    let expected = format!("{}\nof the shell,a b=c,1,main,1\n", folder.display());
    assert_eq!(bench.run(&["logs", "1"]).expect(0).stdout, expected);

    let toml = format!(
        "[stages.one]\ncwd = \"{{{{ pipeline.dir }}}}/sub\"\nenv = {{ OWN = \"{{{{ run.number }}}}\" }}\nshell = '''{tell}'''\n"
    );
    let done = run(&bench, &pipeline(&bench, "places", &toml), &[]);
    assert_eq!(done["status"], "completed", "{done:#}");
    let expected = format!("{}\nof the shell,2,2,one,1\n", folder.display());
    assert_eq!(bench.run(&["logs", "2"]).expect(0).stdout, expected);
}

#[test]
fn progress_lines_with_all_their_keys() {
    let bench = Bench::new();
    let line = r###"##PROGRESS##{"stage":"train","progress":0.4,"overall_progress":0.7,"message":"epoch 2 of 5","status":"running","error":null,"metrics":{"loss":0.5}}##"###;
    let number = bench.add(&[], &["sh", "-c", &format!("echo '{line}'; {}", gate("go"))]);
    until(LONG, "the progress is seen", || bench.show(number)["progress"] == 0.4);
    let run = bench.show(number);
    assert_eq!(run["message"], "epoch 2 of 5", "{run:#}");
    assert_eq!(stage(&run, "main")["message"], "epoch 2 of 5");
    assert_eq!(stage(&run, "main")["progress"], 0.4);
    let values = &stage(&run, "main")["metrics"];
    assert_eq!((&values["loss"], &values["overall_progress"]), (&json!(0.5), &json!(0.7)));
    assert_eq!(run["status"], "running");
    let listed = bench.run(&["list", "--json"]).expect(0).json();
    assert_eq!((&listed[0]["progress"], &listed[0]["message"]), (&json!(0.4), &json!("epoch 2 of 5")));
    open(&bench, "go");
    assert_eq!(ended(&bench, number)["status"], "completed");
}

#[test]
fn other_output_is_kept_as_log_lines() {
    let bench = Bench::new();
    let number = bench.add(
        &[],
        &["sh", "-c", "echo plain; echo '##PROGRESS##{\"progress\":0.1}##'; echo to stderr >&2; printf 'no end'"],
    );
    ended(&bench, number);
    let lines = bench.run(&["logs", "1"]).expect(0).stdout;
    let lines: Vec<&str> = lines.lines().filter(|line| !line.starts_with("##")).collect();
    assert_eq!(lines, ["plain", "to stderr", "no end"]);
    assert!(bench.run(&["logs", "1", "--raw"]).expect(0).stdout.contains("##PROGRESS##{\"progress\":0.1}##\n"));
}

#[test]
fn state_message_error_and_times_are_kept() {
    let bench = Bench::new();
    let number =
        bench.add(&[], &["sh", "-c", "echo '##PROGRESS##{\"message\":\"nearly\",\"error\":\"bad lr\"}##'; exit 7"]);
    let _ = bench.run(&["wait", "1"]).expect(1);
    // Told by whoever asks, also when the owner has left.
    bench.until_nothing_left(LONG);
    let run = bench.show(number);
    assert_eq!(run["status"], "failed");
    assert_eq!(run["error"]["code"], "exit_code");
    assert!(run["error"]["detail"].as_str().unwrap().contains("exit code 7"), "{run:#}");
    let main = stage(&run, "main");
    assert_eq!(main["message"], "bad lr", "the program's own words for it: {main:#}");
    let moments: Vec<&str> =
        ["created_at", "started_at", "finished_at"].iter().map(|at| run[at].as_str().unwrap()).collect();
    assert!(moments.is_sorted(), "{moments:?}");
    let attempt = &main["attempts"][0];
    assert_eq!((&attempt["exit_code"], &attempt["status"]), (&json!(7), &json!("failed")));
    let shown = bench.run(&["show", "1"]).expect(0).stdout;
    assert!(shown.contains("exit code 7") && shown.contains("footplate logs 1"), "{shown}");
}

#[test]
fn status_by_id_number_and_name_and_a_clear_not_found() {
    let bench = Bench::new();
    let number = bench.add(&["--name", "my training"], &["true"]);
    ended(&bench, number);
    let id = bench.show(number)["id"].as_str().unwrap().to_owned();
    for text in [&id, &id[..13], &id[id.len() - 8..], "1", "#1", "my training"] {
        let run = bench.run(&["show", "--json", text]).expect(0).json();
        assert_eq!(run["id"], id.as_str(), "{text}");
    }
    for text in ["2", "#99", "01234567-89ab-7def-8123-456789abcdef", "another"] {
        let output = bench.run(&["show", "--json", text]).expect(4);
        let error = output.error();
        assert_eq!(error["code"], "not_found");
        assert!(error["message"].as_str().unwrap().contains(text), "{error}");
        assert_eq!(output.stdout, "");
    }
    // The newest of a name, and it is said.
    bench.add(&["--name", "my training"], &["true"]);
    let output = bench.run(&["show", "--json", "my training"]).expect(0);
    assert_eq!(output.json()["number"], 2);
    assert!(output.stderr.contains("2 runs are named \"my training\"; taking the newest, #2"), "{output:?}");
}

#[test]
fn cancel_is_graceful_first() {
    let bench = Bench::new();
    let program = Pretend::sh(
        &bench.work(),
        "p.sh",
        "trap 'echo tidied >> \"$LINES\"; exit 0' TERM\necho ready >> \"$LINES\"\nwhile true; do sleep 0.05; done",
    );
    let number = bench.add(&[], &program.argv());
    until(LONG, "it runs", || program.lines().len() == 2);
    let _ = bench.run(&["cancel", "1"]).expect(0);
    assert_eq!(bench.status(number), "cancelled");
    assert_eq!(program.lines()[1..], ["ready", "tidied"]);
    bench.until_nothing_left(LONG);
}

#[test]
fn and_then_forced() {
    let bench = Bench::new();
    let program =
        Pretend::sh(&bench.work(), "p.sh", "trap '' TERM\necho ready >> \"$LINES\"\nwhile true; do sleep 0.05; done");
    let toml = format!("[stages.main]\ngrace = \"300ms\"\ncommand = {:?}\n", program.argv());
    let number = start(&bench, &pipeline(&bench, "stubborn", &toml), &[]);
    until(LONG, "it runs", || program.lines().len() == 2);
    let _ = bench.run(&["cancel", "1"]).expect(0);
    let run = bench.show(number);
    assert_eq!(run["status"], "cancelled");
    assert_eq!(stage(&run, "main")["attempts"][0]["signal"], 9, "{run:#}");
    bench.until_nothing_left(LONG);
}

#[test]
fn queued_work_can_be_cancelled_too() {
    let bench = Bench::new();
    let first = bench.add(&[], &["sh", "-c", &gate("go")]);
    let program = Pretend::sh(&bench.work(), "p.sh", "");
    let second = bench.add(&[], &program.argv());
    let third = bench.add(&[], &program.argv());
    let _ = bench.run(&["cancel", "2"]).expect(0);
    open(&bench, "go");
    for (number, status) in [(first, "completed"), (second, "cancelled"), (third, "completed")] {
        assert_eq!(ended(&bench, number)["status"], status, "#{number}");
    }
    assert_eq!(program.starts(), 1);
}

#[test]
fn who_watches_sees_the_present_state_first_and_then_what_happens() {
    let bench = Bench::new();
    let say = |progress: f64| format!("echo '##PROGRESS##{{\"progress\":{progress},\"message\":\"at {progress}\"}}##'");
    let script = format!("{}; {}; {}; {}", say(0.5), gate("go"), say(0.8), gate("end"));
    let number = bench.add(&["--name", "train"], &["sh", "-c", &script]);
    until(LONG, "half is done", || bench.show(number)["progress"] == 0.5);
    let mut watch = bench.footplate(["watch", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "#1 train running");
    let now = lines.next().unwrap();
    assert!(now.starts_with("#1 main running") && now.contains("at 0.5"), "{now}");
    open(&bench, "go");
    let next = lines.next().unwrap();
    assert!(next.contains("80%") && next.contains("at 0.8"), "{next}");
    open(&bench, "end");
    let last = lines.last().unwrap();
    assert!(last.contains("main completed"), "{last}");
    let mut said = String::new();
    watch.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.starts_with("#1 train completed in "), "{said}");
    assert!(watch.wait().unwrap().success());
}

#[test]
fn programs_subscribe_to_one_object_a_line_with_a_heartbeat_in_silence() {
    let bench = Bench::new();
    let script = format!("{}; echo '##PROGRESS##{{\"progress\":0.8}}##'; {}", gate("go"), gate("end"));
    let number = bench.add(&["--name", "train"], &["sh", "-c", &script]);
    bench.until_status(number, "running", LONG);
    let mut watch = bench.footplate(["watch", "1", "--json"]);
    let mut watch = watch.env("FOOTPLATE_TEST_HEARTBEAT_MS", "1").stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut lines = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let now = lines.next().unwrap();
    assert_eq!((&now["number"], &now["status"]), (&json!(1), &json!("running")), "the present state first");
    let silence = lines.by_ref().find(|line| line["heartbeat"].is_string());
    assert!(silence.unwrap()["heartbeat"].as_str().unwrap().ends_with('Z'));
    open(&bench, "go");
    assert!(lines.by_ref().any(|line| line["progress"] == 0.8));
    open(&bench, "end");
    let last = lines.last().unwrap();
    assert_eq!((&last["status"], &last["stages"][0]["attempts"][0]["exit_code"]), (&json!("completed"), &json!(0)));
    assert!(watch.wait().unwrap().success());
}

#[test]
fn list_by_status_with_limit_and_offset() {
    let bench = Bench::new();
    for code in [0, 3, 0, 3, 0] {
        bench.add(&["--name", &format!("ends-{code}")], &["sh", "-c", &format!("exit {code}")]);
    }
    let _ = bench.run(&["wait", "1", "2", "3", "4", "5"]).expect(1);
    let numbers = |args: &[&str]| -> Vec<i64> {
        let mut all = vec!["list", "--json"];
        all.extend(args);
        let page = bench.run(&all).expect(0).json();
        page.as_array().unwrap().iter().map(|run| run["number"].as_i64().unwrap()).collect()
    };
    assert_eq!(numbers(&[]), [5, 4, 3, 2, 1]);
    assert_eq!(numbers(&["--status", "failed"]), [4, 2]);
    assert_eq!(numbers(&["--status", "failed", "--status", "completed"]), [5, 4, 3, 2, 1]);
    assert_eq!(numbers(&["--status", "completed", "--limit", "2"]), [5, 3]);
    assert_eq!(numbers(&["--status", "completed", "--limit", "2", "--offset", "2"]), [1]);
    assert_eq!(numbers(&["--limit", "2", "--offset", "1"]), [4, 3]);
    assert_eq!(numbers(&["--status", "running"]), [0_i64; 0]);
    assert_eq!(numbers(&["--search", "ends-3"]), [4, 2]);
    let shown = bench.run(&["list", "--limit", "2"]).expect(0).stdout;
    assert!(shown.contains("2 of 5 runs; --offset 2 shows more"), "{shown}");
}

#[test]
fn at_start_what_ran_is_interrupted_and_what_was_queued_starts() {
    let bench = Bench::new();
    let first = Pretend::sh(&bench.work(), "first.sh", "sleep 300");
    let second = Pretend::sh(&bench.work(), "second.sh", "");
    let one = bench.add(&[], &first.argv());
    let two = bench.add(&[], &second.argv());
    until(LONG, "the first runs", || first.starts() == 1);
    bench.until_status(one, "running", LONG);
    // Everything at once, as where the power fails.
    let root = bench.root().to_owned();
    until(LONG, "all is killed", || {
        let mut left = footplate_testkit::process::of_folder(&root);
        left.sort_by_key(|found| found.program() != "footplate");
        for found in &left {
            kill9(found.pid);
        }
        left.is_empty()
    });
    bench.until_status(one, "interrupted", LONG);
    assert_eq!(ended(&bench, two)["status"], "completed");
    assert_eq!((first.starts(), second.starts()), (1, 1));
}

#[test]
fn ended_tasks_older_than_so_long_are_cleaned_up() {
    let bench = Bench::new();
    let done = bench.add(&[], &["true"]);
    let id = ended(&bench, done)["id"].as_str().unwrap().to_owned();
    let live = bench.add(&[], &["sh", "-c", &gate("go")]);
    bench.until_status(live, "running", LONG);
    let folder = bench.data().join("attempts").join(&id);
    assert!(folder.is_dir());
    let _ = bench.run(&["clean", "--older-than", "30d"]).expect(0);
    let would = bench.run(&["clean", "--older-than", "1ms", "--dry-run", "--json"]).expect(0).json();
    assert_eq!(would.as_array().unwrap().len(), 1, "{would:#}");
    assert!(folder.is_dir() && bench.status(done) == "completed");
    let _ = bench.run(&["clean", "--older-than", "1ms"]).expect(0);
    let _ = bench.run(&["show", "1"]).expect(4);
    until(LONG, "its folder is gone", || !folder.exists());
    assert_eq!(bench.status(live), "running");
    open(&bench, "go");
    assert_eq!(ended(&bench, live)["status"], "completed");
}

#[test]
fn a_limit_on_concurrent_tasks() {
    let bench = Bench::new();
    let _ = bench.run(&["queue", "set", "default", "--limit", "2"]).expect(0);
    let script = format!("echo + >> all; {}; echo - >> all", gate("go"));
    for _ in 0..5 {
        bench.add(&["--cpus", "0"], &["sh", "-c", &script]);
    }
    until(LONG, "two run", || text(&bench, "all") == "+\n+\n");
    for number in 1..=5 {
        let run = bench.show(number);
        let expected = if number <= 2 { json!(null) } else { json!("queue_limit") };
        assert_eq!(run["waiting"]["reason"], expected, "{run:#}");
    }
    open(&bench, "go");
    let _ = bench.run(&["wait", "1", "2", "3", "4", "5"]).expect(0);
    let (mut now, mut most) = (0, 0);
    for sign in text(&bench, "all").lines() {
        now += if sign == "+" { 1 } else { -1 };
        most = most.max(now);
    }
    assert_eq!((now, most), (0, 2));
}
