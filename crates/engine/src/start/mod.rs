//! What a person chose in a form -> what is checked, planned and submitted. Nothing here starts a program.

mod again;
mod items;
mod repeat;
mod sweep;
pub(crate) mod written;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use footplate_core::definition::{Definition, ParamKind, Resources, Retries, Stage};
use footplate_core::quantity::{ByteSize, Span};
use footplate_core::view::Submitted;
use footplate_core::{ErrorCode, Fault, UtcMs};
use footplate_spec as spec;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::{Client, Submit};
use crate::environment::Captured;
use crate::interpreters::for_people;
use crate::plan::{self, Plan};
use crate::{interpreters, templates};
pub use again::{AgainRequest, again};
pub use repeat::{RepeatRequest, TimesView, times};
pub use sweep::{PreparedSweep, Refusal, SweepRequest, SweepView, SweptView, VariedView, sweep};
pub use written::StageText;

/// When and where; the same for both kinds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Placement {
    /// Else the pipeline's with the run's number.
    pub name: Option<String>,
    /// Else the pipeline's, else `default`.
    pub queue: Option<String>,
    /// -100 to 100.
    pub priority: Option<i32>,
    /// Not started before.
    pub not_before: Option<UtcMs>,
    /// Number of a run, and whether only if it completed.
    #[serde(default)]
    pub after: Vec<(i64, bool)>,
}

/// A template with its values.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TemplateRequest {
    /// Its name.
    pub template: String,
    /// A named set of values.
    pub preset: Option<String>,
    /// The values that were given.
    #[serde(default)]
    pub params: IndexMap<String, Value>,
    /// When and where.
    #[serde(flatten)]
    pub placement: Placement,
}

/// A script of one's own with its arguments.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ScriptRequest {
    /// What stands for the script; the door knows its path.
    pub script: String,
    /// What runs it, by its id; `None`: it runs by itself.
    pub interpreter: Option<String>,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Cores to reserve.
    pub cpus: u32,
    /// Bytes to reserve.
    pub memory: u64,
    /// GPUs to reserve.
    pub gpus: u32,
    /// After a failure so often again.
    pub retries: u32,
    /// Limit of running time.
    pub timeout_ms: Option<u64>,
    /// When and where.
    #[serde(flatten)]
    pub placement: Placement,
}

/// What to start.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StartRequest {
    /// A template.
    Template(TemplateRequest),
    /// A script.
    Script(ScriptRequest),
    /// The command of a run, changed.
    Again(AgainRequest),
}

/// How something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Good.
    Ok,
    /// It may start, but there is something to know.
    Note,
    /// It cannot work so.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckItem {
    /// A stable word: `consent program folder secret memory gpus data disk queue params script`.
    pub id: &'static str,
    /// How it was found.
    pub state: CheckState,
    /// What was found, in one sentence.
    pub detail: String,
    /// What to do.
    pub hint: Option<String>,
}

/// What is wrong with a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ParamFault {
    /// Its name; empty where it concerns several.
    pub name: String,
    /// What is wrong.
    pub message: String,
}

/// What a stage runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommandView {
    /// The stage's name.
    pub stage: String,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// A shell reads it.
    pub shell: bool,
}

/// A stage in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StagePlan {
    /// Its name.
    pub name: String,
    /// The names of the stages it needs.
    pub needs: Vec<String>,
    /// Its queue.
    pub queue: String,
}

/// The plan and what was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckView {
    /// What was looked at.
    pub items: Vec<CheckItem>,
    /// Faults of parameters.
    pub params: Vec<ParamFault>,
    /// The names of the stages, each in the first level at which all it needs has ended.
    pub levels: Vec<Vec<String>>,
    /// The most stages that may run side by side.
    pub max_parallelism: usize,
    /// The chain of needs that takes longest.
    pub critical_path: Vec<String>,
    /// Seconds each stage is expected to run; those without history are left out.
    pub expected_stage_s: IndexMap<String, f64>,
    /// Seconds the run is expected to take.
    pub expected_s: Option<f64>,
    /// The stages.
    pub stages: Vec<StagePlan>,
    /// What runs, with the parameters filled in.
    pub commands: Vec<CommandView>,
    /// The working folder, for people.
    pub cwd: String,
    /// The same as a line for the terminal.
    pub cli: String,
}

/// A request with all that it names found: ready to be checked or submitted.
#[derive(Clone, Debug)]
pub struct Prepared {
    definition: Definition,
    preset: Option<String>,
    given: IndexMap<String, Value>,
    placement: Placement,
    pipeline_dir: PathBuf,
    cwd: PathBuf,
    environment: Arc<Captured>,
    script: Option<PathBuf>,
    /// The template's name.
    template: Option<String>,
    tags: Vec<String>,
    /// What the line for the terminal begins with: `run digits`, or `add` and what the command needs.
    words: Vec<String>,
}

