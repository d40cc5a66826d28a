//! All that predecessor D did (1-product, "What it replaces"), done from the command line, an item a test.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{LONG, ended, gate, keys, open, pipeline, run, stage, start, text, words};
use footplate_testkit::{Bench, Pretend, until};
use serde_json::json;

#[test]
fn faults_of_the_graph_are_named_and_nothing_runs() {
    let bench = Bench::new();
    let cases = [
        (
            "duplicate",
            "[stages.train]\ncommand = [\"true\"]\n[stages.train]\ncommand = [\"false\"]\n",
            &["duplicate.toml:5:9: \"train\" is there twice: on line 3 and on line 5"][..],
        ),
        (
            "unknown",
            "[stages.prepare]\ncommand = [\"true\"]\n[stages.train]\nneeds = [\"prepre\"]\ncommand = [\"true\"]\n",
            &["unknown.toml:6:", "\"prepre\"", "did you mean \"prepare\"?"][..],
        ),
        (
            "circle",
            "[stages.a]\nneeds = [\"c\"]\ncommand = [\"true\"]\n[stages.b]\nneeds = [\"a\"]\ncommand = [\"true\"]\n[stages.c]\nneeds = [\"b\"]\ncommand = [\"true\"]\n",
            &["circle.toml:", "a -> c -> b -> a"][..],
        ),
        ("alone", "[stages.a]\nneeds = [\"a\"]\ncommand = [\"true\"]\n", &["stage \"a\" needs itself"][..]),
        (
            "all",
            "[stages.a]\nneeds = [\"b\"]\ncommand = [\"true\"]\n[stages.b]\nneeds = [\"a\", \"nobody\"]\ncommand = [\"true\"]\n",
            &["nobody", "a -> b -> a"][..],
        ),
    ];
    for (name, text, said) in cases {
        let path = pipeline(&bench, name, text);
        for verb in ["run", "plan"] {
            let output = bench.run(&[verb, "--json", &path]).expect(3);
            let error = output.error();
            assert_eq!(error["code"], "invalid_pipeline");
            let whole = format!("{} {}", error["message"], error["hints"]).replace("\\\"", "\"");
            for part in said {
                assert!(whole.contains(part), "{name}: {part:?} is not in {whole}");
            }
            assert_eq!(output.stdout, "");
        }
    }
    assert_eq!(bench.run(&["list", "--json"]).expect(0).json(), json!([]));
}

/// Two chains and what joins them.
const DIAMOND: &str = r#"
[stages.join]
needs = ["left", "right_two"]
command = ["true"]
[stages.left]
needs = ["first"]
command = ["true"]
[stages.first]
command = ["true"]
[stages.right_one]
needs = ["first"]
command = ["true"]
[stages.right_two]
needs = ["right_one"]
command = ["true"]
[stages.alone]
command = ["true"]
"#;

#[test]
fn a_staged_plan_with_the_greatest_parallelism() {
    let bench = Bench::new();
    let path = pipeline(&bench, "diamond", DIAMOND);
    let plan = bench.run(&["plan", "--json", &path]).expect(0).json();
    assert_eq!(plan["levels"], json!([["first", "alone"], ["left", "right_one"], ["right_two"], ["join"]]), "{plan:#}");
    assert_eq!(plan["max_parallelism"], 2);
    assert_eq!(plan["stages"], 6);
    assert_eq!(plan["critical_path"], json!(["first", "right_one", "right_two", "join"]));
    assert_eq!(plan["expected_s"], json!(null));
    assert_eq!(bench.run(&["list", "--json"]).expect(0).json(), json!([]), "a plan starts nothing");
    assert_eq!(run(&bench, &path, &[])["status"], "completed");
    let plan = bench.run(&["plan", "--json", &path]).expect(0).json();
    assert!(plan["expected_s"].as_f64().is_some_and(|seconds| seconds < 60.0), "from history: {plan:#}");
    assert_eq!(plan["expected_stage_s"].as_object().unwrap().len(), 6);
}

