//! `footplate-shim <attempt folder> [--secrets-fd N]`: holds one attempt from its claim to its last record.
//!
//! One thread, no runtime, no wake-ups while nothing happens. Deliberately not here: any decision about the attempt. It
//! runs what `spec.json` says, obeys `ctl`, and writes down what happened.

mod hold;

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(hold::main())
}
