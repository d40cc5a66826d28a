//! Laws about files of every kind: what is in the repository, and that its pages point at things that exist.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::code::{Finding, files, must_be_clean, root};

const LARGEST: u64 = 1 << 20;

/// Folders of a development machine, put together here so that this file does not break its own law.
fn private_folders() -> [String; 2] {
    ["work", "root"].map(|name| format!("/{name}/"))
}

/// Lines that name an absolute path of someone's machine.
fn absolute(path: &str, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for folder in private_folders() {
            let hit = line.match_indices(&folder).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                before.is_none_or(|sign| !sign.is_alphanumeric() && !"._-/}*".contains(sign))
            });
            if hit {
                let sentence = format!(
                    "`{folder}` is a folder of one machine; use a relative path, or a temporary folder in tests"
                );
                found.push(Finding { path: path.to_owned(), line: index + 1, sentence });
            }
        }
    }
    found
}

/// Relative links of a Markdown page, with their lines.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            let target = line[at + 2..].split([')', ' ', '#']).next().unwrap_or("");
            if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                found.push((index + 1, target.to_owned()));
            }
        }
    }
    found
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    let mut found = Vec::new();
    for path in files() {
        if let Ok(text) = fs::read_to_string(root().join(&path)) {
            found.extend(absolute(&path, &text));
        }
    }
    must_be_clean(&found);
}

#[test]
fn no_file_is_over_a_mebibyte() {
    let mut found = Vec::new();
    for path in files() {
        let size = fs::metadata(root().join(&path)).unwrap().len();
        if size > LARGEST {
            let sentence = format!("{size} bytes; make it when it is needed, or keep it elsewhere");
            found.push(Finding { path, line: 0, sentence });
        }
    }
    must_be_clean(&found);
}

/// Of the page and its tests; Rust has its own law. Rows of words and of versions may be as many as they are.
#[test]
fn no_source_of_the_page_is_longer_than_one_reads() {
    const LONGEST: usize = 600;
    const GENERATED: [&str; 2] = ["ui/src/bindings/core.ts", "ui/src/i18n/words.gen.ts"];
    let mut found = Vec::new();
    let sources = |path: &String| {
        path.starts_with("ui/") && [".svelte", ".ts", ".mjs", ".js", ".css"].iter().any(|end| path.ends_with(end))
    };
    for path in files().into_iter().filter(sources).filter(|path| !GENERATED.contains(&path.as_str())) {
        let lines = fs::read_to_string(root().join(&path)).unwrap().lines().count();
        if lines > LONGEST {
            let sentence = format!("{lines} lines, at most {LONGEST}: what in it is a part of its own?");
            found.push(Finding { path, line: 0, sentence });
        }
    }
    must_be_clean(&found);
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let mut found = Vec::new();
    for path in files().into_iter().filter(|path| path.ends_with(".md")) {
        let folder = root().join(&path).parent().unwrap().to_owned();
        for (line, target) in links(&fs::read_to_string(root().join(&path)).unwrap()) {
            if !folder.join(&target).exists() {
                found.push(Finding {
                    path: path.clone(),
                    line,
                    sentence: format!("the link to {target} leads nowhere"),
                });
            }
        }
    }
    must_be_clean(&found);
}

#[test]
fn both_licences_are_there_and_the_data_has_its_credit() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert!(read("LICENSE-MIT").contains("Permission is hereby granted, free of charge"));
    assert!(read("LICENSE-APACHE").contains("Version 2.0, January 2004"));
    for page in ["README.md", "crates/sample/data/README.md", "templates/digits/README.md"] {
        let text = read(page);
        assert!(text.contains("Alpaydin") && text.contains("CC BY 4.0") || text.contains("Attribution 4.0"), "{page}");
    }
}

