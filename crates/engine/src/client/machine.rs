//! What this machine has for stages. Deliberately not here: what is in use (the owner's), and which GPU is which.

use footplate_core::gpu::GpuTaken;
use footplate_core::schedule::Capacity;
use serde::{Deserialize, Serialize};

/// The row by which the owner tells guests what the machine has for stages, as JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) cpus: u32,
    pub(crate) memory: u64,
    pub(crate) gpus: u32,
    /// GPUs that no stage holds and none may have.
    #[serde(default)]
    pub(crate) taken: Vec<GpuTaken>,
}

/// Cores, memory and GPUs of this machine, as far as this process may use them. Tests set `FOOTPLATE_TEST_CPUS`,
/// `FOOTPLATE_TEST_MEMORY` (bytes) and `FOOTPLATE_TEST_GPUS`.
#[must_use]
pub fn machine_capacity() -> Capacity {
    let test = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Capacity {
        cpus: test("FOOTPLATE_TEST_CPUS").map_or_else(cores, small),
        memory: test("FOOTPLATE_TEST_MEMORY").unwrap_or_else(memory),
        gpus: crate::gpu::count(),
    }
}

fn cores() -> u32 {
    // Knows of affinity and of the control group's quota.
    std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX))
}

#[cfg(target_os = "linux")]
fn memory() -> u64 {
    let total = rustix::system::sysinfo();
    let total = total.totalram.saturating_mul(u64::from(total.mem_unit.max(1)));
    // A container's limit, or a slice's, where there is one.
    footplate_shim::os::memory_limit().map_or(total, |limit| limit.min(total))
}

#[cfg(target_os = "macos")]
fn memory() -> u64 {
    let mut bytes: u64 = 0;
    let mut size = size_of::<u64>();
    #[expect(unsafe_code, reason = "sysctlbyname(3) is the only way to ask")]
    // SAFETY: name is NUL-terminated; bytes and size live through the call and fit each other.
    let asked = unsafe {
        libc::sysctlbyname(c"hw.memsize".as_ptr(), (&raw mut bytes).cast(), &raw mut size, std::ptr::null_mut(), 0)
    };
    if asked == 0 { bytes } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_has_something() {
        let found = machine_capacity();
        assert!(found.cpus >= 1 && found.memory > 1 << 20, "{found:?}");
    }
}
