//! The form of points in a block, one after another, little-endian: one byte of flags (1: a step follows, 2: an epoch follows),
//! the time in UTC milliseconds (8 bytes), the bits of the value (8), then step (8) and epoch (8) where they are given.

use std::sync::Arc;

use crate::error::StoreError;
use crate::telemetry::PointRow;

const STEP: u8 = 1;
const EPOCH: u8 = 2;

/// The new points of one series.
#[derive(Debug)]
pub(super) struct Packed<'a> {
    pub(super) first: &'a PointRow,
    data: Vec<u8>,
    last_at: usize,
    count: i64,
}

impl<'a> Packed<'a> {
    pub(super) fn new(first: &'a PointRow) -> Self {
        Packed { first, data: Vec::with_capacity(33), last_at: 0, count: 0 }
    }

    pub(super) fn is_of(&self, p: &PointRow) -> bool {
        let f = self.first;
        f.stage == p.stage && f.attempt == p.attempt && (Arc::ptr_eq(&f.name, &p.name) || f.name == p.name)
    }

    pub(super) fn push(&mut self, p: &PointRow) {
        self.last_at = self.data.len();
        self.count += 1;
        let flags = if p.step.is_some() { STEP } else { 0 } | if p.epoch.is_some() { EPOCH } else { 0 };
        self.data.push(flags);
        self.data.extend_from_slice(&p.time.to_le_bytes());
        self.data.extend_from_slice(&p.value.to_bits().to_le_bytes());
        if let Some(step) = p.step {
            self.data.extend_from_slice(&step.to_le_bytes());
        }
        if let Some(epoch) = p.epoch {
            self.data.extend_from_slice(&epoch.to_bits().to_le_bytes());
        }
    }

    pub(super) fn data(&self) -> &[u8] {
        &self.data
    }

    /// The newest point, in the same form.
    pub(super) fn last(&self) -> &[u8] {
        &self.data[self.last_at..]
    }

    pub(super) fn count(&self) -> i64 {
        self.count
    }
}

/// Reads all points of a block.
pub(super) fn unpack_all(
    mut data: &[u8],
    stage: u32,
    attempt: u32,
    name: &Arc<str>,
    into: &mut Vec<PointRow>,
) -> Result<(), StoreError> {
    while let Some((flags, rest)) = data.split_first() {
        data = rest;
        let time = take(&mut data)?;
        let value = take(&mut data)?;
        let step = if flags & STEP != 0 { Some(take(&mut data)?) } else { None };
        let epoch = if flags & EPOCH != 0 { Some(take(&mut data)?) } else { None };
        into.push(PointRow {
            stage,
            attempt,
            name: Arc::clone(name),
            step: step.map(i64::from_le_bytes),
            epoch: epoch.map(|bytes| f64::from_bits(u64::from_le_bytes(bytes))),
            time: i64::from_le_bytes(time),
            value: f64::from_bits(u64::from_le_bytes(value)),
        });
    }
    Ok(())
}

fn take(data: &mut &[u8]) -> Result<[u8; 8], StoreError> {
    let Some((head, rest)) = data.split_first_chunk::<8>() else {
        return Err(StoreError::Damaged("a block of points ends too early".to_owned()));
    };
    *data = rest;
    Ok(*head)
}
