//! Python's tracebacks in an output: what was raised, with what message, from where in the user's own code.
//!
//! The form is that of CPython's `traceback` module. Each line may have a prefix (`[rank0]: `, `(worker pid=7) `) that the
//! first one has too.

use super::output::Line;

const HEAD: &str = "Traceback (most recent call last):";
/// Lines of a message that belong to it.
const MESSAGE_LINES: usize = 12;
/// Characters of a prefix.
const PREFIX_MOST: usize = 60;

/// Where something was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) file: String,
    pub(super) line: u64,
    pub(super) function: String,
}

/// How an exception came of the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// It stands alone.
    None,
    /// `raise .. from` the one before.
    Cause,
    /// Raised while the one before was handled.
    Context,
}

/// One exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Raised {
    /// Its type with its module: `torch.cuda.OutOfMemoryError`.
    pub(super) kind: String,
    /// Its message, lines and all.
    pub(super) message: String,
    /// Oldest call first.
    pub(super) frames: Vec<Frame>,
    pub(super) link: Link,
    /// The index of the line that names it.
    pub(super) at: usize,
    /// The index after its last line.
    pub(super) end: usize,
}

impl Raised {
    /// The type's own name.
    pub(super) fn name(&self) -> &str {
        self.kind.rsplit('.').next().unwrap_or(&self.kind)
    }

    /// The last call in code that is not a library's.
    pub(super) fn users(&self) -> Option<&Frame> {
        self.frames.iter().rfind(|frame| !is_library(&frame.file))
    }
}

/// Installed packages, the standard library, and what is in no file.
fn is_library(file: &str) -> bool {
    let path = file.replace('\\', "/");
    let standard =
        path.split_once("/lib/python").is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
    standard || file.starts_with('<') || ["/site-packages/", "/dist-packages/"].iter().any(|part| path.contains(part))
}

/// All exceptions, oldest first.
pub(super) fn all(lines: &[Line]) -> Vec<Raised> {
    let mut found: Vec<Raised> = Vec::new();
    let mut at = 0;
    let mut link = Link::None;
    while at < lines.len() {
        let text = lines[at].text.as_str();
        if text.contains("The above exception was the direct cause of the following exception:") {
            link = Link::Cause;
        } else if text.contains("During handling of the above exception, another exception occurred:") {
            link = Link::Context;
        } else if let Some(raised) = whole(lines, at).or_else(|| boxed(lines, at)).or_else(|| syntax(lines, at)) {
            at = raised.end;
            found.push(Raised { link: std::mem::replace(&mut link, Link::None), ..raised });
            continue;
        }
        at += 1;
    }
    found
}

/// The traceback that begins at this line.
fn whole(lines: &[Line], at: usize) -> Option<Raised> {
    let (prefix, rest) = lines[at].text.split_once(HEAD)?;
    if !rest.is_empty() || prefix.chars().count() > PREFIX_MOST {
        return None;
    }
    let mut frames = Vec::new();
    for index in at + 1..lines.len() {
        // Output of others may lie between the lines of one that has a prefix.
        let Some(text) = lines[index].text.strip_prefix(prefix) else { continue };
        if let Some(frame) = frame(text) {
            frames.push(frame);
        } else if !text.is_empty() && !text.starts_with(' ') {
            let (kind, first) = named(text)?;
            return Some(told(lines, prefix, index, kind, first, frames));
        }
    }
    None
}

/// The same in the frame that the package `rich` draws, which accelerate and typer use: `│ train.py:12 in main   │`, and what was
/// raised below it.
fn boxed(lines: &[Line], at: usize) -> Option<Raised> {
    let head = &lines[at].text;
    if !head.trim_start().starts_with('╭') || !head.contains(" Traceback (most recent call last) ") {
        return None;
    }
    let bottom = at + lines[at..].iter().position(|line| line.text.trim_start().starts_with('╰'))?;
    let frames = lines[at + 1..bottom].iter().filter_map(|line| {
        let text = line.text.trim().strip_prefix('│')?.strip_suffix('│')?.trim();
        let (place, function) = text.split_once(" in ")?;
        let (file, line) = place.rsplit_once(':')?;
        let function = function.trim_matches('`').to_owned();
        Some(Frame { file: file.to_owned(), line: line.parse().ok()?, function })
    });
    let (kind, first) = named(&lines.get(bottom + 1)?.text)?;
    Some(told(lines, "", bottom + 1, kind, first, frames.collect()))
}

