//! The real app, driven as by a person: through its window, its tray and its notifications. It waits for conditions only.
#![expect(clippy::unwrap_used, reason = "tests may, and the lint overlooks the functions beside them")]

use std::fs;
use std::path::PathBuf;

use footplate_e2e::{Desk, Driver, PATIENCE, status, until_status, word};
use footplate_testkit::{Pretend, until};
use serde_json::{Value, json};

/// A training that reports until 60 %, and goes on when its gate is opened.
struct Gated {
    training: Pretend,
    gate: PathBuf,
}

impl Gated {
    fn new(desk: &Desk, name: &str) -> Gated {
        let gate = desk.bench.work().join(format!("{name}.gate"));
        let body = format!(
            "GATE = {:?}
for epoch in range(1, 51):
    print('##PROGRESS##{{\"epoch\": %d, \"epochs\": 50, \"progress\": %f, \"metrics\": {{\"val_accuracy\": %f}}}}##' % (epoch, epoch / 50, 1 - 1 / (epoch + 1)), flush=True)
    print('epoch %d is over' % epoch, flush=True)
    while epoch >= 30 and not os.path.exists(GATE):
        time.sleep(0.02)
    time.sleep(0.01)
note('end')",
            gate.display().to_string()
        );
        Gated { training: Pretend::python(&desk.bench.work(), &format!("{name}.py"), &body), gate }
    }

    fn open(&self) {
        fs::write(&self.gate, "").unwrap();
    }
}

/// A template of one stage in the place of the sample, which takes minutes to build: the page starts it all the same.
fn sample(desk: &Desk) -> Gated {
    let gated = Gated::new(desk, "sample");
    let _ = desk.bench.run(&["list"]).expect(0);
    let folder = desk.bench.data().join("templates/digits");
    fs::create_dir_all(&folder).unwrap();
    let command = gated.training.argv().iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ");
    let text = format!(
        "format = 1\nname = \"digits\"\ntitle = \"Handwritten digits\"\n[stages.train]\ncommand = [{command}]\nqueue = \"training\"\n"
    );
    fs::write(folder.join("footplate.toml"), text).unwrap();
    // It was put there by hand, and asks like all that was.
    let _ = desk.bench.run(&["template", "consent", "digits"]).expect(0);
    gated
}

#[test]
fn the_sample_starts_in_one_click_and_outlives_the_app_and_the_owner() {
    let desk = Desk::new();
    let sample = sample(&desk);
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows(&word("empty.title"));
    desk.picture(&window, "1-empty");
    window.click(&word("empty.sample"));
    window.shows("digits-1");
    until_status(&window, 1, "running");
    let shown = footplate_testkit::holds_within(PATIENCE, || desk.bus.tray_label().as_deref() == Some("60%"));
    assert!(shown, "the tray does not show how far it is: {}", desk.bus.trays());
    let items = desk.bus.tray_items();
    assert!(items.iter().any(|item| item.text.contains("digits-1") && item.text.contains("60")), "{items:?}");
    window.shows("60");
    desk.picture(&window, "2-run");
    window.go("queue");
    window.shows("digits-1");
    window.shows(&word("now.title"));
    desk.picture(&window, "3-queue");

    // The app alone: nothing happens to the run.
    let owner = desk.bench.owner().expect("somebody decides");
    desk.kill_app();
    drop(window);
    drop(driver);
    assert_eq!(desk.bench.owner(), Some(owner));
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows("digits-1");
    assert_eq!(status(&window, 1), "running");
    assert_eq!(desk.bench.owner(), Some(owner), "the owner is the same");

    // The app and the owner: the run goes on, and is found again.
    desk.kill_app();
    drop(window);
    drop(driver);
    assert!(desk.bench.kill_owner());
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows("digits-1");
    window.shows("went on while Footplate was away");
    desk.picture(&window, "4-found-again");
    until_status(&window, 1, "running");
    sample.open();
    let notification = desk.bus.notified("digits-1 is done");
    assert!(notification.body.starts_with("val_accuracy 0.9804, in "), "{notification:?}");
    until_status(&window, 1, "completed");
    window.shows(&word("ended.title"));
    window.shows(&word("status.completed"));
    desk.picture(&window, "5-completed");
    assert_eq!(sample.training.starts(), 1, "it ran once");
    window.close();
}

