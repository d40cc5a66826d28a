//! Days and nights: a long program, an owner that is killed again and again, a machine that sleeps. What has to stay flat is flat.

use std::time::Duration;

use footplate_testkit::{Bench, Pretend, until};

use crate::{LONG, let_pass, rounds};

/// From one kill of the owner to the next, in soak: five minutes.
const APART_MS: u64 = 300_000;
/// A sleep with each so many-th kill: each hour, in soak.
const SLEEPS_EVERY: u32 = 12;
const NIGHT_MS: i64 = 8 * 3600 * 1000;

/// What a process costs: open descriptors, resident KiB.
fn cost(pid: i32) -> (usize, u64) {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    (open, resident.trim().trim_end_matches(" kB").parse().unwrap())
}

/// The newest value of the metric `step` that an owner has read; -1 before the first.
fn step(bench: &Bench) -> i64 {
    let out = bench.run(&["metrics", "1", "--json"]);
    let all = if out.code == 4 { serde_json::json!([]) } else { out.expect(0).json() };
    all.as_array().unwrap().last().map_or(-1, |point| point["value"].as_f64().unwrap() as i64)
}

#[test]
fn a_long_program_outlives_owners_and_nights_and_nothing_grows() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let shift = bench.write("shift", "0");
    bench.set_env("FOOTPLATE_TEST_WALL_SHIFT", &shift);
    let body = r###"
n = 0
while not os.path.exists('go'):
    print('##PROGRESS##{"step": %d, "metrics": {"step": %d}}##' % (n, n), flush=True)
    n += 1
    time.sleep(0.02)
print('last', n, flush=True)
"###;
    let program = Pretend::python(&bench.work(), "long.py", body);
    assert_eq!(bench.add(&["--timeout", "90d"], &program.argv()), 1);
    until(LONG, "it runs and is read", || step(&bench) >= 0);
    let shim = bench.processes_of("footplate-shim").iter().map(|found| found.pid).max().unwrap();
    let all = rounds(4, 96);
    let mut costs = Vec::new();
    let mut night = 0;
    for round in 1..=all {
        if std::env::var_os("FOOTPLATE_SOAK").is_some() {
            let_pass(std::env::var("FOOTPLATE_STEADY_MS").ok().and_then(|ms| ms.parse().ok()).unwrap_or(APART_MS));
        }
        let owner = bench.owner().unwrap();
        costs.push((cost(owner), cost(shim)));
        let before = step(&bench);
        assert!(bench.kill_owner());
        if round % SLEEPS_EVERY == 2 {
            night += NIGHT_MS;
            let draft = shift.with_extension("new");
            std::fs::write(&draft, night.to_string()).unwrap();
            std::fs::rename(draft, &shift).unwrap();
        }
        // Whoever looks sees to it that there is an owner.
        until(LONG, "the next owner reads on", || {
            let _ = bench.run(&["list"]).expect(0);
            step(&bench) > before + 10
        });
        assert_eq!(program.starts(), 1, "it was started once");
    }
    std::fs::write(bench.work().join("go"), "").unwrap();
    bench.until_status(1, "completed", LONG);
    let log = bench.run(&["logs", "1", "--raw"]).expect(0).stdout;
    let count = log.lines().filter(|line| line.starts_with("##PROGRESS##")).count();
    assert_eq!(log.lines().last().unwrap(), format!("last {count}"), "no line is lost, and none is there twice");
    assert_eq!(step(&bench), count as i64 - 1, "its last value was read");

    // The first round may still warm up what the others have warm.
    let (first, last) = (costs[1], *costs.last().unwrap());
    println!("descriptors and KiB, owner and shim: {first:?}, {all} owners later {last:?}");
    for ((open, kib), (open_then, kib_then), more) in [(last.0, first.0, 4_096), (last.1, first.1, 512)] {
        assert!(open <= open_then + 1, "descriptors: {first:?}, then {last:?}");
        assert!(kib <= kib_then + more, "memory: {first:?}, then {last:?}");
    }
    until(Duration::from_secs(30), "the owner leaves", || bench.owner().is_none());
}
