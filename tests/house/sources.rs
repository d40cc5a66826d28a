//! Laws that are read off the Rust sources.

use crate::code::{Finding, Line, Source, must_be_clean, sources};

/// Source files over [`LONGEST`] lines that have a reason: (path, reason). Empty is best.
const LONG_FOR_A_REASON: [(&str, &str); 0] = [];
const LONGEST: usize = 600;

/// The one reader of the wall clock.
const CLOCK: &str = "crates/shim/src/clock.rs";
/// What reads the wall clock in Rust.
const CLOCK_READERS: [&str; 8] = [
    "SystemTime::now",
    "Utc::now",
    "Local::now",
    "Timestamp::now",
    "UNIX_EPOCH.elapsed",
    "now_v7",
    "CLOCK_REALTIME",
    "ClockId::Realtime",
];
/// What reads it in SQL.
const SQL_CLOCK: [&str; 4] = ["CURRENT_TIMESTAMP", "'now'", "unixepoch()", "CURRENT_TIME"];

/// What looks outside; `core` and `progress` are told instead.
const OUTSIDE: [&str; 11] = [
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
    "std::io",
    "Instant::now",
    ".await",
    "async fn",
    "thread::spawn",
    "File::open",
];

/// Every rule over the lines of one source.
fn findings(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for line in source.lines() {
        for rule in [clock, outside, waits_for_time, sql, channels, guests, unfinished, names, silenced] {
            found.extend(rule(source, line).map(|sentence| source.finding(line.number, sentence)));
        }
    }
    found.extend(length(source));
    found
}

fn first<'a>(text: &str, words: &[&'a str]) -> Option<&'a str> {
    words.iter().copied().find(|word| text.contains(word))
}

fn clock(source: &Source, line: &Line) -> Option<String> {
    if source.path == CLOCK {
        return None;
    }
    let in_code = first(&line.code, &CLOCK_READERS);
    let in_sql = first(&line.strings, &SQL_CLOCK).filter(|_| !line.test);
    // A test may make itself a fresh id.
    let word = in_code.filter(|word| !line.test || *word != "now_v7").or(in_sql)?;
    Some(format!("`{word}` reads the wall clock; take the time as an argument, from footplate_shim::clock at the edge"))
}

fn outside(source: &Source, line: &Line) -> Option<String> {
    let room = source.room().filter(|room| ["core", "progress"].contains(room))?;
    if line.test || !source.path.contains("/src/") {
        return None;
    }
    let word = first(&line.code, &OUTSIDE)?;
    Some(format!("`{word}`: {room} is pure; it is told the time, the ids and the outcomes"))
}

fn waits_for_time(source: &Source, line: &Line) -> Option<String> {
    // Waiting for a condition looks, and sleeps a little between two looks: in testkit, or where a crate's tests share things.
    let waits = source.room() == Some("testkit") || source.path.contains("/tests/common/");
    // `sleep(` as a call of ours; a method or a longer name is something else.
    let called = line.code.match_indices("sleep(").any(|(at, _)| {
        let before = line.code[..at].chars().next_back();
        before.is_none_or(|sign| !sign.is_alphanumeric() && sign != '_' && sign != '.')
    });
    (called && line.test && !waits).then(|| {
        "a test waits for a condition, never for time: use the waiting functions of footplate-testkit".to_owned()
    })
}

fn sql(source: &Source, line: &Line) -> Option<String> {
    let shell = source.path.starts_with("src-tauri/");
    if line.test || !shell && matches!(source.room(), Some("store") | None) {
        return None;
    }
    let text = &line.strings;
    let pair = |one: &str, other: &str| text.contains(one) && text.contains(other);
    let spoken = pair("SELECT ", " FROM ")
        || pair("UPDATE ", " SET ")
        || first(text, &["INSERT INTO ", "DELETE FROM ", "PRAGMA "]).is_some();
    spoken.then(|| "the only SQL in the house is in crates/store; give it a function there".to_owned())
}

