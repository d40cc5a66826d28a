//! What people type: moments, bounds, parameters, commands by line, pipelines by name.

pub mod at;
pub mod bounds;
pub mod commands;
pub(crate) mod pipeline;
