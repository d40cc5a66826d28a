//! Daily use: what the README says works as it is printed, and what people stumble over is answered.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{LONG, ended, gate, open, pipeline, run, stage, text, words};
use footplate_testkit::{Bench, until};
use serde_json::{Value, json};

const README: &str = include_str!("../../README.md");

/// The lines of the README's fenced blocks that are commands of ours, without their remarks.
fn commands(of: &str) -> Vec<Vec<&str>> {
    let blocks = of.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(str::lines).map(|line| line.trim_start_matches("$ "));
    let commands = lines.filter_map(|line| line.strip_prefix("footplate "));
    commands.map(|line| line.split('#').next().unwrap_or_default().split_whitespace().collect()).collect()
}

#[test]
fn what_the_readme_says_about_daily_use_works_as_it_is_printed() {
    let mut bench = Bench::new();
    let daily = commands(README.split("## In daily use").nth(1).unwrap());
    let verbs: Vec<&str> = daily.iter().map(|command| command[0]).collect();
    assert_eq!(verbs, ["add", "add", "list", "watch", "logs", "run"], "{daily:?}");
    // The two scripts and the pipeline of the page, as a reader has them.
    for name in ["train.py", "evaluate.py"] {
        bench.write(name, "import sys\nprint(sys.argv)\n");
    }
    bench.write(
        "my-pipeline/footplate.toml",
        "format = 1\nname = \"mine\"\n[params.epochs]\ntype = \"integer\"\ndefault = 1\n[stages.train]\ncommand = [\"echo\", \"{{ params.epochs }} epochs\"]\n",
    );
    // `python` may be called python3 here.
    let python = bench.command("sh").args(["-c", "command -v python3"]).output().unwrap().stdout;
    std::fs::create_dir(bench.root().join("bin")).unwrap();
    std::os::unix::fs::symlink(String::from_utf8(python).unwrap().trim(), bench.root().join("bin/python")).unwrap();
    let path = format!("{}:{}", bench.root().join("bin").display(), std::env::var("PATH").unwrap());
    bench.set_env("PATH", path);
    for command in &daily {
        let _ = bench.run(command).expect(0);
    }
    let _ = bench.run(&words("wait 1 2 3")).expect(0);
    assert_eq!(bench.run(&words("logs 1")).expect(0).stdout, "['train.py', '--epochs', '30']\n");
    assert_eq!(bench.run(&words("logs 3")).expect(0).stdout, "30 epochs\n");
    // The protocol's line on that page is one.
    let line = README.lines().find(|line| line.contains("##PROGRESS##")).unwrap();
    let line = &line[line.find("##PROGRESS##").unwrap()..=line.rfind("##").unwrap() + 1];
    bench.write("line", format!("{line}\n"));
    let number = bench.add(&[], &["cat", "line"]);
    ended(&bench, number);
    let run = bench.show(number);
    let metrics = &stage(&run, "main")["metrics"];
    assert_eq!((&metrics["step"], &metrics["total"], &metrics["loss"]), (&json!(120.0), &json!(900.0), &json!(0.31)));
    assert_eq!(stage(&run, "main")["attempts"][0]["notes"], json!([]));
}

#[test]
fn a_stage_may_work_in_the_folder_of_its_run() {
    let bench = Bench::new();
    let stages = "[stages.first]\ncwd = \"{{ run.dir }}\"\nshell = 'echo 7 > made'\n\
                  [stages.then]\nneeds = [\"first\"]\ncwd = \"{{ run.dir }}\"\ncommand = [\"cat\", \"made\"]\n";
    let path = pipeline(&bench, "inside", stages);
    assert_eq!(run(&bench, &path, &[])["status"], "completed");
    assert_eq!(bench.run(&words("logs 1 then")).expect(0).stdout, "7\n");
}

#[test]
fn the_newest_value_is_shown_however_fast_they_come() {
    let bench = Bench::new();
    // Far more than the ten a second that are stored; then it says nothing for as long as we look.
    let program = "for i in range(400): print('##PROGRESS##{\"step\":%d,\"metrics\":{\"loss\":%d}}##' % (i, i), flush=True)\nimport time\nwhile True: time.sleep(1)";
    let number = bench.add(&[], &["python3", "-c", program]);
    until(LONG, "all is read", || stage(&bench.show(number), "main")["metrics"]["step"] == 399.0);
    assert_eq!(stage(&bench.show(number), "main")["metrics"]["loss"], 399.0);
    let _ = bench.run(&words("cancel 1")).expect(0);
}

