//! Programs that can run a script: environments beside it, conda's, and what is on `PATH`. Looks at files; starts nothing.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::environment::{Captured, hex};

/// A program that can run a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// Stands for its path.
    pub id: String,
    /// `python 3.12 in ~/tone/.venv`.
    pub label: String,
    /// Where it is.
    pub path: PathBuf,
}

/// Folders above the script's in which an environment is looked for.
const ABOVE: usize = 3;
/// Most environments of conda that are listed.
const CONDA_MOST: usize = 50;

/// What runs Python, best first.
const PYTHON: &[&str] = &["python3", "python"];

/// What can run this script, best first. Empty where the file runs by itself, or where nothing is known for its kind.
#[must_use]
pub fn for_script(script: &Path, environment: &Captured) -> Vec<Interpreter> {
    let programs = programs(script);
    if programs == PYTHON {
        return python(script, environment);
    }
    let found = programs.iter().filter_map(|name| on_path(name, environment));
    found.map(|path| named(&path, environment, None)).collect()
}

/// Whether a file is a program or a script, by its ending or its first bytes: on some disks everything may be executed.
#[must_use]
pub fn is_script(path: &Path) -> bool {
    let mut start = [0; 4];
    let mut read = || std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    !programs(path).is_empty() || read().is_ok() && (start.starts_with(b"#!") || start == *b"\x7fELF")
}

/// The names of what runs files of this kind, by their ending.
fn programs(script: &Path) -> &'static [&'static str] {
    match script.extension().and_then(|e| e.to_str()) {
        Some("py" | "pyw") => PYTHON,
        Some("sh") => &["sh", "bash"],
        Some("bash") => &["bash"],
        Some("zsh") => &["zsh"],
        Some("R" | "r") => &["Rscript"],
        Some("jl") => &["julia"],
        Some("js" | "mjs" | "cjs") => &["node"],
        Some("rb") => &["ruby"],
        Some("pl") => &["perl"],
        _ => &[],
    }
}

/// A program by its name, as a shell with this environment finds it.
#[must_use]
pub fn on_path(name: &str, environment: &Captured) -> Option<PathBuf> {
    let path = environment.get(b"PATH")?;
    let path = OsStr::from_bytes(path);
    std::env::split_paths(path).filter(|folder| folder.is_absolute()).map(|f| f.join(name)).find(|p| is_program(p))
}

/// Whether it is a file that may be executed.
#[must_use]
pub fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// A path as people write it: the home folder as `~`.
#[must_use]
pub fn for_people(path: &Path, environment: &Captured) -> String {
    below(path, environment.get(b"HOME").map(OsStr::from_bytes))
}

/// The same where no environment is at hand but the home folder.
#[must_use]
pub fn below(path: &Path, home: Option<&OsStr>) -> String {
    let home = home.filter(|home| home.len() > 1).map(Path::new);
    match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}

fn python(script: &Path, environment: &Captured) -> Vec<Interpreter> {
    let mut found: Vec<Interpreter> = Vec::new();
    let mut add = |path: PathBuf, root: Option<&Path>| {
        if is_program(&path) && !found.iter().any(|known| known.path == path) {
            found.push(named(&path, environment, root));
        }
    };
    for folder in script.ancestors().skip(1).take(1 + ABOVE) {
        for name in [".venv", "venv", "env", ".env"] {
            let root = folder.join(name);
            if root.join("pyvenv.cfg").is_file() {
                add(root.join("bin/python"), Some(&root));
            }
        }
    }
    let variable = |name: &[u8]| {
        let value = environment.get(name).filter(|value| value.first() == Some(&b'/'))?;
        Some(PathBuf::from(OsStr::from_bytes(value)))
    };
    for root in [variable(b"VIRTUAL_ENV"), variable(b"CONDA_PREFIX")].into_iter().flatten() {
        add(root.join("bin/python"), Some(&root));
    }
    for name in PYTHON {
        if let Some(path) = on_path(name, environment) {
            add(path, None);
        }
    }
    if let Some(home) = variable(b"HOME") {
        for base in ["miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", ".conda"] {
            let base = home.join(base);
            add(base.join("bin/python"), Some(&base));
            let mut roots: Vec<PathBuf> =
                std::fs::read_dir(base.join("envs")).into_iter().flatten().flatten().map(|e| e.path()).collect();
            roots.sort_unstable();
            for root in roots.iter().take(CONDA_MOST) {
                add(root.join("bin/python"), Some(root));
            }
        }
    }
    found
}

