//! Where a predecessor was wrong (1-product) we are right: a test a line.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use common::{LONG, ended, gate, open, pipeline, run, stage, start, text, words};
use footplate_testkit::{Bench, Pretend, until};
use serde_json::json;

/// A program that counts itself in and out of the file `all`, and waits for `go` in between.
fn counted() -> String {
    format!("echo + >> all; {}; echo - >> all", gate("go"))
}

/// The greatest number that were in at the same time.
fn most(bench: &Bench) -> i64 {
    let (mut now, mut most) = (0, 0);
    for sign in text(bench, "all").lines() {
        now += if sign == "+" { 1 } else { -1 };
        most = most.max(now);
    }
    assert_eq!(now, 0);
    most
}

#[test]
fn the_limit_on_concurrency_is_kept() {
    let bench = Bench::new();
    let _ = bench.run(&["queue", "set", "training", "--limit", "2"]).expect(0);
    let commands: String = (0..8).map(|_| format!("{}\n", json!(["sh", "-c", counted()]))).collect();
    let _ = bench.run_with_stdin(&words("add --stdin --queue training --cpus 0"), commands).expect(0);
    until(LONG, "two run", || text(&bench, "all") == "+\n+\n");
    open(&bench, "go");
    let _ = bench.run(&words("wait 1 2 3 4 5 6 7 8")).expect(0);
    assert_eq!(most(&bench), 2);
}

#[test]
fn cancelled_is_cancelled_whatever_the_exit_code() {
    let bench = Bench::new();
    for code in [0, 1, 143] {
        let ready = format!("ready-{code}");
        let script = format!("trap 'exit {code}' TERM; : > {ready}; while :; do sleep 0.02; done");
        let number = bench.add(&[], &["sh", "-c", &script]);
        until(LONG, "it runs", || bench.work().join(&ready).exists());
        let _ = bench.run(&["cancel", &number.to_string()]).expect(0);
        let end = bench.show(number);
        assert_eq!(
            (end["status"].as_str(), stage(&end, "main")["status"].as_str()),
            (Some("cancelled"), Some("cancelled"))
        );
        assert_eq!(stage(&end, "main")["attempts"][0]["status"], "cancelled", "{end:#}");
        assert_eq!(bench.run(&["wait", &number.to_string()]).code, 1);
    }
}

#[test]
fn the_error_text_is_all_there_however_often_it_is_read() {
    let bench = Bench::new();
    let lines: String = (0..500).map(|n| format!("Error: line {n}\n")).collect();
    bench.write("stderr", &lines);
    let number = bench.add(&[], &["sh", "-c", "cat stderr >&2; exit 1"]);
    // Somebody reads along from the start.
    let follower = bench.run(&["logs", "1", "-f"]).expect(0);
    assert_eq!(follower.stdout, lines);
    ended(&bench, number);
    for _ in 0..2 {
        assert_eq!(bench.run(&["logs", "1"]).expect(0).stdout, lines);
    }
}

#[test]
fn a_line_over_64_kib_stops_neither_the_reader_nor_the_program() {
    let bench = Bench::new();
    let program = "import sys\nsys.stdout.write('x' * 3000000 + '\\n')\nsys.stdout.write('##PROGRESS##{\"message\":\"' + 'y' * 200000 + '\"}##\\n')\nprint('##PROGRESS##{\"progress\":0.5,\"message\":\"after\"}##', flush=True)\nimport os, time\nwhile not os.path.exists('go'): time.sleep(0.02)\nprint('last')\n";
    bench.write("long.py", program);
    let number = bench.add(&[], &["python3", "long.py"]);
    until(LONG, "the reader goes on", || bench.show(number)["message"] == "after");
    open(&bench, "go");
    assert_eq!(ended(&bench, number)["status"], "completed");
    let raw = bench.run(&["logs", "1", "--raw"]).expect(0).stdout;
    assert_eq!(raw.lines().map(str::len).max(), Some(3_000_000));
    assert_eq!(raw.lines().last(), Some("last"));
}

