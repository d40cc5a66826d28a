//! Bad inputs and what they get (8-safety): a table of what is typed, the exit code, the code for programs, and the essential part of the
//! sentence. What floods, lies and dies while it runs is in `survive` and `wrongs`; faults of pipeline files one by one are in the tests of
//! `crates/spec`.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::os::unix::fs::PermissionsExt;

use common::{LONG, ended, gate, open, pipeline, run, stage, start, words};
use footplate_testkit::{Bench, Output, until};
use serde_json::{Value, json};

/// What is typed, the exit code, the code for programs, and what the answer must hold.
struct Case {
    args: Vec<String>,
    stdin: Vec<u8>,
    exit: i32,
    code: &'static str,
    says: Vec<&'static str>,
}

fn case(args: &[&str], exit: i32, code: &'static str, says: &[&'static str]) -> Case {
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    Case { args, stdin: Vec::new(), exit, code, says: says.to_vec() }
}

fn line(text: &str, exit: i32, code: &'static str, says: &[&'static str]) -> Case {
    case(&text.split(' ').collect::<Vec<_>>(), exit, code, says)
}

/// The same with and without `--json`: the exit code and the sentence; with it, the code and an object.
#[track_caller]
fn check(bench: &Bench, case: &Case) {
    let shown: Vec<String> = case.args.iter().map(|arg| arg.chars().take(60).collect()).collect();
    let mut with_json = vec!["--json".to_owned()];
    with_json.extend(case.args.iter().cloned());
    let whole = |output: &Output| -> String {
        assert_eq!(output.code, case.exit, "{shown:?}: {output:?}");
        assert_eq!(output.stdout, "", "{shown:?}: an answer on stdout");
        assert!(output.stderr.len() < 4000, "{shown:?}: {} bytes", output.stderr.len());
        assert!(!output.stderr.contains("panicked"), "{shown:?}: {}", output.stderr);
        output.stderr.clone()
    };
    let plain = whole(&bench.run_with_stdin(&case.args, &case.stdin));
    for part in &case.says {
        assert!(plain.contains(part), "{shown:?}: {part:?} is not in {plain}");
    }
    assert!(!plain.contains("{\"error\""), "{shown:?}: JSON unasked: {plain}");
    let output = bench.run_with_stdin(&with_json, &case.stdin);
    whole(&output);
    let error = output.error();
    assert_eq!(error["code"], case.code, "{shown:?}: {error}");
    assert!(
        error["message"].as_str().is_some_and(|m| !m.is_empty()) && error["hints"].is_array(),
        "{shown:?}: {error}"
    );
}

fn check_all(bench: &Bench, cases: &[Case]) {
    for case in cases {
        check(bench, case);
    }
    assert_eq!(bench.run(&["list", "--json"]).expect(0).json(), json!([]), "nothing was submitted");
}

