//! `footplate sweep`.

use std::sync::Arc;

use clap::Args;
use footplate_core::view::Submitted;
use footplate_core::{ErrorCode, Fault, UtcMs};
use footplate_engine::client::Submit;
use footplate_engine::environment::Captured;
use footplate_engine::sweep::{Plan, Request};
use serde_json::{Value, json};

use crate::context::Context;
use crate::input::{at, bounds, pipeline};
use crate::stop::{Answer, Stop};
use crate::text::{Align, Cell, Table, visible};
use crate::verb::add;

/// Run a pipeline with every combination of values, or with some drawn at random
///
/// All runs are added at once, or none, as one experiment; each is named after its values. A comma separates values. Whole numbers:
/// 5..20, or 5..20:5 by a step; numbers: 0.1..0.5:0.1. With --random: 0.1..0.5 evenly, 1e-5..1e-2:log evenly over the exponents.
///
/// footplate sweep digits -p lr=1e-4,3e-4 -p epochs=5..20:5
#[derive(Debug, Args)]
pub(crate) struct Sweep {
    /// A file, a folder with footplate.toml, or a template's name: digits
    pipeline: String,
    /// A parameter's values; may be given several times
    #[arg(short, long = "param", value_name = "K=V,V..", value_parser = bounds::pair)]
    params: Vec<(String, String)>,
    /// A named set of values that the pipeline offers, for parameters that are not given
    #[arg(long, value_name = "P")]
    preset: Option<String>,
    /// So many different runs drawn at random, instead of all
    #[arg(long, value_name = "N", value_parser = bounds::sweep, allow_negative_numbers = true)]
    random: Option<u32>,
    /// Draw the same runs again as with this number [default: another each time, and told]
    #[arg(long, value_name = "N", requires = "random")]
    seed: Option<u64>,
    /// The experiment that they belong to [default: the pipeline's name with -sweep-1, -2 ..]
    #[arg(long, value_name = "E")]
    experiment: Option<String>,
    /// The queue for stages that name none
    #[arg(long, value_name = "Q")]
    queue: Option<String>,
    /// -100 to 100; higher starts first
    #[arg(long, value_name = "N", value_parser = bounds::priority, allow_negative_numbers = true)]
    priority: Option<i32>,
    /// Not before this time: 23:00, "2026-11-22 23:00", RFC 3339 or +2h
    #[arg(long, value_name = "TIME", value_parser = at::at)]
    at: Option<UtcMs>,
    /// A word to find them by; may be given several times
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Only write them down; `footplate start` starts one
    #[arg(long)]
    draft: bool,
    /// Show the runs; add none
    #[arg(long)]
    dry_run: bool,
    /// Add more than 100 runs without being asked on a terminal
    #[arg(long)]
    yes: bool,
}

/// A terminal is asked beyond so many runs.
const ASKED_BEYOND: usize = 100;

impl Sweep {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let cwd = add::folder(None)?;
        let mut client = context.client()?;
        let begun_ms = footplate_shim::clock::running_ms();
        let found = pipeline::find(&self.pipeline, client.home(), &cwd)?;
        let request = Request {
            given: self.params.clone(),
            preset: self.preset.clone(),
            random: self.random.map(|runs| runs as usize),
            seed: self.seed,
            experiment: self.experiment.clone(),
        };
        let plan = Plan::new(&request, &found, &client)?;
        if self.dry_run {
            show(context, &plan)?;
            return Ok(0);
        }
        if plan.runs.len() > ASKED_BEYOND && context.is_terminal() && !self.yes {
            let message = format!("these values make {} runs", plan.runs.len());
            let fault = Fault::new(ErrorCode::Refused, message);
            return Err(fault.hint("--yes adds them").hint("--dry-run shows them").into());
        }
        add::warn_of_secrets(context, &found.definition);
        let base = Submit {
            pipeline_dir: found.dir,
            queue: self.queue.clone(),
            priority: self.priority,
            tags: self.tag.clone(),
            not_before: self.at,
            draft: self.draft,
            begun_ms,
            ..Submit::new(found.definition, cwd, Arc::new(Captured::current()))
        };
        let submitted = client.sweep(&plan, &base)?;
        tell(context, &plan, &submitted)?;
        Ok(0)
    }
}

/// What would be added.
fn show(context: &Context, plan: &Plan) -> Result<(), Stop> {
    if context.json {
        return context.print_json(plan);
    }
    let heads: Vec<(&str, Align)> = plan.varied.iter().map(|name| (name.as_str(), Align::Right)).collect();
    let heads: Vec<(&str, Align)> = std::iter::once(("RUN", Align::Right)).chain(heads).collect();
    let mut table = Table::new(&heads);
    for (place, run) in plan.runs.iter().enumerate() {
        let values = plan.varied.iter().map(|name| Cell::new(text(run.params.get(name))));
        table.row(std::iter::once((place + 1).to_string().into()).chain(values).collect());
    }
    context.print(&table.render(context.colour, context.columns()))?;
    context.remark(&format!("{} would be added; nothing was", summary(plan)));
    Ok(())
}

/// What was added.
fn tell(context: &Context, plan: &Plan, submitted: &[Submitted]) -> Result<(), Stop> {
    if context.json {
        let run = |(run, planned): (&Submitted, &footplate_engine::sweep::Planned)| json!({ "id": run.id, "number": run.number, "name": run.name, "params": planned.params });
        let runs: Vec<Value> = submitted.iter().zip(&plan.runs).map(run).collect();
        let whole = json!({ "experiment": plan.experiment, "seed": plan.seed, "varied": plan.varied, "runs": runs });
        return context.print_json(&whole);
    }
    add::tell(context, submitted)?;
    context.remark(&format!("{} were added", summary(plan)));
    Ok(())
}

fn summary(plan: &Plan) -> String {
    let seed = plan.seed.map(|seed| format!(" (--seed {seed})")).unwrap_or_default();
    format!("{} runs of experiment {}{seed}", plan.runs.len(), visible(&plan.experiment))
}

/// A value as people read it: text without quotes.
fn text(value: Option<&Value>) -> String {
    value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default()
}
