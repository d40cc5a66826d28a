//! The records in an attempt's folder, and the words owner and shim exchange. `docs/RUN-FOLDER.md` is the prose.
//!
//! Readers accept fields they do not know. Deliberately not here: where the records lie ([`crate::folder`]).

mod bytes;
mod exit;
mod words;

pub use bytes::OsBytes;
pub use exit::{EXIT_FILE_BYTES, Exit};
pub use words::{Act, Command, Ended, Reason, paused_ms};

use crate::identity::Identity;
use serde::{Deserialize, Serialize};
use std::io::{self, Read as _};
use std::path::PathBuf;

/// The version of this contract that is written. A new owner reads every version ever released.
pub const VERSION: u32 = 1;

/// The environment variable by which the processes of an attempt are found.
pub const MARK_VARIABLE: &str = "FOOTPLATE_MARK";

/// `--secrets-fd N`: the shim's option that names the descriptor secrets come over.
pub const SECRETS_OPTION: &str = "--secrets-fd";

/// `--fork-server`: the shim's option that makes it fork shims that stand by: ordered over its stdin, and given their attempts over its stdout.
pub const FORK_SERVER_OPTION: &str = "--fork-server";

/// `--adopt FOLDER`: the shim's option that makes it take the place of one that is gone while its program lives.
pub const ADOPT_OPTION: &str = "--adopt";

/// The line in `ctl` by which the owner tells a shim that has rung the bell that its attempt is settled.
pub const SETTLED: &str = "settled";

/// Why a shim stopped before its program could run; the exit codes of `footplate-shim`.
pub mod code {
    /// It held the attempt to its end.
    pub const HELD: u8 = 0;
    /// The lock was not free within a second.
    pub const LOCKED: u8 = 10;
    /// The claim was lost to another shim, or is void.
    pub const CLAIM_LOST: u8 = 11;
    /// `spec.json` is missing or cannot be understood, or the command line is wrong.
    pub const SPEC: u8 = 12;
    /// The secrets ended early.
    pub const SECRETS: u8 = 13;
    /// The disk (or the quota) is full.
    pub const NO_SPACE: u8 = 14;
    /// Something else went wrong with a file; the sentence is on stderr.
    pub const IO: u8 = 15;
    /// It was to adopt an attempt whose program has ended, or which somebody holds.
    pub const NOTHING_TO_ADOPT: u8 = 16;
}

/// What to run and how: `spec.json`, written by the owner, never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// [`VERSION`] of the writer.
    pub version: u32,
    /// The run.
    pub run_id: String,
    /// Its number, as people call it.
    pub run_number: i64,
    /// The stage's name.
    pub stage: String,
    /// The stage's place in its run.
    pub stage_index: u32,
    /// Which attempt of the stage, from 1.
    pub attempt: u32,
    /// The program and its arguments; the first is looked up on the child's PATH unless it holds a slash.
    pub argv: Vec<OsBytes>,
    /// The child's working folder, absolute.
    pub cwd: OsBytes,
    /// The captured environment: NUL-separated `NAME=VALUE`. Absent: empty.
    #[serde(default)]
    pub env_file: Option<PathBuf>,
    /// Variables set over the captured ones.
    #[serde(default)]
    pub env: Vec<(OsBytes, OsBytes)>,
    /// Variables taken away from both.
    #[serde(default)]
    pub env_remove: Vec<OsBytes>,
    /// Whether more variables come over the descriptor named by [`SECRETS_OPTION`], as [`encode_secrets`] writes them.
    #[serde(default)]
    pub secrets: bool,
    /// The child's file mode creation mask; absent: the shim's.
    #[serde(default)]
    pub umask: Option<u32>,
    /// Resource limits by name as in `getrlimit(2)` without `RLIMIT_`, in lower case; soft and hard, `u64::MAX` for none.
    #[serde(default)]
    pub limits: Vec<(String, u64, u64)>,
    /// The run's folder, told to the program as `FOOTPLATE_RUN_DIR`.
    pub run_dir: PathBuf,
    /// Running time after which the program is stopped, milliseconds.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// Time between TERM and KILL, milliseconds.
    pub grace_ms: u64,
    /// The number of the signal that asks the program for a checkpoint before it is told to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_signal: Option<i32>,
    /// How long it may take for that, milliseconds.
    #[serde(default)]
    pub save_ms: u64,
    /// Whether the attempt goes on until all its processes have ended, not only the first.
    #[serde(default)]
    pub wait_group: bool,
    /// How much output is kept, bytes.
    #[serde(default = "default_log_cap")]
    pub log_cap: u64,
    /// Size of a log segment, bytes.
    #[serde(default = "default_segment")]
    pub segment: u64,
    /// A random token, the value of [`MARK_VARIABLE`].
    pub mark: String,
    /// The boot of the launch.
    pub boot_id: String,
    /// A FIFO on which the owner listens.
    pub bell: PathBuf,
    /// The owner's lock file.
    pub owner_lock: PathBuf,
    /// Where owner and shims run from, canonical: the sweep spares what runs from here.
    pub bin_dir: PathBuf,
    /// How to start an owner.
    #[serde(default)]
    pub owner_argv: Vec<OsBytes>,
    /// The GPUs that the attempt holds, by their ids. What the program sees of them stands in `env`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<String>,
}