/// What tells the view of changes, in one file of the shell.
const BRIDGE: &str = "src-tauri/src/bridge.rs";
const CHANNELS: [&str; 6] = ["ipc::Channel", "Channel<", ".emit(", ".emit_to(", ".listen(", "tauri::Emitter"];

fn channels(source: &Source, line: &Line) -> Option<String> {
    if line.test || !source.path.starts_with("src-tauri/") || source.path == BRIDGE {
        return None;
    }
    let word = first(&line.code, &CHANNELS)?;
    Some(format!("`{word}`: only {BRIDGE} tells the view; give it a function there"))
}

/// Guests and the owner speak through the store alone: a guest that called the owner's code would act in its place.
fn guests(source: &Source, line: &Line) -> Option<String> {
    const ROOM: &str = "crates/engine/src/";
    let within = source.path.strip_prefix(ROOM)?;
    if line.test || within.starts_with("owner/") || !line.code.contains("crate::owner") {
        return None;
    }
    Some(format!("only what lies in {ROOM}owner names the owner; what both need has a place of its own beside it"))
}

fn unfinished(_: &Source, line: &Line) -> Option<String> {
    let in_code = first(&line.code, &["todo!", "unimplemented!", "dbg!", "#[ignore"]);
    let in_comments = first(&line.comments, &["TODO", "FIXME", "XXX"]);
    let word = in_code.or(in_comments)?;
    Some(format!("`{word}` is unfinished work: finish it or leave it out"))
}

fn names(source: &Source, line: &Line) -> Option<String> {
    const VAGUE: [&str; 3] = ["Manager", "Helper", "Util"];
    const VAGUE_PARTS: [&str; 7] = ["manager", "helper", "helpers", "util", "utils", "imp", "misc"];
    let vague = |name: &str| first(name, &VAGUE).is_some() || name.split('_').any(|part| VAGUE_PARTS.contains(&part));
    if line.number == 1 {
        let parts = source.path.trim_end_matches(".rs").split('/');
        if let Some(part) = parts.into_iter().find(|part| vague(part)) {
            return Some(format!("a file named `{part}` says nothing: name it for what is in it"));
        }
    }
    let mut words =
        line.code.split(|sign: char| !sign.is_alphanumeric() && sign != '_').filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        if ["struct", "enum", "trait", "mod", "fn", "type", "const", "static"].contains(&word)
            && let Some(name) = words.next().filter(|name| vague(name))
        {
            return Some(format!("`{name}` says nothing: name the thing in the field's own terms"));
        }
    }
    None
}

/// A lint is expected, with a reason, and so complains when it no longer holds.
fn silenced(_: &Source, line: &Line) -> Option<String> {
    // Test executables that share a file do not all use all of it: an expectation could not hold for each.
    if line.test {
        return None;
    }
    let code = line.code.trim_start();
    (code.starts_with("#[allow(") || code.starts_with("#![allow(")).then(|| {
        "use `#[expect(.., reason = \"..\")]` in place of `allow`: it says why, and when it is no longer needed"
            .to_owned()
    })
}

fn length(source: &Source) -> Option<Finding> {
    let excused = LONG_FOR_A_REASON.iter().any(|(path, _)| *path == source.path);
    let sentence = match (source.length > LONGEST, excused) {
        (true, false) => format!("{} lines; over {LONGEST} it is more than one thing: split it", source.length),
        (false, true) => format!("{} lines: it needs no excuse in LONG_FOR_A_REASON any more", source.length),
        (true, true) | (false, false) => return None,
    };
    Some(source.finding(source.length, sentence))
}

#[test]
fn the_sources_keep_the_laws() {
    must_be_clean(&sources().iter().flat_map(findings).collect::<Vec<_>>());
}

#[test]
fn the_one_clock_is_where_the_law_says() {
    let clock = sources().into_iter().find(|source| source.path == CLOCK).expect(CLOCK);
    let reads = clock.lines().iter().any(|line| first(&line.code, &CLOCK_READERS).is_some());
    assert!(reads, "{CLOCK} reads no clock: the law looks in the wrong place");
}

