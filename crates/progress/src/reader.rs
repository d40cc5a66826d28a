//! The streaming reader: bytes of an attempt's log in, what they tell out.

use crate::codec::{RestoreError, Saved, Writer};
use crate::format::{self, Findings, Format, Painted};
use crate::latest::{Latest, Source};
use crate::line::screen::{End, Limits, Screen};
use crate::line::stream::{Out, Stream};
use crate::pattern::{LINE_LIMIT, PatternError, Patterns};
use crate::protocol;
use crate::sink::Sink;
use crate::tracker::{At, Tracker};

/// Bytes of a line of the protocol.
pub const PROTOCOL_LINE_LIMIT: usize = 64 * 1024;
/// Bytes of a saved state, at most.
pub const STATE_LIMIT: usize = 64 * 1024;

/// Version of the saved form.
const VERSION: u8 = 1;
/// Markers that lead to nothing, within one line, before the rest of it is given up.
const TRIES: usize = 8;
/// No clock is further from the epoch than this.
const FAR_MS: i64 = 1 << 52;

const LIMITS: Limits =
    Limits { raw: PROTOCOL_LINE_LIMIT, row: 2048, left: 200, rows: 10, keep_over: false, parse: true, colour: false };

/// What a stage says about its own lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// A regular expression with named groups: `step total epoch epochs progress eta message`.
    pub progress_pattern: Option<String>,
    /// A regular expression with the groups `name` and `value`, or a group for each metric.
    pub metric_pattern: Option<String>,
}

/// Reads the output of one attempt. Any cutting of the bytes gives the same answer.
#[derive(Debug)]
pub struct Reader {
    stream: Stream,
    parser: Parser,
}

impl Reader {
    /// A reader at offset 0.
    ///
    /// # Errors
    /// A pattern that does not compile or has no group that means something.
    pub fn new(options: Options) -> Result<Reader, PatternError> {
        Ok(Reader { stream: Stream::new(LIMITS), parser: Parser::new(&options)? })
    }

    /// Takes the next bytes, read at `now_ms` (milliseconds since the Unix epoch). With no bytes it hands on the
    /// points that were held back and whose second is over.
    pub fn feed(&mut self, bytes: &[u8], now_ms: i64, sink: &mut dyn Sink) {
        let now_ms = now_ms.clamp(-FAR_MS, FAR_MS);
        self.parser.tracker.series.flush(now_ms, false, sink);
        self.stream.feed(bytes, &mut Reading { parser: &mut self.parser, now_ms, sink });
    }

    /// The output has ended: an unfinished last line counts, held points are handed on.
    pub fn finish(&mut self, now_ms: i64, sink: &mut dyn Sink) {
        let now_ms = now_ms.clamp(-FAR_MS, FAR_MS);
        self.stream.finish(&mut Reading { parser: &mut self.parser, now_ms, sink });
        self.parser.tracker.series.flush(now_ms, true, sink);
    }

    /// Bytes read. After [`Reader::restore`]: where to go on reading.
    pub fn offset(&self) -> u64 {
        self.stream.offset()
    }

    /// The newest progress.
    pub fn state(&self) -> &Latest {
        &self.parser.tracker.latest
    }

    /// The newest values of series that have had their points of this second: not handed on yet, but true already.
    pub fn held(&self) -> impl Iterator<Item = (&str, f64)> {
        self.parser.tracker.series.held()
    }

    /// All that is needed to go on later, at most [`STATE_LIMIT`] bytes.
    ///
    /// An unfinished plain line of more than 1 KiB is not in it: the restored reader's [`Reader::offset`] is then the
    /// beginning of that line, at most 64 KiB back. Nothing of such a line has been handed on, so nothing comes twice.
    pub fn save(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.u8(VERSION);
        self.stream.save(&mut to);
        self.parser.tracker.save(&mut to);
        to.usize(self.parser.formats.len());
        for format in &self.parser.formats {
            let mut own = Writer::default();
            format.save(&mut own);
            to.bytes(&own.bytes);
        }
        to.bytes
    }

