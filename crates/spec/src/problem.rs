//! What is wrong with a pipeline file: a code, a sentence with the value, where it stands, what to do.

use std::fmt;

use footplate_core::{ErrorCode, Fault, FaultProblem};

/// One thing wrong with a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// For programs: `syntax`, `unknown_key`, `cycle` ...
    pub code: &'static str,
    /// What happened, with the value.
    pub message: String,
    /// The line, from 1, where a file is known.
    pub line: Option<u32>,
    /// The column in characters, from 1.
    pub column: Option<u32>,
    /// What to do.
    pub hint: Option<String>,
    /// The parameter whose value it is about.
    pub param: Option<String>,
}

impl Problem {
    /// A problem without a place.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Problem { code, message: message.into(), line: None, column: None, hint: None, param: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds whose value it is about.
    #[must_use]
    pub(crate) fn of(mut self, param: &str) -> Self {
        self.param = Some(param.to_owned());
        self
    }

    /// Adds a known name that is near `wrong`, if there is one.
    #[must_use]
    pub(crate) fn near<'a>(mut self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        if let Some(name) = nearest(wrong, known) {
            self.hint = Some(format!("did you mean \"{name}\"?"));
        }
        self
    }

    /// `footplate.toml:12:5: message`, then the hint on a line of its own.
    #[must_use]
    pub fn text(&self, file: &str) -> String {
        let text = self.told(file).text();
        match &self.hint {
            Some(hint) => format!("{text}\n  hint: {hint}"),
            None => text,
        }
    }

    /// As a part of a fault.
    fn told(&self, file: &str) -> FaultProblem {
        let Problem { code, message, line, column, hint, param: _ } = self.clone();
        FaultProblem { code: code.to_owned(), file: file.to_owned(), line, column, message, hint }
    }
}

/// Everything wrong with a pipeline, in the order of the file; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Every problem as [`Problem::text`], one after another.
    #[must_use]
    pub fn text(&self, file: &str) -> String {
        self.0.iter().map(|problem| problem.text(file)).collect::<Vec<_>>().join("\n")
    }

    /// As a fault under `invalid_pipeline`; `file` is the name that people know it by.
    #[must_use]
    pub fn fault(&self, file: &str) -> Fault {
        let problems: Vec<FaultProblem> = self.0.iter().map(|problem| problem.told(file)).collect();
        let message = problems.iter().map(FaultProblem::text).collect::<Vec<_>>().join("\n");
        let mut fault = Fault { problems, ..Fault::new(ErrorCode::InvalidPipeline, message) };
        for hint in self.0.iter().filter_map(|problem| problem.hint.as_ref()) {
            if !fault.hints.contains(hint) {
                fault.hints.push(hint.clone());
            }
        }
        fault
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Problems(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text("footplate.toml"))
    }
}

impl std::error::Error for Problems {}

/// Something that is allowed and probably not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// For programs.
    pub code: &'static str,
    /// What was found.
    pub message: String,
}

/// The known name that is nearest to `wrong`, if one is near enough to be meant.
#[must_use]
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    known
        .into_iter()
        .filter(|name| !name.is_empty())
        .map(|name| (strsim::jaro_winkler(&wrong, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, name)| name)
}

/// Text as shown in a sentence: quoted, control and direction characters escaped, cut after 60 characters.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::from("\"");
    for (count, c) in text.chars().enumerate() {
        if count == 60 {
            out.push('…');
            break;
        }
        if is_hidden(c) || c == '"' || c == '\\' {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out.push('"');
    out
}

/// Control characters and those that change the direction of the text around them.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
