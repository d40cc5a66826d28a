//! What the tests of the command line share.
#![allow(dead_code, reason = "each test executable uses a part of it")]

use std::time::Duration;

use footplate_testkit::Bench;
use serde_json::Value;

/// Long enough for a slow machine; conditions are waited for, so it costs nothing where all is well.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A shell line that goes on once this file is there, in the bench's working folder.
pub(crate) fn gate(name: &str) -> String {
    format!("while [ ! -e {name} ]; do sleep 0.02; done")
}

/// Opens a gate.
pub(crate) fn open(bench: &Bench, name: &str) {
    bench.write(name, "");
}

/// Writes a pipeline: `format` and `name` are put before the text. Tells its path.
pub(crate) fn pipeline(bench: &Bench, name: &str, text: &str) -> String {
    let path = bench.write(&format!("{name}.toml"), format!("format = 1\nname = \"{name}\"\n{text}"));
    path.display().to_string()
}

/// Starts a pipeline and leaves it running; its number.
#[track_caller]
pub(crate) fn start(bench: &Bench, path: &str, options: &[&str]) -> i64 {
    let mut args = vec!["run", path, "--detach", "--json"];
    args.extend(options);
    bench.run(&args).expect(0).json()["number"].as_i64().unwrap()
}

/// Waits for a run's end, and tells how it ended.
#[track_caller]
pub(crate) fn ended(bench: &Bench, number: i64) -> Value {
    let output = bench.run(&["wait", &number.to_string()]);
    assert!(output.code <= 1, "{output:?}");
    bench.show(number)
}

/// Runs a pipeline to its end.
#[track_caller]
pub(crate) fn run(bench: &Bench, path: &str, options: &[&str]) -> Value {
    let number = start(bench, path, options);
    ended(bench, number)
}

/// A stage of what `show` or `report` told.
#[track_caller]
pub(crate) fn stage<'a>(run: &'a Value, name: &str) -> &'a Value {
    let found = run["stages"].as_array().and_then(|all| all.iter().find(|stage| stage["name"] == name));
    found.unwrap_or_else(|| panic!("no stage {name}: {run:#}"))
}

/// The names of an object's fields, in their order.
#[track_caller]
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().map(String::as_str).collect()
}

/// A file below the working folder, as text; empty where it is not there.
pub(crate) fn text(bench: &Bench, name: &str) -> String {
    std::fs::read_to_string(bench.work().join(name)).unwrap_or_default()
}

/// `footplate` with these words.
pub(crate) fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}
