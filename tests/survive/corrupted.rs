//! A store of a real session of runs, damaged in many ways, each from a seed: nobody panics, what was there is there or its absence is
//! said, the program at work is found again, and nothing runs twice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use footplate_store::{Role, Store};
use footplate_testkit::{Bench, Pretend, holds_within, until};
use serde_json::Value;

use crate::{Dice, LONG, let_pass, rounds};

/// The files that make up the store, by the end of their name; `mark` is the owner's word of how far it had come.
const FILES: [&str; 4] = ["state.db", "state.db-wal", "state.db-shm", "state.mark"];

type Snapshot = BTreeMap<&'static str, Vec<u8>>;

struct Session {
    bench: Bench,
    /// As an owner that was killed left it, and as a closed one is.
    snapshots: [Snapshot; 2],
    /// Number and status of every run.
    runs: BTreeMap<i64, String>,
    running: i64,
    short: Pretend,
    long: Pretend,
    queued: Pretend,
    gate: PathBuf,
    backups: PathBuf,
}

fn snapshot(data: &Path) -> Snapshot {
    FILES.iter().filter_map(|name| Some((*name, std::fs::read(data.join(name)).ok()?))).collect()
}

fn listed(bench: &Bench) -> Result<BTreeMap<i64, String>, String> {
    let out = bench.run(&["list", "--json", "--limit", "1000"]);
    assert!(!out.stderr.contains("panicked"), "{out:?}");
    if out.code != 0 {
        assert!(out.code == 8 || out.code == 5, "{out:?}");
        return Err(out.stderr);
    }
    let word = |run: &Value| (run["number"].as_i64().unwrap(), run["status"].as_str().unwrap().to_owned());
    let runs: BTreeMap<_, _> = out.json().as_array().unwrap().iter().map(word).collect();
    assert!(!runs.is_empty() || !out.stderr.is_empty(), "an empty list, and not a word: {out:?}");
    Ok(runs)
}

impl Session {
    fn new() -> Session {
        let mut bench = Bench::new();
        bench.expect_nothing_left();
        let short = Pretend::sh(&bench.work(), "short.sh", "exit $((FOOTPLATE_RUN_NUMBER % 3))");
        let line = format!("{}\n", serde_json::to_string(&short.argv()).unwrap());
        let _ = bench.run_with_stdin(&["add", "--stdin"], line.repeat(12)).expect(0);
        until(LONG, "the first half ended", || short.starts() == 12 && bench.status(12) != "running");
        let _ = bench.run(&["backup"]).expect(0);
        let _ = bench.run_with_stdin(&["add", "--stdin"], line.repeat(12)).expect(0);
        let gate = bench.work().join("go");
        let body = format!("while [ ! -e {} ]; do sleep 0.05; done; exit 3", gate.display());
        let long = Pretend::sh(&bench.work(), "long.sh", &body);
        let running = bench.add(&[], &long.argv());
        let queued = Pretend::sh(&bench.work(), "queued.sh", "");
        for _ in 0..3 {
            bench.add(&[], &queued.argv());
        }
        until(LONG, "the program has begun", || long.starts() == 1);
        until(LONG, "the owner has seen all", || bench.show(running + 3)["waiting"]["reason"] == "queue_limit");
        let runs = listed(&bench).unwrap();
        // The shims of programs that have just ended may bring another.
        while bench.kill_owner() {
            let_pass(200);
        }
        let killed = snapshot(&bench.data());
        drop(Store::open(&bench.data(), Role::Owner).unwrap());
        let closed = snapshot(&bench.data());
        assert!(killed.contains_key("state.db-wal") && !closed.contains_key("state.db-wal"));
        let backups = bench.root().join("backups");
        std::fs::rename(bench.data().join("backups"), &backups).unwrap();
        Session { bench, snapshots: [killed, closed], runs, running, short, long, queued, gate, backups }
    }