#[test]
fn what_cannot_be_added() {
    let bench = Bench::new();
    bench.write("file", "");
    let long = "n".repeat(10_000);
    let mut nul = line("add --stdin", 3, "invalid", &["line 2", "argument 1", "NUL"]);
    nul.stdin = b"[\"true\"]\n[\"echo\", \"a\\u0000b\"]\n".to_vec();
    let mut not_strings =
        line("add --stdin", 3, "invalid", &["line 1", "not a JSON array of strings", "[\"python\", \"train.py\"]"]);
    not_strings.stdin = b"[\"true\", 1]\n".to_vec();
    let mut quote = line("add --stdin", 3, "invalid", &["line 1", "a quote is not closed"]);
    quote.stdin = b"echo 'a\n".to_vec();
    let mut empty = line("add --stdin", 3, "invalid", &["line 1", "no program is named"]);
    empty.stdin = b"[]\n".to_vec();
    let mut huge = line(
        "add --stdin",
        3,
        "invalid",
        &["Argument 1", "200000 bytes", "the system's limit", "Write it into a file"],
    );
    huge.stdin = format!("{}\n", json!(["echo", "x".repeat(200_000)])).into_bytes();
    let mut too_long = line("add --stdin", 3, "invalid", &["the system's limit is", "Write long lists into a file"]);
    too_long.stdin = format!("{}\n", json!(vec!["y".repeat(100_000); 30])).into_bytes();
    check_all(
        &bench,
        &[
            line("add --cwd /no/such/folder -- true", 3, "cwd_missing", &["/no/such/folder"]),
            line("add --cwd file -- true", 3, "invalid", &["file", "not a folder"]),
            line("add", 2, "usage", &["PROGRAM ARGS"]),
            line("add --", 2, "usage", &["PROGRAM ARGS"]),
            line("add python train.py --lr 1", 2, "usage", &["footplate add -- python train.py --lr 1"]),
            line("add --cpus 2 ./a", 2, "usage", &["footplate add --cpus 2 -- ./a"]),
            case(&["add", "--", ""], 3, "invalid", &["no program is named"]),
            case(&["add", "--", " ", "x"], 3, "invalid", &["no program is named"]),
            nul,
            not_strings,
            quote,
            empty,
            huge,
            too_long,
            case(&["add", "--env", "=x", "--", "true"], 3, "invalid", &["name of an environment variable", "empty"]),
            case(&["add", "--env", "NO_SUCH", "--", "true"], 3, "invalid", &["NO_SUCH", "--env NO_SUCH=VALUE"]),
            line("add --gpus 60 -- true", 3, "impossible_resources", &["60 GPUs; this machine has"]),
            line("add --memory 900TB -- true", 3, "impossible_resources", &["900TB of memory; this machine has"]),
            line("add --cpus 4000 -- true", 3, "impossible_resources", &["4000 cores; this machine has"]),
            line("add --memory -1 -- true", 2, "usage", &["\"-1\"", "2GB"]),
            line("add --memory lots -- true", 2, "usage", &["\"lots\"", "2GB"]),
            line(
                "add --priority high -- true",
                2,
                "usage",
                &["\"high\" is not a priority", "-100 to 100", "for example 10"],
            ),
            line("add --priority 101 -- true", 2, "usage", &["\"101\"", "-100 to 100"]),
            case(&["add", "--timeout", "5 min utes", "--", "true"], 2, "usage", &["\"5 min utes\"", "30s, 10m, 1h30m"]),
            line("add --timeout 0s -- true", 2, "usage", &["\"0s\" is no time at all"]),
            line("add --retries 1e9 -- true", 2, "usage", &["\"1e9\"", "0 to 100"]),
            line("add --retries -1 -- true", 2, "usage", &["\"-1\"", "0 to 100"]),
            line("add --at yesterday -- true", 2, "usage", &["\"yesterday\" is not a time", "23:00", "+2h"]),
            line(
                "add --queue trainig -- true",
                4,
                "not_found",
                &["no queue \"trainig\"", "Did you mean \"training\"?"],
            ),
            line("add --after 77 -- true", 4, "not_found", &["no run \"77\""]),
            case(&["add", "--name", &long, "--", "true"], 3, "invalid", &["10000 characters; the limit is 200"]),
            case(&["add", "--name", "a\nb", "--", "true"], 3, "invalid", &["control character \\u{a}"]),
            case(&["add", "--name", "a\u{1b}[31m", "--", "true"], 3, "invalid", &["control character \\u{1b}"]),
            case(&["add", "--name", "", "--", "true"], 3, "invalid", &["The name is empty", "1 to 200 characters"]),
            case(&["add", "--tag", "a\tb", "--", "true"], 3, "invalid", &["The tag", "control character"]),
        ],
    );
    assert!(!bench.work().join("pwned").exists());
}

#[test]
fn names_of_any_letters_are_taken_and_shown_so_that_they_command_nothing() {
    let bench = Bench::new();
    for (name, shown) in [("训练 🚂", "训练 🚂"), ("\u{202e}gnp.exe", "<U+202E>gnp.exe"), ("größer", "größer")]
    {
        let number = bench.add(&["--name", name], &["true"]);
        assert_eq!(ended(&bench, number)["name"], name);
        let listed = bench.run(&["list", "--limit", "1"]).expect(0).stdout;
        assert!(listed.contains(shown), "{listed}");
        assert!(!listed.contains('\u{202e}'), "{listed}");
    }
}

