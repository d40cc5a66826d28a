//! Fresh identifiers: UUIDv7 from the product's one wall clock, rising within a process.

use std::sync::{Mutex, PoisonError};

use footplate_shim::clock;
use uuid::{ContextV7, Timestamp, Uuid};

/// An identifier that no other has, anywhere; later ones of this process sort after it.
#[must_use]
pub fn uuid() -> Uuid {
    static CONTEXT: Mutex<ContextV7> = Mutex::new(ContextV7::new());
    let ms = u64::try_from(clock::wall_ms()).unwrap_or(0);
    let context = CONTEXT.lock().unwrap_or_else(PoisonError::into_inner);
    let nanos = u32::try_from(ms % 1000).unwrap_or(0) * 1_000_000;
    Uuid::new_v7(Timestamp::from_unix(&*context, ms / 1000, nanos))
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_rise_and_none_comes_twice() {
        let ids: Vec<_> = (0..10_000).map(|_| super::uuid()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
