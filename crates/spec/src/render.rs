//! A stage with the values of its run -> the command as it is started, once for each launch.
//!
//! Not here: looking the program up, and the environment of the submitter, over which `env` is laid.

use std::fmt;

use footplate_core::definition::Stage;
use footplate_core::{ErrorCode, Fault};
use indexmap::IndexMap;
use minijinja::{Environment, ErrorKind, Value as Cell};
use serde_json::Value;

use crate::expression::{self, LONGEST, Uses};
use crate::problem::shown;

/// What expressions can see.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The parameters, secrets left out.
    pub params: &'a IndexMap<String, Value>,
    /// The secret parameters: seen from `env` only.
    pub secrets: &'a IndexMap<String, String>,
    /// The run.
    pub run: RunScope<'a>,
    /// The folder of the pipeline file.
    pub pipeline_dir: &'a str,
    /// For each stage that has ended, the values it handed on. Those that the stage needs are enough.
    pub stages: &'a IndexMap<String, IndexMap<String, Value>>,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The newest valid checkpoint, where the stage starts again and there is one.
    pub checkpoint: Option<&'a str>,
    /// The queue of the stage.
    pub queue: &'a str,
}

/// `run.*` in expressions.
#[derive(Clone, Copy, Debug)]
pub struct RunScope<'a> {
    /// UUIDv7.
    pub id: &'a str,
    /// What people use: 142.
    pub number: i64,
    /// The run's name.
    pub name: &'a str,
    /// The run's folder.
    pub dir: &'a str,
    /// The JSON file of the parameters.
    pub config: &'a str,
}

/// A stage as it is started.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// The program and its arguments; the arguments of `resume` are in it where there is a checkpoint.
    pub argv: Vec<String>,
    /// A shell reads the line: `argv` is `/bin/sh -c LINE`.
    pub shell: bool,
    /// What is laid over the submitter's environment.
    pub env: Vec<(String, String)>,
    /// The same, of those that are made of secret parameters: they may stand in no record.
    pub secret_env: Vec<(String, String)>,
    /// The working folder, where one is named.
    pub cwd: Option<String>,
    /// Declared outputs, as known at the start.
    pub outputs: IndexMap<String, Value>,
    /// Where checkpoints appear.
    pub checkpoint_glob: Option<String>,
}

/// Why a stage could not be made ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderError {
    /// `input_missing` where another stage did not hand on a value, else `expression`.
    pub code: ErrorCode,
    /// What happened, naming both ends.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl RenderError {
    /// As a fault.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let fault = Fault::new(self.code, self.message.clone());
        match &self.hint {
            Some(hint) => fault.hint(hint.clone()),
            None => fault,
        }
    }
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RenderError {}

/// The command, environment, folder and outputs of a stage. `name` is the stage's own, for sentences.
///
/// # Errors
/// `input_missing` where a value of another stage is not there; `expression` for all else.
pub fn render(name: &str, stage: &Stage, scope: &Scope<'_>) -> Result<Rendered, RenderError> {
    let renderer = Renderer { name, literal: stage.literal, scope, environment: expression::environment() };
    let mut argv = renderer.list("command", &stage.command)?;
    let resume = match scope.checkpoint {
        Some(_) => renderer.list("resume", &stage.resume)?,
        None => Vec::new(),
    };
    let shell = stage.shell.is_some();
    if let Some(line) = &stage.shell {
        let mut line = renderer.text("shell", line, false)?;
        for word in &resume {
            line.push(' ');
            line.push_str(&expression::quoted(word));
        }
        argv = vec!["/bin/sh".to_owned(), "-c".to_owned(), line];
    } else {
        argv.extend(resume);
    }
    if argv.first().is_none_or(String::is_empty) {
        let message = format!("the program of stage \"{name}\" is empty");
        return Err(RenderError { code: ErrorCode::Expression, message, hint: None });
    }
    let (mut env, mut secret_env) = (Vec::with_capacity(stage.env.len()), Vec::new());
    for (key, text) in &stage.env {
        let value = renderer.text(&format!("env.{key}"), text, true)?;
        let kept = if renderer.tells_secret(&format!("env.{key}"), text)? { &mut secret_env } else { &mut env };
        kept.push((key.clone(), value));
    }
    let cwd = stage.cwd.as_ref().map(|text| renderer.text("cwd", text, false)).transpose()?;
    let checkpoint_glob =
        stage.checkpoints.as_ref().map(|c| renderer.text("checkpoints.files", &c.files, false)).transpose()?;
    let outputs = renderer.outputs(stage)?;
    Ok(Rendered { argv, shell, env, secret_env, cwd, outputs, checkpoint_glob })
}

