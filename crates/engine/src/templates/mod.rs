//! Pipelines by what people call them: a file, a folder, or a template's name; and the values of their parameters.
//!
//! Own templates lie in the data folder, a folder each ([`own`]). What came from elsewhere runs nothing before it was allowed
//! ([`consent`]).

pub mod consent;
mod from_run;
pub mod own;

use std::path::{Path, PathBuf};

use footplate_core::definition::Definition;
use footplate_core::{ErrorCode, Fault};
use footplate_spec as spec;
use indexmap::IndexMap;
use serde_json::Value;

use crate::home::Home;
use consent::Trust;
pub use from_run::keep as keep_run;

/// The templates that are part of this program: name and file.
const BUILT_IN: [(&str, &str); 1] = [("digits", include_str!("../../../../templates/digits/footplate.toml"))];

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

/// Finds and reads a pipeline: a file or a folder where there is one, else a template of the user's, else a built-in one.
///
/// # Errors
/// `NotFound` with the nearest name; `InvalidPipeline` with all faults.
pub fn find(text: &str, home: &Home, cwd: &Path) -> Result<Pipeline, Fault> {
    // Without the `.` that people write: paths are shown.
    let path: PathBuf = cwd.join(text).components().collect();
    let is_pipeline_folder = FILES.iter().any(|name| path.join(name).is_file());
    if path.is_file() || is_pipeline_folder {
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

/// Finds and reads a template by its name: the user's own, else a built-in one. `cwd` is the folder of a built-in one.
///
/// # Errors
/// As [`find`].
pub fn template(name: &str, home: &Home, cwd: &Path) -> Result<Pipeline, Fault> {
    let found = if is_name(name) { named(name, home, cwd)? } else { None };
    found.ok_or_else(|| unknown(name, home, "is no template"))
}

/// All templates that can be read: built-in ones, then the user's own by name.
#[must_use]
pub fn all(home: &Home) -> Vec<Template> {
    let own_names = own_names(home);
    let mut all = Vec::new();
    for (name, file) in BUILT_IN.iter().filter(|(name, _)| !own_names.iter().any(|own| own == name)) {
        if let Ok(definition) = spec::parse_toml(file.as_bytes()) {
            all.push(Template { name: (*name).to_owned(), built_in: true, trust: Trust::Allowed, definition });
        }
    }
    for name in own_names {
        if let Ok((definition, _)) = spec::load(&home.templates().join(&name)) {
            let trust = consent::trust(home, &name);
            all.push(Template { name, built_in: false, trust, definition });
        }
    }
    all
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

/// Whether a template can be called that: `[a-z0-9-]`, 1 to 64 characters.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|(known, _)| *known == name)
}

fn own_names(home: &Home) -> Vec<String> {
    let own = std::fs::read_dir(home.templates()).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        own.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| is_name(name)).collect();
    names.sort_unstable();
    names
}

fn unknown(text: &str, home: &Home, why: &str) -> Fault {
    let mut known: Vec<String> = BUILT_IN.iter().map(|(name, _)| (*name).to_owned()).collect();
    known.extend(own_names(home));
    let fault = Fault::new(ErrorCode::NotFound, format!("{text:?} {why}"));
    match spec::nearest(text, known.iter().map(String::as_str)) {
        Some(near) => fault.hint(format!("did you mean {near:?}?")),
        None => fault.hint(format!("templates: {}", known.join(", "))),
    }
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

    #[test]
    fn a_template_of_ones_own_hides_the_built_in_one_and_no_path_is_a_name() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(place.path()).unwrap();
        assert!(all(&home).iter().any(|template| template.name == "digits" && template.built_in));
        let own = home.templates().join("digits");
        std::fs::create_dir_all(&own).unwrap();
        std::fs::write(own.join("footplate.toml"), "format = 1\nname = \"digits\"\n[stages.a]\ncommand = [\"true\"]\n")
            .unwrap();
        let found = template("digits", &home, place.path()).unwrap();
        assert_eq!(found.dir, own.canonicalize().unwrap());
        assert!(all(&home).iter().all(|template| !template.built_in));
        for bad in ["../digits", "", "nothing", "/etc"] {
            assert_eq!(template(bad, &home, place.path()).unwrap_err().code, ErrorCode::NotFound, "{bad}");
        }
    }
}
