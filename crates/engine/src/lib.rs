//! Footplate: engine.