/// Where a stage's checkpoints appear, alone: it can be told without secrets.
///
/// # Errors
/// As [`render`].
pub fn render_checkpoints(name: &str, stage: &Stage, scope: &Scope<'_>) -> Result<Option<String>, RenderError> {
    let renderer = Renderer { name, literal: stage.literal, scope, environment: expression::environment() };
    stage.checkpoints.as_ref().map(|c| renderer.text("checkpoints.files", &c.files, false)).transpose()
}

/// The declared outputs alone, for the stage's end. An output that is one expression keeps its value (a number stays a number); all
/// others are text.
///
/// # Errors
/// As [`render`].
pub fn render_outputs(name: &str, stage: &Stage, scope: &Scope<'_>) -> Result<IndexMap<String, Value>, RenderError> {
    Renderer { name, literal: stage.literal, scope, environment: expression::environment() }.outputs(stage)
}

/// Decides an `if`. `name` is the stage's own, for sentences.
///
/// # Errors
/// `input_missing` where a value of another stage is not there; `expression` where it is anything but true or false.
pub fn condition(name: &str, expression: &str, scope: &Scope<'_>) -> Result<bool, RenderError> {
    let renderer = Renderer { name, literal: false, scope, environment: expression::environment() };
    let value = renderer.bare("if", expression, &used("if", name, expression::uses_bare(expression))?)?;
    match value {
        Value::Bool(decided) => Ok(decided),
        other => {
            let message = format!("if of stage \"{name}\" is neither true nor false: {} is {other}", shown(expression));
            let hint = Some("compare, for example stages.train.outputs.accuracy > 0.5".to_owned());
            Err(RenderError { code: ErrorCode::Expression, message, hint })
        }
    }
}

fn used(key: &str, name: &str, found: Result<Uses, String>) -> Result<Uses, RenderError> {
    found.map_err(|why| RenderError {
        code: ErrorCode::Expression,
        message: format!("{key} of stage \"{name}\" cannot be read: {why}"),
        hint: None,
    })
}

struct Renderer<'a> {
    name: &'a str,
    literal: bool,
    scope: &'a Scope<'a>,
    environment: Environment<'a>,
}

