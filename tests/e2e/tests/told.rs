//! What is told while nobody looks: notifications whose click opens what they are about, and messages that outlive the app.
#![expect(clippy::unwrap_used, reason = "tests may, and the lint overlooks the functions beside them")]

use std::fs;

use footplate_e2e::{Desk, PATIENCE, Window, word};
use footplate_testkit::{Receiver, until};
use serde_json::json;

/// Waits until the window shows this view.
fn until_at(window: &Window<'_>, route: &str) {
    until(PATIENCE, &format!("{route} is open"), || {
        window.script("return location.hash", &[]).is_ok_and(|hash| hash == format!("#/{route}"))
    });
}

#[test]
fn a_silence_a_metric_and_a_full_disk_are_told_and_a_click_opens_what_each_is_about() {
    let mut desk = Desk::new();
    let free = desk.bench.root().join("free");
    let has = |mb: u64| {
        fs::write(free.with_extension("new"), (mb * 1_000_000).to_string()).unwrap();
        fs::rename(free.with_extension("new"), &free).unwrap();
    };
    has(100_000);
    desk.bench.set_env("FOOTPLATE_TEST_DISK_FREE", &free);
    let _ = desk.bench.run(&["disk", "--warning", "5GB", "--critical", "500MB"]).expect(0);
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows(&word("empty.title"));
    let nan = r#"##PROGRESS##{"step":1,"metrics":{"loss":"NaN"}}##"#;
    let file = desk.bench.write(
        "quiet.toml",
        format!(
            "format = 1\nname = \"quiet\"\n[stages.train]\nshell = '''echo '{nan}'; while [ ! -e go ]; do sleep 0.02; done'''\n\
             stall = \"1s\"\nalerts = [{{ metric = \"loss\", when = \"nan\" }}]\n"
        ),
    );
    let run = desk.bench.run(&["run", &file.display().to_string(), "--detach", "--name", "quiet", "--json"]);
    let number = run.expect(0).json()["number"].as_i64().unwrap();

    let alarm = desk.bus.notified("quiet needs a look");
    assert_eq!(alarm.body, "loss is nan.");
    desk.bus.click(&alarm);
    until_at(&window, &format!("run/{number}/metrics"));
    let silence = desk.bus.notified("quiet prints nothing");
    assert_eq!(silence.body, "No output for 1s.");
    desk.bus.click(&silence);
    until_at(&window, &format!("run/{number}/log"));
    has(4_000);
    let full = desk.bus.notified("The disk is nearly full");
    assert_eq!(full.body, "4GB are free. Nothing new starts below 5GB.");
    desk.bus.click(&full);
    until_at(&window, "machine");

    // What was seen gives alarm no more, at no door, though the program still runs.
    let open = || desk.bench.run(&["alerts", "--json"]).expect(0).json();
    assert_eq!(open().as_array().map(Vec::len), Some(1));
    let dismiss = json!({ "number": number, "wish": { "kind": "dismiss", "args": { "alert": null } } });
    assert_eq!(window.invoke("wish", &dismiss).unwrap()["done"], true);
    assert_eq!(open(), json!([]));
    fs::write(desk.bench.work().join("go"), "").unwrap();
    desk.bench.until_status(number, "completed", PATIENCE);
    let alerts = desk.bench.show(number)["alerts"].clone();
    assert!(alerts.as_array().unwrap().iter().all(|one| one["ended_at"].is_string()), "{alerts}");
    window.close();
}

#[test]
fn a_webhook_that_was_set_in_the_app_is_told_of_what_ends_after_the_app() {
    let desk = Desk::new();
    let receiver = Receiver::new();
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows(&word("empty.title"));
    window.go("settings");
    window.shows(&word("hook.address"));
    let typed = "const field = document.querySelector('#hook'); field.value = arguments[0]; \
                 field.dispatchEvent(new Event('input', { bubbles: true }))";
    let _ = window.script(typed, &[json!(receiver.url("/canary"))]).unwrap();
    window.click(&word("hook.test"));
    window.shows(&word("hook.taken").replace("{host}", &receiver.host()));
    assert_eq!(receiver.seen()[0].json()["kind"], "test");
    window.click(&word("hook.save"));
    window.shows(&receiver.host());
    desk.picture(&window, "webhook");
    assert!(!window.text().contains("canary"));
    let program = "while [ ! -e go ]; do sleep 0.02; done; exit 3";
    let number = desk.bench.add(&["--name", "night"], &["sh", "-c", program]);
    desk.bench.until_status(number, "running", PATIENCE);
    window.close();
    until(PATIENCE, "the app has left", || desk.app_process().is_none());
    fs::write(desk.bench.work().join("go"), "").unwrap();
    until(PATIENCE, "its end is told", || receiver.seen().len() == 2);
    let told = receiver.seen()[1].json();
    assert_eq!((&told["kind"], &told["title"]), (&json!("failed"), &json!("#1 night failed")));
    desk.bench.until_status(number, "failed", PATIENCE);
}
