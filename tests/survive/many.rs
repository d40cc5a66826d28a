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
