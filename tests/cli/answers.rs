//! What verbs answer where something is not as whoever typed them thinks: each says so, and says what is true.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{ended, keys, pipeline, run, stage, words};
use footplate_testkit::{Bench, Pretend};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

#[test]
fn each_fault_of_a_pipeline_has_its_hint_right_below_it() {
    let bench = Bench::new();
    let path = pipeline(
        &bench,
        "three",
        "[stages.train]\ncommand = [\"true\"]\ncomand = [\"x\"]\n[stages.b]\nneeds = [\"tarin\"]\ncommand = [\"true\"]\ntimout = \"1h\"\n",
    );
    let plain = bench.run(&["plan", &path]).expect(3).stderr;
    let lines: Vec<&str> = plain.lines().collect();
    for (fault, hint) in [("\"comand\"", "command"), ("\"tarin\"", "train"), ("\"timout\"", "timeout")] {
        let at = lines.iter().position(|line| line.contains(fault)).unwrap_or_else(|| panic!("no {fault}: {plain}"));
        assert_eq!(lines[at + 1], format!("  hint: did you mean \"{hint}\"?"), "{plain}");
    }
    assert_eq!(plain.matches("hint:").count(), 3, "each is said once: {plain}");
    let error = bench.run(&["plan", &path, "--json"]).expect(3).error();
    assert_eq!(keys(&error), ["code", "message", "hints", "problems"]);
    assert_eq!(error["hints"].as_array().unwrap().len(), 3, "{error}");
    let first = &error["problems"][0];
    assert_eq!(keys(first), ["code", "file", "line", "column", "message", "hint"]);
    assert_eq!((first["code"].as_str(), first["line"].as_u64()), (Some("unknown_key"), Some(5)), "{first}");
    assert!(error["message"].as_str().unwrap().contains(first["message"].as_str().unwrap()));
    // What has no parts has no list of them.
    assert_eq!(keys(&bench.run(&words("show 9 --json")).expect(4).error()), ["code", "message", "hints"]);
}

#[test]
fn a_parameter_that_is_given_twice_is_refused() {
    let bench = Bench::new();
    let path =
        pipeline(&bench, "twice", "[params.n]\ntype = \"integer\"\ndefault = 1\n[stages.a]\ncommand = [\"true\"]\n");
    for verb in ["plan", "run", "sweep"] {
        let output = bench.run(&[verb, &path, "-p", "n=2", "-p", "n=3", "--json"]).expect(3);
        let error = output.error();
        assert_eq!(error["problems"][0]["code"], "twice", "{verb}: {error}");
        assert!(output.stderr.contains("parameter \"n\" is given twice"), "{verb}: {output:?}");
        assert!(output.stderr.contains("-p n=A,B"), "{verb}: {output:?}");
    }
    assert_eq!(bench.run(&words("list --json")).expect(0).json(), json!([]));
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let bench = Bench::new();
    let fifo = |name: &str| {
        bench.write(name, "");
        let path = bench.work().join(name);
        std::fs::remove_file(&path).unwrap();
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    };
    fifo("pipe.toml");
    fifo("folder/footplate.toml");
    fifo("pipe.footplate");
    std::os::unix::fs::symlink("/dev/zero", bench.work().join("zero.json")).unwrap();
    for (line, what) in [
        ("plan pipe.toml", "pipe.toml\" is a FIFO"),
        ("run pipe.toml --detach", "pipe.toml\" is a FIFO"),
        ("sweep pipe.toml -p a=1,2", "pipe.toml\" is a FIFO"),
        ("schedule add x @daily pipe.toml", "pipe.toml\" is a FIFO"),
        ("plan folder", "footplate.toml\" is a FIFO"),
        ("plan zero.json", "zero.json\" is a device"),
    ] {
        let output = bench.run(&words(line)).expect(3);
        assert!(output.stderr.contains(what) && output.stderr.contains("read from a file"), "{line}: {output:?}");
    }
    for line in ["template import pipe.footplate", "template add folder"] {
        let output = bench.run(&words(line));
        assert!(output.code != 0 && output.stderr.starts_with("error: "), "{line}: {output:?}");
    }
}

#[test]
fn a_queue_that_is_not_there_is_told_by_the_list() {
    let bench = Bench::new();
    let output = bench.run(&words("list --queue trainig --json")).expect(4);
    assert_eq!(output.error()["code"], "not_found");
    assert!(output.stderr.contains("There is no queue \"trainig\"."), "{output:?}");
    assert!(
        output.stderr.contains("Did you mean \"training\"?") && output.stderr.contains("maintenance"),
        "{output:?}"
    );
    // One without runs is another thing.
    assert_eq!(bench.run(&words("list --queue training --json")).expect(0).json(), json!([]));
}

