//! The bytes of a saved reader: little-endian, length-prefixed, floats by their bits so that nothing is rounded.
//! Not here: what is saved; each part writes itself.

use std::fmt;

/// Why saved bytes cannot be taken up again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreError {
    /// The bytes end too early, hold a value that cannot be, or go on after the end.
    Damaged,
    /// They were written by another version of the format.
    OtherVersion(u8),
    /// The patterns given with them do not compile.
    Pattern(crate::PatternError),
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RestoreError::Damaged => f.write_str("the saved state of the progress reader is damaged"),
            RestoreError::OtherVersion(version) => {
                write!(f, "the saved state of the progress reader has version {version}, which is not known here")
            }
            RestoreError::Pattern(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RestoreError {}

/// Appends values.
#[derive(Default)]
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.bytes.push(u8::from(value));
    }

    pub(crate) fn u64(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push((value as u8 & 0x7f) | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    pub(crate) fn usize(&mut self, value: usize) {
        self.u64(value as u64);
    }

    pub(crate) fn i64(&mut self, value: i64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn f64(&mut self, value: f64) {
        self.bytes.extend_from_slice(&value.to_bits().to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.usize(value.len());
        self.bytes.extend_from_slice(value);
    }

    pub(crate) fn str(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    pub(crate) fn option<T: Copy>(&mut self, value: Option<T>, write: impl FnOnce(&mut Writer, T)) {
        self.bool(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }
}

/// Takes values back; each fails on damaged bytes and never panics.
pub(crate) struct Saved<'a> {
    rest: &'a [u8],
}

pub(crate) type Restored<T> = Result<T, RestoreError>;

impl<'a> Saved<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Saved<'a> {
        Saved { rest: bytes }
    }

    fn take(&mut self, count: usize) -> Restored<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(RestoreError::Damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    fn eight(&mut self) -> Restored<[u8; 8]> {
        self.take(8)?.try_into().map_err(|_| RestoreError::Damaged)
    }

    pub(crate) fn u8(&mut self) -> Restored<u8> {
        Ok(self.take(1)?[0])
    }

    pub(crate) fn bool(&mut self) -> Restored<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(RestoreError::Damaged),
        }
    }

    pub(crate) fn u64(&mut self) -> Restored<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(RestoreError::Damaged)
    }

    /// A length or index, at most `most`.
    pub(crate) fn usize(&mut self, most: usize) -> Restored<usize> {
        usize::try_from(self.u64()?).ok().filter(|value| *value <= most).ok_or(RestoreError::Damaged)
    }

    pub(crate) fn i64(&mut self) -> Restored<i64> {
        Ok(i64::from_le_bytes(self.eight()?))
    }

    pub(crate) fn f64(&mut self) -> Restored<f64> {
        Ok(f64::from_bits(u64::from_le_bytes(self.eight()?)))
    }

    pub(crate) fn bytes(&mut self) -> Restored<&'a [u8]> {
        let count = self.usize(usize::MAX)?;
        self.take(count)
    }

    pub(crate) fn str(&mut self) -> Restored<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| RestoreError::Damaged)
    }

    pub(crate) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Restored<T>) -> Restored<Option<T>> {
        if self.bool()? { read(self).map(Some) } else { Ok(None) }
    }

    pub(crate) fn end(&self) -> Restored<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(RestoreError::Damaged) }
    }
}
