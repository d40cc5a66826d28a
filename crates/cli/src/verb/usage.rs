//! `footplate usage`.

use clap::Args;
use footplate_core::usage::UsagePoint;
use footplate_engine::client::UsageSeries;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::{Align, Cell, Table, visible, when};
use crate::wish::resolve;

/// Show what the programs of a run use, or used: cores, memory, disk, GPU
///
/// All processes of an attempt count together. They are looked at each 5 s; of what is older than an hour a minute is kept as one.
#[derive(Debug, Args)]
pub(crate) struct Usage {
    /// The run, by number, id or name
    run: String,
    /// Every look, as comma-separated values
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl Usage {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let client = context.client()?;
        let run = resolve(context, &client, &self.run)?;
        let all = client.usage(run.number)?;
        if self.csv {
            let head = "stage,attempt,time,cores,memory_bytes,read_per_s,written_per_s,gpu,gpu_memory_bytes\n";
            let lines = all.iter().flat_map(|series| series.points.iter().map(|point| line(series, point)));
            context.print(&lines.fold(head.to_owned(), |text, line| text + &line))?;
        } else if context.json {
            context.print_json(&all)?;
        } else if all.is_empty() {
            context.remark(&format!("nothing was measured of #{}", run.number));
        } else {
            context.print(&table(&all).render(context.colour, context.columns()))?;
        }
        Ok(0)
    }
}

fn line(series: &UsageSeries, point: &UsagePoint) -> String {
    let maybe = |value: Option<f64>| value.map(|value| format!("{value:.3}")).unwrap_or_default();
    format!(
        "{},{},{},{:.3},{},{},{},{},{}\n",
        visible(&series.stage),
        series.attempt,
        point.time,
        point.cores,
        point.memory_bytes,
        maybe(point.read_per_s),
        maybe(point.written_per_s),
        maybe(point.gpu),
        point.gpu_memory_bytes.map(|bytes| bytes.to_string()).unwrap_or_default(),
    )
}

fn table(all: &[UsageSeries]) -> Table {
    let mut table = Table::new(&[
        ("STAGE", Align::Left),
        ("ATTEMPT", Align::Right),
        ("CORES", Align::Right),
        ("CPU TIME", Align::Right),
        ("MOST MEMORY", Align::Right),
        ("READ", Align::Right),
        ("WRITTEN", Align::Right),
        ("GPU", Align::Right),
        ("GPU MEMORY", Align::Right),
    ])
    .flexible(&[0]);
    for series in all {
        let whole = series.whole.clone().unwrap_or_default();
        let size = |bytes: Option<u64>| bytes.map(when::size).unwrap_or_default();
        table.row(vec![
            Cell::new(&series.stage),
            series.attempt.to_string().into(),
            whole.cores.map(|cores| format!("{cores:.1}")).unwrap_or_default().into(),
            whole.cpu_s.map(when::span).unwrap_or_default().into(),
            size(whole.peak_memory_bytes).into(),
            size(whole.read_bytes).into(),
            size(whole.written_bytes).into(),
            whole.gpu.map(when::percent).unwrap_or_default().into(),
            size(whole.peak_gpu_memory_bytes).into(),
        ]);
    }
    table
}
