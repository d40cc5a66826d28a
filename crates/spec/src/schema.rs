//! The JSON Schema of a pipeline, from the types, with the forms of names and the bounds that types cannot say.

use footplate_core::definition::Definition;
use serde_json::{Value, json};

/// The JSON Schema (2020-12) of a pipeline file; kept in `docs/pipeline.schema.json`.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(Definition).to_value();
    if let Value::Object(root) = &mut schema {
        root.insert("$id".into(), json!("https://footplate.dev/pipeline.schema.json"));
        root.insert("title".into(), json!("Footplate pipeline"));
    }
    let name = json!({ "pattern": "^[a-z][a-z0-9_]{0,63}$" });
    let queue = json!("^[a-z][a-z0-9_-]{0,63}$");
    let rules: &[(&str, &str, Value)] = &[
        ("/properties/format", "const", json!(1)),
        ("/properties/name", "pattern", json!("^[a-z0-9-]{1,64}$")),
        ("/properties/queue", "pattern", queue.clone()),
        ("/properties/priority", "minimum", json!(-100)),
        ("/properties/priority", "maximum", json!(100)),
        ("/properties/params", "propertyNames", name.clone()),
        ("/properties/stages", "propertyNames", name.clone()),
        ("/properties/stages", "minProperties", json!(1)),
        ("/$defs/Stage/properties/queue", "pattern", queue),
        ("/$defs/Stage/properties/outputs", "propertyNames", name),
        ("/$defs/Retries/properties/max", "maximum", json!(100)),
        ("/$defs/Retries/properties/backoff", "minimum", json!(1)),
        ("/$defs/Retries/properties/backoff", "maximum", json!(100)),
        ("/$defs/Retries/properties/jitter", "minimum", json!(0)),
        ("/$defs/Retries/properties/jitter", "maximum", json!(1)),
        ("/$defs/Stage/properties/alerts", "maxItems", json!(64)),
        ("/$defs/AlertRule/properties/for", "minimum", json!(1)),
        ("/$defs/AlertRule/properties/metric", "minLength", json!(1)),
        ("/$defs/Resources/properties/cpus", "maximum", json!(4096)),
        ("/$defs/Resources/properties/gpus", "maximum", json!(64)),
        ("/$defs/Stage", "oneOf", json!([{ "required": ["command"] }, { "required": ["shell"] }])),
    ];
    for (place, key, value) in rules {
        if let Some(Value::Object(at)) = schema.pointer_mut(place) {
            at.insert((*key).to_owned(), value.clone());
        }
    }
    plain(&mut schema);
    schema
}

/// `format: "uint32"` and the like mean nothing to an editor.
fn plain(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let own: Option<&str> = map.get("format").and_then(Value::as_str);
            if own.is_some_and(|format| format.starts_with("uint") || format.starts_with("int") || format == "double") {
                map.remove("format");
            }
            map.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
