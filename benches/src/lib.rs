//! What both benches share: their command line, tables of figures, and what a process costs.
//!
//! Not here: what is measured (`benches/run`: src/main.rs; `scripts/bench-app`: src/app).

pub mod asked;
pub mod figures;
pub mod process;

/// Says on which machine: the figures mean nothing without it.
pub fn machine() {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name").and_then(|rest| rest.split_once(": ")));
    let load: Vec<String> = read("/proc/loadavg").split(' ').take(3).map(str::to_owned).collect();
    println!("machine: {cores} cores, {}, load {}", model.map_or("?", |(_, name)| name), load.join(" "));
}
