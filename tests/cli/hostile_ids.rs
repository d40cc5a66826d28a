//! A hundred hostile ids to every verb that takes a run, and a hundred hostile paths: no file is touched, and the exit code says why.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use common::{ended, pipeline, run, words};
use footplate_testkit::Bench;

/// What can be no run's name here, each in a way of its own.
fn ids(victim: &Path) -> Vec<String> {
    let mut all: Vec<String> = [
        "",
        " ",
        "../../x",
        "..",
        ".",
        "/",
        "/etc/passwd",
        "~/x",
        "#",
        "#x",
        "##1",
        "'; DROP TABLE run; --",
        "\" OR 1=1",
        "%",
        "____",
        "*",
        "%2e%2e%2f",
        "a\nb",
        "a\u{1b}[2Jb",
        "\u{202e}1",
        "9999999999999999999999",
        "0",
        "1.0",
        "1e3",
        "0x1",
        "１",
        "NaN",
        "null",
        "$(touch made)",
        "`touch made`",
        "; touch made",
        "| touch made",
        "{{ run.dir }}",
        "\\",
        "\u{0}".trim_matches('\0'),
        "file:///etc/passwd",
        "footplate://run/1",
        "CON",
        "true",
        "[]",
        "{}",
        "1,2",
        "1 2",
        "1..9",
        "{1..9}",
        "?",
        "-",
        "\u{feff}1",
        "\u{200b}",
    ]
    .map(String::from)
    .to_vec();
    all.push("x".repeat(10_000));
    all.push(victim.display().to_string());
    all.push(format!("{}/../victim", victim.display()));
    let rest = 100 - all.len();
    all.extend((0..rest).map(|n| format!("{}x{n}", "../".repeat(1 + n % 9))));
    all
}

/// Everything below as it is: kind, length, mode, content. What the owner writes by itself while it is there is left out.
fn tree(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let of_the_owner = ["owner.", "state.", "presence", "bell", "ballast", "bin", "backups"];
        if of_the_owner.iter().any(|own| name.starts_with(own)) && root.ends_with("data") {
            continue;
        }
        let facts = path.symlink_metadata().unwrap();
        if facts.is_dir() {
            found.extend(tree(&path));
        }
        let content = if facts.is_file() {
            fs::read(&path).map(|bytes| format!("{:?}", bytes.len())).unwrap()
        } else {
            String::new()
        };
        found.insert(
            path,
            format!("{:?} {:o} {content}", facts.file_type(), std::os::unix::fs::MetadataExt::mode(&facts)),
        );
    }
    found
}

#[track_caller]
fn assert_same(before: &BTreeMap<PathBuf, String>, after: &BTreeMap<PathBuf, String>) {
    let other = |one: &BTreeMap<PathBuf, String>, two: &BTreeMap<PathBuf, String>| -> Vec<String> {
        one.iter()
            .filter(|(path, facts)| two.get(*path) != Some(facts))
            .map(|(path, facts)| format!("{path:?} {facts}"))
            .collect()
    };
    assert_eq!(other(before, after), other(after, before), "before, and after");
}

#[test]
fn a_hundred_hostile_ids_to_every_verb_touch_no_file() {
    let bench = Bench::new();
    let number = bench.add(&["--name", "here"], &["true"]);
    ended(&bench, number);
    let victim = bench.root().join("victim");
    fs::write(&victim, "precious").unwrap();
    let all = ids(&victim);
    assert_eq!(all.len(), 100);
    let before = tree(bench.root());
    // Each verb with its own share of the ids, some with all: a hundred for every one would be three thousand processes.
    let verbs = [
        "show",
        "watch",
        "wait",
        "report",
        "logs",
        "metrics",
        "checkpoints",
        "alerts",
        "cancel",
        "pause",
        "unpause",
        "retry",
        "resume",
        "start",
        "set --priority 1",
        "move --to 1",
        "rename",
        "tag",
        "rm --files",
        "compare",
        "run --like",
        "template add --run",
    ];
    let mut asked = 0;
    for (place, verb) in verbs.iter().enumerate() {
        let share = if *verb == "rm --files" { 2 } else { 10 };
        for (_, id) in all.iter().enumerate().filter(|(n, _)| n % share == place % share) {
            let mut args: Vec<&OsStr> = verb.split(' ').map(OsStr::new).collect();
            let joined = [format!("--like={id}"), format!("--run={id}")];
            match *verb {
                "run --like" => _ = std::mem::replace(&mut args[1], OsStr::new(&joined[0])),
                "template add --run" => _ = std::mem::replace(&mut args[2], OsStr::new(&joined[1])),
                _ => args.extend([OsStr::new("--"), OsStr::new(id)]),
            }
            match *verb {
                "rename" | "tag" => args.push(OsStr::new("new")),
                "compare" => args.push(OsStr::new("1")),
                _ => {}
            }
            let output = bench.run(&args);
            assert!([3, 4].contains(&output.code), "{args:?}: {output:?}");
            assert!(!output.stderr.is_empty() && output.stderr.len() < 1500, "{args:?}: {}", output.stderr);
            asked += 1;
        }
    }
    assert!(asked >= 250, "{asked}");
    assert_same(&before, &tree(bench.root()));
    assert_eq!(bench.run(&words("list --json")).expect(0).json().as_array().unwrap().len(), 1);
}

