//! Clean lines for people: one line a bar, no escapes but colour, hidden characters shown.
//!
//! A line is handed out as soon as it is certain: a plain line at its `\n`; a painted row (a bar) when what follows
//! shows that nobody will paint it again: a plain line below it, a bar below that repaints in place, or the end.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::screen::{End, Limits, Row, Screen};
use super::stream::{Out, Stream};

/// Rows a bar may stand above the newest line and still be repainted.
const ROWS: usize = 32;
/// Characters kept of a row the cursor has left but that is not handed out yet.
const LEFT: usize = 4096;

/// How lines are made readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadableOptions {
    /// Keep SGR colour sequences; all else is removed in any case.
    pub colour: bool,
    /// Bytes kept of a line; the rest is counted in [`ReadableLine::cut`].
    pub line_bytes: usize,
}

impl Default for ReadableOptions {
    fn default() -> ReadableOptions {
        ReadableOptions { colour: false, line_bytes: 64 * 1024 }
    }
}

/// One line for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadableLine<'a> {
    /// Its text, without the newline; safe to print on a terminal.
    pub text: &'a str,
    /// Offset in the stream of its first byte.
    pub start: u64,
    /// Bytes of it that were left out because it is too long.
    pub cut: u64,
    /// It was painted over in place before: the last version of a bar.
    pub bar: bool,
}

/// Turns a stream of bytes into readable lines; memory stays flat whatever comes.
#[derive(Debug, Clone)]
pub struct Readable {
    stream: Stream,
    printer: Printer,
}

impl Readable {
    /// A reader at offset 0 of its stream.
    pub fn new(options: ReadableOptions) -> Readable {
        let limits = Limits {
            raw: options.line_bytes,
            row: options.line_bytes.min(16 * 1024),
            left: LEFT,
            rows: ROWS,
            keep_over: true,
            parse: false,
            colour: options.colour,
        };
        Readable { stream: Stream::new(limits), printer: Printer { colour: options.colour, scratch: String::new() } }
    }

    /// Takes bytes and hands out the lines that are certain.
    pub fn feed(&mut self, bytes: &[u8], each: &mut dyn FnMut(&ReadableLine<'_>)) {
        self.stream.feed(bytes, &mut Printing { printer: &mut self.printer, each });
    }

    /// The stream has ended: hands out what is held, an unfinished last line too.
    pub fn finish(&mut self, each: &mut dyn FnMut(&ReadableLine<'_>)) {
        self.stream.finish(&mut Printing { printer: &mut self.printer, each });
    }

    /// Bytes taken so far.
    pub fn offset(&self) -> u64 {
        self.stream.offset()
    }

    /// What stands on the screen and is not handed out yet, oldest first: live bars, an unfinished line.
    pub fn held(&self) -> Vec<String> {
        let mut held = Vec::new();
        let mut printer = self.printer.clone();
        for row in self.stream.screen.rows.iter().filter(|row| !row.shown && !row.is_blank()) {
            printer.render(&self.stream.screen.styles, row);
            held.push(printer.scratch.clone());
        }
        if let Some(raw) = self.stream.unfinished() {
            held.push(visible(&String::from_utf8_lossy(raw)).into_owned());
        }
        held
    }
}

#[derive(Debug, Clone)]
struct Printer {
    colour: bool,
    scratch: String,
}

impl Printer {
    fn render(&mut self, styles: &[String], row: &Row) {
        self.scratch.clear();
        let end = row.chars.iter().rposition(|c| *c != ' ').map_or(0, |at| at + 1);
        let mut style = 0u16;
        for (at, c) in row.chars[..end].iter().enumerate() {
            let next = if self.colour { row.styles.get(at).copied().unwrap_or(0) } else { 0 };
            if next != style {
                if style != 0 {
                    self.scratch.push_str("\x1b[0m");
                }
                if let Some(sgr) = styles.get(usize::from(next)).filter(|sgr| !sgr.is_empty()) {
                    let _ = write!(self.scratch, "\x1b[{sgr}m");
                }
                style = next;
            }
            push_visible(&mut self.scratch, *c);
        }
        if style != 0 {
            self.scratch.push_str("\x1b[0m");
        }
    }
}

struct Printing<'a> {
    printer: &'a mut Printer,
    each: &'a mut dyn FnMut(&ReadableLine<'_>),
}

impl Printing<'_> {
    fn show(&mut self, styles: &[String], row: &mut Row) {
        if row.shown || (row.is_blank() && row.versions > 0) {
            return;
        }
        row.shown = true;
        self.printer.render(styles, row);
        (self.each)(&ReadableLine { text: &self.printer.scratch, start: row.start, cut: row.over, bar: row.live });
    }

    fn show_until(&mut self, screen: &mut Screen, end: usize) {
        for row in screen.rows.iter_mut().take(end) {
            self.show(&screen.styles, row);
        }
    }
}

impl Out for Printing<'_> {
    fn plain(&mut self, line: &[u8], start: u64, over: u64) {
        let text = String::from_utf8_lossy(line);
        (self.each)(&ReadableLine { text: &visible(&text), start, cut: over, bar: false });
    }

    fn painted(&mut self, screen: &mut Screen, row: usize, end: End) {
        let painted = &mut screen.rows[row];
        painted.shown = false;
        // Painted over in place without going up: no bar stands above it any more.
        if end == End::Stay && painted.stayed && !painted.is_blank() {
            self.show_until(screen, row);
        }
    }

    fn ended(&mut self, screen: &mut Screen, row: usize) {
        if !screen.rows[row].live && (screen.rows[row].versions > 0 || row == 0) {
            self.show_until(screen, row + 1);
        }
    }

    fn scrolled(&mut self, styles: &[String], mut row: Row) {
        self.show(styles, &mut row);
    }
}

/// The text with control and bidirectional characters made visible; a tab stays a tab.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b) || b == b'\t') || !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push_visible(&mut shown, c);
    }
    Cow::Owned(shown)
}

fn is_hidden(c: char) -> bool {
    match c {
        '\t' => false,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => true,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

fn push_visible(to: &mut String, c: char) {
    match c {
        c if !is_hidden(c) => to.push(c),
        '\0'..='\x1f' => to.push(char::from_u32(0x2400 + c as u32).unwrap_or(char::REPLACEMENT_CHARACTER)),
        '\x7f' => to.push('\u{2421}'),
        _ => {
            let _ = write!(to, "<U+{:04X}>", c as u32);
        }
    }
}