fn default_log_cap() -> u64 {
    2 << 30
}

fn default_segment() -> u64 {
    64 << 20
}

/// Who runs the attempt: `start.json`, written by the shim before the program may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// [`VERSION`] of the writer.
    pub version: u32,
    /// The shim.
    pub shim: Identity,
    /// The program's first process.
    pub child: Identity,
    /// Its process group.
    pub pgid: i32,
    /// Its session, the shim's.
    pub sid: i32,
    /// When, UTC milliseconds.
    pub started_ms: i64,
    /// When, on the running clock.
    pub started_running_ms: u64,
    /// How many processes of its control group the system had killed by then for want of memory, where it counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oom_kills: Option<u64>,
}

/// Who holds the attempt since its shim was lost: `adopt.json`, written by the shim that took its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// [`VERSION`] of the writer.
    pub version: u32,
    /// The shim that adopted it.
    pub shim: Identity,
    /// When, UTC milliseconds.
    pub at_ms: i64,
}

/// That the tree is gone: `swept.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// Who swept: `shim` or `owner`.
    pub by: String,
    /// What had to be killed: `pid name`.
    #[serde(default)]
    pub left: Vec<String>,
    /// The log's final size, bytes.
    pub log_size: u64,
    /// Bytes of output thrown away, for want of room or over the cap.
    #[serde(default)]
    pub dropped: u64,
    /// When, UTC milliseconds.
    pub at_ms: i64,
    /// [`VERSION`] of the writer.
    #[serde(default)]
    pub version: u32,
}

/// The content of the owner's lock file, one line of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerLine {
    /// The owner's pid.
    pub pid: i32,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// It left because it had nothing to do, or was told to.
    #[serde(default)]
    pub orderly: bool,
    /// Since when it is the owner, UTC milliseconds.
    #[serde(default)]
    pub since_ms: i64,
}

/// What the owner writes into the pipe of secrets: the length of all that follows, then each name and value, all lengths
/// as four bytes, little end first.
///
/// # Errors
/// `InvalidInput` when they are longer than 4 GiB.
pub fn encode_secrets(secrets: &[(OsBytes, OsBytes)]) -> io::Result<Vec<u8>> {
    let long = |_| io::Error::new(io::ErrorKind::InvalidInput, "the secrets are too long");
    let mut body = vec![0; 4];
    for part in secrets.iter().flat_map(|(name, value)| [name, value]) {
        body.extend(u32::try_from(part.0.len()).map_err(long)?.to_le_bytes());
        body.extend(&part.0);
    }
    let total = u32::try_from(body.len() - 4).map_err(long)?;
    body[..4].copy_from_slice(&total.to_le_bytes());
    Ok(body)
}

/// Reads what [`encode_secrets`] wrote.
///
/// # Errors
/// `UnexpectedEof` when it ends early or its lengths do not fit; what reading says.
pub fn read_secrets(mut from: impl io::Read) -> io::Result<Vec<(OsBytes, OsBytes)>> {
    let mut four = [0; 4];
    from.read_exact(&mut four)?;
    let total = u64::from(u32::from_le_bytes(four));
    let mut body = Vec::new();
    io::Read::take(&mut from, total).read_to_end(&mut body)?;
    let short = || io::Error::from(io::ErrorKind::UnexpectedEof);
    if body.len() as u64 != total {
        return Err(short());
    }
    let mut rest = body.as_slice();
    let mut part = || -> io::Result<OsBytes> {
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (text, after) = after.split_at_checked(length).ok_or_else(short)?;
        rest = after;
        Ok(OsBytes(text.to_vec()))
    };
    let mut secrets = Vec::new();
    loop {
        match part() {
            Ok(name) => secrets.push((name, part()?)),
            Err(_) if rest.is_empty() => return Ok(secrets),
            Err(cut) => return Err(cut),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_arrive_whole_or_not_at_all() {
        let secrets = vec![(OsBytes::from("KEY"), OsBytes(vec![b'a', 0xff, b'\n'])), ("EMPTY".into(), "".into())];
        let wire = encode_secrets(&secrets).unwrap();
        assert_eq!(read_secrets(wire.as_slice()).unwrap(), secrets);
        assert_eq!(read_secrets(encode_secrets(&[]).unwrap().as_slice()).unwrap(), vec![]);
        for cut in 0..wire.len() {
            let error = read_secrets(&wire[..cut]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "cut at {cut}");
        }
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        let mut wire = encode_secrets(&[("A".into(), "b".into())]).unwrap();
        wire[4] = 200;
        assert!(read_secrets(wire.as_slice()).is_err());
        // A name without a value.
        assert!(read_secrets([5_u8, 0, 0, 0, 1, 0, 0, 0, b'A'].as_slice()).is_err());
    }
}
