//! `footplate clean`.

use clap::Args;
use footplate_core::quantity::Span;
use footplate_core::view::RunView;
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::input::bounds;
use crate::stop::Answer;
use crate::verb::list;
use crate::wish::{self, Waits};

/// Remove runs that ended long ago: their rows, logs, metrics and captured secrets
///
/// What programs wrote into their run folders stays.
#[derive(Debug, Args)]
pub(crate) struct Clean {
    /// Ended longer ago than this, for example 30d
    #[arg(long, value_name = "D", value_parser = bounds::span)]
    older_than: Span,
    /// Only show what would be removed
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    waits: Waits,
}

/// Most runs that `--dry-run` lists.
const MOST: u32 = 10_000;

impl Clean {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let mut client = context.client()?;
        if !self.dry_run {
            let wish = Wish::Clean { older_than_ms: self.older_than.0, dry_run: false };
            return wish::of_all(context, &mut client, self.waits, wish);
        }
        let numbers = client.cleanable(self.older_than.0, MOST)?;
        let old = numbers.iter().map(|number| client.show(*number)).collect::<Result<Vec<_>, _>>()?;
        if context.json {
            let brief = old.into_iter().map(|run| RunView { params: None, stages: None, ..run });
            context.print_json(&brief.collect::<Vec<_>>())?;
            return Ok(0);
        }
        if !old.is_empty() {
            context.print(&list::table(&old).render(context.colour, context.columns()))?;
        }
        let noun = if old.len() == 1 { "run" } else { "runs" };
        context.print(&format!("{} {noun} would be removed\n", old.len()))?;
        Ok(0)
    }
}
