//! Who may depend on whom: read from `cargo metadata` (what is declared) and `cargo tree` (what is built in).

use serde_json::Value;

use crate::code::{Finding, must_be_clean, run};

/// A room and the rooms that its code may use; tests may use `testkit` besides.
struct Room {
    name: &'static str,
    rooms: &'static [&'static str],
}

const ROOMS: [Room; 15] = [
    Room { name: "core", rooms: &[] },
    Room { name: "spec", rooms: &["core"] },
    Room { name: "progress", rooms: &["core"] },
    Room { name: "store", rooms: &["core"] },
    Room { name: "shim", rooms: &["core"] },
    Room { name: "engine", rooms: &["core", "spec", "store", "progress", "shim"] },
    Room { name: "server", rooms: &["core", "engine"] },
    // Types of the rooms below the engine pass through it; the store's do not.
    Room { name: "cli", rooms: &["core", "engine", "progress", "server", "shim", "spec"] },
    // The shell is a guest, too. The clock is the shim's.
    Room { name: "app", rooms: &["core", "engine", "shim"] },
    // Writes a history that nobody could wait for.
    Room { name: "history", rooms: &["core", "store"] },
    // Drives the app from outside.
    Room { name: "e2e", rooms: &["core", "history", "testkit"] },
    // Nothing of ours but the stdout protocol.
    Room { name: "sample", rooms: &[] },
    Room { name: "testkit", rooms: &["core", "shim"] },
    // Measures as a guest, by the executables, and the app as one who drives it.
    Room { name: "benches", rooms: &["core", "engine", "spec", "testkit", "e2e", "history"] },
    // Whole-product tests may look everywhere.
    Room { name: "tests", rooms: &["core", "spec", "store", "progress", "shim", "engine", "cli", "testkit"] },
];

/// A crate that only one room may name.
const KEPT: [(&str, &str); 5] = [
    ("rusqlite", "store"),
    ("candle-core", "sample"),
    ("candle-nn", "sample"),
    ("tauri", "app"),
    ("tauri-build", "app"),
];

/// What a room must not have anywhere below it: the room, the start of a package's name, why.
const NEVER: [(&str, &str, &str); 11] = [
    ("core", "tokio", "core is pure: it is told outcomes and awaits nothing"),
    ("progress", "tokio", "progress is pure"),
    ("store", "tokio", "the store is synchronous: one writer thread"),
    ("shim", "tokio", "the shim is one thread with fixed buffers"),
    ("shim", "rusqlite", "the shim writes files, no database"),
    ("shim", "libsqlite3", "the shim writes files, no database"),
    ("core", "tauri", "no web view below the shell"),
    ("engine", "tauri", "no web view below the shell"),
    ("cli", "tauri", "no web view below the shell"),
    ("testkit", "tauri", "no web view below the shell"),
    ("engine", "candle", "a trainer is a program, not a library of ours"),
];

/// What is too heavy to be built in twice, with how to get back to one copy.
const ONCE: [(&str, &str); 1] =
    [("zbus", "notify-rust 4.19 brings a second one, 2 MB of the app: `cargo update -p notify-rust --precise 4.18.2`")];

/// A release that is passed over, why, and what is taken in its place.
const PASSED_OVER: [(&str, &str, &str); 1] = [(
    "blocking",
    "1.7.0",
    "its threads never end and wake up twice a second, each, for as long as the app lives: `cargo update -p blocking --precise 1.6.2`",
)];

/// All that the shim's own code may use from outside.
const SHIM_USES: [&str; 5] = ["crc32fast", "libc", "rustix", "serde", "serde_json"];

/// A package of the workspace with what it declares.
struct Package {
    name: String,
    manifest: String,
    /// (name, whether for tests only).
    uses: Vec<(String, bool)>,
}

impl Package {
    fn room(&self) -> &str {
        self.name.strip_prefix("footplate-").unwrap_or(&self.name)
    }
}

fn metadata() -> Value {
    serde_json::from_str(&run("cargo", &["metadata", "--no-deps", "--format-version", "1"])).unwrap()
}

