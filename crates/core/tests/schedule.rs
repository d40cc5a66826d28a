//! What starts next, told as small stories; the random walk is in `schedule_walk`.

use std::sync::Arc;

use footplate_core::gpu::{GpuTaken, GpuUser, TakenBy};
use footplate_core::id::StageKey;
use footplate_core::schedule::{
    Backlog, Capacity, Demand, Entry, KEEP_ROOM_AFTER_MS, QueueRule, RunGate, StartsHeld, Why, WhyReason,
    built_in_queues,
};
use footplate_core::time::UtcMs;

const START: UtcMs = UtcMs(1_795_291_262_345);
const NONE: [i64; 0] = [];
const MACHINE: Capacity = Capacity { cpus: 8, memory: 16_000_000_000, gpus: 1 };

fn backlog() -> Backlog {
    let mut backlog = Backlog::new(MACHINE);
    for (name, rule) in built_in_queues(MACHINE.cpus) {
        backlog.set_queue(name, rule);
    }
    backlog
}

fn key(run: i64) -> StageKey {
    StageKey { run, stage: 0 }
}

/// One stage of a run of its own, first come first served.
fn stage(run: i64, queue: &str, cpus: u32) -> Entry {
    let demand = Demand { cpus, memory: 0, gpus: 0 };
    Entry { key: key(run), queue: queue.into(), run_priority: 0, order: run, demand, not_before: None }
}

fn after(ms: i64) -> UtcMs {
    UtcMs(START.0 + ms)
}

/// The runs that start now, in order.
fn start(backlog: &mut Backlog, now: UtcMs) -> Vec<i64> {
    std::iter::from_fn(|| backlog.next(now)).map(|key| key.run).collect()
}

#[test]
fn five_commands_added_at_once_run_one_after_another() {
    let mut backlog = backlog();
    for run in 1..=5 {
        backlog.push(stage(run, "default", 1));
    }
    for run in 1..=5 {
        assert_eq!(start(&mut backlog, START), [run]);
        for waiting in run + 1..=5 {
            let why = backlog.why(key(waiting), START).unwrap().sentence();
            assert_eq!((&*why.reason, &*why.detail), ("queue_limit", "1 of 1 default stages running"));
        }
        backlog.ended(key(run));
    }
    assert_eq!((backlog.queued(), backlog.running()), (0, 0));
}

#[test]
fn the_queue_counts_before_the_run_and_the_run_before_its_order() {
    let mut backlog = backlog();
    backlog.set_queue("training", QueueRule { priority: 10, limit: 8, paused: false });
    backlog.push(stage(1, "maintenance", 1));
    backlog.push(stage(2, "evaluation", 1));
    backlog.push(Entry { run_priority: -100, ..stage(3, "training", 1) });
    backlog.push(stage(4, "training", 1));
    backlog.push(Entry { run_priority: 100, ..stage(5, "training", 1) });
    backlog.push(Entry { order: 0, ..stage(6, "training", 1) });
    let order = backlog.queue_ranks("training").map(|(key, ..)| key);
    assert_eq!(order.collect::<Vec<_>>(), [key(5), key(6), key(4), key(3)]);
    assert_eq!(backlog.place(key(3)), Some(3));
    assert_eq!(start(&mut backlog, START), [5, 6, 4, 3, 2, 1]);
}

#[test]
fn a_moved_run_takes_its_new_place_and_what_runs_stays() {
    let mut backlog = backlog();
    for run in 1..=4 {
        backlog.push(stage(run, "default", 1));
    }
    assert_eq!(start(&mut backlog, START), [1]);
    backlog.set_run(4, 0, 0);
    backlog.set_run_queue(3, "default", "training");
    backlog.set_run_queue(1, "default", "training");
    assert_eq!(start(&mut backlog, START), [3]);
    assert_eq!((backlog.running_in("default"), backlog.running_in("training")), (1, 1));
    backlog.ended(key(1));
    assert_eq!(start(&mut backlog, START), [4]);
}