#[test]
fn pipelines_with_faults() {
    let bench = Bench::new();
    let one = "[stages.a]\ncommand = [\"true\"]\n";
    let file = |name: &str, text: &str| pipeline(&bench, name, text);
    let stages = |count: usize| (0..count).map(|n| format!("[stages.s{n}]\ncommand=[\"true\"]\n")).collect::<String>();
    let utf16: Vec<u8> = "format = 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let raw = |name: &str, bytes: &[u8]| bench.write(name, bytes).display().to_string();
    let cases = [
        (
            file(
                "circle",
                "[stages.a]\nneeds = [\"b\"]\ncommand = [\"true\"]\n[stages.b]\nneeds = [\"a\"]\ncommand = [\"true\"]\n",
            ),
            &["a -> b -> a"][..],
        ),
        (
            file(
                "need",
                "[stages.train]\ncommand = [\"true\"]\n[stages.b]\nneeds = [\"tarin\"]\ncommand = [\"true\"]\n",
            ),
            &["need.toml:6:", "\"tarin\"", "did you mean \"train\"?"],
        ),
        (file("twice", &format!("{one}{one}")), &["twice.toml:5:9", "\"a\" is there twice: on line 3 and on line 5"]),
        (file("case", &format!("{one}[stages.A]\ncommand = [\"true\"]\n")), &["case.toml:5:9", "\"A\""]),
        (file("many", &stages(100_000)), &["100000 stages", "5000"]),
        (
            file("key", "[stages.a]\ncomand = [\"true\"]\n"),
            &["key.toml:4:1", "a stage has no key \"comand\"", "did you mean \"command\"?"],
        ),
        (raw("newer.toml", b"format = 2\nname = \"x\"\n"), &["newer.toml:1:10", "please update Footplate"]),
        (raw("utf16.toml", &utf16), &["UTF-16", "save it as UTF-8"]),
        (
            file("double", "[stages.a]\ncommand = [\"true\"]\ntimeout = \"1h\"\ntimeout = \"2h\"\n"),
            &["double.toml:6:1", "on line 5 and on line 6"],
        ),
        (file("deep", &format!("x = {}1{}\n{one}", "[".repeat(10_000), "]".repeat(10_000))), &["deep.toml:3:"]),
        (
            raw(
                "deep.json",
                format!(
                    "{{\"format\": 1, \"name\": \"x\", \"stages\": {}{}}}",
                    "[".repeat(100_000),
                    "]".repeat(100_000)
                )
                .as_bytes(),
            ),
            &["deep.json:1:"],
        ),
        (file("empty", "[stages.a]\ncommand = []\n"), &["empty.toml:4:"]),
        (file("nul", "[stages.a]\ncommand = [\"echo\", \"a\\u0000b\"]\n"), &["NUL"]),
        (file("variable", "[stages.a]\ncommand = [\"true\"]\nenv = { \"A=B\" = \"x\" }\n"), &["\"A=B\""]),
        (file("priority", &format!("priority = 1000\n{one}")), &["priority.toml:3:", "-100", "100"]),
        (
            file("timeout", "[stages.a]\ncommand = [\"true\"]\ntimeout = \"5 min utes\"\n"),
            &["timeout.toml:5:", "5 min utes", "1h30m"],
        ),
        (
            file("retries", "[stages.a]\ncommand = [\"true\"]\nretries = { max = 1000000000 }\n"),
            &["retries.toml:5:", "100"],
        ),
        (
            file("bounds", &format!("[params.n]\ntype = \"integer\"\nminimum = 1\nmaximum = 3\ndefault = 9\n{one}")),
            &["bounds.toml:7:", "9"],
        ),
        (file("expression", "[stages.a]\ncommand = [\"{{ params.nothing }}\"]\n"), &["expression.toml:4:", "nothing"]),
    ];
    for (path, says) in &cases {
        check(&bench, &case(&["run", path, "--detach"], 3, "invalid_pipeline", says));
        check(&bench, &case(&["plan", path], 3, "invalid_pipeline", says));
    }
    let good = file(
        "good",
        &format!(
            "[params.n]\ntype = \"integer\"\nminimum = 1\nmaximum = 3\ndefault = 2\n[presets.quick]\nn = 1\n{one}"
        ),
    );
    check_all(
        &bench,
        &[
            case(&["plan", &good, "-p", "n=9"], 3, "invalid_pipeline", &["9", "3"]),
            case(&["plan", &good, "-p", "n=two"], 3, "invalid_pipeline", &["two"]),
            case(&["plan", &good, "-p", "m=1"], 3, "invalid_pipeline", &["\"m\"", "known: n"]),
            case(&["plan", &good, "-p", "n"], 2, "usage", &["epochs=30"]),
            case(&["plan", &good, "--preset", "quik"], 3, "invalid_pipeline", &["quik", "quick"]),
            line("run no/such/file.toml", 4, "not_found", &["no/such/file.toml"]),
            line("run digitz", 4, "not_found", &["\"digitz\"", "did you mean \"digits\"?"]),
            case(&["run", &good, "--target", "mars"], 4, "not_found", &["mars", "local"]),
            case(&["run", &good, "--detach", "--queue", "nowhere"], 4, "not_found", &["nowhere"]),
        ],
    );
}

