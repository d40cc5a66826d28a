//! `footplate report`.

use clap::Args;
use footplate_core::report::{Report as Content, StageReport};

use crate::context::Context;
use crate::stop::Answer;
use crate::text::{Align, Cell, Colour, Table, colour, table, visible, when};
use crate::verb::{alerts, show};
use crate::wish::resolve;

/// Show where a run's time went, what ran side by side, and what failed
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The run, by number, id or name
    run: String,
}

impl Report {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let client = context.client()?;
        let report = client.report(resolve(context, &client, &self.run)?.number)?;
        if context.json {
            context.print_json(&report)?;
        } else {
            context.print(&text(&report, context.colour, context.columns()))?;
        }
        Ok(0)
    }
}

fn text(report: &Content, colours: bool, columns: Option<usize>) -> String {
    let mut out = format!(
        "#{} {}  {}\n",
        report.run.number,
        Colour::Bold.paint(&visible(&report.run.name), colours),
        colour::of_run(report.status).paint(report.status.as_str(), colours)
    );
    let mut lines: Vec<(&str, String)> = Vec::new();
    lines.push(("planning", report.planning_s.map_or_else(|| "not measured".to_owned(), when::span)));
    lines.push(("queued", when::span(report.queued_s)));
    lines.push(("execution", when::span(report.execution_s)));
    lines.push(("total", when::span(report.total_s)));
    lines.push(("parallelism", format!("{} at most, {} at the peak", report.max_parallelism, report.peak_parallelism)));
    if !report.critical_path.is_empty() {
        let path = report.critical_path.iter().map(|name| visible(name)).collect::<Vec<_>>().join(" -> ");
        lines.push(("critical path", format!("{path}, {}", when::span(report.critical_path_s))));
    }
    let totals: Vec<String> = report
        .totals
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(status, count)| format!("{count} {status}"))
        .collect();
    lines.push(("stages", totals.join(", ")));
    if let Some(longest) = &report.longest_stage {
        let ran = report.stages.iter().find(|stage| stage.name == *longest).map_or(0.0, |stage| stage.run_s);
        lines.push(("longest stage", format!("{}, {}", visible(longest), when::span(ran))));
    }
    if let Some(average) = report.average_stage_s {
        lines.push(("average stage", when::span(average)));
    }
    out.push_str(&table::pairs(&lines, colours));
    out.push('\n');
    out.push_str(&stages(&report.stages).render(colours, columns));
    if !report.errors.is_empty() {
        out.push_str("\nerrors\n");
    }
    for error in &report.errors {
        let attempt = error.attempt.map(|number| format!(", attempt {number}")).unwrap_or_default();
        let remark = match (error.will_retry, error.allowed) {
            (true, _) => " (tried again)",
            (false, true) => " (allowed)",
            (false, false) => "",
        };
        out.push_str(&format!("{}{attempt}{remark}:", visible(&error.stage)));
        out.push_str(&show::failure(&error.error, colours).replacen('\n', " ", 1));
    }
    if !report.alerts.is_empty() {
        out.push_str(&format!("\n{}", alerts::rows(&report.alerts, None).render(colours, columns)));
    }
    out
}

fn stages(stages: &[StageReport]) -> Table {
    let mut table = Table::new(&[
        ("LEVEL", Align::Right),
        ("STAGE", Align::Left),
        ("STATUS", Align::Left),
        ("QUEUED", Align::Right),
        ("RAN", Align::Right),
        ("ATTEMPT", Align::Right),
        ("ENDED", Align::Left),
        ("EXIT", Align::Left),
        ("STARTED", Align::Left),
    ])
    .flexible(&[1])
    .optional(&[8]);
    for stage in stages {
        let mut first = vec![
            stage.level.to_string().into(),
            Cell::new(&stage.name),
            Cell::new(stage.status.as_str()).colour(colour::of_stage(stage.status)),
            when::span(stage.queued_s).into(),
        ];
        if stage.attempts.is_empty() {
            table.row(first);
            continue;
        }
        for attempt in &stage.attempts {
            let mut row = std::mem::take(&mut first);
            row.resize(4, Cell::default());
            let exit = match (attempt.exit_code, attempt.signal) {
                (_, Some(signal)) => format!("signal {signal}"),
                (Some(code), None) => code.to_string(),
                (None, None) => String::new(),
            };
            row.extend([
                when::span(attempt.run_s).into(),
                attempt.number.to_string().into(),
                Cell::new(attempt.status.as_str()).colour(colour::of_attempt(attempt.status)),
                exit.into(),
                attempt.started_at.map(when::moment).unwrap_or_default().into(),
            ]);
            table.row(row);
        }
    }
    table
}
