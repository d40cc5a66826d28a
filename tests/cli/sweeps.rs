//! Sweeps: all runs of the values or none, told apart by name, and the same ones again for the same seed.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{LONG, pipeline, words};
use footplate_testkit::{Bench, until};
use serde_json::{Value, json};

const STAGES: &str = r#"
[params.lr]
type = "number"
default = 0.1
minimum = 0
maximum = 1
[params.epochs]
type = "integer"
default = 20
minimum = 1
[params.token]
type = "secret"
[stages.train]
shell = 'echo "lr {{ params.lr }} epochs {{ params.epochs }} $TOKEN"'
env = { TOKEN = "{{ params.token }}" }
"#;

fn bench() -> Bench {
    let bench = Bench::new();
    pipeline(&bench, "s", STAGES);
    bench
}

fn names(runs: &Value) -> Vec<String> {
    runs.as_array().unwrap().iter().map(|run| run["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_grid_is_one_experiment_whose_runs_are_given_their_values() {
    let bench = bench();
    let sweep = words("sweep s.toml -p lr=1e-4,3e-4 -p epochs=5..10:5 -p token=hidden,word --tag t --json");
    let made = bench.run(&sweep).expect(0).json();
    assert_eq!((&made["experiment"], &made["seed"]), (&json!("s-sweep-1"), &Value::Null));
    assert_eq!(made["varied"], json!(["lr", "epochs"]));
    let given = ["lr=0.0001,epochs=5", "lr=0.0001,epochs=10", "lr=0.0003,epochs=5", "lr=0.0003,epochs=10"];
    assert_eq!(names(&made["runs"]), given);
    assert_eq!(made["runs"][3]["params"], json!({ "lr": 0.0003, "epochs": 10 }), "the secret is in no answer");
    let _ = bench.run(&words("wait 1 2 3 4")).expect(0);
    assert_eq!(bench.run(&words("logs lr=0.0003,epochs=10")).expect(0).stdout, "lr 0.0003 epochs 10 hidden,word\n");
    let listed = bench.run(&words("list --experiment s-sweep-1 --tag t --json")).expect(0).json();
    assert_eq!(listed.as_array().unwrap().len(), 4);
    assert!(listed[0]["status"] == "completed" && listed[3]["status"] == "completed", "{listed:#}");
    // The same sweep again: new runs of an experiment of their own, or of the one that is named.
    let again = bench.run(&sweep).expect(0).json();
    assert_eq!((&again["experiment"], &again["runs"][0]["number"]), (&json!("s-sweep-2"), &json!(5)));
    let named = bench.run(&words("sweep s.toml -p lr=0,1 -p token=t --experiment s-sweep-1")).expect(0);
    assert_eq!(named.stdout, "#9 lr=0\n#10 lr=1\n");
    assert!(named.stderr.contains("2 runs of experiment s-sweep-1 were added"), "{named:?}");
}

#[test]
fn a_seed_draws_the_same_runs_again_and_a_dry_run_adds_none() {
    let bench = bench();
    let random = "sweep s.toml -p lr=1e-5..1e-2:log -p epochs=1..100 -p token=t --random 5 --json";
    let dry = |options: &str| bench.run(&words(&format!("{random} --dry-run{options}"))).expect(0).json();
    let first = dry("");
    let seed = first["seed"].as_u64().unwrap();
    assert_eq!(dry(&format!(" --seed {seed}")), first);
    assert_ne!(dry(&format!(" --seed {}", seed + 1))["runs"], first["runs"]);
    assert_eq!(bench.run(&words("list --json")).expect(0).json(), json!([]));
    let made = bench.run(&words(&format!("{random} --draft --seed {seed}"))).expect(0).json();
    assert_eq!(names(&made["runs"]), names(&first["runs"]));
    assert_eq!(bench.status(5), "draft");
    let table = bench.run(&words("sweep s.toml -p lr=0.1..0.3:0.1 -p token=t --dry-run")).expect(0);
    assert_eq!(table.stdout, "RUN   lr\n  1  0.1\n  2  0.2\n  3  0.3\n");
    assert!(table.stderr.contains("3 runs of experiment s-sweep-2 would be added; nothing was"), "{table:?}");
}

#[test]
fn a_sweep_that_is_wrong_anywhere_adds_nothing_and_tells_all_that_is_wrong() {
    let bench = bench();
    let wrong = words("sweep s.toml -p lr=0.5,7 -p epochs=0,5 -p epoch=1 --json");
    let told = bench.run(&wrong).expect(3).error();
    assert_eq!(told["code"], "invalid_pipeline");
    for part in [
        "\"lr\" must be a number from 0 to 1, not 7",
        "\"epochs\"",
        "not 0",
        "no parameter \"epoch\"",
        "\"token\" has no value",
    ] {
        assert!(told["message"].as_str().unwrap().contains(part), "{part}: {told:#}");
    }
    for (args, code) in [
        ("sweep s.toml -p token=t", 3),
        ("sweep s.toml -p token=t -p epochs=1..10001", 3),
        ("sweep s.toml -p token=t -p epochs=1,2 --queue nowhere/at-all", 4),
        ("sweep s.toml -p token=t -p epochs=1,2 --seed 4", 2),
        ("sweep s.toml -p token=t -p epochs=1,2 --random 0", 2),
        ("sweep nothing.toml -p epochs=1,2", 4),
    ] {
        let output = bench.run(&words(args)).expect(code);
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args}: {output:?}");
    }
    assert_eq!(bench.run(&words("list --json")).expect(0).json(), json!([]));
    assert_eq!(std::fs::read_dir(bench.data().join("secrets")).map_or(0, Iterator::count), 0, "no secret is left");
}

#[test]
fn a_sweep_of_more_runs_than_a_transaction_holds_is_one_batch() {
    let bench = Bench::new();
    let stages = "[params.n]\ntype = \"integer\"\n[stages.main]\ncommand = [\"true\"]\n";
    pipeline(&bench, "large", stages);
    let all = bench.run(&words("sweep large.toml -p n=1..2100 --at +2h --json")).expect(0).json();
    assert_eq!(all["runs"].as_array().unwrap().len(), 2100);
    // What was written first as a draft is released by the last transaction.
    until(LONG, "the first one is queued", || bench.status(1) == "queued");
    assert_eq!((bench.status(2100).as_str(), &bench.show(2100)["params"]["n"]), ("queued", &json!(2100)));
}
