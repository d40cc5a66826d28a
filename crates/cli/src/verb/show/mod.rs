//! `footplate show`.

mod command;

use clap::Args;
use footplate_core::UtcMs;
use footplate_core::view::{AttemptView, Failure, RunView, StageView};
use serde_json::Value;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::{Align, Cell, Colour, Table, colour, table, visible, visible_lines, when};
use crate::verb::{alerts, logs};
use crate::wish::resolve;

/// Show one run with its stages and attempts
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The run, by number, id or name
    run: String,
}

impl Show {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let client = context.client()?;
        let run = client.show(resolve(context, &client, &self.run)?.number)?;
        if context.json {
            context.print_json(&run)?;
        } else {
            let words = logs::last_words(&client, &run, context.colour);
            context.print(&text(&run, &words, context.colour, context.columns()))?;
        }
        Ok(0)
    }
}

/// A run for people; `words` are the last ones of what failed.
fn text(run: &RunView, words: &str, colours: bool, columns: Option<usize>) -> String {
    let now = UtcMs(footplate_shim::clock::wall_ms());
    let mut head = format!(
        "{} {}  {}",
        Colour::Bold.paint(&format!("#{}", run.number), colours),
        Colour::Bold.paint(&visible(&run.name), colours),
        colour::of_run(run.status).paint(run.status.as_str(), colours)
    );
    if !run.status.is_ended() && run.started_at.is_some() {
        if let Some(progress) = run.progress {
            head.push_str(&format!("  {}", when::percent(progress)));
        }
        if let Some(eta) = run.eta_s {
            head.push_str(&format!("  {} left", when::span(eta)));
        }
    }
    let mut out = format!("{head}\n");
    if !run.confirmed {
        out.push_str("not confirmed: no owner has looked at it yet\n");
    }
    let mut lines: Vec<(&str, String)> = Vec::new();
    lines.push(("pipeline", visible(&run.pipeline)));
    if let Some(experiment) = &run.experiment {
        lines.push(("experiment", visible(experiment)));
    }
    let priority = if run.priority == 0 { String::new() } else { format!(", priority {}", run.priority) };
    lines.push(("queue", format!("{}{priority}", visible(&run.queue))));
    if let Some(by) = &run.schedule {
        lines.push(("schedule", format!("{}, due {}", visible(&by.name), when::moment(by.due))));
    }
    if !run.tags.is_empty() {
        lines.push(("tags", visible(&run.tags.join(", "))));
    }
    if let Some([only]) = run.stages.as_deref() {
        lines.push(("command", command::of(only)));
        lines.extend(command::remark(only).map(|remark| ("", remark.to_owned())));
    }
    if let Some(cwd) = &run.cwd {
        lines.push(("folder", visible(cwd)));
    }
    lines.push(("id", run.id.to_string()));
    lines.push(("created", when::moment(run.created_at)));
    if let Some(started) = run.started_at {
        lines.push(("started", when::moment(started)));
        if let Some(finished) = run.finished_at {
            lines.push((
                "finished",
                format!("{}, after {}", when::moment(finished), when::span(finished.seconds_since(started))),
            ));
        } else {
            lines.push(("so far", when::span(now.seconds_since(started))));
        }
    } else if let Some(finished) = run.finished_at {
        lines.push(("finished", when::moment(finished)));
    }
    if run.generation > 1 {
        lines.push(("generation", run.generation.to_string()));
    }
    if let Some(waiting) = run.waiting.as_ref().filter(|_| !run.status.is_ended()) {
        lines.push(("waiting", visible(&when::local(&waiting.detail))));
    }
    if let Some(message) = run.message.as_ref().filter(|_| !run.status.is_ended()) {
        lines.push(("now", visible(message)));
    }
    for (at, (name, value)) in run.params.iter().flatten().enumerate() {
        lines.push((if at == 0 { "params" } else { "" }, format!("{} = {}", visible(name), value_text(value))));
    }
    out.push_str(&table::pairs(&lines, colours));
    if let Some(error) = &run.error {
        out.push_str(&failure(error, colours));
    }
    out.push_str(words);
    if !run.alerts.is_empty() {
        out.push_str(&format!("\n{}", alerts::table(&[run]).render(colours, columns)));
    }
    let stages = run.stages.as_deref().unwrap_or_default();
    if !stages.is_empty() {
        out.push('\n');
        out.push_str(&stage_table(stages, now).render(colours, columns));
        let attempts = attempt_table(stages);
        if !attempts.is_empty() {
            out.push('\n');
            out.push_str(&attempts.render(colours, columns));
        }
        out.push_str(&command::table(stages, colours));
        out.push_str(&notes(run, colours));
        for stage in stages.iter().filter(|stage| stage.error.is_some() && stage.error != run.error) {
            if let Some(error) = &stage.error {
                out.push_str(&format!("\n{}:", visible(&stage.name)));
                out.push_str(&failure(error, colours));
            }
        }
        out.push_str(&outputs(stages, colours));
    }
    out
}

