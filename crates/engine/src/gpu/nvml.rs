//! NVIDIA's library, loaded at run time and only where one of its devices is there. AMD's GPUs are counted, no more.
//!
//! Of one in MIG mode the whole counts as one GPU: CUDA shows a program that is given it the first instance.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use footplate_core::gpu::{Gpu, GpuUser};
use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::struct_wrappers::device::ProcessInfo;
use nvml_wrapper::{Device, Nvml};

/// Where nothing better is told.
pub(super) const USUAL_NAME: &str = "GPU";

/// The library while it is in use: loading and greeting it costs tens of milliseconds.
static LIBRARY: Mutex<Option<Nvml>> = Mutex::new(None);

pub(super) fn count() -> u32 {
    nvidia_nodes() + amd_nodes()
}

pub(super) fn release() {
    // Who holds it uses it; a driver that hangs there must not hang others.
    if let Ok(mut library) = LIBRARY.try_lock() {
        *library = None;
    }
}

/// NVIDIA's and then the others'. `pretended`: so many of NVIDIA's are said to be there.
pub(super) fn look(pretended: Option<u32>) -> Vec<Gpu> {
    let (nvidia, amd) = match pretended {
        Some(count) => (if test_library().is_some() { count } else { 0 }, 0),
        None => (nvidia_nodes(), amd_nodes()),
    };
    let mut seen = if nvidia == 0 { Vec::new() } else { ask(nvidia) };
    let first = seen.len() as u32;
    seen.extend((0..amd).map(|n| Gpu {
        index: first + n,
        id: format!("amd.{n}"),
        name: "AMD GPU".to_owned(),
        ..Gpu::default()
    }));
    seen
}

/// All that the driver tells; those that are there and that it does not tell of are silent.
fn ask(there: u32) -> Vec<Gpu> {
    let mut library = LIBRARY.lock().unwrap_or_else(PoisonError::into_inner);
    if library.is_none() {
        *library = load().ok();
    }
    let told = library.as_ref().and_then(|nvml| {
        let count = nvml.device_count().ok()?;
        let driver = nvml.sys_driver_version().ok();
        Some((0..count).map(|index| one(nvml, index, driver.clone())).collect::<Vec<Gpu>>())
    });
    let mut seen = told.unwrap_or_default();
    if seen.iter().all(|gpu| gpu.silent) {
        // A library that has lost its driver stays so: it is loaded anew at the next look.
        *library = None;
    }
    for index in seen.len() as u32..there {
        seen.push(silent(index));
    }
    seen
}

fn silent(index: u32) -> Gpu {
    Gpu { index, name: USUAL_NAME.to_owned(), silent: true, ..Gpu::default() }
}

fn load() -> Result<Nvml, NvmlError> {
    match test_library() {
        Some(path) => Nvml::builder().lib_path(&path).init(),
        None => Nvml::init(),
    }
}

/// A stand-in for tests, named by `FOOTPLATE_TEST_NVML`; not in what is released.
fn test_library() -> Option<std::ffi::OsString> {
    if cfg!(debug_assertions) { std::env::var_os("FOOTPLATE_TEST_NVML") } else { None }
}

fn one(nvml: &Nvml, index: u32, driver: Option<String>) -> Gpu {
    let Ok(device) = nvml.device_by_index(index) else { return silent(index) };
    // One that fell off the bus may still have a handle.
    let (Ok(id), memory) = (device.uuid(), device.memory_info()) else { return silent(index) };
    let memory = match memory {
        Ok(memory) => Some(memory),
        // Drivers before 510 do not tell it in this form.
        Err(NvmlError::FailedToLoadSymbol(_) | NvmlError::NotSupported) => None,
        Err(_) => return silent(index),
    };
    let mut users: Vec<GpuUser> = processes(&device).unwrap_or_default().iter().map(user).collect();
    users.sort_by_key(|user| std::cmp::Reverse(user.memory));
    Gpu {
        index,
        id,
        name: device.name().unwrap_or_else(|_| USUAL_NAME.to_owned()),
        driver,
        memory_total: memory.as_ref().map(|memory| memory.total),
        memory_used: memory.map(|memory| memory.used),
        busy: device.utilization_rates().ok().map(|rates| f64::from(rates.gpu.min(100)) / 100.0),
        temperature: device.temperature(TemperatureSensor::Gpu).ok(),
        silent: false,
        users,
        run: None,
    }
}

/// Programs that compute; those that paint (a desktop) are others.
fn processes(device: &Device<'_>) -> Result<Vec<ProcessInfo>, NvmlError> {
    match device.running_compute_processes() {
        // Drivers before 510 know an older form only.
        Err(NvmlError::FailedToLoadSymbol(_)) => device.running_compute_processes_v2(),
        told => told,
    }
}

fn user(process: &ProcessInfo) -> GpuUser {
    let pid = i32::try_from(process.pid).unwrap_or(0);
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let memory = match process.used_gpu_memory {
        UsedGpuMemory::Used(bytes) => Some(bytes),
        UsedGpuMemory::Unavailable => None,
    };
    GpuUser { pid, name: name.trim().to_owned(), memory, run: None }
}

fn nvidia_nodes() -> u32 {
    let number = |name: &str| {
        name.strip_prefix("nvidia").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    let nodes = entries("/dev", number);
    // Inside Windows' subsystem for Linux there is one node for all, and a library where they are NVIDIA's.
    let wsl = nodes == 0 && Path::new("/dev/dxg").exists() && Path::new("/usr/lib/wsl/lib/libnvidia-ml.so.1").exists();
    if wsl { 1 } else { nodes }
}

/// Compute nodes of amdgpu; the one of each processor has no graphics device.
fn amd_nodes() -> u32 {
    entries("/sys/class/kfd/kfd/topology/nodes", |node| {
        std::fs::read_to_string(format!("/sys/class/kfd/kfd/topology/nodes/{node}/gpu_id"))
            .is_ok_and(|id| id.trim() != "0" && !id.trim().is_empty())
    })
}

fn entries(folder: &str, fits: impl Fn(&str) -> bool) -> u32 {
    let all = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let count = all.filter(|entry| entry.file_name().to_str().is_some_and(&fits)).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}
