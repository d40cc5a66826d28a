//! `footplate run`.

use std::sync::Arc;

use clap::Args;
use footplate_core::{ErrorCode, Fault, UtcMs};
use footplate_engine::client::{Client, Submit};
use footplate_engine::environment::Captured;

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
    /// The same again as this run, in the same folder, but for what is given beside it
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
        let cwd = add::folder(None)?;
        let mut client = context.client()?;
        let begun_ms = footplate_shim::clock::running_ms();
        let environment = Arc::new(Captured::current());
        let base = match (&self.pipeline, &self.like) {
            (Some(text), _) => {
                let found = pipeline::find(text, client.home(), &cwd)?;
                let values = pipeline::values(&found, None, self.preset.as_deref(), &self.params)?;
                let dir = found.dir;
                Submit { params: values, pipeline_dir: dir, ..Submit::new(found.definition, cwd, environment) }
            }
            (None, Some(text)) => self.like(context, &client, text, environment)?,
            (None, None) => return Err(Fault::new(ErrorCode::Usage, "no pipeline is named").into()),
        };
        add::warn_of_secrets(context, &base.definition);
        let submit = Submit {
            name: self.name.clone().or(base.name),
            experiment: self.experiment.clone().or(base.experiment),
            queue: self.queue.clone().or(base.queue),
            priority: self.priority.or(base.priority),
            tags: if self.tag.is_empty() { base.tags } else { self.tag.clone() },
            not_before: self.at,
            draft: self.draft,
            begun_ms,
            ..base
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

    /// What a run was made of, secrets left out.
    fn like(
        &self,
        context: &Context,
        client: &Client,
        text: &str,
        environment: Arc<Captured>,
    ) -> Result<Submit, Fault> {
        let number = resolve(context, client, text)?.number;
        let origin = client.definition(number)?;
        let run = client.show(number)?;
        let file = format!("#{number}");
        let found = pipeline::Pipeline { definition: origin.definition, dir: origin.pipeline_dir, file };
        let before = run.params.unwrap_or_default();
        let params = pipeline::values(&found, Some(&before), self.preset.as_deref(), &self.params)?;
        let given = format!("{}-{number}", run.pipeline);
        Ok(Submit {
            params,
            // A name that was made of the number is made anew.
            name: Some(run.name).filter(|name| *name != given),
            experiment: run.experiment,
            queue: Some(run.queue),
            priority: Some(run.priority),
            tags: run.tags,
            pipeline_dir: found.dir,
            ..Submit::new(found.definition, origin.cwd, environment)
        })
    }
}
