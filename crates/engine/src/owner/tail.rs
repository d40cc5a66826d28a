//! One attempt's log, read once from its start to its end: progress, points, checkpoints and outputs. What was read and how far are
//! stored in one transaction, so that another owner goes on exactly there.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use footplate_core::alert::{AlertRule, Episode, Seen, Watch};
use footplate_progress::{Checkpoint, Latest, Note, Options, Point, Reader, Sink};
use footplate_shim::clock;
use footplate_shim::folder::AttemptDir;
use footplate_shim::log::{LogRead, LogReader};
use footplate_store::telemetry::{CheckpointRow, PointRow, ReaderMark, Telemetry};
use indexmap::IndexMap;
use serde_json::Value;

use super::handed::{Handed, TOO_MANY};

/// How much is read at a time, bytes.
const CHUNK: usize = 128 * 1024;

/// What is known once the end was reached.
#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    /// Values handed on through progress lines; the newest of each key.
    pub(super) outputs: IndexMap<String, Value>,
    /// Offset up to which the log was read.
    pub(super) read_to: u64,
    /// What was odd in the output since the owner took it up, said once each.
    pub(super) notes: Vec<String>,
    /// Why reading stopped before the end.
    pub(super) fault: Option<String>,
    /// What began or ended by the stage's rules, and was not told yet.
    pub(super) episodes: Vec<Episode>,
}

/// How an attempt's output is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    /// The stage's patterns.
    pub(super) options: Options,
    /// The rules on its metrics.
    pub(super) rules: Arc<[AlertRule]>,
}

/// The newest state of an attempt, for those who look.
#[derive(Clone, Debug, Default)]
pub(super) struct Newest {
    /// Position and message.
    pub(super) latest: Latest,
    /// The newest value of each metric.
    pub(super) values: IndexMap<String, f64>,
    /// Offset up to which the log was read.
    pub(super) read_to: u64,
}

/// Reads one attempt's log.
pub(super) struct Tail {
    log: LogReader,
    reader: Reader,
    rules: Arc<[AlertRule]>,
    watch: Watch,
    /// What is stored in `telemetry.db` and not told yet.
    told: Vec<Episode>,
    stage: u32,
    attempt: u32,
    telemetry_path: PathBuf,
    telemetry: Option<Telemetry>,
    offset: u64,
    /// Bytes that the cap dropped before they were read: the reader does not know of them.
    skipped: u64,
    collected: Collected,
    values: IndexMap<String, f64>,
    handed: Handed,
    buffer: Vec<u8>,
}

#[derive(Default)]
struct Collected {
    points: Vec<PointRow>,
    checkpoints: Vec<CheckpointRow>,
    outputs: Vec<(String, Value)>,
    notes: Vec<String>,
    stage: u32,
    attempt: u32,
    now: i64,
}

impl Sink for Collected {
    fn point(&mut self, p: Point<'_>) {
        self.points.push(PointRow {
            stage: self.stage,
            attempt: self.attempt,
            name: p.name.into(),
            step: p.step.map(|s| i64::try_from(s).unwrap_or(i64::MAX)),
            epoch: p.epoch,
            time: p.time_ms,
            value: p.value,
        });
    }
    fn checkpoint(&mut self, c: Checkpoint) {
        self.checkpoints.push(CheckpointRow {
            stage: self.stage,
            attempt: self.attempt,
            path: c.path,
            step: c.step.map(|s| i64::try_from(s).unwrap_or(i64::MAX)),
            epoch: c.epoch,
            time: c.time_ms,
            size: None,
            data: serde_json::to_string(&c.metrics.into_iter().collect::<IndexMap<_, _>>()).unwrap_or_default(),
        });
    }
    fn output(&mut self, key: &str, value: Value) {
        self.outputs.push((key.to_owned(), value));
    }
    fn note(&mut self, n: Note) {
        self.notes.push(said(&n));
    }
}

