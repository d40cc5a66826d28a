//! Views of runs and queues, each from one snapshot of the store.

use std::collections::HashMap;

use footplate_core::definition::{Definition, Stage};
use footplate_core::event::Event;
use footplate_core::view::{AlertView, AttemptView, DiskView, Failure, Note, QueueView, RunView, StageView, Waiting};
use footplate_core::{AttemptKey, AttemptStatus, ErrorCode, Fault, RunStatus, StageStatus, UtcMs};
use footplate_shim::clock;
use footplate_shim::folder::AttemptDir;
use footplate_store::{AlertRow, AttemptRow, LatestRow, Read, RunRow, StageRow, StoreError};
use indexmap::IndexMap;
use serde_json::Value;

use super::explain::{self, Facts};
use super::keeper::Client;
use super::machine::machine_capacity;
use super::types::{ListQuery, OwnerState, RunPage};
use super::waiting::Reasons;
use super::wishes::no_run;
use crate::disk::{self, Marks};
use crate::home::Home;

/// Most runs of one page.
const PAGE_MOST: u32 = 10_000;
/// Most alerts of one run, the newest.
const ALERTS_MOST: u32 = 200;
/// Most remarks of one run, the newest.
const NOTES_MOST: u32 = 200;

impl Client {
    /// A page of runs, newest first, without stages and parameters.
    ///
    /// # Errors
    /// `Storage`.
    pub fn list(&self, query: &ListQuery) -> Result<RunPage, Fault> {
        let confirmed = self.confirm()?;
        let present = matches!(self.owner(), OwnerState::Present { .. });
        let read = self.store.read()?;
        let (rows, total) = read.list(&footplate_store::ListQuery {
            statuses: query.statuses.clone(),
            queue: query.queue.clone(),
            experiment: query.experiment.clone(),
            tag: query.tag.clone(),
            search: query.search.clone(),
            limit: query.limit.min(PAGE_MOST),
            offset: query.offset,
        })?;
        let mut viewer = Viewer::new(&read, &self.home, present, confirmed);
        let mut runs = Vec::with_capacity(rows.len());
        for row in rows {
            let mut view = viewer.run(row)?;
            view.cwd = None;
            view.alerts.retain(AlertView::is_open);
            view.params = None;
            view.stages = None;
            runs.push(view);
        }
        Ok(RunPage { runs, total })
    }

    /// One run, with its stages, attempts and parameters.
    ///
    /// # Errors
    /// `NotFound`; `Storage`.
    pub fn show(&self, number: i64) -> Result<RunView, Fault> {
        let confirmed = self.confirm()?;
        let present = matches!(self.owner(), OwnerState::Present { .. });
        let read = self.store.read()?;
        let row = read.run(number)?.ok_or_else(|| no_run(number))?;
        let mut view = Viewer::new(&read, &self.home, present, confirmed).run(row)?;
        view.notes = Some(notes(&read, &view)?);
        tell_commands(&self.home, &mut view);
        Ok(view)
    }

    /// The runs that have open alerts, with these, newest first.
    ///
    /// # Errors
    /// `Storage`.
    pub fn alerted(&self) -> Result<Vec<RunView>, Fault> {
        self.confirm()?;
        let mut numbers: Vec<i64> = Vec::new();
        for row in self.store.read()?.open_alerts(PAGE_MOST)? {
            if !numbers.contains(&row.key.run) {
                numbers.push(row.key.run);
            }
        }
        numbers.into_iter().map(|number| self.show(number)).collect()
    }

    /// The disk of the data folder and its marks.
    ///
    /// # Errors
    /// `Storage`, also where the system does not tell.
    pub fn disk(&self) -> Result<DiskView, Fault> {
        let marks = Marks::read(&self.store.read()?)?;
        disk::look(self.home.root(), marks).map_err(|error| {
            let root = self.home.root().display();
            Fault::new(ErrorCode::Storage, format!("The room on the disk of {root} is not known: {error}."))
        })
    }

