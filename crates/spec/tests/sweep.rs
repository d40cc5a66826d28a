//! Sweeps: the values they make, and what is wrong with those that cannot be made.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use footplate_core::definition::Definition;
use footplate_spec::sweep::{Choice, Swept, read, sweep};
use footplate_spec::{Problems, parse_toml};

fn definition() -> Definition {
    let text = r#"
format = 1
name = "s"
[params.lr]
type = "number"
default = 0.1
minimum = 0
maximum = 1
[params.epochs]
type = "integer"
default = 20
minimum = 1
maximum = 1000
[params.amp]
type = "boolean"
default = true
[params.optimizer]
type = "choice"
choices = ["adam", "sgd"]
default = "adam"
[params.note]
type = "string"
default = "none"
[params.token]
type = "secret"
[presets.quick]
epochs = 3
[stages.train]
command = ["true"]
"#;
    parse_toml(text.as_bytes()).unwrap()
}

fn given(all: &[&str]) -> Vec<(String, String)> {
    let pair = |text: &&str| text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap();
    all.iter().map(pair).chain([("token".to_owned(), "a,b".to_owned())]).collect()
}

fn grid(all: &[&str]) -> Result<Swept, Problems> {
    sweep(&definition(), None, &given(all), Choice::Grid)
}

fn random(runs: usize, seed: u64, all: &[&str]) -> Result<Swept, Problems> {
    sweep(&definition(), None, &given(all), Choice::Random { runs, seed })
}

/// The values of one parameter, as JSON.
fn values(swept: &Swept, name: &str) -> Vec<String> {
    swept.runs.iter().map(|run| run[name].to_string()).collect()
}

#[test]
fn a_grid_is_every_combination_in_order() {
    let swept = grid(&["lr=1e-4,3e-4", "epochs=5..20:5", "note=fixed"]).unwrap();
    assert_eq!(swept.varied, ["lr", "epochs"]);
    assert_eq!(values(&swept, "lr")[..5], ["0.0001", "0.0001", "0.0001", "0.0001", "0.0003"]);
    assert_eq!(values(&swept, "epochs"), ["5", "10", "15", "20", "5", "10", "15", "20"]);
    for run in &swept.runs {
        assert_eq!(run.keys().collect::<Vec<_>>(), ["lr", "epochs", "amp", "optimizer", "note", "token"]);
        assert_eq!((run["note"].as_str(), run["amp"].as_bool()), (Some("fixed"), Some(true)));
        assert_eq!(run["token"], "a,b", "a secret is one value");
    }
}

#[test]
fn every_kind_of_value_has_its_list() {
    let one = |text: &str| {
        let name = text.split('=').next().unwrap().to_owned();
        values(&grid(&[text]).unwrap(), &name)
    };
    assert_eq!(one("epochs=1,7..9,20"), ["1", "7", "8", "9", "20"]);
    assert_eq!(one("epochs=5..19:7"), ["5", "12", "19"]);
    assert_eq!(one("epochs=5..18:7"), ["5", "12"], "an end that no step reaches is left out");
    assert_eq!(one("lr=0.1..0.5:0.1"), ["0.1", "0.2", "0.3", "0.4", "0.5"]);
    assert_eq!(one("lr=1e-4..4e-4:1e-4"), ["0.0001", "0.0002", "0.0003", "0.0004"]);
    assert_eq!(one("lr=0..1:0.5"), ["0", "0.5", "1"]);
    assert_eq!(one("amp=yes,off"), ["true", "false"]);
    assert_eq!(one("optimizer=sgd,adam"), ["\"sgd\"", "\"adam\""]);
    assert_eq!(one(r"note=a\,b,../c"), ["\"a,b\"", "\"../c\""], "text has no ranges, and may have commas");
}

#[test]
fn random_runs_differ_and_are_the_same_for_the_same_seed() {
    let asked = ["lr=1e-5..1e-1:log", "epochs=5..50", "amp=true,false"];
    let first = random(200, 7, &asked).unwrap();
    assert_eq!(first, random(200, 7, &asked).unwrap());
    assert_ne!(first.runs, random(200, 8, &asked).unwrap().runs);
    let rates: Vec<f64> = first.runs.iter().map(|run| run["lr"].as_f64().unwrap()).collect();
    assert!(rates.iter().all(|rate| (1e-5..=1e-1).contains(rate)));
    let small = rates.iter().filter(|rate| **rate < 1e-3).count();
    assert!((70..130).contains(&small), "half of them are in the lower half of the exponents: {small}");
    assert!(first.runs.iter().all(|run| (5..=50).contains(&run["epochs"].as_i64().unwrap())));
    let even = random(200, 7, &["lr=0..1"]).unwrap();
    let small = even.runs.iter().filter(|run| run["lr"].as_f64().unwrap() < 0.5).count();
    assert!((70..130).contains(&small), "{small}");
    // As many as there are: each of them once.
    let all = random(92, 1, &["epochs=5..50", "amp=true,false"]).unwrap();
    let mut pairs: Vec<String> = all.runs.iter().map(|run| format!("{} {}", run["epochs"], run["amp"])).collect();
    pairs.sort_unstable();
    pairs.dedup();
    assert_eq!(pairs.len(), 92);
    let whole = random(30, 1, &["epochs=1..1000:log"]).unwrap();
    assert!(whole.runs.iter().filter(|run| run["epochs"].as_i64().unwrap() < 32).count() > 8);
}

