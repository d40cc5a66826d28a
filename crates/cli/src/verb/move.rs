//! `footplate move`.

use clap::Args;
use footplate_engine::client::{Spot, Wish};

use crate::context::Context;
use crate::input::bounds;
use crate::stop::{Answer, Stop};
use crate::wish::{self, Limit, Waits};

/// Put a queued run at another place of its queue
///
/// The order is that of runs with the same priority; `set --priority` puts a run before or behind all of another one.
#[derive(Debug, Args)]
pub(crate) struct Move {
    /// The run, by number, id or name
    run: String,
    #[command(flatten)]
    spot: Where,
    #[command(flatten)]
    waits: Waits,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Where {
    /// Its place among what is queued there, from 1
    #[arg(long, value_name = "N", value_parser = bounds::place, allow_negative_numbers = true)]
    to: Option<u32>,
    /// Just before another run
    #[arg(long, value_name = "OTHER")]
    before: Option<String>,
    /// Just after another run
    #[arg(long, value_name = "OTHER")]
    after: Option<String>,
}

impl Move {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let number =
            |other: &str| -> Result<i64, Stop> { Ok(wish::resolve(context, &context.client()?, other)?.number) };
        let spot = match &self.spot {
            Where { before: Some(other), .. } => Spot::Before { before: number(other)? },
            Where { after: Some(other), .. } => Spot::After { after: number(other)? },
            // The parser wants one of the three.
            Where { to, .. } => Spot::At { to: to.unwrap_or(1) },
        };
        wish::of_runs(context, std::slice::from_ref(&self.run), self.waits, Limit::Usual, &Wish::Move(spot))
    }
}