    /// The queues with their counts, highest priority first.
    ///
    /// # Errors
    /// `Storage`.
    pub fn queues(&self) -> Result<Vec<QueueView>, Fault> {
        self.confirm()?;
        let cores = machine_capacity().cpus;
        let read = self.store.read()?;
        let counts: HashMap<String, (u64, u64)> =
            read.queue_counts()?.into_iter().map(|c| (c.queue, (c.queued, c.running))).collect();
        let view = |queue: footplate_store::QueueRow| {
            let (queued, running) = counts.get(&queue.name).copied().unwrap_or_default();
            QueueView {
                priority: queue.priority,
                limit: queue.limit.unwrap_or(cores),
                paused: queue.paused,
                queued,
                running,
                name: queue.name,
            }
        };
        Ok(read.queues()?.into_iter().map(view).collect())
    }

    /// Whether there is a queue of this name.
    ///
    /// # Errors
    /// `NotFound` with the nearest name and all there are; `Storage`.
    pub fn known_queue(&self, name: &str) -> Result<(), Fault> {
        let names: Vec<String> = self.store.read()?.queues()?.into_iter().map(|queue| queue.name).collect();
        super::check::queue(name, &names)
    }

    /// The ended runs that `clean` would remove: numbers, oldest end first, at most `limit`.
    ///
    /// # Errors
    /// `Storage`.
    pub fn cleanable(&self, older_than_ms: u64, limit: u32) -> Result<Vec<i64>, Fault> {
        let before = clock::wall_ms().saturating_sub(i64::try_from(older_than_ms).unwrap_or(i64::MAX));
        Ok(self.store.read()?.ended_before(before, limit)?.into_iter().map(|(number, _)| number).collect())
    }
}

/// What each attempt really ran, as its folder has it. Not for lists: it is a file for each attempt.
fn tell_commands(home: &Home, run: &mut RunView) {
    for (index, stage) in run.stages.iter_mut().flatten().enumerate() {
        for attempt in &mut stage.attempts {
            let key = AttemptKey { run: run.number, stage: index as u32, attempt: attempt.number };
            let spec = AttemptDir::open(home.attempt(&run.id, key)).spec();
            let argv = spec.map(|spec| spec.argv).unwrap_or_default();
            attempt.command = argv.iter().map(|arg| String::from_utf8_lossy(&arg.0).into_owned()).collect();
        }
    }
}

/// A run's alerts, the newest first.
pub(super) fn alerts(read: &Read<'_>, run: i64, stages: &[StageRow]) -> Result<Vec<AlertView>, StoreError> {
    let name = |idx: u32| stages.iter().find(|stage| stage.idx == idx).map_or_else(String::new, |s| s.name.clone());
    Ok(read.alerts(run, ALERTS_MOST)?.into_iter().map(|row| alert_view(&row, name(row.key.stage))).collect())
}

/// One alert of this stage.
pub(super) fn alert_view(row: &AlertRow, stage: String) -> AlertView {
    AlertView {
        id: row.id,
        stage,
        attempt: row.key.attempt,
        facts: row.facts.clone(),
        detail: row.facts.sentence(UtcMs(row.since)),
        since: UtcMs(row.since),
        raised_at: UtcMs(row.raised_at),
        ended_at: row.ended_at.map(UtcMs),
        dismissed_at: row.dismissed_at.map(UtcMs),
    }
}

/// What was noted about a run.
fn notes(read: &Read<'_>, run: &RunView) -> Result<Vec<Note>, StoreError> {
    let name = |index: u32| Some(run.stages.as_ref()?.get(index as usize)?.name.clone());
    let rows = read.notes(run.number, NOTES_MOST)?;
    let note = |row: footplate_store::EventRow| match row.event {
        Event::Note { stage, text } => Some(Note { time: UtcMs(row.time), stage: stage.and_then(name), text }),
        _ => None,
    };
    Ok(rows.into_iter().filter_map(note).collect())
}

/// Makes views from one snapshot.
pub(super) struct Viewer<'r> {
    read: &'r Read<'r>,
    home: &'r Home,
    reasons: Reasons<'r>,
    confirmed: bool,
    now: UtcMs,
}

/// A run's rows, read together.
pub(super) struct Rows {
    pub(super) definition: Option<Definition>,
    pub(super) stages: Vec<StageRow>,
    pub(super) attempts: Vec<AttemptRow>,
}

