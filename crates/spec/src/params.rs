//! The values of a run's parameters: defaults, then a preset, then what was given.

use std::path::Path;

use footplate_core::definition::{Definition, Param, ParamKind};
use indexmap::IndexMap;
use regex::Regex;
use serde_json::{Number, Value};

use crate::check::unknown;
use crate::problem::{Problem, Problems, shown};

/// The values of all parameters, in the order of the definition: default < preset < given. Secrets are among them; take them out with
/// [`take_secrets`] before anything is stored.
///
/// # Errors
/// Unknown parameters and presets (with the nearest name), wrong types, values out of bounds, required ones without a value: all at once.
pub fn parameters(
    definition: &Definition,
    preset: Option<&str>,
    given: &IndexMap<String, Value>,
) -> Result<IndexMap<String, Value>, Problems> {
    let mut problems = Vec::new();
    let chosen = match preset {
        None => None,
        Some(name) => {
            let found = definition.presets.get(name);
            if found.is_none() {
                let message = format!("there is no preset {}", shown(name));
                problems.push(unknown("unknown_preset", message, name, definition.presets.keys().map(String::as_str)));
            }
            found
        }
    };
    for name in given.keys().filter(|name| !definition.params.contains_key(*name)) {
        let message = format!("there is no parameter {}", shown(name));
        let problem = unknown("unknown_param", message, name, definition.params.keys().map(String::as_str));
        problems.push(problem.of(name));
    }
    let mut values = IndexMap::with_capacity(definition.params.len());
    for (name, param) in &definition.params {
        let value = given.get(name).or_else(|| chosen.and_then(|preset| preset.get(name))).or(param.default.as_ref());
        match value {
            None => {
                let problem = Problem::new("missing_param", format!("parameter \"{name}\" has no value"));
                problems.push(problem.hint(format!("give it one: -p {name}={}", example(param))).of(name));
            }
            Some(value) => match accept(name, param, value) {
                Ok(value) => {
                    values.insert(name.clone(), value);
                }
                Err(problem) => problems.push(problem.of(name)),
            },
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(Problems(problems)) }
}

/// Values given as text (`-p epochs=30`), each read by its parameter's type.
///
/// # Errors
/// Unknown parameters, those that are given twice and texts that do not fit, all at once.
pub fn typed_all<'a>(
    definition: &Definition,
    given: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<IndexMap<String, Value>, Problems> {
    let mut values = IndexMap::new();
    let mut problems = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for (name, text) in given {
        if seen.contains(&name) {
            let problem = Problem::new("twice", format!("parameter {} is given twice", shown(name)));
            problems.push(
                problem.hint(format!("give it once; a run for each value: footplate sweep .. -p {name}=A,B")).of(name),
            );
            continue;
        }
        seen.push(name);
        match definition.params.get(name) {
            None => {
                let message = format!("there is no parameter {}", shown(name));
                problems.push(unknown("unknown_param", message, name, definition.params.keys().map(String::as_str)));
            }
            Some(param) => match typed(name, param, text) {
                Ok(value) => {
                    values.insert(name.to_owned(), value);
                }
                Err(problem) => problems.push(problem),
            },
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(Problems(problems)) }
}

/// One value given as text, read by its parameter's type.
///
/// # Errors
/// A text that does not fit, with the bounds.
pub fn typed(name: &str, param: &Param, text: &str) -> Result<Value, Problem> {
    let number = || text.trim().parse::<f64>().ok().and_then(Number::from_f64);
    let value = match param.kind {
        ParamKind::String | ParamKind::Path | ParamKind::Dataset | ParamKind::Secret => Value::String(text.to_owned()),
        ParamKind::Integer => match text.trim().parse::<i64>() {
            Ok(n) => Value::Number(n.into()),
            Err(_) => number().map_or_else(|| Value::String(text.to_owned()), Value::Number),
        },
        ParamKind::Number => match text.trim().parse::<i64>() {
            Ok(n) => Value::Number(n.into()),
            Err(_) => number().map_or_else(|| Value::String(text.to_owned()), Value::Number),
        },
        ParamKind::Boolean => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Value::Bool(true),
            "false" | "no" | "off" | "0" => Value::Bool(false),
            _ => Value::String(text.to_owned()),
        },
        ParamKind::Choice => param
            .choices
            .iter()
            .find(|choice| match choice {
                Value::String(choice) => choice == text,
                other => serde_json::from_str::<Value>(text.trim()).is_ok_and(|value| value == **other),
            })
            .cloned()
            .unwrap_or_else(|| Value::String(text.to_owned())),
    };
    accept(name, param, &value)
}

/// Takes the secrets out of a run's values; they may stand in the secret store only.
#[must_use]
pub fn take_secrets(definition: &Definition, values: &mut IndexMap<String, Value>) -> IndexMap<String, String> {
    let mut secrets = IndexMap::new();
    for (name, _) in definition.params.iter().filter(|(_, param)| param.kind == ParamKind::Secret) {
        if let Some(Value::String(text)) = values.shift_remove(name) {
            secrets.insert(name.clone(), text);
        }
    }
    secrets
}

/// Paths that must exist (`exists = true`) and do not; relative ones are seen from `folder`.
///
/// # Errors
/// One problem for each that is missing.
pub fn paths_exist(definition: &Definition, values: &IndexMap<String, Value>, folder: &Path) -> Result<(), Problems> {
    let missing: Vec<Problem> = definition
        .params
        .iter()
        .filter(|(_, param)| param.exists)
        .filter_map(|(name, _)| Some((name, values.get(name)?.as_str()?)))
        .filter(|(_, path)| !folder.join(path).exists())
        .map(|(name, path)| {
            Problem::new("not_found", format!("parameter \"{name}\": there is no {}", shown(path))).of(name)
        })
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(Problems(missing)) }
}