/// Finds a template.
///
/// # Errors
/// `NotFound`; `InvalidPipeline`.
pub fn template(request: TemplateRequest, client: &Client, environment: Arc<Captured>) -> Result<Prepared, Fault> {
    let cwd = home_folder(&environment);
    let found = templates::template(&request.template, client.home(), &cwd)?;
    Ok(Prepared {
        definition: found.definition,
        preset: request.preset,
        given: request.params,
        placement: request.placement,
        pipeline_dir: found.dir,
        cwd,
        environment,
        script: None,
        template: Some(request.template.clone()),
        tags: Vec::new(),
        words: vec!["run".into(), request.template],
    })
}

/// Makes a run of a script. It runs in its own folder.
///
/// # Errors
/// `NotFound` where the interpreter has gone; `Invalid` for a path that is no text.
pub fn script(request: ScriptRequest, path: &Path, environment: Arc<Captured>) -> Result<Prepared, Fault> {
    let text = |path: &Path| {
        path.to_str().map(str::to_owned).ok_or_else(|| {
            Fault::new(ErrorCode::Invalid, format!("The path {} is not UTF-8.", path.display())).hint("Rename it.")
        })
    };
    let mut argv = Vec::new();
    if let Some(id) = &request.interpreter {
        let all = interpreters::for_script(path, &environment);
        let found = all.iter().find(|known| known.id == *id).ok_or_else(|| {
            Fault::new(ErrorCode::NotFound, "The interpreter is not there any more.").hint("Choose another one.")
        })?;
        argv.push(text(&found.path)?);
    }
    argv.push(text(path)?);
    argv.extend(request.args);
    let stage = Stage {
        timeout: request.timeout_ms.map(Span),
        retries: Retries { max: request.retries, ..Retries::default() },
        resources: Resources { cpus: request.cpus, memory: ByteSize(request.memory), gpus: request.gpus },
        ..Stage::default()
    };
    let mut placement = request.placement;
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    placement.name = placement.name.or_else(|| Some(file.chars().take(200).collect()));
    let cwd = path.parent().unwrap_or(Path::new("/")).to_owned();
    let words = add_words(&text(&cwd)?, &stage);
    Ok(Prepared {
        definition: spec::single(argv, stage),
        preset: None,
        given: IndexMap::new(),
        placement,
        pipeline_dir: cwd.clone(),
        cwd,
        environment,
        script: Some(path.to_owned()),
        template: None,
        tags: Vec::new(),
        words,
    })
}

/// How the line for the terminal begins that adds this stage.
fn add_words(cwd: &str, stage: &Stage) -> Vec<String> {
    let mut words: Vec<String> = ["add", "--cwd", cwd].map(str::to_owned).into();
    let mut option = |name: &str, value: u64, usual: u64| {
        if value != usual {
            words.extend([name.to_owned(), value.to_string()]);
        }
    };
    option("--cpus", u64::from(stage.resources.cpus), 1);
    option("--memory", stage.resources.memory.0, 0);
    option("--gpus", u64::from(stage.resources.gpus), 0);
    option("--retries", u64::from(stage.retries.max), 0);
    if let Some(Span(ms)) = stage.timeout {
        words.extend(["--timeout".into(), format!("{}s", ms / 1000)]);
    }
    words
}

fn home_folder(environment: &Captured) -> PathBuf {
    let home = environment.get(b"HOME").filter(|home| home.first() == Some(&b'/'));
    home.map_or_else(
        || PathBuf::from("/"),
        |home| PathBuf::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(home)),
    )
}

impl Prepared {
    /// One command, that of a script or of a run: the user's own, whatever folder it lies in.
    fn is_command(&self) -> bool {
        self.definition.stages.values().any(|stage| stage.literal)
    }

    /// Submits it.
    ///
    /// # Errors
    /// As [`Client::submit`].
    pub fn submit(self, client: &mut Client) -> Result<Submitted, Fault> {
        let file = self.definition.name.clone();
        let params = spec::parameters(&self.definition, self.preset.as_deref(), &self.given);
        let params = params.map_err(|problems| problems.fault(&file))?;
        let submit = Submit {
            params,
            name: self.placement.name,
            queue: self.placement.queue,
            priority: self.placement.priority,
            not_before: self.placement.not_before,
            after: self.placement.after,
            tags: self.tags,
            pipeline_dir: self.pipeline_dir,
            ..Submit::new(self.definition, self.cwd, self.environment)
        };
        client.submit(submit)
    }