#[test]
fn a_hundred_hostile_names_of_archives_and_templates_touch_no_file() {
    let bench = Bench::new();
    let victim = bench.root().join("victim.footplate");
    fs::write(&victim, "precious").unwrap();
    // The store, and what is made for templates of one's own, are there before.
    let _ = bench.run(&words("list")).expect(0);
    let _ = bench.run(&words("template rm nothing")).expect(4);
    let before = tree(bench.root());
    for (n, text) in ids(&victim).iter().enumerate() {
        let args: [&OsStr; 4] = match n % 5 {
            0 => ["template", "show", "--", text].map(OsStr::new),
            1 => ["template", "rm", "--", text].map(OsStr::new),
            2 => ["template", "consent", "--", text].map(OsStr::new),
            3 => ["template", "import", "--", text].map(OsStr::new),
            _ => ["run", "--detach", "--", text].map(OsStr::new),
        };
        let output = bench.run(&args);
        assert!([3, 4, 6].contains(&output.code), "{args:?}: {output:?}");
    }
    assert_same(&before, &tree(bench.root()));
}

#[test]
fn a_hundred_hostile_paths_of_checkpoints_and_outputs_leave_the_victim_as_it_is() {
    let bench = Bench::new();
    let victims = bench.root().join("victims");
    fs::create_dir(&victims).unwrap();
    for name in ["a.pt", "b.pt", "keep.txt"] {
        fs::write(victims.join(name), "precious").unwrap();
    }
    let away = victims.display();
    // Told as checkpoints by the program, each with a better value than the last, so that all but one are to go.
    let program = format!(
        r####"
import json, os
victims = {victims:?}
paths = ["/etc/passwd", "/etc/shadow", "/", ".", "..", "~", "", " ", "-rf", "\u0000x", "a\nb", "\u202ex", "x" * 5000, "/dev/null", "/proc/self/mem"]
paths += [victims, victims + "/a.pt", victims + "/../victims/b.pt", "link.pt", "folder/a.pt", "hard.pt", "file://" + victims + "/a.pt"]
paths += ["../" * n + "victims/a.pt" for n in range(1, 40)] + ["ckpt/" + "../" * n + "a.pt" for n in range(1, 40)]
os.symlink(victims + "/a.pt", "link.pt")
os.symlink(victims, "folder")
os.link(victims + "/b.pt", "hard.pt")
os.makedirs("ckpt", exist_ok=True)
os.symlink(victims + "/a.pt", "ckpt/9.pt")
for n in range(8):
    open(f"ckpt/{{n}}.pt", "w").write("mine")
paths += [f"ckpt/{{n}}.pt" for n in range(10)]
assert len(paths) >= 100, len(paths)
for step, path in enumerate(paths):
    print("##PROGRESS##" + json.dumps({{"step": step, "checkpoint": path, "metrics": {{"val_loss": step}}}}) + "##", flush=True)
"####,
        victims = away.to_string()
    );
    bench.write("hostile.py", program);
    let stages = "[stages.main]\ncommand = [\"python3\", \"hostile.py\"]\n\
                  checkpoints = { files = \"ckpt/*.pt\", metric = \"val_loss\", mode = \"max\", keep_best = 1, keep_last = 1 }\n\
                  outputs = { up = \"../victims/a.pt\", away = \"/etc/passwd\" }\n";
    let path = pipeline(&bench, "paths", stages);
    let before = tree(&victims);
    let done = run(&bench, &path, &[]);
    assert_eq!(done["status"], "completed", "{done:#}");
    let listed = bench.run(&words("checkpoints 1 --json")).expect(0).json();
    assert!(listed.as_array().unwrap().len() > 3, "{listed:#}");
    let _ = bench.run(&words("checkpoints 1 --clean")).expect(0);
    for from in ["/etc/passwd", "../victims/a.pt", "link.pt", "..", "/"] {
        let output = bench.run(&["resume", "1", "--from", from]);
        assert!([3, 4, 5].contains(&output.code), "{from}: {output:?}");
    }
    // A run's folder, and a link in it, that lead elsewhere.
    let run_dir = bench.data().join("runs").join(done["id"].as_str().unwrap());
    fs::remove_dir_all(&run_dir).unwrap();
    std::os::unix::fs::symlink(&victims, &run_dir).unwrap();
    let _ = bench.run(&words("rm 1 --files"));
    assert_same(&before, &tree(&victims));
    assert!(fs::read(victims.join("a.pt")).unwrap() == b"precious");
}
