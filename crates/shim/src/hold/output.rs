//! Writing the log: raw bytes into segments, an index beside them, a cap on both ends of which output is kept.
//!
//! Never blocks for want of room and never fails: what cannot be written is dropped, counted, and noted once there is
//! room again.

use footplate_shim::clock::{running_ms, wall_ms};
use footplate_shim::folder::AttemptDir;
use footplate_shim::log::{INDEX_ENTRY_BYTES, IndexEntry, IndexKind};
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

/// At most ten chunks a second get an entry in the index.
const INDEX_EVERY_MS: u64 = 100;
/// A segment is never smaller than this.
const SMALLEST_SEGMENT: u64 = 4096;

pub(super) struct LogWriter {
    folder: AttemptDir,
    segment: u64,
    cap: u64,
    open: Option<File>,
    index: Option<File>,
    index_end: u64,
    /// The offset after the last byte written.
    end: u64,
    /// Where the open segment ends.
    segment_end: u64,
    /// The first bytes, which stay.
    head: u64,
    /// What went over the cap so far, and of that what the index does not know yet.
    over_cap: u64,
    drops_to_note: Vec<(u64, u64)>,
    /// Lost for want of room: in all, and not yet noted.
    no_room: u64,
    not_noted: u64,
    last_index_ms: Option<u64>,
}

impl LogWriter {
    pub(super) fn new(folder: AttemptDir, segment: u64, cap: u64) -> Self {
        // Head and tail need a segment each, one is being written and one is on its way out.
        let segment = segment.min(cap / 4).max(SMALLEST_SEGMENT);
        let head = (cap / segment / 4).max(1) * segment;
        Self {
            folder,
            segment,
            cap,
            open: None,
            index: None,
            index_end: 0,
            end: 0,
            segment_end: 0,
            head,
            over_cap: 0,
            drops_to_note: Vec::new(),
            no_room: 0,
            not_noted: 0,
            last_index_ms: None,
        }
    }

    /// Goes on where a writer that is gone has stopped.
    pub(super) fn resume(folder: AttemptDir, segment: u64, cap: u64) -> io::Result<Self> {
        let mut log = Self::new(folder, segment, cap);
        if let Some(&(start, length)) = log.folder.segments()?.last() {
            log.end = start + length;
            // Of another size only where the settings of the same attempt changed, which they cannot.
            if length < log.segment {
                log.open = Some(open_append(&log.folder.segment_path(start))?);
                log.segment_end = start + log.segment;
            }
        }
        let mut index = open_append(&log.folder.index_path())?;
        let length = index.metadata()?.len();
        // Half an entry would shift all that follow.
        log.index_end = length - length % INDEX_ENTRY_BYTES as u64;
        index.set_len(log.index_end)?;
        index.flush()?;
        log.index = Some(index);
        let mut noted = HashSet::new();
        for entry in footplate_shim::log::index(&log.folder)? {
            match entry.kind {
                IndexKind::OverCap => _ = noted.insert(entry.offset),
                IndexKind::NoRoom => log.no_room += entry.dropped,
                IndexKind::Chunk => {}
            }
        }
        // What has offsets and is not there went over the cap. The writer before may have died before it was noted.
        let mut at = 0;
        for (start, length) in log.folder.segments()? {
            while at < start {
                log.over_cap += log.segment;
                if !noted.contains(&at) {
                    log.drops_to_note.push((at, log.segment));
                }
                at += log.segment;
            }
            at = start + length;
        }
        log.note_drops();
        Ok(log)
    }

    /// Offsets go to here.
    pub(super) fn size(&self) -> u64 {
        self.end
    }

    /// Bytes thrown away.
    pub(super) fn dropped(&self) -> u64 {
        self.no_room + self.over_cap
    }

