//! `footplate rm`.

use clap::Args;
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::stop::Answer;
use crate::wish::{self, Limit, Waits};

/// Remove ended runs and drafts: their rows, logs, metrics and captured secrets
///
/// What the program wrote into its run folder stays, unless --files is given.
#[derive(Debug, Args)]
pub(crate) struct Rm {
    /// Runs, by number, id or name
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// The run's own folder too, with all that the program wrote there
    #[arg(long)]
    files: bool,
    #[command(flatten)]
    waits: Waits,
}

impl Rm {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        wish::of_runs(context, &self.runs, self.waits, Limit::Usual, &Wish::Rm { files: self.files })
    }
}