#[test]
fn progress_that_is_no_object_or_nested_hangs_nothing() {
    let bench = Bench::new();
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let bad = [
        "##PROGRESS##[1,2]##".to_owned(),
        "##PROGRESS##null##".into(),
        "##PROGRESS##3##".into(),
        "##PROGRESS##{\"progress\":{\"now\":{\"deep\":[1]}},\"message\":[1],\"metrics\":[2],\"status\":{}}##".into(),
        format!("##PROGRESS##{{\"x\":{deep}}}##"),
        format!("##PROGRESS##{deep}##"),
        "##PROGRESS##{\"progress\":1e999}##".into(),
        "##PROGRESS##{\"progress\":".into(),
        "##PROGRESS##".into(),
        "##PROGRESS##{}####PROGRESS##{}##".into(),
        "##PROGRESS##{\"output\":[1]}##".into(),
    ];
    bench.write("bad", bad.join("\n") + "\n");
    let script =
        format!("cat bad; echo '##PROGRESS##{{\"progress\":0.25,\"message\":\"still read\"}}##'; {}", gate("go"));
    let number = bench.add(&[], &["sh", "-c", &script]);
    until(LONG, "the reader goes on", || bench.show(number)["message"] == "still read");
    assert_eq!(bench.show(number)["progress"], 0.25);
    open(&bench, "go");
    let end = ended(&bench, number);
    assert_eq!(end["status"], "completed", "{end:#}");
    bench.until_nothing_left(LONG);
    for line in &bad {
        assert!(
            bench.run(&["logs", "1", "--raw"]).expect(0).stdout.contains(line.as_str()),
            "it is shown as log: {line:.40}"
        );
    }
}

#[test]
fn a_cancel_right_after_the_submit_is_not_lost() {
    for _ in 0..5 {
        let bench = Bench::new();
        // Both are on record before any owner has seen the run.
        let program = Pretend::sh(&bench.work(), "p.sh", "sleep 300");
        bench.add(&[], &program.argv());
        let _ = bench.run(&words("cancel 1 --no-wait")).expect(0);
        bench.until_status(1, "cancelled", LONG);
        bench.until_nothing_left(LONG);
        assert!(program.starts() <= 1);
    }
}

#[test]
fn cancel_reaches_the_workers_of_the_program_too() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let program = Pretend::python(
        &bench.work(),
        "p.py",
        "import subprocess\nfor n in range(4):\n    subprocess.Popen(['sleep', '30' + str(n)], start_new_session=n % 2 == 0)\nnote('up')\ntime.sleep(300)",
    );
    let toml = format!("[stages.main]\ngrace = \"1s\"\ncommand = {:?}\n", program.argv());
    let number = start(&bench, &pipeline(&bench, "workers", &toml), &[]);
    until(LONG, "the workers run", || program.lines().len() == 2 && bench.processes_of("sleep").len() == 4);
    let _ = bench.run(&["cancel", "1"]).expect(0);
    assert_eq!(bench.status(number), "cancelled");
    assert_eq!(bench.processes_of("sleep"), []);
}

#[test]
fn a_worker_that_outlives_its_program_does_not_keep_the_job_running() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let number = bench.add(&[], &["sh", "-c", "sleep 300 & exit 0"]);
    assert_eq!(ended(&bench, number)["status"], "completed");
    assert_eq!(bench.processes_of("sleep"), []);
}

#[test]
fn a_program_that_says_it_is_completed_still_runs() {
    let bench = Bench::new();
    let script = format!(
        "echo '##PROGRESS##{{\"status\":\"completed\",\"progress\":1,\"message\":\"done\"}}##'; {}; exit 1",
        gate("go")
    );
    let number = bench.add(&[], &["sh", "-c", &script]);
    until(LONG, "the line is read", || bench.show(number)["message"] == "done");
    let now = bench.show(number);
    assert_eq!((now["status"].as_str(), stage(&now, "main")["status"].as_str()), (Some("running"), Some("running")));
    open(&bench, "go");
    let end = ended(&bench, number);
    assert_eq!(end["status"], "failed");
    let notes = stage(&end, "main")["attempts"][0]["notes"].to_string();
    assert!(notes.contains("only its exit counts"), "noted: {notes}");
}

#[test]
fn the_programs_json_cannot_set_a_state() {
    let bench = Bench::new();
    let line = |status: &str| {
        format!(
            "echo '##PROGRESS##{{\"status\":\"{status}\",\"state\":\"{status}\",\"result\":\"{status}\",\"type\":\"{status}\"}}##'"
        )
    };
    let all = ["failed", "cancelled", "interrupted", "queued", "paused", "nonsense"].map(line).join("; ");
    let number = bench.add(&[], &["sh", "-c", &all]);
    let end = ended(&bench, number);
    assert_eq!((end["status"].as_str(), &end["error"]), (Some("completed"), &json!(null)), "{end:#}");
}

