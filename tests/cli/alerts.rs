//! Alerts: a program that prints nothing, and metrics beyond what a stage allows.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{LONG, ended, open, pipeline, run, start, words};
use footplate_testkit::{Bench, Pretend, until};
use serde_json::{Value, json};

/// A pipeline of one stage `train` that runs this Python with these further keys.
fn stage(bench: &Bench, name: &str, body: &str, keys: &str) -> (String, Pretend) {
    let program = Pretend::python(&bench.work(), &format!("{name}.py"), body);
    let path =
        pipeline(bench, name, &format!("[stages.train]\ncommand = {:?}\ngrace = \"1s\"\n{keys}\n", program.argv()));
    (path, program)
}

/// The same with a shell's lines, which begin to print at once however busy the machine is.
fn shell_stage(bench: &Bench, name: &str, body: &str, keys: &str) -> (String, Pretend) {
    let program = Pretend::sh(&bench.work(), &format!("{name}.sh"), body);
    let path =
        pipeline(bench, name, &format!("[stages.train]\ncommand = {:?}\ngrace = \"1s\"\n{keys}\n", program.argv()));
    (path, program)
}

/// The alerts of a run: kind, whether it has ended, sentence without its moment.
fn told(bench: &Bench, number: i64) -> Vec<(String, bool, String)> {
    let listed = bench.run(&["alerts", &number.to_string(), "--json"]).expect(0).json();
    let row = |alert: &Value| {
        let detail = alert["detail"].as_str().unwrap();
        let detail = detail.split(" since ").next().unwrap().to_owned();
        (alert["facts"]["kind"].as_str().unwrap().to_owned(), !alert["ended_at"].is_null(), detail)
    };
    listed[0]["alerts"].as_array().unwrap().iter().map(row).collect()
}

fn silent(ended: bool) -> (String, bool, String) {
    ("stall".to_owned(), ended, "no output".to_owned())
}

const WAITS: &str = "echo begin
while [ ! -e speak ]; do sleep 0.02; done
echo again
while [ ! -e go ]; do sleep 0.02; done";

#[test]
fn a_silence_is_told_once_at_every_door_outlives_its_owner_and_ends_with_the_next_output() {
    let bench = Bench::new();
    let (path, program) = shell_stage(&bench, "quiet", WAITS, "stall = \"2s\"");
    let number = start(&bench, &path, &[]);
    until(LONG, "the silence is told", || told(&bench, number) == [silent(false)]);
    let list = bench.run(&words("list")).expect(0).stdout;
    assert!(list.contains("no output since"), "{list}");
    for verb in ["show", "report", "alerts"] {
        let text = bench.run(&[verb, "1"]).expect(0).stdout;
        assert!(text.contains("no output since") && text.contains("now"), "{verb}: {text}");
    }
    let shown = bench.show(number);
    assert_eq!((&shown["status"], &shown["alerts"][0]["facts"]["stall_ms"]), (&json!("running"), &json!(2000)));
    // Another owner neither forgets it nor tells it again, however long it is silent still.
    assert!(bench.kill_owner());
    until(LONG, "another owner is there", || bench.status(number) == "running" && bench.owner().is_some());
    assert_eq!(told(&bench, number), [silent(false)]);
    open(&bench, "speak");
    until(LONG, "its end is told", || told(&bench, number) == [silent(true)]);
    // And silent again: another alert, which ends with the program.
    until(LONG, "the next silence is told", || told(&bench, number) == [silent(false), silent(true)]);
    open(&bench, "go");
    assert_eq!(ended(&bench, number)["status"], "completed");
    assert_eq!(told(&bench, number), [silent(true), silent(true)]);
    assert_eq!(program.starts(), 1);
}

#[test]
fn a_paused_program_is_not_silent_and_one_that_prints_is_neither() {
    let bench = Bench::new();
    let chatters = format!("while [ ! -e quiet ]; do echo still here; sleep 0.05; done\n{WAITS}");
    let (path, _) = shell_stage(&bench, "paused", &chatters, "stall = \"2s\"");
    let number = start(&bench, &path, &[]);
    bench.until_status(number, "running", LONG);
    let _ = bench.run(&words("pause 1")).expect(0);
    open(&bench, "quiet");
    // Longer than it may be silent: another program is found silent in that time, and this one is not.
    let (beside, _) = shell_stage(&bench, "beside", WAITS, "stall = \"2500ms\"\nqueue = \"evaluation\"");
    let other = start(&bench, &beside, &[]);
    until(LONG, "the other is found silent", || told(&bench, other) == [silent(false)]);
    assert_eq!(told(&bench, number), []);
    let _ = bench.run(&words("unpause 1")).expect(0);
    until(LONG, "the silence after it is told", || told(&bench, number) == [silent(false)]);
    let seen = bench.run(&words("alerts 1 --dismiss")).expect(0).stdout;
    assert_eq!(seen, "1 alert of #1 is dismissed\n");
    let open = bench.run(&words("alerts --json")).expect(0).json();
    assert_eq!(open.as_array().unwrap().iter().map(|run| run["run"].as_i64().unwrap()).collect::<Vec<_>>(), [other]);
    assert!(
        !bench
            .run(&words("list"))
            .expect(0)
            .stdout
            .lines()
            .any(|line| line.contains("#1 ") && line.contains("no output"))
    );
    let _ = bench.run(&words("cancel 1 2")).expect(0);
}

