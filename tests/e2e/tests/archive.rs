//! What the desktop hands over to the real app: a double-clicked archive, which asks before anything of it runs, and links,
//! which show a run and do nothing else.
#![expect(clippy::unwrap_used, reason = "tests may, and the lint overlooks the functions beside them")]

use std::ffi::OsStr;

use footplate_e2e::{Desk, PATIENCE, Window};
use footplate_testkit::until;
use serde_json::{Value, json};

const PIPELINE: &str = r#"format = 1
name = "demo"
title = "A stranger's demo"
[stages.train]
command = ["sh", "{{ pipeline.dir }}/train.sh"]
"#;

/// A word of the page, as it stands in words/.
fn word(key: &str) -> String {
    let words: Value = serde_json::from_str(include_str!("../../../words/en.json")).unwrap();
    words[key].as_str().unwrap().to_owned()
}

/// An archive as another machine made it.
fn archive(desk: &Desk) -> std::path::PathBuf {
    let script = format!("touch {}\n", desk.bench.work().join("ran").display());
    desk.bench.write("project/footplate.toml", PIPELINE);
    desk.bench.write("project/train.sh", script);
    for line in ["template add project", "template export demo a.footplate", "template rm demo"] {
        let _ = desk.bench.run(&line.split(' ').collect::<Vec<_>>()).expect(0);
    }
    desk.bench.work().join("a.footplate")
}

/// What the desktop does for a double-click, or a browser for a link.
fn hand_over(desk: &Desk, what: impl AsRef<OsStr>) {
    let second = desk.bench.command(Desk::app()).arg(what).status().unwrap();
    assert!(second.success(), "{second:?}");
}

#[track_caller]
fn until_at(window: &Window<'_>, route: &str) {
    let at = || window.script("return location.hash", &[]);
    until(PATIENCE, &format!("the view is {route}"), || at() == Ok(json!(format!("#/{route}"))));
}

fn runs(window: &Window<'_>) -> Value {
    let query = json!({ "statuses": [], "queue": null, "experiment": null, "search": null, "limit": 10, "offset": 0 });
    window.invoke("list", &json!({ "query": query })).unwrap()["total"].clone()
}

#[test]
fn a_double_clicked_archive_asks_in_the_first_window_and_runs_only_after_consent() {
    let desk = Desk::new();
    let file = archive(&desk);
    let ran = desk.bench.work().join("ran");
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows(&word("empty.title"));
    let app = desk.app_process().unwrap().pid;
    hand_over(&desk, &file);
    until_at(&window, "consent/demo");
    assert_eq!(desk.app_process().map(|found| found.pid), Some(app));
    window.shows("A stranger's demo");
    window.shows("sh '{{ pipeline.dir }}/train.sh'");
    window.shows("train.sh");
    desk.picture(&window, "8-consent");

    // The page is no way around it.
    let placed = json!({ "name": null, "queue": null, "priority": null, "not_before": null, "after": [] });
    let mut request = json!({ "kind": "template", "template": "demo", "preset": null, "params": {} });
    request.as_object_mut().unwrap().extend(placed.as_object().unwrap().clone());
    let refused = window.invoke("start", &json!({ "request": request })).unwrap_err();
    assert!(refused.contains("consent_missing"), "{refused}");
    let forged = window.invoke("allow_template", &json!({ "name": "demo", "hash": "0".repeat(64) })).unwrap_err();
    assert!(forged.contains("conflict"), "{forged}");
    for handle in ["", "../a.footplate", file.to_str().unwrap()] {
        assert!(window.invoke("open_archive", &json!({ "handle": handle })).unwrap_err().contains("not_found"));
    }
    assert_eq!(runs(&window), json!(0));
    assert!(!ran.exists());

    window.click(&word("consent.allow"));
    until_at(&window, "templates");
    let started = window.invoke("start", &json!({ "request": request })).unwrap();
    desk.bench.until_status(started["number"].as_i64().unwrap(), "completed", PATIENCE);
    assert!(ran.exists());

    // The same file again is known; one that cannot be used gets a sentence.
    hand_over(&desk, &file);
    until_at(&window, "consent/demo");
    window.shows(&word("consent.allowed"));
    let broken = desk.bench.write("broken.footplate", "PK");
    hand_over(&desk, broken);
    window.shows("not a zip file");
    window.close();
}