#[test]
fn the_readmes_table_of_verbs_is_the_programs_own() {
    let bench = Bench::new();
    let help = bench.run(&["--help"]).expect(0).stdout;
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let verbs: Vec<&str> = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    let verbs: Vec<&str> = verbs.into_iter().filter(|verb| !verb.is_empty() && *verb != "help").collect();
    let table = README.split("| verb | does |").nth(1).unwrap().split("\n\n").next().unwrap();
    let mut named: Vec<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter_map(|verb| verb.split(' ').next())
        .collect();
    named.dedup();
    assert_eq!(named, verbs);
    for verb in verbs {
        let page = bench.run(&["help", verb]).expect(0).stdout;
        assert!(page.contains("Usage: footplate "), "{verb}: {page}");
    }
}

#[test]
fn show_tells_what_each_attempt_really_ran_and_says_so_where_that_is_not_known() {
    let bench = Bench::new();
    let path = pipeline(
        &bench,
        "filled",
        "[params.lr]\ntype = \"number\"\ndefault = 0.1\n[stages.first]\nshell = \"echo {{ params.lr }}\"\n\
         [stages.second]\nneeds = [\"first\"]\ncommand = [\"sh\", \"-c\", \"exit 3\", \"try {{ attempt.number }}\"]\n\
         retries = { max = 1, delay = \"1ms\", jitter = 0 }\n\
         [stages.third]\nneeds = [\"second\"]\ncommand = [\"echo\", \"{{ run.number }}\", \"plain\"]\n",
    );
    let _ = bench.run(&["run", &path, "-p", "lr=0.25"]).expect(1);
    let run = bench.show(1);
    // As it is written, and as it was run.
    assert_eq!(stage(&run, "first")["shell"], "echo {{ params.lr }}");
    assert_eq!(stage(&run, "first")["attempts"][0]["command"], json!(["/bin/sh", "-c", "echo 0.25"]));
    let second = stage(&run, "second")["attempts"].clone();
    let ran: Vec<&Value> = second.as_array().unwrap().iter().map(|attempt| &attempt["command"][3]).collect();
    assert_eq!(ran, ["try 1", "try 2"]);
    assert_eq!(stage(&run, "third")["attempts"], json!([]));
    let told = bench.run(&words("show 1")).expect(0).stdout;
    let said = |text: &str| assert!(told.contains(text), "{text}: {told}");
    said("first         1  /bin/sh -c 'echo 0.25'\n");
    said("second        1  sh -c 'exit 3' 'try 1'\nsecond        2  sh -c 'exit 3' 'try 2'\n");
    said("third            echo '{{ run.number }}' plain\n  third: as written: it has not run\n");
    // Of a run of one stage it stands at the top; in lists it would be a file for each.
    let one = pipeline(&bench, "one", "[stages.a]\ncommand = [\"echo\", \"{{ run.number }}\"]\n");
    let _ = bench.run(&["run", &one]).expect(0);
    let told = bench.run(&words("show 2")).expect(0).stdout;
    assert!(told.contains("command   echo 2\n") && !told.contains("{{"), "{told}");
    let folder = bench.data().join("attempts").join(bench.show(2)["id"].as_str().unwrap()).join("0.1");
    std::fs::remove_dir_all(folder).unwrap();
    let told = bench.run(&words("show 2")).expect(0).stdout;
    assert!(told.contains("command   echo '{{ run.number }}'\n") && told.contains("not known"), "{told}");
}

#[test]
fn the_manual_has_a_page_for_each_verb_and_is_written_anew() {
    let bench = Bench::new();
    let folder = bench.work().join("man/man1");
    let written = bench.run(&["man", folder.to_str().unwrap(), "--json"]).expect(0).json();
    let pages: Vec<String> = serde_json::from_value(written["pages"].clone()).unwrap();
    let help = bench.run(&words("--help")).expect(0).stdout;
    let verbs = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let verbs: Vec<&str> = verbs.filter_map(|line| line.split_whitespace().next()).filter(|v| *v != "help").collect();
    assert!(verbs.len() > 30, "{help}");
    for verb in verbs {
        let page = std::fs::read_to_string(folder.join(format!("footplate-{verb}.1"))).unwrap();
        // Every option of its help is there; man writes a hyphen with a backslash.
        let help = bench.run(&[verb, "--help"]).expect(0).stdout;
        let options = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
        let plain = page.replace('\\', "");
        assert!(plain.contains(&format!("\nfootplate-{verb} - ")), "{plain}");
        for option in options.map(|word| word.trim_end_matches(|c: char| !c.is_ascii_lowercase())) {
            assert!(plain.contains(option), "{verb} {option}: {plain}");
        }
    }
    for page in ["footplate.1", "footplate-queue-set.1", "footplate-schedule-add.1"] {
        assert!(pages.iter().any(|name| name == page), "{pages:?}");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), pages.len());
    let _ = bench.run(&["man", folder.to_str().unwrap()]).expect(0);
    let refused = bench.run(&["man", bench.write("file", "").to_str().unwrap()]).expect(8);
    assert!(refused.stderr.contains("cannot be written") && refused.stderr.contains("hint"), "{refused:?}");
}

