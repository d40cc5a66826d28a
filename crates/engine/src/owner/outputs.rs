//! `$FOOTPLATE_OUTPUT`: the values that a program hands on by writing a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use indexmap::IndexMap;
use serde_json::Value;

/// More than this is not read, bytes.
pub(super) const LIMIT: u64 = 1 << 20;

/// Reads the file: a JSON object a line, or `KEY=VALUE` (a text). Later lines win. Returns the values and what was not understood.
#[must_use]
pub(super) fn read(path: &Path) -> (IndexMap<String, Value>, Vec<String>) {
    let mut text = Vec::new();
    let Ok(file) = File::open(path) else { return (IndexMap::new(), Vec::new()) };
    let mut faults = Vec::new();
    if let Err(error) = file.take(LIMIT + 1).read_to_end(&mut text) {
        faults.push(format!("the output file could not be read: {error}"));
    }
    if text.len() as u64 > LIMIT {
        faults.push("the output file is over 1 MiB; what comes after is left out".to_owned());
        text.truncate(LIMIT as usize);
    }
    let (values, unread) = parse(&String::from_utf8_lossy(&text));
    faults.extend(unread);
    (values, faults)
}

fn parse(text: &str) -> (IndexMap<String, Value>, Vec<String>) {
    let mut values = IndexMap::new();
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(i, l)| (i + 1, l.trim())) {
        if line.is_empty() {
            continue;
        }
        if line.starts_with('{') {
            match serde_json::from_str::<IndexMap<String, Value>>(line) {
                Ok(found) => values.extend(found.into_iter().filter(|(key, _)| is_name(key))),
                Err(error) => faults.push(format!("line {number} of the output file is no JSON object: {error}")),
            }
        } else if let Some((key, value)) = line.split_once('=').filter(|(key, _)| is_name(key.trim())) {
            values.insert(key.trim().to_owned(), Value::String(value.to_owned()));
        } else {
            faults.push(format!("line {number} of the output file is neither KEY=VALUE nor a JSON object"));
        }
    }
    (values, faults)
}

/// Names of outputs: `[a-z][a-z0-9_]{0,63}`; capitals are taken too, for `KEY=VALUE` as shells write it.
fn is_name(key: &str) -> bool {
    let mut letters = key.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && key.len() <= 64
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_the_rest_is_named() {
        let (values, faults) =
            parse("model=out/m.bin\n{\"accuracy\": 0.97, \"parts\": [1, 2]}\n\nnonsense\n{broken\n=x\n");
        assert_eq!(values["model"], "out/m.bin");
        assert_eq!(values["accuracy"], 0.97);
        assert_eq!(values["parts"], serde_json::json!([1, 2]));
        assert_eq!(values.len(), 3);
        assert_eq!(faults.len(), 3, "{faults:?}");
    }
}