#[test]
fn one_that_writes_to_the_folder_of_another_waits_for_that_one_alone() {
    let mut backlog = backlog();
    for run in 1..=4 {
        backlog.push(stage(run, "evaluation", 1));
    }
    assert_eq!(backlog.next(START), Some(key(1)));
    assert_eq!(backlog.next(START), Some(key(2)));
    // Only at its start is it known where it writes.
    backlog.stand_behind(stage(2, "evaluation", 1), key(1));
    assert_eq!(start(&mut backlog, START), [3, 4], "nobody else waits for it");
    let why = backlog.why(key(2), START).unwrap().sentence();
    assert_eq!((&*why.reason, &*why.detail), ("folder_in_use", "#1 writes checkpoints to the same folder"));
    backlog.ended(key(3));
    assert_eq!(start(&mut backlog, START), NONE);
    backlog.ended(key(1));
    assert_eq!(backlog.why(key(2), START), None);
    assert_eq!(start(&mut backlog, START), [2]);
    // The holder ended meanwhile; and one that is taken away waits for nobody.
    backlog.stand_behind(stage(2, "evaluation", 1), key(1));
    assert_eq!(start(&mut backlog, START), [2]);
    backlog.stand_behind(stage(5, "evaluation", 1), key(2));
    assert!(backlog.remove(key(5)));
    backlog.push(stage(5, "evaluation", 1));
    assert_eq!(start(&mut backlog, START), [5]);
}

#[test]
fn a_smaller_stage_passes_until_room_is_kept_for_the_first() {
    let mut backlog = backlog();
    backlog.push(stage(1, "evaluation", 6));
    backlog.push(stage(2, "evaluation", 8));
    for run in 3..=6 {
        backlog.push(stage(run, "evaluation", 2));
    }
    assert_eq!(start(&mut backlog, START), [1, 3]);
    // Up to ten minutes the next small one takes the room of the last.
    backlog.ended(key(3));
    assert_eq!(start(&mut backlog, after(KEEP_ROOM_AFTER_MS - 1)), [4]);
    backlog.ended(key(4));
    assert_eq!(start(&mut backlog, after(KEEP_ROOM_AFTER_MS)), NONE);
    let why = backlog.why(key(5), after(KEEP_ROOM_AFTER_MS)).unwrap();
    assert_eq!(why, Why::Cpus { wanted: 2, free: 2, of: 8, kept_for: Some(2) });
    backlog.ended(key(1));
    assert_eq!(start(&mut backlog, after(KEEP_ROOM_AFTER_MS)), [2]);
    backlog.ended(key(2));
    assert_eq!(start(&mut backlog, after(KEEP_ROOM_AFTER_MS)), [5, 6]);
}

#[test]
fn kept_room_stops_only_what_would_take_it() {
    let mut backlog = backlog();
    let demand = |cpus, memory, gpus| Demand { cpus, memory, gpus };
    backlog.push(Entry { demand: demand(1, 0, 1), ..stage(1, "evaluation", 1) });
    backlog.push(Entry { demand: demand(4, 0, 1), ..stage(2, "evaluation", 1) });
    assert_eq!(start(&mut backlog, START), [1]);
    let late = after(KEEP_ROOM_AFTER_MS);
    // Run 2 lacks the GPU and wants 4 of the 7 free cores: 3 may go to others, and all of the memory.
    backlog.push(Entry { demand: demand(4, 0, 0), ..stage(3, "evaluation", 1) });
    backlog.push(Entry { demand: demand(3, 16_000_000_000, 0), ..stage(4, "evaluation", 1) });
    backlog.push(Entry { demand: demand(1, 0, 0), ..stage(5, "evaluation", 1) });
    assert_eq!(start(&mut backlog, late), [4]);
    backlog.ended(key(1));
    assert_eq!(start(&mut backlog, late), [2, 5]);
}

#[test]
fn the_wait_at_the_head_does_not_start_again_when_the_queue_is_full_for_a_while() {
    let mut backlog = backlog();
    backlog.set_queue("evaluation", QueueRule { priority: 7, limit: 2, paused: false });
    backlog.push(stage(1, "evaluation", 6));
    backlog.push(stage(2, "evaluation", 8));
    assert_eq!(start(&mut backlog, START), [1]);
    // Small ones that each take nine minutes and fill the queue would otherwise keep run 2 waiting for ever.
    backlog.push(stage(3, "evaluation", 1));
    assert_eq!(start(&mut backlog, after(60_000)), [3]);
    backlog.ended(key(3));
    backlog.push(stage(4, "evaluation", 1));
    assert_eq!(start(&mut backlog, after(KEEP_ROOM_AFTER_MS)), NONE);
}

