//! The exit record: the one file of the folder that must survive a power cut.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::io;

/// `exit.tmp` and `exit.json` have this size; the record is padded with spaces.
pub const EXIT_FILE_BYTES: usize = 4096;

/// How the program ended: `exit.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// [`super::VERSION`] of the writer.
    pub version: u32,
    /// The program could not be started: why, as errno.
    #[serde(default)]
    pub exec_errno: Option<i32>,
    /// What could not be done: `cwd` (enter the working folder), `exec`, `fork`, or `start` (write the start record).
    #[serde(default)]
    pub exec_what: Option<String>,
    /// The code it left with.
    #[serde(default)]
    pub code: Option<i32>,
    /// The signal that ended it.
    #[serde(default)]
    pub signal: Option<i32>,
    /// The wish whose TERM or KILL was sent before it ended.
    #[serde(default)]
    pub by_wish: Option<String>,
    /// The shim stopped it because its time was over.
    #[serde(default)]
    pub timed_out: bool,
    /// The shim was told by the system to end (TERM without a wish), and passed it on.
    #[serde(default)]
    pub session_end: bool,
    /// When it started, UTC milliseconds.
    pub started_ms: i64,
    /// When it ended, UTC milliseconds.
    pub finished_ms: i64,
    /// How long it ran, milliseconds, without pauses and the machine's sleep.
    pub running_ms: u64,
    /// Processor time in user mode, milliseconds.
    #[serde(default)]
    pub user_ms: u64,
    /// Processor time in the kernel, milliseconds.
    #[serde(default)]
    pub system_ms: u64,
    /// Largest resident set, KiB.
    #[serde(default)]
    pub max_rss_kb: u64,
    /// Nobody saw how it ended: its shim was gone, the one that took its place is not its parent, and the system does not tell.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
    /// How many processes of its control group the system killed for want of memory while it ran. Looked for only where a
    /// signal or a code of its own ended it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub oom_kills: u64,
    /// The log's size when the record was written, bytes. More may follow until the tree is swept.
    #[serde(default)]
    pub log_size: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[derive(Serialize, Deserialize)]
struct Sealed<'a> {
    crc32: String,
    #[serde(borrow)]
    record: &'a RawValue,
}

impl Exit {
    /// The file's content: one JSON object, `{"crc32": .., "record": {..}}`, the checksum over the record's own bytes.
    ///
    /// # Errors
    /// `InvalidData` when it does not fit into [`EXIT_FILE_BYTES`]: a wish id of absurd length.
    pub fn seal(&self) -> io::Result<[u8; EXIT_FILE_BYTES]> {
        let record = serde_json::value::to_raw_value(self)?;
        let crc32 = format!("{:08x}", crc32fast::hash(record.get().as_bytes()));
        let text = serde_json::to_vec(&Sealed { crc32, record: &record })?;
        let mut file = [b' '; EXIT_FILE_BYTES];
        file.get_mut(..text.len())
            .filter(|room| room.len() < EXIT_FILE_BYTES)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the exit record is too long"))?
            .copy_from_slice(&text);
        file[EXIT_FILE_BYTES - 1] = b'\n';
        Ok(file)
    }

    /// Reads a file's content. `None`: blank, torn or damaged.
    pub fn unseal(file: &[u8]) -> Option<Self> {
        let sealed: Sealed<'_> = serde_json::from_slice(file).ok()?;
        let expected = u32::from_str_radix(&sealed.crc32, 16).ok()?;
        if crc32fast::hash(sealed.record.get().as_bytes()) != expected {
            return None;
        }
        serde_json::from_str(sealed.record.get()).ok()
    }

    /// The content of an `exit.tmp` before there is a record.
    pub fn blank() -> [u8; EXIT_FILE_BYTES] {
        let mut file = [b' '; EXIT_FILE_BYTES];
        file[EXIT_FILE_BYTES - 1] = b'\n';
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Exit {
        Exit { version: 1, code: Some(3), by_wish: Some("w \"1\"".into()), started_ms: -5, ..Exit::default() }
    }

    #[test]
    fn a_record_survives_and_a_blank_file_is_none() {
        assert_eq!(Exit::unseal(&sample().seal().unwrap()), Some(sample()));
        assert_eq!(Exit::unseal(&Exit::blank()), None);
        assert_eq!(Exit::unseal(&[0; EXIT_FILE_BYTES]), None);
        assert_eq!(Exit::unseal(b""), None);
    }

    #[test]
    fn any_changed_byte_of_the_record_is_noticed() {
        let sealed = sample().seal().unwrap();
        let used = sealed.iter().rposition(|&b| b == b'}').unwrap() + 1;
        for at in 0..used {
            let mut damaged = sealed;
            damaged[at] ^= 0x04;
            assert_ne!(Exit::unseal(&damaged), Some(Exit { code: Some(4), ..sample() }));
            if let Some(read) = Exit::unseal(&damaged) {
                assert_eq!(read, sample(), "byte {at} changed the record and nobody noticed");
            }
        }
        for cut in 0..used {
            assert_eq!(Exit::unseal(&sealed[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn unknown_fields_are_accepted_and_absurd_lengths_refused() {
        let record = r#"{"version":9,"started_ms":1,"finished_ms":2,"running_ms":1,"code":0,"colour":"red"}"#;
        let file = format!(r#"{{"crc32":"{:08x}","later":[1],"record":{record}}}"#, crc32fast::hash(record.as_bytes()));
        assert_eq!(Exit::unseal(file.as_bytes()).unwrap().version, 9);
        assert!(Exit { by_wish: Some("x".repeat(5000)), ..sample() }.seal().is_err());
    }
}
