//! What differs from run to run, replaced, so that the rest can be a snapshot.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

static RULES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let rule = |pattern: &str, with| Regex::new(pattern).map(|regex| (regex, with));
    [
        rule(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[id]"),
        rule(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?( ?(Z|[+-]\d\d:\d\d))?", "[time]"),
        rule(r"\b(pid )\d+", "${1}[pid]"),
        rule(r"\b(\d+d )?(\d+h )?(\d+m )?\d+(\.\d+)?s\b", "[span]"),
        rule(r"\b\d+[hd] \d+[mh]\b", "[span]"),
    ]
    .into_iter()
    .flatten()
    .collect()
});

/// Ids, moments, lengths of time and process ids replaced by `[id]`, `[time]`, `[span]`, `[pid]`.
#[must_use]
pub fn redact(text: &str) -> String {
    RULES.iter().fold(text.to_owned(), |text, (regex, with)| regex.replace_all(&text, *with).into_owned())
}

/// The same for JSON, by the names of its fields; `null` stays, for that nothing is known matters.
#[must_use]
pub fn redact_json(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let with = match name.as_str() {
                    "id" => "[id]",
                    "pid" => "[pid]",
                    "log_size" => "[bytes]",
                    _ if name.ends_with("_at") => "[time]",
                    _ if name.ends_with("_s") => "[span]",
                    _ => return (name.clone(), redact_json(value)),
                };
                (name.clone(), if value.is_null() { Value::Null } else { with.into() })
            })
            .collect(),
        Value::Array(items) => items.iter().map(redact_json).collect(),
        Value::String(text) => redact(text).into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_is_replaced_and_the_rest_stays() {
        let text = "#1 0198a3c1-2b3c-7def-8123-456789abcdef took 1m 12s, 0.4s, since 2026-11-21 21:01:02 +01:00, pid 4242, 3 of 5";
        assert_eq!(redact(text), "#1 [id] took [span], [span], since [time], pid [pid], 3 of 5");
        let json = json!({ "id": "x", "number": 1, "started_at": "2026-11-21T20:01:02.345Z", "eta_s": null, "pid": 7, "stages": [{ "run_s": 1.5 }] });
        let expected = json!({ "id": "[id]", "number": 1, "started_at": "[time]", "eta_s": null, "pid": "[pid]", "stages": [{ "run_s": "[span]" }] });
        assert_eq!(redact_json(&json), expected);
    }
}