#[test]
fn a_silence_that_is_to_stop_the_program_ends_it_as_failed_and_a_retry_may_follow() {
    let bench = Bench::new();
    let body = "echo one line
if [ -e second ]; then exit 0; fi
: > second
while :; do sleep 0.05; done";
    let keys = "stall = \"2s\"\nstall_action = \"stop\"\nretries = { max = 1, delay = \"0s\" }";
    let (path, program) = shell_stage(&bench, "stopped", body, keys);
    let number = start(&bench, &path, &[]);
    let end = ended(&bench, number);
    assert_eq!((&end["status"], program.starts()), (&json!("completed"), 2), "{end:#}");
    let attempts = &end["stages"][0]["attempts"];
    assert_eq!(attempts[0]["status"], "failed");
    assert_eq!(attempts[0]["error"]["code"], "stalled", "{attempts:#}");
    assert_eq!(attempts[0]["error"]["diagnosis"]["code"], "stall");
    assert!(attempts[0]["error"]["detail"].as_str().unwrap().starts_with("It printed nothing for 2s"), "{attempts:#}");
    assert_eq!(told(&bench, number), [silent(true)]);
}

#[test]
fn metrics_beyond_their_rules_are_told_once_with_their_values_and_a_killed_owner_repeats_nothing() {
    let bench = Bench::new();
    let body = r###"
import json
def say(step, **metrics):
    print("##PROGRESS##" + json.dumps({"step": step, "metrics": metrics}) + "##", flush=True)
def wait(name):
    while not os.path.exists(name):
        time.sleep(0.02)
for step, loss in enumerate([2.0, float("nan"), float("nan")]):
    say(step, loss=loss, val_loss=1.0, lr=0.1)
    time.sleep(0.12)
wait("on")
say(3, loss=1.0, val_loss=1.0, lr=0.5)
wait("go")
"###;
    let keys = "alerts = [{ metric = \"loss\", when = \"nan\" }, { metric = \"val_loss\", when = \"no_improvement\", for = 3 }, \
                { metric = \"lr\", when = \"above\", value = 0.2 }]";
    let (path, _) = stage(&bench, "watched", body, keys);
    let number = start(&bench, &path, &[]);
    let row = |kind: &str, ended: bool, text: &str| (kind.to_owned(), ended, text.to_owned());
    until(LONG, "the first is told", || told(&bench, number) == [row("nan", false, "loss is nan")]);
    assert!(bench.kill_owner());
    until(LONG, "another owner is there", || bench.status(number) == "running" && bench.owner().is_some());
    open(&bench, "on");
    let flat = "val_loss has not improved on 1 for 3 points";
    let all = |ended: bool| {
        [
            row("above", ended, "lr is 0.5, above 0.2"),
            row("no_improvement", ended, flat),
            row("nan", true, "loss is nan"),
        ]
    };
    until(LONG, "all are told", || {
        let mut now = told(&bench, number);
        now.sort();
        let mut expected = all(false);
        expected.sort();
        now == expected
    });
    let shown = bench.show(number);
    let nan = shown["alerts"].as_array().unwrap().iter().find(|alert| alert["facts"]["kind"] == "nan").unwrap();
    assert_eq!(
        (&nan["facts"]["value"], &nan["facts"]["step"], &nan["stage"]),
        (&json!("nan"), &json!(1), &json!("train"))
    );
    assert!(bench.run(&words("list")).expect(0).stdout.contains("lr is 0.5, above 0.2"));
    open(&bench, "go");
    assert_eq!(ended(&bench, number)["status"], "completed");
    assert_eq!(told(&bench, number).len(), 3);
    assert!(told(&bench, number).iter().all(|row| row.1), "with its attempt every alert ends");
}