/// A fault of syntax in the program itself has no head: the file, the code, then what it is.
fn syntax(lines: &[Line], at: usize) -> Option<Raised> {
    let (kind, first) = named(&lines[at].text)?;
    if !matches!(kind, "SyntaxError" | "IndentationError" | "TabError") {
        return None;
    }
    let place = lines[at.saturating_sub(4)..at].iter().rev().find_map(|line| {
        let (file, line) = line.text.strip_prefix("  File \"")?.split_once("\", line ")?;
        Some(Frame { file: file.to_owned(), line: line.parse().ok()?, function: "<module>".to_owned() })
    })?;
    Some(told(lines, "", at, kind, first, vec![place]))
}

fn told(lines: &[Line], prefix: &str, at: usize, kind: &str, first: &str, frames: Vec<Frame>) -> Raised {
    let mut message = first.to_owned();
    for line in lines[at + 1..].iter().take(MESSAGE_LINES) {
        // A message may hold an empty line, but not what begins something else.
        let Some(text) = line.text.strip_prefix(prefix.trim_end()).map(str::trim) else { break };
        if text.starts_with("Traceback (") || text.starts_with("During handling") || text.starts_with("The above exc") {
            break;
        }
        message.push('\n');
        message.push_str(text);
    }
    // The lines after it may be others' too: the message has them for what it may say, the exception ends with its own.
    Raised { kind: kind.to_owned(), message, frames, link: Link::None, at, end: at + 1 }
}

/// `  File "train.py", line 3, in main`.
fn frame(text: &str) -> Option<Frame> {
    let (file, rest) = text.strip_prefix("  File \"")?.rsplit_once("\", line ")?;
    let (line, function) = rest.split_once(", in ").unwrap_or((rest, "<module>"));
    Some(Frame { file: file.to_owned(), line: line.parse().ok()?, function: function.to_owned() })
}

/// `package.Kind: message`, or `Kind` alone.
fn named(text: &str) -> Option<(&str, &str)> {
    let (kind, message) = text.split_once(':').unwrap_or((text, ""));
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '<' || c == '>')
    };
    let fits = kind.len() <= 200 && kind.split('.').all(is_name) && (message.is_empty() || message.starts_with(' '));
    fits.then(|| (kind, message.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::output::Output;

    fn raised(text: &str) -> Vec<Raised> {
        all(&Output::new(text.as_bytes(), 0).lines)
    }

    #[test]
    fn a_chain_is_told_in_its_order_and_with_its_links() {
        let text = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\nKeyError: 'x'\n\n\
                    The above exception was the direct cause of the following exception:\n\n\
                    Traceback (most recent call last):\n  File \"a.py\", line 9, in <module>\n    f()\na.b.Odd: two\nlines\n";
        let found = raised(text);
        assert_eq!(
            found.iter().map(|r| (r.kind.as_str(), r.link)).collect::<Vec<_>>(),
            [("KeyError", Link::None), ("a.b.Odd", Link::Cause)]
        );
        assert_eq!(found[1].message, "two\nlines");
        assert_eq!(found[1].users().unwrap().line, 9);
    }

    #[test]
    fn a_prefix_and_the_lines_of_others_are_no_part_of_it() {
        let text = "[rank0]: Traceback (most recent call last):\n[rank0]:   File \"t.py\", line 4, in step\nepoch 1\n\
                    [rank0]:     go()\n[rank0]: ValueError: no\n";
        let found = raised(text);
        assert_eq!((found.len(), found[0].kind.as_str(), found[0].users().unwrap().line), (1, "ValueError", 4));
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for text in [
            "Traceback (most recent call last):\n",
            "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n",
            "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nnot an exception here: no\n",
            "it printed Traceback (most recent call last): once\nValueError: x\n",
            "SyntaxError: said without a file\n",
        ] {
            assert_eq!(raised(text), [], "{text}");
        }
    }

    #[test]
    fn a_library_is_told_from_the_users_code() {
        for file in [
            "/opt/env/lib/python3.11/site-packages/torch/nn.py",
            "/usr/lib/python3/dist-packages/numpy/a.py",
            "/usr/lib/python3.11/json/__init__.py",
            "<frozen importlib._bootstrap>",
            "C:\\env\\Lib\\site-packages\\a.py",
        ] {
            assert!(is_library(file), "{file}");
        }
        for file in ["train.py", "/srv/lib/pythonic/a.py", "/home/u/site-packages.py"] {
            assert!(!is_library(file), "{file}");
        }
    }
}
