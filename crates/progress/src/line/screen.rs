//! The rows a program has painted: characters, cursor, escape sequences.
//! Not here: the path of plain lines, which never become rows (`stream`), and what a row says.

use std::collections::VecDeque;

use crate::codec::{RestoreError, Restored, Saved, Writer};

/// What ended a painted version of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The cursor went back within the row (`\r`, `\x08`, an escape) or down.
    Stay,
    /// `\n`, or the end of the output.
    Newline,
    /// The cursor went up: nested bars paint below and return.
    Up,
}

/// One row of the screen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) chars: Vec<char>,
    /// One number of `Screen::styles` a character; only where colours are kept.
    pub(crate) styles: Vec<u16>,
    /// Bytes that did not fit.
    pub(crate) over: u64,
    /// Offset in the stream of the row's first byte.
    pub(crate) start: u64,
    /// Painted since the last look at it.
    pub(crate) dirty: bool,
    /// Painted, then painted over in place: a bar, not a line of log.
    pub(crate) live: bool,
    /// The cursor stayed on it after its newest version: no nested bar.
    pub(crate) stayed: bool,
    /// Versions looked at, counted to 255.
    pub(crate) versions: u8,
    /// Early looks at an unfinished version.
    pub(crate) looks: u8,
    /// Characters already looked at early, of the newest version.
    pub(crate) looked: u16,
    /// Already handed out as a readable line.
    pub(crate) shown: bool,
}

impl Row {
    pub(crate) fn new(start: u64) -> Row {
        Row { start, ..Row::default() }
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.over == 0 && self.chars.iter().all(|c| *c == ' ')
    }

    fn cut(&mut self, length: usize) {
        self.chars.truncate(length);
        self.styles.truncate(length);
    }
}

/// Sizes that keep memory flat.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes of a plain line.
    pub(crate) raw: usize,
    /// Characters of the row under the cursor.
    pub(crate) row: usize,
    /// Characters of a row the cursor has left.
    pub(crate) left: usize,
    /// Rows kept.
    pub(crate) rows: usize,
    /// Keep the beginning of a line that is too long.
    pub(crate) keep_over: bool,
    /// Look for the protocol's marker and for frames that end in `]`.
    pub(crate) parse: bool,
    /// Keep SGR colours.
    pub(crate) colour: bool,
}

/// An escape sequence under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Escape {
    None,
    /// After ESC.
    Start,
    /// After `ESC [`: parameter bytes.
    Csi(Vec<u8>),
    /// After `ESC (` and the like: one byte more.
    One,
    /// After `ESC ]`, `P`, `X`, `^`, `_`: a string up to BEL or `ESC \`; bytes seen, and whether the last was ESC.
    Text(u16, bool),
}

const CSI_LIMIT: usize = 48;
const TEXT_LIMIT: u16 = 4096;
const STYLE_LIMIT: usize = 48;
const STYLES_LIMIT: usize = 512;

/// A finished escape sequence that moves, erases or colours.
pub(crate) enum Act {
    Nothing,
    Up(usize),
    Down(usize),
    Column(usize),
    Left(usize),
    Right(usize),
    EraseLine(u8),
    EraseBelow(u8),
    Style,
    /// The byte was no part of the sequence: handle it again.
    Again,
}

/// Rows, cursor and escape state.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    pub(crate) rows: VecDeque<Row>,
    /// The cursor's row; equal to `rows.len()` while it stands on a fresh line below them.
    pub(crate) row: usize,
    pub(crate) column: usize,
    pub(crate) escape: Escape,
    /// The beginning of a character that is not complete.
    pub(crate) partial: Vec<u8>,
    pub(crate) styles: Vec<String>,
    style: u16,
    limits: Limits,
}

impl Screen {
    pub(crate) fn new(limits: Limits) -> Screen {
        Screen {
            rows: VecDeque::new(),
            row: 0,
            column: 0,
            escape: Escape::None,
            partial: Vec::new(),
            styles: vec![String::new()],
            style: 0,
            limits,
        }
    }

    /// The cursor's row. Call only while it exists (`row < rows.len()`).
    pub(crate) fn here(&mut self) -> &mut Row {
        let row = self.row.min(self.rows.len().saturating_sub(1));
        if self.rows.is_empty() {
            self.rows.push_back(Row::default());
        }
        &mut self.rows[row]
    }