#[test]
fn what_is_no_run() {
    let bench = Bench::new();
    for _ in 0..3 {
        let _ = bench.add(&["--draft"], &["true"]);
    }
    let before = files(&bench);
    let id = bench.show(1)["id"].as_str().unwrap().to_owned();
    for verb in ["show", "cancel", "logs", "rm", "report", "metrics", "watch", "wait", "retry", "pause"] {
        for (text, exit, code, says) in [
            ("../../x", 3, "not_a_run_id", "Not a run id: \"../../x\""),
            ("", 3, "not_a_run_id", "Not a run id: \"\""),
            ("/etc/passwd", 3, "not_a_run_id", "Not a run id"),
            ("a\nb", 3, "not_a_run_id", "Not a run id"),
            ("#nothing", 3, "not_a_run_id", "Not a run id"),
            (&id[..8], 3, "ambiguous", "matches 3 runs"),
            ("99", 4, "not_found", "no run \"99\""),
            ("nobody", 4, "not_found", "no run \"nobody\""),
            ("018f0000-0000-7000-8000-000000000000", 4, "not_found", "no run \"018f0000-0000-7000-8000-000000000000\""),
        ] {
            check(&bench, &case(&[verb, text], exit, code, &[says]));
        }
    }
    assert_eq!(files(&bench), before, "no file touched");
}

/// Every path below the root, but for what an owner and the store make for themselves.
fn files(bench: &Bench) -> Vec<String> {
    let mut all = Vec::new();
    let mut left = vec![bench.root().to_owned()];
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                left.push(path.clone());
            }
            let name = path.strip_prefix(bench.root()).unwrap().display().to_string();
            if !name.starts_with("data/bin")
                && !name.starts_with("data/state.db")
                && !["data/owner.log", "data/owner.lock", "data/bell", "data/presence", "stdin"]
                    .contains(&name.as_str())
            {
                all.push(name);
            }
        }
    }
    all.sort();
    all
}

#[test]
fn what_the_present_state_does_not_allow() {
    let bench = Bench::new();
    let done = bench.add(&[], &["true"]);
    ended(&bench, done);
    let live = bench.add(&[], &["sh", "-c", &gate("go")]);
    bench.until_status(live, "running", LONG);
    for (text, code, says) in [
        ("cancel 1", "already_ended", "#1 is completed already"),
        ("pause 1", "already_ended", "#1 is completed"),
        ("start 1", "already_started", "#1"),
        ("start 2", "already_started", "#2"),
        ("retry 2", "conflict", "#2 is running: nothing of it failed"),
        ("retry 2 --from main", "still_live", "#2"),
        ("resume 2", "conflict", "#2 is running: nothing of it failed"),
        ("rm 2", "still_live", "#2 is running"),
        ("unpause 2", "conflict", "#2 is not paused; it is running"),
        ("set 2 --priority 5", "conflict", "#2 is running; only what is still queued can be changed"),
        ("move 2 --to 1", "conflict", "#2"),
        ("retry 1 --failed", "conflict", "#1"),
    ] {
        let mut case = line(text, 5, code, &[says]);
        case.code = code;
        check(&bench, &case);
    }
    check(&bench, &line("retry 1 --from nothing", 4, "not_found", &["\"nothing\"", "stages: main"]));
    check(&bench, &line("cancel 2 --stage man", 4, "not_found", &["\"man\"", "did you mean \"main\"?"]));
    check(&bench, &line("logs 2 nothing", 4, "not_found", &["\"nothing\"", "main"]));
    check(&bench, &line("logs 2 --attempt 7", 4, "not_found", &["7"]));
    check(&bench, &line("metrics 2 loss", 4, "not_found", &["\"loss\"", "it reported none"]));
    let long = "n".repeat(10_000);
    for (verb, more) in [("rename", "the limit is 200"), ("tag", "the limit is 200")] {
        check(&bench, &case(&[verb, "1", &long], 3, "invalid", &[more]));
        check(&bench, &case(&[verb, "1", "a\nb"], 3, "invalid", &["control character"]));
        check(&bench, &case(&[verb, "1", ""], 3, "invalid", &["is empty"]));
    }
    check(&bench, &line("set 1 --queue nowhere", 4, "not_found", &["nowhere"]));
    check(&bench, &line("move 1 --to 0", 2, "usage", &["\"0\" is not a place", "from 1"]));
    assert_eq!(bench.status(live), "running");
    open(&bench, "go");
    assert_eq!(ended(&bench, live)["status"], "completed");
}