fn packages(metadata: &Value) -> Vec<Package> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let package = |package: &Value| Package {
        name: text(&package["name"]),
        manifest: {
            let path = text(&package["manifest_path"]);
            let root = format!("{}/", text(&metadata["workspace_root"]));
            path.strip_prefix(&root).unwrap_or(&path).to_owned()
        },
        uses: package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|used| (text(&used["name"]), used["kind"] == "dev"))
            .collect(),
    };
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

fn declared(package: &Package) -> Vec<Finding> {
    let found = |sentence: String| Finding { path: package.manifest.clone(), line: 0, sentence };
    let Some(room) = ROOMS.iter().find(|room| room.name == package.room()) else {
        return vec![found(format!(
            "the room {} is new: say in tests/house/dependencies.rs what it may use",
            package.room()
        ))];
    };
    let mut findings = Vec::new();
    for (used, for_tests) in &package.uses {
        if let Some(ours) = used.strip_prefix("footplate-") {
            let allowed = room.rooms.contains(&ours) || *for_tests && ours == "testkit" || room.name == "tests";
            if !allowed {
                findings.push(found(format!("{} may not use {used}: it may use {:?}", package.name, room.rooms)));
            }
        }
        for (kept, keeper) in KEPT {
            let plugin = kept == "tauri" && used.starts_with("tauri-plugin-");
            if (used == kept || plugin) && room.name != keeper {
                findings.push(found(format!("only {keeper} uses {kept}; ask it instead")));
            }
        }
        let ours_or_tests = *for_tests || used.starts_with("footplate-");
        if room.name == "shim" && !ours_or_tests && !SHIM_USES.contains(&used.as_str()) {
            findings.push(found(format!("the shim stays small: it may use {SHIM_USES:?}, not {used}")));
        }
    }
    findings
}

#[test]
fn rooms_use_only_the_rooms_they_may() {
    let packages = packages(&metadata());
    assert!(packages.len() >= 10, "the workspace was not read");
    must_be_clean(&packages.iter().flat_map(declared).collect::<Vec<_>>());
}

#[test]
fn what_is_never_below_a_room_is_not_there() {
    let mut findings = Vec::new();
    let mut rooms: Vec<&str> = NEVER.iter().map(|(room, ..)| *room).collect();
    rooms.dedup();
    rooms.sort_unstable();
    rooms.dedup();
    for room in rooms {
        let package = format!("footplate-{room}");
        let tree = run("cargo", &["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}", "-p", &package]);
        assert!(tree.starts_with(&package), "{tree}");
        findings.extend(below(room, &tree));
    }
    must_be_clean(&findings);
}

/// Findings in what `cargo tree` printed for `room`.
fn below(room: &str, tree: &str) -> Vec<Finding> {
    let rules = NEVER.iter().filter(|(of, ..)| *of == room);
    rules
        .filter_map(|(_, never, why)| {
            let hit = tree.lines().find(|line| line.starts_with(never))?;
            let sentence =
                format!("{hit} is built into it, and {why}; `cargo tree -p footplate-{room} -i {never}` shows by whom");
            Some(Finding { path: format!("crates/{room}/Cargo.toml"), line: 0, sentence })
        })
        .collect()
}

#[test]
fn what_is_heavy_is_built_in_once() {
    must_be_clean(&twice(&std::fs::read_to_string(crate::code::root().join("Cargo.lock")).unwrap()));
}

/// Findings in a lock file.
fn twice(lock: &str) -> Vec<Finding> {
    let copies = |name: &str| lock.lines().filter(|line| *line == format!("name = \"{name}\"")).count();
    let heavy = ONCE.iter().filter(|(name, _)| copies(name) != 1);
    heavy
        .map(|(name, how)| {
            let sentence = format!("there are {} copies of {name}, and there must be one: {how}", copies(name));
            Finding { path: "Cargo.lock".to_owned(), line: 0, sentence }
        })
        .collect()
}

#[test]
fn no_release_that_is_passed_over_is_locked() {
    must_be_clean(&passed_over(&std::fs::read_to_string(crate::code::root().join("Cargo.lock")).unwrap()));
}

