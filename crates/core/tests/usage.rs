//! What an attempt used, from its counters.
#![allow(clippy::unwrap_used, reason = "tests may")]

use footplate_core::usage::{Ended, Sample, points, whole};

fn sample(time: i64, cpu_ms: u64, memory: u64, written: u64) -> Sample {
    Sample { time, cpu_ms, memory, read: None, written: Some(written), gpu: Some(0.5), gpu_memory: Some(memory / 2) }
}

#[test]
fn stretches_are_differences_and_an_owner_that_was_away_leaves_no_hole_in_them() {
    let samples = [sample(6_000, 10_000, 7, 100), sample(11_000, 15_000, 9, 100), sample(71_000, 45_000, 8, 6_100)];
    let found = points(&samples, Some(1_000));
    let cores: Vec<f64> = found.iter().map(|point| point.cores).collect();
    assert_eq!(cores, [2.0, 1.0, 0.5]);
    let written: Vec<f64> = found.iter().map(|point| point.written_per_s.unwrap()).collect();
    assert_eq!(written, [20.0, 0.0, 100.0]);
    assert_eq!(found[1].read_per_s, None);
    // Where the start is not known the first only says where the counters stood.
    assert_eq!(points(&samples, None).len(), 2);
    // A clock that was set back makes no time that is negative.
    assert_eq!(points(&[sample(9_000, 1, 1, 1), sample(5_000, 2, 1, 1)], None), []);
}

#[test]
fn the_whole_takes_peaks_and_never_counts_twice() {
    let samples = [sample(6_000, 10_000, 700, 100), sample(11_000, 15_000, 900, 250)];
    let ended = Ended { running_ms: 20_000, cpu_ms: 16_000, max_rss: 400, oom_kills: 0 };
    let used = whole(&samples, Some(ended), None).unwrap();
    assert_eq!((used.peak_memory_bytes, used.cpu_s, used.cores), (Some(900), Some(16.0), Some(0.8)));
    assert_eq!((used.written_bytes, used.read_bytes, used.oom_kills), (Some(250), None, None));
    assert_eq!((used.gpu, used.peak_gpu_memory_bytes), (Some(0.5), Some(450)));
    // Its record alone is something; nothing is nothing.
    let short = whole(&[], Some(Ended { max_rss: 400, oom_kills: 1, ..ended }), None).unwrap();
    assert_eq!((short.peak_memory_bytes, short.oom_kills), (Some(400), Some(1)));
    assert_eq!(whole(&samples[..1], None, Some(5_000)).unwrap().cores, Some(2.0));
    assert_eq!(whole(&[], None, Some(5_000)), None);
}
