//! The values of one parameter of a sweep.

use footplate_core::definition::{Param, ParamKind};
use serde_json::{Number, Value};

use crate::params::{accept, typed};
use crate::problem::{Problem, shown};

/// What one parameter is given.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Axis {
    /// Values and ranges with steps, one after the other.
    Steps(Vec<Part>),
    /// A stretch without steps, for random sweeps.
    Between { low: f64, high: f64, log: bool, whole: bool },
}

/// A value, or numbers that are a step apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    One(Value),
    Whole { first: i64, step: i64, count: u128 },
    Numbers { first: f64, step: f64, digits: usize, count: u128 },
}

impl Part {
    fn count(&self) -> u128 {
        match self {
            Part::One(_) => 1,
            Part::Whole { count, .. } | Part::Numbers { count, .. } => *count,
        }
    }

    fn at(&self, index: u128) -> Value {
        match self {
            Part::One(value) => value.clone(),
            Part::Whole { first, step, .. } => whole(*first, *step, index),
            Part::Numbers { first, step, digits, .. } => number(*first + *step * index as f64, *digits),
        }
    }
}

impl Axis {
    /// Reads what is given. `random`: stretches without steps may be drawn from.
    pub(super) fn read(name: &str, param: &Param, text: &str, random: bool) -> Result<Axis, Vec<Problem>> {
        let numbers = matches!(param.kind, ParamKind::Integer | ParamKind::Number);
        let pieces = pieces(text);
        let mut parts = Vec::new();
        let mut problems = Vec::new();
        for piece in &pieces {
            let range = if numbers { piece.split_once("..") } else { None };
            let read = match range {
                None => typed(name, param, piece).map(|value| Axis::Steps(vec![Part::One(value)])),
                Some((low, rest)) => Range { name, param, piece, random }.read(low, rest),
            };
            match read {
                Ok(Axis::Steps(mut more)) => parts.append(&mut more),
                Ok(between) if pieces.len() == 1 => return Ok(between),
                Ok(_) => problems.push(Problem::new(
                    "bad_range",
                    format!("parameter \"{name}\": {} has no steps, and stands alone or not at all", shown(piece)),
                )),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            let axis = Axis::Steps(parts);
            problems.extend(axis.twice(name));
            if problems.is_empty() {
                return Ok(axis);
            }
        }
        Err(problems)
    }

    /// A value that is there twice; ranges beyond a sweep's limit are not looked through.
    fn twice(&self, name: &str) -> Option<Problem> {
        let (Axis::Steps(parts), Some(count)) = (self, self.count()) else { return None };
        if parts.len() < 2 || count > super::MOST_RUNS as u128 {
            return None;
        }
        let mut seen = std::collections::HashSet::new();
        let all = (0..count).map(|mut index| self.take(&mut index).to_string());
        let again = all.into_iter().find(|text| !seen.insert(text.clone()))?;
        Some(Problem::new("twice", format!("parameter \"{name}\" has the value {again} twice")))
    }

    /// How many values; `None`: it has no steps.
    pub(super) fn count(&self) -> Option<u128> {
        match self {
            Axis::Steps(parts) => Some(parts.iter().map(Part::count).sum()),
            Axis::Between { low, high, whole: true, .. } => Some((high - low) as u128 + 1),
            Axis::Between { .. } => None,
        }
    }

    /// The value where there is one only.
    pub(super) fn only(&self) -> Option<Value> {
        match self {
            Axis::Steps(_) if self.count() == Some(1) => Some(self.take(&mut 0)),
            _ => None,
        }
    }

    /// The value of this index; what is left of the index is for the next parameter.
    pub(super) fn take(&self, index: &mut u128) -> Value {
        let Axis::Steps(parts) = self else { return Value::Null };
        let count = self.count().unwrap_or(1).max(1);
        let (rest, mut own) = (*index / count, *index % count);
        *index = rest;
        for part in parts {
            if own < part.count() {
                return part.at(own);
            }
            own -= part.count();
        }
        Value::Null
    }
}

/// One range as it was typed.
struct Range<'a> {
    name: &'a str,
    param: &'a Param,
    piece: &'a str,
    random: bool,
}

