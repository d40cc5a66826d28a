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
    let mut said = format!("error: {}", visible_lines(&fault.message, 0));
    if fault.message.is_empty() {
        said.push('\n');
    }
    for hint in &fault.hints {
        said.push_str("  hint: ");
        said.push_str(visible_lines(hint, 8).trim_start());
    }
    if json {
        said.push_str(&as_json(fault));
        said.push('\n');
    }
    // Where stderr is closed nobody can be told.
    let _ = err.write_all(said.as_bytes());
}

/// `{"error":{"code","message","hints"}}`.
pub(crate) fn as_json(fault: &Fault) -> String {
    serde_json::json!({ "error": fault }).to_string()
}
