//! Runs followed live until they end: bars on a terminal, else lines; on stderr, so that stdout stays for the answer.

mod bars;
mod lines;
pub(crate) mod signal;
mod stream;

use std::time::Duration;

use footplate_core::view::RunView;
use footplate_core::{RunStatus, StageStatus, UtcMs};
use footplate_engine::client::{Client, Wish, WishRequest};

use crate::context::{Context, exit_code_of};
use crate::stop::{Answer, Stop};
use crate::text::{Colour, colour, visible, when};
use crate::verb::{logs, show, wait};

/// What Ctrl-C does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// The first cancels, the second leaves.
    Cancels,
    /// It only leaves.
    Leaves,
}

/// How the state of runs is painted.
trait Painter {
    /// Shows the present state.
    fn paint(&mut self, runs: &[RunView]) -> Result<(), Stop>;
    /// Says something beside it.
    fn say(&mut self, text: &str);
    /// Nothing more is painted.
    fn end(&mut self);
}

/// For programs: nothing but the answer.
struct Quiet;

impl Painter for Quiet {
    fn paint(&mut self, _: &[RunView]) -> Result<(), Stop> {
        Ok(())
    }
    fn say(&mut self, _: &str) {}
    fn end(&mut self) {}
}

const POLL: Duration = Duration::from_millis(100);
/// Time left and the like are looked at again after so many polls without a change.
const REFRESH: u32 = 10;

/// Follows runs until all have ended, then prints how: the text, or with `--json` each run as `show --json` does. Who only looks on
/// gets a stream with `--json`: each run at once, then whenever it is another than before. The exit code is that of the worst end.
pub(crate) fn follow(context: &Context, client: &mut Client, numbers: &[i64], interrupt: Interrupt) -> Answer {
    signal::count_interrupts();
    let _present = client.presence()?;
    let streams = context.json && interrupt == Interrupt::Leaves;
    let mut painter: Box<dyn Painter + '_> = if streams {
        Box::new(stream::Stream::new(context))
    } else if context.can_draw() {
        Box::new(bars::Bars::new(context.colour_err))
    } else if context.json {
        Box::new(Quiet)
    } else {
        Box::new(lines::Lines::new(numbers.len() > 1))
    };
    let mut seen = 0;
    let mut still = REFRESH;
    loop {
        if still >= REFRESH {
            still = 0;
            let runs = numbers.iter().map(|number| client.show(*number)).collect::<Result<Vec<_>, _>>()?;
            painter.paint(&runs)?;
            if runs.iter().all(|run| wait::end(run).is_some()) {
                painter.end();
                return conclude(context, client, &runs, streams);
            }
            client.tend()?;
        }
        let now = signal::interrupts();
        if now > seen {
            let names = numbers.iter().map(|number| format!("#{number}")).collect::<Vec<_>>().join(", ");
            if interrupt == Interrupt::Cancels && seen == 0 {
                for number in numbers {
                    client.wish(WishRequest::of(*number, Wish::Cancel { stage: None }))?;
                }
                painter.say(&format!("cancelling {names} (Ctrl-C again leaves without waiting for its end)"));
            }
            if interrupt == Interrupt::Leaves || now > 1 {
                painter.end();
                let how = match interrupt {
                    Interrupt::Leaves => format!("{names} goes on"),
                    Interrupt::Cancels => format!("the cancel of {names} stays requested"),
                };
                let plain = names.replace(['#', ','], "");
                context.remark(&format!("left; {how}; footplate watch {plain} comes back"));
                return Ok(130);
            }
            seen = now;
        }
        if client.wait_for_change(POLL)? { still = REFRESH } else { still += 1 }
    }
}

fn conclude(context: &Context, client: &Client, runs: &[RunView], streamed: bool) -> Answer {
    let mut code = 0;
    for run in runs {
        let end = wait::end(run).unwrap_or(run.status);
        code = match (code, exit_code_of(end)) {
            (0, new) => new,
            (_, 1) => 1,
            (old, _) => old,
        };
        if streamed {
            continue;
        }
        if !context.json {
            let words = logs::last_words(client, run, context.colour);
            context.print(&summary(run, end, &words, context.colour))?;
        } else if runs.len() == 1 {
            context.print_json(run)?;
        } else {
            context.print_json_line(run)?;
        }
    }
    Ok(code)
}

/// How a run ended, its outputs, and where its files are.
fn summary(run: &RunView, end: RunStatus, words: &str, colours: bool) -> String {
    let took = match (run.started_at, run.result_at.or(run.finished_at)) {
        (Some(started), Some(finished)) => format!(" in {}", when::span(finished.seconds_since(started))),
        _ => String::new(),
    };
    let status = colour::of_run(end).paint(end.as_str(), colours);
    let name = Colour::Bold.paint(&visible(&run.name), colours);
    let mut out = format!("#{} {name} {status}{took}\n", run.number);
    if let Some(error) = &run.error {
        out.push_str(show::failure(error, colours).trim_start_matches('\n'));
    }
    out.push_str(words);
    let stages = run.stages.as_deref().unwrap_or_default();
    out.push_str(&show::outputs(stages, colours));
    if end != RunStatus::Completed && stages.iter().any(|stage| stage.status == StageStatus::Failed) {
        let printed = stages.iter().flat_map(|stage| &stage.attempts).any(|attempt| attempt.log_size > Some(0));
        let number = run.number;
        let logs = if printed { format!("footplate logs {number} shows what it printed; ") } else { String::new() };
        out.push_str(&format!("\n{logs}footplate retry {number} runs it again\n"));
    }
    out
}

/// Why a run waits, where it is more than the order of its own stages.
fn waits(run: &RunView) -> Option<String> {
    let waiting = run.waiting.as_ref().filter(|waiting| !run.status.is_ended() && waiting.reason != "dependency")?;
    // Whoever looks on starts an owner where there is none; it takes a moment.
    let young = UtcMs(footplate_shim::clock::wall_ms()).seconds_since(run.created_at) < 2.0;
    if waiting.reason == "no_owner" && young {
        return None;
    }
    Some(visible(&when::local(&waiting.detail)))
}

/// The words beside a stage's bar: what it does, its newest metrics, the time left.
fn beside(stage: &footplate_core::view::StageView) -> String {
    let mut text = visible(&show::doing(stage));
    if let Some(eta) = stage.eta_s.filter(|eta| *eta >= 1.0 && !stage.status.is_ended()) {
        if !text.is_empty() {
            text.push_str("  ");
        }
        text.push_str(&format!("{} left", when::span(eta)));
    }
    text
}
