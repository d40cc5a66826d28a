//! A stage's own patterns: `progress_pattern` and `metric_pattern`, regular expressions with named groups.
//!
//! Groups of the first: `step`, `total`, `epoch`, `epochs`, `progress`, `eta`, `message`. Of the second: either `name`
//! and `value`, matched as often as they occur, or each group is a metric of its name; `step` and `epoch` place them.
//! The engine is linear in its input.

use std::fmt;

use regex::{Captures, Regex, RegexBuilder};

use crate::format::{Metric, Position};
use crate::protocol::special;

/// Lines longer than this are not matched, bytes.
pub(crate) const LINE_LIMIT: usize = 16 * 1024;
/// Matches of a metric pattern in one line.
const MATCHES: usize = 64;
const POSITION_GROUPS: [&str; 7] = ["step", "total", "epoch", "epochs", "progress", "eta", "message"];

/// A pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// `progress_pattern` or `metric_pattern`.
    pub key: &'static str,
    /// What is wrong with it, in English.
    pub message: String,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

impl std::error::Error for PatternError {}

#[derive(Debug, Clone)]
pub(crate) struct Patterns {
    progress: Option<Regex>,
    metric: Option<Regex>,
    by_name: bool,
}

fn compile(key: &'static str, pattern: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(pattern)
        .size_limit(2 << 20)
        .dfa_size_limit(4 << 20)
        .build()
        .map_err(|error| PatternError { key, message: error.to_string() })
}

/// A number as people print it: `1,797`, `45%`, `1e-3`, `nan`.
fn value(text: &str) -> Option<f64> {
    let text = text.trim();
    let text = text.strip_suffix('%').unwrap_or(text).trim_end();
    special(text).or_else(|| text.parse().ok()).or_else(|| text.replace([',', '_'], "").parse().ok())
}

fn count(captures: &Captures<'_>, group: &str) -> Option<u64> {
    let n = value(captures.name(group)?.as_str())?;
    (n.fract() == 0.0 && (0.0..9e15).contains(&n)).then_some(n as u64)
}

fn real(captures: &Captures<'_>, group: &str) -> Option<f64> {
    value(captures.name(group)?.as_str())
}

/// Seconds, or `M:SS`, `H:MM:SS`.
fn seconds(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches('s');
    text.split(':').try_fold(0.0, |sum, part| part.trim().parse::<f64>().ok().map(|part| sum * 60.0 + part))
}

impl Patterns {
    pub(crate) fn new(progress: Option<&str>, metric: Option<&str>) -> Result<Patterns, PatternError> {
        let progress = progress.map(|pattern| compile("progress_pattern", pattern)).transpose()?;
        let metric = metric.map(|pattern| compile("metric_pattern", pattern)).transpose()?;
        if let Some(regex) = &progress
            && !regex.capture_names().flatten().any(|name| POSITION_GROUPS.contains(&name))
        {
            let message = format!("it has none of the named groups {}", POSITION_GROUPS.join(", "));
            return Err(PatternError { key: "progress_pattern", message });
        }
        let mut by_name = false;
        if let Some(regex) = &metric {
            let names: Vec<&str> = regex.capture_names().flatten().collect();
            let wrong = |message: &str| Err(PatternError { key: "metric_pattern", message: message.to_owned() });
            by_name = names.contains(&"name") && names.contains(&"value");
            if names.contains(&"name") && !by_name {
                return wrong("the group `name` needs a group `value` beside it");
            }
            if !by_name && names.iter().all(|name| ["step", "epoch"].contains(name)) {
                return wrong("it has no named group for a metric, such as (?P<loss>[\\d.]+)");
            }
        }
        Ok(Patterns { progress, metric, by_name })
    }

    pub(crate) fn any(&self) -> bool {
        self.progress.is_some() || self.metric.is_some()
    }

    /// The position a line tells, and what it says besides.
    pub(crate) fn position(&self, line: &str) -> Option<(Position, Option<String>)> {
        let captures = self.progress.as_ref()?.captures(line)?;
        let progress = captures.name("progress").and_then(|group| {
            let percent = group.as_str().trim_end().ends_with('%') || line[group.end()..].trim_start().starts_with('%');
            value(group.as_str()).map(|n| if percent { n / 100.0 } else { n })
        });
        let position = Position {
            progress,
            step: count(&captures, "step"),
            total: count(&captures, "total"),
            epoch: real(&captures, "epoch").filter(|n| n.is_finite()),
            epochs: real(&captures, "epochs").filter(|n| n.is_finite()),
            eta_s: captures.name("eta").and_then(|group| seconds(group.as_str())).filter(|n| n.is_finite()),
            ..Position::default()
        };
        Some((position, captures.name("message").map(|group| group.as_str().trim().to_owned())))
    }

    /// The metrics a line tells.
    pub(crate) fn metrics(&self, line: &str) -> Vec<Metric> {
        let Some(regex) = &self.metric else { return Vec::new() };
        let mut metrics = Vec::new();
        for captures in regex.captures_iter(line).take(MATCHES) {
            let (step, epoch) = (count(&captures, "step"), real(&captures, "epoch"));
            if self.by_name {
                if let (Some(name), Some(value)) = (captures.name("name"), real(&captures, "value")) {
                    metrics.push(Metric { name: name.as_str().trim().to_owned(), step, epoch, value });
                }
                continue;
            }
            for name in regex.capture_names().flatten().filter(|name| !["step", "epoch"].contains(name)) {
                if let Some(value) = real(&captures, name) {
                    metrics.push(Metric { name: name.to_owned(), step, epoch, value });
                }
            }
        }
        metrics
    }
}