impl Range<'_> {
    fn bad(&self, why: &str) -> Problem {
        Problem::new("bad_range", format!("parameter \"{}\": {} {why}", self.name, shown(self.piece)))
    }

    /// An end in the parameter's type and bounds.
    fn end(&self, text: &str) -> Result<(f64, Value), Problem> {
        let value = typed(self.name, self.param, text)?;
        Ok((value.as_f64().unwrap_or(f64::NAN), value))
    }

    fn read(&self, low: &str, rest: &str) -> Result<Axis, Problem> {
        let (high, step) = rest.split_once(':').map_or((rest, None), |(high, step)| (high, Some(step.trim())));
        let ((from, first), (to, last)) = (self.end(low)?, self.end(high)?);
        if from > to {
            return Err(self
                .bad("begins above its end")
                .hint(format!("write the smaller number first: {high}..{low}")));
        }
        let whole = self.param.kind == ParamKind::Integer;
        match step {
            Some("log") if !self.random => {
                Err(self.bad("has no steps to make a grid of").hint("draw from it with --random 20"))
            }
            Some("log") if from <= 0.0 => Err(self.bad("has no logarithm: it must begin above 0")),
            Some("log") => Ok(Axis::Between { low: from, high: to, log: true, whole }),
            Some(step) if whole => self.whole(&first, &last, step),
            None if whole => self.whole(&first, &last, "1"),
            Some(step) => self.numbers((low, from), (high, to), step),
            None if self.random => Ok(Axis::Between { low: from, high: to, log: false, whole: false }),
            None => Err(self
                .bad("has no steps to make a grid of")
                .hint(format!("write the step behind it, {low}..{high}:STEP, or draw from it with --random 20"))),
        }
    }

    fn whole(&self, first: &Value, last: &Value, step: &str) -> Result<Axis, Problem> {
        let (Some(first), Some(last)) = (first.as_i64(), last.as_i64()) else {
            return Err(self.bad("does not end at whole numbers"));
        };
        let Some(step) = step.parse::<i64>().ok().filter(|step| *step > 0) else {
            return Err(self.bad(&format!("has the step {}; a whole number from 1 is needed", shown(step))));
        };
        let count = last.abs_diff(first) / step.unsigned_abs() + 1;
        Ok(Axis::Steps(vec![Part::Whole { first, step, count: u128::from(count) }]))
    }

    fn numbers(&self, (low, from): (&str, f64), (high, to): (&str, f64), step: &str) -> Result<Axis, Problem> {
        let Some(size) = step.parse::<f64>().ok().filter(|step| step.is_finite() && *step > 0.0) else {
            return Err(self.bad(&format!("has the step {}; a number above 0, or log, is needed", shown(step))));
        };
        // A step that does not add up for want of digits (0.1 three times) reaches the end all the same.
        let count = ((to - from) / size + 1e-9).floor().min(1e18) as u128 + 1;
        let digits = decimals(low).max(decimals(step));
        let steps = Part::Numbers { first: from, step: size, digits, count };
        // The last one is within: nothing but its rounding could lead out.
        let last = steps.at(count - 1);
        accept(self.name, self.param, &last).map_err(|_| self.bad(&format!("does not end at {high}")))?;
        Ok(Axis::Steps(vec![steps]))
    }
}

/// The number so many steps after the first; between the two ends there may be more of them than an `i64` counts.
fn whole(first: i64, step: i64, index: u128) -> Value {
    let number = i128::from(first) + i128::from(step) * i128::try_from(index).unwrap_or(0);
    Value::from(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Values as separated by commas.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' if rest.next_if_eq(&',').is_some() => pieces.last_mut().into_iter().for_each(|last| last.push(',')),
            ',' => pieces.push(String::new()),
            c => pieces.last_mut().into_iter().for_each(|last| last.push(c)),
        }
    }
    pieces
}

/// Digits behind the decimal point that a number is written with: 2 for `0.25`, 4 for `1e-4`.
fn decimals(text: &str) -> usize {
    let text = text.trim().to_ascii_lowercase();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let behind = mantissa.split_once('.').map_or(0, |(_, behind)| behind.len() as i64);
    usize::try_from(behind - exponent.parse::<i64>().unwrap_or(0)).unwrap_or(0)
}

/// A number rounded to so many digits behind the point: 0.3, and not 0.30000000000000004.
pub(super) fn number(value: f64, digits: usize) -> Value {
    let rounded = if digits <= 300 { format!("{value:.digits$}").parse().unwrap_or(value) } else { value };
    if rounded == rounded.trunc() && rounded.abs() < 9.0e15 {
        return Value::from(rounded as i64);
    }
    Number::from_f64(rounded).map_or(Value::Null, Value::Number)
}
