//! A folder -> an archive. The same files make the same bytes, whenever and wherever.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use footplate_core::{ErrorCode, Fault};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use super::{FOLDER, FREE_BYTES, MANIFEST, MOST_RATIO, Manifest, Tree};

/// Writes an archive of a folder's files to `to`, which is made anew, or put in the place of what is there.
///
/// # Errors
/// `Storage`, `DiskFull` where it cannot be written; as [`Tree`] where a file cannot be read.
pub fn pack(tree: &Tree, manifest: &Manifest, to: &Path) -> Result<(), Fault> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Beside it, so that a half-written one never stands under its name.
    let beside = folder.join(format!(".{}.part", crate::fresh::uuid()));
    let written = write(tree, manifest, &beside)
        .and_then(|()| std::fs::rename(&beside, to).map_err(|error| unwritable(to, &error)));
    if written.is_err() {
        // Where it was not even made there is nothing to remove.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn write(tree: &Tree, manifest: &Manifest, to: &Path) -> Result<(), Fault> {
    let cannot = |error: &dyn std::fmt::Display| unwritable(to, error);
    let file = File::create_new(to).map_err(|error| cannot(&error))?;
    let mut zip = ZipWriter::new(io::BufWriter::new(file));
    // Without a time, an owner or the system it was made on.
    let plain = SimpleFileOptions::default()
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6));
    let mut text = serde_json::to_string_pretty(manifest).map_err(|error| cannot(&error))?;
    text.push('\n');
    zip.start_file(MANIFEST, plain.unix_permissions(0o644)).map_err(|error| cannot(&error))?;
    zip.write_all(text.as_bytes()).map_err(|error| cannot(&error))?;
    for entry in &tree.files {
        let mode = if entry.executable { 0o755 } else { 0o644 };
        let tight = entry.size > FREE_BYTES && is_too_tight(tree, entry)?;
        let options = match tight {
            true => plain.compression_method(CompressionMethod::Stored).compression_level(None),
            false => plain,
        }
        .unix_permissions(mode);
        zip.start_file(format!("{FOLDER}/{}", entry.path), options).map_err(|error| cannot(&error))?;
        let copied = io::copy(&mut tree.open(entry)?, &mut zip).map_err(|error| cannot(&error))?;
        if copied != entry.size {
            let path = tree.root().join(&entry.path);
            return Err(Fault::new(ErrorCode::Conflict, format!("{} changes while it is read.", path.display()))
                .hint("Try again when nothing writes there any more."));
        }
    }
    let mut file = zip.finish().map_err(|error| cannot(&error))?;
    file.flush().map_err(|error| cannot(&error))
}

/// Whether a file would be packed so tightly that nobody unpacks it (zeros, say).
fn is_too_tight(tree: &Tree, entry: &super::Entry) -> Result<bool, Fault> {
    let mut packed = flate2::write::DeflateEncoder::new(Count(0), flate2::Compression::new(6));
    let path = tree.root().join(&entry.path);
    io::copy(&mut tree.open(entry)?, &mut packed).map_err(|error| super::tree::unreadable(&path, &error))?;
    let Count(length) = packed.finish().map_err(|error| super::tree::unreadable(&path, &error))?;
    Ok(entry.size / length.max(1) >= MOST_RATIO / 2)
}

/// Counts what is written.
struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unwritable(to: &Path, error: &dyn std::fmt::Display) -> Fault {
    Fault::new(ErrorCode::Storage, format!("{} cannot be written: {error}.", to.display()))
        .hint("Choose another folder, or free some space.")
}
