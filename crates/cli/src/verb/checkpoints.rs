//! `footplate checkpoints`.

use clap::Args;
use footplate_engine::client::Wish;
use footplate_engine::client::files::{CheckpointFacts, FileKind, FileView};
use footplate_engine::keep::{Fate, Judged};
use serde_json::json;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::{Align, Cell, Colour, Table, when};
use crate::wish::{self, Limit, Waits, resolve};

/// Show the checkpoints of a run, with what its program said of each
///
/// `footplate resume` goes on from the newest that is complete, `footplate resume --from` from any other. Which is best, and which
/// stay, its stages say (`checkpoints`: metric, mode, keep_best, keep_last).
#[derive(Debug, Args)]
pub(crate) struct Checkpoints {
    /// The run, by number, id or name
    run: String,
    /// Remove what its stages do not keep, now; the owner does so each hour and when a stage ends
    #[arg(long)]
    clean: bool,
    /// Only show what would be removed
    #[arg(long, requires = "clean")]
    dry_run: bool,
    /// Keep this one whatever its stage's rule says: a path, or the step its program said
    #[arg(long, value_name = "PATH|STEP", conflicts_with_all = ["clean", "unpin"])]
    pin: Option<String>,
    /// Keep it no longer than the rule says
    #[arg(long, value_name = "PATH|STEP", conflicts_with = "clean")]
    unpin: Option<String>,
    /// Whose checkpoint is meant, where several stages have one like that
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    #[command(flatten)]
    waits: Waits,
}

impl Checkpoints {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        if self.clean && !self.dry_run {
            let runs = std::slice::from_ref(&self.run);
            return wish::of_runs(context, runs, self.waits, Limit::Usual, &Wish::CleanCheckpoints {});
        }
        if let Some(checkpoint) = self.pin.clone().or_else(|| self.unpin.clone()) {
            let runs = std::slice::from_ref(&self.run);
            let pin = Wish::Pin { checkpoint, stage: self.stage.clone(), pinned: self.pin.is_some() };
            return wish::of_runs(context, runs, self.waits, Limit::Usual, &pin);
        }
        let client = context.client()?;
        let number = resolve(context, &client, &self.run)?.number;
        if self.dry_run {
            return preview(context, &client.kept(number)?);
        }
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
                        "keeping": view.keeping,
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
                ("BEST", Align::Left),
                ("VALUES", Align::Left),
            ])
            .flexible(&[0, 5]);
            for (view, _) in &all {
                shown.row(row(view));
            }
            context.print(&shown.render(context.colour, context.columns()))?;
        }
        Ok(0)
    }
}

fn preview(context: &Context, all: &[Judged]) -> Answer {
    if context.json {
        context.print_json(&all)?;
        return Ok(0);
    }
    let mut shown = Table::new(&[
        ("CHECKPOINT", Align::Left),
        ("STAGE", Align::Left),
        ("VALUE", Align::Right),
        ("WHAT", Align::Left),
    ])
    .flexible(&[0]);
    for one in all {
        let what = Cell::new(words(one.fate));
        shown.row(vec![
            Cell::new(one.path.file_name().unwrap_or_default().to_string_lossy()),
            Cell::new(&one.stage),
            one.value.map(when::number).unwrap_or_default().into(),
            if one.fate == Fate::Goes { what.colour(Colour::Yellow) } else { what },
        ]);
    }
    if !all.is_empty() {
        context.print(&shown.render(context.colour, context.columns()))?;
    }
    let goes = all.iter().filter(|one| one.fate == Fate::Goes).count();
    let noun = if goes == 1 { "checkpoint" } else { "checkpoints" };
    context.print(&format!("{goes} {noun} would be removed\n"))?;
    Ok(0)
}

fn words(fate: Fate) -> &'static str {
    match fate {
        Fate::Stays => "stays",
        Fate::Best => "stays: one of the best",
        Fate::Newest => "stays: one of the newest",
        Fate::Pinned => "stays: pinned",
        Fate::InUse => "stays: in use",
        Fate::Unfinished => "stays: not known to be whole",
        Fate::NotOurs => "stays: not written by this run, or elsewhere",
        Fate::Goes => "goes",
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
    let pinned = view.keeping.is_some_and(|keeping| keeping.fate == Fate::Pinned);
    let best = match (view.keeping.and_then(|keeping| keeping.rank), pinned) {
        (Some(1), false) => Cell::new("best").colour(Colour::Green),
        (Some(1), true) => Cell::new("best, pinned").colour(Colour::Green),
        (Some(rank), false) => format!("{rank}.").into(),
        (Some(rank), true) => format!("{rank}., pinned").into(),
        (None, true) => "pinned".into(),
        (None, false) => Cell::default(),
    };
    vec![
        Cell::new(&view.name),
        Cell::new(view.stage.as_deref().unwrap_or_default()),
        step.into(),
        size,
        best,
        Cell::new(values.join(", ")),
    ]
}
