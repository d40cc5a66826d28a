//! Alerts: what a stage asks to be told of, and when that is so. Pure: points go in one by one, and what begins or ends comes out.
//!
//! Deliberately not here: reading points, storing alerts, and silence (a matter of clocks, which the owner has).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Most rules of one stage.
pub const MAX_ALERTS: usize = 64;

/// What a stage asks to be told of: a condition on one of its metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// The metric's name, as the program prints it.
    pub metric: String,
    /// The condition.
    pub when: AlertWhen,
    /// The bound of `above` and `below`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub value: Option<f64>,
    /// So many points in a row; for `above` and `below` 1 where nothing is said.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub points: Option<u32>,
    /// What is better, for `no_improvement`; default `min`.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub mode: Better,
    /// What follows; default `notify`.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub action: AlertAction,
}

/// The conditions on a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlertWhen {
    /// It is not a number, or infinite.
    Nan,
    /// It is over `value`.
    Above,
    /// It is under `value`.
    Below,
    /// It has not been better than its best for so many points.
    NoImprovement,
}

/// Which of two values is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The smaller one.
    #[default]
    Min,
    /// The greater one.
    Max,
}

impl Better {
    /// Is `one` better than `other`? What is not finite is better than nothing.
    #[must_use]
    pub fn is_better(self, one: f64, other: f64) -> bool {
        match (one.is_finite(), other.is_finite()) {
            (false, _) => false,
            (true, false) => true,
            (true, true) => match self {
                Better::Min => one < other,
                Better::Max => one > other,
            },
        }
    }
}

/// What follows from an alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlertAction {
    /// People are told.
    #[default]
    Notify,
    /// They are told, and the attempt is stopped; it counts as failed.
    Stop,
}

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// No output for as long as the stage's `stall`.
    Stall,
    /// A metric is not a number, or infinite.
    Nan,
    /// A metric is over a bound.
    Above,
    /// A metric is under a bound.
    Below,
    /// A metric does not get better.
    NoImprovement,
}

impl From<AlertWhen> for AlertKind {
    fn from(when: AlertWhen) -> Self {
        match when {
            AlertWhen::Nan => AlertKind::Nan,
            AlertWhen::Above => AlertKind::Above,
            AlertWhen::Below => AlertKind::Below,
            AlertWhen::NoImprovement => AlertKind::NoImprovement,
        }
    }
}

/// A value of a metric, as JSON can hold it: what is not finite is a word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(untagged)]
pub enum Figure {
    /// A finite number.
    Number(f64),
    /// `nan`, `inf` or `-inf`.
    Word(String),
}

impl From<f64> for Figure {
    fn from(value: f64) -> Self {
        if value.is_finite() {
            Figure::Number(value)
        } else if value.is_nan() {
            Figure::Word("nan".to_owned())
        } else {
            Figure::Word(if value > 0.0 { "inf" } else { "-inf" }.to_owned())
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Figure::Number(value) => write!(f, "{value}"),
            Figure::Word(word) => f.write_str(word),
        }
    }
}

/// What is known of an alert: as stored, and as shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct AlertFacts {
    /// What it is about.
    pub kind: AlertKind,
    /// What follows from it.
    pub action: AlertAction,
    /// The metric; none of a stall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub metric: Option<String>,
    /// Its value when the alert was raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub value: Option<Figure>,
    /// The bound that it is beyond, or the best value before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub bound: Option<f64>,
    /// So many points in a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub points: Option<u32>,
    /// The step of the last of them, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub step: Option<i64>,
    /// Its epoch, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub epoch: Option<f64>,
    /// Of a stall: the time without output that raises it, milliseconds of running time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub stall_ms: Option<u64>,
}

impl AlertFacts {
    /// A stall.
    #[must_use]
    pub fn stall(limit_ms: u64, action: AlertAction) -> AlertFacts {
        AlertFacts {
            kind: AlertKind::Stall,
            action,
            metric: None,
            value: None,
            bound: None,
            points: None,
            step: None,
            epoch: None,
            stall_ms: Some(limit_ms),
        }
    }

