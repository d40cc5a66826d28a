//! `footplate pause`.

use clap::Args;
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::stop::Answer;
use crate::wish::{self, Limit, Waits};

/// Pause runs: what runs is stopped where it stands, and nothing of theirs starts
#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// Runs, by number, id or name
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    #[command(flatten)]
    waits: Waits,
}

impl Pause {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        wish::of_runs(context, &self.runs, self.waits, Limit::Usual, &Wish::Pause {})
    }
}