    pub(crate) fn put(&mut self, c: char) {
        let (column, style, limit, colour) = (self.column, self.style, self.limits.row, self.limits.colour);
        let row = self.here();
        row.dirty = true;
        if column >= limit {
            row.over += c.len_utf8() as u64;
            return;
        }
        if column < row.chars.len() {
            row.chars[column] = c;
            if colour {
                row.styles[column] = style;
            }
        } else {
            row.chars.resize(column, ' ');
            row.chars.push(c);
            if colour {
                row.styles.resize(column, 0);
                row.styles.push(style);
            }
        }
        self.column = column + 1;
    }

    /// Writes a run of ASCII that fits into the row.
    pub(crate) fn put_ascii(&mut self, run: &[u8]) {
        let (column, style, colour) = (self.column, self.style, self.limits.colour);
        let row = self.here();
        row.dirty = true;
        if row.chars.len() < column {
            row.chars.resize(column, ' ');
        }
        let over = (row.chars.len() - column).min(run.len());
        for (to, byte) in row.chars[column..].iter_mut().zip(run) {
            *to = char::from(*byte);
        }
        row.chars.extend(run[over..].iter().map(|byte| char::from(*byte)));
        if colour {
            let end = row.styles.len().max(column + run.len());
            row.styles.resize(end, 0);
            row.styles[column..column + run.len()].fill(style);
        }
        self.column = column + run.len();
    }

    /// Back to the first column. A row that was too long begins anew: its end is not known any more.
    pub(crate) fn home(&mut self) {
        self.column = 0;
        let row = self.here();
        if row.over > 0 {
            row.over = 0;
            row.cut(0);
        }
    }

    pub(crate) fn erase_line(&mut self, how: u8) {
        let column = self.column;
        let row = self.here();
        row.dirty = true;
        match how {
            0 => row.cut(column),
            1 => {
                let until = (column + 1).min(row.chars.len());
                row.chars[..until].fill(' ');
                let until = until.min(row.styles.len());
                row.styles[..until].fill(0);
            }
            _ => row.cut(0),
        }
        row.over = 0;
    }

    /// Forgets what stands below the cursor's row.
    pub(crate) fn cut_below(&mut self) {
        self.rows.truncate(self.row + 1);
    }

    /// Takes one byte of an escape sequence.
    pub(crate) fn escape_byte(&mut self, byte: u8) -> Act {
        let escape = std::mem::replace(&mut self.escape, Escape::None);
        match escape {
            Escape::None => Act::Again,
            Escape::Start => match byte {
                b'[' => {
                    self.escape = Escape::Csi(Vec::new());
                    Act::Nothing
                }
                b']' | b'P' | b'X' | b'^' | b'_' => {
                    self.escape = Escape::Text(0, false);
                    Act::Nothing
                }
                0x20..=0x2f => {
                    self.escape = Escape::One;
                    Act::Nothing
                }
                b'M' => Act::Up(1),
                0x30..=0x7e => Act::Nothing,
                _ => Act::Again,
            },
            Escape::One => {
                if (0x20..=0x7e).contains(&byte) {
                    Act::Nothing
                } else {
                    Act::Again
                }
            }
            Escape::Csi(mut bytes) => match byte {
                0x20..=0x3f if bytes.len() < CSI_LIMIT => {
                    bytes.push(byte);
                    self.escape = Escape::Csi(bytes);
                    Act::Nothing
                }
                0x40..=0x7e => self.csi(&bytes, byte),
                _ => Act::Again,
            },
            Escape::Text(seen, after_escape) => {
                if byte == 0x07 || (after_escape && byte == b'\\') {
                    return Act::Nothing;
                }
                // An unfinished string must not swallow the rest of a log.
                if byte == b'\n' || byte == b'\r' || seen >= TEXT_LIMIT {
                    return Act::Again;
                }
                self.escape = Escape::Text(seen + 1, byte == 0x1b);
                Act::Nothing
            }
        }
    }

    fn csi(&mut self, bytes: &[u8], last: u8) -> Act {
        if last == b'm' {
            self.sgr(bytes);
            return Act::Style;
        }
        let text = std::str::from_utf8(bytes).unwrap_or("");
        let first = text.split(';').next().unwrap_or("");
        let number = first.parse::<u16>().ok().map(usize::from);
        let count = number.unwrap_or(1).max(1);
        let kind = number.unwrap_or(0).min(3) as u8;
        match last {
            b'A' | b'F' => Act::Up(count),
            b'B' | b'E' => Act::Down(count),
            b'C' => Act::Right(count),
            b'D' => Act::Left(count),
            b'G' => Act::Column(count - 1),
            b'K' => Act::EraseLine(kind),
            b'J' => Act::EraseBelow(kind),
            _ => Act::Nothing,
        }
    }