#[test]
fn values_of_a_task_are_inputs_of_others_whole_by_key_and_by_index() {
    let bench = Bench::new();
    let path = pipeline(
        &bench,
        "values",
        r###"
[stages.first]
shell = '''
echo '##PROGRESS##{"output":{"best":{"lr":0.001,"layers":[64,{"units":32}],"bias":true,"note":null},"word":"two words"}}##'
echo 'from_file=a = b' >> "$FOOTPLATE_OUTPUT"
echo '{"numbers":[1,2,3]}' >> "$FOOTPLATE_OUTPUT"
'''
[stages.whole]
command = ["printf", "%s\n", "{{ stages.first.outputs.best }}"]
[stages.by_key]
command = ["printf", "%s|", "{{ stages.first.outputs.best.lr }}", "{{ stages.first.outputs.word }}", "{{ stages.first.outputs.best.bias }}", "{{ stages.first.outputs.from_file }}"]
[stages.by_index]
command = ["printf", "%s|", "{{ stages.first.outputs.numbers[1] }}", "{{ stages.first.outputs.best.layers[1].units }}", "--all={{ stages.first.outputs.numbers }}"]
"###,
    );
    let done = run(&bench, &path, &[]);
    assert_eq!(done["status"], "completed", "{done:#}");
    for name in ["whole", "by_key", "by_index"] {
        assert_eq!(stage(&done, name)["needs"], json!(["first"]), "a reference is a need");
    }
    let printed = |stage: &str| bench.run(&["logs", "1", stage, "--raw"]).expect(0).stdout;
    let whole: serde_json::Value = serde_json::from_str(&printed("whole")).unwrap();
    assert_eq!(whole, json!({ "lr": 0.001, "layers": [64, { "units": 32 }], "bias": true, "note": null }));
    assert_eq!(printed("by_key"), "0.001|two words|true|a = b|");
    assert_eq!(printed("by_index"), "2|32|--all=[1,2,3]|");
    let outputs = &stage(&done, "first")["outputs"];
    assert_eq!((&outputs["word"], &outputs["numbers"]), (&json!("two words"), &json!([1, 2, 3])));
}

#[test]
fn a_missing_value_fails_who_uses_it_and_names_both_ends() {
    let bench = Bench::new();
    let path = pipeline(
        &bench,
        "missing",
        "[stages.first]\ncommand = [\"true\"]\n[stages.second]\ncommand = [\"echo\", \"{{ stages.first.outputs.model }}\"]\n",
    );
    let done = run(&bench, &path, &[]);
    assert_eq!(done["status"], "failed");
    assert_eq!(stage(&done, "first")["status"], "completed");
    let second = stage(&done, "second");
    assert_eq!((second["status"].as_str(), second["error"]["code"].as_str()), (Some("failed"), Some("input_missing")));
    let detail = second["error"]["detail"].as_str().unwrap();
    assert!(detail.contains("first") && detail.contains("model") && detail.contains("second"), "{detail}");
}

#[test]
fn retries_with_every_attempt_recorded() {
    let bench = Bench::new();
    let path = pipeline(
        &bench,
        "again",
        "[stages.main]\nshell = 'echo attempt $FOOTPLATE_ATTEMPT; [ $FOOTPLATE_ATTEMPT = 3 ] || exit 1$FOOTPLATE_ATTEMPT'\nretries = { max = 5, delay = \"20ms\", backoff = 1.5, jitter = 0 }\n",
    );
    let done = run(&bench, &path, &[]);
    assert_eq!(done["status"], "completed", "{done:#}");
    let attempts = stage(&done, "main")["attempts"].as_array().unwrap();
    let seen: Vec<_> =
        attempts.iter().map(|a| (a["number"].as_i64(), a["status"].as_str(), a["exit_code"].as_i64())).collect();
    let expected = [(1, "failed", 11), (2, "failed", 12), (3, "completed", 0)];
    assert_eq!(seen, expected.map(|(n, status, code)| (Some(n), Some(status), Some(code))));
    for number in ["1", "2", "3"] {
        let log = bench.run(&["logs", "1", "main", "--attempt", number]).expect(0).stdout;
        assert_eq!(log, format!("attempt {number}\n"));
    }
    let report = bench.run(&words("report 1 --json")).expect(0).json();
    let will: Vec<_> =
        stage(&report, "main")["attempts"].as_array().unwrap().iter().map(|a| a["will_retry"].clone()).collect();
    assert_eq!(will, [true, true, false]);
    assert_eq!(report["errors"].as_array().unwrap().len(), 2, "{report:#}");
    // Where they are spent it has failed.
    let number = bench.add(&["--retries", "0"], &["false"]);
    assert_eq!(stage(&ended(&bench, number), "main")["attempts"].as_array().unwrap().len(), 1);
}

#[test]
fn a_limit_on_what_runs_at_once() {
    let mut bench = Bench::new();
    bench.set_env("FOOTPLATE_TEST_CPUS", "8");
    let _ = bench.run(&["queue", "set", "default", "--limit", "3"]).expect(0);
    let stages: String = (0..7)
        .map(|n| {
            format!(
                "[stages.s{n}]\nshell = 'echo + >> all; {}; echo - >> all'\nresources = {{ cpus = 0 }}\n",
                gate("go")
            )
        })
        .collect();
    let number = start(&bench, &pipeline(&bench, "wide", &stages), &[]);
    until(LONG, "three run", || text(&bench, "all") == "+\n+\n+\n");
    let now = bench.show(number);
    let status = |status: &str| now["stages"].as_array().unwrap().iter().filter(|s| s["status"] == status).count();
    assert_eq!((status("running"), status("queued")), (3, 4), "{now:#}");
    assert_eq!(stage(&now, "s6")["waiting"]["reason"], "queue_limit");
    open(&bench, "go");
    assert_eq!(ended(&bench, number)["status"], "completed");
    let report = bench.run(&words("report 1 --json")).expect(0).json();
    assert!(report["peak_parallelism"].as_u64().is_some_and(|peak| peak == 3), "{report:#}");
}

