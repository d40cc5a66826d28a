//! Which checkpoint a stage goes on from: the newest that is complete, or one that was chosen. A half-written one is never taken.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Unchanged for so long counts as written, milliseconds.
pub(crate) const SETTLED_MS: i64 = 10_000;
/// By so much the clock of files lags behind, milliseconds: it has a coarse one.
const CLOCK_MS: i64 = 20;

/// A candidate: a file, and when it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) path: PathBuf,
    pub(crate) modified_ms: i64,
    /// When the file system last changed anything about it: unlike the former no program can set it, so that a copy that keeps its
    /// times is new.
    changed_ms: i64,
}

/// Which candidates count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Only {
    /// All.
    All,
    /// Those written later than this, UTC milliseconds.
    WrittenAfter(i64),
    /// Those that came here, whatever their own time says, at this time or later.
    MadeSince(i64),
}

impl Only {
    fn takes(self, candidate: &Candidate) -> bool {
        match self {
            Only::All => true,
            Only::WrittenAfter(time) => candidate.modified_ms > time,
            Only::MadeSince(time) => candidate.changed_ms + CLOCK_MS >= time,
        }
    }
}

impl Candidate {
    /// Written to its end, as far as can be known: left alone for a while, named as complete, or told so by its own structure.
    #[must_use]
    pub(crate) fn is_finished(&self, named: bool, now_ms: i64) -> bool {
        let settled = named || now_ms - self.modified_ms >= SETTLED_MS || has_checked_structure(&self.path);
        settled && is_whole(&self.path)
    }
}

/// The newest valid checkpoint among those that progress lines named (oldest first) and those that fit the stage's pattern;
/// of those that count. `settled_ms`: what was written until then was written to its end, as far as can be known, UTC milliseconds.
#[must_use]
pub(crate) fn newest_valid(named: &[String], pattern: Option<&str>, only: Only, settled_ms: i64) -> Option<PathBuf> {
    let mut found = candidates(named, pattern);
    found.retain(|c| only.takes(c));
    let last = found.len().saturating_sub(1);
    found
        .iter()
        .enumerate()
        .rev()
        .find(|(place, c)| {
            let said = named.iter().any(|n| Path::new(n) == c.path);
            // One that was not named as complete must be followed by a later one, or have been left alone.
            let settled = said || *place < last || c.modified_ms <= settled_ms || has_checked_structure(&c.path);
            settled && is_whole(&c.path)
        })
        .map(|(_, c)| c.path.clone())
}

/// When the newest of all that is there was written, complete or not: UTC milliseconds.
#[must_use]
pub(crate) fn newest_moment(named: &[String], pattern: Option<&str>) -> Option<i64> {
    candidates(named, pattern).last().map(|c| c.modified_ms)
}

/// Whether a stage can go on from this file or folder, as far as its format tells; links are never followed.
#[must_use]
pub(crate) fn is_valid(path: &Path) -> bool {
    candidate(path).is_some() && is_whole(path)
}

/// All that is there, oldest first.
fn candidates(named: &[String], pattern: Option<&str>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = named.iter().filter_map(|p| candidate(Path::new(p))).collect();
    found.extend(pattern.map(matching).unwrap_or_default());
    found.sort_by(|a, b| a.modified_ms.cmp(&b.modified_ms).then_with(|| a.path.cmp(&b.path)));
    found.dedup_by(|a, b| a.path == b.path);
    found
}

pub(crate) fn candidate(path: &Path) -> Option<Candidate> {
    let about = std::fs::symlink_metadata(path).ok()?;
    if about.file_type().is_symlink() || !(about.is_file() || about.is_dir()) {
        return None;
    }
    let modified_ms = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_millis();
    let changed_ms = about.ctime().saturating_mul(1_000).saturating_add(about.ctime_nsec() / 1_000_000);
    Some(Candidate { path: path.to_owned(), modified_ms: i64::try_from(modified_ms).ok()?, changed_ms })
}

/// Files in the pattern's folder whose names fit its last part, `*` and `?` understood.
pub(crate) fn matching(pattern: &str) -> Vec<Candidate> {
    let pattern = Path::new(pattern);
    let (Some(folder), Some(name)) = (pattern.parent(), pattern.file_name().and_then(|n| n.to_str())) else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|n| fits(name.as_bytes(), n.as_bytes())))
        .filter_map(|entry| candidate(&entry.path()))
        .collect()
}

