//! The series of an attempt: at most 200, names of at most 128 bytes, 10 points a second each.
//!
//! A second is that of the reader, who may come late and find a minute's output at once, as a program may write it at once: what was
//! not used before can be used then, up to ten minutes' worth, and a minute's at the beginning. Of what is over that the newest is
//! held and goes on when there is room, or at the end: the latest is always there.

use std::collections::HashMap;

use crate::codec::{RestoreError, Restored, Saved, Writer};
use crate::latest::{Counters, Source, cut};
use crate::sink::{Note, Point, Sink};

/// Series of one attempt.
pub const SERIES_LIMIT: usize = 200;
/// Bytes of a name.
pub const NAME_LIMIT: usize = 128;
/// Points of a series stored within a second.
pub const POINTS_A_SECOND: u8 = 10;

/// A point takes so much time of its series, milliseconds.
const COST_MS: i64 = 1_000 / POINTS_A_SECOND as i64;
/// So much unused time counts.
const MOST_MS: i64 = 600_000;
/// So much a new series begins with: when its program began is not known here.
const FIRST_MS: i64 = 60_000;
/// Further ahead than this nothing was spent: the clock was put back.
const AHEAD_MS: i64 = 1_000;

/// A point without its name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bare {
    pub(crate) step: Option<u64>,
    pub(crate) epoch: Option<f64>,
    pub(crate) time_ms: i64,
    pub(crate) value: f64,
}

#[derive(Debug, Clone)]
struct One {
    name: Box<str>,
    /// The best source that knows it; weaker ones do not count.
    source: Source,
    /// The time that its points have taken so far, on the reader's clock.
    spent_ms: i64,
    held: Option<Bare>,
}

impl One {
    /// Whether a point can go on now.
    fn has_room(&mut self, now_ms: i64) -> bool {
        self.spent_ms = self.spent_ms.max(now_ms.saturating_sub(MOST_MS));
        if self.spent_ms > now_ms.saturating_add(AHEAD_MS) {
            self.spent_ms = now_ms - COST_MS;
        }
        self.spent_ms + COST_MS <= now_ms
    }
}

/// Whether the name of a metric or an output can be used.
pub(crate) fn good_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_LIMIT && !name.chars().any(char::is_control)
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    all: Vec<One>,
    index: HashMap<Box<str>, u16>,
    /// Where the last point was found: programs write their metrics in the same order each time.
    last: usize,
    /// Series with a held point.
    held: usize,
    /// When the first held point can go on.
    due_ms: i64,
}

impl Series {
    /// The place of a series; a new one where there is room.
    fn find(&mut self, name: &str, now_ms: i64) -> Option<usize> {
        for guess in [self.last + 1, 0] {
            if self.all.get(guess).is_some_and(|one| &*one.name == name) {
                return Some(guess);
            }
        }
        if let Some(at) = self.index.get(name) {
            return Some(usize::from(*at));
        }
        if self.all.len() >= SERIES_LIMIT {
            return None;
        }
        self.index.insert(name.into(), self.all.len() as u16);
        self.all.push(One { name: name.into(), source: Source::Nothing, spent_ms: now_ms - FIRST_MS, held: None });
        Some(self.all.len() - 1)
    }

    /// Takes a point. Returns a note the first time something is left out.
    pub(crate) fn push(
        &mut self,
        name: &str,
        (source, bare): (Source, Bare),
        now_ms: i64,
        counters: &mut Counters,
        sink: &mut dyn Sink,
    ) -> Option<Note> {
        if !good_name(name) {
            counters.bad_names += 1;
            return Some(Note::BadName { name: cut(name, NAME_LIMIT).escape_debug().to_string() });
        }
        let Some(at) = self.find(name, now_ms) else {
            counters.series_over += 1;
            return Some(Note::TooManySeries { name: name.to_owned() });
        };
        self.last = at;
        let one = &mut self.all[at];
        if source < one.source {
            return None;
        }
        one.source = source;
        counters.points += 1;
        if one.has_room(now_ms)
            && let Some(held) = one.held.take()
        {
            self.held -= 1;
            one.spent_ms += COST_MS;
            sink.point(held.named(&one.name));
        }
        if one.held.is_none() && one.has_room(now_ms) {
            one.spent_ms += COST_MS;
            sink.point(bare.named(&one.name));
            return None;
        }
        if one.held.replace(bare).is_some() {
            counters.dropped_points += 1;
            return Some(Note::PointsDropped { name: name.to_owned() });
        }
        let due = one.spent_ms + COST_MS;
        self.due_ms = if self.held == 0 { due } else { self.due_ms.min(due) };
        self.held += 1;
        None
    }

    /// The newest values of those that wait for the end of their second.
    pub(crate) fn held(&self) -> impl Iterator<Item = (&str, f64)> {
        self.all.iter().filter_map(|one| one.held.map(|held| (&*one.name, held.value)))
    }

    /// Hands on the held points for which there is room; all of them at the end.
    pub(crate) fn flush(&mut self, now_ms: i64, end: bool, sink: &mut dyn Sink) {
        if self.held == 0 || (!end && (1..=AHEAD_MS).contains(&self.due_ms.saturating_sub(now_ms))) {
            return;
        }
        let mut due = i64::MAX;
        for one in self.all.iter_mut().filter(|one| one.held.is_some()) {
            if end || one.has_room(now_ms) {
                if let Some(held) = one.held.take() {
                    self.held -= 1;
                    one.spent_ms += COST_MS;
                    sink.point(held.named(&one.name));
                }
            } else {
                due = due.min(one.spent_ms + COST_MS);
            }
        }
        self.due_ms = due;
    }

    pub(crate) fn save(&self, to: &mut Writer) {
        to.usize(self.all.len());
        for one in &self.all {
            to.str(&one.name);
            one.source.save(to);
            to.i64(one.spent_ms);
            // Of an older format, which counted the points of a second.
            to.u8(0);
            to.option(one.held, |to, held| {
                to.option(held.step, Writer::u64);
                to.option(held.epoch, Writer::f64);
                to.i64(held.time_ms);
                to.f64(held.value);
            });
        }
        to.usize(self.last);
        to.i64(self.due_ms);
    }

    pub(crate) fn restore(from: &mut Saved<'_>) -> Restored<Series> {
        let mut series = Series::default();
        for at in 0..from.usize(SERIES_LIMIT)? {
            let name = from.str()?;
            let mut one = One { name: name.into(), source: Source::restore(from)?, spent_ms: from.i64()?, held: None };
            let _ = from.u8()?;
            one.held = from.option(|from| {
                Ok(Bare {
                    step: from.option(Saved::u64)?,
                    epoch: from.option(Saved::f64)?,
                    time_ms: from.i64()?,
                    value: from.f64()?,
                })
            })?;
            series.held += usize::from(one.held.is_some());
            if !good_name(name) || series.index.insert(name.into(), at as u16).is_some() {
                return Err(RestoreError::Damaged);
            }
            series.all.push(one);
        }
        series.last = from.usize(SERIES_LIMIT)?;
        series.due_ms = from.i64()?;
        Ok(series)
    }
}

impl Bare {
    fn named<'a>(&self, name: &'a str) -> Point<'a> {
        Point { name, step: self.step, epoch: self.epoch, time_ms: self.time_ms, value: self.value }
    }
}
