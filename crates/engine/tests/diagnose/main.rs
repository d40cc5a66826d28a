//! Each rule on a failure that is made here and now, where this machine can fail so; else on a captured one (`logs/`, each names its
//! source). And what must not be told: words in passing, errors that were got over, hostile output.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may")]

mod captured;
mod made;
mod quiet;

use std::collections::BTreeMap;

use footplate_core::ErrorCode;
use footplate_core::view::Failure;
use footplate_engine::client::explain;
use footplate_engine::diagnose::{Facts, Found, Output, diagnose, told};

/// An end: exit code, signal, output.
pub(crate) struct End {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) output: Vec<u8>,
}

impl End {
    pub(crate) fn of(code: i32, output: impl Into<Vec<u8>>) -> End {
        End { code: Some(code), signal: None, output: output.into() }
    }

    pub(crate) fn found(&self) -> Option<Found> {
        let facts = Facts {
            exit_code: self.code,
            signal: self.signal,
            program: Some("/opt/venv/bin/python3"),
            cwd: Some("/srv"),
        };
        diagnose(&facts, &Output::new(&self.output, 0))
    }

    /// The cause, the failure it becomes, and what stands where it points.
    #[track_caller]
    pub(crate) fn told(&self) -> (String, Failure, String) {
        let text = String::from_utf8_lossy(&self.output);
        let found = self.found().unwrap_or_else(|| panic!("nothing found, exit {:?}, in:\n{text}", self.code));
        let code = if self.signal.is_some() { ErrorCode::Signal } else { ErrorCode::ExitCode };
        let facts = explain::Facts { exit_code: self.code, signal: self.signal, run: Some(7), ..Default::default() };
        let failure = told(&found, explain::failure(code, &facts), Some(7), false);
        let at = usize::try_from(found.offset).unwrap();
        let line = String::from_utf8_lossy(&self.output[at..]).lines().next().unwrap_or_default().to_owned();
        let number = usize::try_from(failure.log_line.unwrap()).unwrap();
        let counted = text.lines().nth(number - 1).unwrap_or_default();
        assert_eq!(line, counted, "the offset and the line are the same place");
        (found.cause.as_str().to_owned(), failure, line)
    }
}

/// What is in a failure's arguments.
pub(crate) fn args(failure: &Failure) -> BTreeMap<String, String> {
    failure.diagnosis.as_ref().unwrap().args.clone().into_iter().collect()
}
