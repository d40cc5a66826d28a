//! Files: pipeline files and expressions -> the types of `core`, every fault at once with line and column.
//!
//! Not here, on purpose: the store, processes, what the machine has. Files are only read, and only by [`load`].

mod check;
mod expression;
mod load;
mod params;
pub mod plan;
mod problem;
mod read;
mod render;
mod schema;
mod source;
pub mod sweep;

pub use check::{check, check_within, is_queue};
pub use load::{LoadError, load, parse_json, parse_toml, parse_within, single};
pub use params::{parameters, paths_exist, take_secrets, typed, typed_all};
pub use problem::{Problem, Problems, Warning, nearest};
pub use render::{RenderError, Rendered, RunScope, Scope, condition, render, render_checkpoints, render_outputs};
pub use schema::json_schema;

/// The two forms of a pipeline file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `footplate.toml`.
    Toml,
    /// The same keys as JSON.
    Json,
}
