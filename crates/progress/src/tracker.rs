//! What lines tell, put together: the newest state, its rules, points on their way to the sink.
//!
//! A source that is better beats a worse one: the protocol, then the stage's own pattern, then a tool's format. A
//! position within one inner stage never goes back. A program's status is text and nothing else.

use crate::codec::{Restored, Saved, Writer};
use crate::eta::Estimate;
use crate::format::{Findings, Metric, Position};
use crate::latest::{Latest, MESSAGE_LIMIT, Source, WORD_LIMIT, set};
use crate::protocol::{CheckpointKey, Message, Number, Text};
use crate::series::{Bare, Series, good_name};
use crate::sink::{Checkpoint, Level, Note, Sink};
use crate::time;

/// A path longer than this is none, bytes.
const PATH_LIMIT: usize = 4096;
/// A tool's own figure for the time left counts down so long without a new one.
const TOOL_ETA_MS: i64 = 60_000;

/// Where and when a line was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) offset: u64,
    pub(crate) now_ms: i64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Tracker {
    pub(crate) latest: Latest,
    pub(crate) series: Series,
    estimate: Estimate,
    /// Notes already said, a bit each.
    said: u16,
    /// A tool's own figure for the time left, and when it was given.
    tool_eta: Option<(f64, i64)>,
    /// Steps were seen to begin anew with an epoch.
    steps_of_epoch: bool,
    /// The first epoch was 0.
    epochs_from_zero: Option<bool>,
}

fn note_bit(note: &Note) -> u16 {
    1 << match note {
        Note::ProgressClamped { .. } => 0,
        Note::ProgressWentBack { .. } => 1,
        Note::LineTooLong { .. } => 2,
        Note::BadLine { .. } => 3,
        Note::BadValue { .. } => 4,
        Note::TooManySeries { .. } => 5,
        Note::BadName { .. } => 6,
        Note::PointsDropped { .. } => 7,
        Note::ChildStatus { .. } => 8,
        Note::ChildError { .. } => 9,
    }
}

/// A figure of a position: finite and not negative.
fn figure(number: Number, wrong: &mut u64) -> Option<f64> {
    match number {
        Number::Absent => None,
        number => {
            let value = number.real().filter(|n| n.is_finite() && *n >= 0.0);
            *wrong += u64::from(value.is_none());
            value
        }
    }
}

fn counted(number: Number, wrong: &mut u64) -> Option<u64> {
    number.whole().unwrap_or_else(|()| {
        *wrong += 1;
        None
    })
}

fn text<'a>(text: &'a Text<'_>, wrong: &mut u64) -> Option<&'a str> {
    *wrong += u64::from(*text == Text::Wrong);
    text.get()
}

impl Tracker {
    pub(crate) fn new() -> Tracker {
        Tracker { estimate: Estimate::new(), ..Tracker::default() }
    }

    /// Says something, once.
    pub(crate) fn note(&mut self, note: Note, sink: &mut dyn Sink) {
        let bit = note_bit(&note);
        if self.said & bit == 0 {
            self.said |= bit;
            sink.note(note);
        }
    }

    pub(crate) fn too_long(&mut self, offset: u64, bytes: u64, sink: &mut dyn Sink) {
        self.latest.counters.over_long += 1;
        self.note(Note::LineTooLong { offset, bytes }, sink);
    }

    pub(crate) fn bad_line(&mut self, offset: u64, reason: String, sink: &mut dyn Sink) {
        self.latest.counters.bad_lines += 1;
        self.note(Note::BadLine { offset, reason }, sink);
    }