#[test]
fn the_same_again_is_the_same_in_all_that_is_not_given() {
    let bench = Bench::new();
    bench.write("place/here", "");
    let path = pipeline(&bench, "again", "[stages.main]\ncommand = [\"pwd\"]\n");
    let first = bench.add(
        &["--cwd", "place", "--queue", "training", "--priority", "7", "--tag", "a", "--name", "first"],
        &["test", "-e", "here"],
    );
    assert_eq!(ended(&bench, first)["status"], "completed");
    let _ = bench.run(&words("run --like 1")).expect(0);
    let _ = bench.run(&words("run --like 2 --name other --queue default --priority 1 --tag b")).expect(0);
    let facts = |number: i64| {
        let run = bench.show(number);
        ["name", "queue", "priority", "tags", "status"].map(|name| run[name].clone())
    };
    assert_eq!(facts(2), [json!("first"), json!("training"), json!(7), json!(["a"]), json!("completed")]);
    assert_eq!(facts(3), [json!("other"), json!("default"), json!(1), json!(["b"]), json!("completed")]);
    // A name that was made of the number is not kept: it would lie.
    run(&bench, &path, &["--experiment", "e"]);
    let _ = bench.run(&words("run --like 4")).expect(0);
    let copy = bench.show(5);
    assert_eq!((&copy["name"], &copy["experiment"]), (&json!("again-5"), &json!("e")));
}

#[test]
fn who_waits_for_what_stands_still_is_told() {
    let bench = Bench::new();
    let number = bench.add(&["--draft"], &["true"]);
    for (command, says) in [
        ("wait 1", "#1 is a draft; footplate start 1 starts it"),
        ("logs 1 -f", "#1 has not started: the run is a draft"),
        ("watch 1", "#1 true draft: the run is a draft"),
    ] {
        let told = bench.root().join("told");
        let out = std::fs::File::create(&told).unwrap();
        let mut waiter =
            bench.footplate(words(command)).stderr(out).stdout(std::process::Stdio::null()).spawn().unwrap();
        until(LONG, says, || std::fs::read_to_string(&told).unwrap().contains(says));
        assert!(waiter.try_wait().unwrap().is_none(), "{command} waits all the same");
        waiter.kill().unwrap();
        waiter.wait().unwrap();
        assert_eq!(std::fs::read_to_string(&told).unwrap().lines().count(), 1, "{command}: once");
    }
    let _ = bench.run(&words("start 1")).expect(0);
    assert_eq!(ended(&bench, number)["status"], "completed");
}

#[test]
fn logs_of_what_never_ran_say_why() {
    let bench = Bench::new();
    let number = bench.add(&[], &["no-such-program-anywhere"]);
    ended(&bench, number);
    let output = bench.run(&words("logs 1")).expect(0);
    assert!(
        output.stderr.contains("#1 has no output: Cannot start: \"no-such-program-anywhere\" not found"),
        "{output:?}"
    );
    // And the end of `run` does not send people to an empty log.
    let path = pipeline(&bench, "gone", "[stages.main]\ncommand = [\"no-such-program-anywhere\"]\n");
    let output = bench.run(&["run", &path]).expect(1);
    assert!(
        !output.stdout.contains("shows what it printed") && output.stdout.contains("footplate retry 2"),
        "{output:?}"
    );
    let path = pipeline(&bench, "spoke", "[stages.main]\nshell = \"echo why; exit 1\"\n");
    let output = bench.run(&["run", &path]).expect(1);
    assert!(output.stdout.contains("footplate logs 3 shows what it printed"), "{output:?}");
}

