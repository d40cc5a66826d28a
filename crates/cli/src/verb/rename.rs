//! `footplate rename`.

use clap::Args;
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::stop::Answer;
use crate::wish::{self, Limit, Waits};

/// Give a run another name
#[derive(Debug, Args)]
pub(crate) struct Rename {
    /// The run, by number, id or name
    run: String,
    /// Its new name, 1 to 200 characters
    name: String,
    #[command(flatten)]
    waits: Waits,
}

impl Rename {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let wish = Wish::Rename { name: self.name.clone() };
        wish::of_runs(context, std::slice::from_ref(&self.run), self.waits, Limit::Usual, &wish)
    }
}
