//! One stage: its program, numbers, names, and what its expressions refer to.

use footplate_core::UtcMs;
use footplate_core::definition::{Definition, OnInterrupt, ParamKind, Stage};
use regex::Regex;

use super::params::regex_problem;
use super::{Checker, is_name, unknown};
use crate::expression::{ROOTS, Uses, uses, uses_bare};
use crate::problem::{Problem, shown};

/// The most arguments of a command, and the longest of them: what Linux takes as one string (MAX_ARG_STRLEN, binfmts.h).
const ARGUMENTS: usize = 100_000;
const ARGUMENT: usize = 128 * 1024 - 1;

/// Where an expression stands decides what it may use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Plain,
    Env,
    Condition,
}

/// Checks a stage; returns the stages that its expressions refer to.
pub(super) fn check(checker: &mut Checker, definition: &Definition, name: &str, stage: &Stage) -> Vec<String> {
    let mut one = One { checker, definition, name, referred: Vec::new() };
    one.program(stage);
    one.needs(stage);
    one.environment(stage);
    one.numbers(stage);
    one.guards(stage);
    one.patterns(stage);
    if !stage.literal {
        one.expressions(stage);
    }
    one.doubts(stage);
    one.referred
}

pub(super) struct One<'a> {
    pub(super) checker: &'a mut Checker,
    definition: &'a Definition,
    pub(super) name: &'a str,
    referred: Vec<String>,
}

