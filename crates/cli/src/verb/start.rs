//! `footplate start`.

use clap::Args;
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::stop::Answer;
use crate::wish::{self, Limit, Waits};

/// Start drafts
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// Runs, by number, id or name
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    #[command(flatten)]
    waits: Waits,
}

impl Start {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        wish::of_runs(context, &self.runs, self.waits, Limit::Usual, &Wish::Start {})
    }
}