impl Rows {
    /// Reads what belongs to a run. A definition that cannot be read (damage) leaves the rows.
    pub(super) fn of(read: &Read<'_>, run: &RunRow) -> Result<Rows, StoreError> {
        let text = match run.definition.is_empty() {
            false => Some(run.definition.clone()),
            true => read.run(run.number)?.map(|row| row.definition),
        };
        let definition = text.and_then(|text| serde_json::from_str(&text).ok());
        Ok(Rows { definition, stages: read.stages(run.number)?, attempts: read.attempts(run.number)? })
    }

    pub(super) fn stage(&self, row: &StageRow) -> Option<&Stage> {
        self.definition.as_ref()?.stages.get_index(row.idx as usize).map(|(_, stage)| stage)
    }
}

impl<'r> Viewer<'r> {
    pub(super) fn new(read: &'r Read<'r>, home: &'r Home, owner: bool, confirmed: bool) -> Viewer<'r> {
        let now = UtcMs(clock::wall_ms());
        Viewer { read, home, reasons: Reasons::new(read, home, now, owner), confirmed, now }
    }

    pub(super) fn run(&mut self, run: RunRow) -> Result<RunView, StoreError> {
        let rows = Rows::of(self.read, &run)?;
        let latest: HashMap<u32, LatestRow> =
            self.read.latest(run.number)?.into_iter().map(|row| (row.stage, row)).collect();
        let mut stages = Vec::with_capacity(rows.stages.len());
        for row in &rows.stages {
            stages.push(self.stage(&run, &rows, row, latest.get(&row.idx))?);
        }
        let live = rows.attempts.iter().any(|a| a.status.is_live());
        let running = || stages.iter().filter(|s| s.status == StageStatus::Running);
        let newest = rows
            .stages
            .iter()
            .filter(|s| s.status == StageStatus::Running)
            .filter_map(|s| latest.get(&s.idx).filter(|l| l.attempt == s.attempt && says(l, s.status).is_some()))
            .max_by_key(|l| l.updated_at);
        Ok(RunView {
            id: run.id,
            number: run.number,
            pipeline: run.pipeline.clone(),
            experiment: run.experiment.clone(),
            queue: run.queue.clone(),
            priority: run.priority,
            target: run.target.clone(),
            tags: run.tags.clone(),
            status: run.status,
            confirmed: self.confirmed || !live,
            progress: progress(run.status, &stages),
            // What runs now takes at least this long.
            eta_s: running().filter_map(|s| s.eta_s).reduce(f64::max),
            message: newest.and_then(|l| says(l, StageStatus::Running)),
            waiting: waiting(run.status, &stages),
            created_at: UtcMs(run.created_at),
            started_at: run.started_at.map(UtcMs),
            finished_at: run.finished_at.map(UtcMs),
            result: run.result,
            result_at: run.result_at.map(UtcMs),
            generation: run.generation,
            error: run_error(&run, &stages),
            cwd: Some(String::from_utf8_lossy(&run.cwd).into_owned()),
            alerts: alerts(self.read, run.number, &rows.stages)?,
            schedule: self.read.scheduled_by(run.number)?,
            notes: None,
            params: Some(serde_json::from_str(&run.params).unwrap_or_default()),
            name: run.name,
            stages: Some(stages),
        })
    }

    fn stage(
        &mut self,
        run: &RunRow,
        rows: &Rows,
        row: &StageRow,
        latest: Option<&LatestRow>,
    ) -> Result<StageView, StoreError> {
        let definition = rows.stage(row);
        // What an attempt before this one reported says nothing of the present.
        let latest = latest.filter(|l| l.attempt == row.attempt);
        let running = row.status == StageStatus::Running;
        let done = row.status.satisfies_a_need();
        let mut attempts: Vec<AttemptView> = rows
            .attempts
            .iter()
            .filter(|a| a.stage == row.idx)
            .map(|a| attempt_view(self.home, run, rows, row, a))
            .collect();
        if let Some(newest) = attempts.last_mut() {
            newest.notes.extend(latest.and_then(|l| counted(&l.data)));
        }
        Ok(StageView {
            name: row.name.clone(),
            status: row.status,
            queue: row.queue.clone(),
            needs: definition.map(|d| d.needs.clone()).unwrap_or_default(),
            command: definition.map(|d| d.command.clone()).unwrap_or_default(),
            shell: definition.and_then(|d| d.shell.clone()),
            progress: if done { Some(1.0) } else { latest.and_then(|l| l.progress) },
            eta_s: latest.filter(|_| running).and_then(|l| left(l, self.now)),
            message: latest.and_then(|l| says(l, row.status)),
            metrics: latest.map(|l| metrics(&l.data)).unwrap_or_default(),
            waiting: self.reasons.of(run, rows.definition.as_ref(), &rows.stages, row)?,
            outputs: serde_json::from_str(&row.outputs).unwrap_or_default(),
            allow_failure: definition.is_some_and(|d| d.allow_failure),
            tail: definition.is_some_and(|d| d.tail),
            queued_at: row.queued_at.map(UtcMs),
            started_at: row.started_at.map(UtcMs),
            finished_at: row.finished_at.map(UtcMs),
            error: stage_error(run, rows, row),
            attempts,
        })
    }
}

/// The time left that a program gave a while ago, as of now.
fn left(latest: &LatestRow, now: UtcMs) -> Option<f64> {
    latest.eta_s.map(|eta| (eta - now.seconds_since(UtcMs(latest.updated_at))).max(0.0))
}

/// What its program said last: its message, else its own inner stage; where the stage ended badly, the error it reported.
fn says(latest: &LatestRow, status: StageStatus) -> Option<String> {
    let data: Value = serde_json::from_str(&latest.data).unwrap_or_default();
    let word = |name: &str| data["latest"].get(name).and_then(Value::as_str).map(str::to_owned);
    let error = if status.is_ended() && !status.satisfies_a_need() { word("error") } else { None };
    let place = || if status == StageStatus::Running { place(&data["latest"]) } else { None };
    error.or_else(|| latest.message.clone()).or_else(|| word("inner_stage")).or_else(place)
}

/// What of a program's lines was more than one could be told of singly, in one sentence.
fn counted(data: &str) -> Option<String> {
    const WORDS: [(&str, &str); 7] = [
        ("bad_lines", "##PROGRESS## lines that could not be read"),
        ("bad_values", "values of the wrong kind"),
        ("over_long", "lines too long to be read"),
        ("clamped", "progress values out of bounds or going back"),
        ("dropped_points", "points over 10 a second"),
        ("series_over", "points of metrics beyond the 200th"),
        ("bad_names", "names that are none"),
    ];
    let data: Value = serde_json::from_str(data).unwrap_or_default();
    let counters = &data["latest"]["counters"];
    let count = |name: &str| counters[name].as_u64().unwrap_or(0);
    let some: Vec<String> = WORDS
        .iter()
        .filter(|(name, _)| count(name) > 1)
        .map(|(name, words)| format!("{} {words}", count(name)))
        .collect();
    (!some.is_empty()).then(|| format!("counted: {}", some.join(", ")))
}

/// Where it is, of a program that says no more: `epoch 9 of 20`, `step 120`.
fn place(latest: &Value) -> Option<String> {
    [("epoch", "epochs"), ("step", "total")].iter().find_map(|(name, of)| {
        let at = latest.get(name)?.as_f64()?;
        let of = latest.get(of).and_then(Value::as_f64).map(|of| format!(" of {of}")).unwrap_or_default();
        Some(format!("{name} {at}{of}"))
    })
}

/// The mean over stages; skipped ones do not count. None before anything is known.
fn progress(status: RunStatus, stages: &[StageView]) -> Option<f64> {
    if status == RunStatus::Completed {
        return Some(1.0);
    }
    let counted: Vec<Option<f64>> =
        stages.iter().filter(|s| s.status != StageStatus::Skipped).map(|s| s.progress).collect();
    if counted.iter().all(Option::is_none) {
        return None;
    }
    Some(counted.iter().map(|p| p.unwrap_or(0.0)).sum::<f64>() / counted.len() as f64)
}

/// Position and newest values of metrics, as the owner keeps them in `latest.data`: `{"latest": {..}, "metrics": {..}}`.
fn metrics(data: &str) -> IndexMap<String, f64> {
    let data: Value = serde_json::from_str(data).unwrap_or_default();
    let number = |value: &Value| match value {
        Value::Number(n) => n.as_f64(),
        // JSON has no word for them.
        Value::String(text) => match text.as_str() {
            "nan" | "NaN" => Some(f64::NAN),
            "Infinity" | "inf" => Some(f64::INFINITY),
            "-Infinity" | "-inf" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    };
    let position = ["step", "total", "epoch", "epochs", "rate", "overall_progress"].into_iter();
    let mut found: IndexMap<String, f64> =
        position.filter_map(|name| Some((name.to_owned(), data["latest"].get(name).and_then(number)?))).collect();
    if let Some(values) = data.get("metrics").and_then(Value::as_object) {
        found.extend(values.iter().filter_map(|(name, value)| Some((name.clone(), number(value)?))));
    }
    found
}

/// Of a run that does nothing now: what keeps it, a reason of its own before that of a stage it waits for.
fn waiting(status: RunStatus, stages: &[StageView]) -> Option<Waiting> {
    if status.is_ended() || stages.iter().any(|s| s.status == StageStatus::Running) {
        return None;
    }
    let reasons = || stages.iter().filter_map(|s| s.waiting.as_ref());
    reasons().find(|w| w.reason != "dependency").or_else(|| reasons().next()).cloned()
}

fn stored(error: Option<&String>) -> Option<Failure> {
    serde_json::from_str(error?).ok()
}

pub(super) fn attempt_error(run: &RunRow, rows: &Rows, stage: &StageRow, attempt: &AttemptRow) -> Option<Failure> {
    let failed = match attempt.status {
        AttemptStatus::Failed | AttemptStatus::TimedOut | AttemptStatus::LaunchFailed | AttemptStatus::Interrupted => {
            true
        }
        AttemptStatus::Launching
        | AttemptStatus::Running
        | AttemptStatus::Stopping
        | AttemptStatus::Completed
        | AttemptStatus::Cancelled
        | AttemptStatus::Void => false,
    };
    if !failed {
        return None;
    }
    stored(attempt.error.as_ref()).or_else(|| {
        let newest = stage.attempt == attempt.number;
        let facts = Facts {
            exit_code: attempt.exit_code,
            signal: attempt.signal,
            timeout_ms: rows.stage(stage).and_then(|s| s.timeout).map(|t| t.0),
            stall_ms: rows.stage(stage).and_then(|s| s.stall).map(|t| t.0),
            detail: stage.detail.as_deref().filter(|_| newest && stage.code == attempt.code),
            run: Some(run.number),
            stage: Some(&stage.name),
            resumes: resumes(rows, stage),
        };
        Some(explain::failure(attempt.code.unwrap_or(ErrorCode::Interrupted), &facts))
    })
}

/// Whether a stage can go on from a checkpoint.
fn resumes(rows: &Rows, stage: &StageRow) -> bool {
    rows.stage(stage).is_some_and(|stage| !stage.resume.is_empty())
}

pub(super) fn stage_error(run: &RunRow, rows: &Rows, stage: &StageRow) -> Option<Failure> {
    match stage.status {
        StageStatus::Failed | StageStatus::Interrupted => {}
        // Why it was not run is worth telling; that a person ended it is no error.
        StageStatus::Skipped if stage.code != Some(ErrorCode::ConditionFalse) => {}
        StageStatus::Cancelled if stage.code == Some(ErrorCode::AfterFailed) => {}
        StageStatus::Waiting
        | StageStatus::Queued
        | StageStatus::Running
        | StageStatus::Retrying
        | StageStatus::Held
        | StageStatus::Completed
        | StageStatus::Cached
        | StageStatus::Skipped
        | StageStatus::Cancelled => return None,
    }
    let code = stage.code.unwrap_or(ErrorCode::Interrupted);
    let last = rows.attempts.iter().rfind(|a| a.stage == stage.idx && a.number == stage.attempt);
    stored(stage.error.as_ref())
        .or_else(|| last.filter(|a| a.code == Some(code)).and_then(|a| attempt_error(run, rows, stage, a)))
        .or_else(|| {
            let facts = Facts {
                detail: stage.detail.as_deref(),
                run: Some(run.number),
                stage: Some(&stage.name),
                resumes: resumes(rows, stage),
                ..Facts::default()
            };
            Some(explain::failure(code, &facts))
        })
}

fn run_error(run: &RunRow, stages: &[StageView]) -> Option<Failure> {
    let first = |status: StageStatus| {
        let counts = |s: &&StageView| s.status == status && !s.allow_failure && !s.tail && s.error.is_some();
        stages.iter().filter(counts).min_by_key(|s| s.finished_at).and_then(|s| s.error.clone())
    };
    stored(run.error.as_ref()).or_else(|| match run.result.unwrap_or(run.status) {
        RunStatus::Failed => first(StageStatus::Failed),
        RunStatus::Interrupted => first(StageStatus::Interrupted),
        RunStatus::Cancelled if run.after_failed => {
            let facts = Facts { run: Some(run.number), ..Facts::default() };
            stages
                .iter()
                .find_map(|s| s.error.clone())
                .or_else(|| Some(explain::failure(ErrorCode::AfterFailed, &facts)))
        }
        RunStatus::Draft
        | RunStatus::Queued
        | RunStatus::Running
        | RunStatus::Paused
        | RunStatus::Completed
        | RunStatus::Cancelled => None,
    })
}

fn attempt_view(home: &Home, run: &RunRow, rows: &Rows, stage: &StageRow, attempt: &AttemptRow) -> AttemptView {
    AttemptView {
        number: attempt.number,
        status: attempt.status,
        command: Vec::new(),
        paused: attempt.paused,
        pid: attempt.pid,
        exit_code: attempt.exit_code,
        signal: attempt.signal,
        started_at: attempt.started_at.map(UtcMs),
        finished_at: attempt.finished_at.map(UtcMs),
        running_s: attempt.running_ms.map(|ms| ms as f64 / 1000.0),
        log_size: attempt.log_size,
        usage: super::usage::so_far(home, &run.id, attempt),
        gpus: attempt.gpus.clone(),
        notes: attempt
            .note
            .iter()
            .flat_map(|text| text.lines())
            .map(str::to_owned)
            .chain(did_nothing(rows.stage(stage), attempt))
            .chain(attempt.orphan.then(|| explain::TAKEN_OVER.to_owned()))
            .collect(),
        error: attempt_error(run, rows, stage, attempt),
    }
}

/// Of a single command that completed at once and said nothing, that it may not have done what was meant. Who wrote a pipeline knows.
fn did_nothing(stage: Option<&Stage>, attempt: &AttemptRow) -> Option<String> {
    const AT_ONCE_MS: u64 = 1_000;
    let ran = attempt.running_ms.filter(|ms| *ms < AT_ONCE_MS)?;
    let silent = attempt.status == AttemptStatus::Completed && attempt.log_size == Some(0);
    let silent = silent && stage.is_some_and(|stage| stage.literal);
    silent.then(|| format!("it ended after {ran} ms and printed nothing: is the command the one you meant?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_more_than_once_is_counted() {
        let some = r#"{"latest":{"counters":{"bad_lines":3,"clamped":1,"series_over":100,"lines":400}}}"#;
        let said = counted(some).unwrap();
        assert_eq!(
            said,
            "counted: 3 ##PROGRESS## lines that could not be read, 100 points of metrics beyond the 200th"
        );
        assert_eq!((counted("damaged"), counted(r#"{"latest":{"counters":{"lines":9,"clamped":1}}}"#)), (None, None));
    }

    #[test]
    fn newest_values_come_with_their_position_and_with_what_json_cannot_say() {
        let found = metrics(r#"{"latest":{"step":3,"epoch":1.5,"message":"x"},"metrics":{"loss":"NaN","acc":0.5}}"#);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["step", "epoch", "loss", "acc"]);
        assert!(found["loss"].is_nan());
        // As the owner writes it, too.
        assert!(metrics(r#"{"metrics":{"loss":"nan"}}"#)["loss"].is_nan());
        assert!(metrics("damaged").is_empty());
    }
}