#[test]
fn a_log_is_read_a_run_is_stopped_and_a_failure_is_explained() {
    let desk = Desk::new();
    let talks = Gated::new(&desk, "talks");
    let fails =
        Pretend::python(&desk.bench.work(), "fails.py", "print('about to fail')\nraise ValueError('no such data')");
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows(&word("empty.title"));

    let talking = desk.bench.add(&["--name", "talker"], &talks.training.argv());
    window.shows("talker");
    window.go(&format!("run/{talking}/log"));
    window.shows("epoch 30 is over");
    desk.picture(&window, "6-log");
    let page = json!({ "query": { "number": talking, "stage": null, "attempt": null, "mode": "bars" }, "from": -2, "count": 2 });
    let page = window.invoke("log", &page).unwrap();
    assert_eq!(page["lines"][1]["text"], "epoch 30 is over", "{page}");
    assert_eq!(page["lines"][1]["n"], page["total"]);
    window.click(&word("action.cancel"));
    until_status(&window, talking, "cancelled");
    window.shows(&word("status.cancelled"));

    let failing = desk.bench.add(&["--name", "failer"], &fails.argv());
    let notification = desk.bus.notified("failer failed");
    assert!(notification.body.starts_with("Python raised ValueError"), "{notification:?}");
    // A click on it opens the run.
    desk.bus.click(&notification);
    window.shows("Python raised ValueError");
    window.shows("Its message: no such data.");
    window.shows(&word("failure.there"));
    desk.picture(&window, "7-failed");
    until(PATIENCE, "its view is open", || {
        window.script("return location.hash", &[]).is_ok_and(|hash| hash == format!("#/run/{failing}"))
    });
    let items = || desk.bus.tray_items();
    until(PATIENCE, "the tray says that one needs a look", || {
        items().iter().any(|item| item.text.contains("1 run needs a look"))
    });
    window.close();
}

#[test]
fn the_tray_pauses_and_leaves_and_a_second_start_shows_the_first() {
    let desk = Desk::new();
    let gated = Gated::new(&desk, "long");
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows(&word("empty.title"));
    let number = desk.bench.add(&["--name", "long"], &gated.training.argv());
    until_status(&window, number, "running");
    desk.bus.choose("Pause all");
    until_status(&window, number, "paused");
    desk.bus.choose("Continue all");
    until_status(&window, number, "running");

    let app = desk.app_process().unwrap().pid;
    let second = desk.bench.command(Desk::app()).status().unwrap();
    assert!(second.success(), "{second:?}");
    assert_eq!(desk.app_process().map(|found| found.pid), Some(app));

    desk.bus.choose("Quit");
    until(PATIENCE, "the app has left", || desk.app_process().is_none());
    let notification = desk.bus.notified("Runs go on");
    assert!(!notification.body.is_empty());
    assert_eq!(desk.bench.status(number), "running");
    gated.open();
    desk.bench.until_status(number, "completed", PATIENCE);
    drop(window);
}

#[test]
fn a_start_takes_the_place_of_an_app_that_ends_while_it_is_asked() {
    let desk = Desk::new();
    let _first = desk.bus.dying_app();
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows(&word("empty.title"));
    window.close();
}

#[test]
fn a_closed_window_waits_in_the_tray_and_tells_how_it_ended() {
    let desk = Desk::new();
    let gated = Gated::new(&desk, "long");
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows(&word("empty.title"));
    let number = desk.bench.add(&["--name", "long"], &gated.training.argv());
    until_status(&window, number, "running");
    let seen = |state: &str| {
        until(PATIENCE, &format!("the window is {state}"), || {
            window.script("return document.visibilityState", &[]) == Ok(json!(state))
        });
    };
    seen("visible");
    desk.close_window();
    let said = desk.bus.notified("Footplate is in the tray");
    assert!(said.body.contains("Quit"), "{said:?}");
    seen("hidden");
    gated.open();
    let told = desk.bus.notified("long is done");
    assert!(desk.app_process().is_some());
    desk.bus.choose("Open Footplate");
    seen("visible");
    window.shows(&word("status.completed"));
    // It is said once only.
    desk.close_window();
    seen("hidden");
    desk.bus.click(&told);
    seen("visible");
    window.shows("long");
    assert_eq!(desk.bus.count("Footplate is in the tray"), 1);
    window.close();
}

