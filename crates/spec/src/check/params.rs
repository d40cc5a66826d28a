//! Parameters and presets: bounds that make sense, defaults and presets that keep them.

use footplate_core::definition::{Definition, Param, ParamKind};

use super::{Checker, unknown};
use crate::params::{accept, pattern};
use crate::problem::{Problem, shown};

pub(super) fn check(checker: &mut Checker, definition: &Definition) {
    let names: Vec<String> = definition.params.keys().cloned().collect();
    checker.names(&["params"], "parameter", &names);
    for (name, param) in &definition.params {
        one(checker, name, param);
    }
    for (preset, values) in &definition.presets {
        checker.names(&["presets"], "preset", std::slice::from_ref(preset));
        for (name, value) in values {
            let here = ["presets", preset.as_str(), name.as_str()];
            if name == "title" {
                match value.as_str() {
                    Some(title) => checker.line(&here, Some(title)),
                    None => {
                        checker.add(&here, "wrong_type", format!("presets.{preset}.title must be text, not {value}"));
                    }
                }
                continue;
            }
            match definition.params.get(name) {
                None => {
                    let message = format!("preset \"{preset}\" sets {}, which is no parameter", shown(name));
                    let known = definition.params.keys().map(String::as_str);
                    checker.push(&here, unknown("unknown_param", message, name, known));
                }
                Some(param) if param.kind == ParamKind::Secret => {
                    let message = format!("preset \"{preset}\" sets \"{name}\", which is a secret");
                    checker.add(&here, "secret", message);
                }
                Some(param) => {
                    if let Err(problem) = accept(name, param, value) {
                        let fault = &problem.message;
                        let message = format!("preset \"{preset}\": {fault}");
                        checker.push(&here, Problem { message, ..problem });
                    }
                }
            }
        }
    }
}

fn one(checker: &mut Checker, name: &str, param: &Param) {
    let at = |key: &'static str| ["params", name, key];
    for (key, text) in [("title", &param.title), ("group", &param.group)] {
        checker.line(&at(key), text.as_deref());
    }
    if param.help.as_ref().is_some_and(|text| text.chars().count() > 2000) {
        checker.add(&at("help"), "limit", format!("params.{name}.help has more than 2000 characters"));
    }
    if name == "title" {
        let problem = Problem::new("bad_name", "no parameter can be named \"title\": in a preset that is its title");
        checker.push(&["params", name], problem);
    }
    let numeric = matches!(param.kind, ParamKind::Integer | ParamKind::Number);
    let path = matches!(param.kind, ParamKind::Path | ParamKind::Dataset);
    let only =
        |key: &str, kinds: &str| Problem::new("wrong_place", format!("params.{name}.{key} goes with {kinds} only"));
    if !numeric {
        for (key, bound) in [("minimum", param.minimum), ("maximum", param.maximum)] {
            if bound.is_some() {
                checker.push(&at(key), only(key, "integer and number"));
            }
        }
    } else if let (Some(least), Some(most)) = (param.minimum, param.maximum)
        && least > most
    {
        let message = format!("params.{name}: minimum {least} is over maximum {most}");
        checker.add(&at("minimum"), "out_of_range", message);
        return;
    }
    if param.exists && !path {
        checker.push(&at("exists"), only("exists", "path and dataset"));
    }
    if param.kind == ParamKind::Choice {
        if param.choices.is_empty() {
            let problem = Problem::new("missing_key", format!("parameter \"{name}\" is a choice without choices"));
            checker.push(&at("choices"), problem.hint("write for example choices = [\"small\", \"large\"]"));
            return;
        }
        if let Some(odd) = param.choices.iter().find(|c| c.is_array() || c.is_object() || c.is_null()) {
            let message = format!("params.{name}.choices must hold texts, numbers, true or false, not {odd}");
            checker.add(&at("choices"), "wrong_type", message);
        }
    } else if !param.choices.is_empty() {
        checker.push(&at("choices"), only("choices", "choice"));
    }
    if let Some(expression) = &param.pattern {
        if !matches!(param.kind, ParamKind::String | ParamKind::Path | ParamKind::Dataset | ParamKind::Secret) {
            checker.push(&at("pattern"), only("pattern", "string, path, dataset and secret"));
        } else if let Err(error) = pattern(expression) {
            checker.push(&at("pattern"), regex_problem(&format!("params.{name}.pattern"), expression, &error));
            return;
        }
    }
    match &param.default {
        Some(_) if param.kind == ParamKind::Secret => {
            let problem = Problem::new("secret", format!("params.{name}.default: a secret cannot stand in a file"));
            checker
                .push(&at("default"), problem.hint("leave the default out; it is asked for when the run is submitted"));
        }
        Some(value) => {
            if let Err(problem) = accept(name, param, value) {
                let fault = &problem.message;
                let message = format!("default of {fault}");
                checker.push(&at("default"), Problem { message, ..problem });
            }
        }
        None => {}
    }
}

/// The last line of the parser's answer says what is wrong.
pub(super) fn regex_problem(label: &str, expression: &str, error: &regex::Error) -> Problem {
    let text = error.to_string();
    let why = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
    Problem::new("pattern", format!("{label}: {} is not a regular expression: {why}", shown(expression)))
}