#[test]
fn a_search_over_stages_names_only_those_where_it_found_something() {
    let bench = Bench::new();
    let toml =
        "[stages.a]\ncommand = [\"echo\", \"one\"]\n[stages.b]\nneeds = [\"a\"]\ncommand = [\"echo\", \"two\"]\n";
    run(&bench, &pipeline(&bench, "two", toml), &[]);
    assert_eq!(bench.run(&words("logs 1 --grep two")).expect(0).stdout, "==> b, attempt 1 <==\ntwo\n");
    assert_eq!(bench.run(&words("logs 1 --grep none")).expect(0).stdout, "");
    let all = "==> a, attempt 1 <==\none\n==> b, attempt 1 <==\ntwo\n";
    assert_eq!(bench.run(&words("logs 1")).expect(0).stdout, all);
    assert_eq!(bench.run(&words("logs 1 --tail 1")).expect(0).stdout, all);
}

#[test]
fn a_failure_is_told_while_a_tail_still_runs() {
    let bench = Bench::new();
    let toml = format!(
        "[stages.quick]\nshell = \"exit 7\"\n[stages.last]\ntail = true\nresources = {{ cpus = 0 }}\nqueue = \"evaluation\"\nshell = '{}'\n",
        gate("go")
    );
    let path = pipeline(&bench, "tailed", &toml);
    let output = bench.run(&["run", &path]).expect(1);
    assert!(output.stdout.contains("The program failed\n  It ended with exit code 7."), "{output:?}");
    assert_eq!(bench.show(1)["error"]["code"], "exit_code");
    open(&bench, "go");
    bench.until_status(1, "failed", LONG);
}

#[test]
fn the_last_lines_of_what_failed_are_shown_with_the_failure() {
    let bench = Bench::new();
    let script = "import sys\nfor n in range(5000): print('line', n)\nprint('\\x1b[31mred\\x1b[2J')\nprint('##PROGRESS##{\"step\":1}##')\nraise ValueError('no such optimizer')\n";
    bench.write("train.py", script);
    let path = pipeline(&bench, "spoken", "[stages.train]\ncommand = [\"python3\", \"train.py\"]\n");
    let output = bench.run(&["run", &path]).expect(1);
    let shown = bench.run(&words("show 1")).expect(0).stdout;
    for text in [&output.stdout, &shown] {
        let (_, lines) = text.split_once("\nthe last lines of train\n").unwrap_or_else(|| panic!("{text}"));
        let lines: Vec<&str> = lines.lines().take(7).collect();
        assert_eq!(lines[5], "  ValueError: no such optimizer", "{lines:?}");
        assert!(lines[..5].iter().all(|line| line.starts_with("  ") && !line.contains(['\u{1b}', '#'])), "{lines:?}");
        assert_eq!(lines[6], "", "{lines:?}");
    }
    // Of what completed nothing is shown, and JSON is as it was.
    let number = bench.add(&[], &["echo", "all well"]);
    ended(&bench, number);
    assert!(!bench.run(&words("show 2")).expect(0).stdout.contains("the last lines"));
}

#[test]
fn secrets_among_the_arguments_are_warned_of_and_ordinary_words_are_not() {
    let bench = Bench::new();
    let token = "hf_abcdefghijklmnopqrstuvwx012345";
    let said = |command: &[&str]| {
        let output = bench.run(&[&["add", "--draft", "--"], command].concat()).expect(0);
        assert!(!output.stderr.contains(token), "the warning itself tells nothing: {output:?}");
        output.stderr
    };
    for (command, place) in [
        (&["train", "--hf", token][..], "argument 2 looks like a secret"),
        (&["train", "--api-key", "a1b2c3d4e5f6a7"], "argument 2 "),
        (&["train", "--password=correct0horse1battery"], "argument 1 "),
        (&["sh", "-c", "curl -H 'Authorization: Bearer abcdef0123456789' x"], "argument 2 "),
    ] {
        assert!(said(command).contains(place), "{command:?}");
    }
    for command in [
        &["train", "--tokenizer", "gpt2-medium-355m", "--max-tokens", "512"][..],
        &["train", "--eos-token", "</s>", "--pad-token", "0"],
        &["eval", "0192f0e4-b1aa-7c5d-8e6f-001122334455.safetensors"],
        &["git", "checkout", "b1946ac92492d2347c6235b4d2611184"],
    ] {
        assert_eq!(said(command), "", "{command:?}");
    }
    let toml = format!("[stages.get]\nshell = \"fetch {token}\"\n");
    let output = bench.run(&["run", &pipeline(&bench, "open", &toml), "--draft"]).expect(0);
    assert!(output.stderr.starts_with("a part of stage get looks like a secret"), "{output:?}");
}

