//! What an attempt used, from counters that were read now and then. Pure.
//!
//! Not here, on purpose: reading them (the engine) and where they are kept (the store).

use serde::{Deserialize, Serialize};

use crate::time::UtcMs;

/// What an attempt used as a whole, or has used so far. What is not known is `null`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Usage {
    /// Most bytes of memory that all its processes had at one time, as far as it was looked at (each 5 s); at least what its
    /// program had alone.
    pub peak_memory_bytes: Option<u64>,
    /// Seconds of processor time.
    pub cpu_s: Option<f64>,
    /// Cores in use, the mean over the time it ran.
    pub cores: Option<f64>,
    /// Bytes read from disks.
    pub read_bytes: Option<u64>,
    /// Bytes written to disks.
    pub written_bytes: Option<u64>,
    /// The share of time in which its GPUs computed, 0 to 1.
    pub gpu: Option<f64>,
    /// Most bytes of GPU memory.
    pub peak_gpu_memory_bytes: Option<u64>,
    /// Processes of its control group that the system killed for want of memory while it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub oom_kills: Option<u64>,
}

/// Counters up to a moment, and peaks since the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// When, UTC milliseconds.
    pub time: i64,
    /// Processor time since its start, milliseconds.
    pub cpu_ms: u64,
    /// Most bytes of memory.
    pub memory: u64,
    /// Bytes read since its start.
    pub read: Option<u64>,
    /// Bytes written since its start.
    pub written: Option<u64>,
    /// 0 to 1.
    pub gpu: Option<f64>,
    /// Most bytes of GPU memory.
    pub gpu_memory: Option<u64>,
}

/// What the record of its end tells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ended {
    /// Milliseconds it ran.
    pub running_ms: u64,
    /// Processor time of the program and the children it waited for, milliseconds.
    pub cpu_ms: u64,
    /// Largest resident set of one process, bytes.
    pub max_rss: u64,
    /// Processes that the system killed for want of memory.
    pub oom_kills: u64,
}

/// One stretch of time of an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct UsagePoint {
    /// Its end.
    pub time: UtcMs,
    /// Cores in use, the mean.
    pub cores: f64,
    /// Most bytes of memory.
    pub memory_bytes: u64,
    /// Bytes read a second.
    pub read_per_s: Option<f64>,
    /// Bytes written a second.
    pub written_per_s: Option<f64>,
    /// The share in which its GPUs computed.
    pub gpu: Option<f64>,
    /// Most bytes of GPU memory.
    pub gpu_memory_bytes: Option<u64>,
}

/// The stretches between samples, oldest first. `started`: when the counters stood at 0.
#[must_use]
pub fn points(samples: &[Sample], started: Option<i64>) -> Vec<UsagePoint> {
    let mut before = started.map(|time| Sample { time, read: Some(0), written: Some(0), ..Sample::default() });
    let mut points = Vec::with_capacity(samples.len());
    for sample in samples {
        if let Some(before) = before.filter(|before| sample.time > before.time) {
            let seconds = (sample.time - before.time) as f64 / 1000.0;
            let rate = |now: Option<u64>, then: Option<u64>| Some(now?.saturating_sub(then?) as f64 / seconds);
            points.push(UsagePoint {
                time: UtcMs(sample.time),
                cores: sample.cpu_ms.saturating_sub(before.cpu_ms) as f64 / 1000.0 / seconds,
                memory_bytes: sample.memory,
                read_per_s: rate(sample.read, before.read),
                written_per_s: rate(sample.written, before.written),
                gpu: sample.gpu,
                gpu_memory_bytes: sample.gpu_memory,
            });
        }
        before = Some(*sample);
    }
    points
}

/// All together. `running_ms`: how long it has run, where it has not ended. `None`: nothing is known.
#[must_use]
pub fn whole(samples: &[Sample], ended: Option<Ended>, running_ms: Option<u64>) -> Option<Usage> {
    if samples.is_empty() && ended.is_none() {
        return None;
    }
    let most = |of: fn(&Sample) -> Option<u64>| samples.iter().filter_map(of).max();
    let cpu_ms = most(|s| Some(s.cpu_ms)).max(ended.map(|e| e.cpu_ms));
    let running_ms = ended.map(|e| e.running_ms).or(running_ms).filter(|ms| *ms > 0);
    let busy: Vec<f64> = samples.iter().filter_map(|s| s.gpu).collect();
    Some(Usage {
        peak_memory_bytes: most(|s| Some(s.memory)).max(ended.map(|e| e.max_rss)).filter(|bytes| *bytes > 0),
        cpu_s: cpu_ms.map(|ms| ms as f64 / 1000.0),
        cores: cpu_ms.zip(running_ms).map(|(cpu, ran)| cpu as f64 / ran as f64),
        read_bytes: most(|s| s.read),
        written_bytes: most(|s| s.written),
        gpu: (!busy.is_empty()).then(|| busy.iter().sum::<f64>() / busy.len() as f64),
        peak_gpu_memory_bytes: most(|s| s.gpu_memory),
        oom_kills: ended.map(|e| e.oom_kills).filter(|kills| *kills > 0),
    })
}
