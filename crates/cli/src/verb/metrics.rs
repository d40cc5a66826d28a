//! `footplate metrics`.

use clap::Args;
use footplate_core::{ErrorCode, Fault};
use footplate_engine::client::MetricPoint;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::{Align, Cell, Table, visible, when};
use crate::wish::resolve;

/// Show the values that a run reported
///
/// Without a name: each metric with its last, least and greatest value. With names: every point.
#[derive(Debug, Args)]
pub(crate) struct Metrics {
    /// The run, by number, id or name
    run: String,
    /// Only these metrics
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// As comma-separated values: stage,name,step,time,value
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// Bytes gathered before they are written.
const PAGE: usize = 1 << 16;

impl Metrics {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let client = context.client()?;
        let run = resolve(context, &client, &self.run)?;
        let points = client.metrics(run.number, &self.names)?;
        if let Some(missing) = self.names.iter().find(|name| !points.iter().any(|point| point.name == **name)) {
            let all = client.metrics(run.number, &[])?;
            let mut fault = Fault::new(ErrorCode::NotFound, format!("#{} has no metric {missing:?}", run.number));
            let mut names: Vec<&str> = all.iter().map(|point| point.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            fault = match footplate_spec::nearest(missing, names.iter().copied()) {
                Some(near) => fault.hint(format!("did you mean {near:?}?")),
                None if names.is_empty() => fault.hint("it reported none"),
                None => fault.hint(format!("it reported {}", names.join(", "))),
            };
            return Err(fault.into());
        }
        if self.csv {
            let mut page = String::from("stage,name,step,time,value\n");
            for point in &points {
                page.push_str(&csv_line(point));
                if page.len() > PAGE {
                    context.print(&page)?;
                    page.clear();
                }
            }
            context.print(&page)?;
        } else if context.json {
            context.print_json(&points)?;
        } else if points.is_empty() {
            context.remark(&format!("#{} reported no metrics", run.number));
        } else if self.names.is_empty() {
            context.print(&overview(&points).render(context.colour, context.columns()))?;
        } else {
            context.print(&every(&points).render(context.colour, context.columns()))?;
        }
        Ok(0)
    }
}

/// One point as RFC 4180 has it. The value is written so that it reads back exactly; `NaN`, `inf` and `-inf` as such.
fn csv_line(point: &MetricPoint) -> String {
    let step = point.step.map(|step| step.to_string()).unwrap_or_default();
    format!("{},{},{step},{},{}\n", field(&point.stage), field(&point.name), point.time, point.value)
}

fn field(text: &str) -> String {
    let text = visible(text);
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

fn overview(points: &[MetricPoint]) -> Table {
    let mut table = Table::new(&[
        ("STAGE", Align::Left),
        ("NAME", Align::Left),
        ("POINTS", Align::Right),
        ("STEP", Align::Right),
        ("LAST", Align::Right),
        ("LEAST", Align::Right),
        ("GREATEST", Align::Right),
    ]);
    let mut series: Vec<(&str, &str, Vec<&MetricPoint>)> = Vec::new();
    for point in points {
        match series.iter_mut().find(|(stage, name, _)| *stage == point.stage && *name == point.name) {
            Some((_, _, members)) => members.push(point),
            None => series.push((&point.stage, &point.name, vec![point])),
        }
    }
    for (stage, name, members) in series {
        let values = || members.iter().map(|point| point.value).filter(|value| !value.is_nan());
        let last = members.last();
        table.row(vec![
            Cell::new(stage),
            Cell::new(name),
            members.len().to_string().into(),
            last.and_then(|point| point.step).map(|step| step.to_string()).unwrap_or_default().into(),
            last.map(|point| when::number(point.value)).unwrap_or_default().into(),
            values().reduce(f64::min).map(when::number).unwrap_or_default().into(),
            values().reduce(f64::max).map(when::number).unwrap_or_default().into(),
        ]);
    }
    table
}

fn every(points: &[MetricPoint]) -> Table {
    let mut table = Table::new(&[
        ("STAGE", Align::Left),
        ("NAME", Align::Left),
        ("ATTEMPT", Align::Right),
        ("EPOCH", Align::Right),
        ("STEP", Align::Right),
        ("TIME", Align::Left),
        ("VALUE", Align::Right),
    ]);
    for point in points {
        table.row(vec![
            Cell::new(&point.stage),
            Cell::new(&point.name),
            point.attempt.to_string().into(),
            point.epoch.map(when::number).unwrap_or_default().into(),
            point.step.map(|step| step.to_string()).unwrap_or_default().into(),
            when::moment(point.time).into(),
            when::number(point.value).into(),
        ]);
    }
    table
}
