//! The `footplate` executable; all of it is in the library beside it, so that tests can look at the parts.

use std::process::ExitCode;

fn main() -> ExitCode {
    footplate_cli::main()
}
