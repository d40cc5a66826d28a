//! Text for people: tables, colours, moments and lengths of time.
//!
//! Not here: what is said (the verbs), and JSON, which is the views of `footplate_core` as they are.

pub mod colour;
pub(crate) mod storage;
pub mod table;
pub mod visible;
pub mod when;

pub use colour::Colour;
pub use table::{Align, Cell, Table};
pub use visible::{cut, visible, visible_lines, width};