#[test]
fn queues_and_bounds() {
    let bench = Bench::new();
    check_all(
        &bench,
        &[
            line("queue set default --limit 0", 2, "usage", &["\"0\" is not a limit", "pause the queue"]),
            line("queue set default --limit -1", 2, "usage", &["\"-1\" is not a limit"]),
            line("queue set default --priority high", 2, "usage", &["-100 to 100"]),
            line("queue set default", 2, "usage", &["--limit"]),
            line("queue pause defalt", 4, "not_found", &["\"defalt\"", "did you mean \"default\"?"]),
            line("list --status done", 2, "usage", &["completed", "interrupted"]),
            line("list --limit many", 2, "usage", &["many"]),
            line("list --limit 0", 2, "usage", &["from 1 to 100000"]),
            line("list --offset -1", 2, "usage", &["\"-1\"", "from 0"]),
            line("logs 1 --tail -1", 2, "usage", &["\"-1\"", "from 0"]),
            line("logs 1 --attempt 0", 2, "usage", &["\"0\" is not a number of an attempt", "from 1"]),
            line("work --max 0", 2, "usage", &["\"0\"", "from 1"]),
            case(&["queue", "set", "", "--limit", "1"], 3, "invalid", &["cannot be a queue's name", "a letter a-z"]),
            case(&["queue", "set", "a\nb", "--limit", "1"], 3, "invalid", &["\"a\\nb\" cannot be", "up to 63"]),
            case(&["queue", "set", &"q".repeat(300), "--limit", "1"], 3, "invalid", &["up to 63"]),
            line("clean --older-than old", 2, "usage", &["\"old\""]),
            line("clean", 2, "usage", &["--older-than"]),
            line("logs 1 --grep (", 2, "usage", &["not a regular expression"]),
            line("no-such-verb", 2, "usage", &["no-such-verb"]),
            line("show", 2, "usage", &["<RUN>"]),
        ],
    );
}

