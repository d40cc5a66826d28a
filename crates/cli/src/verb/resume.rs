//! `footplate resume`.

use clap::Args;
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::stop::Answer;
use crate::wish::{self, Limit, Waits};

/// Go on with ended runs from their newest valid checkpoint, in the same run
///
/// A stage that has none, or whose pipeline has no `resume` for it, begins anew, and the answer says so. With `--from`, the stage that saved the checkpoint goes on from it whatever its end, and what depends on it runs again.
#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// Runs, by number, id or name
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// Go on from this checkpoint: its path, or the step it was saved at
    #[arg(long, value_name = "PATH_OR_STEP")]
    from: Option<String>,
    /// Whose checkpoint, where several stages have one like that
    #[arg(long, requires = "from")]
    stage: Option<String>,
    #[command(flatten)]
    waits: Waits,
}

impl Resume {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let wish = Wish::Resume { from: self.from.clone(), stage: self.stage.clone() };
        wish::of_runs(context, &self.runs, self.waits, Limit::Usual, &wish)
    }
}
