//! Footplate: store.
