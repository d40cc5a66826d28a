//! `footplate run`.

use std::sync::Arc;

use clap::Args;
use footplate_core::{ErrorCode, Fault, UtcMs};
use footplate_engine::client::{Client, Submit};
use footplate_engine::environment::Captured;
use indexmap::IndexMap;
use serde_json::Value;

use crate::context::Context;
use crate::input::{at, bounds, pipeline};
use crate::live::{self, Interrupt, signal};
use crate::stop::Answer;
use crate::verb::add;
use crate::wish::resolve;

/// Run a pipeline and watch it until its end
///
/// Ctrl-C cancels it; pressed again, it leaves at once. With --detach it returns when the run is on record.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// A file, a folder with footplate.toml, or a template's name: digits
    #[arg(required_unless_present = "like", conflicts_with = "like")]
    pipeline: Option<String>,
    /// The same pipeline and parameters as this run's, but for -p
    #[arg(long, value_name = "RUN")]
    like: Option<String>,
    /// A parameter's value; may be given several times
    #[arg(short, long = "param", value_name = "K=V", value_parser = bounds::pair)]
    params: Vec<(String, String)>,
    /// A named set of values that the pipeline offers
    #[arg(long, value_name = "P")]
    preset: Option<String>,
    /// Its name [default: the pipeline's, with its number]
    #[arg(long, value_name = "N")]
    name: Option<String>,
    /// The experiment it belongs to
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
    /// Where it runs [default: local, this machine]
    #[arg(long, value_name = "T")]
    target: Option<String>,
    /// A word to find it by; may be given several times
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Return at once; do not watch it
    #[arg(long)]
    detach: bool,
    /// Only write it down; `footplate start` starts it
    #[arg(long)]
    draft: bool,
}

impl Run {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        if let Some(target) = self.target.as_ref().filter(|target| *target != "local") {
            return Err(Fault::new(ErrorCode::NotFound, format!("no target {target:?}"))
                .hint("the only one is local: this machine")
                .into());
        }
        let begun_ms = footplate_shim::clock::running_ms();
        let cwd = add::folder(None)?;
        let mut client = context.client()?;
        let (found, values) = match (&self.pipeline, &self.like) {
            (Some(text), _) => {
                let found = pipeline::find(text, client.home(), &cwd)?;
                let values = pipeline::values(&found, None, self.preset.as_deref(), &self.params)?;
                (found, values)
            }
            (None, Some(text)) => {
                let (found, before) = like(context, &client, text)?;
                let values = pipeline::values(&found, Some(&before), self.preset.as_deref(), &self.params)?;
                (found, values)
            }
            (None, None) => return Err(Fault::new(ErrorCode::Usage, "no pipeline is named").into()),
        };
        let environment = Arc::new(Captured::current());
        let submit = Submit {
            params: values,
            name: self.name.clone(),
            experiment: self.experiment.clone(),
            queue: self.queue.clone(),
            priority: self.priority,
            tags: self.tag.clone(),
            not_before: self.at,
            draft: self.draft,
            pipeline_dir: found.dir,
            begun_ms,
            ..Submit::new(found.definition, cwd, environment)
        };
        let watched = !self.detach && !self.draft;
        if watched {
            // From here on Ctrl-C concerns the run, not this process.
            signal::count_interrupts();
        }
        let submitted = client.submit(submit)?;
        if !watched {
            add::tell(context, &[submitted])?;
            return Ok(0);
        }
        live::follow(context, &mut client, &[submitted.number], Interrupt::Cancels)
    }
}

/// The pipeline and the parameters of a run, secrets left out.
fn like(
    context: &Context,
    client: &Client,
    text: &str,
) -> Result<(pipeline::Pipeline, IndexMap<String, Value>), Fault> {
    let number = resolve(context, client, text)?.number;
    let (definition, dir) = client.definition(number)?;
    let params = client.show(number)?.params.unwrap_or_default();
    Ok((pipeline::Pipeline { definition, dir, file: format!("#{number}") }, params))
}
