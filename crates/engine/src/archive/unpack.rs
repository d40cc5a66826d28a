//! An archive -> a folder, by the rules of a stranger's file: nothing in it is believed, and nothing it says is a path
//! before it was looked at. All names are checked before the first byte is written.

use std::fs::{self, DirBuilder, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use footplate_core::{ErrorCode, Fault};
use zip::{CompressionMethod, ZipArchive};

use super::names::{self, Seen};
use super::{
    FOLDER, FORMAT, FREE_BYTES, MANIFEST, MOST_BYTES, MOST_ENTRIES, MOST_MANIFEST, MOST_RATIO, Manifest, refused, tree,
};

type Zip = ZipArchive<BufReader<File>>;

/// One entry that was found good.
struct Good {
    index: usize,
    /// Below the template's folder.
    path: String,
    folder: bool,
    executable: bool,
    size: u64,
}

/// Unpacks the template of an archive into `into`, which must not exist yet; where that fails, nothing of it stays.
///
/// # Errors
/// `Refused` with what is wrong; `NotFound`, `Storage`.
pub fn unpack(archive: &Path, into: &Path) -> Result<Manifest, Fault> {
    let (mut zip, entries) = open(archive)?;
    let (manifest, good) = look(&mut zip, entries)?;
    DirBuilder::new().mode(0o700).create(into).map_err(|error| unwritable(into, &error))?;
    let written = write(&mut zip, &good, into);
    if written.is_err() {
        // It was made here, and nobody knows of it.
        let _ = fs::remove_dir_all(into);
    }
    written.map(|()| manifest)
}

/// Opens an archive as this program and every common one writes it: from the first byte to the last, without zip64.
fn open(archive: &Path) -> Result<(Zip, usize), Fault> {
    const END: usize = 22;
    let facts = fs::metadata(archive).map_err(|error| tree::unreadable(archive, &error))?;
    if !facts.is_file() {
        return Err(refused(format!("{} is not a file", archive.display())));
    }
    let mut file = File::open(archive).map_err(|error| tree::unreadable(archive, &error))?;
    if facts.len() < END as u64 {
        return Err(refused("it is not a zip file"));
    }
    // The end record (APPNOTE.TXT 4.3.16), with no comment behind it.
    let mut end = [0; END];
    let read = file.seek(SeekFrom::Start(facts.len() - END as u64)).and_then(|_| file.read_exact(&mut end));
    read.map_err(|error| tree::unreadable(archive, &error))?;
    let two = |at: usize| usize::from(u16::from_le_bytes([end[at], end[at + 1]]));
    let four = |at: usize| u64::from(u32::from_le_bytes([end[at], end[at + 1], end[at + 2], end[at + 3]]));
    let mut begin = [0; 4];
    let read = file.rewind().and_then(|()| file.read_exact(&mut begin));
    read.map_err(|error| tree::unreadable(archive, &error))?;
    if begin != *b"PK\x03\x04" || end[..4] != *b"PK\x05\x06" || two(20) != 0 {
        return Err(refused("it is not a whole zip file, or something stands before or behind it"));
    }
    let (entries, size, start) = (two(10), four(12), four(16));
    if two(4) != 0 || two(6) != 0 || two(8) != entries {
        return Err(refused("it is a part of several"));
    }
    if entries == 0xffff || size == 0xffff_ffff || start == 0xffff_ffff {
        return Err(refused("it is in the form for huge archives (zip64)"));
    }
    if entries > MOST_ENTRIES {
        return Err(refused(format!("it has {entries} entries; the limit is {MOST_ENTRIES}")));
    }
    if start + size + END as u64 != facts.len() {
        return Err(refused("its table of contents is not where it should be"));
    }
    let zip = ZipArchive::new(BufReader::new(file)).map_err(refused)?;
    if zip.offset() != 0 || zip.central_directory_start() != start {
        return Err(refused("its table of contents is not where it should be"));
    }
    Ok((zip, entries))
}

/// Checks everything that can be checked before something is written.
fn look(zip: &mut Zip, entries: usize) -> Result<(Manifest, Vec<Good>), Fault> {
    if zip.has_duplicate_names() || zip.len() != entries {
        return Err(refused("its table of contents names an entry twice, or not as many as it says"));
    }
    zip.validate_header_consistency().map_err(refused)?;
    let mut seen = Seen::default();
    let mut good = Vec::new();
    let mut manifest = None;
    let mut bytes = 0_u64;
    for index in 0..zip.len() {
        let entry = zip.by_index_data(index).map_err(refused)?;
        let name = std::str::from_utf8(entry.name_raw()).map_err(|_| refused("a name is not UTF-8"))?;
        let folder = name.ends_with('/');
        let parts = names::parts(name.strip_suffix('/').unwrap_or(name)).map_err(refused)?;
        seen.add(&parts, folder).map_err(refused)?;
        if entry.encrypted() {
            return Err(refused(format!("\"{name}\" is encrypted")));
        }
        if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            return Err(refused(format!("\"{name}\" is packed in a way other than deflate")));
        }
        // The upper half is the mode of Unix, whatever system it says it was made on.
        let mode = entry.external_attributes() >> 16;
        let kind = mode & 0o170_000;
        let kind_is_good = kind == 0 || kind == if folder { 0o040_000 } else { 0o100_000 };
        if !kind_is_good || entry.is_symlink() {
            return Err(refused(format!("\"{name}\" is neither a file nor a folder, or not what its name says")));
        }
        if mode & 0o7000 != 0 {
            return Err(refused(format!("\"{name}\" asks for other rights than the user's own")));
        }
        let (size, packed) = (entry.size(), entry.compressed_size());
        if folder && (size, packed) != (0, 0) {
            return Err(refused(format!("\"{name}\" is a folder with content")));
        }
        if entry.compression() == CompressionMethod::Stored && size != packed {
            return Err(refused(format!("\"{name}\" has two lengths")));
        }
        bytes = bytes.saturating_add(size);
        if bytes > MOST_BYTES {
            return Err(refused(format!("its files have over {MOST_BYTES} bytes")));
        }
        if size > FREE_BYTES && size / packed.max(1) > MOST_RATIO {
            return Err(refused(format!(
                "one byte of \"{name}\" would become {} when unpacked; the limit is {MOST_RATIO}",
                size / packed.max(1)
            )));
        }
        match *parts.as_slice() {
            [MANIFEST] if !folder => manifest = Some((index, size)),
            [FOLDER] if folder => {}
            [FOLDER, ref below @ ..] if !below.is_empty() => {
                if !below.iter().any(|part| names::is_litter(part)) {
                    let executable = mode & 0o100 != 0;
                    good.push(Good { index, path: below.join("/"), folder, executable, size });
                }
            }
            _ => {
                return Err(refused(format!("\"{name}\" is neither {MANIFEST} nor within {FOLDER}/")));
            }
        }
    }
    let Some((index, size)) = manifest else { return Err(refused(format!("it has no {MANIFEST}"))) };
    if size > MOST_MANIFEST {
        return Err(refused(format!("its {MANIFEST} has {size} bytes; the limit is {MOST_MANIFEST}")));
    }
    // Small files, and bytes that no header tells of.
    let length = zip.central_directory_start().max(1);
    if bytes > FREE_BYTES && bytes / length > MOST_RATIO {
        return Err(refused(format!(
            "one byte of it would become {} when unpacked; the limit is {MOST_RATIO}",
            bytes / length
        )));
    }
    let mut text = Vec::new();
    let entry = zip.by_index(index).map_err(refused)?;
    entry.take(MOST_MANIFEST + 1).read_to_end(&mut text).map_err(refused)?;
    Ok((read_manifest(&text)?, good))
}

