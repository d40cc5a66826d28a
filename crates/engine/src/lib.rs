//! Mind: [`Client`] for guests, [`owner`] for the one process that decides.
//!
//! A guest (the command line, the app, HTTP, MCP, a program that embeds this crate) reads the store, and writes runs and
//! wishes into it; it changes no other state and starts nothing but an owner. The owner, `footplate work`, holds
//! `owner.lock` and alone launches, signals, settles and deletes.
//!
//! Deliberately not here: SQL (`footplate-store`), the laws of states and of the schedule (`footplate-core`), what holds
//! a program (`footplate-shim`), and how anything looks (the doors).

pub mod archive;
mod attempt;
pub mod backup;
pub mod bell;
pub mod client;
pub mod data;
pub mod diagnose;
pub mod disk;
pub mod environment;
pub mod fresh;
pub mod gpu;
pub mod home;
pub mod install;
pub mod interpreters;
pub mod keep;
pub mod lines;
pub mod login;
pub mod logs;
pub mod machine_id;
pub mod owner;
pub mod plan;
mod private;
pub mod ready;
pub mod rescue;
pub mod schedules;
pub mod secrets;
pub mod start;
pub mod sweep;
pub mod templates;
pub mod usage;
mod wake;
mod watch;
pub mod webhook;

pub use client::Client;
pub use home::Home;

/// The version of this program, as it stands in `owner.lock`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
