//! What the doctor looks at outside the data folder: disk, Python, cores, login item. Nothing here changes anything.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use footplate_core::gpu::Gpu;
use footplate_engine::gpu;
use serde::Serialize;

/// A driver that does not answer within this is what is wrong.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, Serialize)]
pub(super) struct Python {
    pub(super) path: String,
    pub(super) version: String,
    pub(super) virtual_env: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Machine {
    pub(super) cores: u32,
    pub(super) memory_bytes: u64,
    pub(super) gpus: u32,
    pub(super) gpu: Vec<Gpu>,
}

#[derive(Debug, Serialize)]
pub(super) struct Login {
    /// The unit is there.
    pub(super) installed: bool,
    /// Units of this user run without a login.
    pub(super) linger: Option<bool>,
    /// How to set it up.
    pub(super) steps: Vec<String>,
}

/// Bytes that this user can still write.
pub(super) fn free_bytes(folder: &Path) -> Option<u64> {
    let facts = rustix::fs::statvfs(folder).ok()?;
    Some(facts.f_bavail.saturating_mul(facts.f_frsize))
}

/// The kind of file system that a folder is on. Source: proc(5), `/proc/self/mounts`.
pub(super) fn filesystem(folder: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let mut fields = line.split(' ').skip(1);
        let (Some(place), Some(kind)) = (fields.next(), fields.next()) else { continue };
        let place = place.replace("\\040", " ");
        // A later mount at the same place covers the earlier one.
        if folder.starts_with(&place) && best.is_none_or(|(length, _)| place.len() >= length) {
            best = Some((place.len(), kind));
        }
    }
    best.map(|(_, kind)| kind.to_owned())
}

/// What stages may have of this machine; the same that their resources are checked against.
pub(super) fn machine() -> Machine {
    let capacity = footplate_engine::client::machine_capacity();
    Machine {
        cores: capacity.cpus,
        memory_bytes: capacity.memory,
        gpus: capacity.gpus,
        gpu: gpu::look_within(PATIENCE),
    }
}

/// The Python that a run would find.
pub(super) fn python() -> Option<Python> {
    let path = ["python3", "python"].iter().find_map(|name| on_path(name))?;
    let version = version_of(&path).unwrap_or_else(|| "version not told".to_owned());
    Some(Python { path: path.display().to_string(), version, virtual_env: std::env::var("VIRTUAL_ENV").ok() })
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok())
}

fn version_of(program: &Path) -> Option<String> {
    let (tell, told) = mpsc::channel();
    let program = program.to_owned();
    // A wrapper that hangs must not hang the doctor: the thread is left behind.
    std::thread::spawn(move || {
        let mut command = Command::new(program);
        command.arg("--version").stdin(Stdio::null()).stderr(Stdio::null());
        let text = command.output().ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        // Nobody listens where it took too long.
        let _ = tell.send(text);
    });
    told.recv_timeout(Duration::from_secs(3)).ok().flatten().filter(|text| !text.is_empty())
}

/// Whether an owner starts with the machine, and how to have it so (systemd.unit(5), loginctl(1)).
pub(super) fn login(data_dir: Option<&Path>) -> Login {
    let config = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    let unit = config.map(|config| config.join("systemd/user/footplate.service"));
    let installed = unit.as_ref().is_some_and(|unit| unit.is_file());
    let user = std::env::var("USER").ok().filter(|user| !user.contains('/'));
    let linger = user.filter(|_| Path::new("/var/lib/systemd").is_dir());
    let linger = linger.map(|user| Path::new("/var/lib/systemd/linger").join(user).exists());
    let mut steps = Vec::new();
    if !installed {
        let place = unit
            .map_or_else(|| "~/.config/systemd/user/footplate.service".to_owned(), |unit| unit.display().to_string());
        let program =
            std::env::current_exe().map_or_else(|_| "footplate".to_owned(), |path| path.display().to_string());
        steps.push(format!("write {place}:"));
        steps.push(unit_text(&program, data_dir));
        steps.push("systemctl --user enable footplate.service".to_owned());
    }
    if linger == Some(false) {
        steps.push("loginctl enable-linger (so that it starts before you log in)".to_owned());
    }
    Login { installed, linger, steps }
}

/// A user unit that starts an owner. `KillMode=process`: stopping it leaves the programs alone.
fn unit_text(program: &str, data_dir: Option<&Path>) -> String {
    let place = data_dir.map(|path| format!(" --data-dir {}", path.display())).unwrap_or_default();
    format!(
        "\n[Unit]\nDescription=Footplate: goes on with queued training after a restart\n\n[Service]\nExecStart={program}{place} work --until-idle\nKillMode=process\n\n[Install]\nWantedBy=default.target\n "
    )
}
