//! `footplate list`.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use footplate_core::view::{AlertView, RunView};
use footplate_core::{RunStatus, UtcMs};
use footplate_engine::client::ListQuery;

use crate::context::Context;
use crate::input::bounds;
use crate::stop::Answer;
use crate::text::{Align, Cell, Table, colour, when};
use crate::verb::alerts;

/// List runs, newest first
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only runs of this status; may be given several times
    #[arg(long, value_name = "S", value_delimiter = ',', value_parser = statuses())]
    status: Vec<RunStatus>,
    /// Only runs of this queue
    #[arg(long, value_name = "Q")]
    queue: Option<String>,
    /// Only runs of this experiment
    #[arg(long, value_name = "E")]
    experiment: Option<String>,
    /// Only runs with this tag
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Only runs whose name, pipeline or tag contains this
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value = "50", value_parser = bounds::count, allow_negative_numbers = true)]
    limit: u32,
    /// Leave out the newest so many
    #[arg(long, value_name = "N", default_value = "0", value_parser = bounds::any_count, allow_negative_numbers = true)]
    offset: u32,
}

fn statuses() -> impl TypedValueParser<Value = RunStatus> {
    PossibleValuesParser::new(RunStatus::ALL.iter().map(|status| status.as_str()))
        .try_map(|text| text.parse::<RunStatus>())
}

impl List {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let client = context.client()?;
        let query = ListQuery {
            statuses: self.status.clone(),
            queue: self.queue.clone(),
            experiment: self.experiment.clone(),
            tag: self.tag.clone(),
            search: self.search.clone(),
            limit: self.limit,
            offset: u64::from(self.offset),
        };
        let page = client.list(&query)?;
        if let Some(queue) = self.queue.as_ref().filter(|_| page.total == 0) {
            client.known_queue(queue)?;
        }
        if context.json {
            context.print_json(&page.runs)?;
            return Ok(0);
        }
        if page.runs.is_empty() {
            let filtered = self.offset > 0 || query != ListQuery { limit: self.limit, ..ListQuery::default() };
            context.remark(if filtered { "no such runs" } else { "no runs yet; footplate add -- PROGRAM starts one" });
            return Ok(0);
        }
        let mut text = table(&page.runs).render(context.colour, context.columns());
        let until = u64::from(self.offset) + page.runs.len() as u64;
        if until < page.total {
            text.push_str(&format!("{} of {} runs; --offset {until} shows more\n", page.runs.len(), page.total));
        }
        if page.runs.iter().any(|run| !run.confirmed) {
            text.push_str("? not confirmed: no owner has looked at it yet\n");
        }
        context.print(&text)?;
        Ok(0)
    }
}

/// Runs as a table, a line each.
pub(crate) fn table(runs: &[RunView]) -> Table {
    let mut table = Table::new(&[
        ("RUN", Align::Right),
        ("NAME", Align::Left),
        ("STATUS", Align::Left),
        ("DONE", Align::Right),
        ("TIME", Align::Right),
        ("LEFT", Align::Right),
        ("QUEUE", Align::Left),
        ("PRIORITY", Align::Right),
        ("EXPERIMENT", Align::Left),
        ("CREATED", Align::Left),
        ("NOTE", Align::Left),
    ])
    .flexible(&[1, 10, 8])
    .optional(&[9, 7, 6, 8]);
    let now = UtcMs(footplate_shim::clock::wall_ms());
    for run in runs {
        let ended = run.status.is_ended();
        let took = run.started_at.map(|started| run.finished_at.unwrap_or(now).seconds_since(started));
        let note = match (&run.error, &run.waiting, &run.message) {
            (Some(error), _, _) if ended => error.title.clone(),
            _ if run.alerts.iter().any(AlertView::is_open) => alerts::newest(run),
            (_, Some(waiting), _) if !ended => when::local(&waiting.detail),
            (_, _, Some(message)) if !ended => message.clone(),
            _ => String::new(),
        };
        let progress = run.progress.filter(|_| !ended && run.started_at.is_some());
        table.row(vec![
            format!("#{}", run.number).into(),
            Cell::new(&run.name),
            status(run),
            progress.map(when::percent).unwrap_or_default().into(),
            took.map(when::span).unwrap_or_default().into(),
            run.eta_s.filter(|eta| !ended && *eta >= 1.0).map(when::span).unwrap_or_default().into(),
            Cell::new(&run.queue),
            if run.priority == 0 { Cell::default() } else { run.priority.to_string().into() },
            Cell::new(run.experiment.as_deref().unwrap_or_default()),
            when::moment_short(run.created_at).into(),
            Cell::new(note),
        ]);
    }
    table
}

/// A run's status in its colour, with `?` where it is not confirmed.
pub(crate) fn status(run: &RunView) -> Cell {
    let mark = if run.confirmed { "" } else { "?" };
    Cell::new(format!("{}{mark}", run.status)).colour(colour::of_run(run.status))
}