#[test]
fn the_doctor_names_what_is_there_and_what_to_do() {
    let mut bench = Bench::new();
    bench.set_env("FOOTPLATE_TEST_CPUS", "3");
    bench.set_env("FOOTPLATE_TEST_GPUS", "2");
    let told = bench.run(&words("doctor")).expect(0).stdout;
    for (head, says) in [
        ("footplate", ""),
        ("data folder", "data"),
        ("store", "sound"),
        ("owner", "none"),
        ("shim", "footplate-shim"),
        ("python", "Python 3"),
        ("machine", "3 cores"),
        ("gpu", "2"),
        ("at login", "not set up"),
    ] {
        assert!(told.lines().any(|line| line.starts_with(head) && line.contains(says)), "{head}: {told}");
    }
    assert!(told.contains("systemctl --user enable footplate.service"), "{told}");
    assert!(told.lines().all(|line| line.trim_end() == line), "{told:?}");
    let found = bench.run(&words("doctor --json")).expect(0).json();
    assert_eq!((&found["machine"]["cores"], &found["machine"]["gpus"]), (&json!(3), &json!(2)));
    assert_eq!((&found["store"]["sound"], &found["owner"]["present"]), (&json!(true), &json!(false)));
}

#[test]
fn a_loss_that_is_no_number_is_seen() {
    let bench = Bench::new();
    let script =
        format!("echo '##PROGRESS##{{\"step\":3,\"total\":9,\"metrics\":{{\"loss\":NaN}}}}##'; {}", gate("go"));
    let number = bench.add(&[], &["sh", "-c", &script]);
    until(LONG, "it is read", || bench.show(number)["message"] == "step 3 of 9");
    assert!(bench.run(&words("show 1")).expect(0).stdout.contains("step 3 of 9  loss NaN"));
    assert!(bench.run(&words("list")).expect(0).stdout.contains("step 3 of 9"), "lists say where it is, too");
    open(&bench, "go");
    assert_eq!(ended(&bench, number)["status"], "completed");
    assert!(bench.run(&words("metrics 1 loss --csv")).expect(0).stdout.trim_end().ends_with(",NaN"));
}

#[test]
fn lines_that_cannot_be_read_are_counted() {
    let bench = Bench::new();
    bench.write("bad", "##PROGRESS##[1]##\n".repeat(40) + "##PROGRESS##{\"progress\":7}##\n");
    let number = bench.add(&[], &["cat", "bad"]);
    let run = ended(&bench, number);
    let notes = stage(&run, "main")["attempts"][0]["notes"].to_string();
    assert!(notes.contains("counted: 40 ##PROGRESS## lines that could not be read\""), "{notes}");
    assert_eq!(notes.matches("line at byte").count(), 1, "the first is told singly: {notes}");
    assert_eq!(text(&bench, "bad"), bench.run(&words("logs 1")).expect(0).stdout, "all of them are log");
}

/// Every name of a field in an answer, but those of values that are the user's own.
fn names(value: &Value, found: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                found.insert(name.clone());
                if !["params", "metrics", "outputs", "totals", "expected_stage_s"].contains(&name.as_str()) {
                    names(value, found);
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|value| names(value, found)),
        _ => {}
    }
}

#[test]
fn every_field_that_programs_read_is_in_the_docs() {
    const PAGE: &str = include_str!("../../docs/API.md");
    let bench = Bench::new();
    bench.write("line", "##PROGRESS##{\"progress\":7,\"metrics\":{\"loss\":1}}##\n");
    let path = pipeline(&bench, "told", "[stages.a]\nshell = \"cat line; exit 1\"\n");
    run(&bench, &path, &[]);
    let mut found = std::collections::BTreeSet::new();
    for command in ["show 1", "list", "report 1", "queue", "rename 1 b", "logs 1", "metrics 1", "wait 1", "retry 1"] {
        let output = bench.run(&words(&format!("{command} --json")));
        for line in output.json_lines() {
            names(&line, &mut found);
        }
    }
    names(&bench.run(&["plan", &path, "--json"]).expect(0).json(), &mut found);
    assert!(found.len() > 60, "{found:?}");
    let missing: Vec<&String> = found.iter().filter(|name| !PAGE.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "not in docs/API.md: {missing:?}");
}