impl Tail {
    /// Takes up the log where the last reader stored its mark, or at its start.
    #[must_use]
    pub(super) fn open(dir: &AttemptDir, telemetry_path: PathBuf, stage: u32, attempt: u32, reading: Reading) -> Tail {
        // Opened for writing where it is there; made at the first point where it is not.
        let there = telemetry_path.exists();
        let mut telemetry = if there { Telemetry::open(&telemetry_path, true).ok().flatten() } else { None };
        let mut tail = Tail {
            log: LogReader::new(dir),
            reader: reader(&reading.options),
            rules: reading.rules,
            watch: Watch::default(),
            told: Vec::new(),
            stage,
            attempt,
            telemetry_path,
            telemetry: None,
            offset: 0,
            skipped: 0,
            collected: Collected { stage, attempt, ..Collected::default() },
            values: IndexMap::new(),
            handed: Handed::default(),
            buffer: Vec::new(),
        };
        if let Some(store) = &mut telemetry
            && let Ok(Some((_, state))) = store.mark(stage, attempt)
            && let Some(saved) = Saved::read(&state)
            && let Ok(reader) = Reader::restore(reading.options, saved.reader)
        {
            // The reader says itself from where it goes on: it may want the beginning of a long line again.
            tail.skipped = saved.skipped;
            tail.watch = saved.watch.into_owned();
            // Whoever stored them may have died before they were told.
            tail.told.extend(tail.watch.newest().cloned());
            tail.offset = reader.offset() + tail.skipped;
            tail.reader = reader;
            tail.values = store
                .last_values(stage, attempt)
                .unwrap_or_default()
                .into_iter()
                .map(|p| (p.name.to_string(), p.value))
                .collect();
            let _ = tail.handed.take(&mut store.outputs(stage, attempt).unwrap_or_default());
        }
        tail.telemetry = telemetry;
        tail
    }

    /// Reads what is there, at most so many bytes, and stores what it found. True: the end was reached.
    ///
    /// # Errors
    /// What reading the log or storing says.
    pub(super) fn advance(&mut self, at_most: usize) -> io::Result<bool> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(CHUNK, 0);
        let mut left = at_most;
        let end = loop {
            if left == 0 {
                break Ok(false);
            }
            let room = left.min(CHUNK);
            match self.log.read_at(self.offset, &mut buffer[..room]) {
                Ok(LogRead::Bytes(n)) => {
                    self.collected.now = clock::wall_ms();
                    self.reader.feed(&buffer[..n], self.collected.now, &mut self.collected);
                    self.offset += n as u64;
                    left -= n;
                }
                Ok(LogRead::Dropped { next }) => {
                    self.skipped += next - self.offset;
                    self.offset = next;
                }
                Ok(LogRead::End) => break Ok(true),
                Err(error) => break Err(error),
            }
        };
        self.buffer = buffer;
        self.store()?;
        end
    }

    /// Reads to the end and takes an unfinished last line for a line.
    #[must_use]
    pub(super) fn finish(mut self) -> (Summary, Newest) {
        let mut fault = None;
        loop {
            match self.advance(usize::MAX) {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => {
                    fault = Some(format!("the log could not be read beyond byte {}: {error}", self.offset));
                    break;
                }
            }
        }
        self.collected.now = clock::wall_ms();
        self.reader.finish(self.collected.now, &mut self.collected);
        if let Err(error) = self.store() {
            fault.get_or_insert_with(|| format!("what the log says could not be stored: {error}"));
        }
        let (newest, episodes) = (self.newest(), self.told());
        (
            Summary {
                outputs: self.handed.values(),
                read_to: self.offset,
                notes: self.collected.notes,
                fault,
                episodes,
            },
            newest,
        )
    }

    /// Offset up to which the log was read.
    #[must_use]
    pub(super) fn read_to(&self) -> u64 {
        self.offset
    }

    /// What began or ended by the stage's rules since this was asked last; it is stored by then.
    pub(super) fn told(&mut self) -> Vec<Episode> {
        std::mem::take(&mut self.told)
    }

    /// The newest state.
    #[must_use]
    pub(super) fn newest(&self) -> Newest {
        let mut values = self.values.clone();
        values.extend(self.reader.held().map(|(name, value)| (name.to_owned(), value)));
        Newest { latest: self.reader.state().clone(), values, read_to: self.offset }
    }

    fn store(&mut self) -> io::Result<()> {
        let found = &mut self.collected;
        if found.points.is_empty() && found.checkpoints.is_empty() && found.outputs.is_empty() {
            return Ok(());
        }
        for point in &found.points {
            match self.values.get_mut(&*point.name) {
                Some(value) => *value = point.value,
                None => {
                    self.values.insert(point.name.to_string(), point.value);
                }
            }
        }
        if self.handed.take(&mut found.outputs) {
            found.notes.push(TOO_MANY.to_owned());
        }
        if self.telemetry.is_none() {
            self.telemetry = Telemetry::open(&self.telemetry_path, true).map_err(io::Error::other)?;
        }
        if let Some(telemetry) = &mut self.telemetry {
            let mut watch = self.watch.clone();
            let mut episodes = Vec::new();
            for point in &found.points {
                watch.point(&self.rules, seen(point), &mut episodes);
            }
            let state =
                Saved { skipped: self.skipped, watch: Cow::Borrowed(&watch), reader: &self.reader.save() }.write();
            let mark = ReaderMark { stage: self.stage, attempt: self.attempt, offset: self.offset, state: &state };
            telemetry.commit(&mark, &found.points, &found.checkpoints, &found.outputs).map_err(io::Error::other)?;
            self.watch = watch;
            self.told.append(&mut episodes);
        }
        found.points.clear();
        found.checkpoints.clear();
        found.outputs.clear();
        Ok(())
    }
}

