//! The values of parameters: where they come from, what they may be.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use footplate_core::definition::Definition;
use footplate_spec::{parameters, parse_toml, paths_exist, take_secrets, typed, typed_all};
use indexmap::IndexMap;
use serde_json::{Value, json};

const FILE: &[u8] = br#"
format = 1
name = "x"
[params.epochs]
type = "integer"
default = 20
minimum = 1
maximum = 1000
[params.lr]
type = "number"
default = 0.001
[params.amp]
type = "boolean"
default = false
[params.size]
type = "choice"
choices = ["small", "large", 3, true]
default = "small"
[params.name]
type = "string"
default = "a"
pattern = "[a-z]+"
[params.data]
type = "dataset"
exists = true
[params.token]
type = "secret"
pattern = "hf_.*"
[presets.quick]
title = "Quick"
epochs = 3
lr = 1
[stages.a]
command = ["true"]
"#;

fn given(value: Value) -> IndexMap<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn file() -> Definition {
    parse_toml(FILE).unwrap()
}

fn faults(preset: Option<&str>, values: Value) -> Vec<String> {
    let problems = parameters(&file(), preset, &given(values)).unwrap_err();
    problems.0.into_iter().map(|p| p.message + &p.hint.map_or_else(String::new, |h| format!(" ({h})"))).collect()
}

#[test]
fn given_goes_over_preset_goes_over_default() {
    let all = |preset, values| serde_json::to_value(parameters(&file(), preset, &given(values)).unwrap()).unwrap();
    let plain = all(None, json!({ "data": "d", "token": "hf_1" }));
    let expected =
        json!({ "epochs": 20, "lr": 0.001, "amp": false, "size": "small", "name": "a", "data": "d", "token": "hf_1" });
    assert_eq!(plain, expected);
    let quick = all(Some("quick"), json!({ "data": "d", "token": "hf_1", "lr": 0.5 }));
    assert_eq!((quick["epochs"].clone(), quick["lr"].clone()), (json!(3), json!(0.5)));
    assert_eq!(all(None, json!({ "data": "d", "token": "hf_1", "epochs": 30.0 }))["epochs"], json!(30));
}

#[test]
fn every_fault_is_told_at_once() {
    let found = faults(
        Some("quik"),
        json!({ "epoch": 3, "epochs": 0, "lr": "fast", "amp": 1, "size": "smal", "name": "A1", "token": "secret" }),
    );
    assert_eq!(
        found,
        [
            "there is no preset \"quik\" (did you mean \"quick\"?)",
            "there is no parameter \"epoch\" (did you mean \"epochs\"?)",
            "parameter \"epochs\" must be a whole number from 1 to 1000, not 0",
            "parameter \"lr\" must be a number, not \"fast\"",
            "parameter \"amp\" must be true or false, not 1",
            "parameter \"size\" must be one of small, large, 3, true, not \"smal\" (did you mean \"small\"?)",
            "parameter \"name\" does not fit the pattern \"[a-z]+\": \"A1\"",
            "parameter \"data\" has no value (give it one: -p data=PATH)",
            // The secret itself is never part of a sentence.
            "parameter \"token\" does not fit the pattern \"hf_.*\"",
        ]
    );
}

#[test]
fn text_from_the_command_line_is_read_by_type() {
    let file = file();
    let typed = |name: &str, text: &str| typed(name, &file.params[name], text).map_err(|p| p.message);
    assert_eq!(typed("epochs", "30"), Ok(json!(30)));
    assert_eq!(typed("epochs", "1e2"), Ok(json!(100)));
    assert_eq!(typed("lr", "3e-4"), Ok(json!(3e-4)));
    assert_eq!(typed("lr", "2"), Ok(json!(2)));
    assert_eq!(typed("amp", "True"), Ok(json!(true)));
    assert_eq!(typed("amp", "off"), Ok(json!(false)));
    assert_eq!(typed("size", "3"), Ok(json!(3)));
    assert_eq!(typed("size", "true"), Ok(json!(true)));
    assert_eq!(typed("data", "30"), Ok(json!("30")));
    assert_eq!(
        typed("epochs", "30.5"),
        Err("parameter \"epochs\" must be a whole number from 1 to 1000, not 30.5".into())
    );
    assert_eq!(
        typed("epochs", "many"),
        Err("parameter \"epochs\" must be a whole number from 1 to 1000, not \"many\"".into())
    );
    assert_eq!(
        typed("epochs", "2000"),
        Err("parameter \"epochs\" must be a whole number from 1 to 1000, not 2000".into())
    );
    assert_eq!(typed("lr", "nan"), Err("parameter \"lr\" must be a number, not \"nan\"".into()));
    assert_eq!(typed("amp", "maybe"), Err("parameter \"amp\" must be true or false, not \"maybe\"".into()));
    let problems = typed_all(&file, [("epochs", "x"), ("nmae", "y"), ("lr", "1")]).unwrap_err();
    assert_eq!(problems.0.len(), 2);
    assert_eq!(problems.0[1].hint.as_deref(), Some("did you mean \"name\"?"));
}

#[test]
fn secrets_are_taken_out() {
    let mut values = parameters(&file(), None, &given(json!({ "data": "d", "token": "hf_1" }))).unwrap();
    let secrets = take_secrets(&file(), &mut values);
    assert_eq!(secrets["token"], "hf_1");
    assert!(!values.contains_key("token"));
    assert_eq!(values.keys().collect::<Vec<_>>(), ["epochs", "lr", "amp", "size", "name", "data"]);
}

#[test]
fn paths_that_must_exist_are_looked_for_from_the_folder() {
    let folder = std::env::temp_dir().join(format!("footplate-spec-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("here")).unwrap();
    assert_eq!(paths_exist(&file(), &given(json!({ "data": "here" })), &folder), Ok(()));
    let problems = paths_exist(&file(), &given(json!({ "data": "there" })), &folder).unwrap_err();
    assert_eq!(problems.0[0].message, "parameter \"data\": there is no \"there\"");
    std::fs::remove_dir_all(folder).unwrap();
}