    /// Takes up what [`Reader::save`] wrote; reading goes on at [`Reader::offset`].
    ///
    /// # Errors
    /// Bytes that are damaged or of another version; patterns that cannot be used.
    pub fn restore(options: Options, bytes: &[u8]) -> Result<Reader, RestoreError> {
        let mut parser = Parser::new(&options).map_err(RestoreError::Pattern)?;
        let mut from = Saved::new(bytes);
        match from.u8()? {
            VERSION => {}
            other => return Err(RestoreError::OtherVersion(other)),
        }
        let stream = Stream::restore(LIMITS, &mut from)?;
        parser.tracker = Tracker::restore(&mut from)?;
        let count = from.usize(parser.formats.len())?;
        for format in parser.formats.iter_mut().take(count) {
            let mut own = Saved::new(from.bytes()?);
            format.restore(&mut own)?;
            own.end()?;
        }
        from.end()?;
        Ok(Reader { stream, parser })
    }
}

impl Clone for Reader {
    fn clone(&self) -> Reader {
        Reader {
            stream: self.stream.clone(),
            parser: Parser {
                tracker: self.parser.tracker.clone(),
                patterns: self.parser.patterns.clone(),
                formats: self.parser.formats.iter().map(|format| format.copy()).collect(),
                text: String::new(),
            },
        }
    }
}

#[derive(Debug)]
struct Parser {
    tracker: Tracker,
    patterns: Patterns,
    formats: Vec<Box<dyn Format + Send>>,
    /// Room for the text of a row.
    text: String,
}

impl Parser {
    fn new(options: &Options) -> Result<Parser, PatternError> {
        let patterns = Patterns::new(options.progress_pattern.as_deref(), options.metric_pattern.as_deref())?;
        Ok(Parser { tracker: Tracker::new(), patterns, formats: format::all(), text: String::new() })
    }

    /// One version of a line that is none of the protocol's: for the formats, for the stage's own patterns, or both.
    fn version(&mut self, painted: Painted<'_>, (formats, own): (bool, bool), now_ms: i64, sink: &mut dyn Sink) {
        let mut found: Option<(Source, Findings)> = None;
        for format in self.formats.iter_mut().take(if formats { usize::MAX } else { 0 }) {
            if format.may_be(painted.text.as_bytes())
                && let Some(findings) = format.read(painted)
            {
                found = Some((format.source(), findings));
                break;
            }
        }
        if let Some((source, findings)) = found {
            self.tracker.found(source, &findings, now_ms, sink);
        }
        if own && self.patterns.any() && painted.text.len() <= LINE_LIMIT {
            self.own_patterns(painted.text, now_ms, sink);
        }
    }

    fn own_patterns(&mut self, text: &str, now_ms: i64, sink: &mut dyn Sink) {
        if let Some((position, message)) = self.patterns.position(text) {
            self.tracker.place(Source::Pattern, &position, now_ms, sink);
            if let Some(message) = message {
                crate::latest::set(&mut self.tracker.latest.message, &message, crate::latest::MESSAGE_LIMIT);
            }
        }
        let mut metrics = self.patterns.metrics(text);
        for metric in &mut metrics {
            metric.step = metric.step.or(self.tracker.latest.step);
            metric.epoch = metric.epoch.or(self.tracker.latest.epoch);
        }
        self.tracker.metrics(Source::Pattern, &metrics, now_ms, sink);
    }

    /// The payloads behind a marker, and behind those that follow it on the line.
    fn payloads(&mut self, payload: &[u8], at: At, sink: &mut dyn Sink) {
        let mut rest = payload;
        let mut tries = 0;
        loop {
            let mut message = protocol::Message::default();
            let next = match protocol::read(rest, &mut message) {
                Ok(taken) => {
                    self.tracker.protocol(&message, at, sink);
                    taken
                }
                Err(reason) => {
                    if let Some(quoted) = protocol::quote_specials(rest)
                        && self.quoted(&quoted, at, sink)
                    {
                        return;
                    }
                    self.tracker.bad_line(at.offset, reason, sink);
                    tries += 1;
                    if tries >= TRIES {
                        return;
                    }
                    0
                }
            };
            match protocol::find(&rest[next..]) {
                Some(more) => rest = &rest[next + more..],
                None => return,
            }
        }
    }

