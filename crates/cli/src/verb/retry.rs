//! `footplate retry`.

use clap::Args;
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::stop::Answer;
use crate::wish::{self, Limit, Waits};

/// Run again what did not complete, in the same run
#[derive(Debug, Args)]
pub(crate) struct Retry {
    /// Runs, by number, id or name
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// What failed, was cancelled or interrupted, and all that depends on it (the default)
    #[arg(long, conflicts_with = "from")]
    failed: bool,
    /// This stage and all that depends on it, whatever their end
    #[arg(long, value_name = "STAGE")]
    from: Option<String>,
    #[command(flatten)]
    waits: Waits,
}

impl Retry {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let wish = Wish::Retry { from: self.from.clone(), failed: self.failed || self.from.is_none() };
        wish::of_runs(context, &self.runs, self.waits, Limit::Usual, &wish)
    }
}