/// Whether a name fits a pattern of `*` and `?`; linear in practice, no recursion.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, n));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == b'?' || pattern[p] == name[n]) {
            p += 1;
            n += 1;
        } else if let Some((at, from)) = star {
            p = at + 1;
            n = from + 1;
            star = Some((at, from + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

fn extension(path: &Path) -> String {
    path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase()
}

/// Formats whose structure tells whether they are complete.
fn has_checked_structure(path: &Path) -> bool {
    matches!(extension(path).as_str(), "safetensors" | "pt" | "pth" | "ckpt" | "keras" | "npz" | "zip")
}

fn is_whole(path: &Path) -> bool {
    if path.is_dir() {
        return std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
    }
    match extension(path).as_str() {
        "safetensors" => safetensors_is_whole(path).unwrap_or(false),
        "pt" | "pth" | "ckpt" | "keras" | "npz" | "zip" => zip_is_whole(path).unwrap_or(false),
        "gguf" => starts_with(path, b"GGUF").unwrap_or(false),
        _ => std::fs::metadata(path).is_ok_and(|m| m.len() > 0),
    }
}

/// A safetensors file: eight bytes of header length, a JSON header, and data exactly as long as its largest offset.
/// Source: github.com/huggingface/safetensors, README, "Format".
fn safetensors_is_whole(path: &Path) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut eight = [0; 8];
    file.read_exact(&mut eight)?;
    let header = u64::from_le_bytes(eight);
    if header > 100_000_000 || header + 8 > size {
        return Ok(false);
    }
    let mut text = vec![0; header as usize];
    file.read_exact(&mut text)?;
    let Ok(serde_json::Value::Object(entries)) = serde_json::from_slice(&text) else { return Ok(false) };
    let end = entries
        .iter()
        .filter(|(name, _)| *name != "__metadata__")
        .filter_map(|(_, entry)| entry.get("data_offsets")?.get(1)?.as_u64())
        .max()
        .unwrap_or(0);
    Ok(8 + header + end == size)
}

/// A zip archive (torch, Keras, NumPy): begins with a local header or is legacy, ends with an end-of-central-directory record.
/// Source: PKWARE APPNOTE 6.3.10, section 4.3.16.
fn zip_is_whole(path: &Path) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    if !starts_with(path, b"PK\x03\x04")? {
        // A torch file of before 1.6 is a pickle, which has no end that tells.
        return Ok(size > 0 && starts_with(path, b"\x80")?);
    }
    let tail = size.min(65_557);
    file.seek(SeekFrom::Start(size - tail))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let Some(at) = bytes.windows(4).rposition(|w| w == b"PK\x05\x06") else { return Ok(false) };
    let comment = bytes.get(at + 20..at + 22).map(|c| usize::from(u16::from_le_bytes([c[0], c[1]])));
    Ok(comment.is_some_and(|length| at + 22 + length == bytes.len()))
}

fn starts_with(path: &Path, magic: &[u8]) -> std::io::Result<bool> {
    let mut head = vec![0; magic.len()];
    let mut file = File::open(path)?;
    Ok(file.read_exact(&mut head).is_ok() && head == magic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safetensors(data: usize) -> Vec<u8> {
        let header = format!(r#"{{"w":{{"dtype":"U8","shape":[{data}],"data_offsets":[0,{data}]}}}}"#);
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.extend(vec![7; data]);
        file
    }

    #[test]
    fn a_checkpoint_cut_at_any_byte_is_never_taken() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("a-1.safetensors"), folder.path().join("a-2.safetensors"));
        std::fs::write(&old, safetensors(50)).unwrap();
        let whole = safetensors(60);
        let pattern = folder.path().join("a-*.safetensors");
        for cut in 0..whole.len() {
            std::fs::write(&new, &whole[..cut]).unwrap();
            let found = newest_valid(&[], pattern.to_str(), Only::All, i64::MAX);
            assert_eq!(found.as_deref(), Some(old.as_path()), "cut at {cut}");
        }
        std::fs::write(&new, &whole).unwrap();
        let found = newest_valid(&[], pattern.to_str(), Only::All, 0);
        assert!(found.is_some_and(|p| p == new || p == old));
    }

    #[test]
    fn links_and_empty_files_are_no_checkpoints_and_names_are_matched() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("x.bin");
        std::fs::write(&empty, b"").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("y.bin")).unwrap();
        assert_eq!(newest_valid(&[], folder.path().join("*.bin").to_str(), Only::All, i64::MAX), None);
        assert!(fits(b"a*b?c", b"axxbyc") && fits(b"*", b"") && !fits(b"a?", b"a") && fits(b"**", b"x"));
    }
}
