//! The Client: what every guest uses. It reads the store, and writes new runs and wishes into it.
//!
//! Deliberately not here: any other change of state, signals, files of attempts (all the owner's), and how things look.

mod check;
mod checkpoint;
pub mod compare;
mod experiment;
pub mod explain;
pub mod files;
mod history;
mod inspect;
mod keeper;
pub mod live;
mod look;
mod machine;
mod notices;
pub mod pulse;
mod resolve;
mod schedule_edit;
mod schedules;
pub mod series;
mod single;
mod storage;
mod submit;
mod types;
pub mod usage;
mod waiting;
mod webhook;
mod wishes;

pub use footplate_core::report::Report;
pub use inspect::{Origin, StoreCheck};
pub use keeper::{Client, PresenceGuard};
pub(crate) use machine::Told;
pub use machine::machine_capacity;
pub use schedule_edit::ScheduleEdit;
pub(crate) use schedules::{KEEP_OWNER, keeps_owner, need_an_owner};
pub(crate) use single::Single;
pub use storage::{heal, restore};
pub use types::{
    ListQuery, MetricPoint, OwnerStart, OwnerState, Resolved, RunPage, Spot, Submit, Wish, WishAnswer, WishRequest,
};
pub use usage::{GpusView, UsageSeries};
pub use webhook::WebhookRequest;
