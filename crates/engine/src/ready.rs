//! What the stages of a pipeline need of this machine: programs, folders, secrets; told before a run. Looks at files, starts nothing.
//!
//! Only what is sure is told. What only the run will know is not looked at, and what a stage before could make is at most doubted.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use footplate_core::definition::{Definition, Stage};
use footplate_spec::Rendered;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use crate::client::explain::locate;
use crate::environment::Captured;
use crate::install::companion;
use crate::interpreters::{for_people, is_program};
use crate::start::written;

/// What a stage needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Its program.
    Program,
    /// Its working folder.
    Folder,
    /// A secret of its environment.
    Secret,
}

/// Something that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The stages that need it, in the order of the definition.
    pub stages: Vec<String>,
    /// What it is.
    pub need: Need,
    /// False: a stage before could make it.
    pub sure: bool,
    /// What was found, in one sentence.
    pub detail: String,
    /// What to do.
    pub hint: String,
}

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// Programs as they are named, and where they are.
    pub programs: Vec<(String, PathBuf)>,
    /// What is not there.
    pub missing: Vec<Missing>,
}

/// Where a run would be started from.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The folder of the pipeline's file.
    pub pipeline_dir: &'a Path,
    /// The working folder.
    pub cwd: &'a Path,
    /// The environment.
    pub environment: &'a Captured,
}

/// Looks for what each stage needs, with these values of the parameters, secrets among them.
#[must_use]
pub fn look(definition: &Definition, values: &IndexMap<String, Value>, place: Place<'_>) -> Ready {
    let dir = place.pipeline_dir.display().to_string();
    let rendered = written::rendered(definition, values, &dir, "‹run name›", &|_: &str| "default");
    let mut looker = Looker { place, ready: Ready::default(), known: HashMap::new() };
    for (name, rendered) in rendered {
        let Some(stage) = definition.stages.get(&name) else { continue };
        if let Some(rendered) = rendered {
            looker.stage(&name, stage, &rendered);
        }
        looker.secrets(&name, stage);
    }
    looker.ready
}

/// What only the run will know stands so in texts.
fn is_known(text: &str) -> bool {
    !text.contains('‹')
}

/// A program's name, the path to search and the working folder.
type Sought = (String, Option<Vec<u8>>, PathBuf);

struct Looker<'a> {
    place: Place<'a>,
    ready: Ready,
    /// Programs that were looked for: thousands of stages may have the same.
    known: HashMap<Sought, Option<PathBuf>>,
}

