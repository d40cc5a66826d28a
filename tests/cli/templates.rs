//! Templates from the command line: made, shared, allowed, run; and nothing of a stranger's before it was allowed.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::time::Duration;

use common::{LONG, ended, gate, keys, open, stage, text, words};
use footplate_testkit::Bench;
use serde_json::{Value, json};

const PIPELINE: &str = r#"format = 1
name = "demo"
title = "A demo"
[params.epochs]
type = "integer"
default = 2
[stages.train]
command = ["sh", "{{ pipeline.dir }}/train.sh", "{{ params.epochs }}"]
env = { LR = "1" }
"#;

/// A project with a pipeline and a script that says what it was told, in a file beside where it was started.
fn project(bench: &Bench) {
    bench.write("project/footplate.toml", PIPELINE);
    bench.write("project/train.sh", "echo \"$1 epochs\" | tee -a ran\n");
}

/// The error that these words are answered with.
#[track_caller]
fn refused(bench: &Bench, line: &str, code: i32) -> Value {
    bench.run(&words(&format!("{line} --json"))).expect(code).error()
}

#[test]
fn a_template_is_made_shared_and_runs_for_another_after_consent_only() {
    let bench = Bench::new();
    project(&bench);
    // A path that is typed is consent by itself.
    assert_eq!(bench.run(&words("template add project")).expect(0).stdout, "added demo\n");
    let number = bench.run(&words("run demo --detach --json")).expect(0).json()["number"].as_i64().unwrap();
    assert_eq!(ended(&bench, number)["status"], "completed");
    assert_eq!(text(&bench, "ran"), "2 epochs\n");
    let wrote = bench.run(&words("template export demo --json")).expect(0).json();
    assert_eq!(keys(&wrote), ["name", "file", "size_bytes"]);
    assert_eq!(refused(&bench, "template export demo", 5)["code"], "conflict");
    let _ = bench.run(&words("template export demo --force")).expect(0);

    let other = Bench::new();
    std::fs::copy(bench.work().join("demo.footplate"), other.work().join("demo.footplate")).unwrap();
    let imported = other.run(&words("template import demo.footplate --json")).expect(0).json();
    assert_eq!(keys(&imported), words("name title description trust hash folder stages paths files size"));
    assert_eq!(keys(&imported["stages"][0]), words("stage argv written resume shell cwd env"));
    assert_eq!(imported["trust"], "asks");
    for line in ["run demo", "run demo --detach", "run demo --draft"] {
        let error = refused(&other, line, 6);
        assert_eq!(error["code"], "consent_missing", "{line}");
        assert!(error["hints"].to_string().contains("footplate template consent demo"), "{error}");
    }
    // Looking and planning are free.
    let _ = other.run(&words("plan demo")).expect(0);
    let shown = other.run(&words("template show demo")).expect(0);
    for part in
        ["not allowed yet", "sh '{{ pipeline.dir }}/train.sh' 2", "'{{ params.epochs }}'", "sets", "LR", "train.sh"]
    {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    assert!(shown.stderr.contains("footplate template consent demo"), "{}", shown.stderr);
    assert_eq!(other.run(&words("list --json")).expect(0).json(), json!([]));
    assert_eq!(text(&other, "ran"), "");

    let stale = "0".repeat(64);
    assert_eq!(refused(&other, &format!("template consent demo --hash {stale}"), 5)["code"], "conflict");
    let hash = imported["hash"].as_str().unwrap();
    let allowed = other.run(&["template", "consent", "demo", "--hash", hash, "--json"]).expect(0).json();
    assert_eq!(allowed, json!({ "name": "demo", "done": "allowed", "trust": "allowed" }));
    let _ = other.run(&words("run demo -p epochs=5")).expect(0);
    assert_eq!(text(&other, "ran"), "5 epochs\n");

    // A change on disk asks again, for a retry too.
    std::fs::write(other.data().join("templates/demo/train.sh"), "touch evil\n").unwrap();
    assert_eq!(refused(&other, "run demo", 6)["code"], "consent_missing");
    assert_eq!(refused(&other, "retry 1", 6)["code"], "consent_missing");
    let listed = other.run(&words("template list --json")).expect(0).json();
    let row = listed.as_array().unwrap().iter().find(|row| row["name"] == "demo").unwrap();
    assert_eq!(keys(row), words("name source trust title description stages expected_s file faults"));
    assert_eq!((&row["source"], &row["trust"]), (&json!("own"), &json!("asks")));
    other.until_nothing_left(LONG);
    assert!(!other.work().join("evil").exists());
}

#[test]
fn what_was_changed_while_it_waited_its_turn_is_held_until_it_is_allowed() {
    let bench = Bench::new();
    bench.write("project/look.sh", "touch looked\n");
    bench.write(
        "project/footplate.toml",
        format!(
            "format = 1\nname = \"demo\"\n[stages.train]\nshell = \"{}\"\n[stages.look]\nneeds = [\"train\"]\ncommand = [\"sh\", \"{{{{ pipeline.dir }}}}/look.sh\"]\n",
            gate("go")
        ),
    );
    let _ = bench.run(&words("template add project")).expect(0);
    let number = bench.run(&words("run demo --detach --json")).expect(0).json()["number"].as_i64().unwrap();
    bench.until_status(number, "running", LONG);
    std::fs::write(bench.data().join("templates/demo/look.sh"), "touch evil\n").unwrap();
    open(&bench, "go");
    bench.until(LONG, || stage(&bench.show(number), "look")["status"] == "held");
    let shown = bench.show(number);
    let waiting = &stage(&shown, "look")["waiting"];
    assert!(waiting["detail"].as_str().unwrap().contains("was changed since you allowed it"), "{waiting}");
    assert_eq!(stage(&shown, "train")["status"], "completed");
    assert!(!bench.work().join("evil").exists() && !bench.work().join("looked").exists());
    // Allowed as it was before, it starts at once, and not when what is held is looked at by itself, half a minute later.
    std::fs::write(bench.data().join("templates/demo/look.sh"), "touch looked\n").unwrap();
    let _ = bench.run(&words("template consent demo")).expect(0);
    bench.until_status(number, "completed", Duration::from_secs(15));
    bench.until_nothing_left(LONG);
    assert!(!bench.work().join("evil").exists() && bench.work().join("looked").exists());
}

#[test]
fn a_run_becomes_a_template_and_templates_are_renamed_and_removed() {
    let bench = Bench::new();
    project(&bench);
    let _ = bench.run(&words("run project -p epochs=7")).expect(0);
    let _ = bench.run(&["template", "add", "--run", "1", "--title", "Seven epochs"]).expect(0);
    let _ = bench.run(&words("template rename seven-epochs seven")).expect(0);
    let _ = bench.run(&words("run seven")).expect(0);
    assert_eq!(text(&bench, "ran"), "7 epochs\n7 epochs\n");
    let _ = bench.run(&words("add -- sh -c true")).expect(0);
    let _ = bench.run(&words("template add --run 3 --name once")).expect(0);
    let _ = bench.run(&words("run once")).expect(0);
    let names = |bench: &Bench| -> Vec<String> {
        let listed = bench.run(&words("template list --json")).expect(0).json();
        listed.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&bench), ["digits", "once", "seven"]);
    let _ = bench.run(&words("template rm once seven")).expect(0);
    assert_eq!(names(&bench), ["digits"]);
    assert_eq!(refused(&bench, "template rm seven", 4)["code"], "not_found");
    assert_eq!(refused(&bench, "template rm digits", 5)["code"], "conflict");
    let digits = bench.run(&words("template show digits")).expect(0).stdout;
    assert!(digits.contains("part of Footplate") && digits.contains("footplate-sample prepare"), "{digits}");
    // The runs stay.
    assert_eq!(bench.show(2)["status"], "completed");
}

