//! Memory: `state.db` and the runs' `telemetry.db`. The only SQL in the house.
//!
//! A [`Store`] is one connection. What is read is read on a [`Read`], one consistent snapshot; what is written is written on a
//! [`Tx`], which reads too. One module for each table: its row, what reads it, what writes it. Whatever changes a status writes its
//! event in the same call.
//!
//! Not here, on purpose: decisions (which move is allowed is `core`'s law; SQL repeats it only so that a mistake is refused), the
//! wall clock (the time is handed in), the bell, and who may be the owner (a lock, held by the engine).

mod alert;
mod attempt;
mod backup;
mod board;
mod connection;
mod error;
mod event;
mod examine;
mod keeping;
mod latest;
mod migrate;
mod names;
mod pace;
mod pin;
mod queue;
mod rebuild;
mod row;
mod run;
mod run_change;
mod run_find;
mod schedule;
mod setting;
mod stage;
pub mod telemetry;
mod wish;

pub use alert::{AlertRow, STALL_RULE};
pub use attempt::{AttemptChange, AttemptRow};
pub use backup::{Copy, peek, run_ids, verify};
pub use connection::{Read, Role, Store, Tx};
pub use error::StoreError;
pub use event::EventRow;
pub use latest::{CapacityRow, LatestRow};
pub use migrate::SCHEMA_VERSION;
pub use queue::{QueueChange, QueueCount, QueueRow};
pub use run::{After, NewRun, RunBrief, RunRow};
pub use run_find::{Found, ListQuery, Matches};
pub use schedule::ScheduleRow;
pub use stage::{NewStage, StageBrief, StageChange, StageRow};
pub use telemetry::Telemetry;
pub use wish::{NewWish, WishRow, WishStatus};