/// Why something failed, and what to do.
pub(crate) fn failure(error: &Failure, colours: bool) -> String {
    let mut out = format!("\n{}\n", Colour::Red.paint(&visible(&error.title), colours));
    if !error.detail.is_empty() && error.detail != error.title {
        out.push_str(&visible_lines(&error.detail, 2));
    }
    if let Some(line) = error.log_line {
        out.push_str(&format!("  at line {line} of the log\n"));
    }
    for hint in &error.hints {
        out.push_str("  hint: ");
        out.push_str(visible_lines(hint, 8).trim_start());
    }
    out
}

/// A word as a shell reads it.
pub(crate) fn quoted(word: &str) -> String {
    let quoted = shlex::try_quote(word).map_or_else(|_| word.to_owned(), std::borrow::Cow::into_owned);
    // Single quotes read best, where there are none within.
    if quoted != word && !word.contains('\'') { format!("'{word}'") } else { quoted }
}

/// What was noted: of each attempt, then what else is known of the run.
fn notes(run: &RunView, colours: bool) -> String {
    let mut out = String::new();
    let mut told: Vec<&str> = Vec::new();
    for stage in run.stages.iter().flatten() {
        for attempt in &stage.attempts {
            for note in &attempt.notes {
                told.push(note);
                out.push_str(&format!("  {}, attempt {}: {}\n", visible(&stage.name), attempt.number, visible(note)));
            }
        }
    }
    for note in run.notes.iter().flatten().filter(|note| !told.contains(&note.text.as_str())) {
        let of = note.stage.as_ref().map(|stage| format!("{}, ", visible(stage))).unwrap_or_default();
        out.push_str(&format!("  {of}{}: {}\n", when::moment(note.time), visible(&note.text)));
    }
    if out.is_empty() { out } else { format!("\n{}\n{out}", Colour::Dim.paint("NOTES", colours)) }
}

/// A value as people write it: text without quotes, all else as JSON.
pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => visible(text),
        other => visible(&other.to_string()),
    }
}

fn stage_table(stages: &[StageView], now: UtcMs) -> Table {
    let mut table = Table::new(&[
        ("STAGE", Align::Left),
        ("STATUS", Align::Left),
        ("DONE", Align::Right),
        ("TIME", Align::Right),
        ("LEFT", Align::Right),
        ("QUEUE", Align::Left),
        ("NEEDS", Align::Left),
        ("NOW", Align::Left),
    ])
    .flexible(&[7, 6, 0])
    .optional(&[5]);
    for stage in stages {
        let ended = stage.status.is_ended();
        let took = stage.started_at.map(|started| stage.finished_at.unwrap_or(now).seconds_since(started));
        let mut status = stage.status.to_string();
        if stage.allow_failure && stage.error.is_some() {
            status.push_str(" (allowed)");
        }
        table.row(vec![
            Cell::new(&stage.name),
            Cell::new(status).colour(colour::of_stage(stage.status)),
            stage
                .progress
                .filter(|_| !ended && stage.started_at.is_some())
                .map(when::percent)
                .unwrap_or_default()
                .into(),
            took.map(when::span).unwrap_or_default().into(),
            stage.eta_s.filter(|eta| !ended && *eta >= 1.0).map(when::span).unwrap_or_default().into(),
            Cell::new(&stage.queue),
            Cell::new(stage.needs.join(", ")),
            Cell::new(doing(stage)),
        ]);
    }
    table
}

