//! Schedules from the command line: made, shown, started by hand, paused, removed; what is refused; and what a run of one is started with.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{LONG, ended, keys, text, words};
use footplate_core::UtcMs;
use footplate_testkit::Bench;
use serde_json::{Value, json};

const FIELDS: &str = "id name kind what preset params queue priority cwd timing zone catch_up overlap enabled next_at upcoming last_run \
     missed created_at";

fn schedule(bench: &Bench, name: &str) -> Value {
    bench.run(&["schedule", "show", name, "--json"]).expect(0).json()
}

/// The number of a run that was started from a schedule by hand, ended.
fn run_now(bench: &Bench, name: &str) -> Value {
    let number = bench.run(&["schedule", "run", name, "--json"]).expect(0).json()["number"].as_i64().unwrap();
    ended(bench, number)
}

#[test]
fn a_schedule_is_made_shown_started_paused_and_removed() {
    let mut bench = Bench::new();
    // Whoever runs this may have set something up at login.
    let config = bench.root().join("config");
    bench.set_env("XDG_CONFIG_HOME", &config);
    let waits = |bench: &Bench| bench.run(&["doctor"]).expect(0).stdout.contains("until somebody looks");
    assert!(!waits(&bench));
    let made = ["schedule", "add", "nightly", "30 2 * * *", "digits", "-p", "epochs=3", "--zone", "europe/berlin"];
    let made = bench.run(&[&made[..], &["--queue", "training", "--json"]].concat()).expect(0).json();
    assert_eq!(keys(&made), words(FIELDS));
    for (field, value) in [
        ("kind", json!("template")),
        ("what", json!("digits")),
        ("params", json!({ "epochs": 3 })),
        ("zone", json!("Europe/Berlin")),
        ("timing", json!("30 2 * * *")),
        ("catch_up", json!("once")),
        ("overlap", json!("skip")),
        ("queue", json!("training")),
        ("enabled", json!(true)),
        ("last_run", Value::Null),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    let upcoming: Vec<&str> = made["upcoming"].as_array().unwrap().iter().map(|at| at.as_str().unwrap()).collect();
    assert_eq!((upcoming.len(), Some(upcoming[0])), (5, made["next_at"].as_str()));
    assert!(upcoming.iter().all(|at| at.ends_with(":30:00.000Z") && UtcMs::parse(at).is_some()), "{upcoming:?}");
    // Its runs are those of `add`: whatever this shell is.
    let added =
        bench.run(&["schedule", "add", "where", "every 6h", "--", "sh", "-c", "pwd > out; echo $COLOUR >> out"]);
    assert!(added.expect(0).stdout.starts_with("where: due in 6h 0m, "), "the next time in words");
    let run = run_now(&bench, "where");
    assert_eq!((run["status"].as_str(), run["schedule"]["name"].as_str()), (Some("completed"), Some("where")));
    assert_eq!(text(&bench, "out").lines().next(), bench.work().canonicalize().unwrap().to_str());
    assert_eq!(schedule(&bench, "where")["last_run"]["number"], run["number"]);
    assert!(run["notes"].to_string().contains("started by hand from the schedule where"), "{}", run["notes"]);
    let all = bench.run(&words("schedule list --json")).expect(0).json();
    assert_eq!(all.as_array().unwrap().iter().map(|one| &one["name"]).collect::<Vec<_>>(), ["nightly", "where"]);
    let page = bench.run(&words("schedule")).expect(0).stdout;
    for part in ["30 2 * * *", "every 6h", "digits", "#1 completed"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(waits(&bench), "nothing starts an owner after a restart");
    let unit = config.join("systemd/user/footplate.service");
    std::fs::create_dir_all(unit.parent().unwrap()).unwrap();
    std::fs::write(unit, "").unwrap();
    assert!(!waits(&bench));
    let _ = bench.run(&words("schedule pause nightly")).expect(0);
    let paused = schedule(&bench, "nightly");
    assert_eq!(
        (&paused["enabled"], &paused["next_at"], &paused["upcoming"]),
        (&json!(false), &Value::Null, &json!([]))
    );
    let goes_on = bench.run(&words("schedule unpause nightly")).expect(0).stdout;
    assert!(goes_on.starts_with("the schedule nightly goes on; it is due 20"), "{goes_on}");
    assert_eq!(schedule(&bench, "nightly")["next_at"], made["next_at"]);
    let _ = bench.run(&words("schedule rm nightly nowhere")).expect(4);
    assert!(schedule(&bench, "nightly")["enabled"].as_bool().unwrap(), "all or none");
    let gone = bench.run(&words("schedule rm nightly where nightly")).expect(0).stdout;
    assert_eq!(gone.lines().count(), 2, "{gone}");
    assert_eq!(bench.run(&words("schedule list --json")).expect(0).json(), json!([]));
    assert_eq!(bench.status(1), "completed", "its runs stay");
    bench.until_nothing_left(LONG);
}

#[test]
fn what_cannot_be_is_refused_with_the_reason_and_nothing_is_made() {
    let bench = Bench::new();
    let refused = |args: &[&str], code: i32| -> Value {
        let error = bench.run(&[&["--json", "schedule"], args].concat()).expect(code).error();
        // A fault of a value says all in its sentence.
        let told = error["code"] == "invalid_pipeline" || error["hints"].as_array().is_some_and(|all| !all.is_empty());
        assert!(told, "nothing is said of what to do: {error}");
        error
    };
    for (args, code, says) in [
        (&["add", "a", "61 * * * *", "digits"][..], 3, "\"61\" cannot be the minute of a schedule (field 1)."),
        (&["add", "a", "0 0 30 2 *", "digits"], 3, "is never due"),
        (&["add", "a", "@daily", "digits", "--zone", "Mars/Base"], 3, "no time zone \"Mars/Base\""),
        (&["add", "a", "@daily", "digts"], 4, "digts"),
        (&["add", "a", "@daily", "digits", "-p", "epochs=many"], 3, "epochs"),
        (&["add", "a", "@daily", "digits", "--queue", "trainng"], 4, "no queue"),
        (&["add", "", "@daily", "digits"], 3, "name of the schedule is empty"),
        (&["show", "a"], 4, "no schedule \"a\""),
        (&["run", "a"], 4, "no schedule \"a\""),
        (&["pause", "a"], 4, "no schedule \"a\""),
    ] {
        let error = refused(args, code);
        assert!(error["message"].as_str().unwrap().contains(says), "{args:?}: {error}");
    }
    let _ = bench.run(&["schedule", "add", "a"]).expect(2);
    let dry = bench.run(&words("schedule add a @daily digits --dry-run --zone Asia/Shanghai --json")).expect(0).json();
    assert_eq!((keys(&dry), &dry["zone"]), (words("name timing zone upcoming"), &json!("Asia/Shanghai")));
    assert_eq!(dry["upcoming"].as_array().unwrap().len(), 5);
    assert!(dry["upcoming"][0].as_str().unwrap().ends_with("T16:00:00.000Z"), "midnight there: {dry}");
    assert_eq!(bench.run(&words("schedule list --json")).expect(0).json(), json!([]), "something was made");
    let _ = bench.run(&words("schedule add nightly @daily digits")).expect(0);
    assert_eq!(refused(&["add", "nightly", "@weekly", "digits"], 5)["code"], "conflict");
    assert_eq!(refused(&["rm", "nightl"], 4)["hints"][0], "Did you mean \"nightly\"?");
    let _ = bench.run(&words("schedule rm nightly")).expect(0);
}

#[test]
fn a_run_has_the_environment_and_the_secrets_of_whoever_made_the_schedule_and_they_go_with_it() {
    let mut bench = Bench::new();
    bench.set_env("COLOUR", "green");
    bench.set_env("HUB_TOKEN", "hunter2-of-the-hub");
    bench.write(
        "p.toml",
        "format = 1\nname = \"p\"\n[params.key]\ntype = \"secret\"\n[stages.main]\nenv = { KEY = \"{{ params.key }}\" }\nshell = 'echo $COLOUR $HUB_TOKEN $KEY > out'\n",
    );
    let _ = bench.run(&words("schedule add s @daily p.toml -p key=sesame-open")).expect(0);
    // Another shell starts it.
    bench.set_env("COLOUR", "red");
    bench.set_env("HUB_TOKEN", "");
    assert_eq!(run_now(&bench, "s")["status"], "completed");
    assert_eq!(text(&bench, "out"), "green hunter2-of-the-hub sesame-open\n");
    let shown = bench.run(&words("schedule show s --json")).expect(0);
    assert_eq!(shown.json()["params"], json!({}), "a secret is shown");
    let kept = || std::fs::read_dir(bench.data().join("secrets")).unwrap().count();
    assert_eq!(kept(), 2, "one of the schedule, one of its run");
    for place in ["state.db", "state.db-wal"] {
        let bytes = std::fs::read(bench.data().join(place)).unwrap_or_default();
        assert!(!bytes.windows(11).any(|part| part == b"sesame-open"), "a secret stands in {place}");
    }
    let _ = bench.run(&words("schedule rm s")).expect(0);
    footplate_testkit::until(LONG, "its secrets are erased", || kept() == 1);
}

#[test]
fn a_template_that_was_changed_since_it_was_allowed_is_not_started_by_a_schedule() {
    let mut bench = Bench::new();
    let shift = bench.write("shift", "0");
    bench.set_env("FOOTPLATE_TEST_WALL_SHIFT", &shift);
    bench.write("project/footplate.toml", "format = 1\nname = \"demo\"\n[stages.main]\ncommand = [\"true\"]\n");
    let _ = bench.run(&words("template add project")).expect(0);
    let _ = bench.run(&["schedule", "add", "demo", "every 1h", "demo"]).expect(0);
    let template = bench.data().join("templates/demo/footplate.toml");
    let changed = std::fs::read_to_string(&template).unwrap().replace("true", "false");
    std::fs::write(&template, changed).unwrap();
    assert_eq!(bench.run(&words("schedule run demo --json")).expect(6).error()["code"], "consent_missing");
    std::fs::write(&shift, "3605000").unwrap();
    let _ = bench.run(&words("queue set training --limit 1")).expect(0);
    let missed = || schedule(&bench, "demo")["missed"].clone();
    footplate_testkit::until(LONG, "the time is told as missed", || missed() != json!([]));
    assert!(missed()[0]["why"].as_str().unwrap().contains("was changed since you allowed it"), "{}", missed());
    assert_eq!(bench.run(&words("list --json")).expect(0).json(), json!([]), "it ran");
    // It goes on once it was allowed again.
    let _ = bench.run(&words("template consent demo")).expect(0);
    std::fs::write(&shift, "7210000").unwrap();
    let _ = bench.run(&words("queue set training --limit 1")).expect(0);
    footplate_testkit::until(LONG, "the next one is started", || {
        bench.run(&words("list --json")).expect(0).json().as_array().unwrap().len() == 1
    });
    let _ = bench.run(&words("schedule rm demo")).expect(0);
}

#[test]
fn what_a_run_was_made_of_is_put_on_a_schedule() {
    let bench = Bench::new();
    let path = bench.write("p/footplate.toml", "format = 1\nname = \"p\"\n[params.n]\ntype = \"integer\"\ndefault = 1\n[stages.main]\nshell = 'echo {{ params.n }} >> out'\n");
    let folder = path.parent().unwrap().to_str().unwrap();
    let first = bench.run(&["run", folder, "-p", "n=7", "--detach", "--json"]).expect(0).json()["number"].to_string();
    let _ = bench.run(&["wait", &first]).expect(0);
    let made = bench.run(&["schedule", "add", "like", "@weekly", "--like", &first, "--json"]).expect(0).json();
    assert_eq!((&made["kind"], &made["params"]), (&json!("run"), &json!({ "n": 7 })));
    // As it was: its file may go.
    std::fs::remove_file(&path).unwrap();
    assert_eq!(run_now(&bench, "like")["status"], "completed");
    assert_eq!(text(&bench, "out"), "7\n7\n");
    let _ = bench.run(&words("schedule rm like")).expect(0);
}

#[test]
fn a_schedule_is_changed_where_it_stands_and_what_is_wrong_changes_nothing() {
    let bench = Bench::new();
    let stages = "[params.n]\ntype = \"integer\"\ndefault = 1\n[params.note]\ntype = \"string\"\ndefault = \"\"\n\
        [params.token]\ntype = \"secret\"\n[stages.main]\nshell = \"echo {{ params.n }} {{ params.note }} $TOKEN > out\"\n\
        env = { TOKEN = \"{{ params.token }}\" }\n";
    common::pipeline(&bench, "p", stages);
    let _ =
        bench.run(&["schedule", "add", "it", "every 6h", "p.toml", "-p", "n=2", "-p", "note=old", "-p", "token=one"]);
    let before = schedule(&bench, "it");
    let set = |more: &[&str]| bench.run(&[&["schedule", "set", "it"], more, &["--json"]].concat());
    for (more, code, part) in [
        (&["--when", "61 2 * * *"][..], 3, "minute"),
        (&["--when", "0 0 30 2 *"], 3, "never due"),
        (&["--zone", "Europe/Nowhere"], 3, "Nowhere"),
        (&["-p", "n=x"], 3, "whole number"),
        (&["-p", "m=1"], 3, "\"m\""),
        (&["--unset", "nn"], 3, "\"nn\""),
        (&["--unset", "token"], 3, "token"),
        (&["--when", "@daily", "-p", "n=x"], 3, "whole number"),
        (&[], 2, "nothing"),
    ] {
        let told = set(more).expect(code).error();
        assert!(told["message"].as_str().unwrap().contains(part), "{more:?}: {told:#}");
    }
    let _ = bench.run(&words("schedule set nothing --overlap queue")).expect(4);
    assert_eq!(schedule(&bench, "it"), before, "nothing changed");
    let rules = ["--when", "30 2 * * 1-5", "--zone", "asia/shanghai", "--catch-up", "skip", "--overlap", "queue"];
    let after = set(&[&rules[..], &["-p", "n=7", "--unset", "note", "-p", "token=two", "--rename", "that"]].concat());
    let after = after.expect(0).json();
    for (field, value) in [
        ("id", before["id"].clone()),
        ("name", json!("that")),
        ("timing", json!("30 2 * * 1-5")),
        ("zone", json!("Asia/Shanghai")),
        ("catch_up", json!("skip")),
        ("overlap", json!("queue")),
        ("params", json!({ "n": 7 })),
        ("created_at", before["created_at"].clone()),
        ("cwd", before["cwd"].clone()),
    ] {
        assert_eq!(after[field], value, "{field}");
    }
    assert!(after["next_at"].as_str().unwrap().contains("T18:30:00"), "02:30 in Shanghai: {after:#}");
    assert_eq!(run_now(&bench, "that")["status"], "completed");
    assert_eq!(text(&bench, "out"), "7 two\n", "the secret that was given anew");
    assert_eq!(
        std::fs::read_dir(bench.data().join("secrets")).unwrap().count(),
        2,
        "its own and its run's, the old one is gone"
    );
    // Another's name is not taken from it.
    let _ = bench.run(&["schedule", "add", "it", "@daily", "--", "true"]).expect(0);
    assert_eq!(set(&["--rename", "that"]).expect(5).error()["code"], "conflict");
    let renamed = bench.run(&words("schedule set that --overlap skip")).expect(0).stdout;
    assert!(renamed.starts_with("that: due in "), "{renamed}");
    let _ = bench.run(&words("schedule rm it that")).expect(0);
    bench.until_nothing_left(LONG);
}