#[test]
fn a_clock_set_back_neither_takes_kept_room_away_nor_unlearns_what_was_due() {
    let mut backlog = backlog();
    backlog.push(stage(1, "evaluation", 6));
    backlog.push(stage(2, "evaluation", 8));
    backlog.push(Entry { not_before: Some(after(1000)), ..stage(3, "training", 8) });
    assert_eq!(start(&mut backlog, START), [1]);
    assert_eq!(backlog.next_due(START), Some(after(1000)));
    backlog.push(stage(4, "evaluation", 2));
    backlog.remove(key(3));
    assert_eq!(start(&mut backlog, after(KEEP_ROOM_AFTER_MS)), NONE);
    assert_eq!(start(&mut backlog, after(-3_600_000)), NONE);
    assert!(backlog.why(key(4), after(-3_600_000)).is_some());
    backlog.ended(key(1));
    assert_eq!(start(&mut backlog, after(-3_600_000)), [2]);
}

#[test]
fn nothing_is_due_by_time_while_a_queue_is_closed() {
    let mut backlog = backlog();
    backlog.push(Entry { not_before: Some(after(5000)), ..stage(1, "default", 1) });
    backlog.push(Entry { not_before: Some(after(9000)), ..stage(2, "evaluation", 1) });
    assert_eq!(backlog.next(START), None);
    assert_eq!(backlog.next_due(START), Some(after(5000)));
    backlog.set_queue("default", QueueRule { priority: 5, limit: 1, paused: true });
    assert_eq!(backlog.next_due(START), Some(after(9000)));
    backlog.close_run(2, RunGate::Paused);
    assert_eq!(backlog.next_due(START), None);
    assert!(!backlog.can_start_by_itself());
    backlog.open_run(2);
    assert!(backlog.can_start_by_itself());
    assert_eq!(start(&mut backlog, after(9000)), [2]);
}

#[test]
fn a_run_behind_two_gates_starts_when_both_are_open() {
    let mut backlog = backlog();
    backlog.close_run(1, RunGate::After { run: 7 });
    backlog.close_run(1, RunGate::Paused);
    backlog.push(stage(1, "default", 1));
    backlog.open_gate(1, RunGate::Paused);
    assert_eq!(start(&mut backlog, START), NONE);
    assert_eq!(backlog.why(key(1), START), Some(Why::After { run: 7 }));
    backlog.open_gate(1, RunGate::After { run: 7 });
    assert_eq!(start(&mut backlog, START), [1]);
}

#[test]
fn what_was_found_running_counts_even_over_the_limits() {
    let mut backlog = backlog();
    for run in 1..=3 {
        backlog.adopt(stage(run, "training", 6));
    }
    backlog.push(stage(4, "training", 1));
    backlog.push(stage(5, "evaluation", 1));
    backlog.push(stage(6, "evaluation", 0));
    assert_eq!(start(&mut backlog, START), [6]);
    let why = backlog.why(key(4), START).unwrap();
    assert_eq!(why.sentence().detail, "3 of 1 training stages running");
    assert_eq!(backlog.why(key(5), START), Some(Why::Cpus { wanted: 1, free: 0, of: 8, kept_for: None }));
    backlog.ended(key(1));
    backlog.ended(key(2));
    assert_eq!(start(&mut backlog, START), [5]);
    backlog.ended(key(3));
    assert_eq!(start(&mut backlog, START), [4]);
}

#[test]
fn a_demand_over_the_capacity_never_starts_and_holds_nobody_up() {
    let mut backlog = backlog();
    backlog.push(stage(1, "training", 9));
    backlog.push(Entry { demand: Demand { cpus: 1, memory: 0, gpus: 2 }, ..stage(2, "training", 1) });
    assert!(!backlog.can_start_by_itself());
    backlog.push(stage(3, "training", 8));
    assert_eq!(start(&mut backlog, START), [3]);
    backlog.ended(key(3));
    assert_eq!(start(&mut backlog, after(2 * KEEP_ROOM_AFTER_MS)), NONE);
    backlog.set_capacity(Capacity { cpus: 16, ..MACHINE });
    assert_eq!(start(&mut backlog, START), [1]);
}

fn taken(index: u32) -> Arc<[GpuTaken]> {
    let user = GpuUser { pid: 4312, name: "python3".into(), memory: Some(14_200_000_000), run: None };
    Arc::from([GpuTaken { index, by: TakenBy::Process(user) }])
}

