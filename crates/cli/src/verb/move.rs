//! `footplate move`.

use clap::Args;
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::input::bounds;
use crate::stop::Answer;
use crate::wish::{self, Limit, Waits};

/// Put a queued run at another place of its queue
#[derive(Debug, Args)]
pub(crate) struct Move {
    /// The run, by number, id or name
    run: String,
    /// Its place among what is queued there, from 1
    #[arg(long, value_name = "N", value_parser = bounds::place, allow_negative_numbers = true)]
    to: u32,
    #[command(flatten)]
    waits: Waits,
}

impl Move {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        wish::of_runs(context, std::slice::from_ref(&self.run), self.waits, Limit::Usual, &Wish::Move { to: self.to })
    }
}