#[test]
fn why_a_script_failed_is_told_with_the_place_in_its_own_code() {
    let bench = Bench::new();
    bench.write(
        "train.py",
        "import json\n\n\ndef load(path):\n    return json.load(open(path))\n\n\nprint('epoch 1')\nload('data/none.json')\n",
    );
    let number = bench.add(&[], &["python3", "train.py"]);
    assert_eq!(ended(&bench, number)["status"], "failed");
    let shown = bench.run(&words("show 1")).expect(0).stdout;
    for says in [
        "A file is missing",
        "It did not find \"data/none.json\". Your code was at train.py, line 5, in load.",
        "at line 8 of the log",
        "hint: Correct the path",
    ] {
        assert!(shown.contains(says), "{says:?} is not in:\n{shown}");
    }
    assert!(bench.run(&words("report 1")).expect(0).stdout.contains("It did not find \"data/none.json\"."));
    let run = bench.show(number);
    let error = &run["error"];
    assert_eq!((&error["code"], &error["log_line"]), (&json!("exit_code"), &json!(8)), "{error:#}");
    let diagnosis = &error["diagnosis"];
    assert_eq!((&diagnosis["code"], &diagnosis["args"]["at_line"]), (&json!("file_not_found"), &json!("5")));
    assert_eq!(stage(&run, "main")["attempts"][0]["error"], *error);
    let log = bench.run(&words("logs 1")).expect(0).stdout;
    let offset = usize::try_from(diagnosis["log_offset"].as_u64().unwrap()).unwrap();
    assert!(log[offset..].starts_with("FileNotFoundError"), "{log}");

    // Cancelled, it has no cause, whatever it says at its end; with the same words and exit 0 it has not failed.
    let says = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nMemoryError\n";
    bench.write("words", says);
    let number = bench.add(&[], &["sh", "-c", &format!("trap 'cat words; exit 1' TERM; echo up; {}", gate("never"))]);
    bench.until(LONG, || bench.run(&["logs", &number.to_string()]).stdout.contains("up"));
    let _ = bench.run(&["cancel", &number.to_string()]).expect(0);
    assert_eq!(ended(&bench, number)["status"], "cancelled");
    assert_eq!(bench.show(number)["error"], Value::Null);
    let number = bench.add(&[], &["cat", "words"]);
    assert_eq!((&ended(&bench, number)["status"], &bench.show(number)["error"]), (&json!("completed"), &Value::Null));
}

#[test]
fn a_run_is_moved_among_those_that_wait_beside_it() {
    let bench = Bench::new();
    let text = format!(
        "[stages.one]\ncommand = [\"sh\", \"-c\", \"{}\"]\nqueue = \"default\"\n[stages.two]\ncommand = [\"true\"]\nqueue = \"default\"\n",
        gate("go")
    );
    let _ = bench.run(&words("queue set default --limit 1")).expect(0);
    let before = bench.add(&["--queue", "default"], &["true"]);
    ended(&bench, before);
    let begun = common::start(&bench, &pipeline(&bench, "both", &text), &[]);
    until(LONG, "the first stage runs", || bench.status(begun) == "running");
    let urgent = bench.add(&["--queue", "default", "--priority", "5"], &["true"]);
    let [b, c, d] = [(); 3].map(|()| bench.add(&["--queue", "default"], &["true"]));
    let moved = |run: i64, how: &str, other: i64, place: usize| {
        let said = bench.run(&["move", &run.to_string(), how, &other.to_string()]).expect(0).stdout;
        assert_eq!(said.trim(), format!("#{run} is at place {place} in default"), "{how} {other}");
    };
    // What has begun has no place, though a stage of it waits there, and what is more urgent is another line; the next owner knows.
    assert!(bench.kill_owner());
    moved(d, "--to", 2, 2);
    moved(c, "--before", b, 1);
    moved(b, "--after", d, 3);
    moved(d, "--before", urgent, 1);
    moved(b, "--after", begun, 1);
    moved(b, "--to", 9, 3);
    let refused = |other: i64, code: i32, sentence: &str| {
        let output = bench.run(&["move", &d.to_string(), "--after", &other.to_string()]).expect(code);
        assert!(output.stderr.contains(sentence), "{output:?}");
    };
    refused(d, 3, "beside itself");
    refused(99, 4, "no run");
    refused(before, 5, "waits in no queue");
    open(&bench, "go");
    let began = |number: i64| {
        let run = ended(&bench, number);
        (text_of(&run["started_at"]), number)
    };
    let mut order = [b, c, d, urgent].map(began);
    order.sort();
    assert_eq!(order.map(|(_, number)| number), [urgent, d, c, b]);
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
