//! `.footplate` archives: a template in one file, to be given to others (docs/TEMPLATES.md).
//!
//! A zip file with `manifest.json` and the template's folder as `template/`. Files and folders only; nothing of an archive
//! is run, and nothing is written but into the folder that [`unpack`] is told.
//!
//! Deliberately not here: where templates lie and what may run ([`crate::templates`]).

mod names;
mod pack;
mod tree;
mod unpack;

use footplate_core::{ErrorCode, Fault};
use serde::{Deserialize, Serialize};

pub use pack::pack;
pub use tree::{Entry, Tree};
pub use unpack::unpack;

/// The ending of an archive's name.
pub const EXTENSION: &str = "footplate";
/// The version of the format that this program writes and reads.
pub const FORMAT: u32 = 1;
/// Most files and folders.
pub const MOST_ENTRIES: usize = 10_000;
/// Most bytes when unpacked.
pub const MOST_BYTES: u64 = 1 << 30;
/// Most bytes that one byte of the archive may become.
pub const MOST_RATIO: u64 = 100;
/// Below this size a file may be packed as tightly as it likes.
const FREE_BYTES: u64 = 1 << 20;
/// Most bytes of the manifest.
const MOST_MANIFEST: u64 = 64 << 10;

const MANIFEST: &str = "manifest.json";
const FOLDER: &str = "template";

/// What an archive says about itself. Nothing of it is believed: it names, and describes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the format.
    pub format: u32,
    /// The template's name: `[a-z0-9-]`, 1 to 64 characters.
    pub name: String,
    /// What people read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// One or two sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

fn refused(why: impl std::fmt::Display) -> Fault {
    Fault::new(ErrorCode::Refused, format!("The archive was not unpacked: {why}."))
        .hint("Nothing of it was kept. Ask whoever made it for another one.")
}
