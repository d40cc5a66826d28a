//! `footplate tag`.

use clap::Args;
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::stop::Answer;
use crate::wish::{self, Limit, Waits};

/// Add words to a run, or take them away; `list --search` finds them
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("change").required(true).multiple(true).args(["tags", "remove"])))]
pub(crate) struct Tag {
    /// The run, by number, id or name
    run: String,
    /// Words to add
    #[arg(value_name = "TAG")]
    tags: Vec<String>,
    /// A word to take away; may be given several times
    #[arg(long, value_name = "TAG")]
    remove: Vec<String>,
    #[command(flatten)]
    waits: Waits,
}

impl Tag {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let wish = Wish::Tag { add: self.tags.clone(), remove: self.remove.clone() };
        wish::of_runs(context, std::slice::from_ref(&self.run), self.waits, Limit::Usual, &wish)
    }
}
