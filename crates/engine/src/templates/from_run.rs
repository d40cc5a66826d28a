//! A run -> a template of one's own: its pipeline, with its values as defaults.

use std::path::Path;
use std::sync::LazyLock;

use footplate_core::definition::{Definition, ParamKind, Stage};
use footplate_core::{ErrorCode, Fault};
use footplate_spec as spec;
use regex::{NoExpand, Regex};
use serde_json::Value;

use super::consent;
use super::own::{self, Name};
use crate::client::Client;

/// Makes a template of a run. `title` is what people read; without a `name` it is made of the title, else of the pipeline's,
/// and gets a number where it is taken. The user ran it before: it needs no consent.
///
/// A run of an own template is copied with that template's files. Of any other run, the folders it was in are written down as
/// they were: its scripts stay where they are.
///
/// # Errors
/// `NotFound` (run); `Refused` where its command cannot be written in a file; `Conflict` where the name is taken; `Storage`.
pub fn keep(client: &Client, number: i64, name: Option<&str>, title: Option<&str>) -> Result<String, Fault> {
    let origin = client.definition(number)?;
    let run = client.show(number)?;
    let home = client.home();
    let mut definition = origin.definition;
    if let Some(title) = title.map(str::trim).filter(|title| !title.is_empty()) {
        check_title(title)?;
        definition.title = Some(title.to_owned());
    }
    for (name, value) in run.params.unwrap_or_default() {
        if let Some(param) = definition.params.get_mut(&name)
            && param.kind != ParamKind::Secret
        {
            param.default = Some(value);
        }
    }
    let cwd = text_of(&origin.cwd)?;
    let of_template =
        consent::name_of(home, &origin.pipeline_dir).filter(|name| super::names::folder(home, name).is_ok());
    // An own template's files come along; what it calls its folder stays right.
    let frozen = if of_template.is_some() { None } else { Some(text_of(&origin.pipeline_dir)?) };
    for (name, stage) in &mut definition.stages {
        *stage = settled(name, stage, cwd, frozen)?;
    }
    let base = title.map(slug).filter(|slug| !slug.is_empty()).unwrap_or_else(|| definition.name.clone());
    let wanted = name.map_or(Name::Free, Name::Exactly);
    // The same name would mix its times with those of the other.
    definition.name = name.map_or_else(|| base.clone(), str::to_owned);
    let file = as_file(&definition)?;
    match of_template {
        Some(from) => own::copy(home, &from, &file, &base, wanted),
        None => own::make(home, &file, &base, wanted),
    }
}

fn check_title(title: &str) -> Result<(), Fault> {
    if title.chars().count() > 200 || title.chars().any(char::is_control) {
        return Err(Fault::new(
            ErrorCode::Invalid,
            "That is no title: it is too long, or has characters that are not seen.",
        )
        .hint("A title has at most 200 characters, on one line."));
    }
    Ok(())
}

/// A stage that can be written in a file, and runs where it ran.
fn settled(name: &str, stage: &Stage, cwd: &str, pipeline_dir: Option<&str>) -> Result<Stage, Fault> {
    let mut stage = stage.clone();
    if !stage.bytes.is_empty() {
        return Err(Fault::new(
            ErrorCode::Refused,
            format!("The command of stage {name:?} is not UTF-8, and no file can hold it."),
        )
        .hint("Rename what it names."));
    }
    if stage.literal {
        stage.literal = false;
        let plain = |text: &mut String| *text = quoted(text);
        stage.command.iter_mut().for_each(plain);
        stage.env.values_mut().for_each(plain);
        stage.cwd.iter_mut().for_each(plain);
    }
    stage.cwd = Some(match stage.cwd {
        None => quoted(cwd),
        Some(own) if own.starts_with('/') || own.starts_with("{{") => own,
        Some(below) => format!("{}/{below}", quoted(cwd)),
    });
    let Some(dir) = pipeline_dir else { return Ok(stage) };
    let broken = |error: serde_json::Error| {
        Fault::new(ErrorCode::Storage, format!("The stage {name:?} cannot be written: {error}."))
    };
    let mut value = serde_json::to_value(&stage).map_err(broken)?;
    freeze(&mut value, dir);
    serde_json::from_value(value).map_err(broken)
}

/// Text as one that is no template.
fn quoted(text: &str) -> String {
    if !text.contains("{{") && !text.contains("{%") {
        return text.to_owned();
    }
    format!("{{{{ {} }}}}", Value::from(text))
}

/// Puts a path in the place of `pipeline.dir`, which would be another one in the template.
fn freeze(value: &mut Value, dir: &str) {
    static ALONE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\{\{-?\s*pipeline\.dir\s*-?\}\}").ok());
    static WITHIN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\bpipeline\.dir\b").ok());
    match value {
        Value::String(text) if text.contains("pipeline") => {
            let (Some(alone), Some(within)) = (&*ALONE, &*WITHIN) else { return };
            let plain = alone.replace_all(text, NoExpand(&quoted(dir))).into_owned();
            let is_template = plain.contains("{{") || plain.contains("{%");
            let literal = Value::from(dir).to_string();
            *text = if is_template { within.replace_all(&plain, NoExpand(&literal)).into_owned() } else { plain };
        }
        Value::Array(all) => all.iter_mut().for_each(|one| freeze(one, dir)),
        Value::Object(all) => all.values_mut().for_each(|one| freeze(one, dir)),
        _ => {}
    }
}

fn text_of(path: &Path) -> Result<&str, Fault> {
    path.to_str().ok_or_else(|| {
        Fault::new(ErrorCode::Refused, format!("The path {} is not UTF-8, and no file can hold it.", path.display()))
            .hint("Rename it.")
    })
}

/// A name made of a title; empty where nothing of it can be one.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug.truncate(60);
    slug.trim_end_matches('-').to_owned()
}

/// As a pipeline file that reads back as the same.
fn as_file(definition: &Definition) -> Result<String, Fault> {
    let text = toml::to_string_pretty(definition).map_err(|error| {
        Fault::new(ErrorCode::Refused, format!("The pipeline of this run cannot be written as a file: {error}."))
    })?;
    let read = spec::parse_toml(text.as_bytes()).map_err(|problems| problems.fault(super::FILES[0]))?;
    if read == *definition {
        return Ok(text);
    }
    Err(Fault::new(ErrorCode::Refused, "The pipeline of this run cannot be written as a file.")
        .hint("Write footplate.toml by hand, and add its folder."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_become_names_and_paths_stay_paths() {
        assert_eq!(slug("Digits, long run (v2)"), "digits-long-run-v2");
        assert_eq!(slug("手写数字"), "");
        let mut value = serde_json::json!({
            "command": ["python", "{{ pipeline.dir }}/a.py", "{{ pipeline.dir ~ \"/b\" }}", "pipeline.dir"],
        });
        freeze(&mut value, "/home/a \"b\"");
        assert_eq!(
            value["command"],
            serde_json::json!(["python", "/home/a \"b\"/a.py", "{{ \"/home/a \\\"b\\\"\" ~ \"/b\" }}", "pipeline.dir"])
        );
        assert_eq!(quoted("a{{b"), "{{ \"a{{b\" }}");
    }
}