fn named(path: &Path, environment: &Captured, root: Option<&Path>) -> Interpreter {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').to_owned();
    let version = root.and_then(version_of).or_else(|| version_in_name(path));
    let what = match version {
        Some(version) => format!("{plain} {version}"),
        None => name,
    };
    let place = root.or_else(|| path.parent()).unwrap_or(path);
    let label = format!("{what} in {}", for_people(place, environment));
    let bytes = path.as_os_str().as_bytes();
    Interpreter { id: hex(&Sha256::digest(bytes)[..8]), label, path: path.to_owned() }
}

/// What a virtual environment or one of conda says of itself.
fn version_of(root: &Path) -> Option<String> {
    let short = |version: &str| {
        let mut parts = version.trim().split('.');
        Some(format!("{}.{}", parts.next()?, parts.next()?))
    };
    if let Ok(text) = std::fs::read_to_string(root.join("pyvenv.cfg")) {
        let line = text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            ["version", "version_info"].contains(&key.trim()).then(|| value.trim().to_owned())
        });
        return line.and_then(|version| short(&version));
    }
    let history = std::fs::read_dir(root.join("conda-meta")).ok()?;
    history.flatten().find_map(|entry| {
        let name = entry.file_name();
        let rest = name.to_str()?.strip_prefix("python-")?;
        rest.starts_with(|c: char| c.is_ascii_digit()).then(|| short(rest.split('-').next()?))?
    })
}

/// `/usr/bin/python3` is a link to `python3.11`.
fn version_in_name(path: &Path) -> Option<String> {
    let whole = path.canonicalize().ok()?;
    let name = whole.file_name()?.to_str()?.to_owned();
    let at = name.find(|c: char| c.is_ascii_digit())?;
    let version = &name[at..];
    (version.contains('.') && version.bytes().all(|b| b.is_ascii_digit() || b == b'.')).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn program(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn the_environment_beside_the_script_comes_before_the_one_on_the_path() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().canonicalize().unwrap();
        let script = root.join("tone/src/train.py");
        program(&script);
        program(&root.join("tone/.venv/bin/python"));
        std::fs::write(root.join("tone/.venv/pyvenv.cfg"), "home = /usr/bin\nversion = 3.12.4\n").unwrap();
        program(&root.join("bin/python3.11"));
        std::os::unix::fs::symlink("python3.11", root.join("bin/python3")).unwrap();
        program(&root.join("miniconda3/envs/torch/bin/python"));
        std::fs::create_dir_all(root.join("miniconda3/envs/torch/conda-meta")).unwrap();
        std::fs::write(root.join("miniconda3/envs/torch/conda-meta/python-3.10.2-h1_0.json"), "{}").unwrap();
        let pair = |n: &str, v: String| (n.as_bytes().to_vec(), v.into_bytes());
        let environment = Captured::from_pairs([
            pair("HOME", root.display().to_string()),
            pair("PATH", format!("relative:{}/bin", root.display())),
        ]);
        let found = for_script(&script, &environment);
        let labels: Vec<&str> = found.iter().map(|one| one.label.as_str()).collect();
        assert_eq!(
            labels,
            ["python 3.12 in ~/tone/.venv", "python 3.11 in ~/bin", "python 3.10 in ~/miniconda3/envs/torch"]
        );
        assert_ne!(found[0].id, found[1].id);
        assert_eq!(for_script(&root.join("tone/run"), &environment), []);
    }
}
