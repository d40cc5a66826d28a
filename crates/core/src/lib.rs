//! Words: ids, states, the pure steps, the DAG, scheduling, events, and what the doors show.
//!
//! Not here, on purpose: clocks, files, processes, randomness, SQL, `async`. The time, the ids and the outcomes are handed in;
//! what is to be done about a step is returned as data.
#![warn(clippy::wildcard_enum_match_arm)]

pub mod alert;
pub mod code;
pub mod compare;
pub mod dag;
pub mod definition;
pub mod event;
pub mod gpu;
pub mod id;
pub mod notice;
pub mod quantity;
pub mod report;
pub mod schedule;
pub mod state;
pub mod status;
pub mod storage;
pub mod time;
pub mod timetable;
pub mod usage;
pub mod view;

pub use code::{ErrorCode, Fault, FaultProblem};
pub use id::{AttemptKey, RunId, StageKey};
pub use status::{AttemptStatus, RunStatus, StageStatus};
pub use time::UtcMs;
