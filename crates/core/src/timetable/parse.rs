//! Reading a timetable, and saying what is wrong with one.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use super::Timing;
use crate::quantity::Span;

/// What is wrong with a timetable: a sentence, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TimetableError {
    /// What is wrong, with the value.
    pub message: String,
    /// What is allowed, with an example.
    pub hint: String,
}

/// Minute, hour, day of the month, month, day of the week.
const FIELDS: usize = 5;
/// The short forms.
const SHORT: [&str; 7] = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];
/// The shortest interval: what cron can say, too.
const LEAST_MS: u64 = 60_000;
const EXAMPLES: &str =
    "Write for example \"30 2 * * *\" (at 02:30 each day), \"0 9 * * MON-FRI\", @daily or \"every 6h\".";

pub(super) fn error(message: String, hint: impl Into<String>) -> TimetableError {
    TimetableError { message, hint: hint.into() }
}

pub(super) fn timing(text: &str) -> Result<Timing, TimetableError> {
    let text = text.trim();
    if let Some(interval) = text.strip_prefix("every ") {
        let Span(ms) = interval.parse().map_err(|_| {
            error(format!("{interval:?} is no interval."), "Write for example \"every 6h\" or \"every 30m\".")
        })?;
        if ms < LEAST_MS {
            return Err(error(format!("{text:?} is too often."), "The shortest interval is 1m."));
        }
        return Ok(Timing::Every(Span(ms)));
    }
    if text.starts_with('@') {
        if !SHORT.iter().any(|short| short.eq_ignore_ascii_case(text)) {
            return Err(error(
                format!("There is no short form {text:?}."),
                format!("The short forms are {}.", SHORT.join(", ")),
            ));
        }
        return parser().parse(text).map(|cron| Timing::Cron(Box::new(cron))).map_err(|e| whole(text, &e.to_string()));
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != FIELDS {
        return Err(error(
            format!(
                "A schedule has 5 fields (minute, hour, day of the month, month, day of the week); {text:?} has {}.",
                fields.len()
            ),
            EXAMPLES,
        ));
    }
    match parser().parse(text) {
        Ok(cron) => Ok(Timing::Cron(Box::new(cron))),
        Err(e) => Err(field_error(&fields).unwrap_or_else(|| whole(text, &e.to_string()))),
    }
}

/// Minutes at the least, and no years: five fields.
fn parser() -> CronParser {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build()
}

/// The first field that cannot be read by itself. The library names none.
fn field_error(fields: &[&str]) -> Option<TimetableError> {
    let alone = |place: usize| -> Result<Cron, _> {
        let one: Vec<&str> = (0..FIELDS).map(|at| if at == place { fields[at] } else { "*" }).collect();
        parser().parse(&one.join(" "))
    };
    let place = (0..FIELDS).find(|place| alone(*place).is_err())?;
    let text = fields[place];
    let (message, hint) = match place {
        0 => (
            format!("{text:?} cannot be the minute of a schedule (field 1)."),
            "Allowed are 0 to 59, and * for each; for example 0, */15 or 0,30.",
        ),
        1 => (
            format!("{text:?} cannot be the hour of a schedule (field 2)."),
            "Allowed are 0 to 23, and * for each; for example 2, */6 or 9-17.",
        ),
        2 => (
            format!("{text:?} cannot be the day of the month of a schedule (field 3)."),
            "Allowed are 1 to 31, L for the last, and * for each; for example 1 or */2.",
        ),
        3 => (
            format!("{text:?} cannot be the month of a schedule (field 4)."),
            "Allowed are 1 to 12, JAN to DEC, and * for each; for example 1, 6-8 or JAN.",
        ),
        _ => (
            format!("{text:?} cannot be the day of the week of a schedule (field 5)."),
            "Allowed are 0 to 7 (0 and 7 are Sunday), SUN to SAT, and * for each; for example 1-5 or MON.",
        ),
    };
    Some(error(message, hint))
}

fn whole(text: &str, why: &str) -> TimetableError {
    error(format!("{text:?} is no schedule: {}.", why.trim_end_matches('.')), EXAMPLES)
}
