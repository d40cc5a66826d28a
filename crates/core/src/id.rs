//! Identifiers. A run has a number (what people use) and a UUIDv7 (what never changes between stores).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A run's UUIDv7. Made by whoever submits the run; unique over all stores.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
#[serde(transparent)]
pub struct RunId(pub Uuid);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RunId {
    type Err = uuid::Error;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(s).map(RunId)
    }
}

/// One stage of one run: the run's number and the stage's place in the definition, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StageKey {
    /// The run's number.
    pub run: i64,
    /// The stage's index in the definition.
    pub stage: u32,
}

/// One attempt of one stage; attempts are numbered from 1 over the run's whole history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttemptKey {
    /// The run's number.
    pub run: i64,
    /// The stage's index in the definition.
    pub stage: u32,
    /// The attempt's number, from 1.
    pub attempt: u32,
}

impl AttemptKey {
    /// The stage this attempt belongs to.
    #[must_use]
    pub fn stage_key(self) -> StageKey {
        StageKey { run: self.run, stage: self.stage }
    }

    /// The name of the attempt's folder below the run's: `<stage index>.<attempt number>`.
    #[must_use]
    pub fn folder_name(self) -> String {
        format!("{}.{}", self.stage, self.attempt)
    }
}