#[test]
fn settings_are_put_into_effect_and_kept() {
    let desk = Desk::new();
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows(&word("empty.title"));
    let mut settings = window.invoke("settings", &json!({})).unwrap();
    settings["language"] = json!("zh-CN");
    settings["start_at_login"] = json!(true);
    let stored = window.invoke("set_settings", &json!({ "settings": settings })).unwrap();
    assert_eq!(stored, settings);
    let entry = desk.bench.root().join("home/.config/autostart/Footplate.desktop");
    assert!(fs::read_to_string(&entry).is_ok_and(|text| text.contains("--hidden")), "{}", entry.display());
    until(PATIENCE, "the tray speaks Chinese", || desk.bus.tray_items().iter().any(|item| item.text.contains("退出")));
    let draft = json!({ "step": 3, "text": "é<b>" });
    assert_eq!(window.invoke("set_draft", &json!({ "draft": draft })), Ok(Value::Null));
    let wrong = json!({ "settings": { "quiet_from": "25:00" } });
    assert!(window.invoke("set_settings", &wrong).unwrap_err().contains("invalid"));
    desk.kill_app();
    drop(window);
    drop(driver);
    let driver: Driver = desk.driver();
    let window = driver.open(&Desk::app());
    until(PATIENCE, "the settings are kept", || window.invoke("settings", &json!({})).as_ref() == Ok(&settings));
    assert_eq!(window.invoke("draft", &json!({})), Ok(draft));
    window.close();
}

#[test]
fn the_page_can_ask_for_nothing_but_the_commands_and_goes_nowhere() {
    let desk = Desk::new();
    let hostile = "<img src=x onerror=\"window.owned=1\">";
    let _ = desk.bench.add(&["--name", hostile], &["sh", "-c", "echo '<script>window.owned=1</script>'; exit 3"]);
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows("onerror");
    window.go("run/1/log");
    window.shows("<script>window.owned=1</script>");
    assert_eq!(window.script("return window.owned ?? null", &[]), Ok(Value::Null));
    for command in [
        "plugin:window|close",
        "plugin:window|create",
        "plugin:webview|create_webview_window",
        "plugin:fs|read_text_file",
        "plugin:shell|execute",
        "plugin:http|fetch",
        "plugin:opener|open_path",
        "plugin:opener|open_url",
        "plugin:dialog|open",
        "plugin:notification|notify",
        "plugin:clipboard-manager|read_text",
        "plugin:autostart|enable",
        "plugin:path|resolve_directory",
        "plugin:event|emit",
        "plugin:app|version",
        "quit",
    ] {
        let answer =
            window.invoke(command, &json!({ "path": "/etc/passwd", "label": "main", "url": "https://example.org" }));
        assert!(answer.is_err(), "{command}: {answer:?}");
    }
    let odd = window.invoke("reveal", &json!({ "number": 1, "file": "../../state.db" })).unwrap_err();
    assert!(odd.contains("not_found"), "{odd}");
    let clean = json!({ "number": null, "wish": { "kind": "clean", "args": { "older_than_ms": 0 } } });
    assert!(window.invoke("wish", &clean).unwrap_err().contains("refused"));
    let before = window.script("return location.href", &[]).unwrap();
    for place in [
        "https://example.org/",
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
        "data:text/html,<h1>other</h1>",
        "about:blank",
    ] {
        let _ = window.script("const a = document.createElement('a'); a.href = arguments[0]; document.body.append(a); a.click(); a.remove(); location.assign(arguments[0])", &[json!(place)]);
        let opened = window.script("return window.open(arguments[0]) === null", &[json!(place)]);
        assert_eq!(opened, Ok(Value::Bool(true)), "{place}");
        assert_eq!(window.script("return location.href", &[]).as_ref(), Ok(&before), "{place}");
    }
    assert!(window.has("#app, body"));
    let remote = window.script(
        "const s = document.createElement('script'); s.textContent = 'window.owned = 2'; document.head.append(s);
         return window.owned ?? null",
        &[],
    );
    assert_eq!(remote, Ok(Value::Null), "a script within the page ran");
    window.close();
}

#[test]
fn the_window_is_not_empty_where_the_system_names_no_language() {
    for language in ["C", "POSIX", "", "xx_YY.UTF-8"] {
        let desk = Desk::speaking(language);
        let driver = desk.driver();
        let window = driver.open(&Desk::app());
        window.shows(&word("empty.title"));
        window.close();
    }
}
