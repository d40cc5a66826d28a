//! Runs side by side: what differs, what is best, as a table, JSON and comma-separated values.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{pipeline, words};
use footplate_testkit::Bench;
use serde_json::{Value, json};

/// Prints a loss that falls to `lr`, with its best in the middle, an accuracy, and something whose better way nobody knows.
const STAGES: &str = r#"
[params.lr]
type = "number"
default = 0.1
[params.epochs]
type = "integer"
default = 3
[params.token]
type = "secret"
[stages.train]
command = ["python3", "train.py", "{{ params.lr }}"]
env = { TOKEN = "{{ params.token }}" }
checkpoints = { files = "*.pt", metric = "quality", mode = "max" }
[stages.last]
needs = ["train"]
command = ["true"]
outputs = { rate = "{{ params.lr }}", epochs = "{{ params.epochs }}" }
"#;

const PROGRAM: &str = r####"
import json, sys
lr = float(sys.argv[1])
for step, more in enumerate([1.0, 0.0, 0.5]):
    values = {"val_loss": lr + more, "quality": more - lr, "grad_norm": step, "broken": float("nan")}
    print("##PROGRESS##" + json.dumps({"step": step, "metrics": values}) + "##", flush=True)
"####;

/// Three runs of a sweep that ended.
fn bench() -> Bench {
    let bench = Bench::new();
    pipeline(&bench, "c", STAGES);
    bench.write("train.py", PROGRAM);
    let _ = bench.run(&words("sweep c.toml -p lr=0.25,0.125,0.5 -p token=canary --experiment e")).expect(0);
    let _ = bench.run(&words("wait 1 2 3")).expect(0);
    bench
}

fn named<'a>(all: &'a Value, name: &str) -> &'a Value {
    let found = all.as_array().unwrap().iter().find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}: {all:#}"))
}

#[test]
fn differences_and_the_best_of_each_metric_are_told() {
    let bench = bench();
    let found = bench.run(&words("compare 1 2 3 --json")).expect(0).json();
    assert_eq!(named(&found["params"], "lr"), &json!({ "name": "lr", "values": [0.25, 0.125, 0.5], "differs": true }));
    assert_eq!(named(&found["params"], "epochs")["differs"], false);
    assert!(!found.to_string().contains("canary"));
    let loss = named(&found["metrics"], "val_loss");
    assert_eq!((&loss["better"], &loss["declared"], &loss["best"]), (&json!("min"), &json!(false), &json!([1])));
    assert_eq!(loss["values"][1], json!({ "value": 0.125, "step": 1, "last": 0.625, "points": 3 }));
    let quality = named(&found["metrics"], "quality");
    assert_eq!(
        (&quality["better"], &quality["declared"], &quality["best"]),
        (&json!("max"), &json!(true), &json!([1]))
    );
    assert_eq!(found["metrics"][0]["name"], "quality", "what the pipeline says comes first");
    let norm = named(&found["metrics"], "grad_norm");
    assert_eq!((&norm["better"], &norm["best"], &norm["values"][0]["value"]), (&Value::Null, &json!([]), &json!(2.0)));
    assert_eq!(named(&found["metrics"], "broken")["values"][0]["value"], Value::Null, "NaN");
    assert_eq!(named(&found["outputs"], "last.rate")["values"], json!([0.25, 0.125, 0.5]));
    assert_eq!(found["runs"][0]["status"], "completed");
    assert!(found["runs"][0]["took_s"].as_f64().unwrap() >= 0.0);
    // The experiment is the same comparison.
    let whole = bench.run(&words("compare --experiment e --json")).expect(0).json();
    for part in ["runs", "params", "metrics", "outputs", "left_out"] {
        assert_eq!(whole[part], found[part], "{part}");
    }
}

#[test]
fn the_table_marks_what_differs_and_what_is_best_and_is_turned_where_it_is_wide() {
    let bench = bench();
    let table = bench.run(&words("compare 1 2 3")).expect(0);
    let line = |start: &str| {
        let found = table.stdout.lines().find(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("no {start}: {}", table.stdout)).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("RUN"), "RUN #1 #2 #3");
    assert_eq!(line("lr*"), "lr* 0.25 0.125 0.5");
    assert_eq!(line("val_loss"), "val_loss (min) 0.25 best 0.125 0.5");
    assert_eq!(line("grad_norm"), "grad_norm (last) 2 2 2");
    assert!(!table.stdout.contains("epochs"), "{}", table.stdout);
    assert!(table.stderr.contains("1 parameter is the same in all runs; --all shows them"), "{}", table.stderr);
    assert!(bench.run(&words("compare 1 2 3 --all")).expect(0).stdout.contains("epochs"));
    let csv = bench.run(&words("compare 1 2 --csv")).expect(0).stdout;
    let mut lines = csv.lines();
    let heads: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(heads[..5], ["run", "name", "pipeline", "experiment", "status"]);
    let second: Vec<&str> = lines.nth(1).unwrap().split(',').collect();
    let of = |head: &str| second[heads.iter().position(|one| *one == head).unwrap()];
    assert_eq!(
        (of("run"), of("lr"), of("train.val_loss (min)"), of("train.val_loss (last)")),
        ("2", "0.125", "0.125", "0.625")
    );
    assert_eq!(of("last.rate"), "0.125");
    // Nine and more go line by line.
    let _ = bench.run(&words("sweep c.toml -p lr=1..9:1 -p token=t --draft --experiment wide")).expect(0);
    let turned = bench.run(&words("compare --experiment wide")).expect(0).stdout;
    assert_eq!(turned.lines().count(), 10, "{turned}");
    assert!(turned.lines().next().unwrap().contains("lr*") && turned.contains("#12"), "{turned}");
}

#[test]
fn commands_are_compared_by_what_they_run_and_too_few_or_unknown_runs_are_told() {
    let bench = Bench::new();
    bench.add(&["--draft"], &["python", "train.py", "--lr", "1"]);
    bench.add(&["--draft"], &["python", "train.py", "--lr", "2"]);
    let table = bench.run(&words("compare 1 #2")).expect(0).stdout;
    assert!(table.contains("command*  python train.py --lr 1  python train.py --lr 2"), "{table}");
    for (args, code, part) in [
        ("compare 1", 3, "1 run is to be compared; it takes 2 to 100"),
        ("compare 1 1", 3, "1 run is"),
        ("compare 1 9", 4, "no run \"9\""),
        ("compare --experiment no", 4, "no experiment \"no\""),
        ("compare", 2, "required"),
        ("compare 1 2 --experiment e", 2, "cannot be used"),
    ] {
        let output = bench.run(&words(args)).expect(code);
        assert!(output.stderr.contains(part), "{args}: {output:?}");
    }
}
