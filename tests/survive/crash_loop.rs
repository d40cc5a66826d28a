//! The crash loop: owners (or shims) are killed at random instants under load. Each program appends one line to its own file.

use std::collections::HashMap;
use std::time::Duration;

use footplate_testkit::{Bench, kill9, until};
use serde_json::Value;

use crate::{Dice, LONG, crash_rounds, let_pass};

/// Three stages: the first is retried once where it is to fail the first time; two follow it side by side.
fn pipeline(bench: &Bench) -> String {
    let lines = bench.work().join("lines");
    std::fs::create_dir_all(&lines).unwrap();
    let note = format!(
        "echo $FOOTPLATE_RUN_NUMBER.$FOOTPLATE_STAGE.$FOOTPLATE_ATTEMPT >> {}/$FOOTPLATE_RUN_NUMBER.$FOOTPLATE_STAGE",
        lines.display()
    );
    let text = format!(
        "format = 1\nname = \"load\"\n[params.code]\ntype = \"integer\"\ndefault = 0\n[params.ms]\ntype = \"string\"\ndefault = \"0.01\"\n\
         [stages.first]\nshell = '{note}; sleep {{{{ params.ms }}}}; [ $FOOTPLATE_ATTEMPT -gt 1 ] || exit {{{{ params.code }}}}'\n\
         retries = {{ max = 1, delay = \"10ms\", jitter = 0 }}\n\
         [stages.left]\nneeds = [\"first\"]\nshell = '{note}; sleep 0.02'\n\
         [stages.right]\nneeds = [\"first\"]\nallow_failure = true\nshell = '{note}; exit 9'\n"
    );
    bench.write("load/footplate.toml", text).parent().unwrap().display().to_string()
}

fn lines_of(bench: &Bench, number: i64, stage: &str) -> Vec<String> {
    let path = bench.work().join("lines").join(format!("{number}.{stage}"));
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Each attempt that says it ran left exactly one line; no attempt left two; exit codes are those of the programs.
fn check_run(bench: &Bench, run: &Value, code: i64) {
    let number = run["number"].as_i64().unwrap();
    for stage in run["stages"].as_array().unwrap() {
        let name = stage["name"].as_str().unwrap();
        let lines = lines_of(bench, number, name);
        let mut seen: HashMap<&str, u32> = HashMap::new();
        for line in &lines {
            *seen.entry(line).or_default() += 1;
        }
        assert!(seen.values().all(|n| *n == 1), "an attempt of #{number} {name} ran twice: {lines:?}");
        for attempt in stage["attempts"].as_array().unwrap() {
            let key = format!("{number}.{name}.{}", attempt["number"]);
            let status = attempt["status"].as_str().unwrap();
            let expected = match (name, attempt["number"].as_i64()) {
                ("first", Some(1)) => code,
                ("right", _) => 9,
                _ => 0,
            };
            match status {
                "completed" | "failed" => {
                    assert_eq!(
                        seen.get(key.as_str()),
                        Some(&1),
                        "#{number} {name}: {status} without having run: {attempt}"
                    );
                    assert_eq!(attempt["exit_code"].as_i64(), Some(expected), "#{number} {name}: {attempt}");
                    assert_eq!(status == "completed", expected == 0, "{attempt}");
                }
                "void" => assert_eq!(seen.get(key.as_str()), None, "#{number} {name}: void, but it ran"),
                "cancelled" | "interrupted" => {}
                other => panic!("#{number} {name}: an attempt ended {other}: {attempt}"),
            }
        }
    }
}

fn after_all(bench: &Bench) {
    bench.until_nothing_left(LONG);
    let doctor = bench.run(&["doctor", "--json"]).expect(0).json();
    assert_eq!(doctor["store"]["sound"], true, "{doctor}");
    let attempts = bench.data().join("attempts");
    for lock in walk(&attempts).into_iter().filter(|p| p.ends_with("lock")) {
        assert!(std::fs::File::open(&lock).unwrap().try_lock().is_ok(), "{} is held", lock.display());
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(walk(&entry.path())),
            _ => found.push(entry.path()),
        }
    }
    found
}

fn leads_session(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    after.split_whitespace().nth(3) == Some(pid.to_string().as_str())
}

fn submit(bench: &Bench, pipeline: &str, code: i64, dice: &mut Dice) -> i64 {
    let ms = ["0", "0.01", "0.05", "0.2"][dice.below(4) as usize];
    let (code, ms) = (format!("code={code}"), format!("ms={ms}"));
    let out = bench.run(&["run", pipeline, "--detach", "--json", "-p", &code, "-p", &ms]).expect(0).json();
    out["number"].as_i64().unwrap()
}

