//! The schema and the documentation say what the program reads.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;
use std::fs;

use footplate_spec::{json_schema, parse_toml};
use serde_json::Value;

fn docs(name: &str) -> String {
    format!("{}/../../docs/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Every key that the schema knows, as `stages.NAME.retries.max`.
fn keys() -> BTreeSet<String> {
    fn walk(schema: &Value, root: &Value, path: &str, out: &mut BTreeSet<String>) {
        let schema = match schema.get("$ref").and_then(Value::as_str) {
            Some(place) => root.pointer(place.trim_start_matches('#')).unwrap(),
            None => schema,
        };
        for option in schema.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
            walk(option, root, path, out);
        }
        if let Some(item) = schema.get("items") {
            walk(item, root, path, out);
        }
        for (key, value) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            out.insert(path.clone());
            walk(value, root, &path, out);
        }
        if let Some(named) = schema.get("additionalProperties").filter(|value| value.is_object()) {
            let path = format!("{path}.NAME");
            if named.get("$ref").is_some() || named.get("additionalProperties").is_some() {
                out.insert(path.clone());
            }
            walk(named, root, &path, out);
        }
    }
    let schema = json_schema();
    let mut out = BTreeSet::new();
    walk(&schema, &schema, "", &mut out);
    out
}

#[test]
fn the_schema_in_docs_is_the_one_of_the_types() {
    let path = docs("pipeline.schema.json");
    let text = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    if std::env::var_os("FOOTPLATE_UPDATE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{path} is stale: run this test with FOOTPLATE_UPDATE=1");
}

#[test]
fn the_schema_knows_what_the_reader_knows_and_no_more() {
    let keys = keys();
    assert!(keys.contains("stages.NAME.retries.max_delay"), "{keys:?}");
    assert!(!keys.iter().any(|key| key.ends_with("literal")), "{keys:?}");
    // Each key is written with a value of a wrong kind: the reader must know it, and say that the value is wrong or accept it.
    for key in keys.iter().filter(|key| *key != "presets.NAME") {
        let path = key.replace("NAME", "n");
        let problems = parse_toml(format!("{path} = [[[]]]\n").as_bytes()).unwrap_err();
        assert!(!problems.0.iter().any(|p| p.code == "unknown_key" || p.code == "syntax"), "{key}: {problems}");
    }
}

#[test]
fn the_table_in_pipeline_md_has_every_key_and_no_other() {
    let page = fs::read_to_string(docs("PIPELINE.md")).unwrap();
    let table = page.split("## Keys").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut named = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        assert_eq!(cells.len(), 5, "key, type, default, example, meaning: {row}");
        named.insert(cells[0].trim_start_matches("| ").trim_matches('`').to_owned());
    }
    assert_eq!(named, keys());
}

#[test]
fn every_pipeline_in_pipeline_md_is_good() {
    let page = fs::read_to_string(docs("PIPELINE.md")).unwrap();
    let mut count = 0;
    for block in page.split("```").skip(1).step_by(2) {
        let (form, text) = block.split_once('\n').unwrap();
        if !text.contains("format") {
            continue;
        }
        let read = match form {
            "toml" => parse_toml(text.as_bytes()),
            "json" => footplate_spec::parse_json(text.as_bytes()),
            other => panic!("a pipeline marked {other:?}"),
        };
        read.unwrap_or_else(|problems| panic!("{text}\n{problems}"));
        count += 1;
    }
    assert!(count >= 3, "{count} pipelines in PIPELINE.md");
}
