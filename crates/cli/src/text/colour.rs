//! The few colours used, and when they are used.

use footplate_core::{AttemptStatus, RunStatus, StageStatus};

/// A colour of the terminal's own palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Done well.
    Green,
    /// Failed.
    Red,
    /// Needs a look.
    Yellow,
    /// Under way.
    Cyan,
    /// Of less weight.
    Dim,
    /// Headings.
    Bold,
}

impl Colour {
    /// The number of the SGR sequence (ECMA-48).
    #[must_use]
    pub fn sgr(self) -> u8 {
        match self {
            Colour::Green => 32,
            Colour::Red => 31,
            Colour::Yellow => 33,
            Colour::Cyan => 36,
            Colour::Dim => 2,
            Colour::Bold => 1,
        }
    }

    /// The text in this colour, or as it is where colours are off.
    #[must_use]
    pub fn paint(self, text: &str, on: bool) -> String {
        if on && !text.is_empty() { format!("\x1b[{}m{text}\x1b[0m", self.sgr()) } else { text.to_owned() }
    }
}

/// Whether a stream gets colours: it is a terminal that has them, and NO_COLOR (no-color.org) is unset or empty.
#[must_use]
pub fn wanted(is_terminal: bool, no_color: Option<&str>, term: Option<&str>) -> bool {
    is_terminal && no_color.is_none_or(str::is_empty) && term != Some("dumb")
}

/// The colour of a run's status.
#[must_use]
pub fn of_run(status: RunStatus) -> Colour {
    match status {
        RunStatus::Draft | RunStatus::Queued => Colour::Dim,
        RunStatus::Running => Colour::Cyan,
        RunStatus::Completed => Colour::Green,
        RunStatus::Failed => Colour::Red,
        RunStatus::Paused | RunStatus::Cancelled | RunStatus::Interrupted => Colour::Yellow,
    }
}

/// The colour of a stage's status.
#[must_use]
pub fn of_stage(status: StageStatus) -> Colour {
    match status {
        StageStatus::Waiting | StageStatus::Queued | StageStatus::Skipped => Colour::Dim,
        StageStatus::Running => Colour::Cyan,
        StageStatus::Completed | StageStatus::Cached => Colour::Green,
        StageStatus::Failed => Colour::Red,
        StageStatus::Retrying | StageStatus::Held | StageStatus::Cancelled | StageStatus::Interrupted => Colour::Yellow,
    }
}

/// The colour of an attempt's status.
#[must_use]
pub fn of_attempt(status: AttemptStatus) -> Colour {
    match status {
        AttemptStatus::Void => Colour::Dim,
        AttemptStatus::Launching | AttemptStatus::Running => Colour::Cyan,
        AttemptStatus::Completed => Colour::Green,
        AttemptStatus::Failed | AttemptStatus::TimedOut | AttemptStatus::LaunchFailed => Colour::Red,
        AttemptStatus::Stopping | AttemptStatus::Cancelled | AttemptStatus::Interrupted => Colour::Yellow,
    }
}
