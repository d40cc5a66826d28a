//! `footplate set`.

use clap::Args;
use footplate_core::quantity::Span;
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::input::bounds;
use crate::stop::Answer;
use crate::wish::{self, Limit, Waits};

/// Change runs that are still queued
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("change").required(true).multiple(true).args(["priority", "queue", "timeout"])))]
pub(crate) struct Set {
    /// Runs, by number, id or name
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// -100 to 100; higher starts first
    #[arg(long, value_name = "N", value_parser = bounds::priority, allow_negative_numbers = true)]
    priority: Option<i32>,
    /// The queue for its stages that name none
    #[arg(long, value_name = "Q")]
    queue: Option<String>,
    /// Limit of running time, for example 30m or 24h
    #[arg(long, value_name = "D", value_parser = bounds::span)]
    timeout: Option<Span>,
    #[command(flatten)]
    waits: Waits,
}

impl Set {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let wish = Wish::Set {
            priority: self.priority,
            queue: self.queue.clone(),
            timeout_ms: self.timeout.map(|span| span.0),
        };
        wish::of_runs(context, &self.runs, self.waits, Limit::Usual, &wish)
    }
}
