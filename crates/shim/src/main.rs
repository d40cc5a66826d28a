//! footplate-shim
fn main() {}