fn read_manifest(text: &[u8]) -> Result<Manifest, Fault> {
    #[derive(serde::Deserialize)]
    struct Version {
        format: u32,
    }
    let version: Version =
        serde_json::from_slice(text).map_err(|error| refused(format!("its {MANIFEST} cannot be read: {error}")))?;
    if version.format > FORMAT {
        let message = format!(
            "The archive was not unpacked: it is of format {}, and this program knows {FORMAT}.",
            version.format
        );
        return Err(Fault::new(ErrorCode::Refused, message).hint("Update Footplate."));
    }
    let manifest: Manifest =
        serde_json::from_slice(text).map_err(|error| refused(format!("its {MANIFEST} cannot be read: {error}")))?;
    if manifest.format != FORMAT {
        return Err(refused(format!("there is no format {}", manifest.format)));
    }
    if !crate::templates::names::is_name(&manifest.name) {
        return Err(refused(format!("{:?} is no name for a template", manifest.name)));
    }
    let texts = [(&manifest.title, 200), (&manifest.description, 2_000)];
    for (text, most) in texts.iter().filter_map(|(text, most)| Some((text.as_ref()?, *most))) {
        if text.chars().count() > most || text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(refused(format!(
                "its {MANIFEST} has a text that is too long, or with characters that are not seen"
            )));
        }
    }
    Ok(manifest)
}

fn write(zip: &mut Zip, good: &[Good], into: &Path) -> Result<(), Fault> {
    let folders = |path: &Path| {
        let made = DirBuilder::new().mode(0o700).recursive(true).create(path);
        made.map_err(|error| unwritable(path, &error))
    };
    for entry in good {
        let path = into.join(&entry.path);
        if entry.folder {
            folders(&path)?;
            continue;
        }
        folders(path.parent().unwrap_or(into))?;
        let mode = if entry.executable { 0o700 } else { 0o600 };
        let file = File::options().write(true).create_new(true).mode(mode).open(&path);
        let mut file = file.map_err(|error| unwritable(&path, &error))?;
        let from = zip.by_index(entry.index).map_err(refused)?;
        copy(from.take(entry.size + 1), &mut file, entry, &path)?;
    }
    Ok(())
}

/// What the headers say about the length holds, or the archive is refused.
fn copy(mut from: impl Read, to: &mut File, entry: &Good, path: &Path) -> Result<(), Fault> {
    let mut buffer = vec![0; 64 << 10];
    let mut length = 0_u64;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(refused(format!("\"{}\" is damaged: {error}", entry.path))),
        };
        length += read as u64;
        if length > entry.size {
            break;
        }
        to.write_all(&buffer[..read]).map_err(|error| unwritable(path, &error))?;
    }
    if length == entry.size { Ok(()) } else { Err(refused(format!("\"{}\" is not as long as it says", entry.path))) }
}

fn unwritable(path: &Path, error: &io::Error) -> Fault {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let code = if full { ErrorCode::DiskFull } else { ErrorCode::Storage };
    Fault::new(code, format!("{} cannot be written: {error}.", path.display())).hint("Free some space, then try again.")
}
