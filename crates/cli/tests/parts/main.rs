//! The pure parts of the command line: what is typed, what is shown, and the grammar. The whole product is tried in `tests/`.
#![expect(clippy::unwrap_used, reason = "tests may, and the lint overlooks the functions beside them")]

mod escapes;
mod help;
mod input;
mod text;
