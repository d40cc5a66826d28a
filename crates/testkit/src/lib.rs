//! Footplate: testkit.