/// Adds a command that cannot be started; its error.
fn not_started(bench: &Bench, program: &str) -> Value {
    let number = bench.add(&["--retries", "3"], &[program]);
    let run = ended(bench, number);
    assert_eq!(run["status"], "failed", "{run:#}");
    let attempts = stage(&run, "main")["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 1, "a start that failed is not tried again: {run:#}");
    assert_eq!(attempts[0]["status"], "launch_failed");
    run["error"].clone()
}

#[test]
fn programs_that_cannot_be_started() {
    let bench = Bench::new();
    let script = |name: &str, text: &[u8], mode: u32| {
        let path = bench.write(name, text);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    script("train.py", b"print(1)\n", 0o644);
    script("crlf.sh", b"#!/bin/sh\r\necho\r\n", 0o755);
    script("gone.sh", b"#!/opt/none/python\n", 0o755);
    script("alien", b"\x7fELF\x02\x01\x01\0", 0o755);
    script("nothing", b"", 0o755);
    std::fs::create_dir(bench.work().join("folder")).unwrap();
    for (program, says) in [
        ("trian.py", &["Cannot start: \"trian.py\" not found. Searched: ", "Did you mean \"train.py\"?"][..]),
        ("./trian.py", &["\"./trian.py\" not found", "Did you mean \"./train.py\"?"]),
        ("./train.py", &["is not executable", "chmod +x"]),
        ("./folder", &["is a folder"]),
        ("./crlf.sh", &["Windows line ends", "sed -i 's/\\r$//'"]),
        ("./gone.sh", &["\"/opt/none/python\", which is not there"]),
        ("./alien", &["another processor or system"]),
        ("python train.py", &["\"python train.py\" not found", "holds a space", "footplate add -- python train.py"]),
        ("footplate-nothing", &["It belongs to Footplate: keep all its executables in one folder."]),
    ] {
        let error = not_started(&bench, program);
        let detail = error["detail"].as_str().unwrap();
        for part in says {
            assert!(detail.contains(part), "{program}: {part:?} is not in {detail}");
        }
        let missing = detail.contains("not found");
        assert_eq!(error["code"], if missing { "program_not_found" } else { "not_executable" }, "{program}");
    }
}

#[test]
fn a_working_folder_that_goes_away_holds_the_run_until_it_is_back() {
    let bench = Bench::new();
    let first = bench.add(&[], &["sh", "-c", &gate("go")]);
    bench.write("place/file", "");
    let second = bench.add(&["--cwd", "place"], &["test", "-e", "file"]);
    std::fs::rename(bench.work().join("place"), bench.work().join("elsewhere")).unwrap();
    open(&bench, "go");
    assert_eq!(ended(&bench, first)["status"], "completed");
    until(LONG, "it is held", || stage(&bench.show(second), "main")["status"] == "held");
    let held = bench.show(second);
    let waiting = &held["waiting"];
    assert!(waiting["detail"].as_str().unwrap().contains("place"), "{held:#}");
    assert_eq!(held["status"], "queued", "held, not failed");
    std::fs::rename(bench.work().join("elsewhere"), bench.work().join("place")).unwrap();
    // Whoever comes next looks for what it lacked.
    let _ = bench.add(&[], &["true"]);
    assert_eq!(ended(&bench, second)["status"], "completed");
}

#[test]
fn a_missing_secret_holds_the_run() {
    let bench = Bench::new();
    let path = pipeline(&bench, "secretive", "[stages.main]\ncommand = [\"true\"]\nsecrets = [\"NO_SUCH_TOKEN\"]\n");
    let number = start(&bench, &path, &[]);
    until(LONG, "it is held", || stage(&bench.show(number), "main")["status"] == "held");
    let held = bench.show(number);
    assert!(held["waiting"]["detail"].as_str().unwrap().contains("NO_SUCH_TOKEN"), "{held:#}");
    let _ = bench.run(&words("cancel 1")).expect(0);
    assert_eq!(bench.status(number), "cancelled");
}

#[test]
fn progress_out_of_bounds_is_clamped_and_never_goes_back() {
    let bench = Bench::new();
    let step = |n: u32, value: &str| {
        format!("echo '##PROGRESS##{{\"progress\":{value},\"message\":\"{n}\"}}##'; {}", gate(&format!("go-{n}")))
    };
    let values = [("-3", 0.0), ("0.4", 0.4), ("0.2", 0.4), ("NaN", 0.4), ("1.5", 1.0)];
    let script: Vec<String> = values.iter().zip(1..).map(|((value, _), n)| step(n, value)).collect();
    let number = bench.add(&[], &["sh", "-c", &script.join("; ")]);
    for ((value, shown), n) in values.iter().zip(1..) {
        let said = n.to_string();
        until(LONG, "the line is read", || bench.show(number)["message"] == said.as_str());
        assert_eq!(bench.show(number)["progress"], *shown, "after {value}");
        open(&bench, &format!("go-{n}"));
    }
    assert_eq!(ended(&bench, number)["status"], "completed");
}

#[test]
fn killed_by_somebody_else_is_said_so() {
    let bench = Bench::new();
    let number = bench.add(&[], &["sh", "-c", "kill -9 $$"]);
    let run = ended(&bench, number);
    assert_eq!((run["status"].as_str(), run["error"]["code"].as_str()), (Some("failed"), Some("signal")));
    assert!(
        run["error"]["detail"].as_str().unwrap().contains("killed by signal 9 (SIGKILL), not by Footplate"),
        "{run:#}"
    );
    assert_eq!(stage(&run, "main")["attempts"][0]["signal"], 9);
}

#[test]
fn completed_at_once_without_a_word_is_completed_with_a_hint() {
    let bench = Bench::new();
    let notes = |command: &[&str]| {
        let number = bench.add(&[], command);
        let run = ended(&bench, number);
        assert_eq!(run["status"], "completed");
        stage(&run, "main")["attempts"][0]["notes"].to_string()
    };
    assert!(notes(&["true"]).contains("printed nothing: is the command the one you meant?"));
    assert_eq!(notes(&["echo", "a word"]), "[]");
    assert_eq!(notes(&["sleep", "1.1"]), "[]");
    assert!(bench.run(&words("show 1")).expect(0).stdout.contains("NOTES\n  main, attempt 1: it ended after"));
}

#[test]
fn nothing_to_resume_from_asks_to_start_afresh() {
    let bench = Bench::new();
    let path = pipeline(&bench, "fresh", "[stages.main]\ncommand = [\"false\"]\n");
    run(&bench, &path, &[]);
    check(&bench, &line("resume 1", 5, "nothing_to_resume", &["#1"]));
}

#[test]
fn the_data_folder() {
    let bench = Bench::new();
    let file = bench.write("file", "").display().to_string();
    check(&bench, &case(&["list", "--data-dir", &file], 8, "storage", &["file"]));
    // A folder of somebody's is not taken for ours, nor closed to others.
    bench.write("mine/letter", "");
    let mine = bench.work().join("mine");
    std::fs::set_permissions(&mine, std::fs::Permissions::from_mode(0o755)).unwrap();
    let says = ["is not a data folder of Footplate", "--data-dir", "mine/footplate"];
    check(&bench, &case(&["list", "--data-dir", "mine"], 6, "refused", &says));
    assert_eq!(std::fs::read_dir(&mine).unwrap().count(), 1);
    assert_eq!(mine.metadata().unwrap().permissions().mode() & 0o777, 0o755);
    check(&bench, &case(&["list", "--data-dir", "Dropbox/data"], 8, "storage", &["synced by Dropbox"]));
    let number = bench.add(&[], &["true"]);
    ended(&bench, number);
    bench.until_nothing_left(LONG);
    // Another owner at work.
    let mut owner = bench.spawn(&["work"]);
    until(LONG, "it holds the lock", || bench.owner().is_some());
    let pid = bench.owner().unwrap();
    let output = bench.run(&["work", "--no-wait", "--json"]).expect(7);
    assert_eq!(output.error()["code"], "store_held");
    assert!(output.stderr.contains(&format!("pid {pid}")) && output.stderr.contains("since"), "{output:?}");
    owner.kill().unwrap();
    owner.wait().unwrap();
    // Written by a newer version.
    let script =
        "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.execute('PRAGMA user_version = 9999')\nc.close()\n";
    let changed = bench.command("python3").args(["-c", script]).arg(bench.data().join("state.db")).status().unwrap();
    assert!(changed.success());
    check(&bench, &line("add -- true", 8, "store_newer", &["format 9999", "newer version of Footplate"]));
}

#[test]
fn that_a_damaged_store_was_restored_is_said() {
    let bench = Bench::new();
    let number = bench.add(&[], &["true"]);
    ended(&bench, number);
    bench.until_nothing_left(LONG);
    for name in ["state.db-wal", "state.db-shm"] {
        let _ = std::fs::remove_file(bench.data().join(name));
    }
    std::fs::write(
        bench.data().join("state.db"),
        "this is no database, and it is longer than a header of one hundred bytes ".repeat(100),
    )
    .unwrap();
    for text in ["list", "add -- true", "show 1"] {
        let output = bench.run(&words(text)).expect(0);
        let told = output.stderr.contains("The store was restored") && output.stderr.contains("file is not a database");
        assert!(told && output.stdout.contains("#"), "{text}: {output:?}");
    }
}
