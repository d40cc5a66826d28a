//! What the tests share: a sink that writes everything down, and the captured samples.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use footplate_progress::{Checkpoint, Level, Note, Options, Point, Reader, Sink};

/// Name, step, epoch, time, value.
pub type Told = (String, Option<u64>, Option<f64>, i64, String);

/// Everything a reader handed on, in order, as text; floats by their digits.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Heard {
    pub points: Vec<Told>,
    pub checkpoints: Vec<Checkpoint>,
    pub outputs: Vec<(String, serde_json::Value)>,
    pub notes: Vec<Note>,
    pub levels: Vec<(u64, Level)>,
    pub unknown: Vec<(String, String)>,
}

impl Sink for Heard {
    fn point(&mut self, p: Point<'_>) {
        self.points.push((p.name.to_owned(), p.step, p.epoch, p.time_ms, p.value.to_string()));
    }
    fn checkpoint(&mut self, checkpoint: Checkpoint) {
        self.checkpoints.push(checkpoint);
    }
    fn output(&mut self, key: &str, value: serde_json::Value) {
        self.outputs.push((key.to_owned(), value));
    }
    fn note(&mut self, note: Note) {
        self.notes.push(note);
    }
    fn log_level(&mut self, offset: u64, level: Level) {
        self.levels.push((offset, level));
    }
    fn unknown(&mut self, _offset: u64, key: &str, json: &str) {
        self.unknown.push((key.to_owned(), json.to_owned()));
    }
}

impl Heard {
    /// `name@step=value` of each point.
    pub fn short(&self) -> Vec<String> {
        let step = |step: Option<u64>| step.map_or("-".to_owned(), |step| step.to_string());
        self.points.iter().map(|(name, at, _, _, value)| format!("{name}@{}={value}", step(*at))).collect()
    }
}

pub fn reader() -> Reader {
    Reader::new(Options::default()).unwrap()
}

/// Reads text at time 0, without an end.
pub fn read(text: &str) -> (Reader, Heard) {
    let (mut reader, mut heard) = (reader(), Heard::default());
    reader.feed(text.as_bytes(), 0, &mut heard);
    (reader, heard)
}

pub fn samples() -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut samples: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "txt"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
        .collect();
    samples.sort();
    assert!(samples.len() >= 7);
    samples
}

/// A small deterministic generator (xorshift64*).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}
