//! Pipelines by what people call them: a file, a folder, or a template's name; and the values of their parameters.
//!
//! Own templates lie in the data folder, a folder each ([`own`]). What came from elsewhere runs nothing before it was allowed
//! ([`consent`]).

pub mod consent;
mod from_run;
pub(crate) mod names;
pub mod own;

use std::path::{Path, PathBuf};

use footplate_core::Fault;
use footplate_core::definition::Definition;
use footplate_spec::{self as spec, LoadError, Problem};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use crate::client::Origin;
use crate::home::Home;
use consent::Trust;
pub use from_run::keep as keep_run;
use names::{BUILT_IN, is_name, own_names, unknown};

/// The names of a pipeline's file in its folder, the first that is there.
const FILES: [&str; 2] = ["footplate.toml", "footplate.json"];

/// A checked pipeline, the folder it lies in, and the name it was found by.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// What it is.
    pub definition: Definition,
    /// `pipeline.dir`.
    pub dir: PathBuf,
    /// What it was found by, for sentences.
    pub file: String,
}

/// A template that can be read.
#[derive(Clone, Debug)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// Part of this program; else the user's own.
    pub built_in: bool,
    /// Whether it may run.
    pub trust: Trust,
    /// What it is.
    pub definition: Definition,
}

/// A template of the user's that cannot be read as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its name.
    pub name: String,
    /// The file to mend; its folder where that is what is wrong.
    pub file: PathBuf,
    /// What is wrong, in the order of the file; never empty.
    pub faults: Vec<FileFault>,
}

/// What is wrong with a pipeline's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileFault {
    /// The line, from 1, where one can be named.
    pub line: Option<u32>,
    /// The column in characters, from 1.
    pub column: Option<u32>,
    /// What happened, with the value.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// All templates there are.
#[derive(Clone, Debug, Default)]
pub struct Gallery {
    /// Those that can be read: built-in ones, then the user's own by name.
    pub templates: Vec<Template>,
    /// The user's own that cannot, by name.
    pub broken: Vec<Broken>,
}

/// Finds and reads a pipeline: a file or a folder where there is one, else a template of the user's, else a built-in one.
///
/// # Errors
/// `NotFound` with the nearest name; `InvalidPipeline` with all faults.
pub fn find(text: &str, home: &Home, cwd: &Path) -> Result<Pipeline, Fault> {
    let path = place(text, cwd);
    if is_pipeline(&path) {
        return load(&path, text);
    }
    // Only a name is looked up among the templates, never a path.
    if is_name(text) {
        if let Some(pipeline) = named(text, home, cwd)? {
            return Ok(pipeline);
        }
        if !path.exists() {
            return Err(unknown(text, home, "is no file, no folder with footplate.toml, and no template"));
        }
    }
    load(&path, text)
}

/// The file or folder that [`find`] would read; `None`: it looks among the templates.
#[must_use]
pub(crate) fn file_of(text: &str, cwd: &Path) -> Option<PathBuf> {
    let path = place(text, cwd);
    (is_pipeline(&path) || !is_name(text)).then_some(path)
}

/// Without the `.` that people write: paths are shown.
fn place(text: &str, cwd: &Path) -> PathBuf {
    cwd.join(text).components().collect()
}

fn is_pipeline(path: &Path) -> bool {
    path.is_file() || FILES.iter().any(|name| path.join(name).is_file())
}

/// Finds and reads a template by its name: the user's own, else a built-in one. `cwd` is the folder of a built-in one.
///
/// # Errors
/// As [`find`].
pub fn template(name: &str, home: &Home, cwd: &Path) -> Result<Pipeline, Fault> {
    let found = if is_name(name) { named(name, home, cwd)? } else { None };
    found.ok_or_else(|| unknown(name, home, "is no template"))
}

/// The template that a run was started from, where it is still there: the user's own by its folder, a built-in one by what it is.
/// A pipeline's name is no help: others may have the same.
#[must_use]
pub fn of_run(home: &Home, origin: &Origin) -> Option<String> {
    if let Some(name) = consent::name_of(home, &origin.pipeline_dir) {
        return names::folder(home, &name).is_ok().then_some(name);
    }
    // A limit of running time can be changed in a queued run.
    let plain = |definition: &Definition| {
        let mut plain = definition.clone();
        plain.stages.values_mut().for_each(|stage| stage.timeout = None);
        plain
    };
    let own_names = own_names(home);
    let mut built_in = BUILT_IN.iter().filter(|(name, _)| !own_names.iter().any(|own| own == name));
    built_in
        .find(|(_, file)| spec::parse_toml(file.as_bytes()).is_ok_and(|it| plain(&it) == plain(&origin.definition)))
        .map(|(name, _)| (*name).to_owned())
}

/// All templates, and what is wrong with those that cannot be read.
#[must_use]
pub fn all(home: &Home) -> Gallery {
    let own_names = own_names(home);
    let mut all = Gallery::default();
    for (name, file) in BUILT_IN.iter().filter(|(name, _)| !own_names.iter().any(|own| own == name)) {
        if let Ok(definition) = spec::parse_toml(file.as_bytes()) {
            let template = Template { name: (*name).to_owned(), built_in: true, trust: Trust::Allowed, definition };
            all.templates.push(template);
        }
    }
    for name in own_names {
        let folder = home.templates().join(&name);
        match spec::load(&folder) {
            Ok((definition, _)) => {
                let trust = consent::trust(home, &name);
                all.templates.push(Template { name, built_in: false, trust, definition });
            }
            // A file that somebody put there is no template.
            Err(_) if !folder.is_dir() => {}
            Err(error) => all.broken.push(broken(name, &folder, error)),
        }
    }
    all
}

