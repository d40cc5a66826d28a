//! `footplate adopt`.

use clap::Args;
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::stop::Answer;
use crate::wish::{self, Waits};

/// Go on here with the work of a data folder that came from another machine
///
/// A data folder that was moved or cloned pauses all its queues, for on the machine it came from its work may still be going
/// on. This says that it does not: the queues that were paused for that go on.
#[derive(Debug, Args)]
pub(crate) struct Adopt {
    #[command(flatten)]
    waits: Waits,
}

impl Adopt {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        wish::of_all(context, &mut context.client()?, self.waits, Wish::Adopt {})
    }
}
