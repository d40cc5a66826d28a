//! Why a verb ends early, and how that is told.

use std::io::{self, Write};

use footplate_core::{ErrorCode, Fault};

use crate::text::visible_lines;

/// Why a verb ended before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Something was refused or went wrong.
    Fault(Fault),
    /// Nobody reads our output any more: nothing is wrong, and nothing is left to say.
    NoReader,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Stop::NoReader;
        }
        Stop::Fault(Fault::new(ErrorCode::Storage, format!("cannot write the output: {error}")))
    }
}

/// What a verb answers: the exit code.
pub(crate) type Answer = Result<u8, Stop>;

/// Tells a fault on stderr: the sentence, what to do, and with `--json` the object as the last line.
pub(crate) fn tell(fault: &Fault, json: bool) {
    let mut err = io::stderr().lock();
    let mut said = text(fault);
    if json {
        said.push_str(&as_json(fault));
        said.push('\n');
    }
    // Where stderr is closed nobody can be told.
    let _ = err.write_all(said.as_bytes());
}

/// For people: the sentence and what to do; of several problems each with its own hint, which stands nowhere else.
fn text(fault: &Fault) -> String {
    let mut said = "error: ".to_owned();
    if fault.problems.is_empty() {
        said.push_str(&visible_lines(&fault.message, 0));
    }
    for problem in &fault.problems {
        said.push_str(&visible_lines(&problem.text(), 0));
        said.extend(problem.hint.iter().map(|hint| hint_line(hint)));
    }
    if fault.message.is_empty() {
        said.push('\n');
    }
    let told = |hint: &&String| fault.problems.iter().any(|problem| problem.hint.as_ref() == Some(*hint));
    said.extend(fault.hints.iter().filter(|hint| !told(hint)).map(|hint| hint_line(hint)));
    said
}

fn hint_line(hint: &str) -> String {
    format!("  hint: {}", visible_lines(hint, 8).trim_start())
}

/// `{"error":{"code","message","hints"}}`.
pub(crate) fn as_json(fault: &Fault) -> String {
    serde_json::json!({ "error": fault }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use footplate_core::FaultProblem;

    #[test]
    fn the_hint_of_each_problem_stands_below_it_and_others_at_the_end() {
        let problem = |line: Option<u32>, message: &str, hint: Option<&str>| FaultProblem {
            code: "unknown_key".to_owned(),
            file: "a.toml".to_owned(),
            line,
            column: line.map(|_| 1),
            message: message.to_owned(),
            hint: hint.map(str::to_owned),
        };
        let mut fault = Fault::new(ErrorCode::InvalidPipeline, "one\ntwo\nthree").hint("this").hint("at last");
        fault.problems = vec![
            problem(Some(3), "one", Some("this")),
            problem(None, "two", None),
            problem(Some(9), "three", Some("this")),
        ];
        let said =
            "error: a.toml:3:1: one\n  hint: this\na.toml: two\na.toml:9:1: three\n  hint: this\n  hint: at last\n";
        assert_eq!(text(&fault), said);
        fault.problems.clear();
        assert_eq!(text(&fault), "error: one\ntwo\nthree\n  hint: this\n  hint: at last\n");
    }
}
