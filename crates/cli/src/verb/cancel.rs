//! `footplate cancel`.

use clap::Args;
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::stop::Answer;
use crate::wish::{self, Limit, Waits};

/// Stop runs and take them out of their queues
///
/// The program and all its children are told to stop (TERM), and are killed once their grace is over. Returns when they are
/// gone.
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// Runs, by number, id or name
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// Only this stage
    #[arg(long, value_name = "STAGE")]
    stage: Option<String>,
    #[command(flatten)]
    waits: Waits,
}

impl Cancel {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        wish::of_runs(context, &self.runs, self.waits, Limit::Grace, &Wish::Cancel { stage: self.stage.clone() })
    }
}