#[test]
fn sql_does_not_read_the_clock_either() {
    let mut found = Vec::new();
    for path in crate::code::files().into_iter().filter(|path| path.ends_with(".sql")) {
        let text = std::fs::read_to_string(crate::code::root().join(&path)).unwrap();
        for (index, line) in text.lines().enumerate() {
            if let Some(word) = first(line.split("--").next().unwrap_or(""), &SQL_CLOCK) {
                let sentence = format!("`{word}` reads the wall clock; bind the time as a parameter");
                found.push(Finding { path: path.clone(), line: index + 1, sentence });
            }
        }
    }
    must_be_clean(&found);
}

#[test]
fn each_rule_bites_and_only_where_it_should() {
    let long = "\n".repeat(LONGEST + 1);
    let broken = [
        ("crates/engine/src/a.rs", "let now = std::time::SystemTime::now();"),
        ("crates/core/src/a.rs", "let id = Uuid::now_v7();"),
        ("crates/store/src/a.rs", "const Q: &str = \"UPDATE run SET at = unixepoch()\";"),
        ("crates/core/src/a.rs", "use std::fs;"),
        ("crates/progress/src/a.rs", "let x = f().await;"),
        ("crates/engine/src/a.rs", "#[cfg(test)] mod tests { fn f() { std::thread::sleep(D); } }"),
        ("tests/cli/a.rs", "fn f() { sleep(D); }"),
        ("crates/engine/src/a.rs", "const Q: &str = \"SELECT id FROM run\";"),
        ("crates/cli/src/a.rs", "db.run(\"PRAGMA data_version\");"),
        ("src-tauri/src/a.rs", "use tauri::ipc::Channel;"),
        ("crates/engine/src/client/a.rs", "use crate::owner::mark;"),
        ("src-tauri/src/a.rs", "app.emit(\"changed\", ());"),
        ("src-tauri/src/a.rs", "const Q: &str = \"SELECT id FROM run\";"),
        ("crates/cli/src/a.rs", "todo!()"),
        ("crates/cli/src/a.rs", "// TODO: later"),
        ("crates/cli/tests/a.rs", "#[ignore]"),
        ("crates/cli/src/a.rs", "pub(crate) struct RunManager;"),
        ("crates/cli/src/a.rs", "fn path_util() {}"),
        ("crates/cli/src/helpers.rs", "fn f() {}"),
        ("crates/cli/src/a.rs", "#[allow(clippy::exit)]"),
        ("crates/cli/src/a.rs", long.as_str()),
    ];
    for (path, text) in broken {
        assert_eq!(findings(&Source::of(path, text)).len(), 1, "{path}: {:.60}", text.trim());
    }
    let kept = [
        (CLOCK, "SystemTime::now()"),
        ("crates/engine/src/a.rs", "// SystemTime::now is forbidden here"),
        ("crates/engine/src/a.rs", "let why = \"not todo!\"; std::thread::sleep(D);"),
        ("crates/core/src/a.rs", "#[cfg(test)]\nmod tests { use std::fs; }"),
        ("crates/store/src/a.rs", "const Q: &str = \"SELECT id FROM run\";"),
        ("crates/store/tests/a.rs", "let id = Uuid::now_v7();"),
        (BRIDGE, "use tauri::ipc::Channel;"),
        ("crates/engine/src/owner/a.rs", "use crate::owner::Trouble;"),
        ("crates/testkit/src/tests.rs", "fn f() { sleep(D); }"),
        ("crates/shim/tests/common/mod.rs", "fn within() { sleep(D); }"),
        ("crates/shim/tests/common/mod.rs", "#![allow(dead_code, reason = \"not all use all\")]"),
        ("tests/cli/a.rs", "home.add([\"sleep\", \"300\"]); asleep(1); clock.sleep(2);"),
        ("crates/cli/src/a.rs", "struct Simple; fn improve() {}"),
        ("crates/cli/src/a.rs", "#[expect(clippy::exit, reason = \"the last line\")]"),
    ];
    for (path, text) in kept {
        assert_eq!(findings(&Source::of(path, text)), [], "{path}: {text}");
    }
}
