//! Zip files byte by byte, so that they can lie (PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.4).

/// One entry: what its two headers say, and its bytes.
#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) name: Vec<u8>,
    /// What the local header says, where that is another.
    pub(crate) local_name: Option<Vec<u8>>,
    pub(crate) data: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) mode: u32,
    /// What the table of contents says about the length, where that is another.
    pub(crate) size: Option<u32>,
    pub(crate) packed: Option<u32>,
    pub(crate) crc: Option<u32>,
    pub(crate) system: u8,
    pub(crate) extra: Vec<u8>,
    /// Where its local header is said to be, where that is another.
    pub(crate) offset: Option<u32>,
    plain: usize,
}

pub(crate) fn file(name: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Item {
    let (name, text) = (name.as_ref().to_vec(), text.as_ref());
    Item {
        name,
        local_name: None,
        data: text.to_vec(),
        method: 0,
        flags: 1 << 11,
        mode: 0o100_644,
        size: None,
        packed: None,
        crc: Some(crc(text)),
        system: 3,
        extra: Vec::new(),
        offset: None,
        plain: text.len(),
    }
}

pub(crate) fn folder(name: &str) -> Item {
    Item { mode: 0o040_755, ..file(name, "") }
}

pub(crate) fn deflated(name: &str, text: &[u8]) -> Item {
    use std::io::Write;
    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(text).unwrap();
    Item { data: packed.finish().unwrap(), method: 8, ..file(name, text) }
}

impl Item {
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Item)) -> Item {
        change(&mut self);
        self
    }
}

/// What the end of the archive says, where it lies.
#[derive(Default)]
pub(crate) struct End {
    pub(crate) entries: Option<u16>,
    pub(crate) disk: u16,
    pub(crate) start: Option<u32>,
    pub(crate) length: Option<u32>,
    pub(crate) comment: Vec<u8>,
    /// Before the end record: zip64's records, say.
    pub(crate) before: Vec<u8>,
    /// In front of everything.
    pub(crate) ahead: Vec<u8>,
}

pub(crate) fn zip(items: &[Item]) -> Vec<u8> {
    zip_ended(items, End::default())
}

pub(crate) fn zip_ended(items: &[Item], end: End) -> Vec<u8> {
    let mut out = end.ahead;
    let mut table = Vec::new();
    for item in items {
        let at = u32::try_from(out.len()).unwrap();
        let size = item.size.unwrap_or(u32::try_from(item.plain).unwrap());
        let packed = item.packed.unwrap_or(u32::try_from(item.data.len()).unwrap());
        let mut common = Vec::new();
        common.extend(20_u16.to_le_bytes());
        common.extend(item.flags.to_le_bytes());
        common.extend(item.method.to_le_bytes());
        common.extend([0, 0, 0x21, 0]);
        common.extend(item.crc.unwrap_or(0).to_le_bytes());
        common.extend(packed.to_le_bytes());
        common.extend(size.to_le_bytes());
        let local = item.local_name.as_ref().unwrap_or(&item.name);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(u16::try_from(local.len()).unwrap().to_le_bytes());
        out.extend(u16::try_from(item.extra.len()).unwrap().to_le_bytes());
        out.extend(local);
        out.extend(&item.extra);
        out.extend(&item.data);
        table.extend(b"PK\x01\x02");
        table.extend([20, item.system]);
        table.extend(&common);
        table.extend(u16::try_from(item.name.len()).unwrap().to_le_bytes());
        table.extend(u16::try_from(item.extra.len()).unwrap().to_le_bytes());
        table.extend([0; 6]);
        table.extend((item.mode << 16).to_le_bytes());
        table.extend(item.offset.unwrap_or(at).to_le_bytes());
        table.extend(&item.name);
        table.extend(&item.extra);
    }
    let start = u32::try_from(out.len()).unwrap();
    let entries = end.entries.unwrap_or(u16::try_from(items.len()).unwrap_or(u16::MAX));
    out.extend(&table);
    out.extend(&end.before);
    out.extend(b"PK\x05\x06");
    out.extend(end.disk.to_le_bytes());
    out.extend(end.disk.to_le_bytes());
    out.extend(entries.to_le_bytes());
    out.extend(entries.to_le_bytes());
    out.extend(end.length.unwrap_or(u32::try_from(table.len()).unwrap()).to_le_bytes());
    out.extend(end.start.unwrap_or(start).to_le_bytes());
    out.extend(u16::try_from(end.comment.len()).unwrap().to_le_bytes());
    out.extend(&end.comment);
    out
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
