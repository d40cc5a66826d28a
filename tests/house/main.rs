//! The laws of the house, each as a test that names file, line and what to do. A rule that matters is a test, not a
//! comment; each rule is shown to bite on a made-up source beside it.
#![expect(clippy::unwrap_used, reason = "tests may, and the lint overlooks the functions beside them")]

mod code;
mod dependencies;
mod repository;
mod sources;
