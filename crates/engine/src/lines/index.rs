//! Where the lines of one log begin: counted once, as far as anybody asked, and then kept.
//!
//! A mark stands where nothing is on the screen and a fresh line begins, so that reading again from there gives the same lines.
//! A stretch without `\r`, backspace or escape is counted, not looked at.

use std::io;

use footplate_progress::line::{Readable, ReadableOptions};

use super::text::{self, Needle};
use crate::logs::{LogChunk, LogGap, LogSource};

/// Bytes read at once; marks are not nearer than that.
const CHUNK: usize = 64 << 10;
/// Bytes kept of a line.
pub(super) const LINE_MOST: usize = 8 << 10;

/// How output becomes lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogMode {
    /// A line that was written over counts once, as it stands now.
    Bars,
    /// Every update is a line.
    Raw,
}

/// A line, or a gap in place of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it begins.
    pub(super) start: u64,
    pub(super) text: String,
    pub(super) cut: u64,
    pub(super) updates: u32,
    pub(super) gap: Option<u64>,
}

/// A fresh line with nothing on the screen.
#[derive(Clone, Copy, Debug)]
struct Mark {
    offset: u64,
    /// Lines before it.
    line: u64,
    /// Gaps without offsets before it.
    passed: usize,
}

/// What makes lines of bytes, from a mark on.
#[derive(Clone, Debug)]
struct Maker {
    mode: LogMode,
    /// `None`: nothing is on the screen.
    screen: Option<Readable>,
    /// The offset at which the screen began.
    base: u64,
    /// An unfinished raw line.
    open: Vec<u8>,
    open_start: u64,
    open_length: u64,
    /// The last byte was `\r`.
    returned: bool,
}

impl Maker {
    fn new(mode: LogMode) -> Maker {
        Maker { mode, screen: None, base: 0, open: Vec::new(), open_start: 0, open_length: 0, returned: false }
    }

    fn is_fresh(&self) -> bool {
        self.screen.is_none() && self.open_length == 0 && !self.returned
    }

    /// Takes bytes that begin at `offset`, and hands out lines that are certain.
    fn feed(&mut self, bytes: &[u8], offset: u64, each: &mut dyn FnMut(Line)) {
        match self.mode {
            LogMode::Bars => {
                if self.screen.is_none() {
                    self.base = offset;
                }
                let base = self.base;
                let screen = self
                    .screen
                    .get_or_insert_with(|| Readable::new(ReadableOptions { colour: true, line_bytes: LINE_MOST }));
                screen.feed(bytes, &mut |line| each(of_screen(line, base)));
                if bytes.ends_with(b"\n") && screen.held().is_empty() {
                    self.screen = None;
                }
            }
            LogMode::Raw => {
                let mut from = 0;
                while from < bytes.len() {
                    let end = memchr::memchr2(b'\n', b'\r', &bytes[from..]).map(|end| from + end);
                    let part = &bytes[from..end.unwrap_or(bytes.len())];
                    if self.open_length == 0 {
                        self.open_start = offset + from as u64;
                    }
                    let room = LINE_MOST.saturating_sub(self.open.len()).min(part.len());
                    self.open.extend_from_slice(&part[..room]);
                    self.open_length += part.len() as u64;
                    self.returned &= part.is_empty();
                    let Some(end) = end else { break };
                    // `\r\n` is one end, also where a cut of the bytes lies in it, and nothing before a `\r` is no line.
                    let newline = bytes[end] == b'\n';
                    if self.open_length > 0 || newline && !self.returned {
                        each(self.raw_line());
                    }
                    self.returned = !newline;
                    from = end + 1;
                }
            }
        }
    }

    fn raw_line(&mut self) -> Line {
        let line = Line {
            start: self.open_start,
            text: text::colours_only(&self.open),
            cut: self.open_length - self.open.len() as u64,
            updates: 0,
            gap: None,
        };
        self.open.clear();
        self.open_length = 0;
        line
    }

    /// What is not certain yet; at the end, all there will be.
    fn rest(&self, offset: u64, ended: bool, each: &mut dyn FnMut(Line)) {
        let mut copy = self.clone();
        if copy.open_length > 0 {
            each(copy.raw_line());
        }
        if let Some(mut screen) = copy.screen {
            let base = copy.base;
            if ended {
                screen.finish(&mut |line| each(of_screen(line, base)));
            } else {
                for text in screen.held() {
                    each(Line { start: offset, text, cut: 0, updates: 0, gap: None });
                }
            }
        }
    }
}

