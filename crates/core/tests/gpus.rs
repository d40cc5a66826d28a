//! Which GPUs may be given to a stage.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::collections::BTreeSet;

use footplate_core::gpu::{FOREIGN_BYTES, Gpu, GpuUser, TakenBy, named, pick, taken};

const GIB: u64 = FOREIGN_BYTES;

fn gpu(index: u32, users: Vec<GpuUser>) -> Gpu {
    Gpu { index, id: format!("GPU-{index}a"), users, ..Gpu::default() }
}

fn user(pid: i32, memory: Option<u64>, run: Option<i64>) -> GpuUser {
    GpuUser { pid, name: "python3".into(), memory, run }
}

fn held<'a>(ids: &[&'a str]) -> BTreeSet<&'a str> {
    ids.iter().copied().collect()
}

fn sentences(seen: &[Gpu], held: &BTreeSet<&str>, total: u32, ignore: bool) -> Vec<String> {
    taken(seen, held, total, ignore).iter().filter_map(|one| one.sentence()).collect()
}

#[test]
fn a_process_of_others_takes_a_gpu_from_one_gibibyte_on_and_can_be_ignored() {
    let seen = [gpu(0, vec![user(4312, Some(14_200_000_000), None)]), gpu(1, vec![user(7, Some(GIB), None)])];
    assert_eq!(sentences(&seen, &held(&[]), 2, false), ["GPU 0 is used by python3 (pid 4312), 14.2GB"]);
    assert_eq!(pick(&seen, &held(&[]), 1, false).unwrap(), ["GPU-1a"]);
    assert_eq!(pick(&seen, &held(&[]), 2, false), None);
    assert!(taken(&seen, &held(&[]), 2, true).is_empty());
    assert_eq!(pick(&seen, &held(&[]), 2, true).unwrap().len(), 2);
    // What the driver does not tell is not held against anybody.
    assert!(taken(&[gpu(0, vec![user(9, None, None)])], &held(&[]), 1, false).is_empty());
}

#[test]
fn a_program_of_ours_takes_a_gpu_it_was_not_given_even_where_others_are_ignored() {
    let seen = [gpu(0, vec![user(5, Some(2 * GIB), Some(142))])];
    assert_eq!(sentences(&seen, &held(&[]), 1, true), ["GPU 0 is used by python3 of #142 (pid 5), 2.1GB"]);
    // One that a stage holds is not taken twice.
    assert!(taken(&seen, &held(&["GPU-0a"]), 1, false).is_empty());
}

#[test]
fn what_was_not_seen_or_does_not_answer_is_not_given_away() {
    let mut seen = vec![gpu(0, Vec::new())];
    let all: Vec<TakenBy> = taken(&[], &held(&[]), 2, false).into_iter().map(|one| one.by).collect();
    assert_eq!(all, [TakenBy::Unseen, TakenBy::Unseen]);
    assert_eq!(taken(&seen, &held(&[]), 2, false).len(), 1);
    // A held one that is gone from the list counts once, as held.
    assert!(taken(&seen, &held(&["GPU-gone"]), 2, false).is_empty());
    // Nor is one that fell off the bus while a stage holds it.
    let lost = Gpu { silent: true, ..Gpu::default() };
    assert!(taken(&[lost, gpu(1, Vec::new())], &held(&["GPU-0a"]), 2, false).is_empty());
    seen[0].silent = true;
    assert_eq!(sentences(&seen, &held(&[]), 1, true), ["GPU 0 does not answer its driver"]);
    assert_eq!(pick(&seen, &held(&[]), 1, true), None);
}

#[test]
fn the_emptiest_is_picked_and_none_that_is_held() {
    let mut seen = vec![gpu(0, Vec::new()), gpu(1, Vec::new()), gpu(2, Vec::new())];
    seen[0].memory_used = Some(3 * GIB);
    assert_eq!(pick(&seen, &held(&[]), 1, false).unwrap(), ["GPU-1a"]);
    assert_eq!(pick(&seen, &held(&["GPU-1a"]), 2, false).unwrap(), ["GPU-2a", "GPU-0a"]);
}

#[test]
fn a_users_own_choice_is_read_as_cuda_reads_it() {
    let seen = [gpu(0, Vec::new()), gpu(1, Vec::new())];
    let read = |value: &str, most| named(value, &seen, most);
    assert_eq!(read("1", 1), ["GPU-1a"]);
    assert_eq!(read("GPU-0, 1", 2), ["GPU-0a", "GPU-1a"]);
    assert_eq!(read("1,0", 1), ["GPU-1a"]);
    for none in ["", "-1", "7,0", "MIG-5", "a"] {
        assert!(read(none, 2).is_empty(), "{none}");
    }
}