/// What a stage does, or why it does not, in a few words.
pub(crate) fn doing(stage: &StageView) -> String {
    if stage.status.is_ended() {
        // What the program itself said of its end says more than the exit code.
        let title = stage.error.as_ref().map(|error| error.title.clone()).unwrap_or_default();
        return match &stage.message {
            Some(message) if !title.is_empty() => format!("{title}: {message}"),
            _ => title,
        };
    }
    if let Some(waiting) = &stage.waiting {
        return when::local(&waiting.detail);
    }
    let mut parts: Vec<String> = stage.message.iter().cloned().collect();
    let message = stage.message.as_deref().unwrap_or_default().to_lowercase();
    let place = |name: &str| stage.metrics.get(name).map(|value| format!("{name} {}", when::number(*value)));
    for name in ["epoch", "step"] {
        if !message.contains(name) {
            parts.extend(place(name));
        }
    }
    parts.extend(newest(stage, 3).iter().map(|(name, value)| format!("{name} {}", when::number(*value))));
    parts.join("  ")
}

/// The metrics that say most, losses first: at most so many.
pub(crate) fn newest(stage: &StageView, most: usize) -> Vec<(&str, f64)> {
    const POSITIONS: [&str; 8] =
        ["epoch", "step", "total", "epochs", "total_steps", "rate", "progress", "overall_progress"];
    let rank = |name: &str| match name {
        "loss" | "train_loss" => 0,
        _ if name.contains("val") && name.contains("loss") => 1,
        _ if name.contains("loss") => 2,
        _ if name.contains("acc") => 3,
        _ => 4,
    };
    let mut metrics: Vec<(&str, f64)> = stage
        .metrics
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .filter(|(name, _)| !POSITIONS.contains(name))
        .collect();
    metrics.sort_by_key(|(name, _)| rank(name));
    metrics.truncate(most);
    metrics
}

/// The attempts, where there is more to tell than the stage's line.
fn attempt_table(stages: &[StageView]) -> Table {
    let mut table = Table::new(&[
        ("STAGE", Align::Left),
        ("ATTEMPT", Align::Right),
        ("STATUS", Align::Left),
        ("EXIT", Align::Left),
        ("PID", Align::Right),
        ("STARTED", Align::Left),
        ("RAN", Align::Right),
        ("CORES", Align::Right),
        ("MEMORY", Align::Right),
        ("LOG", Align::Right),
        ("NOTE", Align::Left),
    ])
    .flexible(&[10, 0])
    .optional(&[5, 7, 8]);
    for stage in stages {
        for attempt in &stage.attempts {
            // Of what was over at once there is nothing to tell.
            let used = attempt.usage.as_ref().filter(|_| attempt.running_s.is_none_or(|ran| ran >= 1.0));
            table.row(vec![
                Cell::new(&stage.name),
                attempt.number.to_string().into(),
                Cell::new(attempt_status(attempt)).colour(colour::of_attempt(attempt.status)),
                Cell::new(exit(attempt)),
                attempt.pid.filter(|_| attempt.status.is_live()).map(|pid| pid.to_string()).unwrap_or_default().into(),
                attempt.started_at.map(when::moment).unwrap_or_default().into(),
                attempt.running_s.map(when::span).unwrap_or_default().into(),
                used.and_then(|used| used.cores).map(|cores| format!("{cores:.1}")).unwrap_or_default().into(),
                used.and_then(|used| used.peak_memory_bytes).map(when::size).unwrap_or_default().into(),
                attempt.log_size.map(when::size).unwrap_or_default().into(),
                Cell::new(attempt.error.as_ref().map(|error| error.title.as_str()).unwrap_or_default()),
            ]);
        }
    }
    table
}

fn attempt_status(attempt: &AttemptView) -> String {
    if attempt.paused && attempt.status.is_live() { "paused".to_owned() } else { attempt.status.to_string() }
}

fn exit(attempt: &AttemptView) -> String {
    match (attempt.exit_code, attempt.signal) {
        (_, Some(signal)) => format!("signal {signal}"),
        (Some(code), None) => code.to_string(),
        (None, None) => String::new(),
    }
}

/// What the stages handed on.
pub(crate) fn outputs(stages: &[StageView], colours: bool) -> String {
    let mut table =
        Table::new(&[("OUTPUT", Align::Left), ("VALUE", Align::Left), ("STAGE", Align::Left)]).flexible(&[1]);
    for stage in stages {
        for (name, value) in &stage.outputs {
            table.row(vec![Cell::new(name), Cell::new(value_text(value)), Cell::new(&stage.name)]);
        }
    }
    if table.is_empty() { String::new() } else { format!("\n{}", table.render(colours, None)) }
}
