//! footplate
fn main() {}