fn broken(name: String, folder: &Path, error: LoadError) -> Broken {
    let file = FILES.iter().map(|file| folder.join(file)).find(|file| file.is_file());
    let faults = match error {
        LoadError::File(fault) => {
            let hint = fault.hints.into_iter().next();
            vec![FileFault { line: None, column: None, message: fault.message, hint }]
        }
        LoadError::Problems { problems, .. } => {
            let fault = |Problem { line, column, message, hint, .. }| FileFault { line, column, message, hint };
            problems.0.into_iter().map(fault).collect()
        }
    };
    Broken { name, file: file.unwrap_or_else(|| folder.to_owned()), faults }
}

fn named(name: &str, home: &Home, cwd: &Path) -> Result<Option<Pipeline>, Fault> {
    let own = home.templates().join(name);
    if FILES.iter().any(|file| own.join(file).is_file()) {
        return load(&own, name).map(Some);
    }
    let Some((name, file)) = BUILT_IN.iter().find(|(known, _)| *known == name) else { return Ok(None) };
    let file_name = format!("templates/{name}/footplate.toml");
    let definition = spec::parse_toml(file.as_bytes()).map_err(|problems| problems.fault(&file_name))?;
    Ok(Some(Pipeline { definition, dir: cwd.to_owned(), file: file_name }))
}

fn load(path: &Path, text: &str) -> Result<Pipeline, Fault> {
    let (definition, dir) = spec::load(path)?;
    Ok(Pipeline { definition, dir, file: text.to_owned() })
}

/// The values of all parameters: defaults, then those of `before` (a run like this one), then the preset, then `-p`.
///
/// # Errors
/// `InvalidPipeline`, with all that is wrong.
pub fn values(
    pipeline: &Pipeline,
    before: Option<&IndexMap<String, Value>>,
    preset: Option<&str>,
    given: &[(String, String)],
) -> Result<IndexMap<String, Value>, Fault> {
    let fault = |problems: spec::Problems| problems.fault(&pipeline.file);
    let definition = &pipeline.definition;
    let typed =
        spec::typed_all(definition, given.iter().map(|(name, text)| (name.as_str(), text.as_str()))).map_err(fault)?;
    let mut all = before.cloned().unwrap_or_default();
    if let Some(preset) = preset.and_then(|name| definition.presets.get(name)) {
        let of_params = preset.iter().filter(|(name, _)| definition.params.contains_key(*name));
        all.extend(of_params.map(|(name, value)| (name.clone(), value.clone())));
    }
    all.extend(typed);
    spec::parameters(definition, preset, &all).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use footplate_core::ErrorCode;

    #[test]
    fn a_template_of_ones_own_hides_the_built_in_one_and_no_path_is_a_name() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(place.path()).unwrap();
        assert!(all(&home).templates.iter().any(|template| template.name == "digits" && template.built_in));
        let own = home.templates().join("digits");
        std::fs::create_dir_all(&own).unwrap();
        std::fs::write(own.join("footplate.toml"), "format = 1\nname = \"digits\"\n[stages.a]\ncommand = [\"true\"]\n")
            .unwrap();
        let found = template("digits", &home, place.path()).unwrap();
        assert_eq!(found.dir, own.canonicalize().unwrap());
        assert!(all(&home).templates.iter().all(|template| !template.built_in));
        for bad in ["../digits", "", "nothing", "/etc"] {
            assert_eq!(template(bad, &home, place.path()).unwrap_err().code, ErrorCode::NotFound, "{bad}");
        }
    }

    #[test]
    fn a_template_that_was_broken_later_is_told_with_its_faults_by_line() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(place.path()).unwrap();
        let own = home.templates().join("mine");
        std::fs::create_dir_all(&own).unwrap();
        let file = own.join("footplate.toml");
        let told = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let all = all(&home);
            let here = all.templates.iter().any(|template| template.name == "mine");
            assert_ne!(here, all.broken.iter().any(|broken| broken.name == "mine"), "once, and in one of both");
            all.broken
        };
        let good = "format = 1\nname = \"mine\"\n[stages.a]\ncommand = [\"true\"]\n";
        assert_eq!(told(good), []);
        let lines = |broken: &[Broken]| broken[0].faults.iter().map(|fault| fault.line).collect::<Vec<_>>();
        let found = told("format = 1\nname = \"mine\"\n[stages.a]\ncomand = [\"true\"]\n[stages.b]\nneeds = [\"z\"]\n");
        assert_eq!(found[0].file, file);
        assert!(lines(&found).contains(&Some(4)), "{found:?}");
        let near = found[0].faults.iter().find(|fault| fault.line == Some(4)).unwrap();
        assert!(near.message.contains("comand") && near.hint.as_ref().unwrap().contains("command"), "{near:?}");
        assert_eq!(lines(&told("format = 1\nname = [")), [Some(2)]);
        assert!(!lines(&told("")).is_empty());
        std::fs::remove_file(&file).unwrap();
        let gone = all(&home).broken;
        assert_eq!((gone[0].file.as_path(), gone[0].faults[0].line), (own.as_path(), None));
        // What is no folder is no template; what is unfinished neither.
        std::fs::write(home.templates().join("stray"), "").unwrap();
        std::fs::create_dir(home.templates().join(".unfinished-1")).unwrap();
        assert_eq!(all(&home).broken.len(), 1);
    }
}