#[test]
fn the_drawn_values_stay_what_they_are() {
    // Whoever notes a seed may rely on it: a change here breaks that.
    let swept = random(3, 42, &["lr=1e-5..1e-2:log", "epochs=5..20:5"]).unwrap();
    insta::assert_compact_json_snapshot!((values(&swept, "lr"), values(&swept, "epochs")));
}

#[test]
fn all_faults_are_told_at_once_with_name_and_value() {
    let problems = grid(&["lr=0.5,2,x", "epochs=0..5,20..7", "optimizer=adm", "nots=1", "lr=1"]).unwrap_err();
    let said = problems.to_string();
    for part in [
        "\"lr\" must be a number from 0 to 1, not 2",
        "not \"x\"",
        "not 0",
        "begins above its end",
        "did you mean \"adam\"",
        "no parameter \"nots\"",
        "\"lr\" is given twice",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let without = sweep(&definition(), Some("quik"), &[("epochs".into(), "1,2".into())], Choice::Grid).unwrap_err();
    let said = without.to_string();
    assert!(said.contains("\"token\" has no value") && said.contains("did you mean \"quick\""), "{said}");
}

#[test]
fn what_makes_no_sweep_is_told() {
    let cases: [(Result<Swept, Problems>, &str); 14] = [
        (grid(&["epochs=5"]), "nothing varies"),
        (grid(&["epochs=5..5"]), "nothing varies"),
        (grid(&["epochs=1..1000", "lr=0..1:0.01"]), "101000 runs; the limit is 10000"),
        (grid(&["epochs=1..1000", "lr=0..1:1e-300"]), "the limit is 10000"),
        (grid(&["lr=0..1"]), "has no steps"),
        (grid(&["lr=1e-4..1:log"]), "--random"),
        (grid(&["epochs=5,5"]), "has the value 5 twice"),
        (grid(&["epochs=1..9:0"]), "has the step \"0\""),
        (grid(&["lr=0..1:-1"]), "has the step \"-1\""),
        (grid(&["epochs=1..2..3"]), "not \"2..3\""),
        (random(10, 1, &["amp=true,false"]), "these values make 2"),
        (random(10, 1, &["lr=0..1:log"]), "above 0"),
        (random(20_000, 1, &["lr=0..1"]), "the limit is 10000"),
        (random(10, 1, &["lr=0..0.5,0.7"]), "stands alone"),
    ];
    for (answer, part) in cases {
        let said = answer.expect_err(part).to_string();
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn what_was_read_tells_how_many_values_each_has_and_whose_each_fault_is() {
    let reading = read(&definition(), None, &given(&["lr=1e-5..1e-1:log", "epochs=5..500:5", "amp=true,false"]), true);
    assert_eq!(reading.problems, []);
    let varied: Vec<(String, Option<u128>, String)> = reading
        .varied(3)
        .map(|one| (one.name.to_owned(), one.count, serde_json::to_string(&one.first).unwrap()))
        .collect();
    let wanted = [("lr", None, "[]"), ("epochs", Some(100), "[5,10,15]"), ("amp", Some(2), "[true,false]")];
    assert_eq!(varied, wanted.map(|(name, count, first)| (name.to_owned(), count, first.to_owned())));
    // Faults have their names; what can be read beside them is told all the same.
    let mut texts = given(&["lr=7", "epochs=1,2", "nots=1"]);
    texts.pop();
    let reading = read(&definition(), Some("quik"), &texts, false);
    let whose: Vec<Option<&str>> = reading.problems.iter().map(|problem| problem.param.as_deref()).collect();
    assert_eq!(whose, [Some("lr"), Some("nots"), None, Some("token")], "{:?}", reading.problems);
    assert_eq!(reading.varied(9).map(|one| one.name.to_owned()).collect::<Vec<_>>(), ["epochs"]);
}
