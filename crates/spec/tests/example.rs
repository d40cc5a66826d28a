//! The example of the documentation is a good pipeline, in both forms.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use footplate_core::definition::{OnFailure, ParamKind};
use footplate_spec::{parse_json, parse_toml};

const DIGITS: &str = include_str!("digits.toml");

#[test]
fn the_documented_example_is_read_whole() {
    let digits = parse_toml(DIGITS.as_bytes()).unwrap();
    assert_eq!(digits.name, "digits");
    assert_eq!(digits.on_failure, OnFailure::Continue);
    assert_eq!(digits.params["epochs"].kind, ParamKind::Integer);
    assert_eq!(digits.stages.keys().collect::<Vec<_>>(), ["prepare", "train", "evaluate"]);
    let train = &digits.stages["train"];
    assert_eq!(train.timeout.unwrap().0, 86_400_000);
    assert_eq!(train.retries.max, 2);
    assert_eq!(train.resources.memory.0, 2_000_000_000);
    assert_eq!(train.checkpoints.as_ref().unwrap().files, "{{ run.dir }}/ckpt/*.safetensors");
    assert!(digits.stages["evaluate"].allow_failure);
}

#[test]
fn json_and_toml_say_the_same() {
    let digits = parse_toml(DIGITS.as_bytes()).unwrap();
    let json = serde_json::to_string_pretty(&digits).unwrap();
    assert_eq!(parse_json(json.as_bytes()).unwrap(), digits);
    assert_eq!(serde_json::from_str::<footplate_core::definition::Definition>(&json).unwrap(), digits);
}

#[test]
fn line_ends_and_a_byte_order_mark_change_nothing() {
    let digits = parse_toml(DIGITS.as_bytes()).unwrap();
    let windows = format!("\u{feff}{}", DIGITS.replace('\n', "\r\n"));
    assert_eq!(parse_toml(windows.as_bytes()).unwrap(), digits);
}