/// Findings in a lock file.
fn passed_over(lock: &str) -> Vec<Finding> {
    let locked = |name: &str, release: &str| lock.contains(&format!("name = \"{name}\"\nversion = \"{release}\"\n"));
    let bad = PASSED_OVER.iter().filter(|(name, release, _)| locked(name, release));
    bad.map(|(name, release, why)| {
        let sentence = format!("{name} {release} is passed over: {why}");
        Finding { path: "Cargo.lock".to_owned(), line: 0, sentence }
    })
    .collect()
}

#[test]
fn every_package_keeps_the_common_settings() {
    let metadata = metadata();
    let mut findings = Vec::new();
    for package in packages(&metadata) {
        let listed =
            metadata["packages"].as_array().unwrap().iter().find(|listed| listed["name"] == package.name.as_str());
        let listed = listed.unwrap();
        let text = std::fs::read_to_string(crate::code::root().join(&package.manifest)).unwrap();
        let mut rule = |kept: bool, sentence: &str| {
            if !kept {
                findings.push(Finding { path: package.manifest.clone(), line: 0, sentence: sentence.to_owned() });
            }
        };
        // The app is the package beside the workspace.
        let folder = package.manifest.split('/').rev().nth(1).unwrap_or("app");
        rule(package.room() == folder, "name the package footplate-<folder>");
        rule(listed["license"] == "MIT OR Apache-2.0", "set `license.workspace = true`");
        rule(listed["edition"] == "2024", "set `edition.workspace = true`");
        rule(listed["publish"].as_array().is_some_and(Vec::is_empty), "set `publish.workspace = true`");
        rule(listed["description"].is_string(), "say in one line what it is: `description`");
        rule(text.contains("[lints]\nworkspace = true"), "take the house's lints: `[lints] workspace = true`");
    }
    must_be_clean(&findings);
}

#[test]
fn plain_cargo_test_builds_neither_candle_nor_a_web_view() {
    let metadata = metadata();
    let members = metadata["workspace_default_members"].as_array().unwrap();
    let names: Vec<&str> = members.iter().map(|member| member.as_str().unwrap()).collect();
    assert!(names.len() >= 9, "{names:?}");
    for heavy in ["footplate-sample", "crates/sample", "footplate-app", "footplate-e2e", "tests/e2e"] {
        assert!(!names.iter().any(|name| name.contains(heavy)), "take {heavy} out of default-members in Cargo.toml");
    }
}

#[test]
fn the_rules_bite() {
    let package = |name: &str, uses: &[(&str, bool)]| Package {
        name: name.to_owned(),
        manifest: "Cargo.toml".to_owned(),
        uses: uses.iter().map(|(used, tests)| ((*used).to_owned(), *tests)).collect(),
    };
    assert_eq!(declared(&package("footplate-core", &[("serde", false), ("footplate-testkit", true)])), []);
    let broken = [
        package("footplate-core", &[("footplate-store", false)]),
        package("footplate-core", &[("footplate-testkit", false)]),
        package("footplate-cli", &[("footplate-store", false)]),
        package("footplate-sample", &[("footplate-core", false)]),
        package("footplate-engine", &[("rusqlite", false)]),
        package("footplate-engine", &[("rusqlite", true)]),
        package("footplate-shim", &[("regex", false)]),
        package("footplate-attic", &[]),
        package("footplate-cli", &[("tauri-plugin-dialog", false)]),
        package("footplate-app", &[("footplate-store", false)]),
    ];
    for package in broken {
        assert_eq!(declared(&package).len(), 1, "{}: {:?}", package.name, package.uses);
    }
    assert_eq!(below("core", "footplate-core v0.1.0\nserde v1.0.0\n"), []);
    assert_eq!(below("core", "footplate-core v0.1.0\ntokio v1.40.0\n").len(), 1);
    assert_eq!(below("shim", "footplate-shim v0.1.0\nlibsqlite3-sys v0.38.0\n").len(), 1);
    let one = "[[package]]\nname = \"zbus\"\nversion = \"5.19.0\"\n";
    assert_eq!(twice(one), []);
    assert_eq!(twice(&one.repeat(2)).len(), 1);
    let release = |release: &str| format!("[[package]]\nname = \"blocking\"\nversion = \"{release}\"\n");
    assert_eq!((passed_over(&release("1.7.0")).len(), passed_over(&release("1.6.2")).len()), (1, 0));
}
