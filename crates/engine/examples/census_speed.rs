//! What a look at a tree of processes costs: `cargo run --release -p footplate-engine --example census_speed -- 200`.
//!
//! It is to be below a millisecond of processor time a second, at a look each 5 s, or each 10 s from 129 processes on, and so forth.
#![allow(clippy::unwrap_used, reason = "an example")]

use std::process::{Child, Command};

use footplate_engine::usage::{Census, Root};

const LOOKS: u32 = 24;

fn cpu_ms() -> f64 {
    let usage = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    usage.tv_sec as f64 * 1e3 + usage.tv_nsec as f64 / 1e6
}

fn main() {
    let count: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(200);
    let start = || Command::new("sleep").arg("300").spawn().unwrap();
    let mut children: Vec<Child> = (0..count).map(|_| start()).collect();
    let root = Root { shim: std::process::id().cast_signed(), session: 0, child: children[0].id().cast_signed() };
    let mut census = Census::default();
    let found = census.look(&[root]).remove(0);
    let begin = cpu_ms();
    for _ in 0..LOOKS {
        let _ = census.look(&[root]);
    }
    let each = (cpu_ms() - begin) / f64::from(LOOKS);
    let every = 5.0 * found.pids.len().div_ceil(128) as f64;
    println!("{} processes: {each:.2} ms a look, each {every} s: {:.2} ms a second", found.pids.len(), each / every);
    for child in &mut children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
