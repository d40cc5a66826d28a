//! Bytes of a log -> text that a screen may show, and what kind of line it is.

use std::sync::LazyLock;

use regex::bytes::Regex;
use serde::Serialize;

/// How bad a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// It tells of an error.
    Error,
    /// It warns.
    Warning,
}

static BAD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // The forms are constants; a test compiles them.
    Regex::new(
        r"(?-u)\b(?:[A-Za-z_.]*(?:Error|Exception)\b|ERROR\b|error\b|FATAL\b|fatal\b|CRITICAL\b|Traceback \(|panicked at)",
    )
    .ok()
});
/// What every bad line has in it: literals only, which are found many times faster than the form above.
static SIGN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?-u)Error|Exception|ERROR|error|FATAL|fatal|CRITICAL|Traceback \(|panicked at").ok()
});
static WARNING: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?-u)\b(?:[A-Za-z]*Warning\b|WARN(?:ING)?\b|warn(?:ing)?\b)").ok());

/// Where the first error stands in these bytes, which may be many lines.
pub(super) fn first_error(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(sign) = SIGN.as_ref()?.find_at(bytes, from) {
        let start = memchr::memrchr(b'\n', &bytes[..sign.start()]).map_or(0, |at| at + 1);
        let end = memchr::memchr(b'\n', &bytes[sign.end()..]).map_or(bytes.len(), |at| sign.end() + at);
        if let Some(at) = first_error_of_line(&bytes[start..end]) {
            return Some(start + at);
        }
        from = end;
    }
    None
}

fn first_error_of_line(bytes: &[u8]) -> Option<usize> {
    let found = BAD.as_ref()?.find_iter(bytes).find(|found| {
        let before = &bytes[..found.start()];
        let after = &bytes[found.end()..];
        !is_a_value(after) && !before.ends_with(b"no ") && !before.ends_with(b"0 ")
    });
    found.map(|found| found.start())
}

/// `error: 0.25` and `error=3` are metrics.
fn is_a_value(after: &[u8]) -> bool {
    let rest = after.trim_ascii_start();
    let rest = rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"=")).map(<[u8]>::trim_ascii_start);
    rest.is_some_and(|rest| rest.first().is_some_and(|b| b.is_ascii_digit() || *b == b'-'))
}

/// What a line tells.
pub(super) fn level(text: &str) -> Option<Level> {
    if first_error(text.as_bytes()).is_some() {
        return Some(Level::Error);
    }
    WARNING.as_ref().is_some_and(|warning| warning.is_match(text.as_bytes())).then_some(Level::Warning)
}

/// Without colours.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\x1b') {
        plain.push_str(&rest[..at]);
        let end = rest[at..].find('m').map_or(rest.len(), |end| at + end + 1);
        rest = &rest[end..];
    }
    plain.push_str(rest);
    plain
}

/// What is searched for, whatever its case.
#[derive(Debug)]
pub(super) struct Needle {
    lower: String,
    fast: Option<Regex>,
}

impl Needle {
    /// `None` for nothing.
    pub(super) fn new(text: &str) -> Option<Needle> {
        let lower = text.to_lowercase();
        let form = || Regex::new(&format!("(?i-u){}", regex::escape(&lower))).ok();
        // A text with a newline in it is in no line.
        let fast = if lower.is_ascii() && !lower.contains('\n') { form() } else { None };
        (!lower.is_empty()).then_some(Needle { lower, fast })
    }

    /// Finds it in bytes; only for what case folds byte by byte.
    pub(super) fn fast(&self) -> Option<&Regex> {
        self.fast.as_ref()
    }

    /// Whether it is in a line.
    pub(super) fn is_in(&self, text: &str) -> bool {
        match text.contains('\x1b') {
            true => plain(text).to_lowercase().contains(&self.lower),
            false => text.to_lowercase().contains(&self.lower),
        }
    }
}

/// A line as it was written, with colours (SGR) and nothing else of what a terminal does not print.
pub(super) fn colours_only(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('\x1b') {
        out.push_str(&footplate_progress::line::visible(&rest[..at]));
        rest = &rest[at + 1..];
        if let Some(body) = rest.strip_prefix('[') {
            let end = body.find(|c: char| ('\x40'..='\x7e').contains(&c));
            let parameters = &body[..end.unwrap_or(body.len())];
            let known = parameters.bytes().all(|b| b.is_ascii_digit() || b == b';' || b == b':');
            if known && end.is_some_and(|end| body.as_bytes()[end] == b'm') {
                out.push_str("\x1b[");
                out.push_str(parameters);
                out.push('m');
            }
            rest = end.map_or("", |end| &body[end + 1..]);
        } else if let Some(body) = rest.strip_prefix(']') {
            // A title or a link: up to BEL or ESC \.
            let end = body.find(['\x07', '\x1b']);
            rest = end.map_or("", |end| body[end..].trim_start_matches('\x07'));
            rest = rest.strip_prefix("\x1b\\").unwrap_or(rest);
        } else {
            let mut signs = rest.chars();
            signs.next();
            rest = signs.as_str();
        }
    }
    out.push_str(&footplate_progress::line::visible(rest));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_from_metrics_of_that_name() {
        assert!(BAD.is_some() && WARNING.is_some());
        for text in
            ["ValueError: x", "[ERROR] disk", "Traceback (most recent call last):", "error: cannot open", "fatal"]
        {
            assert_eq!(level(text), Some(Level::Error), "{text}");
        }
        for text in ["error: 0.25", "val error=3e-4", "terror", "0 errors", "no error found", "mean_error 1"] {
            assert_eq!(level(text), None, "{text}");
        }
        assert_eq!(level("UserWarning: old"), Some(Level::Warning));
    }

    #[test]
    fn the_first_error_of_many_lines_is_that_of_the_first_line_that_is_one() {
        let signs = [
            "x.Error",
            "my Exception!",
            "ERROR",
            "an error",
            "FATAL",
            "fatal",
            "CRITICAL",
            "Traceback (",
            "it panicked at",
        ];
        let others = ["", "error: 0.25", "mean_error 1", "0 errors", "no error", "Errors", "terror", "loss 0.5"];
        for sign in signs {
            assert_eq!(level(sign), Some(Level::Error), "{sign}");
            for other in others {
                assert_eq!(level(other), None, "{other}");
                for text in [format!("{other}\n{other}\n{sign}\n"), format!("{other}\n{sign}\n: 3\n{sign}")] {
                    let before = first_error(text.as_bytes()).map(|at| text[..at].matches('\n').count());
                    let expected = text.split('\n').position(|line| level(line) == Some(Level::Error));
                    assert_eq!(before, expected, "{text:?}");
                }
                assert_eq!(first_error(format!("{other}\n{other}\n").as_bytes()), None, "{other}");
            }
        }
    }

    #[test]
    fn only_colours_are_left_of_escapes() {
        assert_eq!(colours_only(b"\x1b[31mred\x1b[0m\x1b[2K\x1b[1A\x1b]0;title\x07x\x1b(B"), "\x1b[31mred\x1b[0mxB");
        assert_eq!(plain("\x1b[31mred\x1b[0m x"), "red x");
        assert!(!colours_only(b"a\x08b\xff").contains('\x08'));
        assert_eq!(colours_only(b"\x1b]8;;http://e\x1b\\link\x1b]8;;\x1b\\"), "link");
    }
}
