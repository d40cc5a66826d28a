//! A template with several values for some of its parameters: a sweep, as a form makes it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use footplate_core::definition::ParamKind;
use footplate_core::{Fault, UtcMs};
use footplate_shim::clock;
use footplate_spec as spec;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spec::sweep::{Choice, Reading};

use super::{CheckView, ParamFault, Placement, TemplateRequest, home_folder, quoted, template};
use crate::client::{Client, Submit};
use crate::environment::Captured;
use crate::sweep::{Plan, Planned, Request};
use crate::templates::{self, Pipeline};

/// So many of the runs are shown before they are started.
const RUNS_SHOWN: usize = 5;
/// So many values of a parameter are shown.
const VALUES_SHOWN: usize = 8;

/// A template and the values of its parameters.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SweepRequest {
    /// Its name.
    pub template: String,
    /// A named set of values.
    pub preset: Option<String>,
    /// Values that are the same in all runs.
    #[serde(default)]
    pub params: IndexMap<String, Value>,
    /// Values and ranges as they stand behind `-p` of `footplate sweep` (see [`spec::sweep`]).
    #[serde(default)]
    pub varied: IndexMap<String, String>,
    /// So many random runs instead of all.
    pub random: Option<u32>,
    /// What random runs are drawn by; else any number, which the view tells.
    pub seed: Option<u64>,
    /// The experiment; else one is named after the pipeline, `digits-sweep-2`.
    pub experiment: Option<String>,
    /// When and where. Its name is not used: each run is named after its values.
    #[serde(flatten)]
    pub placement: Placement,
}

/// A parameter with several values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VariedView {
    /// Its name.
    pub name: String,
    /// How many values; `None`: it is drawn from numbers without steps.
    pub count: Option<u64>,
    /// The first of them, at most 8.
    pub values: Vec<Value>,
}

/// Why values that are good make no sweep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// A stable word: `no_sweep`, where nothing varies; `limit`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

/// What a sweep would be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SweepView {
    /// The experiment that its runs would belong to.
    pub experiment: String,
    /// What random runs are drawn by; `None`: all combinations.
    pub seed: Option<u64>,
    /// The parameters with several values.
    pub varied: Vec<VariedView>,
    /// How many runs; 0 where something is wrong.
    pub total: usize,
    /// The first of them, at most 5.
    pub runs: Vec<Planned>,
    /// Faults of parameters.
    pub params: Vec<ParamFault>,
    /// Why there are no runs, where the values themselves are good.
    pub refusal: Option<Refusal>,
}

/// What was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SweptView {
    /// The experiment that the runs belong to.
    pub experiment: String,
    /// How many there are.
    pub total: usize,
    /// The number of the first.
    pub first: i64,
}

/// A sweep whose template was found.
#[derive(Clone, Debug)]
pub struct PreparedSweep {
    request: SweepRequest,
    found: Pipeline,
    cwd: PathBuf,
    environment: Arc<Captured>,
    choice: Choice,
}

/// Finds the template of a sweep.
///
/// # Errors
/// `NotFound`; `InvalidPipeline`.
pub fn sweep(request: SweepRequest, client: &Client, environment: Arc<Captured>) -> Result<PreparedSweep, Fault> {
    let cwd = home_folder(&environment);
    let found = templates::template(&request.template, client.home(), &cwd)?;
    let asked = Request {
        given: Vec::new(),
        preset: None,
        random: request.random.map(|runs| runs as usize),
        seed: request.seed,
        experiment: None,
    };
    Ok(PreparedSweep { choice: asked.choice(), request, found, cwd, environment })
}