    /// Takes a line of the protocol.
    pub(crate) fn protocol(&mut self, m: &Message<'_>, at: At, sink: &mut dyn Sink) {
        let mut wrong = m.wrong;
        self.latest.counters.protocol_lines += 1;
        self.latest.updated_ms = Some(at.now_ms);
        let kind = text(&m.kind, &mut wrong).unwrap_or("progress");
        let time_ms = match text(&m.timestamp, &mut wrong) {
            None => at.now_ms,
            Some(stamp) => time::parse(stamp).unwrap_or_else(|| {
                wrong += 1;
                at.now_ms
            }),
        };
        let level = m.level().unwrap_or_else(|()| {
            wrong += 1;
            None
        });
        if kind == "log" || level.is_some() {
            sink.log_level(at.offset, level.unwrap_or(Level::Info));
        }
        if let Some(message) = text(&m.message, &mut wrong)
            && kind != "log"
        {
            set(&mut self.latest.message, message, MESSAGE_LIMIT);
        }
        if let Some(status) = text(&m.status, &mut wrong) {
            set(&mut self.latest.status, status, WORD_LIMIT);
            if let Some(status) = self.latest.status.clone().filter(|_| self.said & (1 << 8) == 0) {
                self.note(Note::ChildStatus { status }, sink);
            }
        }
        if let Some(error) = text(&m.error, &mut wrong) {
            set(&mut self.latest.error, error, MESSAGE_LIMIT);
            if let Some(error) = self.latest.error.clone().filter(|_| self.said & (1 << 9) == 0) {
                self.note(Note::ChildError { error }, sink);
            }
        }
        let position = self.protocol_position(m, &mut wrong);
        if let Some(position) = &position {
            self.place(Source::Protocol, position, at.now_ms, sink);
        }
        let step = position.as_ref().and_then(|position| position.step).or(self.own(self.latest.step));
        let epoch = position.as_ref().and_then(|position| position.epoch).or(self.own(self.latest.epoch));
        for (name, number) in &m.metrics {
            match number {
                Number::Absent => {}
                number => match number.real() {
                    Some(value) => {
                        self.point(name, (Source::Protocol, Bare { step, epoch, time_ms, value }), at.now_ms, sink);
                    }
                    None => wrong += 1,
                },
            }
        }
        if let Some(key) = &m.checkpoint {
            self.checkpoint(key, Bare { step, epoch, time_ms, value: 0.0 }, &mut wrong, sink);
        }
        for (name, raw) in &m.outputs {
            if !good_name(name) {
                self.latest.counters.bad_names += 1;
                let name = crate::latest::cut(name, 128).escape_debug().to_string();
                self.note(Note::BadName { name }, sink);
            } else if let Ok(value) = serde_json::from_str(raw.get()) {
                sink.output(name, value);
            }
        }
        for (name, raw) in &m.unknown {
            sink.unknown(at.offset, name, raw.get());
        }
        if wrong > 0 {
            self.latest.counters.bad_values += wrong;
            self.note(Note::BadValue { offset: at.offset }, sink);
        }
    }

    /// A figure of the newest state, if it is the protocol's own.
    fn own<T>(&self, value: Option<T>) -> Option<T> {
        value.filter(|_| self.latest.source == Source::Protocol)
    }

    fn protocol_position(&mut self, m: &Message<'_>, wrong: &mut u64) -> Option<Position> {
        let progress = match m.progress {
            Number::Wrong => {
                *wrong += 1;
                None
            }
            number => number.real(),
        };
        let overall = match m.overall {
            Number::Wrong => {
                *wrong += 1;
                None
            }
            number => number.real(),
        };
        let position = Position {
            progress,
            overall,
            inner_stage: text(&m.stage, wrong).map(|stage| crate::latest::cut(stage, WORD_LIMIT).to_owned()),
            step: counted(m.step, wrong),
            total: counted(m.total, wrong),
            epoch: figure(m.epoch, wrong),
            epochs: figure(m.epochs, wrong),
            eta_s: figure(m.eta_s, wrong),
            rate: None,
            fresh: false,
        };
        (position != Position::default()).then_some(position)
    }

