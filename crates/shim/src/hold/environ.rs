//! The child's environment, and where its program may lie.

use footplate_shim::contract::{MARK_VARIABLE, OsBytes, Spec};
use footplate_shim::folder::AttemptDir;
use std::collections::BTreeMap;
use std::ffi::{CString, NulError};
use std::io;
use std::os::unix::ffi::OsStrExt;

pub(super) type Environment = BTreeMap<Vec<u8>, Vec<u8>>;

/// Set unless the user did: what makes programs say at once, in UTF-8 and without guessing at a terminal, what they do.
const DEFAULTS: [(&str, &str); 5] = [
    ("PYTHONUNBUFFERED", "1"),
    ("PYTHONIOENCODING", "utf-8"),
    ("COLUMNS", "120"),
    ("TTY_COMPATIBLE", "1"),
    ("TTY_INTERACTIVE", "1"),
];

/// Captured variables, then the spec's, then what it removes, then secrets, then ours.
pub(super) fn environment(
    spec: &Spec,
    folder: &AttemptDir,
    secrets: Vec<(OsBytes, OsBytes)>,
) -> io::Result<Environment> {
    let mut all = Environment::new();
    if let Some(file) = &spec.env_file {
        for entry in std::fs::read(file)?.split(|&b| b == 0).filter(|entry| !entry.is_empty()) {
            // A name may begin with '=' nowhere but in oddities; those are left out.
            if let Some(at) = entry.iter().position(|&b| b == b'=').filter(|&at| at > 0) {
                all.insert(entry[..at].to_vec(), entry[at + 1..].to_vec());
            }
        }
    }
    for (name, value) in &spec.env {
        all.insert(name.0.clone(), value.0.clone());
    }
    for name in &spec.env_remove {
        all.remove(&name.0);
    }
    for (name, value) in secrets {
        all.insert(name.0, value.0);
    }
    for (name, value) in DEFAULTS {
        all.entry(name.into()).or_insert_with(|| value.into());
    }
    let mut ours = |name: &str, value: &[u8]| all.insert(name.into(), value.to_vec());
    ours("FOOTPLATE_RUN_ID", spec.run_id.as_bytes());
    ours("FOOTPLATE_RUN_NUMBER", spec.run_number.to_string().as_bytes());
    ours("FOOTPLATE_STAGE", spec.stage.as_bytes());
    ours("FOOTPLATE_ATTEMPT", spec.attempt.to_string().as_bytes());
    ours("FOOTPLATE_RUN_DIR", spec.run_dir.as_os_str().as_bytes());
    ours("FOOTPLATE_OUTPUT", folder.output_path().as_os_str().as_bytes());
    ours(MARK_VARIABLE, spec.mark.as_bytes());
    Ok(all)
}

/// `NAME=VALUE` for each.
pub(super) fn entries(environment: &Environment) -> Result<Vec<CString>, NulError> {
    environment.iter().map(|(name, value)| CString::new([name.as_slice(), b"=", value].concat())).collect()
}

/// The files to try, in order: as execvp(3) would, but with the child's own PATH.
pub(super) fn candidates(program: &[u8], environment: &Environment) -> Result<Vec<CString>, NulError> {
    if program.contains(&b'/') {
        return Ok(vec![CString::new(program)?]);
    }
    let path = environment.get(b"PATH".as_slice()).map_or(b"/bin:/usr/bin".as_slice(), Vec::as_slice);
    path.split(|&b| b == b':')
        .map(|folder| match folder {
            // An empty part means the working folder, which the child is in by then.
            b"" => CString::new([b"./", program].concat()),
            _ => CString::new([folder, b"/", program].concat()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_looked_for_on_the_childs_path() {
        let mut environment = Environment::new();
        let found = |program: &str, environment: &Environment| -> Vec<String> {
            let all = candidates(program.as_bytes(), environment).unwrap();
            all.into_iter().map(|one| one.into_string().unwrap()).collect()
        };
        assert_eq!(found("true", &environment), ["/bin/true", "/usr/bin/true"]);
        environment.insert(b"PATH".to_vec(), b"/a::b".to_vec());
        assert_eq!(found("true", &environment), ["/a/true", "./true", "b/true"]);
        assert_eq!(found("./true", &environment), ["./true"]);
        assert!(candidates(b"a\0b", &environment).is_err());
    }
}