fn seen(point: &PointRow) -> Seen<'_> {
    Seen { name: &point.name, value: point.value, step: point.step, epoch: point.epoch, time_ms: point.time }
}

/// What a mark holds beside the offset: bytes skipped, what the rules remember where there are any, and the reader's own state.
struct Saved<'a> {
    skipped: u64,
    watch: Cow<'a, Watch>,
    reader: &'a [u8],
}

impl<'a> Saved<'a> {
    /// Set in `skipped`: what the rules remember follows, its length before it. No log is so long.
    const WATCHED: u64 = 1 << 63;

    fn read(state: &'a [u8]) -> Option<Saved<'a>> {
        let (skipped, rest) = state.split_first_chunk::<8>()?;
        let skipped = u64::from_le_bytes(*skipped);
        if skipped & Self::WATCHED == 0 {
            return Some(Saved { skipped, watch: Cow::default(), reader: rest });
        }
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (watch, reader) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        Some(Saved {
            skipped: skipped & !Self::WATCHED,
            watch: Cow::Owned(serde_json::from_slice(watch).ok()?),
            reader,
        })
    }

    fn write(&self) -> Vec<u8> {
        let watched = *self.watch != Watch::default();
        let mut state = (self.skipped | if watched { Self::WATCHED } else { 0 }).to_le_bytes().to_vec();
        if watched {
            let watch = serde_json::to_vec(&*self.watch).unwrap_or_default();
            state.extend((watch.len() as u32).to_le_bytes());
            state.extend(watch);
        }
        state.extend(self.reader);
        state
    }
}

/// Patterns were compiled when the run was checked. One that does not compile any more is left out: progress is still read.
fn reader(options: &Options) -> Reader {
    match Reader::new(options.clone()).or_else(|_| Reader::new(Options::default())) {
        Ok(reader) => reader,
        Err(_) => unreachable!("without patterns nothing can be wrong with them"),
    }
}

/// A note as a sentence.
fn said(note: &Note) -> String {
    match note {
        Note::ProgressClamped { raw } => format!("the program said progress {raw}; the bar shows 0 to 100 %"),
        Note::ProgressWentBack { from, to } => format!("progress went back from {from} to {to}; the bar stays"),
        Note::LineTooLong { offset, bytes } => {
            format!("a line of {bytes} bytes (at byte {offset} of the log) is log only")
        }
        Note::BadLine { offset, reason } => {
            format!("a ##PROGRESS## line at byte {offset} of the log could not be read: {reason}")
        }
        Note::BadValue { offset } => {
            format!("a ##PROGRESS## line at byte {offset} of the log has a value of the wrong kind")
        }
        Note::TooManySeries { name } => format!("more than 200 metrics: {name} and later ones are not stored"),
        Note::BadName { name } => format!("{name:?} is no name for a metric"),
        Note::PointsDropped { name } => format!("{name} had more than 10 points a second; some were left out"),
        Note::ChildStatus { status } => format!("the program says its status is {status:?}; only its exit counts"),
        Note::ChildError { error } => format!("the program reports an error: {error}"),
    }
}
