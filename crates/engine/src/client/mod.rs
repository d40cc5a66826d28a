//! The Client: what every guest uses. It reads the store, and writes new runs and wishes into it.
//!
//! Deliberately not here: any other change of state, signals, files of attempts (all the owner's), and how things look.

pub mod explain;
mod history;
mod keeper;
mod look;
mod resolve;
mod submit;
mod types;
mod waiting;
mod wishes;

pub use keeper::PresenceGuard;
pub use types::{
    ListQuery, MetricPoint, OwnerStart, OwnerState, Resolved, RunPage, Submit, Wish, WishAnswer, WishRequest,
};
