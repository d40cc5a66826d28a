//! `footplate schedule`.

mod add;
mod look;
mod set;

use clap::{Args, Subcommand, ValueEnum};
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::stop::Answer;
use crate::verb::add::tell;
use crate::wish::{self, Waits};

/// List what runs again and again, or make, change, start, pause and remove a schedule
#[derive(Debug, Args)]
pub(crate) struct Schedule {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// All schedules: when each is due, what it runs, how its last run ended, what it missed
    List,
    /// One schedule, with its next times and those it missed
    Show {
        /// The schedule
        name: String,
    },
    Add(Box<add::Add>),
    Set(set::Set),
    /// Start a run of a schedule now; its times stay as they are
    Run {
        /// The schedule
        name: String,
    },
    /// Start nothing more by a schedule; what runs goes on
    Pause {
        /// The schedules
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        #[command(flatten)]
        waits: Waits,
    },
    /// Let a paused schedule go on, with the next time to come
    Unpause {
        /// The schedules
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        #[command(flatten)]
        waits: Waits,
    },
    /// Remove a schedule; its runs stay
    Rm {
        /// The schedules
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        #[command(flatten)]
        waits: Waits,
    },
    /// Whether an owner stays for schedules, so that they start on time with nobody around; without a word: say so
    Keep {
        /// on: one stays; off: what is due starts while something else keeps one
        #[arg(value_enum, value_name = "on|off")]
        keep: Option<Keep>,
        #[command(flatten)]
        waits: Waits,
    },
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Keep {
    On,
    Off,
}

impl Schedule {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        match &self.what {
            None | Some(What::List) => look::list(context),
            Some(What::Show { name }) => look::show(context, name),
            Some(What::Add(add)) => add.run(context),
            Some(What::Set(set)) => set.run(context),
            Some(What::Run { name }) => {
                let submitted = context.client()?.run_schedule(name)?;
                tell(context, &[submitted])?;
                Ok(0)
            }
            Some(What::Pause { names, waits }) => change(context, names, *waits, Some(false), false),
            Some(What::Unpause { names, waits }) => change(context, names, *waits, Some(true), false),
            Some(What::Rm { names, waits }) => change(context, names, *waits, None, true),
            Some(What::Keep { keep: None, .. }) => look::keep(context),
            Some(What::Keep { keep: Some(keep), waits }) => {
                let wish = Wish::Schedules { keep_owner: *keep == Keep::On };
                wish::of_all(context, &mut context.client()?, *waits, wish)
            }
        }
    }
}

fn change(context: &Context, names: &[String], waits: Waits, enabled: Option<bool>, remove: bool) -> Answer {
    let mut client = context.client()?;
    // A name that is none is answered with the nearest, before anything is done.
    let mut known: Vec<String> = Vec::new();
    for name in names {
        let name = client.schedule(name)?.name;
        if !known.contains(&name) {
            known.push(name);
        }
    }
    for name in known {
        wish::of_all(context, &mut client, waits, Wish::Schedule { name, enabled, remove })?;
    }
    Ok(0)
}
