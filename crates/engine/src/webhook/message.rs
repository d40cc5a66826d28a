//! What one message tells: its words, and the facts behind them.

use std::fmt::Write as _;

use footplate_core::alert::{AlertAction, AlertKind};
use footplate_core::notice::{NoticeKind, figure, telling_metric};
use footplate_core::quantity::{ByteSize, Span};
use footplate_core::view::{AlertView, DiskLevel, RunView};
use footplate_core::{RunId, RunStatus, UtcMs};
use indexmap::IndexMap;
use serde::Serialize;

/// The version of the JSON form: fields may be added to one, none is taken away or means something else.
const VERSION: u32 = 1;
/// Longest title and text, characters: what every receiver shows whole.
const TITLE_MOST: usize = 200;
const TEXT_MOST: usize = 1_500;
/// Lines of a message that tells many things.
const LINES: usize = 10;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Several that came together.
    Several,
    /// Somebody tries the address.
    Test,
    /// One piece of news.
    #[serde(untagged)]
    One(NoticeKind),
}

/// A message, in the order of the JSON form's fields.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Message {
    version: u32,
    /// The same where the same message comes again.
    id: String,
    pub(super) kind: Kind,
    /// When it happened; of several, when the last did.
    time: UtcMs,
    /// The machine's name.
    pub(super) machine: String,
    pub(super) title: String,
    pub(super) text: String,
    run: Option<RunFacts>,
    metric: Option<MetricFacts>,
    error: Option<ErrorFacts>,
    alert: Option<AlertView>,
    disk: Option<DiskFacts>,
    /// Of several: how many of each kind.
    counts: Option<IndexMap<NoticeKind, u64>>,
}

/// The run that it is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RunFacts {
    id: RunId,
    number: i64,
    name: String,
    pipeline: String,
    experiment: Option<String>,
    queue: String,
    tags: Vec<String>,
    /// As it is now: it may have been tried again meanwhile.
    status: RunStatus,
    started_at: Option<UtcMs>,
    finished_at: Option<UtcMs>,
    took_s: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct MetricFacts {
    name: String,
    value: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ErrorFacts {
    code: String,
    title: String,
    detail: String,
    hints: Vec<String>,
}

/// The disk as it was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct DiskFacts {
    pub(crate) level: DiskLevel,
    #[serde(rename = "free_bytes")]
    pub(crate) free: u64,
    #[serde(rename = "mark_bytes")]
    pub(crate) mark: u64,
}

/// Where and when something happened.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    pub(crate) id: String,
    pub(crate) time: UtcMs,
    pub(crate) machine: String,
}

impl RunFacts {
    pub(crate) fn of(run: &RunView) -> RunFacts {
        RunFacts {
            id: run.id,
            number: run.number,
            name: cut(&run.name, TITLE_MOST),
            pipeline: cut(&run.pipeline, TITLE_MOST),
            experiment: run.experiment.as_deref().map(|name| cut(name, TITLE_MOST)),
            queue: cut(&run.queue, TITLE_MOST),
            tags: run.tags.iter().take(LINES).map(|tag| cut(tag, TITLE_MOST)).collect(),
            status: run.status,
            started_at: run.started_at,
            finished_at: run.finished_at,
            took_s: took(run),
        }
    }
}

impl Message {
    fn new(stamp: Stamp, kind: Kind, title: &str, text: &str) -> Message {
        Message {
            version: VERSION,
            id: stamp.id,
            kind,
            time: stamp.time,
            machine: stamp.machine,
            title: cut(title, TITLE_MOST),
            text: cut(text, TEXT_MOST),
            run: None,
            metric: None,
            error: None,
            alert: None,
            disk: None,
            counts: None,
        }
    }

    /// A run ended so.
    pub(crate) fn end(stamp: Stamp, kind: NoticeKind, run: &RunView) -> Message {
        let name = format!("#{} {}", run.number, run.name);
        let after = took(run).map(span);
        let error = run.error.as_ref();
        let (title, text) = match kind {
            NoticeKind::Completed => {
                let metric = telling_metric(run.stages.as_deref().unwrap_or_default());
                let text = match (metric, after) {
                    (Some((name, value)), Some(after)) => format!("{name} {}, in {after}.", figure(value)),
                    (Some((name, value)), None) => format!("{name} {}.", figure(value)),
                    (None, Some(after)) => format!("It took {after}."),
                    (None, None) => String::new(),
                };
                (format!("{name} is done"), text)
            }
            NoticeKind::Interrupted => {
                (format!("{name} was interrupted"), format!("How it ended is not known: footplate show {}", run.number))
            }
            NoticeKind::Failed | NoticeKind::Disk | NoticeKind::Stalled | NoticeKind::Alert => {
                let cause = error.map_or_else(
                    || "The cause is not known.".to_owned(),
                    |error| {
                        if error.detail.is_empty() {
                            format!("{}.", error.title)
                        } else {
                            format!("{}: {}", error.title, error.detail)
                        }
                    },
                );
                let after = after.map(|after| format!("\nAfter {after}.")).unwrap_or_default();
                (format!("{name} failed"), format!("{cause}{after}"))
            }
        };
        let metric = telling_metric(run.stages.as_deref().unwrap_or_default());
        Message {
            run: Some(RunFacts::of(run)),
            metric: metric.map(|(name, value)| MetricFacts { name: name.to_owned(), value }),
            error: error.map(|error| ErrorFacts {
                code: error.code.clone(),
                title: cut(&error.title, TITLE_MOST),
                detail: cut(&error.detail, TEXT_MOST),
                hints: error.hints.iter().take(LINES).map(|hint| cut(hint, TEXT_MOST)).collect(),
            }),
            ..Message::new(stamp, Kind::One(kind), &title, &text)
        }
    }

