//! `footplate queue`.

use clap::{Args, Subcommand};
use footplate_core::{ErrorCode, Fault};
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::input::bounds;
use crate::stop::Answer;
use crate::text::{Align, Cell, Colour, Table};
use crate::wish::{self, Waits};

/// List the queues, or change one
#[derive(Debug, Args)]
pub(crate) struct Queue {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// All queues, with what waits and runs in them
    List,
    /// Change how many stages of a queue run at once, or which queue goes first; makes a queue that is not there
    #[command(group(clap::ArgGroup::new("change").required(true).multiple(true).args(["limit", "priority"])))]
    Set {
        /// The queue
        #[arg(value_name = "Q")]
        queue: String,
        /// Stages at once, from 1
        #[arg(long, value_name = "N", value_parser = bounds::limit, allow_negative_numbers = true)]
        limit: Option<u32>,
        /// -100 to 100; higher starts first
        #[arg(long, value_name = "N", value_parser = bounds::priority, allow_negative_numbers = true)]
        priority: Option<i32>,
        #[command(flatten)]
        waits: Waits,
    },
    /// Start nothing more from a queue; what runs goes on
    Pause {
        /// The queue
        #[arg(value_name = "Q")]
        queue: String,
        #[command(flatten)]
        waits: Waits,
    },
    /// Start from a queue again
    Unpause {
        /// The queue
        #[arg(value_name = "Q")]
        queue: String,
        #[command(flatten)]
        waits: Waits,
    },
}

impl Queue {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        match &self.what {
            None | Some(What::List) => list(context),
            Some(What::Set { queue, limit, priority, waits }) => {
                change(context, queue, *limit, *priority, None, *waits)
            }
            Some(What::Pause { queue, waits }) => change(context, queue, None, None, Some(true), *waits),
            Some(What::Unpause { queue, waits }) => change(context, queue, None, None, Some(false), *waits),
        }
    }
}

fn list(context: &Context) -> Answer {
    let queues = context.client()?.queues()?;
    if context.json {
        context.print_json(&queues)?;
        return Ok(0);
    }
    let mut table = Table::new(&[
        ("QUEUE", Align::Left),
        ("PRIORITY", Align::Right),
        ("LIMIT", Align::Right),
        ("RUNNING", Align::Right),
        ("QUEUED", Align::Right),
        ("STATE", Align::Left),
    ]);
    for queue in &queues {
        table.row(vec![
            Cell::new(&queue.name),
            queue.priority.to_string().into(),
            queue.limit.to_string().into(),
            queue.running.to_string().into(),
            queue.queued.to_string().into(),
            if queue.paused { Cell::new("paused").colour(Colour::Yellow) } else { Cell::default() },
        ]);
    }
    context.print(&table.render(context.colour, context.columns()))?;
    Ok(0)
}

fn change(
    context: &Context,
    queue: &str,
    limit: Option<u32>,
    priority: Option<i32>,
    paused: Option<bool>,
    waits: Waits,
) -> Answer {
    let mut client = context.client()?;
    let known = client.queues()?;
    if !known.iter().any(|known| known.name == queue) {
        let near = footplate_spec::nearest(queue, known.iter().map(|known| known.name.as_str()));
        // A queue comes to be by giving it a limit or a priority; one that is not there cannot be paused.
        if paused.is_some() {
            let mut fault = Fault::new(ErrorCode::NotFound, format!("no queue {queue:?}"));
            if let Some(near) = near {
                fault = fault.hint(format!("did you mean {near:?}?"));
            }
            return Err(fault.hint("footplate queue list shows all").into());
        }
        if let Some(near) = near {
            context.remark(&format!("{queue:?} is a new queue; {near:?} is another one"));
        }
    }
    let wish = Wish::Queue { name: queue.to_owned(), limit, priority, paused };
    wish::of_all(context, &mut client, waits, wish)
}
