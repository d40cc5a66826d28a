//! `footplate wait`.

use std::time::Duration;

use clap::Args;
use footplate_core::RunStatus;
use footplate_core::view::RunView;
use serde_json::json;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::{colour, visible};
use crate::wish::resolve;

/// Wait until runs have ended; the exit code is 0 if all completed, else 1
#[derive(Debug, Args)]
pub(crate) struct Wait {
    /// Runs, by number, id or name
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
}

impl Wait {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let client = context.client()?;
        let mut left = Vec::new();
        for text in &self.runs {
            let run = resolve(context, &client, text)?;
            if !left.contains(&run.number) {
                left.push(run.number);
            }
        }
        let mut completed = true;
        let mut told = Vec::new();
        while !left.is_empty() {
            let mut still = Vec::new();
            let mut works = false;
            for number in left {
                let run = client.show(number)?;
                let Some(end) = end(&run) else {
                    let stands = matches!(run.status, RunStatus::Draft | RunStatus::Paused);
                    works |= !stands;
                    if stands && !told.contains(&number) {
                        told.push(number);
                        context.remark(&stands_still(&run));
                    }
                    still.push(number);
                    continue;
                };
                completed &= end == RunStatus::Completed;
                if context.json {
                    context.print_json_line(
                        &json!({ "id": run.id, "number": run.number, "name": run.name, "status": end }),
                    )?;
                } else {
                    let status = colour::of_run(end).paint(end.as_str(), context.colour);
                    context.print(&format!("#{} {} {status}\n", run.number, visible(&run.name)))?;
                }
            }
            left = still;
            if !left.is_empty() {
                if works {
                    client.tend()?;
                }
                client.wait_for_change(Duration::from_secs(1))?;
            }
        }
        Ok(u8::from(!completed))
    }
}

/// That a run does not go on by itself.
pub(crate) fn stands_still(run: &RunView) -> String {
    let number = run.number;
    match run.status {
        RunStatus::Draft => format!("#{number} is a draft; footplate start {number} starts it"),
        _ => format!("#{number} is paused; footplate unpause {number} lets it go on"),
    }
}

/// How a run ended, once that is fixed: when all its stages but the tails have ended.
pub(crate) fn end(run: &RunView) -> Option<RunStatus> {
    if run.status.is_ended() { Some(run.result.unwrap_or(run.status)) } else { run.result }
}
