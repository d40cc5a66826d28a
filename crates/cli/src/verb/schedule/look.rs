//! How schedules look in a terminal.

use footplate_core::UtcMs;
use footplate_core::timetable::{CatchUp, Missed, Overlap, ScheduleKind, ScheduleView, TIMES_MOST, zone};
use serde_json::json;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::{Align, Cell, Colour, Table, colour, table, visible, when};

/// The table of all.
pub(super) fn list(context: &Context) -> Answer {
    let schedules = context.client()?.schedules()?;
    if context.json {
        context.print_json(&schedules.all)?;
        return Ok(0);
    }
    if schedules.all.is_empty() {
        context.remark("no schedules; footplate schedule add makes one");
        return Ok(0);
    }
    let columns = [
        ("SCHEDULE", Align::Left),
        ("NEXT", Align::Left),
        ("WHEN", Align::Left),
        ("RUNS", Align::Left),
        ("LAST", Align::Left),
        ("MISSED", Align::Right),
    ];
    let mut table = Table::new(&columns).flexible(&[0, 3]);
    for schedule in &schedules.all {
        let next = Cell::new(next(schedule));
        let last = schedule.last_run.as_ref().map_or_else(Cell::default, |run| {
            Cell::new(format!("#{} {}", run.number, run.status)).colour(colour::of_run(run.status))
        });
        let missed: u32 = schedule.missed.iter().map(|missed| missed.times).fold(0, u32::saturating_add);
        table.row(vec![
            Cell::new(&schedule.name),
            if schedule.enabled { next } else { next.colour(Colour::Yellow) },
            Cell::new(&schedule.timing),
            Cell::new(&schedule.what),
            last,
            if missed == 0 { Cell::default() } else { Cell::new(missed.to_string()).colour(Colour::Yellow) },
        ]);
    }
    context.print(&table.render(context.colour, context.columns()))?;
    if !schedules.keep_owner {
        context.remark(
            "no owner stays for schedules (footplate schedule keep on): they start while something else keeps one",
        );
    }
    Ok(0)
}

/// One schedule.
pub(super) fn show(context: &Context, name: &str) -> Answer {
    let schedule = context.client()?.schedule(name)?;
    if context.json {
        context.print_json(&schedule)?;
        return Ok(0);
    }
    let mut lines: Vec<(&str, String)> = vec![
        ("due", next(&schedule)),
        ("when", format!("{} in {}", schedule.timing, schedule.zone)),
        (
            "runs",
            match schedule.kind {
                ScheduleKind::Template => format!("the template {}", visible(&schedule.what)),
                ScheduleKind::File | ScheduleKind::Command => visible(&schedule.what),
                ScheduleKind::Run => format!("the pipeline {}, as a run had it", visible(&schedule.what)),
            },
        ),
    ];
    lines.extend(schedule.preset.as_ref().map(|preset| ("preset", visible(preset))));
    for (at, (name, value)) in schedule.params.iter().enumerate() {
        lines.push((if at == 0 { "params" } else { "" }, visible(&format!("{name} = {value}"))));
    }
    lines.extend(schedule.queue.as_ref().map(|queue| ("queue", visible(queue))));
    lines.extend(schedule.priority.map(|priority| ("priority", priority.to_string())));
    lines.push(("folder", visible(&schedule.cwd)));
    lines.push((
        "catch up",
        match schedule.catch_up {
            CatchUp::Once => "once: one run for times that nobody saw",
            CatchUp::Skip => "skip: times that nobody saw are missed",
        }
        .to_owned(),
    ));
    lines.push((
        "overlap",
        match schedule.overlap {
            Overlap::Skip => "skip: left out while the last run has not ended",
            Overlap::Queue => "queue: one waits behind a run that has not ended",
        }
        .to_owned(),
    ));
    if let Some(run) = &schedule.last_run {
        lines.push(("last run", format!("#{} {}  {}", run.number, visible(&run.name), run.status)));
    }
    lines.push(("made", when::moment(schedule.created_at)));
    let mut out = format!("{}\n", Colour::Bold.paint(&visible(&schedule.name), context.colour));
    out.push_str(&table::pairs(&lines, context.colour));
    if !schedule.upcoming.is_empty() {
        out.push_str(&format!("\nnext times\n{}", times(&schedule.upcoming, &schedule.zone)));
    }
    if !schedule.missed.is_empty() {
        out.push_str("\nmissed\n");
        schedule.missed.iter().for_each(|missed| out.push_str(&missed_line(missed)));
    }
    context.print(&out)?;
    Ok(0)
}

/// Whether an owner stays.
pub(super) fn keep(context: &Context) -> Answer {
    let keep = context.client()?.schedules()?.keep_owner;
    if context.json {
        context.print_json(&json!({ "keep_owner": keep }))?;
    } else {
        context.print(if keep {
            "on: an owner stays while a schedule is to be due\n"
        } else {
            "off: no owner stays for schedules\n"
        })?;
    }
    Ok(0)
}

/// When a schedule is due next, in words and as a moment.
pub(super) fn next(schedule: &ScheduleView) -> String {
    match (schedule.enabled, schedule.next_at) {
        (false, _) => "paused".to_owned(),
        (true, None) => "never again".to_owned(),
        (true, Some(at)) => from_now(at),
    }
}

fn from_now(at: UtcMs) -> String {
    let now = UtcMs(footplate_shim::clock::wall_ms());
    let left = at.seconds_since(now);
    let words = if left < 1.0 { "now".to_owned() } else { format!("in {}", when::span(left)) };
    format!("{words}, {}", when::moment_short(at))
}

/// Times, a line each, as clocks in their zone show them; beside them this machine's time where that is another.
pub(super) fn times(all: &[UtcMs], in_zone: &str) -> String {
    let mut out = String::new();
    for at in all {
        let here = when::moment_short(*at);
        let there = zone(in_zone).map_or_else(|_| here.clone(), |zone| when::moment_short_in(*at, &zone));
        let beside = if there == here { String::new() } else { format!("  ({here} here)") };
        out.push_str(&format!("  {there} {in_zone}{beside}\n"));
    }
    out
}

fn missed_line(missed: &Missed) -> String {
    let until =
        if missed.from == missed.until { String::new() } else { format!(" to {}", when::moment_short(missed.until)) };
    let times = match missed.times {
        1 => String::new(),
        n if n >= TIMES_MOST => format!(", {n} times or more"),
        n => format!(", {n} times"),
    };
    let from = when::moment_short(missed.from);
    format!("  {from}{until}{times}: {}\n", visible(&when::local(&missed.why)))
}
