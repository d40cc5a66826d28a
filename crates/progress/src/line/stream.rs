//! Bytes in, plain lines and painted rows out; the same whatever the cutting.
//!
//! A line without cursor movement never becomes a row: it is found with `memchr` and handed on as it stands. The first
//! `\r`, `\x08` or escape on a line turns it into a row of the [`Screen`], where it stays until the cursor reaches a
//! fresh line again.

use memchr::{memchr, memchr_iter, memchr3};

use super::screen::{Act, End, Escape, Limits, Row, Screen};
use crate::codec::{RestoreError, Restored, Saved, Writer};
use crate::protocol::{MARKER, find};

/// An unfinished plain line longer than this is not saved: reading starts again at its beginning.
const SAVED_RAW: usize = 1024;

/// Early looks at one unfinished frame.
const LOOKS: u8 = 3;

/// Takes what a [`Stream`] finds.
pub(crate) trait Out {
    /// A whole line in which the cursor never moved; `over` bytes of it were left out.
    fn plain(&mut self, line: &[u8], start: u64, over: u64);
    /// What followed a marker in a painted row that began at `start`.
    fn marked(&mut self, _payload: &[u8], _start: u64, _over: u64) {}
    /// A version of a row is complete.
    fn painted(&mut self, _screen: &mut Screen, _row: usize, _end: End) {}
    /// A frame may be complete up to the cursor: it has just come to a `]`.
    fn bracket(&mut self, _screen: &mut Screen) {}
    /// The cursor left a row by `\n`.
    fn ended(&mut self, _screen: &mut Screen, _row: usize) {}
    /// A row is given up, oldest first.
    fn scrolled(&mut self, _styles: &[String], _row: Row) {}
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// On a fresh line: bytes are kept as they came.
    Plain,
    /// Behind a marker in a painted row: likewise.
    Marked,
    /// In a painted row.
    Cells,
}

/// The state of the line model.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) screen: Screen,
    limits: Limits,
    mode: Mode,
    raw: Vec<u8>,
    raw_start: u64,
    raw_over: u64,
    /// A `\r` was the last byte of a plain line; `\n` may follow.
    held_return: bool,
    offset: u64,
}

impl Stream {
    pub(crate) fn new(limits: Limits) -> Stream {
        Stream {
            screen: Screen::new(limits),
            limits,
            mode: Mode::Plain,
            raw: Vec::new(),
            raw_start: 0,
            raw_over: 0,
            held_return: false,
            offset: 0,
        }
    }