fn of_screen(line: &footplate_progress::line::ReadableLine<'_>, base: u64) -> Line {
    Line {
        start: base + line.start,
        text: line.text.to_owned(),
        cut: line.cut,
        updates: u32::from(line.bar),
        gap: None,
    }
}

/// The lines of one log.
#[derive(Debug)]
pub(super) struct Index {
    mode: LogMode,
    marks: Vec<Mark>,
    maker: Maker,
    /// Read so far.
    offset: u64,
    passed: usize,
    /// Lines that are certain.
    lines: u64,
    first_error: Option<u64>,
    /// Lines that are not certain yet, from the newest look.
    rest: Vec<Line>,
}

/// What is found at an offset.
enum Piece<'b> {
    Bytes(&'b [u8]),
    Gap { bytes: u64, next: u64 },
    End,
}

impl Index {
    pub(super) fn new(mode: LogMode) -> Index {
        Index {
            mode,
            marks: vec![Mark { offset: 0, line: 0, passed: 0 }],
            maker: Maker::new(mode),
            offset: 0,
            passed: 0,
            lines: 0,
            first_error: None,
            rest: Vec::new(),
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.lines + self.rest.len() as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.offset
    }

    /// The first line that tells of an error, from 0.
    pub(super) fn first_error(&self) -> Option<u64> {
        self.first_error.or_else(|| {
            let at = self.rest.iter().position(|line| text::first_error(line.text.as_bytes()).is_some())?;
            Some(self.lines + at as u64)
        })
    }

    /// Counts what came since the last time.
    pub(super) fn grow(&mut self, source: &mut LogSource, gaps: &[LogGap], ended: bool) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK];
        loop {
            match piece(source, gaps, self.offset, &mut self.passed, &mut buffer)? {
                Piece::End => break,
                Piece::Gap { bytes: _, next } => {
                    self.flush();
                    self.lines += 1;
                    self.offset = next;
                    self.mark();
                }
                Piece::Bytes(bytes) => {
                    let length = bytes.len() as u64;
                    if self.maker.is_fresh() && is_plain(bytes) {
                        if self.first_error.is_none()
                            && let Some(at) = text::first_error(bytes)
                        {
                            let before = memchr::memchr_iter(b'\n', &bytes[..at]).count() as u64;
                            self.first_error = Some(self.lines + before);
                        }
                        self.lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
                    } else {
                        let (lines, first) = (&mut self.lines, &mut self.first_error);
                        self.maker.feed(bytes, self.offset, &mut |line| {
                            if first.is_none() && text::first_error(line.text.as_bytes()).is_some() {
                                *first = Some(*lines);
                            }
                            *lines += 1;
                        });
                    }
                    self.offset += length;
                    self.mark();
                }
            }
        }
        self.rest.clear();
        let rest = &mut self.rest;
        self.maker.rest(self.offset, ended, &mut |line| rest.push(line));
        Ok(())
    }

    /// A gap ends all that was open.
    fn flush(&mut self) {
        let lines = &mut self.lines;
        self.maker.rest(self.offset, true, &mut |_| *lines += 1);
        self.maker = Maker::new(self.mode);
    }

    fn mark(&mut self) {
        let far = self.marks.last().is_none_or(|last| self.offset >= last.offset + CHUNK as u64 / 2);
        if far && self.maker.is_fresh() {
            self.marks.push(Mark { offset: self.offset, line: self.lines, passed: self.passed });
        }
    }

    /// The number, from 0, of the line that holds this byte.
    pub(super) fn line_at(&self, source: &mut LogSource, gaps: &[LogGap], byte: u64) -> io::Result<Option<u64>> {
        let mark = self.marks[self.marks.partition_point(|mark| mark.offset <= byte).saturating_sub(1)];
        let mut found = None;
        self.walk(source, gaps, mark.line, &mut |number, line| {
            let before = line.start <= byte;
            if before {
                found = Some(number);
            }
            before
        })?;
        Ok(found.filter(|_| byte < self.offset))
    }

    /// Hands out the numbers, from 0, of the lines that hold a text. Stretches without escapes are searched whole.
    pub(super) fn search(
        &self,
        source: &mut LogSource,
        gaps: &[LogGap],
        needle: &Needle,
        each: &mut dyn FnMut(u64),
    ) -> io::Result<()> {
        let (mut offset, mut passed, mut number) = (0, 0, 0);
        let mut maker = Maker::new(self.mode);
        let mut buffer = vec![0; CHUNK];
        while offset < self.offset || passed < self.passed {
            let mut look = |line: Line| {
                if line.gap.is_none() && needle.is_in(&line.text) {
                    each(number);
                }
                number += 1;
            };
            match piece(source, gaps, offset, &mut passed, &mut buffer)? {
                Piece::End => break,
                Piece::Gap { next, .. } => {
                    maker.rest(offset, true, &mut look);
                    maker = Maker::new(self.mode);
                    number += 1;
                    offset = next;
                }
                Piece::Bytes(bytes) => {
                    let within = usize::try_from(self.offset - offset).unwrap_or(usize::MAX).min(bytes.len());
                    let bytes = &bytes[..within];
                    match needle.fast().filter(|_| maker.is_fresh() && is_plain(bytes)) {
                        None => maker.feed(bytes, offset, &mut look),
                        Some(fast) => {
                            let (mut from, mut last) = (0, None);
                            for found in fast.find_iter(bytes) {
                                number += memchr::memchr_iter(b'\n', &bytes[from..found.start()]).count() as u64;
                                from = found.start();
                                if last.replace(number) != Some(number) {
                                    each(number);
                                }
                            }
                            number += memchr::memchr_iter(b'\n', &bytes[from..]).count() as u64;
                        }
                    }
                    offset += within as u64;
                }
            }
        }
        for (at, line) in self.rest.iter().enumerate() {
            if needle.is_in(&line.text) {
                each(self.lines + at as u64);
            }
        }
        Ok(())
    }

    /// Hands out lines from the mark before `from` on, each with its number from 0, until `each` says that it is enough.
    pub(super) fn walk(
        &self,
        source: &mut LogSource,
        gaps: &[LogGap],
        from: u64,
        each: &mut dyn FnMut(u64, &Line) -> bool,
    ) -> io::Result<()> {
        let at = self.marks.partition_point(|mark| mark.line <= from).saturating_sub(1);
        let Mark { mut offset, line: mut number, mut passed } = self.marks[at];
        let mut maker = Maker::new(self.mode);
        let mut buffer = vec![0; CHUNK];
        let mut enough = false;
        while (offset < self.offset || passed < self.passed) && !enough {
            let mut hand = |line: Line| {
                enough = enough || !each(number, &line);
                number += 1;
            };
            match piece(source, gaps, offset, &mut passed, &mut buffer)? {
                Piece::End => break,
                Piece::Gap { bytes, next } => {
                    maker.rest(offset, true, &mut hand);
                    maker = Maker::new(self.mode);
                    hand(Line { start: offset, text: String::new(), cut: 0, updates: 0, gap: Some(bytes) });
                    offset = next;
                }
                Piece::Bytes(bytes) => {
                    let within = usize::try_from(self.offset - offset).unwrap_or(usize::MAX).min(bytes.len());
                    maker.feed(&bytes[..within], offset, &mut hand);
                    offset += within as u64;
                }
            }
        }
        for (at, line) in self.rest.iter().enumerate() {
            enough = enough || !each(self.lines + at as u64, line);
        }
        Ok(())
    }
}