    fn sgr(&mut self, bytes: &[u8]) {
        if !self.limits.colour {
            return;
        }
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        if !text.bytes().all(|b| b.is_ascii_digit() || b == b';' || b == b':') {
            return;
        }
        let added = text.rsplit_once("0;").filter(|(before, _)| before.is_empty()).map_or(text, |(_, after)| after);
        if added.is_empty() || added == "0" {
            self.style = 0;
            return;
        }
        let before = if added.len() == text.len() { self.styles[usize::from(self.style)].as_str() } else { "" };
        let mut style = String::with_capacity(before.len() + added.len() + 1);
        if !before.is_empty() && before.len() + added.len() < STYLE_LIMIT && before != added {
            style.push_str(before);
            style.push(';');
        }
        style.push_str(added);
        let found = self.styles.iter().position(|known| *known == style);
        self.style = match found {
            Some(at) => at as u16,
            None if self.styles.len() < STYLES_LIMIT => {
                self.styles.push(style);
                (self.styles.len() - 1) as u16
            }
            None => 0,
        };
    }

    /// Drops all rows; the cursor stands on a fresh line.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.row = 0;
        self.column = 0;
        if self.style == 0 {
            self.styles.truncate(1);
        }
    }

    /// Cuts a row the cursor has left.
    pub(crate) fn shrink(&mut self, row: usize) {
        let limit = self.limits.left;
        if let Some(row) = self.rows.get_mut(row) {
            // Without trailing spaces a blank row is empty: looking for blank rows stays cheap.
            let text = row.chars.iter().rposition(|c| *c != ' ').map_or(0, |at| at + 1);
            row.cut(limit.min(text));
        }
    }

    pub(crate) fn save(&self, to: &mut Writer) {
        to.usize(self.rows.len());
        for row in &self.rows {
            to.str(&row.chars.iter().collect::<String>());
            to.u64(row.over);
            to.u64(row.start);
            to.bool(row.dirty);
            to.bool(row.live);
            to.bool(row.stayed);
            to.u8(row.versions);
            to.u8(row.looks);
            to.u64(u64::from(row.looked));
        }
        to.usize(self.row);
        to.usize(self.column);
        match &self.escape {
            Escape::None => to.u8(0),
            Escape::Start => to.u8(1),
            Escape::Csi(bytes) => {
                to.u8(2);
                to.bytes(bytes);
            }
            Escape::One => to.u8(3),
            Escape::Text(seen, after) => {
                to.u8(4);
                to.u64(u64::from(*seen));
                to.bool(*after);
            }
        }
        to.bytes(&self.partial);
    }

    pub(crate) fn restore(&mut self, from: &mut Saved<'_>) -> Restored<()> {
        self.rows.clear();
        for _ in 0..from.usize(self.limits.rows)? {
            let mut row = Row { chars: from.str()?.chars().collect(), ..Row::default() };
            row.over = from.u64()?;
            row.start = from.u64()?;
            row.dirty = from.bool()?;
            row.live = from.bool()?;
            row.stayed = from.bool()?;
            row.versions = from.u8()?;
            row.looks = from.u8()?;
            row.looked = from.usize(usize::from(u16::MAX))? as u16;
            if row.chars.len() > self.limits.row {
                return Err(RestoreError::Damaged);
            }
            self.rows.push_back(row);
        }
        self.row = from.usize(self.rows.len())?;
        self.column = from.usize(self.limits.row)?;
        self.escape = match from.u8()? {
            0 => Escape::None,
            1 => Escape::Start,
            2 => Escape::Csi(from.bytes()?.to_vec()),
            3 => Escape::One,
            4 => Escape::Text(from.usize(usize::from(u16::MAX) - 1)? as u16, from.bool()?),
            _ => return Err(RestoreError::Damaged),
        };
        self.partial = from.bytes()?.to_vec();
        if self.partial.len() > 3 || matches!(&self.escape, Escape::Csi(bytes) if bytes.len() > CSI_LIMIT) {
            return Err(RestoreError::Damaged);
        }
        Ok(())
    }
}
