//! What the doors tell of the store itself: that it was restored, and that it came from another machine.

use serde::{Deserialize, Serialize};

use crate::time::UtcMs;

/// A run, or what is known of one, that a restore could not bring back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LostRun {
    /// Its number, where it is known.
    pub number: Option<i64>,
    /// Its name, where it is known.
    pub name: Option<String>,
    /// What stood in the way, in half a sentence.
    pub why: String,
}

/// What the last restore of the store did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Restored {
    /// When.
    pub at: UtcMs,
    /// What was wrong with the store, in half a sentence; `None`: somebody asked for it.
    pub why: Option<String>,
    /// When the backup was made that it began with; `None`: there was none, or what stood in the store was good enough.
    pub backup: Option<UtcMs>,
    /// The file that the store before was kept in, in the data folder.
    pub kept: Option<String>,
    /// How many runs there are now.
    pub runs: u64,
    /// Numbers of runs that were rebuilt from their folders alone.
    pub rebuilt: Vec<i64>,
    /// Numbers of runs of which their folders knew more than the backup.
    pub updated: Vec<i64>,
    /// Numbers of runs that wait for a word before anything of theirs starts: paused, or drafts.
    pub held_back: Vec<i64>,
    /// Numbers of runs whose programs were found at work.
    pub running: Vec<i64>,
    /// What could not be brought back.
    pub lost: Vec<LostRun>,
}

/// The data folder was used on another machine before; all queues were paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Moved {
    /// When that was noticed.
    pub at: UtcMs,
    /// The queues that were paused for it, and go on once the work is adopted.
    pub queues: Vec<String>,
}

/// All that is to be told of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct StorageView {
    /// The last restore, until somebody has seen it.
    pub restored: Option<Restored>,
    /// The question whether this machine is to go on with the work of another.
    pub moved: Option<Moved>,
    /// A newer version wrote the store; it is only read. In a sentence.
    pub newer: Option<String>,
}