impl One<'_> {
    pub(super) fn push(&mut self, rest: &[&str], problem: Problem) {
        let path: Vec<&str> = ["stages", self.name].into_iter().chain(rest.iter().copied()).collect();
        self.checker.push(&path, problem);
    }

    pub(super) fn add(&mut self, rest: &[&str], code: &'static str, message: impl Into<String>) {
        self.push(rest, Problem::new(code, message));
    }

    fn program(&mut self, stage: &Stage) {
        let name = self.name;
        match (&stage.shell, stage.command.is_empty()) {
            (None, true) => {
                let problem = Problem::new("missing_key", format!("stage \"{name}\" has no command"));
                self.push(&["command"], problem.hint("write for example command = [\"python\", \"train.py\"]"));
            }
            (Some(_), false) => {
                let message = format!("stage \"{name}\" has both command and shell");
                self.push(&["shell"], Problem::new("wrong_place", message).hint("keep one of them"));
            }
            (Some(line), true) if line.trim().is_empty() => {
                self.add(&["shell"], "bad_value", format!("shell of stage \"{name}\" is empty"));
            }
            _ => {}
        }
        if stage.command.first().is_some_and(|program| program.trim().is_empty()) {
            self.add(&["command", "0"], "bad_value", format!("the program of stage \"{name}\" is empty"));
        }
        if stage.command.len() > ARGUMENTS {
            let message = format!(
                "the command of stage \"{name}\" has {} arguments; the limit is {ARGUMENTS}",
                stage.command.len()
            );
            self.add(&["command"], "limit", message);
        }
        for (key, list) in [("command", &stage.command), ("resume", &stage.resume)] {
            for (index, argument) in list.iter().enumerate() {
                let at = index.to_string();
                if argument.contains('\0') {
                    let message =
                        format!("argument {index} of {key} of stage \"{name}\" holds a NUL: {}", shown(argument));
                    self.add(&[key, &at], "bad_value", message);
                }
                if argument.len() > ARGUMENT {
                    let message =
                        format!("argument {index} of {key} of stage \"{name}\" is longer than {ARGUMENT} bytes");
                    self.add(&[key, &at], "limit", message);
                }
            }
        }
        for (key, text) in [("shell", &stage.shell), ("cwd", &stage.cwd)] {
            if text.as_ref().is_some_and(|text| text.contains('\0')) {
                self.add(&[key], "bad_value", format!("{key} of stage \"{name}\" holds a NUL"));
            }
        }
        if stage.cwd.as_ref().is_some_and(|text| text.is_empty()) {
            self.add(&["cwd"], "bad_value", format!("cwd of stage \"{name}\" is empty"));
        }
        self.checker.line(&["stages", name, "title"], stage.title.as_deref());
        if let Some(queue) = &stage.queue {
            self.checker.queue(&["stages", name, "queue"], queue);
        }
    }

    fn needs(&mut self, stage: &Stage) {
        for (index, need) in stage.needs.iter().enumerate() {
            if !self.definition.stages.contains_key(need) {
                let message = format!("stage \"{}\" needs {}, and there is no such stage", self.name, shown(need));
                let problem = Problem::new("unknown_need", message);
                let problem = self.checker.unknown_stage(self.definition, self.name, need, problem);
                self.push(&["needs", &index.to_string()], problem);
            }
        }
    }

    fn environment(&mut self, stage: &Stage) {
        for (key, value) in &stage.env {
            self.environment_name(&["env", key], key);
            if value.contains('\0') {
                self.add(&["env", key], "bad_value", format!("the environment's {} holds a NUL", shown(key)));
            }
        }
        for (index, key) in stage.secrets.iter().enumerate() {
            let at = index.to_string();
            self.environment_name(&["secrets", &at], key);
            if stage.env.contains_key(key) {
                let message = format!("stage \"{}\" has {} both in env and in secrets", self.name, shown(key));
                self.add(&["secrets", &at], "duplicate_name", message);
            }
        }
    }

    fn environment_name(&mut self, at: &[&str], key: &str) {
        if key.is_empty() || key.contains(['=', '\0']) {
            let problem = Problem::new("bad_name", format!("{} is not a name of the environment", shown(key)));
            self.push(at, problem.hint("it cannot be empty or hold ="));
        }
    }

    fn numbers(&mut self, stage: &Stage) {
        let label = |key: &str| format!("stages.{}.{key}", self.name);
        let mut found: Vec<(&[&str], String)> = Vec::new();
        if stage.timeout.is_some_and(|span| span.0 == 0) {
            found.push((&["timeout"], format!("{} must be over 0; leave it out for no limit", label("timeout"))));
        }
        if stage.grace.is_some_and(|span| span.0 > 3_600_000) {
            found.push((&["grace"], format!("{} must be at most 1h", label("grace"))));
        }
        if let Some(checkpoints) = &stage.checkpoints {
            if checkpoints.wait.is_some_and(|span| span.0 > 3_600_000) {
                found.push((&["checkpoints", "wait"], format!("{} must be at most 1h", label("checkpoints.wait"))));
            }
            if checkpoints.wait.is_some() && checkpoints.signal.is_none() {
                let message = format!("{} says how long after a signal, and there is none", label("checkpoints.wait"));
                found.push((&["checkpoints", "wait"], message));
            }
        }
        let retries = &stage.retries;
        if retries.max > 100 {
            let given = retries.max;
            let message = format!("{} must be a whole number from 0 to 100, not {given}", label("retries.max"));
            found.push((&["retries", "max"], message));
        }
        if !(1.0..=100.0).contains(&retries.backoff) {
            let given = retries.backoff;
            let message = format!("{} must be a number from 1 to 100, not {given}", label("retries.backoff"));
            found.push((&["retries", "backoff"], message));
        }
        if !(0.0..=1.0).contains(&retries.jitter) {
            let given = retries.jitter;
            let message = format!("{} must be a number from 0 to 1, not {given}", label("retries.jitter"));
            found.push((&["retries", "jitter"], message));
        }
        if retries.max > 0 && retries.delay > retries.max_delay {
            let message = format!("{} is over max_delay, {}", label("retries.delay"), retries.max_delay);
            found.push((&["retries", "delay"], message));
        }
        if retries.max > 0 && retries.on.is_empty() {
            found.push((&["retries", "on"], format!("{} is empty: nothing would be tried again", label("retries.on"))));
        }
        if stage.resources.cpus > 4096 {
            let given = stage.resources.cpus;
            let message = format!("{} must be at most 4096, not {given}", label("resources.cpus"));
            found.push((&["resources", "cpus"], message));
        }
        if stage.resources.gpus > 64 {
            let given = stage.resources.gpus;
            let message = format!("{} must be at most 64, not {given}", label("resources.gpus"));
            found.push((&["resources", "gpus"], message));
        }
        for (path, message) in found {
            self.add(path, "out_of_range", message);
        }
        if let Some(text) = &stage.not_before
            && UtcMs::parse(text).is_none()
        {
            let message = format!("stages.{}.not_before: {} is not a moment with an offset", self.name, shown(text));
            let problem = Problem::new("bad_value", message);
            self.push(&["not_before"], problem.hint("write for example \"2026-11-21T20:00:00+01:00\""));
        }
        if let Some(checkpoints) = &stage.checkpoints {
            let folder = checkpoints.files.rsplit_once('/').map_or("", |(folder, _)| folder);
            let plain = folder.split("{{").map(|part| part.rsplit("}}").next().unwrap_or(part));
            if checkpoints.files.is_empty() || checkpoints.files.ends_with('/') {
                let message = format!("stages.{}.checkpoints.files names no files", self.name);
                self.push(
                    &["checkpoints", "files"],
                    Problem::new("bad_value", message).hint("for example \"{{ run.dir }}/ckpt/*.pt\""),
                );
            } else if plain.into_iter().any(|part| part.contains(['*', '?'])) {
                let message =
                    format!("stages.{}.checkpoints.files: * and ? may stand in the last part only", self.name);
                self.add(&["checkpoints", "files"], "bad_value", message);
            }
        }
    }

    fn patterns(&mut self, stage: &Stage) {
        const GROUPS: [&str; 5] = ["step", "total", "epoch", "epochs", "progress"];
        for (key, expression) in
            [("progress_pattern", &stage.progress_pattern), ("metric_pattern", &stage.metric_pattern)]
        {
            let Some(expression) = expression else { continue };
            let label = format!("stages.{}.{key}", self.name);
            let found = match Regex::new(expression) {
                Ok(found) => found,
                Err(error) => {
                    self.push(&[key], regex_problem(&label, expression, &error));
                    continue;
                }
            };
            let groups: Vec<&str> = found.capture_names().flatten().collect();
            if groups.is_empty() {
                let problem = Problem::new("pattern", format!("{label} has no named group"));
                let hint = if key == "progress_pattern" {
                    "for example 'step (?P<step>\\d+) of (?P<total>\\d+)'"
                } else {
                    "for example 'loss=(?P<loss>[0-9.]+)'"
                };
                self.push(&[key], problem.hint(hint));
            }
            if key == "progress_pattern" {
                for group in groups.iter().filter(|group| !GROUPS.contains(group)) {
                    let message = format!("{label} has no use for a group named {}", shown(group));
                    self.push(&[key], unknown("pattern", message, group, GROUPS));
                }
            }
        }
    }

    fn expressions(&mut self, stage: &Stage) {
        for (key, list) in [("command", &stage.command), ("resume", &stage.resume)] {
            for (index, text) in list.iter().enumerate() {
                self.text(&[key, &index.to_string()], text, Place::Plain);
            }
        }
        for (key, text) in [("shell", &stage.shell), ("cwd", &stage.cwd)] {
            if let Some(text) = text {
                self.text(&[key], text, Place::Plain);
            }
        }
        for (key, text) in &stage.env {
            self.text(&["env", key], text, Place::Env);
        }
        if let Some(checkpoints) = &stage.checkpoints {
            self.text(&["checkpoints", "files"], &checkpoints.files, Place::Plain);
        }
        let names: Vec<String> = stage.outputs.keys().cloned().collect();
        self.checker.names(&["stages", self.name, "outputs"], "output", &names);
        for (key, text) in &stage.outputs {
            self.text(&["outputs", key], text, Place::Plain);
        }
        if let Some(expression) = &stage.condition {
            if expression.contains("{{") {
                let message = format!("if of stage \"{}\" is an expression already: {}", self.name, shown(expression));
                self.push(&["if"], Problem::new("expression", message).hint("write it without {{ and }}"));
                return;
            }
            let found = uses_bare(expression);
            self.found(&["if"], expression, found, Place::Condition);
        }
    }

    fn text(&mut self, at: &[&str], text: &str, place: Place) {
        if crate::expression::is_template(text) {
            self.found(at, text, uses(text), place);
        }
    }

    fn found(&mut self, at: &[&str], text: &str, found: Result<Uses, String>, place: Place) {
        let found = match found {
            Ok(found) => found,
            Err(why) => {
                let message = format!("the expression {} cannot be read: {why}", shown(text));
                return self.add(at, "expression", message);
            }
        };
        for (fault, hint) in found.faults {
            let quoted = shown(text);
            let problem = Problem::new("expression", format!("in {quoted}: {fault}"));
            self.push(at, Problem { hint, ..problem });
        }
        for path in &found.paths {
            if let Some(problem) = self.path(path, place) {
                self.push(at, problem);
            }
        }
    }

    /// Is there such a value, and may it be used here? A reference to a stage is kept as a need.
    fn path(&mut self, path: &[String], place: Place) -> Option<Problem> {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let written = path.join(".");
        let no = |wrong: &str, dotted: &str, known: &[&str]| {
            let message = format!("there is no {dotted}");
            Some(unknown("unknown_name", message, wrong, known.iter().copied()))
        };
        match path.as_slice() {
            ["params"] | ["queue"] | ["attempt", "number"] | ["pipeline", "dir"] => None,
            ["params", name, ..] => match self.definition.params.get(*name) {
                None => {
                    let message = format!("{written}: there is no parameter {}", shown(name));
                    let known = self.definition.params.keys().map(String::as_str);
                    Some(unknown("unknown_param", message, name, known))
                }
                Some(param) if param.kind == ParamKind::Secret && place != Place::Env => {
                    let message = format!("{written} is a secret and can be used in env only");
                    let hint = format!(
                        "write env = {{ {} = \"{{{{ {written} }}}}\" }} and read it there",
                        name.to_uppercase()
                    );
                    Some(Problem::new("secret", message).hint(hint))
                }
                Some(_) => None,
            },
            ["run", field, ..] => {
                let known = ["id", "number", "name", "dir", "config"];
                if known.contains(field) { None } else { no(field, &written, &known) }
            }
            ["attempt", field, ..] => no(field, &written, &["number"]),
            ["pipeline", field, ..] => no(field, &written, &["dir"]),
            ["checkpoint"] | ["checkpoint", "path"] if place != Place::Condition => None,
            ["checkpoint", "path"] => {
                let message = "checkpoint.path is not known when `if` is decided";
                Some(Problem::new("unknown_name", message))
            }
            ["checkpoint", field, ..] => no(field, &written, &["path"]),
            ["stages", name, "outputs", ..] => self.stage(name, &written),
            ["stages", name, field, ..] => {
                let message = format!("{written}: of a stage only the outputs can be used");
                let rest = if is_name(field) { *field } else { "NAME" };
                Some(Problem::new("unknown_name", message).hint(format!("write stages.{name}.outputs.{rest}")))
            }
            ["stages", ..] => {
                let message =
                    format!("{written} can only be used as stages.NAME.outputs.KEY, with the name written out");
                Some(Problem::new("expression", message).hint("the names decide what must have ended before"))
            }
            [root @ ("run" | "attempt" | "pipeline" | "checkpoint")] => {
                let message = format!("\"{root}\" is a group of values");
                Some(Problem::new("unknown_name", message).hint(format!("write for example {}", first_of(root))))
            }
            [root, ..] => no(root, &format!("\"{root}\" here"), ROOTS),
            [] => None,
        }
    }

    fn stage(&mut self, name: &str, written: &str) -> Option<Problem> {
        if name == self.name {
            return Some(Problem::new("cycle", format!("stage \"{name}\" uses its own output: {written}")));
        }
        if !self.definition.stages.contains_key(name) {
            let message = format!("{written}: there is no stage {}", shown(name));
            let problem = Problem::new("unknown_stage", message);
            return Some(self.checker.unknown_stage(self.definition, self.name, name, problem));
        }
        if !self.referred.iter().any(|known| known == name) {
            self.referred.push(name.to_owned());
        }
        None
    }

    fn doubts(&mut self, stage: &Stage) {
        let name = self.name;
        if !stage.resume.is_empty() && stage.checkpoints.is_none() {
            let message = format!(
                "stage \"{name}\" has resume but no checkpoints: it goes on only from checkpoints that its program reports"
            );
            self.checker.warn("resume_without_checkpoints", message);
        }
        if stage.on_interrupt == Some(OnInterrupt::Resume) && stage.resume.is_empty() {
            let message = format!(
                "stage \"{name}\" has on_interrupt = \"resume\" but no resume: its command is started again as it is"
            );
            self.checker.warn("resume_without_arguments", message);
        }
    }
}

fn first_of(root: &str) -> &'static str {
    match root {
        "run" => "run.dir",
        "attempt" => "attempt.number",
        "pipeline" => "pipeline.dir",
        _ => "checkpoint.path",
    }
}
