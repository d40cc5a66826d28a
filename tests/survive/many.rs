//! Many at once.

use std::process::Stdio;

use footplate_testkit::{Bench, Pretend, until};

use crate::{Dice, LONG, let_pass, rounds};

#[test]
fn of_two_owners_one_works() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let program = Pretend::sh(&bench.work(), "p.sh", "");
    let _ = bench.run(&["list"]).expect(0);
    let mut expected = 0;
    for round in 0..rounds(200, 1000) {
        if round % 20 == 0 {
            bench.add(&[], &program.argv());
            expected += 1;
        }
        let work = || {
            let mut command = bench.footplate(["work", "--until-idle", "--no-wait"]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let (mut one, mut two) = (work(), work());
        for code in [one.wait().unwrap().code(), two.wait().unwrap().code()] {
            assert!(matches!(code, Some(0 | 7)), "round {round}: {code:?}");
        }
    }
    bench.until_nothing_left(LONG);
    assert_eq!(program.starts(), expected);
}

#[test]
fn a_wish_at_the_moment_the_owner_goes_idle_is_not_stranded() {
    let bench = Bench::new();
    let program = Pretend::sh(&bench.work(), "p.sh", "");
    let mut dice = Dice(4242);
    let rounds = rounds(50, 1000);
    for round in 0..rounds {
        bench.add(&[], &program.argv());
        // The owner goes idle right after the program's end: the next submit meets it at any point of that.
        until(LONG, "the program ran", || program.starts() == round as usize + 1);
        let_pass(dice.below(12));
    }
    let numbers: Vec<String> = (1..=rounds).map(|n| n.to_string()).collect();
    let mut wait: Vec<&str> = vec!["wait"];
    wait.extend(numbers.iter().map(String::as_str));
    let _ = bench.run(&wait).expect(0);
    assert_eq!(program.starts(), rounds as usize);
    bench.until_nothing_left(LONG);
}

#[test]
fn forty_that_end_at_once_are_all_settled_when_they_ring() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let gate = bench.work().join("go");
    let body = format!("while [ ! -e {} ]; do sleep 0.2; done", gate.display());
    let program = Pretend::sh(&bench.work(), "p.sh", &body);
    let _ = bench.run(&["queue", "set", "default", "--limit", "40"]).expect(0);
    for _ in 0..40 {
        bench.add(&["--cpus", "0"], &program.argv());
    }
    until(LONG, "all run", || program.starts() == 40);
    std::fs::write(&gate, "").unwrap();
    // A shim whose ring moves nobody leaves after a minute, and is seen then.
    let completed = || bench.run(&["list", "--status", "completed", "--json"]).json().as_array().unwrap().len();
    until(std::time::Duration::from_secs(40), "all are settled", || completed() == 40);
}

#[test]
fn twenty_guests_write_while_the_owner_is_busy() {
    let bench = Bench::new();
    let program = Pretend::sh(&bench.work(), "p.sh", "");
    let _ = bench.run(&["queue", "set", "default", "--limit", "2"]).expect(0);
    let mut guests: Vec<_> = (0..20)
        .map(|guest| {
            let line = format!("{}\n", serde_json::to_string(&program.argv()).unwrap());
            let path = bench.write(&format!("lines-{guest}.txt"), line.repeat(5));
            let stdin = std::fs::File::open(path).unwrap();
            bench
                .footplate(["add", "--stdin"])
                .stdin(stdin)
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for guest in guests.drain(..) {
        let out = guest.wait_with_output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
    until(LONG, "all ran", || program.starts() == 100);
    bench.until_nothing_left(LONG);
    let list = bench.run(&["list", "--json", "--limit", "200"]).expect(0).json();
    let all = list.as_array().cloned().or_else(|| list["runs"].as_array().cloned()).unwrap();
    assert_eq!(all.len(), 100);
    assert!(all.iter().all(|r| r["status"] == "completed"), "{list:#}");
}

#[test]
fn twenty_first_starts_in_a_new_folder() {
    let bench = Bench::new();
    let program = Pretend::sh(&bench.work(), "p.sh", "");
    let guests: Vec<_> = (0..20)
        .map(|_| {
            let mut add = bench.footplate(["add", "--"]);
            add.args(program.argv()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for guest in guests {
        let out = guest.wait_with_output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
    until(LONG, "all ran", || program.starts() == 20);
    bench.until_nothing_left(LONG);
}

/// Memory that no file stands behind, MiB.
fn anonymous(pid: i32) -> u64 {
    let smaps = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = smaps.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[test]
fn thousands_of_pipelines_that_wait_take_little_memory_and_are_there_for_the_next_owner() {
    const MANY: u32 = 4_000;
    let bench = Bench::new();
    let gate = bench.work().join("go");
    let body = format!("while [ ! -e {} ]; do sleep 0.2; done", gate.display());
    let program = Pretend::sh(&bench.work(), "p.sh", &body);
    let _ = bench.run(&["queue", "set", "default", "--limit", "1"]).expect(0);
    let first = bench.add(&["--queue", "default"], &program.argv());
    bench.until_status(first, "running", LONG);
    let pipeline = bench.write(
        "footplate.toml",
        "format = 1\nname = \"many\"\nqueue = \"default\"\n[params.x]\ntype = \"integer\"\n\
         [stages.prepare]\ncommand = [\"true\"]\n[stages.sometimes]\nif = \"params.x == 1999\"\ncommand = [\"true\"]\n\
         [stages.train]\ncommand = [\"true\"]\nneeds = [\"prepare\"]\n",
    );
    let sweep = |from: u32, to: u32| {
        let _ = bench.run(&["sweep", pipeline.to_str().unwrap(), "-p", &format!("x={from}..{to}")]).expect(0);
    };
    let has = |runs: u32| {
        let said = bench.run(&["move", &(runs + 1).to_string(), "--to", "9999"]).expect(0).stdout;
        said.contains(&format!("at place {runs} "))
    };
    sweep(1, MANY / 4);
    until(LONG, "a quarter is taken in", || has(MANY / 4));
    let before = anonymous(bench.owner().unwrap());
    sweep(MANY / 4 + 1, MANY);
    until(LONG, "all are taken in", || has(MANY));
    let with_all = anonymous(bench.owner().unwrap());
    assert!(bench.kill_owner());
    until(LONG, "the next owner has all of them", || has(MANY));
    let of_the_next = anonymous(bench.owner().unwrap());
    // Each of them whole would be some 10 KiB, 30 MiB together.
    eprintln!("{before} MiB, then {with_all}, {of_the_next}");
    assert!(with_all < before + 15 && of_the_next < before + 15, "{before} MiB, then {with_all}, {of_the_next}");
    // Of those that were forgotten meanwhile all is known.
    let sometimes = |run: i64| bench.show(run)["stages"][1]["status"].as_str().unwrap().to_owned();
    assert_eq!([1_999, 2_000].map(sometimes), ["skipped", "queued"]);
    let _ = bench.run(&["move", "2000", "--to", "1"]).expect(0);
    std::fs::write(&gate, "").unwrap();
    let _ = bench.run(&["wait", "2000"]).expect(0);
    bench.kill_all();
}
