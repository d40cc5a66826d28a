//! Runs side by side, for every door, and the same as comma-separated values.

use footplate_core::alert::{AlertWhen, Better};
use footplate_core::compare::{
    ComparedMetric, ComparedRun, ComparedValue, Comparison, MOST, Measured, best, better_by_name, differ,
};
use footplate_core::definition::{Definition, Stage};
use footplate_core::view::RunView;
use footplate_core::{ErrorCode, Fault, UtcMs};
use footplate_shim::clock;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::keeper::Client;
use super::types::MetricPoint;

/// Which runs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compared {
    /// These numbers, in this order; one that is there twice counts once.
    Runs(Vec<i64>),
    /// All of this experiment, at most the newest 100.
    Experiment(String),
}

impl Client {
    /// Parameters, results and outputs of runs side by side.
    ///
    /// # Errors
    /// `NotFound`, naming the run or the experiment; `Invalid` for fewer than 2 or more than 100 runs; `Storage`.
    pub fn compare(&self, asked: &Compared) -> Result<Comparison, Fault> {
        let (numbers, left_out) = match asked {
            Compared::Runs(numbers) => (unique(numbers), 0),
            Compared::Experiment(name) => self.of_experiment(name)?,
        };
        if !(2..=MOST).contains(&numbers.len()) {
            let message = format!("{} to be compared; it takes 2 to {MOST}.", counted(numbers.len()));
            return Err(Fault::new(ErrorCode::Invalid, message));
        }
        let mut table = Gathered::new(numbers.len());
        for (at, number) in numbers.iter().enumerate() {
            let definition = self.definition(*number)?.definition;
            table.add(at, &self.show(*number)?, &definition, &self.metrics(*number, &[])?);
        }
        Ok(table.done(left_out))
    }

    /// The numbers of an experiment's newest runs, the oldest first, and how many more there are.
    fn of_experiment(&self, name: &str) -> Result<(Vec<i64>, u64), Fault> {
        let read = self.store.read()?;
        let query = footplate_store::ListQuery {
            experiment: Some(name.to_owned()),
            limit: MOST as u32,
            ..footplate_store::ListQuery::default()
        };
        let (rows, total) = read.list(&query)?;
        if rows.is_empty() {
            let fault = Fault::new(ErrorCode::NotFound, format!("There is no experiment {name:?}."));
            let known: Vec<String> = read.experiments(1000)?.into_iter().map(|(name, _)| name).collect();
            return Err(match footplate_spec::nearest(name, known.iter().map(String::as_str)) {
                Some(near) => fault.hint(format!("Did you mean {near:?}?")),
                None => fault.hint("footplate list shows the experiments of runs"),
            });
        }
        let left_out = total.saturating_sub(rows.len() as u64);
        Ok((rows.iter().rev().map(|row| row.number).collect(), left_out))
    }
}

fn counted(runs: usize) -> String {
    if runs == 1 { "1 run is".to_owned() } else { format!("{runs} runs are") }
}

fn unique(numbers: &[i64]) -> Vec<i64> {
    let mut seen = std::collections::HashSet::new();
    numbers.iter().copied().filter(|number| seen.insert(*number)).collect()
}

/// What was found so far; a column for each run.
struct Gathered {
    columns: usize,
    runs: Vec<ComparedRun>,
    params: IndexMap<String, Vec<Option<Value>>>,
    outputs: IndexMap<String, Vec<Option<Value>>>,
    metrics: IndexMap<(String, String), Measure>,
}

/// One metric while it is gathered. Which way is better is said by the first run whose pipeline does.
struct Measure {
    declared: Option<Better>,
    values: Vec<Option<Measured>>,
}

impl Measure {
    fn better(&self, name: &str) -> Option<Better> {
        self.declared.or_else(|| better_by_name(name))
    }
}

impl Gathered {
    fn new(columns: usize) -> Gathered {
        Gathered {
            columns,
            runs: Vec::with_capacity(columns),
            params: IndexMap::new(),
            outputs: IndexMap::new(),
            metrics: IndexMap::new(),
        }
    }

    fn add(&mut self, at: usize, run: &RunView, definition: &Definition, points: &[MetricPoint]) {
        let columns = self.columns;
        let put = |table: &mut IndexMap<String, Vec<Option<Value>>>, name: String, value: &Value| {
            if let Some(cell) = table.entry(name).or_insert_with(|| vec![None; columns]).get_mut(at) {
                *cell = Some(value.clone());
            }
        };
        for (name, value) in run.params.iter().flatten() {
            put(&mut self.params, name.clone(), value);
        }
        for stage in run.stages.iter().flatten() {
            for (name, value) in &stage.outputs {
                put(&mut self.outputs, format!("{}.{name}", stage.name), value);
            }
        }
        let same = |one: &MetricPoint, other: &MetricPoint| (&one.stage, &one.name) == (&other.stage, &other.name);
        for series in points.chunk_by(same) {
            let Some(first) = series.first() else { continue };
            let key = (first.stage.clone(), first.name.clone());
            let measure =
                self.metrics.entry(key).or_insert_with(|| Measure { declared: None, values: vec![None; columns] });
            let said = definition.stages.get(&first.stage).and_then(|stage| declared(stage, &first.name));
            measure.declared = measure.declared.or(said);
            let better = measure.better(&first.name);
            if let Some(cell) = measure.values.get_mut(at) {
                *cell = measured(series, better);
            }
        }
        self.runs.push(compared(run, definition));
    }

