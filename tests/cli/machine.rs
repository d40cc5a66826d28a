//! What a run has of the machine: its GPUs, and what it uses.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests may")]

#[path = "common.rs"]
mod common;
#[path = "gpus.rs"]
mod gpus;
#[path = "usage.rs"]
mod usage;
