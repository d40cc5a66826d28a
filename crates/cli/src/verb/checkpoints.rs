//! `footplate checkpoints`.

use clap::Args;
use footplate_engine::client::files::{CheckpointFacts, FileKind, FileView};
use serde_json::json;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::{Align, Cell, Colour, Table, when};
use crate::wish::resolve;

/// Show the checkpoints of a run, with what its program said of each
///
/// `footplate resume` goes on from the newest that is complete, `footplate resume --from` from any other.
#[derive(Debug, Args)]
pub(crate) struct Checkpoints {
    /// The run, by number, id or name
    run: String,
}

impl Checkpoints {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let client = context.client()?;
        let number = resolve(context, &client, &self.run)?.number;
        let mut all = client.files(number)?.files;
        all.retain(|(view, _)| view.kind == FileKind::Checkpoint);
        if context.json {
            let rows: Vec<_> = all
                .iter()
                .map(|(view, path)| {
                    let CheckpointFacts { step, epoch, metrics } = view.checkpoint.clone().unwrap_or_default();
                    json!({
                        "stage": view.stage, "path": path, "step": step, "epoch": epoch, "metrics": metrics,
                        "size": view.size, "modified_at": view.modified_at, "exists": view.exists, "complete": view.whole,
                    })
                })
                .collect();
            context.print_json(&rows)?;
        } else if all.is_empty() {
            context.remark(&format!("#{number} has no checkpoints"));
        } else {
            let mut shown = Table::new(&[
                ("CHECKPOINT", Align::Left),
                ("STAGE", Align::Left),
                ("STEP", Align::Right),
                ("SIZE", Align::Right),
                ("VALUES", Align::Left),
            ])
            .flexible(&[0, 4]);
            for (view, _) in &all {
                shown.row(row(view));
            }
            context.print(&shown.render(context.colour, context.columns()))?;
        }
        Ok(0)
    }
}

fn row(view: &FileView) -> Vec<Cell> {
    let said = view.checkpoint.clone().unwrap_or_default();
    let step = match (said.step, said.epoch) {
        (Some(step), _) => step.to_string(),
        (None, Some(epoch)) => format!("epoch {epoch}"),
        (None, None) => String::new(),
    };
    let value = |(name, value): (&String, &Option<f64>)| match value {
        Some(value) => format!("{name} {value}"),
        None => format!("{name} nan"),
    };
    let values: Vec<String> = said.metrics.iter().map(value).collect();
    let size = match (view.exists, view.whole) {
        (false, _) => Cell::new("gone").colour(Colour::Red),
        (true, false) => Cell::new("incomplete").colour(Colour::Red),
        (true, true) => when::size(view.size).into(),
    };
    vec![
        Cell::new(&view.name),
        Cell::new(view.stage.as_deref().unwrap_or_default()),
        step.into(),
        size,
        Cell::new(values.join(", ")),
    ]
}
