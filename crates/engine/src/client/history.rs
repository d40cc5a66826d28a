//! What a run leaves behind: its report, its metrics, its logs, and how long such stages took before.

use std::collections::HashMap;

use footplate_core::report::{AttemptInput, Report, ReportInput, StageInput, report};
use footplate_core::view::Submitted;
use footplate_core::{AttemptKey, ErrorCode, Fault, RunStatus, StageStatus, UtcMs};
use footplate_shim::clock;
use footplate_shim::folder::AttemptDir;
use footplate_store::{AttemptRow, ListQuery, Telemetry};

use super::keeper::Client;
use super::look::{Rows, attempt_error, stage_error};
use super::types::MetricPoint;
use super::wishes::no_run;
use crate::logs::LogSource;

/// How many completed runs the expected times are taken from.
const RUNS_LOOKED_AT: u32 = 200;
/// How many of them count for one stage.
const RUNS_COUNTED: usize = 20;

impl Client {
    /// The report of a run, as it stands now.
    ///
    /// # Errors
    /// `NotFound`; `Storage`.
    pub fn report(&self, number: i64) -> Result<Report, Fault> {
        self.confirm()?;
        let read = self.store.read()?;
        let run = read.run(number)?.ok_or_else(|| no_run(number))?;
        let rows = Rows::of(&read, &run)?;
        let index_of = |name: &String| {
            let place = rows.definition.as_ref().and_then(|d| d.stages.get_index_of(name));
            place.and_then(|place| u32::try_from(place).ok())
        };
        let stages = rows
            .stages
            .iter()
            .map(|stage| {
                let definition = rows.stage(stage);
                let attempts: Vec<AttemptInput> = rows
                    .attempts
                    .iter()
                    .filter(|a| a.stage == stage.idx)
                    .map(|a| AttemptInput {
                        number: a.number,
                        generation: a.generation,
                        status: a.status,
                        started_at: a.started_at.map(UtcMs),
                        finished_at: a.finished_at.map(UtcMs),
                        running_s: a.running_ms.map(|ms| ms as f64 / 1000.0),
                        exit_code: a.exit_code,
                        signal: a.signal,
                        usage: super::usage::so_far(&self.home, &run.id, a),
                        error: attempt_error(&run, &rows, stage, a),
                    })
                    .collect();
                StageInput {
                    name: stage.name.clone(),
                    needs: definition.map(|d| d.needs.iter().filter_map(index_of).collect()).unwrap_or_default(),
                    status: stage.status,
                    allow_failure: definition.is_some_and(|d| d.allow_failure),
                    tail: definition.is_some_and(|d| d.tail),
                    queued_at: stage.queued_at.map(UtcMs),
                    finished_at: stage.finished_at.map(UtcMs),
                    error: stage_error(&run, &rows, stage),
                    generation: generation(run.generation, stage.status, attempts.last()),
                    attempts,
                }
            })
            .collect();
        let input = ReportInput {
            run: Submitted { id: run.id, number, name: run.name.clone() },
            status: run.status,
            result: run.result,
            result_at: run.result_at.map(UtcMs),
            created_at: UtcMs(run.created_at),
            planning_s: run.planning_ms.map(|ms| ms as f64 / 1000.0),
            alerts: super::look::alerts(&read, number, &rows.stages)?,
            stages,
        };
        Ok(report(&input, UtcMs(clock::wall_ms())))
    }

    /// The points of these metrics (of all where there are no names), by stage, name and attempt, in their order.
    ///
    /// # Errors
    /// `NotFound`; `Storage`.
    pub fn metrics(&self, number: i64, names: &[String]) -> Result<Vec<MetricPoint>, Fault> {
        let read = self.store.read()?;
        let run = read.run(number)?.ok_or_else(|| no_run(number))?;
        let stages: HashMap<u32, String> = read.stages(number)?.into_iter().map(|s| (s.idx, s.name)).collect();
        let Some(telemetry) = Telemetry::open(&self.home.telemetry(&run.id), false)? else { return Ok(Vec::new()) };
        let points = telemetry.series(None, names)?;
        Ok(points
            .into_iter()
            .map(|point| MetricPoint {
                stage: stages.get(&point.stage).cloned().unwrap_or_else(|| point.stage.to_string()),
                attempt: point.attempt,
                name: point.name.to_string(),
                step: point.step,
                epoch: point.epoch,
                time: UtcMs(point.time),
                value: point.value,
            })
            .collect())
    }

