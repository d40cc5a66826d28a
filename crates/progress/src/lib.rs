//! LINES: the bytes of an attempt's log become progress, metrics, checkpoints, outputs and clean lines.
//!
//! [`Reader`] takes bytes however they are cut and tells a [`Sink`] what they say; [`Latest`] is the newest of it. Its
//! state fits in 64 KiB and can be taken up again at an offset. [`mod@line`] is the terminal's line model on its own,
//! [`eta`] the time left. Memory is flat and time linear whatever the input.
//!
//! Deliberately not here: clocks (the time is an argument), files, storage, and any decision about states: a program's
//! own words set progress, metrics and outputs, never whether it succeeded.

mod codec;
pub mod eta;
mod format;
mod latest;
pub mod line;
mod pattern;
mod protocol;
mod reader;
mod series;
mod sink;
mod time;
mod tracker;

pub use codec::RestoreError;
pub use latest::{Counters, Latest, Source};
pub use pattern::PatternError;
pub use protocol::{DEPTH_LIMIT, quote_specials};
pub use reader::{Options, PROTOCOL_LINE_LIMIT, Reader, STATE_LIMIT};
pub use series::{NAME_LIMIT, POINTS_A_SECOND, SERIES_LIMIT};
pub use sink::{Checkpoint, Level, Note, Point, Sink};