impl Renderer<'_> {
    fn list(&self, key: &str, list: &[String]) -> Result<Vec<String>, RenderError> {
        list.iter().map(|text| self.text(key, text, false)).collect()
    }

    fn outputs(&self, stage: &Stage) -> Result<IndexMap<String, Value>, RenderError> {
        let mut outputs = IndexMap::with_capacity(stage.outputs.len());
        for (output, text) in &stage.outputs {
            let key = format!("outputs.{output}");
            let whole = (!self.literal).then(|| used(&key, self.name, expression::uses(text))).transpose()?;
            let inner = whole
                .filter(|uses| uses.single)
                .and_then(|uses| Some((uses, text.strip_prefix("{{")?.strip_suffix("}}")?)));
            let value = match inner {
                Some((uses, inner)) => self.bare(&key, inner.trim_matches('-'), &uses)?,
                None => Value::String(self.text(&key, text, false)?),
            };
            outputs.insert(output.clone(), value);
        }
        Ok(outputs)
    }

    fn text(&self, key: &str, text: &str, secrets: bool) -> Result<String, RenderError> {
        if self.literal || !expression::is_template(text) {
            return Ok(text.to_owned());
        }
        let uses = used(key, self.name, expression::uses(text))?;
        let rendered = self
            .environment
            .render_str(text, self.cells(&uses, secrets))
            .map_err(|error| self.error(key, text, &uses, &error))?;
        if rendered.len() > LONGEST || rendered.contains('\0') {
            let what = if rendered.len() > LONGEST { "longer than 1 MiB" } else { "a text with a NUL" };
            let message = format!("{key} of stage \"{}\" becomes {what}: {}", self.name, shown(text));
            return Err(RenderError { code: ErrorCode::Expression, message, hint: None });
        }
        Ok(rendered)
    }

    /// Whether a text is made of a secret parameter, in whatever way.
    fn tells_secret(&self, key: &str, text: &str) -> Result<bool, RenderError> {
        if self.literal || self.scope.secrets.is_empty() || !expression::is_template(text) {
            return Ok(false);
        }
        let uses = used(key, self.name, expression::uses(text))?;
        let secret = |path: &Vec<String>| {
            path[0] == "params" && path.get(1).is_none_or(|name| self.scope.secrets.contains_key(name))
        };
        Ok(uses.paths.iter().any(secret))
    }

    fn bare(&self, key: &str, text: &str, uses: &Uses) -> Result<Value, RenderError> {
        let value = self
            .environment
            .compile_expression_owned(text.to_owned())
            .and_then(|expression| expression.eval(self.cells(uses, false)))
            .and_then(|value| {
                if value.is_undefined() { Err(minijinja::Error::from(ErrorKind::UndefinedError)) } else { Ok(value) }
            });
        let value = value.map_err(|error| self.error(key, text, uses, &error))?;
        serde_json::to_value(&value).map_err(|error| RenderError {
            code: ErrorCode::Expression,
            message: format!("{key} of stage \"{}\" is no value: {error}", self.name),
            hint: None,
        })
    }

    /// The scope as the engine of expressions wants it; of the stages only those that are used, for their values may be large.
    fn cells(&self, uses: &Uses, secrets: bool) -> Cell {
        let scope = self.scope;
        let wanted = |root: &str| uses.paths.iter().any(|path| path[0] == root);
        let mut root: Vec<(&str, Cell)> = Vec::new();
        if wanted("params") {
            let plain = scope.params.iter().map(|(name, value)| (name.as_str(), cell(value)));
            let hidden =
                scope.secrets.iter().filter(|_| secrets).map(|(name, text)| (name.as_str(), Cell::from(text.as_str())));
            root.push(("params", Cell::from_pairs(plain.chain(hidden))));
        }
        if wanted("run") {
            let run = &scope.run;
            let texts = [("id", run.id), ("name", run.name), ("dir", run.dir), ("config", run.config)];
            let texts = texts.into_iter().map(|(key, text)| (key, Cell::from(text)));
            root.push(("run", Cell::from_pairs(texts.chain([("number", Cell::from(run.number))]))));
        }
        root.push(("pipeline", Cell::from_pairs([("dir", Cell::from(scope.pipeline_dir))])));
        if wanted("stages") {
            let stages = scope.stages.iter().filter(|(name, _)| {
                uses.paths.iter().any(|path| path[0] == "stages" && path.get(1).is_none_or(|used| used == *name))
            });
            let stages = stages.map(|(name, outputs)| {
                let outputs = Cell::from_pairs(outputs.iter().map(|(key, value)| (key.as_str(), cell(value))));
                (name.as_str(), Cell::from_pairs([("outputs", outputs)]))
            });
            root.push(("stages", Cell::from_pairs(stages)));
        }
        root.push(("attempt", Cell::from_pairs([("number", Cell::from(scope.attempt))])));
        root.push(("checkpoint", Cell::from_pairs(scope.checkpoint.map(|path| ("path", Cell::from(path))))));
        root.push(("queue", Cell::from(scope.queue)));
        Cell::from_pairs(root)
    }

    /// The first reference that leads nowhere is what people need to hear; the engine's own sentence names only the last part.
    fn error(&self, key: &str, text: &str, uses: &Uses, error: &minijinja::Error) -> RenderError {
        let name = self.name;
        if error.kind() == ErrorKind::UndefinedError {
            for path in uses.paths.iter().filter(|path| path.len() >= 3 && path[0] == "stages") {
                let (other, written) = (&path[1], path.join("."));
                let Some(outputs) = self.scope.stages.get(other) else {
                    let message = format!("stage \"{name}\" uses {written}, but stage \"{other}\" did not complete");
                    return RenderError { code: ErrorCode::InputMissing, message, hint: None };
                };
                if path.len() > 3 && !leads(outputs, &path[3..]) {
                    let message = format!("stage \"{name}\" uses {written}, which stage \"{other}\" did not hand on");
                    let known: Vec<&str> = outputs.keys().map(String::as_str).collect();
                    let hint = match crate::problem::nearest(&path[3], known.iter().copied()) {
                        Some(near) if near != path[3] => Some(format!("did you mean \"{near}\"?")),
                        _ if known.is_empty() => Some(format!("stage \"{other}\" handed on nothing")),
                        _ => Some(format!("stage \"{other}\" handed on {}", known.join(", "))),
                    };
                    return RenderError { code: ErrorCode::InputMissing, message, hint };
                }
            }
        }
        let message = format!("{key} of stage \"{name}\": {} failed: {}", shown(text), expression::sentence(error));
        RenderError { code: ErrorCode::Expression, message, hint: None }
    }
}

/// Does a path of keys and list indexes lead to a value?
fn leads(outputs: &IndexMap<String, Value>, path: &[String]) -> bool {
    let Some(mut value) = path.first().and_then(|key| outputs.get(key)) else { return false };
    for step in &path[1..] {
        let next = match value {
            Value::Object(map) => map.get(step),
            Value::Array(list) => step.parse::<i64>().ok().and_then(|index| {
                let index =
                    if index < 0 { list.len().checked_sub(index.unsigned_abs() as usize)? } else { index as usize };
                list.get(index)
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        match next {
            Some(next) => value = next,
            None => return false,
        }
    }
    true
}

/// JSON as a value of the engine of expressions.
fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::from(()),
        Value::Bool(b) => Cell::from(*b),
        Value::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(n), _) => Cell::from(n),
            (None, Some(n)) => Cell::from(n),
            (None, None) => Cell::from(n.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Cell::from(text.as_str()),
        Value::Array(items) => Cell::from_iter(items.iter().map(cell)),
        Value::Object(map) => Cell::from_pairs(map.iter().map(|(key, value)| (key.as_str(), cell(value)))),
    }
}