#[test]
fn a_rule_that_is_to_stop_the_program_ends_it_as_failed_and_says_which() {
    let bench = Bench::new();
    let body = r#"
print("step 1 loss 3.5", flush=True)
while True:
    time.sleep(0.05)
"#;
    let keys = "metric_pattern = 'loss (?P<loss>[0-9.]+)'\n\
                alerts = [{ metric = \"loss\", when = \"above\", value = 3, action = \"stop\" }]";
    let (path, _) = stage(&bench, "exploded", body, keys);
    let end = run(&bench, &path, &[]);
    assert_eq!((&end["status"], &end["error"]["code"]), (&json!("failed"), &json!("stopped_by_alert")), "{end:#}");
    assert_eq!(end["error"]["detail"], "It was stopped by a rule of its stage: loss is 3.5, above 3.");
}

#[test]
fn a_program_that_ends_before_it_could_be_stopped_ends_as_it_did_and_the_alert_is_told() {
    let bench = Bench::new();
    let keys = "metric_pattern = 'loss (?P<loss>[0-9.]+)'\n\
                alerts = [{ metric = \"loss\", when = \"above\", value = 3, action = \"stop\" }]";
    let (path, _) = stage(&bench, "quick", "print(\"step 1 loss 3.5\", flush=True)", keys);
    for _ in 0..3 {
        let end = run(&bench, &path, &[]);
        assert_eq!(end["status"], "completed", "{end:#}");
        assert_eq!(
            told(&bench, end["number"].as_i64().unwrap()),
            [("above".into(), true, "loss is 3.5, above 3".into())]
        );
    }
}

#[test]
fn a_plan_says_what_watches_over_its_stages() {
    let bench = Bench::new();
    let keys = "stall = \"30m\"\nstall_action = \"stop\"\n\
                alerts = [{ metric = \"loss\", when = \"nan\" }, { metric = \"lr\", when = \"above\", value = 0.2, for = 3 }]\n\
                checkpoints = { files = \"ckpt/*.pt\", metric = \"acc\", mode = \"max\", keep_best = 2 }";
    let (path, _) = stage(&bench, "planned", "", keys);
    let text = bench.run(&["plan", &path]).expect(0).stdout;
    let expected = "train: no output for 30m stops it; loss nan; lr above 0.2 for 3 points; keeps the best 2 checkpoints by acc (max) and the newest 1";
    assert!(text.contains(expected), "{text}");
    let told = bench.run(&["plan", &path, "--json"]).expect(0).json();
    assert_eq!(
        (&told["guards"][0]["stall_ms"], &told["guards"][0]["alerts"][1]["for"]),
        (&json!(1_800_000), &json!(3))
    );
}

#[test]
fn an_owner_that_dies_while_it_tells_leaves_the_alert_to_the_next_one() {
    let bench = Bench::new();
    let body = "print(\"step 1 loss nan\", flush=True)\nwhile not os.path.exists('go'):\n    time.sleep(0.02)";
    let keys = "metric_pattern = 'loss (?P<loss>[a-z0-9.]+)'\nalerts = [{ metric = \"loss\", when = \"nan\" }]";
    let (path, program) = stage(&bench, "dies", body, keys);
    let mut begin = bench.footplate(["run", &path, "--detach"]);
    assert!(begin.env("FOOTPLATE_FAILPOINT", "alert-before-commit").status().unwrap().success());
    let log = || std::fs::read_to_string(bench.data().join("owner.log")).unwrap_or_default();
    until(LONG, "the owner dies", || log().contains("failpoint alert-before-commit"));
    // The log was read beyond that point, and is not read again.
    until(LONG, "the next one tells it", || told(&bench, 1) == [("nan".into(), false, "loss is nan".into())]);
    open(&bench, "go");
    assert_eq!(ended(&bench, 1)["status"], "completed");
    assert_eq!((told(&bench, 1).len(), program.starts()), (1, 1));
}

#[test]
fn a_night_of_sleep_is_no_silence_for_the_next_owner_either() {
    let mut bench = Bench::new();
    let shift = bench.write("shift", "0");
    bench.set_env("FOOTPLATE_TEST_WALL_SHIFT", &shift);
    let (path, _) = shell_stage(&bench, "night", WAITS, "stall = \"1h\"");
    let number = start(&bench, &path, &[]);
    bench.until_status(number, "running", LONG);
    assert!(bench.kill_owner());
    std::fs::write(&shift, (8 * 3_600_000).to_string()).unwrap();
    until(LONG, "another owner is there", || bench.status(number) == "running" && bench.owner().is_some());
    open(&bench, "speak");
    open(&bench, "go");
    assert_eq!(ended(&bench, number)["status"], "completed");
    assert_eq!(told(&bench, number), []);
}