    fn done(self, left_out: u64) -> Comparison {
        let values = |table: IndexMap<String, Vec<Option<Value>>>| {
            let one = |(name, values): (String, Vec<Option<Value>>)| {
                let differs = differ(&values);
                ComparedValue { name, values, differs }
            };
            table.into_iter().map(one).collect()
        };
        let metric = |((stage, name), measure): ((String, String), Measure)| {
            let better = measure.better(&name);
            let best = better.map(|better| best(&measure.values, better)).unwrap_or_default();
            let declared = measure.declared.is_some();
            ComparedMetric { stage, name, better, declared, values: measure.values, best }
        };
        let mut metrics: Vec<ComparedMetric> = self.metrics.into_iter().map(metric).collect();
        metrics.sort_by_key(|metric| (!metric.declared, metric.better.is_none()));
        Comparison { runs: self.runs, left_out, params: values(self.params), metrics, outputs: values(self.outputs) }
    }
}

fn compared(run: &RunView, definition: &Definition) -> ComparedRun {
    let now = UtcMs(clock::wall_ms());
    let mut stages = definition.stages.values();
    let alone = stages.next().filter(|stage| stage.literal && stages.next().is_none());
    ComparedRun {
        id: run.id,
        number: run.number,
        name: run.name.clone(),
        pipeline: run.pipeline.clone(),
        experiment: run.experiment.clone(),
        tags: run.tags.clone(),
        status: run.status,
        created_at: run.created_at,
        started_at: run.started_at,
        finished_at: run.finished_at,
        took_s: run.started_at.map(|started| run.finished_at.unwrap_or(now).seconds_since(started)),
        command: alone.map(|stage| stage.command.join(" ")),
    }
}

/// Which way its pipeline says a metric is better.
fn declared(stage: &Stage, metric: &str) -> Option<Better> {
    let kept = stage.checkpoints.as_ref().filter(|kept| kept.metric.as_deref() == Some(metric)).map(|kept| kept.mode);
    let rule = || {
        stage
            .alerts
            .iter()
            .find(|rule| rule.metric == metric && rule.when == AlertWhen::NoImprovement)
            .map(|rule| rule.mode)
    };
    kept.or_else(rule)
}

/// The best of a series, or its last point; `None` of one without points.
fn measured(series: &[MetricPoint], better: Option<Better>) -> Option<Measured> {
    let last = series.last()?;
    let top = better.and_then(|better| {
        series.iter().reduce(|best, point| if better.is_better(point.value, best.value) { point } else { best })
    });
    let top = top.unwrap_or(last);
    Some(Measured { value: top.value, step: top.step, last: last.value, points: series.len() as u64 })
}

/// A comparison as RFC 4180 has it: a line for each run. A metric whose better way is known has its best and its last value.
///
/// # Errors
/// `Storage` where a line cannot be made.
pub fn csv(of: &Comparison) -> Result<String, Fault> {
    let fault = |error: &dyn std::fmt::Display| {
        Fault::new(ErrorCode::Storage, format!("The comparison cannot be written as CSV: {error}."))
    };
    let metric = |metric: &ComparedMetric, what: &str| format!("{}.{}{what}", metric.stage, metric.name);
    let mut out = csv::Writer::from_writer(Vec::new());
    let mut heads: Vec<String> =
        ["run", "name", "pipeline", "experiment", "status", "started", "took_s"].map(str::to_owned).into();
    heads.extend(of.params.iter().map(|param| param.name.clone()));
    for one in &of.metrics {
        heads.extend(one.better.map(|better| metric(one, if better == Better::Min { " (min)" } else { " (max)" })));
        heads.push(metric(one, " (last)"));
    }
    heads.extend(of.outputs.iter().map(|output| output.name.clone()));
    out.write_record(&heads).map_err(|e| fault(&e))?;
    let text = |value: Option<&Option<Value>>| match value.and_then(Option::as_ref) {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    for (at, run) in of.runs.iter().enumerate() {
        let started = run.started_at.map(|at| at.to_string()).unwrap_or_default();
        let took = run.took_s.map(|took| took.to_string()).unwrap_or_default();
        let experiment = run.experiment.clone().unwrap_or_default();
        let mut line = vec![
            run.number.to_string(),
            run.name.clone(),
            run.pipeline.clone(),
            experiment,
            run.status.to_string(),
            started,
            took,
        ];
        line.extend(of.params.iter().map(|param| text(param.values.get(at))));
        for one in &of.metrics {
            let measured = one.values.get(at).and_then(Option::as_ref);
            if one.better.is_some() {
                line.push(measured.map(|m| m.value.to_string()).unwrap_or_default());
            }
            line.push(measured.map(|m| m.last.to_string()).unwrap_or_default());
        }
        line.extend(of.outputs.iter().map(|output| text(output.values.get(at))));
        out.write_record(&line).map_err(|e| fault(&e))?;
    }
    let bytes = out.into_inner().map_err(|e| fault(&e))?;
    String::from_utf8(bytes).map_err(|e| fault(&e))
}
