//! The log of one attempt, by byte offset. Anybody may read; text does not ride on events.
//!
//! Deliberately not here: lines, escapes, bars (the doors and `footplate-progress`).

use std::collections::VecDeque;
use std::io;

use footplate_core::AttemptKey;
use footplate_shim::folder::AttemptDir;
use footplate_shim::log::{IndexEntry, IndexKind, LogRead, LogReader, index, index_from};

/// What stands at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogChunk {
    /// So many bytes, at least one.
    Bytes(usize),
    /// What was there is gone: over the cap, or lost. The next byte is at `next`.
    Dropped {
        /// The offset to go on from.
        next: u64,
    },
    /// Nothing there yet; nothing at all any more where the attempt has ended.
    End,
}

/// When output came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogTime {
    /// UTC milliseconds.
    pub at_ms: i64,
    /// The offset of the chunk that came then.
    pub offset: u64,
}

/// A part of the output that was thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogGap {
    /// UTC milliseconds.
    pub at_ms: i64,
    /// The offset it stood at.
    pub offset: u64,
    /// So many bytes.
    pub bytes: u64,
    /// True: the disk was full, and its bytes have no offsets. False: the middle of a log over its cap.
    pub no_room: bool,
}

/// The log of one attempt.
#[derive(Debug)]
pub struct LogSource {
    key: AttemptKey,
    stage: String,
    folder: AttemptDir,
    reader: LogReader,
    ended: bool,
}

impl LogSource {
    pub(crate) fn new(key: AttemptKey, stage: String, folder: AttemptDir, ended: bool) -> LogSource {
        let reader = LogReader::new(&folder);
        LogSource { key, stage, folder, reader, ended }
    }

    /// Which attempt it is.
    #[must_use]
    pub fn key(&self) -> AttemptKey {
        self.key
    }

    /// The name of its stage.
    #[must_use]
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Reads what stands at an offset.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<LogChunk> {
        Ok(match self.reader.read_at(offset, buffer)? {
            LogRead::Bytes(n) => LogChunk::Bytes(n),
            LogRead::Dropped { next } => LogChunk::Dropped { next },
            LogRead::End => LogChunk::End,
        })
    }

    /// The end of the log as it is now.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.folder.log_end()
    }

    /// Whether the attempt had ended when this was opened, or its tree is gone since: what is there now is all there will be.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ended || self.folder.swept().is_some()
    }

    /// When output came, oldest first; at most ten entries a second.
    ///
    /// # Errors
    /// What the system says.
    pub fn times(&self) -> io::Result<Vec<LogTime>> {
        let entries = index(&self.folder)?;
        let chunks = entries.iter().filter(|entry| entry.kind == IndexKind::Chunk);
        Ok(chunks.map(|entry| LogTime { at_ms: entry.wall_ms, offset: entry.offset }).collect())
    }

    /// What was thrown away, oldest first.
    ///
    /// # Errors
    /// What the system says.
    pub fn gaps(&self) -> io::Result<Vec<LogGap>> {
        let entries = index(&self.folder)?;
        let gap = |entry: &IndexEntry| {
            let no_room = match entry.kind {
                IndexKind::Chunk => return None,
                IndexKind::NoRoom => true,
                IndexKind::OverCap => false,
            };
            Some(LogGap { at_ms: entry.wall_ms, offset: entry.offset, bytes: entry.dropped, no_room })
        };
        Ok(entries.iter().filter_map(gap).collect())
    }
}

/// Where a full disk took output that has no offsets, for whoever reads a log from front to back.
#[derive(Debug, Default)]
pub struct Losses {
    /// How far the index was read, in bytes.
    place: u64,
    /// Offset and bytes of what was not passed yet.
    ahead: VecDeque<(u64, u64)>,
}

/// What [`Losses::at`] says of an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// So many bytes are lost right before it; said once.
    pub bytes: u64,
    /// Bytes from here up to the next loss: read no further at once.
    pub clear: u64,
}

impl Losses {
    /// What is lost where the reader stands. What the shim noted only after it was passed is told where it is found.
    ///
    /// # Errors
    /// What the system says.
    pub fn at(&mut self, log: &LogSource, offset: u64) -> io::Result<Loss> {
        let (entries, place) = index_from(&log.folder, self.place)?;
        self.place = place;
        let lost = entries.iter().filter(|entry| entry.kind == IndexKind::NoRoom);
        self.ahead.extend(lost.map(|entry| (entry.offset, entry.dropped)));
        let mut bytes = 0;
        while let Some((_, more)) = self.ahead.pop_front_if(|(at, _)| *at <= offset) {
            bytes += more;
        }
        Ok(Loss { bytes, clear: self.ahead.front().map_or(u64::MAX, |(at, _)| at - offset) })
    }
}
