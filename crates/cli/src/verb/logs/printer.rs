//! A log on its way to stdout: readable lines, or the bytes as written. Memory stays flat but for `--tail`, which keeps as
//! many lines as it was asked for.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::Duration;

use footplate_core::{ErrorCode, Fault, UtcMs};
use footplate_engine::Client;
use footplate_engine::logs::{LogChunk, LogSource, Losses};
use footplate_progress::line::{Readable, ReadableLine, ReadableOptions};
use regex::Regex;
use serde_json::json;

use crate::context::Context;
use crate::stop::Stop;
use crate::text::{cut, when};

/// How the lines of one attempt are shown.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) stage: &'a str,
    pub(super) attempt: u32,
    pub(super) grep: Option<&'a Regex>,
    pub(super) tail: Option<u32>,
    pub(super) times: bool,
    /// Stands before the first line, where there is one.
    pub(super) head: Option<&'a str>,
}

const CHUNK: usize = 1 << 16;
const POLL: Duration = Duration::from_millis(100);

pub(super) struct Printer<'a> {
    context: &'a Context,
    log: &'a mut LogSource,
    look: Look<'a>,
    readable: Readable,
    /// The offset in the log of the reader's first byte.
    base: u64,
    lines: Lines<'a>,
    /// A bar under way stands on the terminal's last line.
    painted: bool,
}

/// Lines that wait to be written.
struct Lines<'a> {
    look: Look<'a>,
    json: bool,
    times: Vec<(u64, UtcMs)>,
    number: u64,
    page: String,
    kept: VecDeque<String>,
}

impl<'a> Printer<'a> {
    pub(super) fn new(context: &'a Context, log: &'a mut LogSource, look: Look<'a>) -> Printer<'a> {
        let lines = Lines {
            look,
            json: context.json,
            times: Vec::new(),
            number: 0,
            page: String::new(),
            kept: VecDeque::new(),
        };
        let readable = Printer::reader(context);
        Printer { context, log, look, readable, base: 0, lines, painted: false }
    }

    fn reader(context: &Context) -> Readable {
        Readable::new(ReadableOptions { colour: context.colour && !context.json, ..ReadableOptions::default() })
    }

    pub(super) fn run(mut self, client: &Client, follow: bool) -> Result<(), Stop> {
        let mut losses = Losses::default();
        let mut buffer = vec![0; CHUNK];
        let mut offset = 0;
        loop {
            // Asked before reading: what was written before the end is read after it.
            let ended = self.log.ended();
            if self.look.times || self.context.json {
                let times = self.log.times().map_err(unreadable)?;
                self.lines.times = times.iter().map(|time| (time.offset, UtcMs(time.at_ms))).collect();
            }
            loop {
                let loss = losses.at(self.log, offset).map_err(unreadable)?;
                if loss.bytes > 0 {
                    self.begin_anew(offset, &lost(loss.bytes));
                }
                let room = reach(&mut buffer, loss.clear);
                match self.log.read(offset, room).map_err(unreadable)? {
                    LogChunk::Bytes(count) => {
                        let (base, lines) = (self.base, &mut self.lines);
                        self.readable.feed(&buffer[..count], &mut |line| lines.take(base, line));
                        offset += count as u64;
                    }
                    LogChunk::Dropped { next } => {
                        self.begin_anew(next, &dropped(next - offset));
                        offset = next;
                    }
                    LogChunk::End => break,
                }
                // With --tail nothing is written until the end of what is there is known.
                if self.look.tail.is_none() {
                    self.flush(false)?;
                }
            }
            if ended || !follow {
                self.finish();
                self.lines.release();
                return self.flush(true);
            }
            self.lines.release();
            self.lines.look.tail = None;
            self.look.tail = None;
            self.flush(true)?;
            self.paint()?;
            client.wait_for_change(POLL)?;
        }
    }

    /// What stood here is gone: the line before it ends, and what comes begins a new one.
    fn begin_anew(&mut self, offset: u64, remark: &str) {
        self.finish();
        self.lines.remark(remark);
        self.base = offset;
        self.readable = Printer::reader(self.context);
    }

    fn finish(&mut self) {
        let (base, lines) = (self.base, &mut self.lines);
        self.readable.finish(&mut |line| lines.take(base, line));
    }

    fn flush(&mut self, all: bool) -> Result<(), Stop> {
        if self.lines.page.is_empty() || (!all && self.lines.page.len() < CHUNK) {
            return Ok(());
        }
        let mut page = std::mem::take(&mut self.lines.page);
        if let Some(head) = self.look.head.take() {
            page.insert_str(0, head);
        }
        if std::mem::take(&mut self.painted) {
            return self.context.print(&format!("\r\x1b[2K{page}"));
        }
        self.context.print(&page)
    }

    /// Shows the bar under way, on a terminal, so that the next line or version can take its place.
    fn paint(&mut self) -> Result<(), Stop> {
        let Some(columns) = self.context.columns().filter(|_| self.context.colour && self.look.grep.is_none()) else {
            return Ok(());
        };
        let held = self.readable.held();
        let Some(line) = held.last() else { return Ok(()) };
        self.painted = true;
        self.context.print(&format!("\r\x1b[2K{}", cut(&without_colour(line), columns.saturating_sub(1))))
    }
}

impl Lines<'_> {
    fn take(&mut self, base: u64, line: &ReadableLine<'_>) {
        self.number += 1;
        if self.look.grep.is_some_and(|grep| !grep.is_match(&without_colour(line.text))) {
            return;
        }
        let offset = base + line.start;
        let time = self.time(offset);
        let mut text = String::with_capacity(line.text.len() + 32);
        if self.json {
            let object = json!({
                "stage": self.look.stage, "attempt": self.look.attempt, "line": self.number, "offset": offset, "time": time, "text": line.text,
            });
            text.push_str(&object.to_string());
        } else {
            if self.look.times {
                text.push_str(&time.map(when::moment).unwrap_or_default());
                text.push_str("  ");
            }
            text.push_str(line.text);
            if line.cut > 0 {
                text.push_str(&format!(" [{} more]", when::size(line.cut)));
            }
        }
        self.keep(text);
    }