    /// The log of an attempt: of the stage that is named, else of the one that runs, failed, or ended last; of the attempt
    /// that is numbered, else of the newest.
    ///
    /// # Errors
    /// `NotFound`, naming what there is; `Storage`.
    pub fn log(&self, number: i64, stage: Option<&str>, attempt: Option<u32>) -> Result<LogSource, Fault> {
        let read = self.store.read()?;
        let run = read.run_brief(number)?.ok_or_else(|| no_run(number))?;
        let stages = read.stages(number)?;
        let attempts = read.attempts(number)?;
        let names = || stages.iter().map(|s| s.name.clone()).collect::<Vec<_>>();
        let chosen = match stage {
            Some(name) => stages.iter().find(|s| s.name == name).ok_or_else(|| {
                let fault = Fault::new(ErrorCode::NotFound, format!("#{number} has no stage {name:?}."));
                match footplate_spec::nearest(name, names().iter().map(String::as_str)) {
                    Some(near) => fault.hint(format!("Did you mean \"{near}\"?")),
                    None => fault.hint(format!("Its stages are {}.", names().join(", "))),
                }
            })?,
            None => most_telling(&stages, &attempts).ok_or_else(|| nothing_ran(number))?,
        };
        let of_stage = || attempts.iter().filter(|a| a.stage == chosen.idx);
        let row = match attempt {
            Some(wanted) => of_stage().find(|a| a.number == wanted),
            None => of_stage().max_by_key(|a| a.number),
        };
        let Some(row) = row else {
            let there: Vec<String> = of_stage().map(|a| a.number.to_string()).collect();
            return Err(match attempt {
                Some(wanted) if !there.is_empty() => Fault::new(
                    ErrorCode::NotFound,
                    format!("Stage \"{}\" of #{number} has no attempt {wanted}.", chosen.name),
                )
                .hint(format!("It has {}.", there.join(", "))),
                _ => Fault::new(
                    ErrorCode::NotFound,
                    format!("Stage \"{}\" of #{number} has no output: it has not started.", chosen.name),
                ),
            });
        };
        let key = AttemptKey { run: number, stage: chosen.idx, attempt: row.number };
        let folder = AttemptDir::open(self.home.attempt(&run.id, key));
        Ok(LogSource::new(key, chosen.name.clone(), folder, !row.status.is_live()))
    }

    /// How long each stage of a pipeline ran in the past, seconds: the median over the newest completed runs of that
    /// name. Stages that never completed are left out.
    ///
    /// # Errors
    /// `Storage`.
    pub fn expected_times(&self, pipeline: &str) -> Result<HashMap<String, f64>, Fault> {
        let read = self.store.read()?;
        let query = ListQuery {
            statuses: vec![RunStatus::Completed],
            search: Some(pipeline.to_owned()),
            limit: RUNS_LOOKED_AT,
            ..ListQuery::default()
        };
        let (runs, _) = read.list(&query)?;
        let mut seconds: HashMap<String, Vec<f64>> = HashMap::new();
        for run in runs.iter().filter(|run| run.pipeline == pipeline).take(RUNS_COUNTED) {
            let attempts = read.attempts(run.number)?;
            for stage in read.stages(run.number)?.iter().filter(|s| s.status == StageStatus::Completed) {
                let last = attempts.iter().find(|a| a.stage == stage.idx && a.number == stage.attempt);
                if let Some(ran) = last.and_then(|a| a.running_ms) {
                    seconds.entry(stage.name.clone()).or_default().push(ran as f64 / 1000.0);
                }
            }
        }
        Ok(seconds.into_iter().filter_map(|(name, all)| Some((name, median(all)?))).collect())
    }
}

/// The generation in which a stage was queued last: that of its newest attempt, unless it was reopened since.
fn generation(of_run: u32, status: StageStatus, newest: Option<&AttemptInput>) -> u32 {
    match newest {
        Some(attempt) if status.is_ended() || attempt.status.is_live() => attempt.generation,
        _ => of_run,
    }
}

fn most_telling<'a>(
    stages: &'a [footplate_store::StageRow],
    attempts: &[AttemptRow],
) -> Option<&'a footplate_store::StageRow> {
    let tried = || stages.iter().filter(|s| attempts.iter().any(|a| a.stage == s.idx));
    let by = |status: StageStatus| tried().find(|s| s.status == status);
    by(StageStatus::Running)
        .or_else(|| by(StageStatus::Failed))
        .or_else(|| by(StageStatus::Interrupted))
        .or_else(|| by(StageStatus::Retrying))
        .or_else(|| tried().max_by_key(|s| (s.finished_at, s.idx)))
}

fn nothing_ran(number: i64) -> Fault {
    Fault::new(ErrorCode::NotFound, format!("#{number} has no output: nothing of it has started."))
        .hint(format!("footplate show {number} says why it waits"))
}

fn median(mut all: Vec<f64>) -> Option<f64> {
    all.sort_unstable_by(f64::total_cmp);
    let middle = all.len() / 2;
    match all.len() {
        0 => None,
        n if n % 2 == 1 => Some(all[middle]),
        _ => Some((all[middle - 1] + all[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_not_moved_by_one_odd_run() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0]), Some(3.0));
        assert_eq!(median(vec![1000.0, 2.0, 4.0]), Some(4.0));
        assert_eq!(median(vec![1.0, 2.0, 4.0, 1000.0]), Some(3.0));
    }
}