#[test]
fn a_gpu_that_others_use_is_waited_for_and_the_queue_goes_on_by_itself() {
    let mut backlog = backlog();
    backlog.push(stage(1, "evaluation", 1));
    assert!(!backlog.waits_for_gpus());
    backlog.push(Entry { demand: Demand { cpus: 1, memory: 0, gpus: 1 }, ..stage(2, "training", 1) });
    backlog.set_gpus_taken(taken(0));
    assert_eq!(start(&mut backlog, START), [1]);
    let waits = backlog.why(key(2), START).unwrap().sentence();
    assert_eq!(waits.detail, "wants 1 GPU; 0 of 1 GPU free; GPU 0 is used by python3 (pid 4312), 14.2GB");
    assert!(backlog.can_start_by_itself() && backlog.waits_for_gpus());
    backlog.set_gpus_taken(Arc::from([]));
    assert_eq!(start(&mut backlog, START), [2]);
    // Those that stages hold need no look: their ends are heard.
    backlog.push(Entry { demand: Demand { cpus: 1, memory: 0, gpus: 1 }, ..stage(3, "evaluation", 1) });
    assert_eq!(start(&mut backlog, START), NONE);
    assert!(!backlog.waits_for_gpus());
}

#[test]
fn a_stage_pushed_before_its_last_attempt_is_gone_starts_after_that() {
    let mut backlog = backlog();
    backlog.push(stage(1, "evaluation", 1));
    assert_eq!(start(&mut backlog, START), [1]);
    backlog.push(stage(1, "evaluation", 1));
    assert_eq!(start(&mut backlog, START), NONE);
    assert_eq!(backlog.why(key(1), START), Some(Why::LastAttempt));
    backlog.ended(key(1));
    assert_eq!(start(&mut backlog, START), [1]);
}

#[test]
fn while_starts_are_held_nothing_starts_and_the_queue_still_goes_on_later() {
    let mut backlog = backlog();
    backlog.push(stage(1, "default", 1));
    backlog.hold_starts(Some(StartsHeld::Disk { free: 1_000_000_000, mark: 5_368_709_120 }));
    assert_eq!(start(&mut backlog, START), NONE);
    assert_eq!(backlog.why(key(1), START).unwrap().reason(), WhyReason::Disk);
    assert!(backlog.can_start_by_itself());
    backlog.hold_starts(None);
    backlog.set_max(Some(0));
    assert_eq!(start(&mut backlog, START), NONE);
    assert!(!backlog.can_start_by_itself());
    backlog.set_max(Some(1));
    assert_eq!(start(&mut backlog, START), [1]);
}

#[test]
fn every_reason_is_one_sentence_for_people() {
    let queue = || "training".into();
    let whys = [
        Why::Dependency { needs: vec!["prepare".into(), "fetch".into()] },
        Why::Dependency { needs: Vec::new() },
        Why::LastAttempt,
        Why::QueuePaused { queue: queue() },
        Why::QueueLimit { queue: queue(), running: 1, limit: 1 },
        Why::QueueLimit { queue: queue(), running: 0, limit: 0 },
        Why::Max { running: 2, limit: 2 },
        Why::Cpus { wanted: 1, free: 0, of: 1, kept_for: None },
        Why::Cpus { wanted: 12, free: 8, of: 8, kept_for: None },
        Why::Cpus { wanted: 2, free: 3, of: 8, kept_for: Some(142) },
        Why::Memory { wanted: 12_000_000_000, free: 3_456_789_000, of: 16_000_000_000, kept_for: None },
        Why::Gpus { wanted: 1, free: 0, of: 2, taken: Arc::from([]), kept_for: None },
        Why::Gpus { wanted: 1, free: 0, of: 2, taken: taken(1), kept_for: None },
        Why::NotBefore { at: START },
        Why::After { run: 141 },
        Why::RunPaused,
        Why::Draft,
        Why::StartsHeld(StartsHeld::Disk { free: 512, mark: 5_368_709_120 }),
        Why::StartsHeld(StartsHeld::Leaving),
        Why::RetryAt { at: START },
        Why::NoOwner,
    ];
    let lines: Vec<String> =
        whys.iter().map(Why::sentence).map(|why| format!("{}: {}", why.reason, why.detail)).collect();
    insta::assert_snapshot!(lines.join("\n"));
}