    /// A run gives alarm.
    pub(crate) fn alert(stamp: Stamp, run: &RunView, alert: &AlertView) -> Message {
        let facts = &alert.facts;
        let name = format!("#{} {}", run.number, run.name);
        let (title, mut text) = match facts.kind {
            AlertKind::Stall => {
                let limit = span(facts.stall_ms.unwrap_or_default() as f64 / 1000.0);
                (format!("{name} prints nothing"), format!("No output for {limit}."))
            }
            AlertKind::Nan | AlertKind::Above | AlertKind::Below | AlertKind::NoImprovement => {
                (format!("{name} needs a look"), format!("{}.", facts.sentence(alert.since)))
            }
        };
        if facts.action == AlertAction::Stop {
            text.push_str(" It is being stopped.");
        }
        Message {
            run: Some(RunFacts::of(run)),
            alert: Some(alert.clone()),
            ..Message::new(stamp, Kind::One(NoticeKind::of_alert(facts.kind)), &title, &text)
        }
    }

    /// The disk has become full.
    pub(crate) fn disk(stamp: Stamp, disk: DiskFacts) -> Message {
        let free = ByteSize(disk.free).rounded();
        let text = match disk.level {
            DiskLevel::Critical => format!("{free} are free. What runs is paused until there is room."),
            DiskLevel::Low | DiskLevel::Enough => {
                format!("{free} are free. Nothing new starts below {}.", ByteSize(disk.mark).rounded())
            }
        };
        Message {
            disk: Some(disk),
            ..Message::new(stamp, Kind::One(NoticeKind::Disk), "The disk is nearly full", &text)
        }
    }

    /// Many things at once: how many of each kind, and the most pressing by a line each.
    pub(crate) fn several(stamp: Stamp, counts: IndexMap<NoticeKind, u64>, each: &[Message]) -> Message {
        let total: u64 = counts.values().sum();
        let title = counts.iter().map(|(kind, count)| counted(*kind, *count)).collect::<Vec<_>>().join(", ");
        let mut text = String::new();
        for message in each.iter().take(LINES) {
            let first = message.text.lines().next().unwrap_or_default();
            let colon = if first.is_empty() { "" } else { ": " };
            let _ = writeln!(text, "{}{colon}{}", message.title, cut(first, 100));
        }
        let left = total.saturating_sub(each.len().min(LINES) as u64);
        if left > 0 {
            let _ = write!(text, "and {left} more");
        }
        Message { counts: Some(counts), ..Message::new(stamp, Kind::Several, &title, text.trim_end()) }
    }

    /// Somebody tries the address.
    pub(crate) fn test(stamp: Stamp) -> Message {
        Message::new(
            stamp,
            Kind::Test,
            "Footplate can reach you",
            "This is how you will be told. Nothing has happened.",
        )
    }

    /// How pressing it is: something is to be done.
    pub(super) fn is_bad(&self) -> bool {
        match self.kind {
            Kind::One(kind) => kind != NoticeKind::Completed,
            Kind::Several => self.counts.iter().flatten().any(|(kind, _)| *kind != NoticeKind::Completed),
            Kind::Test => false,
        }
    }
}

fn counted(kind: NoticeKind, count: u64) -> String {
    match kind {
        NoticeKind::Disk => "The disk is nearly full".to_owned(),
        NoticeKind::Failed => format!("{count} failed"),
        NoticeKind::Stalled => format!("{count} printed nothing"),
        NoticeKind::Alert => format!("{count} gave alarm"),
        NoticeKind::Interrupted => format!("{count} interrupted"),
        NoticeKind::Completed => format!("{count} done"),
    }
}

fn took(run: &RunView) -> Option<f64> {
    Some(run.finished_at?.seconds_since(run.started_at?))
}

/// The two largest units: `2m 5s`.
fn span(seconds: f64) -> String {
    let whole = Span((seconds.max(0.0) * 1000.0) as u64);
    if seconds < 1.0 {
        return whole.to_string();
    }
    let text = Span(whole.0 / 1000 * 1000).to_string();
    let ends = text.match_indices(|sign: char| sign.is_ascii_alphabetic()).map(|(at, _)| at + 1);
    let ends: Vec<usize> = ends.take(2).collect();
    match ends.as_slice() {
        [first, second] => format!("{} {}", &text[..*first], &text[*first..*second]),
        _ => text,
    }
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(2)).chain(" …".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_units_at_most() {
        let all = [0.0, 0.25, 1.9, 59.999, 125.0, 3_600.0, 3_661.5, 90_061.0].map(span);
        assert_eq!(all, ["0s", "250ms", "1s", "59s", "2m 5s", "1h", "1h 1m", "1d 1h"]);
    }
}
