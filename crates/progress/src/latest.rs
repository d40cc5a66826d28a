//! The newest of everything: what a bar, a list or a tray icon shows.

use serde::{Deserialize, Serialize};

use crate::codec::{Restored, Saved, Writer};

/// Where the newest position came from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Nothing known yet.
    #[default]
    Nothing,
    /// A tqdm bar.
    Tqdm,
    /// The stage's own `progress_pattern`.
    Pattern,
    /// `##PROGRESS##` lines.
    Protocol,
}

impl Source {
    const ALL: [Source; 4] = [Source::Nothing, Source::Tqdm, Source::Pattern, Source::Protocol];

    pub(crate) fn save(self, to: &mut Writer) {
        to.u8(self as u8);
    }

    pub(crate) fn restore(from: &mut Saved<'_>) -> Restored<Source> {
        Ok(Source::ALL[from.usize(Source::ALL.len() - 1)?])
    }
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Lines and painted rows that ended.
    pub lines: u64,
    /// Lines of the protocol that were read.
    pub protocol_lines: u64,
    /// Lines of the protocol that could not be read.
    pub bad_lines: u64,
    /// Values of the wrong kind within good lines.
    pub bad_values: u64,
    /// Lines too long to be read.
    pub over_long: u64,
    /// Progress values outside 0 to 1, or going back.
    pub clamped: u64,
    /// Points read, stored or not.
    pub points: u64,
    /// Points left out because of 10 a second a series.
    pub dropped_points: u64,
    /// Points of series beyond the 200th.
    pub series_over: u64,
    /// Points and outputs with a name that is empty, too long or unprintable.
    pub bad_names: u64,
}

impl Counters {
    fn all(&mut self) -> [&mut u64; 10] {
        [
            &mut self.lines,
            &mut self.protocol_lines,
            &mut self.bad_lines,
            &mut self.bad_values,
            &mut self.over_long,
            &mut self.clamped,
            &mut self.points,
            &mut self.dropped_points,
            &mut self.series_over,
            &mut self.bad_names,
        ]
    }
}

/// The newest progress of an attempt.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Latest {
    /// Of this stage, 0 to 1, never outside, never going back within one inner stage.
    pub progress: Option<f64>,
    /// As the program gave it, before it was clamped.
    pub raw_progress: Option<f64>,
    /// The program's own idea of the whole, 0 to 1: given, or from an outer bar, or from epochs.
    pub overall_progress: Option<f64>,
    /// What it does now, at most 1,024 bytes.
    pub message: Option<String>,
    /// The program's own inner stage, at most 256 bytes.
    pub inner_stage: Option<String>,
    /// Steps done.
    pub step: Option<u64>,
    /// Steps in all.
    pub total: Option<u64>,
    /// The epoch under way; may be a fraction.
    pub epoch: Option<f64>,
    /// Epochs in all.
    pub epochs: Option<f64>,
    /// Seconds left at `updated_ms`: the tool's own figure where it gives one, else estimated.
    pub eta_s: Option<f64>,
    /// Steps a second.
    pub rate: Option<f64>,
    /// What the program says of itself, at most 256 bytes. Never a state.
    pub status: Option<String>,
    /// The error the program reports, at most 1,024 bytes. Never a state.
    pub error: Option<String>,
    /// When any of this changed last, milliseconds since the Unix epoch, as read.
    pub updated_ms: Option<i64>,
    /// What was counted.
    pub counters: Counters,
    /// Where the position came from.
    pub source: Source,
}

/// Longest message or error kept, bytes.
pub(crate) const MESSAGE_LIMIT: usize = 1024;
/// Longest inner stage or status kept, bytes.
pub(crate) const WORD_LIMIT: usize = 256;

/// The beginning of a text, at most so many bytes, whole characters.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// Sets a text, using the room it has.
pub(crate) fn set(to: &mut Option<String>, text: &str, limit: usize) {
    let text = cut(text, limit);
    match to {
        Some(old) if old == text => {}
        Some(old) => {
            old.clear();
            old.push_str(text);
        }
        None => *to = Some(text.to_owned()),
    }
}

impl Latest {
    fn numbers(&mut self) -> [&mut Option<f64>; 7] {
        [
            &mut self.progress,
            &mut self.raw_progress,
            &mut self.overall_progress,
            &mut self.epoch,
            &mut self.epochs,
            &mut self.eta_s,
            &mut self.rate,
        ]
    }

    fn texts(&mut self) -> [&mut Option<String>; 4] {
        [&mut self.message, &mut self.inner_stage, &mut self.status, &mut self.error]
    }

    pub(crate) fn save(&self, to: &mut Writer) {
        let mut copy = self.clone();
        for number in copy.numbers() {
            to.option(*number, Writer::f64);
        }
        for text in copy.texts() {
            to.option(text.as_deref(), Writer::str);
        }
        to.option(self.step, Writer::u64);
        to.option(self.total, Writer::u64);
        to.option(self.updated_ms, Writer::i64);
        for counter in copy.counters.all() {
            to.u64(*counter);
        }
        self.source.save(to);
    }

    pub(crate) fn restore(from: &mut Saved<'_>) -> Restored<Latest> {
        let mut latest = Latest::default();
        for number in latest.numbers() {
            *number = from.option(Saved::f64)?;
        }
        for text in latest.texts() {
            *text = from.option(|from| from.str().map(|text| cut(text, MESSAGE_LIMIT).to_owned()))?;
        }
        latest.step = from.option(Saved::u64)?;
        latest.total = from.option(Saved::u64)?;
        latest.updated_ms = from.option(Saved::i64)?;
        for counter in latest.counters.all() {
            *counter = from.u64()?;
        }
        latest.source = Source::restore(from)?;
        Ok(latest)
    }
}