#[test]
fn the_architecture_page_knows_every_room() {
    let page = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let mut rooms: Vec<String> = files()
        .iter()
        .filter_map(|path| match path.split('/').collect::<Vec<_>>().as_slice() {
            ["crates", room, _, ..] => Some(format!("crates/{room}")),
            [room, _, ..] if !room.starts_with('.') && *room != "crates" => Some((*room).to_owned()),
            _ => None,
        })
        .collect();
    rooms.dedup();
    assert!(rooms.contains(&"crates/core".to_owned()) && rooms.contains(&"tests".to_owned()), "{rooms:?}");
    let unknown: Vec<&String> = rooms.iter().filter(|room| !page.contains(&format!("`{room}/`"))).collect();
    assert!(unknown.is_empty(), "docs/ARCHITECTURE.md does not say what is in {unknown:?}: add a row to its code map");
}

#[test]
fn every_script_can_be_run_and_stops_at_the_first_fault() {
    let mut scripts: Vec<String> = files().into_iter().filter(|path| path.starts_with("scripts/")).collect();
    scripts.push(".ci/run".to_owned());
    for path in scripts.iter().filter(|path| !path.ends_with(".sh") && !path.ends_with(".py")) {
        let text = fs::read_to_string(root().join(path)).unwrap();
        assert!(text.starts_with("#!/usr/bin/env "), "{path} needs a first line `#!/usr/bin/env bash`");
        let strict = text.contains("set -euo pipefail") || text.contains(". \"$(dirname \"$0\")/common.sh\"");
        assert!(strict || !text.starts_with("#!/usr/bin/env bash"), "{path} needs `set -euo pipefail`");
        let mode = fs::metadata(root().join(path)).unwrap().permissions().mode();
        assert!(mode & 0o111 != 0, "{path} is not executable: `chmod +x {path}`");
    }
    assert!(scripts.len() > 4, "{scripts:?}");
}

#[test]
fn the_rules_bite() {
    let [work, home] = private_folders();
    for text in [format!("see {work}x"), format!("\"{home}y\""), format!("{work}z")] {
        assert_eq!(absolute("a.md", &text).len(), 1, "{text}");
    }
    for text in [format!("https://example.org{work}x"), format!("{{{{ run.dir }}}}{work}"), "frame/work".to_owned()] {
        assert_eq!(absolute("a.md", &text), [], "{text}");
    }
    let page = "[a](b.md) and [c](https://d) [e](f/g.md#h)\n```\n[no](link)\n```\n[i](#j)";
    assert_eq!(links(page), [(1, "b.md".to_owned()), (1, "f/g.md".to_owned())]);
}

#[test]
fn every_test_that_is_named_as_a_proof_exists() {
    let page = fs::read_to_string(root().join("docs/RELIABILITY.md")).unwrap();
    let sources: Vec<String> = files()
        .into_iter()
        .filter(|path| path.ends_with(".rs"))
        .map(|path| fs::read_to_string(root().join(path)).unwrap_or_default())
        .collect();
    let is_there = |name: &str| sources.iter().any(|text| text.contains(&format!("fn {name}(")));
    let (mut found, mut names) = (Vec::new(), 0);
    for (index, line) in page.lines().enumerate().filter(|(_, line)| line.starts_with("| ")) {
        let Some(proofs) = line.trim_end_matches('|').rsplit('|').next() else { continue };
        for name in proofs.split('`').map(str::trim).filter(|name| name.contains('_')) {
            names += 1;
            if !is_there(name) {
                let sentence = format!("there is no test `{name}`");
                found.push(Finding { path: "docs/RELIABILITY.md".to_owned(), line: index + 1, sentence });
            }
        }
    }
    assert!(names > 30, "{names} proofs");
    must_be_clean(&found);
}

#[test]
fn the_release_takes_the_bundles_from_where_they_are_made() {
    let text = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let script = text("scripts/bundle");
    let profile = script.split("--profile ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    let workflow = text(".github/workflows/release.yml");
    let taken: Vec<&str> = workflow.lines().map(str::trim).filter(|line| line.contains("/bundle/")).collect();
    assert_eq!(taken.len(), 2, "{taken:?}");
    for path in taken {
        assert!(path.contains(&format!("/{profile}/bundle/")), "{path} is not where profile {profile} has its bundles");
    }
}