#[test]
fn owners_die_at_random_instants_and_nothing_is_lost_or_done_twice() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let pipeline = pipeline(&bench);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let _ = bench.run(&["queue", "set", "default", "--limit", "4"]).expect(0);
    let mut runs: Vec<(i64, i64, bool)> = Vec::new();
    let mut killed = 0;
    for round in 0..crash_rounds(100) {
        let code = if dice.below(3) == 0 { 5 } else { 0 };
        let number = submit(&bench, &pipeline, code, &mut dice);
        let cancel = round % 7 == 3;
        runs.push((number, code, cancel));
        if cancel {
            let _ = bench.run(&["cancel", &number.to_string(), "--no-wait"]);
        }
        let_pass(dice.below(120));
        killed += u32::from(bench.kill_owner());
    }
    assert!(killed * 2 > crash_rounds(100), "only {killed} owners were there to be killed");
    for (number, code, cancel) in runs {
        let waited = bench.run(&["wait", &number.to_string()]);
        let run = bench.show(number);
        check_run(&bench, &run, code);
        let status = run["status"].as_str().unwrap();
        if cancel {
            assert!(matches!(status, "cancelled" | "completed"), "{waited:?} {run:#}");
        } else {
            assert_eq!(status, "completed", "{waited:?} {run:#}");
            let totals: u64 =
                run["stages"].as_array().unwrap().iter().map(|s| s["attempts"].as_array().unwrap().len() as u64).sum();
            assert!(totals >= 3, "{run:#}");
        }
    }
    after_all(&bench);
}

#[test]
fn shims_die_at_random_instants_and_nothing_is_done_twice_or_called_what_it_is_not() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let pipeline = pipeline(&bench);
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let _ = bench.run(&["queue", "set", "default", "--limit", "4"]).expect(0);
    let mut runs = Vec::new();
    let rounds = crash_rounds(100) / 4;
    let mut killed = 0;
    for _ in 0..rounds {
        let number = submit(&bench, &pipeline, 0, &mut dice);
        runs.push(number);
        let_pass(dice.below(80));
        // Shims lead a session; a program that waits at its gate is a copy of one, and leads none.
        let shims: Vec<_> = bench.processes_of("footplate-shim").into_iter().filter(|f| leads_session(f.pid)).collect();
        if !shims.is_empty() {
            killed += u32::from(kill9(shims[dice.below(shims.len() as u64) as usize].pid));
        }
    }
    assert!(killed * 2 > rounds, "only {killed} shims were there to be killed");
    for number in runs {
        let _ = bench.run(&["wait", &number.to_string()]);
        let run = bench.show(number);
        check_run(&bench, &run, 0);
        assert!(matches!(run["status"].as_str(), Some("completed" | "interrupted")), "{run:#}");
    }
    after_all(&bench);
}

#[test]
fn a_long_program_outlives_twenty_owners() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let gate = bench.work().join("go");
    let program = footplate_testkit::Pretend::sh(
        &bench.work(),
        "p.sh",
        &format!(
            "i=0; while [ ! -e {} ]; do i=$((i+1)); echo line $i; sleep 0.02; done; echo end; exit 3",
            gate.display()
        ),
    );
    let number = bench.add(&[], &program.argv());
    bench.until_status(number, "running", LONG);
    let mut dice = Dice(77);
    for _ in 0..20 {
        let_pass(dice.below(60));
        bench.kill_owner();
        assert_eq!(bench.status(number), "running");
    }
    std::fs::write(&gate, "").unwrap();
    let _ = bench.run(&["wait", &number.to_string()]).expect(1);
    assert_eq!(bench.show(number)["stages"][0]["attempts"][0]["exit_code"], 3);
    let log = bench.run(&["logs", &number.to_string()]).expect(0).stdout;
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.last(), Some(&"end"));
    for (index, line) in lines[..lines.len() - 1].iter().enumerate() {
        assert_eq!(*line, format!("line {}", index + 1), "a line is missing");
    }
    assert_eq!(program.starts(), 1);
    bench.until_nothing_left(Duration::from_secs(10));
}

/// No guest looks, waits or submits while owners are killed: what brings the next one is the end of a program that was under way.
#[test]
fn with_nobody_around_owners_die_at_random_instants_and_the_queue_goes_on() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let _ = bench.run(&["queue", "set", "default", "--limit", "2"]).expect(0);
    let program = footplate_testkit::Pretend::sh(&bench.work(), "p.sh", "sleep 0.1; exit 3");
    let runs = crash_rounds(100).div_ceil(2);
    let line = format!("{}\n", serde_json::to_string(&program.argv()).unwrap());
    let _ = bench.run_with_stdin(&["add", "--stdin"], line.repeat(runs as usize)).expect(0);
    let mut dice = Dice(0x0051_7cc1_b727_220a);
    let mut killed = 0;
    // One that reads a long queue takes longer to begin something; killed before, always, none ever would.
    let within = 60 + u64::from(runs) / 8;
    // From the first program on there is always a shim that has not been told yet that it may leave.
    until(LONG, "the first program runs", || program.starts() > 0);
    while program.starts() < runs as usize {
        let_pass(dice.below(within));
        killed += u32::from(bench.kill_owner());
        // One look at the table can miss who comes while another goes.
        let goes_on = || program.starts() == runs as usize || !bench.processes().is_empty();
        let goes_on = footplate_testkit::holds_within(Duration::from_secs(3), goes_on);
        assert!(goes_on, "nobody is left after {} starts and {killed} killed owners", program.starts());
    }
    assert!(killed * 10 > runs, "only {killed} owners were there to be killed");
    bench.until_nothing_left(LONG);
    assert_eq!(program.starts(), runs as usize);
    for number in 1..=i64::from(runs) {
        let run = bench.show(number);
        let attempts = run["stages"][0]["attempts"].as_array().unwrap();
        let ran: Vec<_> = attempts.iter().filter(|a| a["status"] != "void").collect();
        assert_eq!((ran.len(), ran[0]["exit_code"].as_i64()), (1, Some(3)), "{run:#}");
    }
    after_all(&bench);
}