    /// The store as it was, and damaged by what the seed says, which is told in words.
    fn damage(&self, seed: u64, foreign: &Snapshot) -> String {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..5 {
            dice.below(2);
        }
        let data = self.bench.data();
        let mut files = self.snapshots[dice.below(2) as usize].clone();
        let has_backup = dice.below(3) > 0;
        let what = match dice.below(10) {
            0..3 => flip(&mut files, "state.db", &mut dice),
            3 => flip(&mut files, "state.db-wal", &mut dice),
            4 => {
                let file = files.get_mut("state.db").unwrap();
                let length = dice.below(file.len() as u64);
                file.truncate(length as usize);
                format!("state.db cut to {length} bytes")
            }
            5 => {
                let file = files.get_mut("state.db").unwrap();
                let pages: Vec<u64> = (0..=dice.below(4)).map(|_| dice.below(file.len() as u64 / 4096)).collect();
                pages.iter().for_each(|page| file[*page as usize * 4096..][..4096].fill(0));
                format!("pages {pages:?} of state.db zeroed")
            }
            6 => {
                let gone = [&FILES[1..3], &FILES[1..2], &FILES[2..3], &FILES[..1]][dice.below(4) as usize];
                gone.iter().for_each(|name| drop(files.remove(name)));
                format!("{gone:?} gone")
            }
            7 => {
                let name = FILES[1 + dice.below(2) as usize];
                foreign.get(name).map(|bytes| files.insert(name, bytes.clone()));
                format!("{name} of another store")
            }
            8 => {
                files.insert("state.db", foreign["state.db"].clone());
                "state.db of another store".to_owned()
            }
            _ => {
                let file = files.get_mut("state.db").unwrap();
                let (at, length) = (dice.below(file.len() as u64) as usize, 1 + dice.below(20_000) as usize);
                let end = (at + length).min(file.len());
                file[at..end].iter_mut().for_each(|byte| *byte = dice.below(256) as u8);
                format!("{} bytes of state.db from {at} on overwritten", end - at)
            }
        };
        for name in FILES.iter().chain(&["mend"]) {
            let _ = std::fs::remove_file(data.join(name));
        }
        let _ = std::fs::remove_dir_all(data.join("backups"));
        if has_backup {
            std::fs::create_dir(data.join("backups")).unwrap();
            for entry in std::fs::read_dir(&self.backups).unwrap().flatten() {
                std::fs::copy(entry.path(), data.join("backups").join(entry.file_name())).unwrap();
            }
        }
        for (name, bytes) in files {
            std::fs::write(data.join(name), bytes).unwrap();
        }
        format!("seed {seed}: {what}; a backup: {has_backup}")
    }

    /// What must be so whatever was done to the store.
    fn check(&self, what: &str) {
        let bench = &self.bench;
        let mut seen = Err(String::new());
        let mut report = Value::Null;
        let settled = holds_within(LONG, || {
            seen = listed(bench);
            let told = bench.run(&["restore", "--report", "--json"]);
            report = if told.code == 0 { told.json() } else { Value::Null };
            let lost =
                |number: i64| report["lost"].as_array().is_some_and(|all| all.iter().any(|l| l["number"] == number));
            let there = |runs: &BTreeMap<i64, String>, number: i64, status: &str| match runs.get(&number) {
                // What never started is there as it was, waits for a word, or is said to be lost.
                Some(now) if status == "queued" => now == "queued" || now == "draft",
                Some(now) => now == status,
                None => lost(number),
            };
            seen.as_ref().is_ok_and(|runs| {
                self.runs.iter().all(|(number, status)| there(runs, *number, status))
                    && runs.contains_key(&self.running)
            })
        });
        let log = || std::fs::read_to_string(bench.data().join("owner.log")).unwrap_or_default();
        assert!(settled, "{what}: {seen:?}\nbefore: {:?}\n{report:#}\n{}", self.runs, log());
        assert!(!log().contains("panicked"), "{what}: {}", log());
        let starts = [&self.short, &self.long, &self.queued].map(Pretend::starts);
        assert_eq!(starts, [24, 1, 0], "{what}: something ran twice");
        let _ = bench.kill_owner();
    }
}

fn flip(files: &mut Snapshot, name: &'static str, dice: &mut Dice) -> String {
    // A closed store has no journal.
    let name = if files.contains_key(name) { name } else { "state.db" };
    let file = files.get_mut(name).unwrap();
    let bits: Vec<u64> = (0..=dice.below(6)).map(|_| dice.below(file.len() as u64 * 8)).collect();
    bits.iter().for_each(|bit| file[(bit / 8) as usize] ^= 1 << (bit % 8));
    format!("bits {bits:?} of {name} flipped")
}

#[test]
fn of_a_store_damaged_in_many_ways_everything_is_there_again_or_its_loss_is_said() {
    let session = Session::new();
    // Another store, with a journal, of somebody else's runs.
    let other = Bench::new();
    let _ = other.run(&["queue", "pause", "default"]).expect(0);
    let _ = other.add(&[], &["true"]);
    let _ = other.kill_owner();
    let foreign = snapshot(&other.data());
    let only = std::env::var("FOOTPLATE_DAMAGE_SEED").ok().and_then(|seed| seed.parse::<u64>().ok());
    let seeds = only.map_or(1..=u64::from(rounds(30, 200)), |seed| seed..=seed);
    for seed in seeds {
        let what = session.damage(seed, &foreign);
        session.check(&what);
    }
    // As it was: all goes on, and what had waited runs once.
    let data = session.bench.data();
    for name in FILES {
        let _ = std::fs::remove_file(data.join(name));
    }
    for (name, bytes) in &session.snapshots[1] {
        std::fs::write(data.join(name), bytes).unwrap();
    }
    std::fs::write(&session.gate, "").unwrap();
    let all: Vec<String> = std::iter::once("wait".to_owned()).chain(session.runs.keys().map(i64::to_string)).collect();
    let _ = session.bench.run(&all).expect(1);
    let starts = [&session.short, &session.long, &session.queued].map(Pretend::starts);
    assert_eq!(starts, [24, 1, 3]);
}
