//! `footplate logs`.

mod printer;

use std::time::Duration;

use clap::Args;
use footplate_core::view::{RunView, StageView};
use footplate_core::{ErrorCode, Fault, StageStatus};
use footplate_engine::Client;
use regex::Regex;

use crate::context::Context;
use crate::input::bounds;
use crate::stop::{Answer, Stop};
use crate::text::{Colour, cut, visible, when};
use crate::verb::wait;
use crate::wish::{check_stage, resolve};
use printer::{Look, Printer};

/// Show what a run printed
///
/// One line a bar, and nothing of it can command the terminal. Without STAGE: every stage that started, one after another,
/// each by its newest attempt.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The run, by number, id or name
    run: String,
    /// Only this stage
    stage: Option<String>,
    /// This attempt [default: the newest]
    #[arg(long, value_name = "N", value_parser = bounds::attempt, allow_negative_numbers = true)]
    attempt: Option<u32>,
    /// Go on as it prints, until it ends
    #[arg(short, long)]
    follow: bool,
    /// The bytes as they were written, escapes and all
    #[arg(long, conflicts_with_all = ["grep", "times", "json"])]
    raw: bool,
    /// Only lines that this regular expression fits
    #[arg(long, value_name = "RE", value_parser = expression)]
    grep: Option<Regex>,
    /// Only the last so many lines
    #[arg(long, value_name = "N", value_parser = bounds::any_count, allow_negative_numbers = true)]
    tail: Option<u32>,
    /// With the time at which each line was read
    #[arg(long)]
    times: bool,
}

fn expression(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| format!("{text:?} is not a regular expression: {error}"))
}

/// One attempt whose output is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    stage: String,
    attempt: u32,
}

const POLL: Duration = Duration::from_millis(500);

impl Logs {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let client = context.client()?;
        let number = resolve(context, &client, &self.run)?.number;
        if let Some(stage) = &self.stage {
            check_stage(&client, number, stage)?;
        }
        let _present = if self.follow { Some(client.presence()?) } else { None };
        let mut shown: Vec<Part> = Vec::new();
        let mut told = false;
        loop {
            let run = client.show(number)?;
            let parts = self.parts(&run, &shown)?;
            let several =
                parts.len() + shown.len() > 1 || (self.follow && run.stages.as_ref().is_some_and(|s| s.len() > 1));
            if parts.is_empty() && shown.is_empty() && !told {
                told = true;
                context.remark(&nothing(&run));
            }
            for part in &parts {
                self.show(context, &client, number, part, several)?;
            }
            let nothing_new = parts.is_empty();
            shown.extend(parts);
            if !self.follow || (nothing_new && (wait::end(&run).is_some() || self.is_over(&run))) {
                return Ok(0);
            }
            if nothing_new {
                client.wait_for_change(POLL)?;
            }
        }
    }

    /// What has started and was not shown yet, in the order of the starts.
    fn parts(&self, run: &RunView, shown: &[Part]) -> Result<Vec<Part>, Fault> {
        let stages = run.stages.as_deref().unwrap_or_default();
        let number = run.number;
        let mut parts = Vec::new();
        for stage in stages.iter().filter(|stage| self.stage.as_ref().is_none_or(|asked| *asked == stage.name)) {
            let last = shown.iter().filter(|part| part.stage == stage.name).map(|part| part.attempt).max();
            let mut started =
                stage.attempts.iter().filter(|attempt| attempt.started_at.is_some() || attempt.log_size > Some(0));
            let new: Vec<_> = match (self.attempt, last) {
                (Some(asked), None) => started.filter(|attempt| attempt.number == asked).collect(),
                (Some(_), Some(_)) => Vec::new(),
                (None, None) => started.next_back().into_iter().collect(),
                (None, Some(last)) => started.filter(|attempt| attempt.number > last).collect(),
            };
            parts.extend(
                new.into_iter()
                    .map(|attempt| (attempt.started_at, Part { stage: stage.name.clone(), attempt: attempt.number })),
            );
        }
        if let Some(asked) = self.attempt.filter(|_| parts.is_empty() && shown.is_empty() && !self.follow) {
            let sentence = format!("#{number} has no attempt {asked} that started");
            return Err(Fault::new(ErrorCode::NotFound, sentence).hint(format!("footplate show {number} lists them")));
        }
        parts.sort_by_key(|(started, _)| *started);
        Ok(parts.into_iter().map(|(_, part)| part).collect())
    }

    /// The one stage or attempt that was asked for has ended.
    fn is_over(&self, run: &RunView) -> bool {
        let Some(asked) = &self.stage else { return false };
        let stage = run.stages.iter().flatten().find(|stage| stage.name == *asked);
        stage.is_some_and(|stage| {
            let attempt = stage.attempts.iter().find(|attempt| Some(attempt.number) == self.attempt);
            stage.status.is_ended() || attempt.is_some_and(|attempt| !attempt.status.is_live())
        })
    }

    fn show(&self, context: &Context, client: &Client, run: i64, part: &Part, several: bool) -> Result<(), Stop> {
        let mut log = client.log(run, Some(&part.stage), Some(part.attempt))?;
        let head = format!("==> {}, attempt {} <==\n", visible(&part.stage), part.attempt);
        let headed = several && !context.json;
        // Of what is searched only what was found has a head.
        let head_later = headed && self.grep.is_some();
        match (headed && !head_later, self.raw) {
            (true, true) => context.remark(head.trim_end()),
            (true, false) => context.print(&head)?,
            (false, _) => {}
        }
        let look = Look {
            stage: &part.stage,
            attempt: part.attempt,
            grep: self.grep.as_ref(),
            tail: self.tail,
            times: self.times,
            head: Some(head.as_str()).filter(|_| head_later),
        };
        if self.raw {
            printer::raw(context, client, &mut log, look.tail, self.follow)
        } else {
            Printer::new(context, &mut log, look).run(client, self.follow)
        }
    }
}

/// The last lines that the stage printed which a run failed by, for people.
pub(crate) fn last_words(client: &Client, run: &RunView, colours: bool) -> String {
    const MOST: usize = 6;
    const WIDEST: usize = 300;
    let failed = |stage: &&StageView| stage.status == StageStatus::Failed && stage.error == run.error;
    let Some(stage) = run.stages.iter().flatten().find(failed) else { return String::new() };
    let Some(attempt) = stage.attempts.last() else { return String::new() };
    let size = attempt.log_size.unwrap_or(0);
    // What cannot be read now is no reason to keep the rest from people.
    let read = || {
        printer::last_lines(&mut client.log(run.number, Some(&stage.name), Some(attempt.number)).ok()?, size, MOST).ok()
    };
    let lines = if size > 0 { read().unwrap_or_default() } else { Vec::new() };
    if lines.is_empty() {
        return String::new();
    }
    let head = Colour::Dim.paint(&format!("the last lines of {}", visible(&stage.name)), colours);
    let lines: String = lines.iter().map(|line| format!("  {}\n", cut(&visible(line), WIDEST))).collect();
    format!("\n{head}\n{lines}")
}

/// Why there is no output.
fn nothing(run: &RunView) -> String {
    let (what, why) = match (&run.error, &run.waiting) {
        (Some(error), _) if run.status.is_ended() => ("has no output", format!(": {}", visible(&error.detail))),
        (_, Some(waiting)) => ("has not started", format!(": {}", visible(&when::local(&waiting.detail)))),
        _ if run.status.is_ended() => ("has no output", String::new()),
        _ => ("has not started", String::new()),
    };
    format!("#{} {what}{why}", run.number)
}
