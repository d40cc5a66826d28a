//! What a reader hands on while it reads, and to whom.

use serde::{Deserialize, Serialize};

/// One value of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point<'a> {
    /// The metric's name, at most 128 bytes.
    pub name: &'a str,
    /// The step it was taken at, if the program says.
    pub step: Option<u64>,
    /// The epoch, if the program says; may be a fraction.
    pub epoch: Option<f64>,
    /// When, milliseconds since the Unix epoch: the program's own time stamp, else when it was read.
    pub time_ms: i64,
    /// The value; NaN and infinities are values too.
    pub value: f64,
}

/// A complete checkpoint stands at a path, says the program. Nobody has looked yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The path as the program wrote it.
    pub path: String,
    /// The step it was taken at.
    pub step: Option<u64>,
    /// The epoch it was taken at.
    pub epoch: Option<f64>,
    /// Its figures, in the program's order; `None` where the program wrote null.
    pub metrics: Vec<(String, Option<f64>)>,
    /// When, milliseconds since the Unix epoch.
    pub time_ms: i64,
}

/// The weight of a log line of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For its author.
    Debug,
    /// The default.
    Info,
    /// Something to look at.
    Warning,
    /// Something went wrong.
    Error,
}

/// Something worth saying, once per reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Note {
    /// Progress outside 0 to 1 was clamped; text because NaN is no JSON.
    ProgressClamped {
        /// What the program wrote.
        raw: String,
    },
    /// Progress went back; the bar stays where it was.
    ProgressWentBack {
        /// Where the bar stands.
        from: f64,
        /// What the program wrote.
        to: f64,
    },
    /// A line was too long to be read, and is log only.
    LineTooLong {
        /// Offset of its beginning.
        offset: u64,
        /// Its length in bytes, newline not counted.
        bytes: u64,
    },
    /// A line of the protocol could not be read, and is log only.
    BadLine {
        /// Offset of its beginning.
        offset: u64,
        /// Why, in English.
        reason: String,
    },
    /// A key had a value of the wrong kind, which was left out.
    BadValue {
        /// Offset of its line.
        offset: u64,
    },
    /// More than 200 series: this and later new ones are not stored.
    TooManySeries {
        /// The first that was left out.
        name: String,
    },
    /// A name was empty, longer than 128 bytes or held control characters.
    BadName {
        /// Its beginning.
        name: String,
    },
    /// A series had more than 10 points within a second; some were left out.
    PointsDropped {
        /// The series.
        name: String,
    },
    /// The program says how it stands. It changes nothing: only its exit does.
    ChildStatus {
        /// What it wrote.
        status: String,
    },
    /// The program reports an error. It changes nothing: only its exit does.
    ChildError {
        /// What it wrote.
        error: String,
    },
}

/// Takes what a reader finds. All methods do nothing unless written.
pub trait Sink {
    /// A value of a series.
    fn point(&mut self, _point: Point<'_>) {}
    /// A checkpoint stands complete.
    fn checkpoint(&mut self, _checkpoint: Checkpoint) {}
    /// A value for later stages.
    fn output(&mut self, _key: &str, _value: serde_json::Value) {}
    /// Something worth saying.
    fn note(&mut self, _note: Note) {}
    /// The protocol line that begins at an offset is log, of a level.
    fn log_level(&mut self, _offset: u64, _level: Level) {}
    /// A key of a protocol line that has no meaning here, with its value as JSON.
    fn unknown(&mut self, _offset: u64, _key: &str, _json: &str) {}
}

/// Takes nothing.
impl Sink for () {}
