//! `footplate resume`.

use clap::Args;
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::stop::Answer;
use crate::wish::{self, Limit, Waits};

/// Go on with ended runs from their newest valid checkpoint, in the same run
#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// Runs, by number, id or name
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    #[command(flatten)]
    waits: Waits,
}

impl Resume {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        wish::of_runs(context, &self.runs, self.waits, Limit::Usual, &Wish::Resume {})
    }
}