    /// Payloads whose bare NaN and infinities were put between quotes. False if the first is no better for it.
    fn quoted(&mut self, quoted: &[u8], at: At, sink: &mut dyn Sink) -> bool {
        let mut rest = quoted;
        let mut any = false;
        loop {
            let mut message = protocol::Message::default();
            match protocol::read(rest, &mut message) {
                Ok(taken) => {
                    any = true;
                    self.tracker.protocol(&message, at, sink);
                    match protocol::find(&rest[taken..]) {
                        Some(more) => rest = &rest[taken + more..],
                        None => return true,
                    }
                }
                Err(reason) => {
                    if any {
                        self.tracker.bad_line(at.offset, reason, sink);
                    }
                    return any;
                }
            }
        }
    }
}

/// A parser at work on a piece of output.
struct Reading<'a> {
    parser: &'a mut Parser,
    now_ms: i64,
    sink: &'a mut dyn Sink,
}

impl Out for Reading<'_> {
    fn plain(&mut self, line: &[u8], start: u64, over: u64) {
        let parser = &mut *self.parser;
        parser.tracker.latest.counters.lines += 1;
        if over > 0 {
            parser.tracker.too_long(start, line.len() as u64 + over, self.sink);
            return;
        }
        if let Some(payload) = protocol::find(line) {
            parser.payloads(&line[payload..], At { offset: start, now_ms: self.now_ms }, self.sink);
            return;
        }
        if parser.patterns.any() || parser.formats.iter().any(|format| format.may_be(line)) {
            let text = String::from_utf8_lossy(line);
            let painted = Painted { text: text.trim_end(), nested: false };
            parser.version(painted, (true, true), self.now_ms, self.sink);
        }
    }

    fn marked(&mut self, payload: &[u8], start: u64, over: u64) {
        if over > 0 {
            self.parser.tracker.too_long(start, payload.len() as u64 + over, self.sink);
            return;
        }
        self.parser.payloads(payload, At { offset: start, now_ms: self.now_ms }, self.sink);
    }

    fn painted(&mut self, screen: &mut Screen, row: usize, end: End) {
        let row = &screen.rows[row];
        if row.over > 0 {
            let bytes = row.chars.len() as u64 + row.over;
            self.parser.tracker.too_long(row.start, bytes, self.sink);
            return;
        }
        let seen = usize::from(row.looked);
        self.look(&row.chars, end == End::Up, seen, true);
    }

    fn bracket(&mut self, screen: &mut Screen) {
        let (at, column) = (screen.row, screen.column);
        let row = screen.here();
        // A bar below another may turn out to be nested: wait for what follows it.
        if at == 0 || row.stayed {
            let end = column.min(row.chars.len());
            row.looked = end as u16;
            self.look(&row.chars[..end], false, 0, false);
        }
    }

    fn ended(&mut self, _screen: &mut Screen, _row: usize) {
        self.parser.tracker.latest.counters.lines += 1;
    }
}

impl Reading<'_> {
    /// A version of a row, of which the first `seen` characters were looked at before.
    fn look(&mut self, chars: &[char], nested: bool, seen: usize, whole: bool) {
        let end = chars.iter().rposition(|c| *c != ' ').map_or(0, |at| at + 1);
        let formats = nested || seen != end;
        if end == 0 || !(formats || self.parser.patterns.any()) {
            return;
        }
        let mut text = std::mem::take(&mut self.parser.text);
        text.clear();
        text.extend(&chars[..end]);
        self.parser.version(Painted { text: &text, nested }, (formats, whole), self.now_ms, self.sink);
        self.parser.text = text;
    }
}
