//! Sweeps: `-p lr=1e-4,3e-4 -p epochs=5..20:5` to the parameters of many runs of one pipeline.
//!
//! A comma separates values, `\,` is one within a text. `a..b` are the whole numbers from a to b, both within; `a..b:step` those a
//! step apart, whole or not. `a..b` of a `number` and `a..b:log` have no steps: a random sweep draws from them, evenly or (`log`)
//! evenly in the logarithm. Secrets are one value, whatever is in them.
//!
//! Not here, on purpose: names of runs, and anything that is written down.

mod axis;
mod draw;

use footplate_core::definition::{Definition, ParamKind};
use indexmap::IndexMap;
use serde_json::Value;

use crate::check::unknown;
use crate::params::{parameters, typed};
use crate::problem::{Problem, Problems, shown};
use axis::Axis;

/// Most runs of one sweep.
pub const MOST_RUNS: usize = 10_000;

/// Which of all the runs that the values make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// All of them: the first parameter changes slowest.
    Grid,
    /// So many different ones, drawn by this seed: the same seed and values give the same runs.
    Random {
        /// How many.
        runs: usize,
        /// Any number.
        seed: u64,
    },
}

/// The runs of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Swept {
    /// The parameters that are given more than one value, in the order in which they were given.
    pub varied: Vec<String>,
    /// The values of all parameters of each run, secrets among them (see [`crate::take_secrets`]).
    pub runs: Vec<IndexMap<String, Value>>,
}

/// What is given for the parameters of a sweep, read; its runs are not made yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// All that is wrong; in no order of importance.
    pub problems: Vec<Problem>,
    /// The names of all parameters, in the order of the definition.
    names: Vec<String>,
    fixed: IndexMap<String, Value>,
    axes: Vec<(String, Axis)>,
}

/// A parameter that is given more than one value.
#[derive(Clone, Debug, PartialEq)]
pub struct Varied<'a> {
    /// Its name.
    pub name: &'a str,
    /// How many values; `None`: it is drawn from numbers without steps.
    pub count: Option<u128>,
    /// The first of them, at most as many as were asked for.
    pub first: Vec<Value>,
}

/// Reads what is given for each parameter and makes the runs.
///
/// # Errors
/// All at once: unknown parameters, one given twice, values and ranges that do not fit the parameter's type and bounds, required ones
/// without a value. Alone: nothing varies, more than [`MOST_RUNS`], more random runs than there are different ones.
pub fn sweep(
    definition: &Definition,
    preset: Option<&str>,
    given: &[(String, String)],
    choice: Choice,
) -> Result<Swept, Problems> {
    let reading = read(definition, preset, given, matches!(choice, Choice::Random { .. }));
    if reading.problems.is_empty() { Ok(reading.runs(choice)?) } else { Err(Problems(reading.problems)) }
}

/// Reads what is given for each parameter. `random`: stretches without steps may be drawn from.
#[must_use]
pub fn read(definition: &Definition, preset: Option<&str>, given: &[(String, String)], random: bool) -> Reading {
    let mut problems = Vec::new();
    let mut fixed = IndexMap::new();
    let mut axes: Vec<(String, Axis)> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for (name, text) in given {
        if seen.contains(&name.as_str()) {
            let problem = Problem::new("twice", format!("parameter {} is given twice", shown(name)));
            problems.push(problem.hint(format!("separate its values by commas: -p {name}=A,B")).of(name));
            continue;
        }
        seen.push(name);
        let Some(param) = definition.params.get(name) else {
            let message = format!("there is no parameter {}", shown(name));
            let problem = unknown("unknown_param", message, name, definition.params.keys().map(String::as_str));
            problems.push(problem.of(name));
            continue;
        };
        if param.kind == ParamKind::Secret {
            match typed(name, param, text) {
                Ok(value) => _ = fixed.insert(name.clone(), value),
                Err(problem) => problems.push(problem.of(name)),
            }
            continue;
        }
        match Axis::read(name, param, text, random) {
            Ok(axis) => match axis.only() {
                Some(value) => _ = fixed.insert(name.clone(), value),
                None => axes.push((name.clone(), axis)),
            },
            Err(found) => problems.extend(found.into_iter().map(|problem| problem.of(name))),
        }
    }
    // What is not given: required ones, and the preset. Those with faults of their own are not told of again.
    let mut rest = definition.clone();
    let known = |name: &str| fixed.contains_key(name) || !seen.contains(&name);
    rest.params.retain(|name, _| known(name));
    rest.presets.values_mut().for_each(|preset| preset.retain(|name, _| known(name)));
    match parameters(&rest, preset, &fixed) {
        Ok(values) => fixed = values,
        Err(mut more) => problems.append(&mut more.0),
    }
    Reading { problems, names: definition.params.keys().cloned().collect(), fixed, axes }
}

impl Reading {
    /// The parameters that are given more than one value, in the order in which they were given, with at most `most` values of each.
    pub fn varied(&self, most: usize) -> impl Iterator<Item = Varied<'_>> {
        self.axes.iter().map(move |(name, axis)| {
            let count = axis.count();
            let first = match axis {
                Axis::Steps(_) => (0..count.unwrap_or(0).min(most as u128)).map(|mut at| axis.take(&mut at)).collect(),
                Axis::Between { .. } => Vec::new(),
            };
            Varied { name, count, first }
        })
    }

    /// The runs that the values make; of what was read with problems, none are to be made.
    ///
    /// # Errors
    /// Nothing varies; more than [`MOST_RUNS`]; more random runs than there are different ones.
    pub fn runs(self, choice: Choice) -> Result<Swept, Problem> {
        let Reading { names, fixed, axes, .. } = self;
        if axes.is_empty() {
            let problem = Problem::new("no_sweep", "nothing varies: no parameter is given more than one value");
            return Err(problem.hint("for example: -p lr=1e-4,3e-4 -p epochs=5..20:5"));
        }
        let rows = match choice {
            Choice::Grid => grid(&axes)?,
            Choice::Random { runs, seed } => draw::rows(&axes, runs, seed)?,
        };
        let varied: Vec<String> = axes.into_iter().map(|(name, _)| name).collect();
        let whole = |row: Vec<Value>| {
            let all = names.iter().filter_map(|name| {
                let at = varied.iter().position(|varied| varied == name);
                Some((name.clone(), at.and_then(|at| row.get(at)).or_else(|| fixed.get(name))?.clone()))
            });
            all.collect()
        };
        let runs = rows.into_iter().map(whole).collect();
        Ok(Swept { varied, runs })
    }
}

/// How many different runs there are; `None` where a parameter is drawn from numbers without steps.
fn different(axes: &[(String, Axis)]) -> Option<u128> {
    axes.iter().try_fold(1_u128, |all, (_, axis)| Some(all.saturating_mul(axis.count()?)))
}

fn grid(axes: &[(String, Axis)]) -> Result<Vec<Vec<Value>>, Problem> {
    let all = different(axes).unwrap_or(u128::MAX);
    let Some(runs) = usize::try_from(all).ok().filter(|runs| *runs <= MOST_RUNS) else {
        return Err(too_many(&format!("this grid has {all} runs")));
    };
    let row = |index: usize| {
        let mut index = index as u128;
        let mut row: Vec<Value> = axes.iter().rev().map(|(_, axis)| axis.take(&mut index)).collect();
        row.reverse();
        row
    };
    Ok((0..runs).map(row).collect())
}

fn too_many(what: &str) -> Problem {
    Problem::new("limit", format!("{what}; the limit is {MOST_RUNS}"))
        .hint("give fewer values, or draw some of them: --random 100")
}
