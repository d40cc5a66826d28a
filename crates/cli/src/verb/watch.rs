//! `footplate watch`.

use clap::Args;

use crate::context::Context;
use crate::live::{self, Interrupt};
use crate::stop::Answer;
use crate::wish::resolve;

/// Watch runs with live bars until they end; Ctrl-C only leaves
///
/// With --json: one object a line, each run as `show --json` has it, at once and whenever it has changed; after 15 seconds of
/// silence `{"heartbeat":"<time>"}`.
///
/// The exit code is that of the runs: 0 if all completed, 1 if one failed, 130 if one was cancelled or interrupted.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// Runs, by number, id or name
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
}

impl Watch {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let mut client = context.client()?;
        let mut numbers = Vec::new();
        for text in &self.runs {
            let number = resolve(context, &client, text)?.number;
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        live::follow(context, &mut client, &numbers, Interrupt::Leaves)
    }
}
