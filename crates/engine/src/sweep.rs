//! A sweep: many runs of one pipeline, a name each that tells them apart, in one experiment, submitted as one batch.

use std::collections::HashSet;

use footplate_core::definition::Definition;
use footplate_core::view::Submitted;
use footplate_core::{ErrorCode, Fault};
use footplate_spec as spec;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;
use spec::sweep::{Choice, Swept};

use crate::client::{Client, Submit};
use crate::templates::Pipeline;

/// Most characters of a value within a name, and of a name; the store's limit is 200.
const VALUE_MOST: usize = 40;
const NAME_MOST: usize = 180;

/// What is to be swept.
#[derive(Clone, Debug)]
pub struct Request {
    /// `-p` as typed: the parameter's name, and its values and ranges (see [`spec::sweep`]).
    pub given: Vec<(String, String)>,
    /// A named set of values that the pipeline offers.
    pub preset: Option<String>,
    /// So many random runs instead of all.
    pub random: Option<usize>,
    /// What random runs are drawn by; else any number, which the plan tells.
    pub seed: Option<u64>,
    /// The experiment; else one is named after the pipeline, `digits-sweep-2`.
    pub experiment: Option<String>,
}

/// The runs of a sweep before they are submitted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The experiment that they belong to.
    pub experiment: String,
    /// What they were drawn by; `None`: it is a grid.
    pub seed: Option<u64>,
    /// The parameters that are another from run to run.
    pub varied: Vec<String>,
    /// The runs, in the order in which they are submitted.
    pub runs: Vec<Planned>,
    /// The secrets that all of them are given.
    #[serde(skip)]
    pub(crate) secrets: IndexMap<String, String>,
}

/// One run of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Planned {
    /// Its name: what it is given, `lr=0.0003,epochs=5`.
    pub name: String,
    /// Its parameters, secrets left out.
    pub params: IndexMap<String, Value>,
}

impl Request {
    /// Which runs; a seed that was not given is any number.
    pub(crate) fn choice(&self) -> Choice {
        // Short, so that it can be typed again.
        let any = || crate::fresh::uuid().as_u128() as u64 % 1_000_000;
        match self.random {
            Some(runs) => Choice::Random { runs, seed: self.seed.unwrap_or_else(any) },
            None => Choice::Grid,
        }
    }
}

impl Plan {
    /// Makes the runs; writes nothing.
    ///
    /// # Errors
    /// `InvalidPipeline` with all that is wrong; `Storage`.
    pub fn new(request: &Request, pipeline: &Pipeline, client: &Client) -> Result<Plan, Fault> {
        let choice = request.choice();
        let swept = spec::sweep::sweep(&pipeline.definition, request.preset.as_deref(), &request.given, choice);
        let swept = swept.map_err(|problems| problems.fault(&pipeline.file))?;
        Plan::of(swept, choice, request.experiment.clone(), &pipeline.definition, client)
    }

    /// The same for runs that were made already.
    ///
    /// # Errors
    /// `Storage`.
    pub(crate) fn of(
        swept: Swept,
        choice: Choice,
        experiment: Option<String>,
        definition: &Definition,
        client: &Client,
    ) -> Result<Plan, Fault> {
        let seed = match choice {
            Choice::Random { seed, .. } => Some(seed),
            Choice::Grid => None,
        };
        let experiment = match experiment {
            Some(name) => name,
            None => client.fresh_experiment(&format!("{}-sweep", definition.name))?,
        };
        let names = names(&swept);
        let mut secrets = IndexMap::new();
        let planned = swept.runs.into_iter().zip(names).map(|(mut params, name)| {
            secrets = spec::take_secrets(definition, &mut params);
            Planned { name, params }
        });
        let runs = planned.collect();
        Ok(Plan { experiment, seed, varied: swept.varied, runs, secrets })
    }
}

impl Client {
    /// Submits the runs of a plan as one batch: all of them start, or none. `base` is what they have in common.
    ///
    /// # Errors
    /// As [`Client::submit_batch`].
    pub fn sweep(&mut self, plan: &Plan, base: &Submit) -> Result<Vec<Submitted>, Fault> {
        let mut all = plan.runs.iter().map(|run| {
            let mut submit = base.clone();
            submit.params = run.params.clone();
            submit.params.extend(plan.secrets.iter().map(|(name, text)| (name.clone(), Value::String(text.clone()))));
            submit.name = Some(run.name.clone());
            submit.experiment = Some(plan.experiment.clone());
            Ok(submit)
        });
        let submitted = self.submit_batch(&mut all)?;
        if submitted.len() != plan.runs.len() {
            let message = format!("{} of {} runs of the sweep were written down.", submitted.len(), plan.runs.len());
            return Err(Fault::new(ErrorCode::Storage, message));
        }
        Ok(submitted)
    }
}

/// What tells the runs apart. Where values had to be cut and two names became one, their places are added.
fn names(swept: &Swept) -> Vec<String> {
    let value = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let clean: Vec<char> = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        // The ends of paths tell more than their beginnings.
        match clean.len().checked_sub(VALUE_MOST) {
            Some(over) if over > 0 => std::iter::once('…').chain(clean.into_iter().skip(over + 1)).collect::<String>(),
            _ => clean.into_iter().collect(),
        }
    };
    let name = |run: &IndexMap<String, Value>| {
        let parts = swept.varied.iter().filter_map(|name| Some(format!("{name}={}", value(run.get(name)?))));
        let whole = parts.collect::<Vec<_>>().join(",");
        if whole.chars().count() > NAME_MOST { whole.chars().take(NAME_MOST).chain(['…']).collect() } else { whole }
    };
    let names: Vec<String> = swept.runs.iter().map(name).collect();
    if names.iter().collect::<HashSet<_>>().len() == names.len() {
        return names;
    }
    names.into_iter().zip(1..).map(|(name, place)| format!("{name} ({place})")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_tell_the_runs_apart_however_long_the_values_are() {
        let runs = |values: &[&str]| {
            let run = |value: &&str| IndexMap::from([("data".to_owned(), json!(value)), ("n".to_owned(), json!(1e-5))]);
            Swept { varied: vec!["data".into(), "n".into()], runs: values.iter().map(run).collect() }
        };
        assert_eq!(names(&runs(&["a\nb", "c"])), ["data=a b,n=0.00001", "data=c,n=0.00001"]);
        let (long, other) = (format!("{}/train.csv", "x".repeat(60)), format!("y{}/train.csv", "x".repeat(60)));
        let cut = names(&runs(&[&long, &other]));
        assert!(cut[0].ends_with("/train.csv,n=0.00001 (1)") && cut[1].ends_with("(2)"), "{cut:?}");
        let many: Vec<String> = (0..20).map(|n| format!("parameter_{n}")).collect();
        let run = |last: i64| many.iter().map(|name| (name.clone(), json!(last))).collect();
        let swept = Swept { varied: many.clone(), runs: vec![run(1), run(2)] };
        assert!(names(&swept).iter().all(|name| name.chars().count() <= 200));
    }
}
