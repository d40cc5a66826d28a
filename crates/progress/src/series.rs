//! The series of an attempt: at most 200, names of at most 128 bytes, 10 points a second each.
//!
//! Of the points within a second (counted from its first) the first nine go on at once; the newest of the rest is
//! held and goes on when the second is over, or at the end: the first and the latest are always there.

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
    second_ms: i64,
    sent: u8,
    held: Option<Bare>,
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
    /// The earliest second that a held point waits for.
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
        self.all.push(One { name: name.into(), source: Source::Nothing, second_ms: now_ms, sent: 0, held: None });
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
        if !(0..1000).contains(&now_ms.saturating_sub(one.second_ms)) {
            if let Some(held) = one.held.take() {
                self.held -= 1;
                sink.point(held.named(&one.name));
            }
            one.second_ms = now_ms;
            one.sent = 0;
        }
        if one.sent < POINTS_A_SECOND - 1 {
            one.sent += 1;
            sink.point(bare.named(&one.name));
            return None;
        }
        if one.held.replace(bare).is_some() {
            counters.dropped_points += 1;
            return Some(Note::PointsDropped { name: name.to_owned() });
        }
        self.due_ms = if self.held == 0 { one.second_ms } else { self.due_ms.min(one.second_ms) };
        self.held += 1;
        None
    }

    /// The newest values of those that wait for the end of their second.
    pub(crate) fn held(&self) -> impl Iterator<Item = (&str, f64)> {
        self.all.iter().filter_map(|one| one.held.map(|held| (&*one.name, held.value)))
    }

    /// Hands on the held points whose second is over; all of them at the end.
    pub(crate) fn flush(&mut self, now_ms: i64, end: bool, sink: &mut dyn Sink) {
        if self.held == 0 || (!end && (0..1000).contains(&now_ms.saturating_sub(self.due_ms))) {
            return;
        }
        let mut due = i64::MAX;
        for one in &mut self.all {
            if one.held.is_none() {
                continue;
            }
            if end || !(0..1000).contains(&now_ms.saturating_sub(one.second_ms)) {
                if let Some(held) = one.held.take() {
                    self.held -= 1;
                    sink.point(held.named(&one.name));
                }
                one.second_ms = now_ms;
                one.sent = 1;
            } else {
                due = due.min(one.second_ms);
            }
        }
        self.due_ms = due;
    }

    pub(crate) fn save(&self, to: &mut Writer) {
        to.usize(self.all.len());
        for one in &self.all {
            to.str(&one.name);
            one.source.save(to);
            to.i64(one.second_ms);
            to.u8(one.sent);
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
            let mut one = One {
                name: name.into(),
                source: Source::restore(from)?,
                second_ms: from.i64()?,
                sent: from.u8()?,
                held: None,
            };
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
