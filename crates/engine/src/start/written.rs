//! What stages run, as far as it is known before a run: what only the run will know stands as `‹run folder›` and the like.

use std::collections::HashMap;

use footplate_core::definition::{Definition, Stage};
use footplate_spec as spec;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

/// What a stage of a pipeline runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StageText {
    /// The stage's name.
    pub stage: String,
    /// The program and its arguments with the default values filled in.
    pub argv: Vec<String>,
    /// The same as the file has it.
    pub written: Vec<String>,
    /// What is put behind it where the stage goes on from a checkpoint, as the file has it.
    pub resume: Vec<String>,
    /// A shell reads it.
    pub shell: bool,
    /// The working folder as the file has it; `None`: where the run is started from.
    pub cwd: Option<String>,
    /// Names of environment variables that it sets, and of secrets that it is given.
    pub env: Vec<String>,
}

/// What all stages run, with the default values of the parameters; one without a default stands as its name.
#[must_use]
pub(crate) fn stages(definition: &Definition) -> Vec<StageText> {
    let params = definition.params.iter();
    let named = |name: &String| Value::String(format!("‹{name}›"));
    let values =
        params.map(|(name, param)| (name.clone(), param.default.clone().unwrap_or_else(|| named(name)))).collect();
    let queue_of = |_: &str| "default";
    let all = rendered(definition, &values, "{{ pipeline.dir }}", "‹run name›", &queue_of);
    let text = |(name, rendered): (String, Option<spec::Rendered>)| {
        let stage = definition.stages.get(&name)?;
        let written = as_written(stage);
        Some(StageText {
            argv: rendered.map_or_else(|| written.clone(), |rendered| rendered.argv),
            written,
            resume: stage.resume.clone(),
            shell: stage.shell.is_some(),
            cwd: stage.cwd.clone(),
            env: stage.env.keys().chain(&stage.secrets).cloned().collect(),
            stage: name,
        })
    };
    all.into_iter().filter_map(text).collect()
}

/// The command as the file has it.
pub(crate) fn as_written(stage: &Stage) -> Vec<String> {
    let shell = stage.shell.iter().flat_map(|line| ["/bin/sh".to_owned(), "-c".to_owned(), line.clone()]);
    shell.chain(stage.command.iter().cloned()).collect()
}

/// Each stage as it will be launched; `None` where that cannot be told.
pub(crate) fn rendered<'q>(
    definition: &Definition,
    values: &IndexMap<String, Value>,
    dir: &str,
    run_name: &str,
    queue_of: &dyn Fn(&str) -> &'q str,
) -> Vec<(String, Option<spec::Rendered>)> {
    let mut values = values.clone();
    let secrets = spec::take_secrets(definition, &mut values);
    let mut handed: IndexMap<String, IndexMap<String, Value>> = IndexMap::new();
    let mut named: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, output) in definition.stages.values().flat_map(texts).flat_map(named_outputs) {
        named.entry(name).or_default().push(output);
    }
    for (name, stage) in &definition.stages {
        // What a program hands on is not known; a name in its place says what it will be.
        let mut outputs: IndexMap<String, Value> = IndexMap::new();
        for output in named.get(name.as_str()).into_iter().flatten() {
            outputs.insert((*output).to_owned(), Value::String(format!("‹{name}.{output}›")));
        }
        for (output, text) in &stage.outputs {
            let text = text.replace("{{ run.dir }}", "‹run folder›").replace("{{run.dir}}", "‹run folder›");
            if !text.contains("{{") {
                outputs.insert(output.clone(), Value::String(text));
            }
        }
        handed.insert(name.clone(), outputs);
    }
    let run = spec::RunScope {
        id: "‹run id›",
        number: 0,
        name: run_name,
        dir: "‹run folder›",
        config: "‹run folder›/config.json",
    };
    let one = |(name, stage): (&String, &Stage)| {
        let scope = spec::Scope {
            params: &values,
            secrets: &secrets,
            run,
            pipeline_dir: dir,
            stages: &handed,
            attempt: 1,
            checkpoint: None,
            queue: queue_of(name),
        };
        (name.clone(), spec::render(name, stage, &scope).ok())
    };
    definition.stages.iter().map(one).collect()
}

fn texts(stage: &Stage) -> Vec<&str> {
    let words = stage.command.iter().chain(&stage.resume).chain(&stage.shell).chain(stage.env.values());
    words.chain(&stage.cwd).chain(&stage.condition).map(String::as_str).collect()
}

/// The outputs that a text names, each with its stage: `stages.NAME.outputs.OUTPUT`.
fn named_outputs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let word = |text: &str| text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.match_indices("stages.").filter_map(move |(at, start)| {
        let rest = &text[at + start.len()..];
        let (name, rest) = rest.split_at(word(rest));
        let rest = rest.strip_prefix(".outputs.")?;
        Some((name, &rest[..word(rest)])).filter(|(name, output)| !name.is_empty() && !output.is_empty())
    })
}
