//! Pipelines by what people call them. The app finds them by the same functions.

pub(crate) use footplate_engine::templates::{Pipeline, find, values};
