//! `footplate work`.

use clap::Args;
use footplate_engine::owner::{self, WorkOptions};

use crate::context::Context;
use crate::input::bounds;
use crate::stop::Answer;

/// Be the owner: start what is queued and see it to its end
///
/// There is one owner for a data folder; whoever needs one starts it by itself, so this verb is rarely typed. A second one
/// stands by until the first leaves.
#[derive(Debug, Args)]
pub(crate) struct Work {
    /// Leave when there is nothing left to do
    #[arg(long)]
    until_idle: bool,
    /// At most so many stages at once, whatever the queues allow
    #[arg(long, value_name = "N", value_parser = bounds::count, allow_negative_numbers = true)]
    max: Option<u32>,
    /// Where another owner is at work, say so and leave with exit code 7
    #[arg(long)]
    no_wait: bool,
}

impl Work {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let options = WorkOptions { until_idle: self.until_idle, no_wait: self.no_wait, max: self.max };
        owner::work(context.home()?, options)?;
        Ok(0)
    }
}
