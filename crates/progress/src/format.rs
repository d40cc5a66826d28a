//! The formats of existing tools: one file each.
//!
//! A format reads painted versions of lines and says what they tell; it never decides what that does to the whole
//! (`tracker`). To add one: write `format/<tool>.rs`, implement [`Format`], and name it in [`all`].

mod tqdm;

use crate::codec::{Restored, Saved, Writer};
use crate::latest::Source;

/// One version of a line, as a person would see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Painted<'a> {
    /// Without trailing spaces.
    pub(crate) text: &'a str,
    /// The cursor went up right after: a nested bar.
    pub(crate) nested: bool,
}

/// What a line told.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) position: Option<Position>,
    pub(crate) metrics: Vec<Metric>,
}

/// Where the program stands. What is `None` is not known by this line.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Position {
    pub(crate) progress: Option<f64>,
    pub(crate) overall: Option<f64>,
    pub(crate) inner_stage: Option<String>,
    pub(crate) step: Option<u64>,
    pub(crate) total: Option<u64>,
    pub(crate) epoch: Option<f64>,
    pub(crate) epochs: Option<f64>,
    pub(crate) eta_s: Option<f64>,
    pub(crate) rate: Option<f64>,
    /// A new bar: progress may begin anew.
    pub(crate) fresh: bool,
}

/// One figure of a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) step: Option<u64>,
    pub(crate) epoch: Option<f64>,
    pub(crate) value: f64,
}

/// A reader of one tool's lines.
pub(crate) trait Format: std::fmt::Debug {
    /// What its positions are marked with.
    fn source(&self) -> Source;
    /// A quick look: false only if the bytes cannot be a line of this format.
    fn may_be(&self, line: &[u8]) -> bool;
    /// Reads a version of a line. `None`: not this format.
    fn read(&mut self, painted: Painted<'_>) -> Option<Findings>;
    /// Writes what it remembers, at most 2 KiB.
    fn save(&self, to: &mut Writer);
    /// Takes it back.
    fn restore(&mut self, from: &mut Saved<'_>) -> Restored<()>;
    /// A copy with what it remembers.
    fn copy(&self) -> Box<dyn Format + Send>;
}

/// All formats, in the order in which they are tried: the first that knows a line has it.
pub(crate) fn all() -> Vec<Box<dyn Format + Send>> {
    vec![Box::new(tqdm::Tqdm::default())]
}