    fn checkpoint(&mut self, key: &CheckpointKey<'_>, of: Bare, wrong: &mut u64, sink: &mut dyn Sink) {
        let path = key.path.get().filter(|path| !path.is_empty() && path.len() <= PATH_LIMIT && !path.contains('\0'));
        let Some(path) = path else {
            *wrong += 1;
            return;
        };
        let step = counted(key.step, wrong).or(of.step);
        let epoch = figure(key.epoch, wrong).or(of.epoch);
        let mut metrics = Vec::with_capacity(key.metrics.len());
        for (name, number) in &key.metrics {
            if good_name(name) && *number != Number::Wrong {
                metrics.push((name.clone().into_owned(), number.real()));
            } else {
                *wrong += 1;
            }
        }
        sink.checkpoint(Checkpoint { path: path.to_owned(), step, epoch, metrics, time_ms: of.time_ms });
    }

    fn point(&mut self, name: &str, point: (Source, Bare), now_ms: i64, sink: &mut dyn Sink) {
        if let Some(note) = self.series.push(name, point, now_ms, &mut self.latest.counters, sink) {
            self.note(note, sink);
        }
    }

    /// Takes what a format or a pattern found.
    pub(crate) fn found(&mut self, source: Source, findings: &Findings, now_ms: i64, sink: &mut dyn Sink) {
        if let Some(position) = &findings.position {
            self.place(source, position, now_ms, sink);
        }
        self.metrics(source, &findings.metrics, now_ms, sink);
    }

    pub(crate) fn metrics(&mut self, source: Source, metrics: &[Metric], now_ms: i64, sink: &mut dyn Sink) {
        for metric in metrics {
            self.latest.updated_ms = Some(now_ms);
            let bare = Bare { step: metric.step, epoch: metric.epoch, time_ms: now_ms, value: metric.value };
            self.point(&metric.name, (source, bare), now_ms, sink);
        }
    }

    /// A new position from a source, if none is better.
    pub(crate) fn place(&mut self, source: Source, position: &Position, now_ms: i64, sink: &mut dyn Sink) {
        if source < self.latest.source {
            return;
        }
        let mut fresh = position.fresh || source > self.latest.source;
        self.latest.source = source;
        self.latest.updated_ms = Some(now_ms);
        if fresh && source == Source::Tqdm {
            self.latest.inner_stage = None;
            self.latest.rate = None;
        }
        if let Some(stage) = &position.inner_stage {
            fresh |= source != Source::Tqdm && self.latest.inner_stage.as_ref() != Some(stage);
            set(&mut self.latest.inner_stage, stage, WORD_LIMIT);
        }
        let derived = if position.progress.is_none() && source != Source::Tqdm {
            self.derive(position, &mut fresh)
        } else {
            position.progress
        };
        let keep = source != Source::Tqdm;
        let latest = &mut self.latest;
        let update = |to: &mut Option<f64>, value: Option<f64>| *to = value.or(to.filter(|_| keep));
        update(&mut latest.epoch, position.epoch);
        update(&mut latest.epochs, position.epochs);
        latest.step = position.step.or(latest.step.filter(|_| keep));
        latest.total = position.total.or(latest.total.filter(|_| keep));
        match position.overall {
            Some(overall) if (0.0..=1.0).contains(&overall) => latest.overall_progress = Some(overall),
            Some(overall) => {
                latest.counters.clamped += 1;
                if !overall.is_nan() {
                    latest.overall_progress = Some(overall.clamp(0.0, 1.0));
                }
                self.note(Note::ProgressClamped { raw: overall.to_string() }, sink);
            }
            None if !keep => latest.overall_progress = None,
            None => {}
        }
        match derived {
            Some(progress) => self.progress(progress, fresh, sink),
            None if fresh && !keep => {
                self.latest.progress = None;
                self.latest.raw_progress = None;
            }
            None => {}
        }
        self.time_left(position, now_ms);
    }