#[test]
fn two_who_watch_see_the_same() {
    let bench = Bench::new();
    let say = |n: u32| format!("echo '##PROGRESS##{{\"progress\":0.{n}}}##'; {}; ", gate(&format!("go-{n}")));
    let number = bench.add(&["--name", "seen"], &["sh", "-c", &(1..=5).map(say).collect::<String>()]);
    until(LONG, "it runs", || bench.show(number)["progress"] == 0.1);
    let watch = || bench.footplate(["watch", "1"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut watchers = [watch(), watch()];
    let readers: Vec<_> = watchers.iter_mut().map(|w| BufReader::new(w.stderr.take().unwrap())).collect();
    let mut seen: Vec<Vec<String>> = Vec::new();
    let mut lines: Vec<_> = readers.into_iter().map(BufRead::lines).collect();
    for lines in &mut lines {
        // The present state first, to each.
        seen.push((0..2).map(|_| lines.next().unwrap().unwrap()).collect());
    }
    for n in 1..=5 {
        open(&bench, &format!("go-{n}"));
        if n < 5 {
            for (seen, lines) in seen.iter_mut().zip(&mut lines) {
                seen.push(lines.next().unwrap().unwrap());
            }
        }
    }
    for (seen, lines) in seen.iter_mut().zip(lines) {
        seen.extend(lines.map(Result::unwrap));
    }
    // Times left and spans are each watcher's own.
    let plain = |lines: &[String]| -> Vec<String> {
        lines
            .iter()
            .map(|line| line.split("  ").next().unwrap().split(" after ").next().unwrap().trim_end().to_owned())
            .collect()
    };
    assert_eq!(plain(&seen[0]), plain(&seen[1]));
    assert_eq!(
        plain(&seen[0]),
        [
            "#1 seen running",
            "#1 main running",
            "#1 main 20%",
            "#1 main 30%",
            "#1 main 40%",
            "#1 main 50%",
            "#1 main completed"
        ]
    );
    for mut watcher in watchers {
        assert!(watcher.wait().unwrap().success());
    }
}

#[test]
fn programs_are_seen_after_a_restart() {
    let bench = Bench::new();
    let number = bench.add(&[], &["sh", "-c", &format!("echo before; {}; echo after; exit 6", gate("go"))]);
    bench.until_status(number, "running", LONG);
    until(LONG, "the program runs", || stage(&bench.show(number), "main")["attempts"][0]["pid"].is_number());
    let pid = stage(&bench.show(number), "main")["attempts"][0]["pid"].clone();
    assert!(bench.kill_owner());
    let listed = bench.run(&["list", "--json", "--status", "running"]).expect(0).json();
    assert_eq!(listed[0]["number"], number, "{listed:#}");
    assert_eq!(stage(&bench.show(number), "main")["attempts"][0]["pid"], pid);
    open(&bench, "go");
    let end = ended(&bench, number);
    let attempt = &stage(&end, "main")["attempts"][0];
    assert_eq!(
        (end["status"].as_str(), attempt["exit_code"].as_i64(), attempt["pid"] == pid),
        (Some("failed"), Some(6), true)
    );
    assert_eq!(bench.run(&["logs", "1"]).expect(0).stdout, "before\nafter\n");
}

#[test]
fn what_people_write_is_never_the_name_of_a_file() {
    let bench = Bench::new();
    bench.write("victim/keep", "");
    let hostile = [
        "../../victim",
        "../victim",
        "/etc/passwd",
        "a/../../b",
        "..",
        "%2e%2e",
        "$(touch pwned)",
        "`touch pwned`",
        "x;y",
        "C:\\x",
        "~root",
    ];
    for text in hostile {
        let options = ["--name", text, "--tag", text];
        let number = bench.add(&options, &["true"]);
        let run = ended(&bench, number);
        assert_eq!((run["name"].as_str(), run["status"].as_str()), (Some(text), Some("completed")));
        let _ = bench.run(&["rm", &number.to_string(), "--files"]).expect(0);
        for verb in ["show", "logs", "rm", "cancel", "retry", "metrics"] {
            let code = bench.run(&[verb, "--", text]).code;
            assert!([3, 4].contains(&code), "{verb} {text}: {code}");
        }
    }
    let below = |folder: std::path::PathBuf| -> Vec<String> {
        let all = std::fs::read_dir(folder).into_iter().flatten().flatten();
        all.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(below(bench.work()), ["victim"], "nothing else came to be there");
    assert!(bench.work().join("victim/keep").exists());
    let mut in_root = below(bench.root().to_owned());
    in_root.sort();
    assert_eq!(in_root, ["data", "home", "work"]);
    // A removal is said when it is sure to happen; the files go right after.
    for folder in ["attempts", "runs"] {
        until(LONG, folder, || below(bench.data().join(folder)).is_empty());
    }
}

#[test]
fn times_have_a_zone() {
    let mut bench = Bench::new();
    bench.set_env("TZ", "Asia/Kolkata");
    let number = bench.add(&[], &["true"]);
    let end = ended(&bench, number);
    for name in ["created_at", "started_at", "finished_at"] {
        let time = end[name].as_str().unwrap();
        assert!(time.len() == 24 && time.ends_with('Z'), "{name}: {time}");
    }
    let shown = bench.run(&["show", "1"]).expect(0).stdout;
    assert!(shown.contains("+05:30"), "{shown}");
    assert!(bench.run(&["list"]).expect(0).stdout.contains("+05:30"));
}

#[test]
fn clean_up_takes_interrupted_ones_too() {
    let bench = Bench::new();
    let number = bench.add(&[], &["sleep", "300"]);
    until(LONG, "it runs", || bench.processes_of("sleep").len() == 1);
    bench.kill_all();
    bench.until_status(number, "interrupted", LONG);
    let id = bench.show(number)["id"].as_str().unwrap().to_owned();
    let _ = bench.run(&words("clean --older-than 1ms")).expect(0);
    let _ = bench.run(&["show", &number.to_string()]).expect(4);
    until(LONG, "its folder is gone", || !bench.data().join("attempts").join(&id).exists());
}

#[test]
fn recovery_starts_no_more_than_the_limits_allow() {
    let bench = Bench::new();
    let _ = bench.run(&words("queue set default --limit 2")).expect(0);
    for _ in 0..8 {
        bench.add(&["--cpus", "0"], &["sh", "-c", &counted()]);
    }
    until(LONG, "two run", || text(&bench, "all") == "+\n+\n");
    // Owners die again and again; who looks starts the next one.
    for _ in 0..5 {
        bench.kill_owner();
        // A dying owner may still hold its lock at the first look.
        until(LONG, "another owner", || bench.run(&["list"]).code == 0 && bench.owner().is_some());
        let running = bench.run(&words("list --json --status running")).expect(0).json();
        assert_eq!(running.as_array().unwrap().len(), 2, "{running:#}");
    }
    open(&bench, "go");
    let _ = bench.run(&words("wait 1 2 3 4 5 6 7 8")).expect(0);
    assert_eq!((most(&bench), text(&bench, "all").lines().filter(|sign| *sign == "+").count()), (2, 8));
}

#[test]
fn a_task_does_not_wait_for_strangers() {
    let bench = Bench::new();
    let toml = format!(
        "[stages.slow]\nshell = '{}'\nresources = {{ cpus = 0 }}\n[stages.quick]\ncommand = [\"true\"]\nresources = {{ cpus = 0 }}\n[stages.after_quick]\nneeds = [\"quick\"]\ncommand = [\"true\"]\nresources = {{ cpus = 0 }}\n",
        gate("go")
    );
    let _ = bench.run(&words("queue set default --limit 4")).expect(0);
    let number = start(&bench, &pipeline(&bench, "strangers", &toml), &[]);
    until(LONG, "the second level goes on", || stage(&bench.show(number), "after_quick")["status"] == "completed");
    assert_eq!(stage(&bench.show(number), "slow")["status"], "running");
    open(&bench, "go");
    assert_eq!(ended(&bench, number)["status"], "completed");
}

#[test]
fn a_failure_is_acted_upon_at_once() {
    let bench = Bench::new();
    let _ = bench.run(&words("queue set default --limit 4")).expect(0);
    let slow = |name: &str| format!("[stages.{name}]\nshell = '{}'\nresources = {{ cpus = 0 }}\n", gate("go"));
    let rest = "[stages.bad]\nshell = 'exit 1'\nresources = { cpus = 0 }\n[stages.after_bad]\nneeds = [\"bad\", \"slow\"]\ncommand = [\"true\"]\n[stages.after_that]\nneeds = [\"after_bad\"]\ncommand = [\"true\"]\n";
    for (way, left) in [("continue", "waiting"), ("stop", "skipped")] {
        let toml = format!(
            "on_failure = \"{way}\"\n{}{rest}[stages.more]\nneeds = [\"slow\"]\ncommand = [\"true\"]\n",
            slow("slow")
        );
        let number = start(&bench, &pipeline(&bench, way, &toml), &[]);
        until(LONG, "what depends on it is skipped", || {
            stage(&bench.show(number), "after_that")["status"] == "skipped"
        });
        let now = bench.show(number);
        assert_eq!(stage(&now, "after_bad")["status"], "skipped", "{now:#}");
        assert_eq!(stage(&now, "slow")["status"], "running", "what is independent goes on");
        assert_eq!(stage(&now, "more")["status"], left, "on_failure = {way}");
        assert!(stage(&now, "after_bad")["error"]["detail"].as_str().unwrap().contains("bad"), "{now:#}");
        open(&bench, "go");
        assert_eq!(ended(&bench, number)["status"], "failed");
        std::fs::remove_file(bench.work().join("go")).unwrap();
    }
}

#[test]
fn the_totals_of_a_report_add_up() {
    let bench = Bench::new();
    let path = pipeline(
        &bench,
        "totals",
        "[stages.a]\nshell = 'sleep 0.2'\n[stages.b]\nneeds = [\"a\"]\ncommand = [\"false\"]\nretries = { max = 1, delay = \"50ms\" }\n[stages.c]\nneeds = [\"b\"]\ncommand = [\"true\"]\n[stages.d]\ncommand = [\"true\"]\nallow_failure = true\n[stages.e]\nif = \"false\"\ncommand = [\"true\"]\n",
    );
    run(&bench, &path, &[]);
    let report = bench.run(&words("report 1 --json")).expect(0).json();
    let stages = report["stages"].as_array().unwrap();
    let sum: u64 = report["totals"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!((sum, stages.len()), (5, 5));
    for (status, count) in report["totals"].as_object().unwrap() {
        assert_eq!(
            stages.iter().filter(|s| s["status"] == status.as_str()).count() as u64,
            count.as_u64().unwrap(),
            "{status}"
        );
    }
    let seconds = |name: &str| report[name].as_f64().unwrap_or(0.0);
    assert!(
        (seconds("planning_s") + seconds("queued_s") + seconds("execution_s") - seconds("total_s")).abs() < 0.001,
        "{report:#}"
    );
    for stage in stages {
        let attempts: f64 = stage["attempts"].as_array().unwrap().iter().map(|a| a["run_s"].as_f64().unwrap()).sum();
        assert!((attempts - stage["run_s"].as_f64().unwrap()).abs() < 0.001, "{stage:#}");
    }
    let named: usize = report["levels"].as_array().unwrap().iter().map(|level| level.as_array().unwrap().len()).sum();
    assert_eq!(named, 5);
    assert!(seconds("critical_path_s") <= seconds("execution_s") + 0.001, "{report:#}");
}

#[test]
fn one_value_goes_to_two_consumers() {
    let bench = Bench::new();
    let path = pipeline(
        &bench,
        "shared",
        "[stages.make]\nshell = '''echo '{\"parts\": {\"a\": [1, 2]}}' > $FOOTPLATE_OUTPUT'''\n[stages.one]\ncommand = [\"echo\", \"{{ stages.make.outputs.parts }}\"]\n[stages.two]\ncommand = [\"echo\", \"{{ stages.make.outputs.parts }}\", \"{{ stages.make.outputs.parts }}\"]\n",
    );
    assert_eq!(run(&bench, &path, &[])["status"], "completed");
    let value = r#"{"a":[1,2]}"#;
    assert_eq!(bench.run(&words("logs 1 one")).expect(0).stdout, format!("{value}\n"));
    assert_eq!(bench.run(&words("logs 1 two")).expect(0).stdout, format!("{value} {value}\n"));
}

#[test]
fn an_output_that_is_no_file_holds_nobody_up() {
    let bench = Bench::new();
    let put = [
        "mkfifo \"$FOOTPLATE_OUTPUT\"",
        "mkdir \"$FOOTPLATE_OUTPUT\"",
        "ln -s /etc/hostname \"$FOOTPLATE_OUTPUT\"",
        "yes x | head -c 1000000 > \"$FOOTPLATE_OUTPUT\"",
    ];
    for what in put {
        let number = bench.add(&["--cpus", "0"], &["sh", "-c", &format!("rm -f \"$FOOTPLATE_OUTPUT\"; {what}")]);
        let run = ended(&bench, number);
        assert_eq!(run["status"], "completed", "{what}");
        let attempt = &stage(&run, "main")["attempts"][0];
        let notes = attempt["notes"].as_array().unwrap();
        assert!((1..=12).contains(&notes.len()), "{what}: {notes:?}");
    }
}
