//! `footplate alerts`.

use clap::Args;
use footplate_core::view::{AlertView, RunView};
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::{Align, Cell, Colour, Table, when};
use crate::wish::{self, Limit, Waits, resolve};

/// Show what runs give alarm about: no output for too long, metrics beyond a rule
///
/// Without a run: the open alerts of all. The rules stand in the pipeline file (`alerts`, `stall`).
#[derive(Debug, Args)]
pub(crate) struct Alerts {
    /// The run, by number, id or name; its alerts that are over, too
    run: Option<String>,
    /// Take the run's open alerts for seen: nothing counts them any more
    #[arg(long, requires = "run")]
    dismiss: bool,
    #[command(flatten)]
    waits: Waits,
}

impl Alerts {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        if let (Some(run), true) = (&self.run, self.dismiss) {
            let runs = std::slice::from_ref(run);
            return wish::of_runs(context, runs, self.waits, Limit::Usual, &Wish::Dismiss { alert: None });
        }
        let client = context.client()?;
        let runs = match &self.run {
            Some(run) => vec![client.show(resolve(context, &client, run)?.number)?],
            None => client.alerted()?,
        };
        let chosen = |run: &RunView| match &self.run {
            Some(_) => run.alerts.clone(),
            None => run.alerts.iter().filter(|alert| alert.is_open()).cloned().collect(),
        };
        let runs: Vec<RunView> = runs.into_iter().map(|run| RunView { alerts: chosen(&run), ..run }).collect();
        if context.json {
            let brief = |run: &RunView| serde_json::json!({ "run": run.number, "id": run.id, "name": run.name, "alerts": run.alerts });
            context.print_json(&runs.iter().map(brief).collect::<Vec<_>>())?;
        } else if runs.iter().all(|run| run.alerts.is_empty()) {
            context.remark(if self.run.is_some() { "no alerts" } else { "no open alerts" });
        } else {
            let runs: Vec<&RunView> = runs.iter().collect();
            context.print(&table(&runs).render(context.colour, context.columns()))?;
        }
        Ok(0)
    }
}

/// The newest open alert of a run, in words.
pub(crate) fn newest(run: &RunView) -> String {
    run.alerts.iter().find(|alert| alert.is_open()).map(|alert| when::local(&alert.detail)).unwrap_or_default()
}

/// The alerts of these runs, a line each.
pub(crate) fn table(runs: &[&RunView]) -> Table {
    let mut table = heads(runs.len() > 1);
    for run in runs {
        fill(&mut table, &run.alerts, (runs.len() > 1).then_some(run.number));
    }
    table
}

/// The same of one run.
pub(crate) fn rows(alerts: &[AlertView], run: Option<i64>) -> Table {
    let mut table = heads(run.is_some());
    fill(&mut table, alerts, run);
    table
}

fn heads(with_run: bool) -> Table {
    let columns = [
        ("RUN", Align::Right),
        ("ALERT", Align::Left),
        ("STAGE", Align::Left),
        ("ATTEMPT", Align::Right),
        ("SINCE", Align::Left),
        ("UNTIL", Align::Left),
    ];
    if with_run { Table::new(&columns).flexible(&[1, 2]) } else { Table::new(&columns[1..]).flexible(&[0, 1]) }
}

fn fill(table: &mut Table, alerts: &[AlertView], run: Option<i64>) {
    for alert in alerts {
        let detail = Cell::new(when::local(&alert.detail));
        let until = match (alert.ended_at, alert.dismissed_at) {
            (Some(ended), _) => when::moment_short(ended),
            (None, Some(_)) => "dismissed".to_owned(),
            (None, None) => "now".to_owned(),
        };
        let mut row: Vec<Cell> = run.map(|run| format!("#{run}").into()).into_iter().collect();
        row.extend([
            if alert.is_open() { detail.colour(Colour::Yellow) } else { detail },
            Cell::new(&alert.stage),
            alert.attempt.to_string().into(),
            when::moment_short(alert.since).into(),
            until.into(),
        ]);
        table.row(row);
    }
}
