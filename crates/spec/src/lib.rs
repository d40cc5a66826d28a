//! Footplate: spec.
