//! What the processes of attempts use: processor time, memory, disk. Read from the system each few seconds while they live.
//!
//! Deliberately not here: who asks and when (`owner/meter.rs`), GPUs ([`crate::gpu`]), and sums over time
//! ([`footplate_core::usage`]).

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::Census;

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub use macos::Census;

/// How the processes of an attempt are known: all below its shim, and all of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// The shim's process id.
    pub shim: i32,
    /// Its session.
    pub session: i32,
    /// The program's first process.
    pub child: i32,
}

/// What a tree uses at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Processor time of all that live and of their children that have ended, milliseconds.
    pub cpu_ms: u64,
    /// Bytes of memory; what several of them share with files counts once, as far as the system tells.
    pub memory: u64,
    /// Bytes read from disks, where the system tells.
    pub read: Option<u64>,
    /// Bytes written to disks.
    pub written: Option<u64>,
    /// The processes.
    pub pids: Vec<i32>,
}
