//! `footplate schedule add`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use footplate_core::definition::{Resources, Retries, Stage};
use footplate_core::quantity::{ByteSize, Span};
use footplate_core::timetable;
use footplate_core::{ErrorCode, Fault};
use footplate_engine::client::Client;
use footplate_engine::environment::{Captured, secret_argument};
use footplate_engine::schedules::{NewSchedule, Source, timetable};
use serde_json::json;

use super::look;
use crate::context::Context;
use crate::input::{bounds, commands, pipeline};
use crate::stop::Answer;
use crate::text::visible;
use crate::verb::add::{self, Argv};
use crate::wish::resolve;

/// Run a pipeline, or a command, again and again
///
/// When is a cron expression of five fields (minute, hour, day of the month, month, day of the week), @hourly, @daily, @weekly, @monthly,
/// @yearly, or an interval. It is meant in a time zone, that of this machine unless --zone says otherwise. Runs have the environment, the
/// working folder, the umask and the limits of this shell.
///
/// footplate schedule add nightly "30 2 * * *" digits -p epochs=30
/// footplate schedule add sync "every 6h" -- python sync.py
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Add {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// When: "30 2 * * *", @daily or "every 6h"
    #[arg(value_name = "WHEN")]
    when: String,
    /// A file, a folder with footplate.toml, or a template's name; read again at each start
    #[arg(required_unless_present_any = ["like", "command"], conflicts_with_all = ["like", "command"])]
    pipeline: Option<String>,
    /// What this run was made of, in its folder
    #[arg(long, value_name = "RUN", conflicts_with = "command")]
    like: Option<String>,
    /// The time zone, for example Europe/Berlin [default: this machine's]
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// What becomes of times that went by while the machine slept or was off: one run for all, or none
    #[arg(long, value_name = "RULE", value_enum, default_value = "once")]
    catch_up: CatchUp,
    /// What becomes of a start while the last run has not ended: it is left out, or one is queued behind
    #[arg(long, value_name = "RULE", value_enum, default_value = "skip")]
    overlap: Overlap,
    /// Only say when it would be due; make nothing
    #[arg(long)]
    dry_run: bool,
    /// A parameter's value; may be given several times
    #[arg(short, long = "param", value_name = "K=V", value_parser = bounds::pair, conflicts_with = "command")]
    params: Vec<(String, String)>,
    /// A named set of values that the pipeline offers
    #[arg(long, value_name = "P", conflicts_with = "command")]
    preset: Option<String>,
    /// The name of its runs [default: the pipeline's, with the run's number; the program's]
    #[arg(long, value_name = "N")]
    run_name: Option<String>,
    /// The experiment that its runs belong to
    #[arg(long, value_name = "E")]
    experiment: Option<String>,
    /// The queue for stages that name none
    #[arg(long, value_name = "Q")]
    queue: Option<String>,
    /// -100 to 100; higher starts first
    #[arg(long, value_name = "N", value_parser = bounds::priority, allow_negative_numbers = true)]
    priority: Option<i32>,
    /// A word to find its runs by; may be given several times
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// The working folder of its runs [default: this one]
    #[arg(long, value_name = "D")]
    cwd: Option<PathBuf>,
    /// A variable of its runs' environment; without a value: this shell's. May be given several times
    #[arg(long, value_name = "NAME[=V]")]
    env: Vec<OsString>,
    /// Cores to reserve for a command [default: 1]
    #[arg(long, value_name = "N", value_parser = bounds::cpus, allow_negative_numbers = true, requires = "command")]
    cpus: Option<u32>,
    /// Memory to reserve for a command, for example 8GB
    #[arg(long, value_name = "S", value_parser = bounds::bytes, allow_negative_numbers = true, requires = "command")]
    memory: Option<ByteSize>,
    /// GPUs to reserve for a command
    #[arg(long, value_name = "N", value_parser = bounds::gpus, allow_negative_numbers = true, requires = "command")]
    gpus: Option<u32>,
    /// Limit of running time of a command, for example 30m or 24h
    #[arg(long, value_name = "D", value_parser = bounds::span, requires = "command")]
    timeout: Option<Span>,
    /// Try a command again so often after a failure, 0 to 100
    #[arg(long, value_name = "N", value_parser = bounds::retries, allow_negative_numbers = true, requires = "command")]
    retries: Option<u32>,
    /// The program and its arguments
    #[arg(last = true, value_name = "PROGRAM ARGS")]
    command: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum CatchUp {
    Once,
    Skip,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Overlap {
    Skip,
    Queue,
}

impl From<CatchUp> for timetable::CatchUp {
    fn from(rule: CatchUp) -> timetable::CatchUp {
        match rule {
            CatchUp::Once => timetable::CatchUp::Once,
            CatchUp::Skip => timetable::CatchUp::Skip,
        }
    }
}

impl From<Overlap> for timetable::Overlap {
    fn from(rule: Overlap) -> timetable::Overlap {
        match rule {
            Overlap::Skip => timetable::Overlap::Skip,
            Overlap::Queue => timetable::Overlap::Queue,
        }
    }
}

impl Add {
    pub(super) fn run(&self, context: &Context) -> Answer {
        // What can be refused is, before a data folder is made.
        timetable(&self.when, self.zone.as_deref().unwrap_or("UTC"))?;
        let cwd = add::folder(self.cwd.as_deref())?;
        let environment = Arc::new(Captured::current().with(&add::changes(&self.env)?)?);
        let mut client = context.client()?;
        let new = self.schedule(context, &client, cwd, environment)?;
        if self.dry_run {
            let (zone, upcoming) = client.preview_schedule(&new)?;
            if context.json {
                context.print_json(
                    &json!({ "name": new.name, "timing": new.timing, "zone": zone, "upcoming": upcoming }),
                )?;
            } else {
                context.print(&look::times(&upcoming, &zone))?;
            }
            return Ok(0);
        }
        let made = client.add_schedule(new)?;
        if context.json {
            context.print_json(&made)?;
        } else {
            let next = look::next(&made);
            context.print(&format!("{}: due {next}\n", visible(&made.name)))?;
        }
        Ok(0)
    }

    /// What was asked for.
    fn schedule(
        &self,
        context: &Context,
        client: &Client,
        cwd: PathBuf,
        environment: Arc<Captured>,
    ) -> Result<NewSchedule, Fault> {
        let mut new = if let Some(text) = &self.pipeline {
            let (source, found) = Source::find(text, client.home(), &cwd)?;
            // Values are read as those of `run`, but only those that were given are kept: others are as the pipeline says then.
            let mut params = pipeline::values(&found, None, self.preset.as_deref(), &self.params)?;
            params.retain(|name, _| self.params.iter().any(|(given, _)| given == name));
            NewSchedule { params, ..NewSchedule::new(&self.name, &self.when, source, cwd, environment) }
        } else if let Some(text) = &self.like {
            self.like(context, client, text, environment)?
        } else {
            let argv = Argv::typed(&self.command)?;
            if let Some(at) = secret_argument(&argv.text) {
                context.remark(&add::secret_warning(&format!("argument {at}")));
            }
            let stage = Stage {
                timeout: self.timeout,
                retries: Retries { max: self.retries.unwrap_or(0), ..Retries::default() },
                resources: Resources {
                    cpus: self.cpus.unwrap_or(1),
                    memory: self.memory.unwrap_or(ByteSize(0)),
                    gpus: self.gpus.unwrap_or(0),
                },
                bytes: argv.bytes,
                ..Stage::default()
            };
            let run_name = Some(commands::name_of(&argv.text));
            let source = Source::Command { definition: Box::new(footplate_spec::single(argv.text, stage)) };
            NewSchedule { run_name, ..NewSchedule::new(&self.name, &self.when, source, cwd, environment) }
        };
        new.zone.clone_from(&self.zone);
        new.catch_up = self.catch_up.into();
        new.overlap = self.overlap.into();
        new.preset.clone_from(&self.preset);
        new.run_name = self.run_name.clone().or(new.run_name);
        new.experiment = self.experiment.clone().or(new.experiment);
        new.queue = self.queue.clone().or(new.queue);
        new.priority = self.priority.or(new.priority);
        if !self.tag.is_empty() {
            new.tags.clone_from(&self.tag);
        }
        Ok(new)
    }

    /// What a run was made of, with its values; secrets are given anew.
    fn like(
        &self,
        context: &Context,
        client: &Client,
        text: &str,
        environment: Arc<Captured>,
    ) -> Result<NewSchedule, Fault> {
        let number = resolve(context, client, text)?.number;
        let mut new = NewSchedule::of_run(client, number, &self.name, &self.when, environment)?;
        let file = format!("#{number}");
        let typed = footplate_spec::typed_all(
            &client.definition(number)?.definition,
            self.params.iter().map(|(name, text)| (name.as_str(), text.as_str())),
        );
        new.params.extend(typed.map_err(|problems| problems.fault(&file))?);
        if self.cwd.is_some() {
            let fault = Fault::new(ErrorCode::Usage, "--cwd cannot be used with --like");
            return Err(fault.hint("a schedule like a run works in that run's folder"));
        }
        Ok(new)
    }
}