    /// One sentence; `since`: when it began.
    #[must_use]
    pub fn sentence(&self, since: crate::time::UtcMs) -> String {
        let metric = self.metric.as_deref().unwrap_or_default();
        let value = self.value.as_ref().map(Figure::to_string).unwrap_or_default();
        let bound = self.bound.map(|bound| Figure::Number(bound).to_string()).unwrap_or_default();
        let points = self.points.unwrap_or(1);
        match (self.kind, points) {
            (AlertKind::Stall, _) => format!("no output since {since}"),
            (AlertKind::Nan, _) => format!("{metric} is {value}"),
            (AlertKind::Above, 0..=1) => format!("{metric} is {value}, above {bound}"),
            (AlertKind::Above, _) => format!("{metric} is {value}, above {bound} for {points} points"),
            (AlertKind::Below, 0..=1) => format!("{metric} is {value}, below {bound}"),
            (AlertKind::Below, _) => format!("{metric} is {value}, below {bound} for {points} points"),
            (AlertKind::NoImprovement, 0..=1) if self.bound.is_none() => format!("{metric} has no finite value"),
            (AlertKind::NoImprovement, _) if self.bound.is_none() => {
                format!("{metric} has had no finite value for {points} points")
            }
            (AlertKind::NoImprovement, 0..=1) => format!("{metric} has not improved on {bound}"),
            (AlertKind::NoImprovement, _) => format!("{metric} has not improved on {bound} for {points} points"),
        }
    }
}

/// One point, as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The metric's name.
    pub name: &'a str,
    /// The value.
    pub value: f64,
    /// The step, where known.
    pub step: Option<i64>,
    /// The epoch, where known.
    pub epoch: Option<f64>,
    /// When, UTC milliseconds.
    pub time_ms: i64,
}

/// Something that began, and may have ended, by one rule. The same episode may come again after a crash, with the same number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// The rule's place in the stage's `alerts`.
    pub rule: u32,
    /// From 1, within one attempt and rule.
    pub number: u32,
    /// When it began, UTC milliseconds.
    pub since: i64,
    /// When it ended.
    pub ended: Option<i64>,
    /// What is known of it.
    pub facts: AlertFacts,
}

/// What the rules of one attempt remember. Its serde form is kept with how far the log was read, so that reading goes on exactly there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    rules: Vec<Memory>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Memory {
    /// Points in a row for which it is so.
    row: u32,
    /// The time of the first of them, UTC milliseconds.
    first: i64,
    /// The best finite value.
    best: Option<f64>,
    /// The newest episode.
    last: Option<Episode>,
}

impl Watch {
    /// Takes a point; tells what began or ended by it.
    pub fn point(&mut self, rules: &[AlertRule], seen: Seen<'_>, told: &mut Vec<Episode>) {
        self.rules.resize_with(rules.len(), Memory::default);
        for (place, (rule, memory)) in rules.iter().zip(&mut self.rules).enumerate() {
            if rule.metric == seen.name
                && let Some(episode) = memory.take(rule, place as u32, seen)
            {
                told.push(episode);
            }
        }
    }

    /// The newest episode of each rule: told again by whoever takes up where another left, who may not have told it.
    pub fn newest(&self) -> impl Iterator<Item = &Episode> {
        self.rules.iter().filter_map(|memory| memory.last.as_ref())
    }
}

impl Memory {
    fn take(&mut self, rule: &AlertRule, place: u32, seen: Seen<'_>) -> Option<Episode> {
        let bound = rule.value.unwrap_or(0.0);
        let so = match rule.when {
            AlertWhen::Nan => !seen.value.is_finite(),
            AlertWhen::Above => seen.value > bound,
            AlertWhen::Below => seen.value < bound,
            AlertWhen::NoImprovement => !rule.mode.is_better(seen.value, self.best.unwrap_or(f64::NAN)),
        };
        if !so {
            self.row = 0;
            if rule.when == AlertWhen::NoImprovement {
                self.best = Some(seen.value);
            }
            let open = self.last.as_mut().filter(|episode| episode.ended.is_none())?;
            open.ended = Some(seen.time_ms);
            return Some(open.clone());
        }
        if self.row == 0 {
            self.first = seen.time_ms;
        }
        self.row = self.row.saturating_add(1);
        let wanted = rule.points.unwrap_or(1).max(1);
        if self.row < wanted || self.last.as_ref().is_some_and(|episode| episode.ended.is_none()) {
            return None;
        }
        let number = self.last.as_ref().map_or(0, |episode| episode.number) + 1;
        let facts = AlertFacts {
            kind: rule.when.into(),
            action: rule.action,
            metric: Some(rule.metric.clone()),
            value: Some(seen.value.into()),
            bound: if rule.when == AlertWhen::NoImprovement { self.best } else { rule.value },
            points: (rule.when != AlertWhen::Nan).then_some(wanted),
            step: seen.step,
            epoch: seen.epoch.filter(|epoch| epoch.is_finite()),
            stall_ms: None,
        };
        let episode = Episode { rule: place, number, since: self.first, ended: None, facts };
        self.last = Some(episode.clone());
        Some(episode)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
