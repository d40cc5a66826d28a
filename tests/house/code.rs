//! The tree as the rules see it: files, and Rust sources taken apart into code, strings and comments. A small lexer, no
//! parser: it knows where strings and comments are, and nothing of types.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A place where a rule is broken, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) path: String,
    /// From 1; 0 where the whole file is meant.
    pub(crate) line: usize,
    pub(crate) sentence: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.sentence),
            line => write!(f, "{}:{line}: {}", self.path, self.sentence),
        }
    }
}

/// Fails with every finding on a line of its own.
pub(crate) fn must_be_clean(findings: &[Finding]) {
    let lines: String = findings.iter().map(|finding| format!("\n  {finding}")).collect();
    assert!(findings.is_empty(), "{} place(s) break a law of the house:{lines}\n", findings.len());
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A command's stdout, run in the root; its failure fails the test with what it said.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Paths, relative to the root, of all files that git has or would take.
pub(crate) fn files() -> Vec<String> {
    let listed = run("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let mut paths: Vec<String> = listed.split_terminator('\0').map(str::to_owned).collect();
    paths.retain(|path| root().join(path).is_file());
    paths.sort();
    paths.dedup();
    paths
}

/// One Rust source.
pub(crate) struct Source {
    pub(crate) path: String,
    lines: Vec<Line>,
    /// Number of lines.
    pub(crate) length: usize,
}

/// One line of a [`Source`], in three readings of the same width in bytes.
#[derive(Default)]
pub(crate) struct Line {
    /// From 1.
    pub(crate) number: usize,
    /// Without comments and without what stands in strings.
    pub(crate) code: String,
    /// What stands in strings, and nothing else.
    pub(crate) strings: String,
    /// What stands in comments, and nothing else.
    pub(crate) comments: String,
    /// Whether it is in a test: a file under `tests/`, `examples/` or `benches/`, or below the first `#[cfg(test)]` of a file.
    pub(crate) test: bool,
}

impl Source {
    pub(crate) fn of(path: &str, text: &str) -> Self {
        let mut marks = Marks::default();
        let mut lines = Vec::new();
        let mut test = path.split('/').any(|part| ["tests", "tests.rs", "examples", "benches"].contains(&part));
        for (index, text) in text.lines().enumerate() {
            let mut line = Line { number: index + 1, test: false, ..Line::default() };
            marks.line(text, &mut line);
            test |= line.code.contains("#[cfg(test)]");
            line.test = test;
            lines.push(line);
        }
        Self { path: path.to_owned(), length: lines.len(), lines }
    }

    pub(crate) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The crate's folder under `crates/`, if it is in one.
    pub(crate) fn room(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    pub(crate) fn finding(&self, line: usize, sentence: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, sentence: sentence.into() }
    }
}

/// All Rust sources of the house.
pub(crate) fn sources() -> Vec<Source> {
    let found: Vec<Source> = files()
        .iter()
        .filter(|path| path.ends_with(".rs"))
        .map(|path| Source::of(path, &std::fs::read_to_string(root().join(path)).unwrap()))
        .collect();
    assert!(found.len() > 20, "only {} sources found: the rules would hold for nothing", found.len());
    found
}

/// Where the lexer stands between two lines.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Inside {
    #[default]
    Code,
    /// Of this depth: block comments nest.
    Comment(usize),
    Text,
    /// A raw string with this many `#`.
    Raw(usize),
}

#[derive(Default)]
struct Marks {
    inside: Inside,
}

impl Marks {
    fn line(&mut self, text: &str, line: &mut Line) {
        let signs: Vec<char> = text.chars().collect();
        let at = |index: usize| signs.get(index).copied().unwrap_or('\n');
        let mut index = 0;
        while index < signs.len() {
            let (next, width) = match self.inside {
                Inside::Comment(depth) if at(index) == '*' && at(index + 1) == '/' => {
                    (if depth == 1 { Inside::Code } else { Inside::Comment(depth - 1) }, 2)
                }
                Inside::Comment(depth) if at(index) == '/' && at(index + 1) == '*' => (Inside::Comment(depth + 1), 2),
                Inside::Comment(_) => (self.inside, 1),
                Inside::Text if at(index) == '\\' => (self.inside, 2),
                Inside::Text if at(index) == '"' => (Inside::Code, 1),
                Inside::Text => (self.inside, 1),
                Inside::Raw(hashes) if at(index) == '"' && (1..=hashes).all(|next| at(index + next) == '#') => {
                    (Inside::Code, hashes + 1)
                }
                Inside::Raw(_) => (self.inside, 1),
                Inside::Code => match at(index) {
                    '/' if at(index + 1) == '/' => {
                        line.comments.extend(&signs[index..]);
                        return;
                    }
                    '/' if at(index + 1) == '*' => (Inside::Comment(1), 2),
                    '"' => (Inside::Text, 1),
                    'r' | 'b' | 'c' if !name_before(&signs, index) => match raw_start(&signs, index) {
                        Some((hashes, width)) => (Inside::Raw(hashes), width),
                        None => (Inside::Code, 1),
                    },
                    '\'' => (Inside::Code, character(&signs, index)),
                    _ => (Inside::Code, 1),
                },
            };
            let end = (index + width).min(signs.len());
            let (from, to) = (self.inside, next);
            let part = &signs[index..end];
            match (from, to) {
                (Inside::Code, Inside::Code) => line.code.extend(part),
                (Inside::Comment(_), _) | (_, Inside::Comment(_)) => line.comments.extend(part),
                // The quotes stay in the code, so that two strings do not become one word.
                (Inside::Code, _) | (_, Inside::Code) => line.code.push('"'),
                (Inside::Text | Inside::Raw(_), Inside::Text | Inside::Raw(_)) => line.strings.extend(part),
            }
            self.inside = next;
            index = end;
        }
        if self.inside != Inside::Code {
            line.strings.push(' ');
        }
    }
}

fn name_before(signs: &[char], index: usize) -> bool {
    index > 0 && (signs[index - 1].is_alphanumeric() || signs[index - 1] == '_')
}

/// Hashes and width of the opening of a raw string (`r"`, `br##"`) at `index`.
fn raw_start(signs: &[char], index: usize) -> Option<(usize, usize)> {
    let mut place = index;
    if matches!(signs[place], 'b' | 'c') {
        place += 1;
    }
    if signs.get(place) != Some(&'r') {
        return None;
    }
    let hashes = signs[place + 1..].iter().take_while(|sign| **sign == '#').count();
    let quote = place + 1 + hashes;
    (signs.get(quote) == Some(&'"')).then_some((hashes, quote + 1 - index))
}

/// Width of a character literal at `index`; 1 for the tick of a lifetime.
fn character(signs: &[char], index: usize) -> usize {
    match signs.get(index + 1) {
        Some('\\') => signs[index + 2..].iter().skip(1).position(|sign| *sign == '\'').map_or(1, |end| end + 4),
        Some(_) if signs.get(index + 2) == Some(&'\'') => 3,
        _ => 1,
    }
}

#[test]
fn the_lexer_tells_code_from_strings_and_comments() {
    let text = "let a = \"in // string\"; // in comment\nlet b = r#\"raw \" \\\"#; /* block\nstill */ let c = '\"'; let d = \"x\\\"y\";\nfn f<'a>(q: &'a str) { m('\\''); }\n#[cfg(test)]\nmod tests {}";
    let source = Source::of("crates/x/src/y.rs", text);
    let code: Vec<&str> = source.lines().iter().map(|line| line.code.trim()).collect();
    assert_eq!(code[0], "let a = \"\";");
    assert_eq!(code[1], "let b = \"\";");
    assert_eq!(code[2], "let c = '\"'; let d = \"\";");
    assert_eq!(code[3], "fn f<'a>(q: &'a str) { m('\\''); }");
    assert_eq!(source.lines()[0].strings.trim(), "in // string");
    assert_eq!(source.lines()[0].comments, "// in comment");
    assert_eq!(source.lines()[1].strings, "raw \" \\ ");
    assert!(source.lines()[1].comments.starts_with("/* block") && source.lines()[2].comments.contains("still */"));
    let test: Vec<bool> = source.lines().iter().map(|line| line.test).collect();
    assert_eq!(test, [false, false, false, false, true, true]);
    assert_eq!(source.room(), Some("x"));
}