#[test]
fn a_plan_says_what_is_not_there_now() {
    let bench = Bench::new();
    let path = pipeline(
        &bench,
        "lacks",
        "[stages.a]\ncommand = [\"no_such_program\"]\nsecrets = [\"NO_SUCH_TOKEN\"]\n[stages.b]\ncommand = [\"sh\"]\ncwd = \"gone\"\n\
         [stages.c]\nneeds = [\"a\"]\ncommand = [\"./made\"]\n",
    );
    let text = bench.run(&["plan", &path]).expect(0).stdout;
    for said in [
        "a: \"no_such_program\" was not found. Install it",
        "a: The secret NO_SUCH_TOKEN is not in the environment.",
        "b: The folder",
    ] {
        assert!(text.contains(said), "no {said:?} in {text}");
    }
    let told = bench.run(&["plan", &path, "--json"]).expect(0).json();
    let missing = told["missing"].as_array().unwrap();
    assert_eq!(missing.iter().map(|one| &one["need"]).collect::<Vec<_>>(), ["program", "secret", "folder"]);
    assert_eq!(keys(&missing[0]), ["stages", "need", "sure", "detail", "hint"]);
    // As in the environment that the run would have.
    std::fs::create_dir(bench.work().join("gone")).unwrap();
    let output = bench.footplate(["plan", &path, "--json"]).env("NO_SUCH_TOKEN", "x").output();
    let told: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    assert_eq!(told["missing"].as_array().map(Vec::len), Some(1), "{told:#}");
}

/// A stage that fails at its first attempt, after it saved what `save` is; with `resume` where that is given.
fn fails_once(bench: &Bench, name: &str, save: bool, resume: bool) -> String {
    let save = if save { "open('saved.bin', 'w').write('x'); os.utime('saved.bin', (1, 1))" } else { "pass" };
    let body = format!("if os.environ['FOOTPLATE_ATTEMPT'] == '1':\n    {save}\n    os.kill(os.getpid(), 9)\n");
    let program = Pretend::python(&bench.work(), &format!("{name}.py"), &body);
    let keys = "resume = [\"--resume\", \"{{ checkpoint.path }}\"]\ncheckpoints = { files = \"saved.bin\" }\n";
    format!("[stages.{name}]\ncommand = {:?}\n{}", program.argv(), if resume { keys } else { "" })
}

#[test]
fn resume_is_offered_only_where_a_stage_can_and_says_who_begins_anew() {
    let bench = Bench::new();
    let hints = |run: &Value| run["error"]["hints"].to_string();
    let of = |name: &str, text: &str| run(&bench, &pipeline(&bench, name, text), &[]);
    let plain = of("plain", &fails_once(&bench, "a", false, false));
    assert!(hints(&plain).contains("footplate retry 1") && !hints(&plain).contains("footplate resume"), "{plain:#}");

    let nothing = of("nothing", &fails_once(&bench, "b", false, true));
    assert!(hints(&nothing).contains("footplate resume 2"), "{nothing:#}");
    let said = bench.run(&words("resume 2")).expect(0).stdout;
    assert_eq!(said, "#2 has no checkpoint to go on from; from the beginning: b\n");

    let both = format!("{}{}", fails_once(&bench, "c", true, true), fails_once(&bench, "d", false, false));
    let _ = of("both", &both);
    let said = bench.run(&words("resume 3")).expect(0).stdout;
    assert_eq!(said, "#3 goes on with c; from the beginning: d\n");
    assert_eq!(ended(&bench, 3)["status"], "completed");
}

#[test]
fn a_value_that_json_has_no_word_for_costs_no_other() {
    let bench = Bench::new();
    let script = r###"
echo '##PROGRESS##{"step":3,"metrics":{"loss":NaN,"lr":0.5},"output":{"told":-Infinity}}##'
echo '{"accuracy": NaN, "rows": 7}' >> "$FOOTPLATE_OUTPUT"
"###;
    let program = bench.write("hands_on.sh", script).display().to_string();
    let number = bench.add(&[], &["sh", &program]);
    let run = ended(&bench, number);
    let main = stage(&run, "main");
    assert_eq!(main["outputs"], json!({ "accuracy": "nan", "rows": 7, "told": "-inf" }), "{main:#}");
    assert_eq!((&main["metrics"]["loss"], &main["metrics"]["lr"]), (&json!(null), &json!(0.5)), "{main:#}");
    assert_eq!(main["attempts"][0]["notes"], json!([]));
    let points = bench.run(&words("metrics 1 --json")).expect(0).json();
    assert_eq!(points.as_array().map(Vec::len), Some(2), "{points:#}");
}