impl Looker<'_> {
    fn stage(&mut self, name: &str, stage: &Stage, rendered: &Rendered) {
        let first = stage.needs.is_empty();
        let cwd = rendered.cwd.as_deref();
        let folder =
            cwd.filter(|cwd| is_known(cwd)).map_or_else(|| self.place.cwd.to_owned(), |c| self.place.cwd.join(c));
        if first && cwd.is_some_and(is_known) && !folder.is_dir() {
            let shown = for_people(&folder, self.place.environment);
            let detail = format!("The folder {shown} is not there.");
            self.missing(name, Need::Folder, true, detail, "Make it, or correct the stage's cwd.");
            return;
        }
        let Some(program) = rendered.argv.first().filter(|program| is_known(program) && !rendered.shell) else {
            return;
        };
        // A path may be what a stage before makes; one below a folder that nobody knows yet cannot be looked at.
        let relative = program.contains('/') && !program.starts_with('/');
        if program.contains('/') && !first || relative && cwd.is_some_and(|cwd| !is_known(cwd)) {
            return;
        }
        let search = rendered.env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_str());
        if search.is_some_and(|search| !is_known(search)) {
            return;
        }
        match self.program(program, search, &folder) {
            Some(path) if is_program(&path) => {
                if !self.ready.programs.iter().any(|(known, _)| known == program) {
                    self.ready.programs.push((program.clone(), path));
                }
            }
            Some(path) if path.is_dir() => {
                let detail = format!("{program:?} is a folder.");
                self.missing(name, Need::Program, first, detail, "Name the program in it.");
            }
            Some(_) => {
                let detail = format!("{program:?} is not executable.");
                self.missing(name, Need::Program, first, detail, "Make it executable: chmod +x FILE");
            }
            None => {
                let hint = match first {
                    true => "Install it, or name its whole path.",
                    false => "Install it, or name its whole path, unless a stage before makes it.",
                };
                self.missing(name, Need::Program, first, format!("{program:?} was not found."), hint);
            }
        }
    }

    /// Where a program is; `own`: the stage's own `PATH`.
    fn program(&mut self, program: &str, own: Option<&str>, folder: &Path) -> Option<PathBuf> {
        let environment = self.place.environment;
        let search = own.map(str::as_bytes).or_else(|| environment.get(b"PATH"));
        let key = (program.to_owned(), search.map(<[u8]>::to_vec), folder.to_owned());
        let look = || companion(program).or_else(|| locate(OsStr::new(program), search.map(OsStr::from_bytes), folder));
        self.known.entry(key).or_insert_with(look).clone()
    }

    /// As at the launch: what the stage sets itself does not count.
    fn secrets(&mut self, name: &str, stage: &Stage) {
        for secret in &stage.secrets {
            if self.place.environment.get(secret.as_bytes()).is_none() {
                let detail = format!("The secret {secret} is not in the environment.");
                self.missing(name, Need::Secret, true, detail, "Set it in the environment, then submit again.");
            }
        }
    }

    fn missing(&mut self, stage: &str, need: Need, sure: bool, detail: String, hint: &str) {
        let same = |known: &&mut Missing| known.need == need && known.detail == detail;
        match self.ready.missing.iter_mut().find(same) {
            Some(known) => {
                known.stages.push(stage.to_owned());
                if sure && !known.sure {
                    (known.sure, known.hint) = (true, hint.to_owned());
                }
            }
            None => {
                let stages = vec![stage.to_owned()];
                self.ready.missing.push(Missing { stages, need, sure, detail, hint: hint.to_owned() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn told(text: &str, root: &Path) -> Vec<(String, bool, String)> {
        let text = format!("format = 1\nname = \"x\"\n{text}");
        let definition = footplate_spec::parse_toml(text.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
        let values = footplate_spec::parameters(&definition, None, &IndexMap::new()).unwrap();
        let environment = Captured::from_pairs([
            (b"PATH".to_vec(), b"/usr/bin:/bin".to_vec()),
            (b"HF_TOKEN".to_vec(), b"canary".to_vec()),
        ]);
        let place = Place { pipeline_dir: root, cwd: root, environment: &environment };
        let ready = look(&definition, &values, place);
        ready.missing.into_iter().map(|one| (one.stages.join(" "), one.sure, one.detail)).collect()
    }

    #[test]
    fn what_is_surely_missing_is_told_and_what_may_come_to_be_is_not() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("sub")).unwrap();
        for (name, mode) in [("train", 0o755), ("sub/plain", 0o644)] {
            std::fs::write(root.join(name), "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(root.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let good = "[params.tool]\ntype = \"string\"\ndefault = \"sh\"\n\
            [stages.a]\ncommand = [\"./train\"]\nsecrets = [\"HF_TOKEN\"]\n[stages.b]\ncommand = [\"../train\"]\ncwd = \"sub\"\n\
            [stages.c]\nshell = \"nothing_of_that_name\"\n[stages.d]\ncommand = [\"{{ params.tool }}\"]\n\
            [stages.e]\ncommand = [\"{{ run.dir }}/x\"]\n[stages.f]\ncommand = [\"./made\"]\ncwd = \"{{ run.dir }}\"\n\
            [stages.g]\nneeds = [\"a\"]\ncommand = [\"./made\"]\n[stages.h]\nneeds = [\"a\"]\ncommand = [\"sh\"]\ncwd = \"made\"\n\
            [stages.i]\ncommand = [\"train\"]\nenv = { PATH = \"{{ pipeline.dir }}:/bin\" }\n\
            [stages.j]\ncommand = [\"made\"]\nenv = { PATH = \"{{ run.dir }}\" }\n\
            [stages.k]\ncommand = [\"{{ stages.a.outputs.tool }}\"]\n[stages.l]\ncommand = [\"{{ pipeline.dir }}/train\"]\n";
        assert_eq!(told(good, &root), []);
        let bad = "[stages.a]\ncommand = [\"no_such_thing\"]\n[stages.b]\ncommand = [\"no_such_thing\"]\n\
            [stages.c]\nneeds = [\"a\"]\ncommand = [\"other_thing\"]\n[stages.d]\ncommand = [\"./gone\"]\n\
            [stages.e]\ncommand = [\"sh\"]\ncwd = \"gone\"\n[stages.f]\ncommand = [\"./plain\"]\ncwd = \"sub\"\n\
            [stages.g]\ncommand = [\"sh\"]\nsecrets = [\"HF_TOKEN\", \"NO_TOKEN\"]\n[stages.h]\ncommand = [\"sub\"]\n\
            env = { PATH = \"{{ pipeline.dir }}\" }\n";
        let gone = format!("The folder {} is not there.", root.join("gone").display());
        let expected = [
            ("a b", true, "\"no_such_thing\" was not found."),
            ("c", false, "\"other_thing\" was not found."),
            ("d", true, "\"./gone\" was not found."),
            ("e", true, gone.as_str()),
            ("f", true, "\"./plain\" is not executable."),
            ("g", true, "The secret NO_TOKEN is not in the environment."),
            ("h", true, "\"sub\" is a folder."),
        ];
        let expected: Vec<_> = expected.iter().map(|(s, sure, d)| ((*s).to_owned(), *sure, (*d).to_owned())).collect();
        assert_eq!(told(bad, &root), expected);
    }
}