impl PreparedSweep {
    /// What would be typed behind `-p`. What is one value stays one, whatever commas are in it.
    fn given(&self) -> Vec<(String, String)> {
        let one = |(name, value): (&String, &Value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), if self.is_secret(name) { text } else { text.replace(',', "\\,") })
        };
        let several = |(name, text): (&String, &String)| (name.clone(), text.clone());
        self.request.params.iter().map(one).chain(self.request.varied.iter().map(several)).collect()
    }

    fn is_secret(&self, name: &str) -> bool {
        self.found.definition.params.get(name).is_some_and(|param| param.kind == ParamKind::Secret)
    }

    fn read(&self) -> Reading {
        let random = matches!(self.choice, Choice::Random { .. });
        spec::sweep::read(&self.found.definition, self.request.preset.as_deref(), &self.given(), random)
    }

    fn plan(&self, client: &Client) -> Result<Plan, Fault> {
        let file = &self.found.file;
        let reading = self.read();
        if !reading.problems.is_empty() {
            return Err(spec::Problems(reading.problems).fault(file));
        }
        let swept = reading.runs(self.choice).map_err(|problem| spec::Problems::from(problem).fault(file))?;
        Plan::of(swept, self.choice, self.request.experiment.clone(), &self.found.definition, client)
    }

    /// What it would be, and all that is wrong with it, parameter by parameter. Writes nothing.
    ///
    /// # Errors
    /// `Storage`.
    pub fn look(&self, client: &Client) -> Result<SweepView, Fault> {
        let reading = self.read();
        let varied = reading.varied(VALUES_SHOWN).map(|one| VariedView {
            name: one.name.to_owned(),
            count: one.count.map(|count| u64::try_from(count).unwrap_or(u64::MAX)),
            values: one.first,
        });
        let fault = |problem: &spec::Problem| ParamFault {
            name: problem.param.clone().unwrap_or_default(),
            message: problem.message.clone(),
        };
        let mut view = SweepView {
            experiment: String::new(),
            seed: None,
            varied: varied.collect(),
            total: 0,
            runs: Vec::new(),
            params: reading.problems.iter().map(fault).collect(),
            refusal: None,
        };
        if !view.params.is_empty() {
            return Ok(view);
        }
        let swept = match reading.runs(self.choice) {
            Ok(swept) => swept,
            Err(spec::Problem { code, message, .. }) => {
                view.refusal = Some(Refusal { code, message });
                return Ok(view);
            }
        };
        let plan = Plan::of(swept, self.choice, self.request.experiment.clone(), &self.found.definition, client)?;
        view.params = self.missing_paths(&plan);
        view.experiment = plan.experiment;
        view.seed = plan.seed;
        view.total = if view.params.is_empty() { plan.runs.len() } else { 0 };
        view.runs = plan.runs.into_iter().take(RUNS_SHOWN).collect();
        Ok(view)
    }

    /// Paths that any of the runs needs, and that are not there: each is told once.
    fn missing_paths(&self, plan: &Plan) -> Vec<ParamFault> {
        let definition = &self.found.definition;
        let mut seen = HashSet::new();
        let mut faults = Vec::new();
        for run in &plan.runs {
            let paths = run.params.iter().filter(|(name, _)| definition.params.get(*name).is_some_and(|p| p.exists));
            let new: IndexMap<String, Value> = paths
                .filter(|(name, value)| seen.insert((name.to_string(), value.to_string())))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            let missing = spec::paths_exist(definition, &new, &self.cwd).err().map(|problems| problems.0);
            faults.extend(
                missing
                    .into_iter()
                    .flatten()
                    .map(|problem| ParamFault { name: problem.param.unwrap_or_default(), message: problem.message }),
            );
        }
        faults
    }

    /// Checks its first run, for all of them, and says how a terminal would start it. Writes nothing.
    ///
    /// # Errors
    /// `InvalidPipeline` with all that is wrong; `Storage`.
    pub fn check(&self, client: &Client) -> Result<CheckView, Fault> {
        let plan = self.plan(client)?;
        let secrets = plan.secrets.iter().map(|(name, text)| (name.clone(), Value::String(text.clone())));
        let first = plan.runs.first().map(|run| run.params.clone()).unwrap_or_default();
        let request = TemplateRequest {
            template: self.request.template.clone(),
            preset: None,
            params: first.into_iter().chain(secrets).collect(),
            placement: Placement { name: None, ..self.request.placement.clone() },
        };
        let view = template(request, client, Arc::clone(&self.environment))?.check(client)?;
        Ok(CheckView { cli: self.line(plan.seed), ..view })
    }

    /// Submits all of its runs as one batch, or none.
    ///
    /// # Errors
    /// As [`Client::sweep`], and `InvalidPipeline` with all that is wrong.
    pub fn submit(self, client: &mut Client) -> Result<SweptView, Fault> {
        let begun_ms = clock::running_ms();
        let plan = self.plan(client)?;
        let base = Submit {
            queue: self.request.placement.queue,
            priority: self.request.placement.priority,
            not_before: self.request.placement.not_before,
            after: self.request.placement.after,
            pipeline_dir: self.found.dir,
            begun_ms,
            ..Submit::new(self.found.definition, self.cwd, self.environment)
        };
        let submitted = client.sweep(&plan, &base)?;
        let first = submitted.first().map(|run| run.number).unwrap_or_default();
        Ok(SweptView { experiment: plan.experiment, total: submitted.len(), first })
    }

    /// The line for the terminal; secrets are left out of it.
    fn line(&self, seed: Option<u64>) -> String {
        let mut words: Vec<String> = ["footplate", "sweep", &self.request.template].map(str::to_owned).into();
        let mut option = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                words.extend([name.to_owned(), value]);
            }
        };
        let placement = &self.request.placement;
        option("--preset", self.request.preset.clone());
        for (name, text) in self.given().into_iter().filter(|(name, _)| !self.is_secret(name)) {
            option("-p", Some(format!("{name}={text}")));
        }
        option("--random", self.request.random.map(|runs| runs.to_string()));
        option("--seed", seed.map(|seed| seed.to_string()));
        option("--experiment", self.request.experiment.clone());
        option("--queue", placement.queue.clone());
        option("--priority", placement.priority.map(|priority| priority.to_string()));
        option("--at", placement.not_before.as_ref().map(UtcMs::to_string));
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}
