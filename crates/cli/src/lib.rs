//! `footplate`, the command line: one file a verb, thin over `footplate_engine::Client`.
//!
//! Not here, on purpose: decisions about runs, SQL, signals to programs. A verb reads what is asked, asks the client, and
//! shows the answer; whatever it can do, the other doors can.

mod args;
mod context;
pub mod input;
mod live;
mod stop;
pub mod text;
mod verb;
mod wish;

use std::process::ExitCode;

pub use args::command;

/// Runs the command line as given and tells how it went (exit codes: README.md).
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::from(args::run(std::env::args_os()))
}
