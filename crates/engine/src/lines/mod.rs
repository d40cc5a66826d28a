//! Logs by lines: pages of one, and where in it a text stands. What was counted once is kept, so that a log of a million lines opens at
//! once and grows without being read again.
//!
//! Deliberately not here: drawing, and following (whoever looks asks again).

mod index;
mod text;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use footplate_core::{AttemptKey, ErrorCode, Fault, UtcMs};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::logs::{LogGap, LogSource, LogTime};
use index::{Index, Line};

pub use index::LogMode;
pub use text::Level;

/// Logs whose lines are kept counted.
const KEPT: usize = 8;
/// Most lines that a search names.
const HITS_MOST: usize = 10_000;

/// Which log, and how it becomes lines.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LogQuery {
    /// The run's number.
    pub number: i64,
    /// Else the stage that runs, failed, or ended last.
    pub stage: Option<String>,
    /// Else the newest.
    pub attempt: Option<u32>,
    /// How it becomes lines.
    pub mode: LogMode,
    /// Count from the line that holds this byte: a page's `from` is then so many lines after it, or before it.
    #[serde(default)]
    pub at: Option<u64>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// From 1.
    pub n: u64,
    /// When it came, where that is known.
    pub at: Option<UtcMs>,
    /// At most 8 KiB; colours (SGR) are the only escapes in it.
    pub text: String,
    /// How many bytes more there are.
    pub cut: u64,
    /// 1 where it was written over, else 0.
    pub updates: u32,
    /// What it tells.
    pub level: Option<Level>,
    /// In place of a line: so many bytes are gone here.
    pub gap: Option<u64>,
}

/// Some lines of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogPage {
    /// The stage's name.
    pub stage: String,
    /// The attempt's number.
    pub attempt: u32,
    /// The lines that were asked for.
    pub lines: Vec<LogLine>,
    /// Lines there are now.
    pub total: u64,
    /// Bytes there are now.
    pub bytes: u64,
    /// What is there now is all there will be.
    pub ended: bool,
    /// When the last output came.
    pub last_at: Option<UtcMs>,
    /// The first line that tells of an error.
    pub first_error: Option<u64>,
    /// The line that holds the byte that was asked for.
    pub at: Option<u64>,
}

/// Where a text stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hits {
    /// Numbers of lines, rising, at most 10,000.
    pub lines: Vec<u64>,
    /// How many lines there are in all.
    pub total: u64,
}

type Known = ((AttemptKey, LogMode), Arc<Mutex<Index>>);

/// Logs whose lines were counted, the newest use last.
#[derive(Debug, Default)]
pub struct Logs {
    kept: Mutex<Vec<Known>>,
}

impl Logs {
    /// Lines `from` (from 1) to `from + count - 1`; a negative `from` counts from the end. With [`LogQuery::at`], from there.
    ///
    /// # Errors
    /// As [`Client::log`]; `Storage` where the log cannot be read.
    pub fn page(&self, client: &Client, query: &LogQuery, from: i64, count: u32) -> Result<LogPage, Fault> {
        let mut log = self.open(client, query)?;
        let times = log.source.times().map_err(unreadable)?;
        let index = lock(&log.index);
        let total = index.total();
        let at = match query.at {
            Some(byte) => index.line_at(&mut log.source, &log.gaps, byte).map_err(unreadable)?,
            None => None,
        };
        let first = match (at, from) {
            (Some(at), _) => at.saturating_add_signed(from),
            (None, 0) => 0,
            (None, 1..) => from.unsigned_abs() - 1,
            (None, ..0) => total.saturating_sub(from.unsigned_abs()),
        };
        let mut lines = Vec::new();
        if count > 0 && first < total {
            let last = first + u64::from(count) - 1;
            let walked = index.walk(&mut log.source, &log.gaps, first, &mut |number, line| {
                if (first..=last).contains(&number) {
                    lines.push(shown(number, line, &times));
                }
                number < last
            });
            walked.map_err(unreadable)?;
        }
        Ok(LogPage {
            stage: log.source.stage().to_owned(),
            attempt: log.source.key().attempt,
            lines,
            total,
            bytes: index.bytes(),
            ended: log.ended,
            last_at: times.last().map(|time| UtcMs(time.at_ms)),
            first_error: index.first_error().map(|line| line + 1),
            at: at.map(|line| line + 1),
        })
    }

    /// The lines that contain a text, whatever its case.
    ///
    /// # Errors
    /// As [`Logs::page`].
    pub fn search(&self, client: &Client, query: &LogQuery, text: &str) -> Result<Hits, Fault> {
        let mut hits = Hits::default();
        let Some(needle) = text::Needle::new(text) else { return Ok(hits) };
        let mut log = self.open(client, query)?;
        let index = lock(&log.index);
        let searched = index.search(&mut log.source, &log.gaps, &needle, &mut |number| {
            hits.total += 1;
            if hits.lines.len() < HITS_MOST {
                hits.lines.push(number + 1);
            }
        });
        searched.map_err(unreadable)?;
        drop(index);
        Ok(hits)
    }

    fn open(&self, client: &Client, query: &LogQuery) -> Result<Open, Fault> {
        let mut source = client.log(query.number, query.stage.as_deref(), query.attempt)?;
        let key = (source.key(), query.mode);
        let index = {
            let mut kept = lock(&self.kept);
            let found = kept.iter().position(|(known, _)| *known == key).map(|at| kept.remove(at).1);
            let index = found.unwrap_or_else(|| Arc::new(Mutex::new(Index::new(query.mode))));
            if kept.len() >= KEPT {
                kept.remove(0);
            }
            kept.push((key, Arc::clone(&index)));
            index
        };
        // Asked before it is read: what came until then is read below.
        let ended = source.ended();
        let gaps: Vec<LogGap> = source.gaps().map_err(unreadable)?.into_iter().filter(|gap| gap.no_room).collect();
        lock(&index).grow(&mut source, &gaps, ended).map_err(unreadable)?;
        Ok(Open { source, gaps, ended, index })
    }
}

struct Open {
    source: LogSource,
    gaps: Vec<LogGap>,
    ended: bool,
    index: Arc<Mutex<Index>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shown(number: u64, line: &Line, times: &[LogTime]) -> LogLine {
    let before = times.partition_point(|time| time.offset <= line.start);
    let at = before.checked_sub(1).and_then(|at| times.get(at)).map(|time| UtcMs(time.at_ms));
    LogLine {
        n: number + 1,
        at,
        text: line.text.clone(),
        cut: line.cut,
        updates: line.updates,
        level: if line.gap.is_none() { text::level(&line.text) } else { None },
        gap: line.gap,
    }
}

fn unreadable(error: std::io::Error) -> Fault {
    Fault::new(ErrorCode::Storage, format!("The log cannot be read: {error}."))
        .hint("Look whether its folder is still there.")
}

#[cfg(test)]
mod tests;
