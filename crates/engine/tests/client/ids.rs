use footplate_core::ErrorCode;

use crate::{Bench, command};

#[test]
fn a_run_is_found_by_number_id_part_of_the_id_and_name() {
    let bench = Bench::new();
    let mut client = bench.client();
    let mut named = |name: &str| {
        let mut submit = command(&["true"]);
        submit.name = Some(name.into());
        client.submit(submit).unwrap()
    };
    let (first, second, third) = (named("alpha"), named("beta"), named("alpha"));
    let id = second.id.to_string();
    for text in ["#2", "2", " 2 ", &id, &id.to_uppercase(), &id[id.len() - 8..], "beta"] {
        let found = client.resolve(text).unwrap();
        assert_eq!((found.number, found.id, found.note), (2, second.id, None), "{text}");
    }
    let newest = client.resolve("alpha").unwrap();
    assert_eq!((newest.number, newest.id), (third.number, third.id));
    assert!(newest.note.unwrap().contains("2 runs are named \"alpha\"; taking the newest, #3"));
    // UUIDv7 of one moment begin alike.
    let common = first.id.to_string()[..8].to_owned();
    let fault = client.resolve(&common).unwrap_err();
    assert_eq!(fault.code, ErrorCode::Ambiguous);
    assert!(fault.message.contains("matches 3 runs"), "{}", fault.message);
    assert!(fault.hints[0].contains("#1 (alpha)"), "{:?}", fault.hints);
}

#[test]
fn a_hundred_hostile_ids_find_nothing_and_touch_no_file() {
    let bench = Bench::new();
    let mut client = bench.client();
    client.submit(command(&["true"])).unwrap();
    let victim = bench.path().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    let before = tree(bench.path());
    let mut hostile: Vec<String> =
        ["", " ", "../../x", "..", ".", "/", "/etc/passwd", "~/x", "-rf", "--all", "#", "#x", "##1"]
            .map(String::from)
            .to_vec();
    hostile.extend(
        ["'; DROP TABLE run; --", "\" OR 1=1", "%", "_", "____", "*", "%2e%2e%2f", "\0", "a\0b", "a\nb"]
            .map(String::from),
    );
    hostile.extend(
        ["\u{202e}1", "9999999999999999999999", "-1", "0", "1.0", "1e3", "0x1", "+1", "１", "NaN", "null"]
            .map(String::from),
    );
    hostile.push("x".repeat(10_000));
    hostile.push(victim.display().to_string());
    for n in 0..66 {
        hostile.push(format!("{}x{n}", "../".repeat(n % 7)));
    }
    assert!(hostile.len() >= 100);
    for text in &hostile {
        let fault = client.resolve(text).unwrap_err();
        assert!(matches!(fault.code, ErrorCode::NotARunId | ErrorCode::NotFound), "{text:?}: {fault:?}");
        assert!(fault.message.len() < 300, "{}", fault.message);
        assert!(!fault.hints.is_empty(), "{text:?}");
    }
    for (text, code) in [
        ("../../x", ErrorCode::NotARunId),
        ("", ErrorCode::NotARunId),
        ("a\0b", ErrorCode::NotARunId),
        ("77", ErrorCode::NotFound),
        ("abcd", ErrorCode::NotFound),
        ("unknown", ErrorCode::NotFound),
    ] {
        assert_eq!(client.resolve(text).unwrap_err().code, code, "{text:?}");
    }
    assert_eq!(tree(bench.path()), before);
}

/// Every path below with its length.
fn tree(root: &std::path::Path) -> Vec<(std::path::PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap().flatten() {
        let facts = entry.path().symlink_metadata().unwrap();
        if facts.is_dir() {
            found.extend(tree(&entry.path()));
        } else if !entry.file_name().to_string_lossy().ends_with("-shm") {
            found.push((entry.path(), facts.len()));
        }
    }
    found.sort();
    found
}
