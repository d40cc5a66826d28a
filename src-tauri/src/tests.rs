//! The door as the view knows it (ui/src/platform/types.ts) and as it is: the same commands, the same arguments.

use std::collections::BTreeMap;

const TYPES: &str = include_str!("../../ui/src/platform/types.ts");
const DOOR: &str = include_str!("../../ui/src/platform/tauri.ts");
const LIBRARY: &str = include_str!("lib.rs");
const SOURCES: [&str; 5] = [
    include_str!("bridge.rs"),
    include_str!("commands.rs"),
    include_str!("schedules.rs"),
    include_str!("sweeps.rs"),
    include_str!("templates.rs"),
    include_str!("webhook.rs"),
];

/// Arguments that the shell gives a command, not the view.
const GIVEN: [&str; 3] = ["app", "shell", "bridge"];

fn snake(name: &str) -> String {
    let mut out = String::new();
    for sign in name.chars() {
        if sign.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(sign.to_ascii_lowercase());
    }
    out
}

/// What stands between the parentheses, without what stands in brackets within them.
fn names(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut flat = String::new();
    for sign in list.chars() {
        match sign {
            '<' | '(' | '{' | '[' => depth += 1,
            '>' | ')' | '}' | ']' => depth -= 1,
            _ if depth == 0 => flat.push(sign),
            _ => {}
        }
    }
    flat.split(',')
        .map(|one| one.split(':').next().unwrap_or_default().trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

/// Commands as they are: name, and what the view has to give.
fn commands() -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for source in SOURCES {
        for part in source.split("#[tauri::command]").skip(1) {
            let rest = part.split("async fn ").nth(1).unwrap();
            let (name, rest) = rest.split_once('(').unwrap();
            let list = rest.split_once(") -> ").unwrap().0;
            let given = names(list).into_iter().filter(|name| !GIVEN.contains(&name.as_str())).collect();
            found.insert(name.to_owned(), given);
        }
    }
    found
}

/// Methods of `Platform`: name in snake case, and the names of their parameters.
fn methods() -> BTreeMap<String, Vec<String>> {
    let body = TYPES.split("export interface Platform {").nth(1).unwrap().split("\n}").next().unwrap();
    let mut found = BTreeMap::new();
    for line in body.lines().map(str::trim) {
        let Some((name, rest)) = line.split_once('(') else { continue };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphabetic()) || !rest.contains("): Promise<") {
            continue;
        }
        let list = rest.rsplit_once("): Promise<").unwrap().0;
        found.insert(snake(name), names(list));
    }
    found
}

#[test]
fn every_method_of_the_view_is_a_command_of_the_same_name_and_arguments() {
    let mut commands = commands();
    // A subscription is ended by its id, which stays in the door.
    assert_eq!(commands.remove("unsubscribe"), Some(vec!["id".to_owned()]));
    let mut methods = methods();
    assert!(methods.len() > 20, "{methods:?}");
    assert_eq!(methods.insert("subscribe".to_owned(), vec!["channel".to_owned()]), Some(vec!["on".to_owned()]));
    assert_eq!(commands, methods);
}

#[test]
fn every_command_can_be_called_and_is() {
    let handled = LIBRARY.split("generate_handler![").nth(1).unwrap().split(']').next().unwrap();
    let handled: Vec<&str> =
        handled.split(',').filter_map(|path| path.trim().rsplit("::").next()).filter(|name| !name.is_empty()).collect();
    let commands = commands();
    let names: Vec<&str> = commands.keys().map(String::as_str).collect();
    let mut sorted = handled;
    sorted.sort_unstable();
    assert_eq!(sorted, names);
    for name in names {
        assert!(DOOR.contains(&format!("'{name}'")), "ui/src/platform/tauri.ts does not call {name}");
    }
}

/// What the page may load, by kind: nothing from elsewhere, and sound only of bytes that the shell handed it.
#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let config: serde_json::Value = serde_json::from_str(include_str!("../../tauri.conf.json")).unwrap();
    let policy = config["app"]["security"]["csp"].as_str().unwrap();
    let parts: BTreeMap<&str, Vec<&str>> = policy
        .split(';')
        .map(|part| {
            let mut words = part.split_whitespace();
            (words.next().unwrap(), words.collect())
        })
        .collect();
    assert_eq!(parts["default-src"], ["'none'"]);
    assert_eq!(parts["script-src"], ["'self'"]);
    assert_eq!(parts["img-src"], ["'self'", "data:", "blob:"]);
    assert_eq!(parts["media-src"], ["blob:"]);
    assert_eq!(parts["connect-src"], ["ipc:", "http://ipc.localhost"]);
    for (kind, sources) in parts.iter().filter(|(kind, _)| **kind != "connect-src") {
        let foreign =
            sources.iter().find(|source| source.contains('*') || source.contains("//") || source.contains("unsafe"));
        assert_eq!(foreign, None, "{kind}");
    }
}