    fn remark(&mut self, text: &str) {
        if !self.json {
            self.keep(text.to_owned());
        }
    }

    fn keep(&mut self, text: String) {
        match self.look.tail {
            Some(0) => {}
            Some(tail) => {
                if self.kept.len() >= tail as usize {
                    self.kept.pop_front();
                }
                self.kept.push_back(text);
            }
            None => {
                self.page.push_str(&text);
                self.page.push('\n');
            }
        }
    }

    /// What `--tail` kept is to be written.
    fn release(&mut self) {
        for line in self.kept.drain(..) {
            self.page.push_str(&line);
            self.page.push('\n');
        }
    }

    /// When the byte at this offset was read: the newest entry of the index that is not after it.
    fn time(&self, offset: u64) -> Option<UtcMs> {
        let after = self.times.partition_point(|(at, _)| *at <= offset);
        after.checked_sub(1).map(|index| self.times[index].1)
    }
}

/// The text as it reads, for searching and measuring: SGR sequences, the only escapes of readable lines, left out.
fn without_colour(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\x1b[") {
        out.push_str(&rest[..at]);
        let end = rest[at..].find('m').map_or(rest.len(), |end| at + end + 1);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

fn dropped(bytes: u64) -> String {
    format!("[{} were dropped here: the log was over its limit]", when::size(bytes))
}

fn lost(bytes: u64) -> String {
    format!("[{} were lost here: there was no room on the disk]", when::size(bytes))
}

/// The part of a buffer that reads no further than `clear` bytes.
fn reach(buffer: &mut [u8], clear: u64) -> &mut [u8] {
    let most = usize::try_from(clear).unwrap_or(usize::MAX).min(buffer.len());
    &mut buffer[..most]
}

/// A log that cannot be read. (An error of writing to stdout is another matter.)
fn unreadable(error: io::Error) -> Fault {
    Fault::new(ErrorCode::Storage, format!("the log cannot be read: {error}"))
}

/// The last lines of a log of this size, as they read. Only its end is read, however long it is.
pub(super) fn last_lines(log: &mut LogSource, size: u64, most: usize) -> io::Result<Vec<String>> {
    const END: u64 = 16 << 10;
    let mut offset = size.saturating_sub(END);
    let mut broken = offset > 0;
    let mut kept: VecDeque<String> = VecDeque::new();
    let mut take = |line: &ReadableLine<'_>| {
        // The first one may have begun before. What a program tells us is no news to people.
        let broken = std::mem::take(&mut broken);
        if !broken && !line.text.trim().is_empty() && !line.text.contains("##PROGRESS##") {
            kept.push_back(line.text.to_owned());
            if kept.len() > most {
                kept.pop_front();
            }
        }
    };
    let mut readable = Readable::new(ReadableOptions { colour: false, ..ReadableOptions::default() });
    let mut buffer = vec![0; CHUNK];
    loop {
        match log.read(offset, &mut buffer)? {
            LogChunk::Bytes(count) => {
                readable.feed(&buffer[..count], &mut take);
                offset += count as u64;
            }
            LogChunk::Dropped { next } => offset = next,
            LogChunk::End => break,
        }
    }
    readable.finish(&mut take);
    Ok(kept.into())
}

/// The bytes as they were written.
pub(super) fn raw(
    context: &Context,
    client: &Client,
    log: &mut LogSource,
    tail: Option<u32>,
    follow: bool,
) -> Result<(), Stop> {
    let mut buffer = vec![0; CHUNK];
    let mut offset = match tail {
        Some(lines) => tail_offset(log, lines)?,
        None => 0,
    };
    let mut losses = Losses::default();
    if offset > 0 {
        // What is lost before the tail is not shown either.
        losses.at(log, offset - 1).map_err(unreadable)?;
    }
    let mut out = io::stdout().lock();
    loop {
        let ended = log.ended();
        loop {
            let loss = losses.at(log, offset).map_err(unreadable)?;
            if loss.bytes > 0 {
                context.remark(&lost(loss.bytes));
            }
            match log.read(offset, reach(&mut buffer, loss.clear)).map_err(unreadable)? {
                LogChunk::Bytes(count) => {
                    out.write_all(&buffer[..count])?;
                    offset += count as u64;
                }
                LogChunk::Dropped { next } => {
                    context.remark(&dropped(next - offset));
                    offset = next;
                }
                LogChunk::End => break,
            }
        }
        out.flush()?;
        if ended || !follow {
            return Ok(());
        }
        client.wait_for_change(POLL)?;
    }
}

/// Where the last so many lines begin. Only offsets are kept.
fn tail_offset(log: &mut LogSource, lines: u32) -> Result<u64, Stop> {
    let mut buffer = vec![0; CHUNK];
    let mut starts = VecDeque::from([0]);
    let mut offset = 0;
    loop {
        match log.read(offset, &mut buffer).map_err(unreadable)? {
            LogChunk::Bytes(count) => {
                for (at, _) in buffer[..count].iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
                    starts.push_back(offset + at as u64 + 1);
                    if starts.len() > lines as usize + 1 {
                        starts.pop_front();
                    }
                }
                offset += count as u64;
            }
            LogChunk::Dropped { next } => offset = next,
            LogChunk::End => break,
        }
    }
    // A newline at the very end begins no line of its own.
    if starts.back() == Some(&offset) {
        starts.pop_back();
    } else if starts.len() > lines as usize {
        starts.pop_front();
    }
    Ok(if lines == 0 { offset } else { starts.front().copied().unwrap_or(offset) })
}
