//! A million random operations on a backlog: `next`, `why` and the rest agree with a reference that sorts and scans everything.

#[path = "../common/mod.rs"]
mod common;
mod model;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::Random;
use footplate_core::gpu::{GpuTaken, TakenBy};
use footplate_core::id::StageKey;
use footplate_core::schedule::{
    Backlog, Capacity, Demand, Entry, KEEP_ROOM_AFTER_MS, QueueRule, RunGate, StartsHeld, Why,
};
use footplate_core::time::UtcMs;
use model::{Model, QUEUES};

const CAPACITIES: [Capacity; 3] = [
    Capacity { cpus: 8, memory: 64, gpus: 2 },
    Capacity { cpus: 4, memory: 32, gpus: 1 },
    Capacity { cpus: 16, memory: 16, gpus: 0 },
];

fn random_entry(random: &mut Random) -> Entry {
    let key = StageKey { run: random.below(12) as i64, stage: random.below(3) as u32 };
    Entry {
        key,
        queue: Arc::from(random.pick(&QUEUES)),
        run_priority: random.below(3) as i32 - 1,
        order: random.below(4) as i64,
        demand: Demand {
            cpus: random.pick(&[0, 1, 1, 1, 2, 3, 8, 9]),
            memory: random.pick(&[0, 0, 1, 8, 30, 64]),
            gpus: random.pick(&[0, 0, 0, 1, 2]),
        },
        not_before: None,
    }
}

/// One random change, on both. In calm times stages come and end, and no rule changes.
fn change(random: &mut Random, calm: bool, backlog: &mut Backlog, model: &mut Model, now: UtcMs) -> &'static str {
    let run = random.below(12) as i64;
    let gate = random.pick(&[RunGate::Paused, RunGate::Draft, RunGate::After { run: 3 }, RunGate::After { run: 5 }]);
    match random.below(if calm { 20 } else { 34 }) {
        0..=11 => {
            let mut entry = random_entry(random);
            entry.not_before = random.one_in(5).then(|| UtcMs(now.0 + random.below(900_000) as i64 - 100_000));
            model.push(entry.clone());
            backlog.push(entry);
            "push"
        }
        12..=19 => {
            let key = model.running.keys().nth(random.below(model.running.len().max(1))).copied();
            let key = key.unwrap_or(StageKey { run, stage: 0 });
            model.running.remove(&key);
            backlog.ended(key);
            "ended"
        }
        20 => {
            let key = StageKey { run, stage: random.below(3) as u32 };
            assert_eq!(backlog.remove(key), model.remove(key));
            "remove"
        }
        21 => {
            let entry = random_entry(random);
            model.adopt(&entry);
            backlog.adopt(entry);
            "adopt"
        }
        22 => {
            model.gates.entry(run).or_default().insert(gate);
            backlog.close_run(run, gate);
            "close"
        }
        23..=25 => {
            model.gates.remove(&run);
            backlog.open_run(run);
            "open"
        }
        26 => {
            let gates = model.gates.entry(run).or_default();
            gates.remove(&gate);
            backlog.open_gate(run, gate);
            "open one gate"
        }
        27 => {
            let (priority, order) = (random.below(3) as i32 - 1, random.below(4) as i64);
            model.set_run(run, priority, order);
            backlog.set_run(run, priority, order);
            "set run"
        }
        28 => {
            let (from, to) = (random.pick(&QUEUES), random.pick(&QUEUES));
            model.set_run_queue(run, from, to);
            backlog.set_run_queue(run, from, to);
            "move run"
        }
        29 | 30 => {
            let name = random.pick(&QUEUES);
            let rule = QueueRule {
                priority: random.below(2) as i32,
                limit: random.pick(&[0, 1, 2, 3, 8]),
                paused: random.one_in(5),
            };
            model.queues.insert(name, rule);
            backlog.set_queue(name, rule);
            "set queue"
        }
        31 => {
            model.max = random.pick(&[None, None, None, Some(3), Some(0)]);
            backlog.set_max(model.max);
            "max"
        }
        32 => {
            model.held = random.one_in(4).then_some(StartsHeld::Disk { free: 1, mark: 2 });
            backlog.hold_starts(model.held);
            "hold"
        }
        _ => {
            if random.one_in(4) {
                model.capacity = random.pick(&CAPACITIES);
                backlog.set_capacity(model.capacity);
            }
            if random.one_in(4) {
                model.taken = random.pick(&[0, 0, 1, 2]);
                backlog.set_gpus_taken((0..model.taken).map(|index| GpuTaken { index, by: TakenBy::Silent }).collect());
            }
            "capacity"
        }
    }
}