    pub(super) fn write(&mut self, mut bytes: &[u8]) {
        let chunk_at = self.end;
        while !bytes.is_empty() {
            match self.write_some(bytes) {
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(_) => {
                    self.no_room += bytes.len() as u64;
                    self.not_noted += bytes.len() as u64;
                    return;
                }
            }
        }
        if self.not_noted > 0 && self.note(IndexKind::NoRoom, chunk_at, self.not_noted) {
            self.not_noted = 0;
        }
        let now = running_ms();
        if self.last_index_ms.is_none_or(|last| now >= last + INDEX_EVERY_MS) {
            self.last_index_ms = Some(now);
            self.note(IndexKind::Chunk, chunk_at, 0);
        }
    }

    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.open.is_none() || self.end >= self.segment_end {
            self.open = Some(self.next_segment()?);
        }
        let room = usize::try_from(self.segment_end - self.end).unwrap_or(usize::MAX);
        let Some(file) = &mut self.open else { return Ok(0) };
        match file.write(bytes.get(..room).unwrap_or(bytes)) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                self.end += written as u64;
                Ok(written)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(error),
        }
    }

    fn next_segment(&mut self) -> io::Result<File> {
        if self.end - self.over_cap + self.segment > self.cap {
            self.make_room()?;
        }
        let file = open_append(&self.folder.segment_path(self.end))?;
        self.segment_end = self.end + self.segment;
        Ok(file)
    }

    /// Drops whole segments behind the head, the oldest first. One that cannot be removed counts as kept, the next goes in its
    /// place, and it is tried again with each segment: the tail stays, and the cap holds.
    fn make_room(&mut self) -> io::Result<()> {
        let mut refused = None;
        for (start, length) in self.folder.segments()? {
            if self.end - self.over_cap + self.segment <= self.cap {
                break;
            }
            if start < self.head || start + length > self.end {
                continue;
            }
            match std::fs::remove_file(self.folder.segment_path(start)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => refused = Some(error),
                _ => {
                    self.over_cap += length;
                    self.drops_to_note.push((start, length));
                }
            }
        }
        self.note_drops();
        match refused {
            Some(error) if self.end - self.over_cap + self.segment > self.cap => Err(error),
            _ => Ok(()),
        }
    }

    /// What the index could not be told yet is told when it can be.
    fn note_drops(&mut self) {
        while let Some(&(start, length)) = self.drops_to_note.first() {
            if !self.note(IndexKind::OverCap, start, length) {
                return;
            }
            self.drops_to_note.remove(0);
        }
    }

    fn note(&mut self, kind: IndexKind, offset: u64, dropped: u64) -> bool {
        let entry = IndexEntry { kind, wall_ms: wall_ms(), offset, dropped }.encode();
        if self.index.is_none() {
            self.index = open_append(&self.folder.index_path()).ok();
        }
        let Some(file) = &mut self.index else { return false };
        if file.write_all(&entry).is_ok() {
            self.index_end += entry.len() as u64;
            return true;
        }
        // Half an entry would shift all that follow.
        let _ = file.set_len(self.index_end);
        false
    }

    /// Asks the disk to keep what is written. Not waited for by anything that matters.
    pub(super) fn sync(&self) {
        if let Some(file) = &self.open {
            let _ = file.sync_data();
        }
    }

    /// The last chance to note what was lost.
    pub(super) fn finish(&mut self) {
        self.note_drops();
        if self.not_noted > 0 && self.note(IndexKind::NoRoom, self.end, self.not_noted) {
            self.not_noted = 0;
        }
    }
}