/// A regular expression that must fit the whole text.
pub(crate) fn pattern(expression: &str) -> Result<Regex, regex::Error> {
    Regex::new(expression)?; // on its own first, so that the sentence is about what was written
    Regex::new(&format!(r"\A(?:{expression})\z"))
}

/// The value in its parameter's type (`30.0` is a whole number), or what is wrong with it.
pub(crate) fn accept(name: &str, param: &Param, value: &Value) -> Result<Value, Problem> {
    let bad = |code, wanted: String| {
        let given = match value {
            Value::String(text) => shown(text),
            other => other.to_string(),
        };
        Problem::new(code, format!("parameter \"{name}\" must be {wanted}, not {given}"))
    };
    match param.kind {
        ParamKind::Integer | ParamKind::Number => {
            let whole = param.kind == ParamKind::Integer;
            let wanted = || format!("a {}number{}", if whole { "whole " } else { "" }, bounds(param));
            let Some(n) = value.as_f64() else { return Err(bad("wrong_type", wanted())) };
            if whole && value.as_i64().is_none() && (n.fract() != 0.0 || n.abs() >= 9.0e15) {
                return Err(bad("wrong_type", wanted()));
            }
            if param.minimum.is_some_and(|least| n < least) || param.maximum.is_some_and(|most| n > most) {
                return Err(bad("out_of_range", wanted()));
            }
            Ok(if whole && value.as_i64().is_none() { Value::from(n as i64) } else { value.clone() })
        }
        ParamKind::Boolean => match value {
            Value::Bool(_) => Ok(value.clone()),
            _ => Err(bad("wrong_type", "true or false".to_owned())),
        },
        ParamKind::Choice => {
            if param.choices.contains(value) {
                return Ok(value.clone());
            }
            let texts: Vec<String> =
                param.choices.iter().map(|c| c.as_str().map_or_else(|| c.to_string(), str::to_owned)).collect();
            let problem = bad("bad_value", format!("one of {}", texts.join(", ")));
            Err(match value.as_str() {
                Some(text) => problem.near(text, texts.iter().map(String::as_str)),
                None => problem,
            })
        }
        ParamKind::String | ParamKind::Path | ParamKind::Dataset | ParamKind::Secret => {
            let Some(text) = value.as_str() else { return Err(bad("wrong_type", "text".to_owned())) };
            let secret = param.kind == ParamKind::Secret;
            if text.contains('\0') {
                return Err(Problem::new("bad_value", format!("parameter \"{name}\" holds a NUL")));
            }
            if let Some(expression) = &param.pattern
                && !pattern(expression).is_ok_and(|pattern| pattern.is_match(text))
            {
                let message = format!("parameter \"{name}\" does not fit the pattern {}", shown(expression));
                let message = if secret { message } else { format!("{message}: {}", shown(text)) };
                return Err(Problem::new("bad_value", message));
            }
            Ok(value.clone())
        }
    }
}

fn bounds(param: &Param) -> String {
    match (param.minimum, param.maximum) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        (Some(least), None) => format!(" of at least {least}"),
        (None, Some(most)) => format!(" of at most {most}"),
        (None, None) => String::new(),
    }
}

fn example(param: &Param) -> String {
    match param.kind {
        ParamKind::Integer | ParamKind::Number => {
            param.minimum.map_or_else(|| "1".to_owned(), |least| least.to_string())
        }
        ParamKind::Boolean => "true".to_owned(),
        ParamKind::Choice => {
            param.choices.first().map_or_else(String::new, |c| c.as_str().map_or_else(|| c.to_string(), str::to_owned))
        }
        ParamKind::Path | ParamKind::Dataset => "PATH".to_owned(),
        ParamKind::String | ParamKind::Secret => "TEXT".to_owned(),
    }
}
