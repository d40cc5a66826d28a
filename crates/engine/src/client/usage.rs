//! What attempts used, and the GPUs with those who have them.

use std::collections::HashMap;
use std::time::Duration;

use footplate_core::Fault;
use footplate_core::gpu::{Gpu, GpuTaken};
use footplate_core::usage::{Sample, Usage, UsagePoint, points, whole};
use footplate_shim::clock;
use footplate_shim::folder::AttemptDir;
use footplate_store::telemetry::{Telemetry, UsageRow};
use footplate_store::{AttemptRow, Read, StoreError};
use serde::Serialize;

use super::keeper::Client;
use super::machine::Told;
use super::wishes::no_run;
use crate::gpu::{self, IGNORE_OTHERS, Ours};
use crate::home::Home;

/// A driver that does not answer within this is silent.
const PATIENCE: Duration = Duration::from_secs(3);

/// What one attempt used over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UsageSeries {
    /// The stage's name.
    pub stage: String,
    /// The attempt's number.
    pub attempt: u32,
    /// All together, up to now where it lives.
    pub whole: Option<Usage>,
    /// The stretches, oldest first: each 5 s of the last hour, each minute before that.
    pub points: Vec<UsagePoint>,
}

/// The GPUs of this machine as they are now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GpusView {
    /// Processes of others do not keep stages from a GPU.
    pub ignore_others: bool,
    /// In their order; none is the usual case.
    pub gpus: Vec<Gpu>,
}

impl Client {
    /// What the attempts of a run used, by stage and attempt; of those without samples the whole alone.
    ///
    /// # Errors
    /// `NotFound`; `Storage`.
    pub fn usage(&self, number: i64) -> Result<Vec<UsageSeries>, Fault> {
        self.confirm()?;
        let read = self.store.read()?;
        let run = read.run_brief(number)?.ok_or_else(|| no_run(number))?;
        let names: HashMap<u32, String> = read.stages(number)?.into_iter().map(|s| (s.idx, s.name)).collect();
        let samples = match Telemetry::open(&self.home.telemetry(&run.id), false)? {
            Some(telemetry) => telemetry.usage(None)?,
            None => Vec::new(),
        };
        let series = |attempt: AttemptRow| {
            let own = of_attempt(&samples, &attempt);
            let series = UsageSeries {
                stage: names.get(&attempt.stage).cloned().unwrap_or_default(),
                attempt: attempt.number,
                whole: stored_or(&attempt, &own),
                points: points(&own, attempt.started_at),
            };
            (series.whole.is_some() || !series.points.is_empty()).then_some(series)
        };
        Ok(read.attempts(number)?.into_iter().filter_map(series).collect())
    }

    /// The GPUs, and who has them. Waits up to 3 s for a driver; without a GPU not at all.
    ///
    /// # Errors
    /// `Storage`.
    pub fn gpus(&self) -> Result<GpusView, Fault> {
        let read = self.store.read()?;
        let ignore_others = read.setting(IGNORE_OTHERS)?.is_some_and(|value| value == "1");
        let mut gpus = gpu::look_within(PATIENCE);
        if !gpus.is_empty() {
            let mut ours = Ours::default();
            for row in read.live_attempts()? {
                let Some(brief) = read.run_brief(row.run)? else { continue };
                if let Some(start) = AttemptDir::open(self.home.attempt(&brief.id, row.key())).start() {
                    ours.add(row.run, &start, &crate::attempt::mark(&brief.id, row.key()));
                }
                for gpu in gpus.iter_mut().filter(|gpu| row.gpus.contains(&gpu.id)) {
                    gpu.run = Some(row.run);
                }
            }
            ours.tell(&mut gpus);
        }
        Ok(GpusView { ignore_others, gpus })
    }
}

/// The GPUs that no stage may have, as the owner who is at work said last.
pub(super) fn taken(read: &Read<'_>) -> Result<Vec<GpuTaken>, StoreError> {
    let told = read.capacity()?.and_then(|row| serde_json::from_str::<Told>(&row.data).ok());
    Ok(told.map(|told| told.taken).unwrap_or_default())
}

/// What an attempt used: as stored at its end, else what is known so far.
pub(super) fn so_far(home: &Home, run: &footplate_core::RunId, attempt: &AttemptRow) -> Option<Usage> {
    if attempt.usage.is_some() || !attempt.status.is_live() {
        return stored_or(attempt, &[]);
    }
    // It is shown without what cannot be read.
    let telemetry = Telemetry::open(&home.telemetry(run), false).ok().flatten()?;
    let samples = telemetry.usage(Some(attempt.stage)).unwrap_or_default();
    stored_or(attempt, &of_attempt(&samples, attempt))
}

fn stored_or(attempt: &AttemptRow, samples: &[Sample]) -> Option<Usage> {
    let stored = attempt.usage.as_ref().and_then(|text| serde_json::from_str(text).ok());
    let ran = || {
        let until = samples.last().map_or(clock::wall_ms(), |sample| sample.time);
        attempt.running_ms.or_else(|| u64::try_from(until.saturating_sub(attempt.started_at?)).ok())
    };
    stored.or_else(|| whole(samples, None, ran()))
}

fn of_attempt(rows: &[UsageRow], attempt: &AttemptRow) -> Vec<Sample> {
    let own = |row: &&UsageRow| row.stage == attempt.stage && row.attempt == attempt.number;
    rows.iter().filter(own).map(sample).collect()
}

/// A row of the store as core reads it.
pub(crate) fn sample(row: &UsageRow) -> Sample {
    Sample {
        time: row.time,
        cpu_ms: row.cpu_ms,
        memory: row.memory,
        read: row.read,
        written: row.written,
        gpu: row.gpu,
        gpu_memory: row.gpu_memory,
    }
}