#[test]
fn nobody_waits_for_a_tail_and_its_failure_changes_nothing() {
    let bench = Bench::new();
    let after = Pretend::sh(&bench.work(), "after.sh", "");
    let toml = format!(
        "[stages.main]\ncommand = [\"true\"]\n[stages.upload]\nneeds = [\"main\"]\ntail = true\nshell = '{}; exit 5'\n",
        gate("go")
    );
    let number = start(&bench, &pipeline(&bench, "tailed", &toml), &[]);
    let _ = bench.run(&["wait", "1"]).expect(0);
    let now = bench.show(number);
    assert_eq!((now["result"].as_str(), now["status"].as_str()), (Some("completed"), Some("running")), "{now:#}");
    bench.add(&["--after-ok", "1", "--queue", "training"], &after.argv());
    let _ = bench.run(&["wait", "2"]).expect(0);
    assert_eq!(after.starts(), 1);
    open(&bench, "go");
    bench.until_status(number, "completed", LONG);
    let end = bench.show(number);
    assert_eq!(stage(&end, "upload")["status"], "failed", "its own failure is shown");
    assert_eq!(end["result"], "completed");
}

#[test]
fn a_report_of_times_attempts_states_and_errors() {
    let bench = Bench::new();
    let path = pipeline(
        &bench,
        "reported",
        r#"
[stages.long]
shell = "sleep 0.4"
[stages.short]
shell = "sleep 0.05"
[stages.broken]
command = ["sh", "-c", "exit 9"]
retries = { max = 1, delay = "10ms" }
[stages.after_broken]
needs = ["broken"]
command = ["true"]
[stages.never]
if = "false"
command = ["true"]
"#,
    );
    run(&bench, &path, &[]);
    let report = bench.run(&words("report 1 --json")).expect(0).json();
    let expected = "run status planning_s queued_s execution_s total_s levels max_parallelism peak_parallelism critical_path critical_path_s totals stages longest_stage average_stage_s errors alerts";
    assert_eq!(keys(&report), words(expected));
    assert_eq!(report["status"], "failed");
    let totals = report["totals"].as_object().unwrap();
    assert_eq!(
        (&totals["completed"], &totals["failed"], &totals["skipped"]),
        (&json!(2), &json!(1), &json!(2)),
        "{report:#}"
    );
    assert_eq!(report["longest_stage"], "long");
    assert_eq!(report["critical_path"], json!(["long"]));
    let seconds = |value: &serde_json::Value| value.as_f64().unwrap();
    assert!(seconds(&stage(&report, "long")["run_s"]) >= 0.4);
    let ran: Vec<f64> =
        ["long", "short", "broken"].iter().map(|name| seconds(&stage(&report, name)["run_s"])).collect();
    assert!((seconds(&report["average_stage_s"]) - ran.iter().sum::<f64>() / 3.0).abs() < 1e-6, "{report:#}");
    let broken = stage(&report, "broken");
    assert_eq!((broken["level"].as_i64(), stage(&report, "after_broken")["level"].as_i64()), (Some(0), Some(1)));
    let attempts = broken["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2);
    assert!(
        attempts
            .iter()
            .all(|a| a["error"]["code"] == "exit_code" && a["started_at"].is_string() && a["finished_at"].is_string())
    );
    assert_eq!(stage(&report, "never")["attempts"], json!([]), "what never started is in it too");
    let errors: Vec<_> =
        report["errors"].as_array().unwrap().iter().map(|e| (e["stage"].as_str(), e["attempt"].as_i64())).collect();
    assert_eq!(errors[..2], [(Some("broken"), Some(1)), (Some("broken"), Some(2))]);
    assert!(seconds(&report["planning_s"]) >= 0.0, "measured: {report:#}");
    let shown = bench.run(&["report", "1"]).expect(0).stdout;
    for head in
        ["planning", "queued", "execution", "total", "parallelism", "critical path", "longest stage", "average stage"]
    {
        assert!(shown.lines().any(|line| line.starts_with(head)), "{head}: {shown}");
    }
    assert!(["long", "broken", "exit code 9"].iter().all(|word| shown.contains(word)), "{shown}");
}

#[test]
fn planning_is_timed_too() {
    let bench = Bench::new();
    let large: String = (0..4_000).map(|n| format!("[stages.s{n}]\ncommand = [\"true\"]\n")).collect();
    let number = start(&bench, &pipeline(&bench, "large", &large), &["--draft"]);
    let report = bench.run(&["report", &number.to_string(), "--json"]).expect(0).json();
    assert!(report["planning_s"].as_f64().unwrap() > 0.0, "{:?}", report["planning_s"]);
    // What a single command takes is less, and known as well.
    let one = bench.add(&["--draft"], &["true"]);
    let little = bench.run(&["report", &one.to_string(), "--json"]).expect(0).json();
    assert!(little["planning_s"].as_f64().unwrap() < report["planning_s"].as_f64().unwrap(), "{little:#}");
}
