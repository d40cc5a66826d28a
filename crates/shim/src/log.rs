//! Reading the log: raw bytes in segments `log.<start offset>`, and its index.
//!
//! Deliberately not here: writing (only the shim does), lines, progress.

use crate::folder::AttemptDir;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What is found at an offset of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogRead {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing there yet.
    End,
    /// What was there is gone (dropped over the cap, or lost); the next byte that exists is at `next`.
    Dropped {
        /// The offset to read on from.
        next: u64,
    },
}

/// Reads a log at rising offsets and keeps its segment open.
#[derive(Debug)]
pub struct LogReader {
    folder: PathBuf,
    open: Option<(u64, File)>,
}

impl LogReader {
    /// A reader for this attempt's log, which need not exist yet.
    pub fn new(attempt: &AttemptDir) -> Self {
        Self { folder: attempt.path().to_owned(), open: None }
    }

    /// Reads what stands at this offset.
    ///
    /// # Errors
    /// What the system says.
    pub fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<LogRead> {
        loop {
            if let Some((start, file)) = &self.open
                && let Some(within) = offset.checked_sub(*start)
            {
                let read = file.read_at(buffer, within)?;
                if read > 0 {
                    return Ok(LogRead::Bytes(read));
                }
            }
            if let Some((start, _)) = &self.open
                && offset == *start
            {
                // An empty segment: its first bytes are on their way.
                return Ok(LogRead::End);
            }
            match File::open(self.folder.join(format!("log.{offset}"))) {
                Ok(file) => {
                    self.open = Some((offset, file));
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            let segments = match segments(&self.folder) {
                Ok(segments) => segments,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LogRead::End),
                Err(error) => return Err(error),
            };
            if segments.iter().any(|&(start, _)| start == offset) {
                continue;
            }
            match segments.iter().find(|(start, length)| (*start..start + length).contains(&offset)) {
                Some(&(start, _)) => match File::open(self.folder.join(format!("log.{start}"))) {
                    Ok(file) => self.open = Some((start, file)),
                    // Dropped a moment ago: look again.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                },
                None => {
                    return Ok(match segments.iter().map(|&(start, _)| start).find(|&start| start > offset) {
                        Some(next) => LogRead::Dropped { next },
                        None => LogRead::End,
                    });
                }
            }
        }
    }
}

pub(crate) fn segments(folder: &Path) -> io::Result<Vec<(u64, u64)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if let Some(start) =
            name.to_str().and_then(|name| name.strip_prefix("log.")).and_then(|digits| digits.parse().ok())
        {
            match entry.metadata() {
                Ok(about) => found.push((start, about.len())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// What an entry of `log.idx` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexKind {
    /// A chunk of output begins at the offset; it came at this time.
    Chunk,
    /// At the offset, so many bytes were thrown away because the disk was full or failed. They have no offsets.
    NoRoom,
    /// The segment that began at the offset was dropped over the cap, so many bytes.
    OverCap,
}

/// One entry of `log.idx`: 24 bytes, little end first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// What it says.
    pub kind: IndexKind,
    /// When, UTC milliseconds.
    pub wall_ms: i64,
    /// Where in the log.
    pub offset: u64,
    /// How many bytes were dropped; 0 for a chunk.
    pub dropped: u64,
}

/// The size of an entry in `log.idx`.
pub const INDEX_ENTRY_BYTES: usize = 24;

impl IndexEntry {
    /// Eight bytes each: time with the kind in its highest byte, offset, bytes dropped.
    pub fn encode(&self) -> [u8; INDEX_ENTRY_BYTES] {
        let kind: u64 = match self.kind {
            IndexKind::Chunk => 0,
            IndexKind::NoRoom => 1,
            IndexKind::OverCap => 2,
        };
        let time = u64::try_from(self.wall_ms).unwrap_or(0) & 0x00ff_ffff_ffff_ffff;
        let mut bytes = [0; INDEX_ENTRY_BYTES];
        bytes[..8].copy_from_slice(&(kind << 56 | time).to_le_bytes());
        bytes[8..16].copy_from_slice(&self.offset.to_le_bytes());
        bytes[16..].copy_from_slice(&self.dropped.to_le_bytes());
        bytes
    }

    /// `None`: of a kind this version does not know.
    pub fn decode(bytes: &[u8; INDEX_ENTRY_BYTES]) -> Option<Self> {
        let word = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(eight)
        };
        let kind = match word(0) >> 56 {
            0 => IndexKind::Chunk,
            1 => IndexKind::NoRoom,
            2 => IndexKind::OverCap,
            _ => return None,
        };
        let wall_ms = i64::try_from(word(0) & 0x00ff_ffff_ffff_ffff).ok()?;
        Some(Self { kind, wall_ms, offset: word(8), dropped: word(16) })
    }
}

/// The whole index of an attempt's log; empty where there is none. An entry cut by a crash is left out.
///
/// # Errors
/// What the system says, except that there is none.
pub fn index(attempt: &AttemptDir) -> io::Result<Vec<IndexEntry>> {
    Ok(index_from(attempt, 0)?.0)
}

/// The entries from a place in the index's file on, and the place that the next one will have: for a reader that comes
/// again and again.
///
/// # Errors
/// As [`index`].
pub fn index_from(attempt: &AttemptDir, place: u64) -> io::Result<(Vec<IndexEntry>, u64)> {
    let mut file = match File::open(attempt.index_path()) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), place)),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() <= place {
        return Ok((Vec::new(), place));
    }
    file.seek(SeekFrom::Start(place))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let whole: &[[u8; INDEX_ENTRY_BYTES]] = bytes.as_chunks().0;
    let next = place + (whole.len() * INDEX_ENTRY_BYTES) as u64;
    Ok((whole.iter().filter_map(IndexEntry::decode).collect(), next))
}
