//! Pipelines by what people call them: a file, a folder, or a template's name; and the values of their parameters.

use std::path::{Path, PathBuf};

use footplate_core::definition::Definition;
use footplate_core::{ErrorCode, Fault};
use footplate_engine::Home;
use footplate_spec as spec;
use indexmap::IndexMap;
use serde_json::Value;

/// The templates that are part of this program: name and file.
const BUILT_IN: [(&str, &str); 1] = [("digits", include_str!("../../../../templates/digits/footplate.toml"))];

/// A checked pipeline, the folder it lies in, and the name it was found by.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) definition: Definition,
    pub(crate) dir: PathBuf,
    pub(crate) file: String,
}

/// Finds and reads a pipeline: a file or a folder where there is one, else a template of the user's, else a built-in one.
pub(crate) fn find(text: &str, home: &Home, cwd: &Path) -> Result<Pipeline, Fault> {
    // Without the `.` that people write: paths are shown.
    let path: PathBuf = cwd.join(text).components().collect();
    let is_pipeline_folder = ["footplate.toml", "footplate.json"].iter().any(|name| path.join(name).is_file());
    if path.is_file() || is_pipeline_folder {
        return load(&path, text);
    }
    // Only a name is looked up among the templates, never a path.
    if is_name(text) {
        let own = home.templates().join(text);
        if own.join("footplate.toml").is_file() {
            return load(&own, text);
        }
        if let Some((name, file)) = BUILT_IN.iter().find(|(name, _)| *name == text) {
            let file_name = format!("templates/{name}/footplate.toml");
            let definition = spec::parse_toml(file.as_bytes()).map_err(|problems| problems.fault(&file_name))?;
            return Ok(Pipeline { definition, dir: cwd.to_owned(), file: file_name });
        }
        if !path.exists() {
            return Err(unknown(text, home));
        }
    }
    load(&path, text)
}

fn load(path: &Path, text: &str) -> Result<Pipeline, Fault> {
    let (definition, dir) = spec::load(path)?;
    Ok(Pipeline { definition, dir, file: text.to_owned() })
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn unknown(text: &str, home: &Home) -> Fault {
    let mut known: Vec<String> = BUILT_IN.iter().map(|(name, _)| (*name).to_owned()).collect();
    let own = std::fs::read_dir(home.templates()).into_iter().flatten().flatten();
    known.extend(own.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| is_name(name)));
    let fault =
        Fault::new(ErrorCode::NotFound, format!("{text:?} is no file, no folder with footplate.toml, and no template"));
    match spec::nearest(text, known.iter().map(String::as_str)) {
        Some(near) => fault.hint(format!("did you mean {near:?}?")),
        None => fault.hint(format!("templates: {}", known.join(", "))),
    }
}

/// The values of all parameters: defaults, then those of `before` (a run like this one), then the preset, then `-p`.
pub(crate) fn values(
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
