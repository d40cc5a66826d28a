//! The terminal's line model: what a person would see of a stream of bytes.
//!
//! `\n` ends a line, `\r` returns to its first column, `\x08` moves back, `ESC [A` up, `ESC [K` erases; colours and
//! everything else a terminal does not print are dropped. [`Readable`] gives one line a bar, with the offset at which
//! it begins. Not here: what a line means (`format`, the protocol), and files.

mod readable;
pub(crate) mod screen;
pub(crate) mod stream;

pub use readable::{Readable, ReadableLine, ReadableOptions, visible};