/// Starts all that starts, as the owner does; both pick the same, and what starts breaks no limit.
fn start_all(
    random: &mut Random,
    backlog: &mut Backlog,
    model: &mut Model,
    now: UtcMs,
    seen: &mut BTreeMap<String, u64>,
) {
    // `why` knows what is due from the first `next` on.
    let mut lined_up = false;
    loop {
        let before: Vec<(StageKey, Option<Why>)> = if lined_up && random.one_in(3) {
            model.queued.iter().map(|item| (item.entry.key, backlog.why(item.entry.key, now))).collect()
        } else {
            Vec::new()
        };
        let picked = backlog.next(now);
        let expected = model.next(now);
        lined_up = true;
        assert_eq!(picked, expected.as_ref().map(|entry| entry.key), "{model:#?}");
        let Some(entry) = expected else { break };
        if let Some((_, why)) = before.iter().find(|(key, _)| *key == entry.key) {
            assert_eq!(*why, None, "what starts had nothing in its way");
        }
        let rule = model.queues[&*entry.queue];
        let running = model.running.values().filter(|other| other.queue == entry.queue).count();
        assert!(running <= rule.limit as usize && !rule.paused, "the limit of {}: {running}, {rule:?}", entry.queue);
        let sum = |part: fn(&Demand) -> u64| model.running.values().map(|other| part(&other.demand)).sum::<u64>();
        let of = model.capacity;
        assert!(entry.demand.cpus == 0 || sum(|d| d.cpus.into()) <= of.cpus.into());
        assert!(entry.demand.memory == 0 || sum(|d| d.memory) <= of.memory);
        assert!(entry.demand.gpus == 0 || sum(|d| d.gpus.into()) <= of.gpus.into());
        *seen.entry("started".to_owned()).or_default() += 1;
    }
}

/// Nothing more starts: every queued stage says why, truly.
fn check_reasons(backlog: &Backlog, model: &Model, now: UtcMs, seen: &mut BTreeMap<String, u64>) {
    for item in &model.queued {
        let why = backlog.why(item.entry.key, now);
        let why = why.unwrap_or_else(|| panic!("{:?} waits for no reason: {model:#?}", item.entry));
        model.check_reason(&item.entry, &why, now);
        let sentence = why.sentence();
        assert_eq!(sentence.reason, why.reason().as_str());
        let kept = matches!(
            why,
            Why::Cpus { kept_for: Some(_), .. }
                | Why::Memory { kept_for: Some(_), .. }
                | Why::Gpus { kept_for: Some(_), .. }
        );
        *seen.entry(format!("{}{}", sentence.reason, if kept { " kept" } else { "" })).or_default() += 1;
    }
    assert_eq!(backlog.next_due(now), model.next_due(now));
    assert_eq!(backlog.can_start_by_itself(), model.can_start_by_itself());
    assert_eq!(backlog.waits_for_gpus(), model.waits_for_gpus(now), "{model:#?}");
    *seen.entry(format!("looks at GPUs: {}", model.waits_for_gpus(now))).or_default() += 1;
    assert_eq!((backlog.queued(), backlog.running()), (model.queued.len(), model.running.len()));
    for queue in QUEUES {
        let order = model.order_of(queue);
        assert_eq!(
            backlog.queue_ranks(queue).map(|(key, ..)| key).take(3).collect::<Vec<_>>(),
            order[..order.len().min(3)]
        );
        for (place, key) in order.iter().enumerate().skip(1).take(2) {
            assert_eq!(backlog.place(*key), Some(place));
        }
        let running = model.running.values().filter(|entry| &*entry.queue == queue).count();
        assert_eq!(backlog.running_in(queue) as usize, running);
    }
}

#[test]
fn a_million_random_operations_start_what_the_reference_starts() {
    let mut random = Random(7);
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut operations = 0;
    while operations < 1_000_000 {
        let capacity = CAPACITIES[0];
        let mut backlog = Backlog::new(capacity);
        let mut model = Model::new(capacity);
        for (name, rule) in &model.queues {
            backlog.set_queue(name, *rule);
        }
        let mut now = UtcMs(1_000_000);
        let calm = random.one_in(2);
        for _ in 0..500 {
            for _ in 0..1 + random.below(3) {
                let name = change(&mut random, calm, &mut backlog, &mut model, now);
                *seen.entry(name.to_owned()).or_default() += 1;
                operations += 1;
            }
            now.0 += random.pick(&[0, 1, 1000, 60_000, KEEP_ROOM_AFTER_MS / 2]);
            start_all(&mut random, &mut backlog, &mut model, now, &mut seen);
            if random.one_in(6) {
                check_reasons(&backlog, &model, now, &mut seen);
            }
        }
    }
    // A walk that stays in a corner proves nothing.
    for word in [
        "started",
        "dependency",
        "queue_paused",
        "queue_limit",
        "cpus",
        "memory",
        "gpus",
        "cpus kept",
        "memory kept",
        "gpus kept",
        "not_before",
        "after",
        "run_paused",
        "disk",
        "looks at GPUs: true",
        "looks at GPUs: false",
    ] {
        assert!(seen.get(word).is_some_and(|n| *n > 1000), "{word}: {seen:#?}");
    }
    println!("{seen:#?}");
}