    /// Progress where none is given: step/total; with steps that begin anew each epoch, by epochs.
    fn derive(&mut self, position: &Position, fresh: &mut bool) -> Option<f64> {
        let epoch = position.epoch.or(self.latest.epoch);
        if let Some(epoch) = position.epoch {
            self.epochs_from_zero.get_or_insert(epoch == 0.0);
        }
        let epochs = position.epochs.or(self.latest.epochs).filter(|epochs| *epochs > 0.0);
        let (Some(step), Some(total)) = (position.step, position.total.or(self.latest.total)) else {
            // Epochs alone: those done.
            let (epoch, epochs) = (position.epoch?, epochs?);
            return (position.step.is_none() && self.latest.total.is_none()).then_some(epoch / epochs);
        };
        if total == 0 {
            return None;
        }
        let of_total = step as f64 / total as f64;
        let later = matches!((self.latest.epoch, position.epoch), (Some(before), Some(now)) if now > before);
        if later && self.latest.step.is_some_and(|before| step < before) {
            *fresh |= !self.steps_of_epoch;
            self.steps_of_epoch = true;
        }
        match (epoch, epochs) {
            (Some(epoch), Some(epochs)) if self.steps_of_epoch => {
                let done = if self.epochs_from_zero == Some(true) { epoch } else { epoch - 1.0 };
                Some((done.floor().max(0.0) + of_total) / epochs)
            }
            _ => {
                *fresh |= self.steps_of_epoch && later;
                Some(of_total)
            }
        }
    }

    fn progress(&mut self, raw: f64, fresh: bool, sink: &mut dyn Sink) {
        self.latest.raw_progress = Some(raw);
        if !(0.0..=1.0).contains(&raw) {
            self.latest.counters.clamped += 1;
            self.note(Note::ProgressClamped { raw: raw.to_string() }, sink);
            if raw.is_nan() {
                return;
            }
        }
        let clamped = raw.clamp(0.0, 1.0);
        match self.latest.progress {
            Some(before) if clamped < before && !fresh => {
                if (0.0..=1.0).contains(&raw) {
                    self.latest.counters.clamped += 1;
                    self.note(Note::ProgressWentBack { from: before, to: raw }, sink);
                }
            }
            _ => self.latest.progress = Some(clamped),
        }
    }

    fn time_left(&mut self, position: &Position, now_ms: i64) {
        let latest = &mut self.latest;
        if let Some(progress) = latest.progress
            && self.estimate.observe(now_ms, progress)
        {
            // Steps a second, where the tool does not say.
            latest.rate = self.estimate.rate().zip(latest.total).map(|(rate, total)| rate * total as f64);
        }
        if position.rate.is_some() {
            latest.rate = position.rate;
        }
        if let Some(eta_s) = position.eta_s {
            self.tool_eta = Some((eta_s, now_ms));
            latest.eta_s = Some(eta_s);
            return;
        }
        if latest.source == Source::Tqdm {
            self.tool_eta = None;
        }
        latest.eta_s = match self.tool_eta {
            Some((eta_s, at)) if now_ms.saturating_sub(at) < TOOL_ETA_MS => {
                Some((eta_s - now_ms.saturating_sub(at) as f64 / 1000.0).max(0.0))
            }
            _ => self.estimate.left(now_ms),
        };
    }

    pub(crate) fn save(&self, to: &mut Writer) {
        self.latest.save(to);
        self.series.save(to);
        self.estimate.save(to);
        to.u64(u64::from(self.said));
        to.option(self.tool_eta, |to, (eta, at)| {
            to.f64(eta);
            to.i64(at);
        });
        to.bool(self.steps_of_epoch);
        to.option(self.epochs_from_zero, Writer::bool);
    }

    pub(crate) fn restore(from: &mut Saved<'_>) -> Restored<Tracker> {
        Ok(Tracker {
            latest: Latest::restore(from)?,
            series: Series::restore(from)?,
            estimate: Estimate::restore(from)?,
            said: from.usize(usize::from(u16::MAX))? as u16,
            tool_eta: from.option(|from| Ok((from.f64()?, from.i64()?)))?,
            steps_of_epoch: from.bool()?,
            epochs_from_zero: from.option(Saved::bool)?,
        })
    }
}
