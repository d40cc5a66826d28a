//! What tests look for in the page, and what the page can ask for them.

use footplate_testkit::until;
use serde_json::{Value, json};

use crate::driver::{PATIENCE, Window};

/// A word of the page, as it stands in words/.
///
/// # Panics
/// Where there is none of this key.
#[must_use]
#[track_caller]
pub fn word(key: &str) -> String {
    let words: Result<Value, _> = serde_json::from_str(include_str!("../../../words/en.json"));
    let words = words.unwrap_or_else(|error| panic!("words/en.json: {error}"));
    let text = match &words[key] {
        Value::Object(forms) => &forms["other"],
        text => text,
    };
    text.as_str().map(str::to_owned).unwrap_or_else(|| panic!("words/en.json has no {key}"))
}

/// A run's status, as the page is told it; empty where there is no such run.
#[must_use]
pub fn status(window: &Window<'_>, number: i64) -> String {
    let run = window.invoke("show", &json!({ "number": number }));
    run.ok().and_then(|run| run["status"].as_str().map(str::to_owned)).unwrap_or_default()
}

/// Waits until a run has this status.
///
/// # Panics
/// Where it has not in time.
#[track_caller]
pub fn until_status(window: &Window<'_>, number: i64, wanted: &str) {
    until(PATIENCE, &format!("#{number} is {wanted}"), || status(window, number) == wanted);
}
