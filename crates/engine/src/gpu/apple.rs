//! Apple's processors have one GPU, which shares the machine's memory. What IOKit tells of it is read from its own command,
//! `ioreg`: no private interface, no root.

use std::path::Path;
use std::process::{Command, Stdio};

use footplate_core::gpu::Gpu;

/// Where nothing better is told.
pub(super) const USUAL_NAME: &str = "Apple GPU";

pub(super) fn count() -> u32 {
    u32::from(Path::new("/System/Library/Frameworks/Metal.framework").exists())
}

pub(super) fn release() {}

pub(super) fn look(_pretended: Option<u32>) -> Vec<Gpu> {
    let told = Command::new("/usr/sbin/ioreg")
        .args(["-r", "-d", "1", "-w", "0", "-c", "IOAccelerator"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let text = told.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    vec![read(&text)]
}

/// Reads what `ioreg` prints: `"model" = "Apple M2"`, and in `PerformanceStatistics` `"Device Utilization %"=12`.
fn read(text: &str) -> Gpu {
    let after = |name: &str| text.split_once(name).map(|(_, rest)| rest.trim_start_matches([' ', '=']));
    let number = |name: &str| -> Option<u64> {
        let rest = after(name)?;
        rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
    };
    let model = after("\"model\"").and_then(|rest| rest.strip_prefix('"')?.split('"').next());
    Gpu {
        index: 0,
        id: "apple.0".to_owned(),
        name: model.map_or_else(|| USUAL_NAME.to_owned(), |model| format!("{model} GPU")),
        memory_used: number("\"In use system memory\""),
        busy: number("\"Device Utilization %\"").map(|percent| percent.min(100) as f64 / 100.0),
        ..Gpu::default()
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn what_ioreg_prints_is_read_and_what_it_does_not_print_is_unknown() {
        let text = "+-o AGXAcceleratorG14G  <class AGXAcceleratorG14G, id 0x1>\n    {\n      \"model\" = \"Apple M2\"\n      \"PerformanceStatistics\" = {\"In use system memory\"=361906176,\"Device Utilization %\"=12}\n    }\n";
        let gpu = read(text);
        assert_eq!((gpu.name.as_str(), gpu.busy, gpu.memory_used), ("Apple M2 GPU", Some(0.12), Some(361_906_176)));
        let unknown = read("");
        assert_eq!((unknown.name.as_str(), unknown.busy, unknown.memory_total), ("Apple GPU", None, None));
    }
}