    /// Checks and plans it. Writes nothing.
    ///
    /// # Errors
    /// `InvalidPipeline` where the pipeline itself has faults; `Storage`.
    pub fn check(mut self, client: &Client) -> Result<CheckView, Fault> {
        let file = self.definition.name.clone();
        spec::check(&mut self.definition).map_err(|problems| problems.fault(&file))?;
        let (values, params) = self.values();
        let plan = plan::plan(&self.definition, &values, Some(client))?;
        let queues = client.queues()?;
        let own_queue = self.placement.queue.clone().or_else(|| self.definition.queue.clone());
        let queue_of =
            |stage: &Stage| stage.queue.clone().or_else(|| own_queue.clone()).unwrap_or_else(|| "default".to_owned());
        let stages: Vec<StagePlan> = self
            .definition
            .stages
            .iter()
            .map(|(name, stage)| StagePlan { name: name.clone(), needs: stage.needs.clone(), queue: queue_of(stage) })
            .collect();
        let commands = self.commands(&values, &stages);
        let items = self.items(client, &queues, &stages, &values, params.is_empty());
        let cwd = for_people(&self.cwd, &self.environment);
        let cli = self.line();
        let Plan { levels, max_parallelism, critical_path, expected_stage_s, expected_s, .. } = plan;
        Ok(CheckView {
            items,
            params,
            levels,
            max_parallelism,
            critical_path,
            expected_stage_s,
            expected_s,
            stages,
            commands,
            cwd,
            cli,
        })
    }

    /// The values, those of faulty parameters as their defaults (or nothing of them), and the faults.
    fn values(&self) -> (IndexMap<String, Value>, Vec<ParamFault>) {
        let mut given = self.given.clone();
        let mut faults = Vec::new();
        // One after the other, so that each fault is told with its name.
        for name in self.given.keys().chain(self.definition.params.keys()) {
            let mut alone = self.definition.clone();
            alone.params.retain(|known, _| known == name);
            alone.presets.values_mut().for_each(|preset| preset.retain(|known, _| known == name));
            let one: IndexMap<String, Value> =
                self.given.iter().filter(|(known, _)| *known == name).map(|(n, v)| (n.clone(), v.clone())).collect();
            if let Err(problems) = spec::parameters(&alone, self.preset.as_deref(), &one)
                && !faults.iter().any(|fault: &ParamFault| fault.name == *name)
            {
                let message = problems.0.iter().map(|p| p.message.clone()).collect::<Vec<_>>().join("; ");
                faults.push(ParamFault { name: name.clone(), message });
                given.shift_remove(name);
            }
        }
        let values = match spec::parameters(&self.definition, self.preset.as_deref(), &given) {
            Ok(values) => values,
            // One without a default has no value.
            Err(_) => {
                let params = &self.definition.params;
                let known = params.iter().filter_map(|(name, param)| {
                    Some((name.clone(), given.get(name).or(param.default.as_ref())?.clone()))
                });
                known.collect()
            }
        };
        if let Err(problems) = spec::paths_exist(&self.definition, &values, &self.cwd) {
            for problem in problems.0 {
                let paths = self
                    .definition
                    .params
                    .iter()
                    .filter(|(_, param)| matches!(param.kind, ParamKind::Path | ParamKind::Dataset));
                let name = paths.map(|(name, _)| name).find(|name| problem.message.contains(&format!("\"{name}\"")));
                faults.push(ParamFault { name: name.cloned().unwrap_or_default(), message: problem.message });
            }
        }
        (values, faults)
    }

    fn commands(&self, values: &IndexMap<String, Value>, plan: &[StagePlan]) -> Vec<CommandView> {
        let queue_of = |name: &str| {
            plan.iter().find(|planned| planned.name == *name).map_or("default", |planned| planned.queue.as_str())
        };
        let dir = self.pipeline_dir.display().to_string();
        let name = self.placement.name.as_deref().unwrap_or("‹run name›");
        let rendered = written::rendered(&self.definition, values, &dir, name, &queue_of);
        let view = |(name, argv): (String, Option<spec::Rendered>)| {
            let stage = self.definition.stages.get(&name);
            let shell = stage.is_some_and(|stage| stage.shell.is_some());
            // As it is written: better than nothing.
            let argv =
                argv.map_or_else(|| stage.map(written::as_written).unwrap_or_default(), |rendered| rendered.argv);
            CommandView { stage: name, argv, shell }
        };
        rendered.into_iter().map(view).collect()
    }

    /// The line for the terminal.
    fn line(&self) -> String {
        let mut words = vec!["footplate".to_owned()];
        words.extend(self.words.iter().cloned());
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        if let Some(preset) = &self.preset {
            option("--preset", preset.clone());
        }
        let secret = |name: &String| self.definition.params.get(name).is_some_and(|p| p.kind == ParamKind::Secret);
        for (name, value) in self.given.iter().filter(|(name, _)| !secret(name)) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            option("-p", format!("{name}={text}"));
        }
        if let Some(name) = &self.placement.name {
            option("--name", name.clone());
        }
        if let Some(queue) = &self.placement.queue {
            option("--queue", queue.clone());
        }
        if let Some(priority) = self.placement.priority {
            option("--priority", priority.to_string());
        }
        if let Some(at) = self.placement.not_before {
            option("--at", at.to_string());
        }
        for tag in &self.tags {
            option("--tag", tag.clone());
        }
        if self.is_command() {
            for (run, ok_only) in &self.placement.after {
                option(if *ok_only { "--after-ok" } else { "--after" }, run.to_string());
            }
            words.push("--".to_owned());
            words.extend(self.definition.stages.values().flat_map(|stage| stage.command.iter().cloned()));
        }
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests;