#[test]
fn a_template_that_was_broken_later_is_listed_with_its_faults_and_comes_back_when_mended() {
    let bench = Bench::new();
    project(&bench);
    let _ = bench.run(&words("template add project")).expect(0);
    let file = bench.data().join("templates/demo/footplate.toml");
    std::fs::write(&file, PIPELINE.replace("command =", "comand =")).unwrap();
    let listed = bench.run(&words("template list")).expect(0);
    let row = listed.stdout.lines().find(|line| line.starts_with("demo")).unwrap();
    assert!(row.contains("cannot be read"), "{row}");
    for part in ["demo/footplate.toml:8:", "comand", "did you mean \"command\"?", "footplate template rm demo"] {
        assert!(listed.stderr.contains(part), "{part}: {}", listed.stderr);
    }
    let rows = bench.run(&words("template list --json")).expect(0).json();
    let row = rows.as_array().unwrap().iter().find(|row| row["name"] == "demo").unwrap();
    assert_eq!(keys(row), words("name source trust title description stages expected_s file faults"));
    assert_eq!((&row["trust"], &row["faults"][0]["line"]), (&Value::Null, &json!(8)));
    assert_eq!(row["file"].as_str(), file.to_str());
    assert_eq!(refused(&bench, "run demo", 3)["code"], "invalid_pipeline");
    std::fs::write(&file, PIPELINE).unwrap();
    let listed = bench.run(&words("template list")).expect(0);
    assert_eq!(listed.stderr, "");
    std::fs::write(&file, "format = ").unwrap();
    let _ = bench.run(&words("template rm demo")).expect(0);
    assert!(!bench.run(&words("template list")).expect(0).stdout.contains("demo"));
}

#[test]
fn a_hostile_archive_is_refused_with_a_sentence() {
    let bench = Bench::new();
    bench.write("a.footplate", "PK not really");
    let error = refused(&bench, "template import a.footplate", 6);
    assert_eq!(error["code"], "refused");
    assert!(error["message"].as_str().unwrap().contains("not a"), "{error}");
    assert_eq!(refused(&bench, "template import gone.footplate", 4)["code"], "not_found");
    bench.write("folder/README.md", "");
    let _ = bench.run(&words("template add folder")).expect(4);
}
