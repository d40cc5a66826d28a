//! Values with bounds; a bad one is answered with the bounds and an example (8-safety).

use footplate_core::quantity::{ByteSize, Span};

fn whole(text: &str, what: &str, least: i64, most: i64, example: i64) -> Result<i64, String> {
    match text.trim().parse::<i64>() {
        Ok(value) if (least..=most).contains(&value) => Ok(value),
        _ => {
            Err(format!("{text:?} is not a {what}; write a whole number from {least} to {most}, for example {example}"))
        }
    }
}

/// The priority of a run or a queue: -100 to 100.
///
/// # Errors
/// The bounds and an example.
pub fn priority(text: &str) -> Result<i32, String> {
    whole(text, "priority", -100, 100, 10).map(|v| v as i32)
}

/// Tries again after a failure: 0 to 100.
///
/// # Errors
/// The bounds and an example.
pub fn retries(text: &str) -> Result<u32, String> {
    whole(text, "number of retries", 0, 100, 3).map(|v| v as u32)
}

/// Stages at once in a queue: from 1.
///
/// # Errors
/// The bounds and an example.
pub fn limit(text: &str) -> Result<u32, String> {
    whole(text, "limit", 1, 100_000, 2)
        .map(|v| v as u32)
        .map_err(|said| if text.trim() == "0" { format!("{said}; to start nothing, pause the queue") } else { said })
}

/// So many of something, at least one: what to list, what may run.
///
/// # Errors
/// The bounds and an example.
pub fn count(text: &str) -> Result<u32, String> {
    whole(text, "number to stop at", 1, 100_000, 50).map(|v| v as u32)
}

/// So many of something to leave out or to show: from 0.
///
/// # Errors
/// The bounds and an example.
pub fn any_count(text: &str) -> Result<u32, String> {
    whole(text, "count", 0, i64::from(u32::MAX), 100).map(|v| v as u32)
}

/// Random runs of a sweep: 1 to 10,000.
///
/// # Errors
/// The bounds and an example.
pub fn sweep(text: &str) -> Result<u32, String> {
    whole(text, "number of runs", 1, footplate_spec::sweep::MOST_RUNS as i64, 20).map(|v| v as u32)
}

/// The number of an attempt: from 1.
///
/// # Errors
/// The bounds and an example.
pub fn attempt(text: &str) -> Result<u32, String> {
    whole(text, "number of an attempt", 1, i64::from(u32::MAX), 1).map(|v| v as u32)
}

/// Cores to reserve: from 0.
///
/// # Errors
/// The bounds and an example.
pub fn cpus(text: &str) -> Result<u32, String> {
    whole(text, "number of cores", 0, 65_536, 4).map(|v| v as u32)
}

/// GPUs to reserve: from 0.
///
/// # Errors
/// The bounds and an example.
pub fn gpus(text: &str) -> Result<u32, String> {
    whole(text, "number of GPUs", 0, 1024, 1).map(|v| v as u32)
}

/// A place in a queue, from 1.
///
/// # Errors
/// The bounds and an example.
pub fn place(text: &str) -> Result<u32, String> {
    whole(text, "place", 1, i64::from(u32::MAX), 1).map(|v| v as u32)
}

/// A length of time above nothing: `30s`, `1h30m`, `7d`.
///
/// # Errors
/// Examples.
pub fn span(text: &str) -> Result<Span, String> {
    match text.parse::<Span>() {
        Ok(Span(0)) => Err(format!("{text:?} is no time at all; write for example 30s, 10m or 24h")),
        Ok(span) => Ok(span),
        Err(error) => Err(error.to_string()),
    }
}

/// A number of bytes: `512MB`, `2GB`, `1GiB`.
///
/// # Errors
/// Examples.
pub fn bytes(text: &str) -> Result<ByteSize, String> {
    text.parse::<ByteSize>().map_err(|e| e.to_string())
}

/// `NAME=VALUE` of `-p`.
///
/// # Errors
/// An example.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err(format!("{text:?} has no name and value; write for example epochs=30")),
    }
}
