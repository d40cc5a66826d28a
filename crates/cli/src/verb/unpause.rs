//! `footplate unpause`.

use clap::Args;
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::stop::Answer;
use crate::wish::{self, Limit, Waits};

/// Let paused runs go on
#[derive(Debug, Args)]
pub(crate) struct Unpause {
    /// Runs, by number, id or name
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    #[command(flatten)]
    waits: Waits,
}

impl Unpause {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        wish::of_runs(context, &self.runs, self.waits, Limit::Usual, &Wish::Unpause {})
    }
}
