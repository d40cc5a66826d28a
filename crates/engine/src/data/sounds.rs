//! Recordings: how long each is, and the bytes of one that somebody wants to hear.

use std::fs;
use std::io::{BufReader, Read};
use std::path::{Component, Path, PathBuf};

use footplate_core::{ErrorCode, Fault};
use lofty::config::ParseOptions;
use lofty::file::{AudioFile, FileType};
use lofty::probe::Probe;
use serde::Serialize;

use super::{ending, open};

/// A recording as large as this can be listened to, bytes.
pub const SOUND_BYTES: u64 = 32 << 20;

/// A recording: WAV, FLAC, MP3 or OGG.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sound {
    /// What [`sound`] takes.
    pub id: String,
    /// The path below the folder, or the file's name.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Its length in seconds, as its head says; `None` where it cannot be read.
    pub seconds: Option<f64>,
    /// Samples a second.
    pub rate: Option<u32>,
    /// 1: mono.
    pub channels: Option<u8>,
    /// Small enough to be listened to.
    pub playable: bool,
}

/// Whether a file is called like a recording.
pub(super) fn is_one(path: &Path) -> bool {
    matches!(ending(path).as_str(), "wav" | "flac" | "mp3" | "ogg" | "oga" | "opus")
}

/// What the head of a recording says.
pub(super) fn look(path: &Path, name: &str, size: u64) -> Option<Sound> {
    if !is_one(path) {
        return None;
    }
    let mut sound = Sound {
        id: name.to_owned(),
        name: name.to_owned(),
        size,
        seconds: None,
        rate: None,
        channels: None,
        playable: size <= SOUND_BYTES,
    };
    if let Some(properties) = properties(path) {
        sound.seconds = Some(properties.duration().as_secs_f64());
        sound.rate = properties.sample_rate();
        sound.channels = properties.channels();
    } else {
        // What cannot be read cannot be heard either.
        sound.playable = false;
    }
    Some(sound)
}

fn properties(path: &Path) -> Option<lofty::properties::FileProperties> {
    let file = open(path).ok()?.into_inner();
    let options = ParseOptions::new().read_tags(false).read_cover_art(false);
    let probe = Probe::new(BufReader::new(file)).options(options).guess_file_type().ok()?;
    match probe.file_type()? {
        FileType::Wav | FileType::Flac | FileType::Mpeg | FileType::Vorbis | FileType::Opus => {}
        _ => return None,
    }
    Some(probe.read().ok()?.properties().clone())
}

/// The bytes of a recording that [`super::look`] told of: `id` as it was told, below `root`, or `root` itself where
/// that is a file.
///
/// # Errors
/// `Refused` for anything else, what lies behind a link among it; `Invalid` where it is larger than [`SOUND_BYTES`]; `NotFound`, `Storage`.
pub fn sound(root: &Path, id: &str) -> Result<Vec<u8>, Fault> {
    let path = place(root, id)?;
    let broken = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Fault::new(ErrorCode::NotFound, format!("{} is not there.", path.display())).hint("Choose it again.")
        }
        _ => Fault::new(ErrorCode::Storage, format!("{} cannot be read: {error}.", path.display())),
    };
    let whole = path.canonicalize().map_err(broken)?;
    let within = root.canonicalize().map_err(broken)?;
    let plain = if path == root { within } else { within.join(id) };
    if whole != plain || !is_one(&path) {
        return Err(refused(id));
    }
    if fs::metadata(&path).map_err(broken)?.len() > SOUND_BYTES {
        let message = format!("{id} is too large to be listened to here.");
        return Err(Fault::new(ErrorCode::Invalid, message).hint("Open it in another program."));
    }
    let mut bytes = Vec::new();
    open(&path).map_err(broken)?.take(SOUND_BYTES).read_to_end(&mut bytes).map_err(broken)?;
    Ok(bytes)
}

fn place(root: &Path, id: &str) -> Result<PathBuf, Fault> {
    if root.is_file() {
        let same = root.file_name().is_some_and(|own| own.to_string_lossy() == id);
        return if same { Ok(root.to_owned()) } else { Err(refused(id)) };
    }
    let below = Path::new(id);
    let plain = !id.is_empty() && below.components().all(|part| matches!(part, Component::Normal(_)));
    if plain { Ok(root.join(below)) } else { Err(refused(id)) }
}

fn refused(id: &str) -> Fault {
    Fault::new(ErrorCode::Refused, format!("{id} is no recording in what was chosen."))
}