fn open_append(path: &std::path::Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use footplate_shim::log::{self, LogRead};

    fn read_all(folder: &AttemptDir) -> (Vec<(u64, Vec<u8>)>, Vec<u64>) {
        let (mut parts, mut jumps, mut at) = (Vec::<(u64, Vec<u8>)>::new(), Vec::new(), 0);
        let mut reader = log::LogReader::new(folder);
        let mut buffer = [0; 1000];
        loop {
            match reader.read_at(at, &mut buffer).unwrap() {
                LogRead::Bytes(n) => {
                    match parts.last_mut() {
                        Some((start, bytes)) if *start + bytes.len() as u64 == at => bytes.extend(&buffer[..n]),
                        _ => parts.push((at, buffer[..n].to_vec())),
                    }
                    at += n as u64;
                }
                LogRead::Dropped { next } => {
                    assert!(next > at);
                    jumps.push(at);
                    at = next;
                }
                LogRead::End => return (parts, jumps),
            }
        }
    }

    #[test]
    fn head_and_tail_stay_offsets_stay_true_and_the_cap_holds() {
        let temp = tempfile::tempdir().unwrap();
        let folder = AttemptDir::open(temp.path());
        let (segment, cap) = (4096, 10 * 4096);
        let mut writer = LogWriter::new(folder.clone(), segment, cap);
        let whole: Vec<u8> = (0..200_000_u32).flat_map(|n| n.to_le_bytes()).collect();
        for chunk in whole.chunks(777) {
            writer.write(chunk);
            let kept: u64 = folder.segments().unwrap().iter().map(|(_, length)| length).sum();
            assert!(kept <= cap, "{kept} bytes kept");
        }
        assert_eq!(writer.size(), whole.len() as u64);
        assert_eq!(folder.log_end(), whole.len() as u64);
        let (parts, jumps) = read_all(&folder);
        assert_eq!(parts.len(), 2, "head and tail");
        assert_eq!(jumps, [2 * segment]);
        let mut kept = 0;
        for (start, bytes) in &parts {
            let start = usize::try_from(*start).unwrap();
            assert_eq!(bytes, &whole[start..start + bytes.len()]);
            kept += bytes.len() as u64;
        }
        assert!(kept >= cap - 2 * segment, "only {kept} bytes kept");
        assert_eq!(writer.dropped(), whole.len() as u64 - kept);
        let noted: u64 = log::index(&folder).unwrap().iter().map(|entry| entry.dropped).sum();
        assert_eq!(noted, writer.dropped());
    }

    #[test]
    fn what_cannot_be_written_is_counted_and_noted_when_it_can_be_again() {
        let temp = tempfile::tempdir().unwrap();
        let folder = AttemptDir::open(temp.path().join("attempt"));
        let mut writer = LogWriter::new(folder.clone(), 4096, 1 << 20);
        writer.write(b"lost");
        writer.write(b"this too");
        assert_eq!((writer.size(), writer.dropped()), (0, 12));
        std::fs::create_dir(folder.path()).unwrap();
        writer.write(b"kept");
        assert_eq!((writer.size(), writer.dropped()), (4, 12));
        let index = log::index(&folder).unwrap();
        assert!(index.iter().any(|e| e.kind == IndexKind::NoRoom && e.offset == 0 && e.dropped == 12), "{index:?}");
        assert!(index.iter().any(|e| e.kind == IndexKind::Chunk && e.offset == 0));
        assert_eq!(read_all(&folder).0, [(0, b"kept".to_vec())]);
    }

    #[test]
    fn a_writer_that_goes_on_for_another_keeps_every_offset() {
        let chunks: Vec<Vec<u8>> = (0_u32..90).map(|n| vec![b'a' + (n % 26) as u8; 700 + n as usize * 13]).collect();
        let whole: Vec<u8> = chunks.concat();
        let log_of = |every: usize, cap: u64| {
            let temp = tempfile::tempdir().unwrap();
            let folder = AttemptDir::open(temp.path().to_owned());
            let mut writer = LogWriter::new(folder.clone(), 4096, cap);
            for (n, chunk) in chunks.iter().enumerate() {
                if n % every == every - 1 {
                    // Killed in the middle of an entry of its index.
                    let mut index = OpenOptions::new().append(true).open(folder.index_path()).unwrap();
                    index.write_all(b"half").unwrap();
                    writer = LogWriter::resume(folder.clone(), 4096, cap).unwrap();
                }
                writer.write(chunk);
            }
            assert_eq!((writer.size(), folder.log_end()), (whole.len() as u64, whole.len() as u64));
            let noted: u64 = log::index(&folder).unwrap().iter().map(|entry| entry.dropped).sum();
            assert_eq!(noted, writer.dropped());
            let kept = folder.segments().unwrap();
            (read_all(&folder).0, kept, writer.dropped())
        };
        assert_eq!(log_of(7, 1 << 30).0, [(0, whole.clone())]);
        for cap in [1 << 30, 32_768, 16_384] {
            assert_eq!(log_of(5, cap), log_of(1000, cap), "cap {cap}");
        }
    }
}