#[test]
fn a_link_shows_a_run_and_a_hostile_one_does_nothing() {
    let desk = Desk::new();
    let number = desk.bench.add(&["--name", "linked"], &["true"]);
    desk.bench.until_status(number, "completed", PATIENCE);
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows("linked");
    hand_over(&desk, format!("footplate://run/{number}"));
    until_at(&window, &format!("run/{number}"));
    window.go("settings");
    window.shows(&word("set.look"));
    let listen = "window.went = []; addEventListener('hashchange', () => window.went.push(location.hash))";
    window.script(listen, &[]).unwrap();
    for hostile in [
        "footplate://run/1/cancel",
        "footplate://run/1?retry",
        "footplate://start/digits",
        "footplate://new?template=digits",
        "footplate://open/x",
        "footplate://consent/demo",
        "footplate://run/../templates",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://example.org/a.footplate",
    ] {
        hand_over(&desk, hostile);
    }
    // Each is heard before the next: what comes of a good one at the end is all that came.
    hand_over(&desk, "footplate://run/1");
    until_at(&window, "run/1");
    assert_eq!(window.script("return window.went", &[]), Ok(json!(["#/run/1"])));
    assert_eq!(runs(&window), json!(1));
    assert_eq!(desk.bench.status(number), "completed");
    let names = std::fs::read_dir(desk.bench.data().join("templates")).map_or(0, Iterator::count);
    assert_eq!(names, 0, "something was unpacked");
    window.close();
}

#[test]
fn what_is_dropped_on_the_window_is_asked_about_run_or_trained_on() {
    let desk = Desk::new();
    let file = archive(&desk);
    let takes = PIPELINE.replace("[stages", "[params.data]\ntype = \"dataset\"\ntitle = \"Data\"\n[stages");
    let takes = desk.bench.write("takes/footplate.toml", takes.replace("\"demo\"", "\"takes\""));
    let data = desk.bench.write("chats of ours.jsonl", "{\"a\": 1}\n{\"a\": \n");
    let script = desk.bench.write("train.py", "print(1)\n");
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows(&word("empty.title"));
    desk.drop_on_window(&[&file]);
    until_at(&window, "consent/demo");
    // A folder with a pipeline comes from elsewhere, too.
    desk.drop_on_window(&[takes.parent().unwrap()]);
    until_at(&window, "consent/takes");
    window.click(&word("consent.allow"));
    until_at(&window, "templates");
    desk.drop_on_window(&[&script]);
    window.shows(&word("script.args"));
    window.shows("train.py");
    desk.drop_on_window(&[&data]);
    window.shows("chats of ours.jsonl");
    let card = "const all = [...document.querySelectorAll('.template')];
        const card = all.find((e) => e.innerText.includes('takes')); card?.click(); return card !== undefined";
    until(PATIENCE, "the template is there", || window.script(card, &[]) == Ok(Value::Bool(true)));
    // It is looked into at once: the shell gave it out itself.
    window.shows("is not JSON");
    desk.picture(&window, "11-dropped");
    assert_eq!(runs(&window), json!(0), "nothing is started");
    assert!(!desk.bench.work().join("ran").exists());
    window.close();
}

#[test]
fn a_first_start_with_an_archive_opens_the_page_that_asks() {
    let desk = Desk::new();
    let file = archive(&desk);
    let driver = desk.driver();
    let window = driver.open_with(&Desk::app(), &[file.to_str().unwrap()]);
    until_at(&window, "consent/demo");
    window.click(&word("consent.discard"));
    until_at(&window, "templates");
    assert!(!desk.bench.data().join("templates/demo").exists());
    window.close();
}
