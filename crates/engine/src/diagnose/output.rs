//! The end of a program's output as lines that rules can be held against: clean, bounded, each with its place in the log.

use footplate_progress::line::{Readable, ReadableOptions};

/// Bytes of a log's end that are looked at.
pub const OUTPUT_MOST: usize = 64 << 10;
/// Bytes kept of a line.
const LINE_MOST: usize = 4 << 10;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its text without escapes; what is hidden or no UTF-8 is shown.
    pub text: String,
    /// The byte of the log at which it begins.
    pub offset: u64,
}

/// The last lines of an output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Oldest first.
    pub lines: Vec<Line>,
    /// The lines are counted from the log's first one.
    pub whole: bool,
}

impl Output {
    /// Of the bytes that begin at this offset of the log. A line whose beginning is not among them is left out, and of more
    /// than [`OUTPUT_MOST`] bytes the last ones count.
    #[must_use]
    pub fn new(bytes: &[u8], offset: u64) -> Output {
        let surplus = bytes.len().saturating_sub(OUTPUT_MOST);
        let (bytes, offset) = (&bytes[surplus..], offset + surplus as u64);
        let whole = offset == 0;
        let from = match memchr::memchr(b'\n', bytes) {
            _ if whole => 0,
            Some(end) => end + 1,
            None => return Output::default(),
        };
        let base = offset + from as u64;
        let mut lines = Vec::new();
        let mut readable = Readable::new(ReadableOptions { colour: false, line_bytes: LINE_MOST });
        let mut keep = |line: &footplate_progress::line::ReadableLine<'_>| {
            lines.push(Line { text: line.text.trim_end().to_owned(), offset: base + line.start });
        };
        readable.feed(&bytes[from..], &mut keep);
        readable.finish(&mut keep);
        Output { lines, whole }
    }

    /// The line's number in its log, from 1, where it is known.
    #[must_use]
    pub fn number(&self, at: usize) -> Option<u64> {
        self.whole.then_some(at as u64 + 1)
    }
}