fn is_plain(bytes: &[u8]) -> bool {
    bytes.ends_with(b"\n") && memchr::memchr3(b'\r', b'\x08', b'\x1b', bytes).is_none()
}

/// What stands at an offset: bytes up to their last newline where there is one, so that the next piece begins on a fresh line.
/// `gaps` are those for lack of room, which have no offsets of their own; `passed` of them are behind.
fn piece<'b>(
    source: &mut LogSource,
    gaps: &[LogGap],
    offset: u64,
    passed: &mut usize,
    buffer: &'b mut [u8],
) -> io::Result<Piece<'b>> {
    let mut room = buffer.len();
    if let Some(gap) = gaps.get(*passed) {
        if gap.offset <= offset {
            *passed += 1;
            return Ok(Piece::Gap { bytes: gap.bytes, next: offset });
        }
        room = usize::try_from(gap.offset - offset).unwrap_or(usize::MAX).min(room);
    }
    match source.read(offset, &mut buffer[..room])? {
        LogChunk::End => Ok(Piece::End),
        LogChunk::Dropped { next } => Ok(Piece::Gap { bytes: next - offset, next }),
        LogChunk::Bytes(length) => {
            let whole = memchr::memrchr(b'\n', &buffer[..length]).map_or(length, |at| at + 1);
            Ok(Piece::Bytes(&buffer[..whole]))
        }
    }
}