    /// Bytes taken.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    pub(crate) fn feed(&mut self, mut bytes: &[u8], out: &mut impl Out) {
        while !bytes.is_empty() {
            let taken = match self.mode {
                Mode::Plain | Mode::Marked => self.feed_raw(bytes, out),
                Mode::Cells => self.feed_cells(bytes, out),
            };
            self.offset += taken as u64;
            bytes = &bytes[taken..];
        }
    }

    /// The output has ended: what is unfinished counts as a line.
    pub(crate) fn finish(&mut self, out: &mut impl Out) {
        self.held_return = false;
        match self.mode {
            Mode::Plain => {
                if !self.raw.is_empty() || self.raw_over > 0 {
                    self.complete(&[], self.raw_start, out);
                }
            }
            Mode::Marked => self.complete(&[], self.raw_start, out),
            Mode::Cells => {
                self.flush_partial();
                self.screen.escape = Escape::None;
                self.newline(out);
            }
        }
        self.give_up_rows(out);
        self.mode = Mode::Plain;
        self.raw_start = self.offset;
    }

    /// The unfinished plain line, if one stands.
    pub(crate) fn unfinished(&self) -> Option<&[u8]> {
        (self.mode == Mode::Plain && !self.raw.is_empty()).then_some(&self.raw)
    }

    fn give_up_rows(&mut self, out: &mut impl Out) {
        let rows = std::mem::take(&mut self.screen.rows);
        for row in rows {
            out.scrolled(&self.screen.styles, row);
        }
        self.screen.clear();
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = if self.raw_over > 0 { 0 } else { self.limits.raw.saturating_sub(self.raw.len()) };
        if bytes.len() <= room {
            self.raw.extend_from_slice(bytes);
            return;
        }
        self.raw.extend_from_slice(&bytes[..room]);
        self.raw_over += (bytes.len() - room) as u64;
        if !self.limits.keep_over {
            self.raw_over += self.raw.len() as u64;
            self.raw.clear();
        }
    }

    /// A line is complete: `tail` are its last bytes, not yet kept; `next` is where the next one begins.
    fn complete(&mut self, tail: &[u8], next: u64, out: &mut impl Out) {
        if self.mode == Mode::Marked {
            self.keep(tail);
            let start = self.screen.here().start;
            out.marked(&self.raw, start, self.raw_over);
            self.raw.clear();
            self.raw_over = 0;
            self.mode = Mode::Cells;
            self.newline_at(next, out);
            return;
        }
        if !self.screen.rows.is_empty() {
            self.give_up_rows(out);
        }
        if self.raw.is_empty() && self.raw_over == 0 && tail.len() <= self.limits.raw {
            out.plain(tail, self.raw_start, 0);
        } else {
            self.keep(tail);
            out.plain(&self.raw, self.raw_start, self.raw_over);
            self.raw.clear();
            self.raw_over = 0;
        }
        self.raw_start = next;
    }

    fn feed_raw(&mut self, bytes: &[u8], out: &mut impl Out) -> usize {
        if self.held_return {
            self.held_return = false;
            if bytes[0] == b'\n' {
                self.complete(&[], self.offset + 1, out);
                return 1;
            }
            self.leave_raw(true, out);
            self.carriage_return(out);
            return 0;
        }
        let control = memchr3(b'\r', 0x08, 0x1b, bytes).unwrap_or(bytes.len());
        let mut from = 0;
        for newline in memchr_iter(b'\n', &bytes[..control]) {
            let was = self.mode;
            self.complete(&bytes[from..newline], self.offset + newline as u64 + 1, out);
            from = newline + 1;
            // Behind a marked line other rows may still stand below.
            if was == Mode::Marked && self.mode != Mode::Plain {
                return from;
            }
        }
        if control < bytes.len() && bytes[control] == b'\r' && bytes.get(control + 1) == Some(&b'\n') {
            self.complete(&bytes[from..control], self.offset + control as u64 + 2, out);
            return control + 2;
        }
        self.keep(&bytes[from..control]);
        if control == bytes.len() {
            return control;
        }
        if bytes[control] == b'\r' && control + 1 == bytes.len() {
            self.held_return = true;
            return control + 1;
        }
        self.leave_raw(bytes[control] == b'\r', out);
        control
    }

    /// The cursor moves: what was kept raw becomes a row.
    fn leave_raw(&mut self, by_return: bool, out: &mut impl Out) {
        let raw = std::mem::take(&mut self.raw);
        let over = std::mem::take(&mut self.raw_over);
        if self.mode == Mode::Marked {
            self.mode = Mode::Cells;
            let start = self.screen.here().start;
            out.marked(&raw, start, over);
        } else {
            self.mode = Mode::Cells;
            if self.screen.rows.len() >= self.limits.rows
                && let Some(row) = self.screen.rows.pop_front()
            {
                out.scrolled(&self.screen.styles, row);
            }
            // A line that begins with `\r` is a bar from its first version on.
            let live = by_return && raw.is_empty() && over == 0;
            self.screen.rows.push_back(Row { live, ..Row::new(self.raw_start) });
            self.screen.row = self.screen.rows.len() - 1;
            self.screen.column = 0;
            let marker = if self.limits.parse { find(&raw).map(|at| at - MARKER.len()) } else { None };
            let text = marker.map_or(&raw[..], |at| &raw[..at]);
            self.text(text, false, out);
            self.flush_partial();
            let row = self.screen.here();
            row.over += over;
            row.dirty |= over > 0;
            if let Some(at) = marker {
                out.marked(&raw[at + MARKER.len()..], self.raw_start, over);
            }
        }
        self.raw = raw;
        self.raw.clear();
    }

    fn paint(&mut self, end: End, out: &mut impl Out) {
        self.flush_partial();
        let at = self.screen.row;
        let Some(row) = self.screen.rows.get_mut(at) else { return };
        row.looks = 0;
        if !row.dirty {
            row.looked = 0;
        }
        if std::mem::take(&mut row.dirty) {
            out.painted(&mut self.screen, at, end);
            let row = &mut self.screen.rows[at];
            row.looked = 0;
            if !row.is_blank() {
                row.stayed = end == End::Stay;
                row.live |= row.versions > 0;
                row.versions = row.versions.saturating_add(1);
            }
        }
    }

    fn carriage_return(&mut self, out: &mut impl Out) {
        self.paint(End::Stay, out);
        self.screen.home();
    }

    fn newline(&mut self, out: &mut impl Out) {
        self.newline_at(self.offset, out);
    }

    fn newline_at(&mut self, next: u64, out: &mut impl Out) {
        self.paint(End::Newline, out);
        let left = self.screen.row;
        out.ended(&mut self.screen, left);
        self.screen.shrink(left);
        self.down(next);
    }

    /// To the beginning of the row below; on a fresh line, back to the plain path.
    fn down(&mut self, next: u64) {
        self.screen.row = (self.screen.row + 1).min(self.screen.rows.len());
        self.screen.column = 0;
        if self.screen.rows.iter().skip(self.screen.row).all(Row::is_blank) {
            self.screen.rows.truncate(self.screen.row);
            self.mode = Mode::Plain;
            self.raw_start = next;
        } else {
            self.screen.home();
        }
    }

    fn feed_cells(&mut self, bytes: &[u8], out: &mut impl Out) -> usize {
        if self.screen.escape != Escape::None {
            let act = self.screen.escape_byte(bytes[0]);
            if matches!(act, Act::Again) {
                self.screen.escape = Escape::None;
                return 0;
            }
            self.act(&act, out);
            return 1;
        }
        match bytes[0] {
            b'\n' => {
                self.newline_at(self.offset + 1, out);
                1
            }
            b'\r' => {
                self.carriage_return(out);
                1
            }
            0x08 => {
                self.paint(End::Stay, out);
                self.screen.column = self.screen.column.saturating_sub(1);
                1
            }
            0x1b => {
                self.flush_partial();
                self.screen.escape = Escape::Start;
                1
            }
            _ => {
                let here = self.screen.here();
                if here.over > 0 {
                    // Too long already: skip to whatever ends it.
                    let until = memchr3(b'\r', 0x08, 0x1b, bytes).unwrap_or(bytes.len());
                    let until = memchr(b'\n', &bytes[..until]).unwrap_or(until);
                    here.over += until as u64;
                    return until.max(1);
                }
                let control = |b: &u8| matches!(b, b'\n' | b'\r' | 0x08 | 0x1b);
                // A bounded piece at a time, so that a long line is noticed as too long.
                let piece = &bytes[..bytes.len().min(self.limits.row)];
                let until = piece.iter().position(control).unwrap_or(piece.len());
                self.text(&piece[..until], true, out)
            }
        }
    }

    /// Writes text into the row. Returns the bytes taken: fewer when a marker ends in the middle.
    fn text(&mut self, bytes: &[u8], look: bool, out: &mut impl Out) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            if self.screen.column >= self.limits.row {
                let row = self.screen.here();
                row.over += (bytes.len() - at) as u64;
                row.dirty = true;
                return bytes.len();
            }
            if !self.screen.partial.is_empty() || bytes[at] >= 0x80 {
                self.wide(bytes[at]);
                at += 1;
                continue;
            }
            let room = (self.limits.row - self.screen.column).min(bytes.len() - at);
            let plain = |b: &u8| *b < 0x80 && *b != b'#' && *b != b']';
            let run = bytes[at..at + room].iter().take_while(|b| plain(b)).count();
            if run > 0 {
                self.screen.put_ascii(&bytes[at..at + run]);
                at += run;
                continue;
            }
            let byte = bytes[at];
            at += 1;
            self.screen.put(char::from(byte));
            if !look || !self.limits.parse {
                continue;
            }
            if byte == b'#' && self.at_marker() {
                self.begin_marked(at as u64, out);
                return at;
            }
            if byte == b']' {
                let row = self.screen.here();
                if row.looks < LOOKS {
                    row.looks += 1;
                    out.bracket(&mut self.screen);
                }
            }
        }
        at
    }

    /// One byte of a character outside ASCII, or of broken UTF-8.
    fn wide(&mut self, byte: u8) {
        self.screen.partial.push(byte);
        loop {
            let partial = std::mem::take(&mut self.screen.partial);
            match std::str::from_utf8(&partial) {
                Ok(text) => {
                    for c in text.chars() {
                        self.screen.put(c);
                    }
                    return;
                }
                Err(error) => match error.error_len() {
                    None => {
                        self.screen.partial = partial;
                        return;
                    }
                    Some(bad) => {
                        self.screen.put(char::REPLACEMENT_CHARACTER);
                        self.screen.partial = partial[bad..].to_vec();
                    }
                },
            }
            if self.screen.partial.is_empty() {
                return;
            }
        }
    }

    fn flush_partial(&mut self) {
        if !self.screen.partial.is_empty() {
            self.screen.partial.clear();
            self.screen.put(char::REPLACEMENT_CHARACTER);
        }
    }

    fn at_marker(&mut self) -> bool {
        let column = self.screen.column;
        let row = self.screen.here();
        column >= MARKER.len()
            && column <= row.chars.len()
            && row.chars[column - MARKER.len()..column].iter().copied().eq(MARKER.chars())
    }

    fn begin_marked(&mut self, taken: u64, out: &mut impl Out) {
        let column = self.screen.column - MARKER.len();
        self.screen.column = column;
        self.screen.erase_line(0);
        if column == 0 {
            self.screen.here().dirty = false;
        }
        self.paint(End::Stay, out);
        self.mode = Mode::Marked;
        self.raw_start = self.offset + taken;
    }

    fn act(&mut self, act: &Act, out: &mut impl Out) {
        match *act {
            Act::Nothing | Act::Style | Act::Again => {}
            Act::Up(count) => {
                self.paint(End::Up, out);
                let left = self.screen.row;
                self.screen.here().stayed = false;
                self.screen.shrink(left);
                self.screen.row = left.saturating_sub(count);
            }
            Act::Down(count) => {
                self.paint(End::Stay, out);
                let left = self.screen.row;
                self.screen.shrink(left);
                self.screen.row = (left + count).min(self.screen.rows.len().saturating_sub(1));
            }
            Act::Column(column) => self.column(column, out),
            Act::Left(count) => self.column(self.screen.column.saturating_sub(count), out),
            Act::Right(count) => self.column(self.screen.column.saturating_add(count), out),
            Act::EraseLine(how) => {
                if how != 0 || self.screen.column == 0 {
                    self.paint(End::Stay, out);
                }
                self.screen.erase_line(how);
            }
            Act::EraseBelow(how) => {
                self.paint(End::Stay, out);
                self.screen.erase_line(if how == 0 { 0 } else { 2 });
                self.screen.cut_below();
            }
        }
    }

    fn column(&mut self, column: usize, out: &mut impl Out) {
        if column < self.screen.column {
            self.paint(End::Stay, out);
        }
        self.screen.column = column.min(self.limits.row);
    }

    pub(crate) fn save(&self, to: &mut Writer) {
        let raw_mode = self.mode != Mode::Cells;
        let again = raw_mode && self.raw.len() > SAVED_RAW;
        to.u64(if again { self.raw_start } else { self.offset });
        to.u8(match self.mode {
            Mode::Plain => 0,
            Mode::Marked => 1,
            Mode::Cells => 2,
        });
        to.bytes(if again { &[] } else { &self.raw });
        to.u64(self.raw_start);
        to.u64(self.raw_over);
        to.bool(self.held_return && !again);
        self.screen.save(to);
    }

    pub(crate) fn restore(limits: Limits, from: &mut Saved<'_>) -> Restored<Stream> {
        let mut stream = Stream::new(limits);
        stream.offset = from.u64()?;
        stream.mode = match from.u8()? {
            0 => Mode::Plain,
            1 => Mode::Marked,
            2 => Mode::Cells,
            _ => return Err(RestoreError::Damaged),
        };
        stream.raw = from.bytes()?.to_vec();
        stream.raw_start = from.u64()?;
        stream.raw_over = from.u64()?;
        stream.held_return = from.bool()?;
        stream.screen.restore(from)?;
        let on_row = stream.screen.row < stream.screen.rows.len();
        let sound = stream.raw.len() <= SAVED_RAW
            && stream.raw_start <= stream.offset
            && on_row == (stream.mode != Mode::Plain)
            && (stream.mode != Mode::Cells || (stream.raw.is_empty() && !stream.held_return));
        if sound { Ok(stream) } else { Err(RestoreError::Damaged) }
    }
}
