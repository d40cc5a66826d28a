//! The hand: what one attempt's folder looks like, and the facts of the operating system.
//!
//! This library is the contract between the `footplate-shim` executable, which holds one attempt, and the owner, which
//! launches, watches and recovers attempts. Deliberately not here: tokio, `SQLite`, decisions about queues, retries or
//! states (`footplate-engine`), and the meaning of a program's output (`footplate-progress`).

pub mod clock;
pub mod contract;
pub mod failpoint;
pub mod folder;
pub mod identity;
pub mod log;
pub mod os;
pub mod sweep;

pub use rustix::process::Signal;
