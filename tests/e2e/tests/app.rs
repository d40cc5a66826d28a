//! The real app, driven as by a person: through its window, its tray and its notifications. It waits for conditions only.
#![expect(clippy::unwrap_used, reason = "tests may, and the lint overlooks the functions beside them")]

use std::fs;
use std::path::PathBuf;

use footplate_e2e::{Desk, Driver, PATIENCE, Window, status, until_status, word};
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
    let taskbar = desk.bus.taskbar();
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows(&word("empty.title"));
    desk.picture(&window, "1-empty");
    window.click(&word("empty.sample"));
    window.shows("digits-1");
    until_status(&window, 1, "running");
    let shown = footplate_testkit::holds_within(PATIENCE, || desk.bus.tray_label().as_deref() == Some("60%"));
    assert!(shown, "the tray does not show how far it is: {}", desk.bus.trays());
    taskbar.shows(Some(0.6), None);
    assert_eq!(taskbar.entry(), "application://Footplate.desktop");
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
    taskbar.shows(None, None);
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
    let taskbar = desk.bus.taskbar();
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
    taskbar.shows(None, Some(1));
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
fn where_nobody_shows_a_tray_a_closed_window_is_the_end_of_the_app_alone() {
    let desk = Desk::new();
    let gated = Gated::new(&desk, "long");
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows(&word("empty.title"));
    let number = desk.bench.add(&["--name", "long"], &gated.training.argv());
    until_status(&window, number, "running");
    desk.bus.panel_ends();
    desk.close_window();
    let said = desk.bus.notified("Runs go on");
    assert!(!said.body.is_empty());
    until(PATIENCE, "the app has left", || desk.app_process().is_none());
    assert_eq!(desk.bus.count("Footplate is in the tray"), 0);
    assert_eq!(desk.bench.status(number), "running");
    gated.open();
    desk.bench.until_status(number, "completed", PATIENCE);
    drop(window);
    // At login, too: who cannot wait in a tray is seen.
    let (screen, empty) = (desk.screen(), desk.screen().look());
    let mut app = desk.bench.command(Desk::app()).arg("--hidden").spawn().unwrap();
    until(PATIENCE, "its window is seen", || screen.look().differs(&empty) > 0.5);
    app.kill().unwrap();
    app.wait().unwrap();
}

#[test]
fn the_wizard_leads_from_the_gallery_to_a_started_run_by_keyboard_alone() {
    const ENTER: &str = "\u{E007}";
    const CONTROL: char = '\u{E009}';
    let desk = Desk::new();
    let _ = desk.bench.run(&["list"]).expect(0);
    let own = desk.bench.write(
        "echo/footplate.toml",
        r#"format = 1
name = "echo"
title = "An echo"
[params.epochs]
type = "integer"
default = 3
minimum = 1
title = "Epochs"
[params.word]
type = "string"
default = "nothing"
title = "Word"
[stages.say]
command = ["echo", "{{ params.word }} {{ params.epochs }}"]
"#,
    );
    let _ = desk.bench.run(&["template".as_ref(), "add".as_ref(), own.parent().unwrap().as_os_str()]).expect(0);
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows(&word("empty.title"));
    // By the letters for places, then from one thing to the next.
    window.keys("gt");
    window.shows(&word("templates.lead"));
    window.tab_to("An echo");
    window.keys(ENTER);
    window.shows(&word("how.title"));
    window.tab_to("Epochs");
    window.chord(CONTROL, 'a');
    // Below what is allowed first: it is said, and leads nowhere.
    window.keys("0");
    window.shows("1 setting to correct");
    window.chord(CONTROL, 'a');
    window.keys("7");
    window.tab_to("Word");
    window.chord(CONTROL, 'a');
    window.keys("by hand");
    window.tab_to(&word("wizard.continue"));
    window.keys(ENTER);
    window.shows(&word("when.title"));
    window.tab_to(&word("when.name"));
    window.keys("typed");
    window.chord(CONTROL, ENTER.chars().next().unwrap());
    window.shows(&word("check.ready"));
    desk.picture(&window, "9-by-keyboard");
    window.chord(CONTROL, ENTER.chars().next().unwrap());
    until(PATIENCE, "the run's view is open", || {
        window.script("return location.hash", &[]).is_ok_and(|hash| hash == "#/run/1")
    });
    until_status(&window, 1, "completed");
    let run = desk.bench.show(1);
    assert_eq!(run["name"], "typed");
    assert_eq!(run["params"], json!({ "epochs": 7, "word": "by hand" }));
    assert_eq!(desk.bench.run(&["logs", "1"]).expect(0).stdout.trim(), "by hand 7");
    window.close();
}

#[test]
fn a_command_that_failed_is_changed_and_runs_again_where_and_with_what_it_ran() {
    let mut desk = Desk::new();
    // Only the shell that it was added from knows this.
    desk.bench.set_env("ONLY_HERE", "from the terminal");
    let folder = desk.bench.write("project/data.txt", "42").parent().unwrap().to_owned();
    let line = "test \"$1\" = --lr=0.1 && echo \"$ONLY_HERE\" && cat data.txt";
    let cwd = folder.display().to_string();
    let number = desk.bench.add(&["--name", "tone", "--cwd", &cwd], &["sh", "-c", line, "train", "--lr=1"]);
    desk.bench.until_status(number, "failed", PATIENCE);
    desk.bench.set_env("ONLY_HERE", "from the app");
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.go(&format!("run/{number}"));
    window.click(&word("failure.change"));
    window.shows(&word("script.program"));
    let typed = "const e = document.querySelector('#s-args'); const before = e.value;
        e.value = before.replace('--lr=1', '--lr=0.1'); e.dispatchEvent(new Event('input')); return before";
    let before = window.script(typed, &[]).unwrap();
    assert!(before.as_str().is_some_and(|line| line.starts_with("-c ") && line.ends_with(" train --lr=1")), "{before}");
    desk.picture(&window, "12-changed");
    window.click(&word("wizard.continue"));
    window.click(&word("wizard.continue"));
    window.shows(&word("check.ready"));
    window.click_within(".wfoot", "Start training Ctrl ↩");
    until_status(&window, number + 1, "completed");
    assert_eq!(desk.bench.show(number + 1)["name"], "tone");
    let said = desk.bench.run(&["logs", &(number + 1).to_string()]).expect(0).stdout;
    assert_eq!(said.trim(), "from the terminal\n42");
    window.close();
}

/// The names of the ended runs that are in sight, as they stand on the page.
fn rows(window: &Window<'_>) -> Vec<String> {
    let script = "const view = document.querySelector('.body.scroll').getBoundingClientRect();
        return [...document.querySelectorAll('.ended .c-name')].filter((e) => {
            const box = e.getBoundingClientRect(); return box.top < view.bottom && box.bottom > view.top;
        }).map((e) => e.innerText)";
    serde_json::from_value(window.script(script, &[]).unwrap()).unwrap()
}

/// As the history calls them, the newest first.
fn digits(numbers: impl DoubleEndedIterator<Item = i64>) -> Vec<String> {
    numbers.rev().map(|number| format!("digits-{number}")).collect()
}

#[test]
fn a_hundred_thousand_runs_are_scrolled_through_and_found() {
    const ALL: i64 = 100_000;
    let desk = Desk::new();
    desk.has_history(ALL);
    let driver = desk.driver();
    let window = driver.open(&Desk::app());
    window.shows(&format!("digits-{ALL}"));
    window.shows("100,000");
    // To the run itself, somewhere far down, and to the very end.
    let scroll = "const list = document.querySelector('.virtual').getBoundingClientRect();
        const body = document.querySelector('.body.scroll');
        body.scrollTop += list.top - body.getBoundingClientRect().top + list.height * arguments[0] - 100";
    for (share, run) in [(0.5, ALL / 2), (0.9, ALL / 10), (0.25, ALL / 4 * 3)] {
        window.script(scroll, &[json!(share)]).unwrap();
        let near = |row: &String| row.strip_prefix("digits-").and_then(|n| n.parse::<i64>().ok()).unwrap();
        until(PATIENCE, &format!("{run} is in sight"), || rows(&window).iter().map(near).any(|n| n == run));
        let seen: Vec<i64> = rows(&window).iter().map(near).collect();
        assert!(seen.len() > 10, "{seen:?}");
        assert!(seen.windows(2).all(|two| two[0] == two[1] + 1), "one after the other: {seen:?}");
    }
    window.script(scroll, &[json!(1)]).unwrap();
    until(PATIENCE, "the first run is the last row", || rows(&window).last().is_some_and(|row| row == "digits-1"));
    desk.picture(&window, "10-far-down");

    // One of them, by name; then those that failed, and of these some.
    window.script("document.querySelector('.find input').focus()", &[]).unwrap();
    window.keys("77777");
    until(PATIENCE, "one is found", || rows(&window) == ["digits-77777"]);
    window.chord('\u{E009}', 'a');
    window.keys("00");
    window.click(&word("status.failed"));
    let failed = || (0..ALL / 1000).map(|thousand| thousand * 1000 + 7);
    let some = digits(failed().filter(|number| number.to_string().contains("90")));
    window.script("document.querySelector('.find input').focus()", &[]).unwrap();
    window.chord('\u{E009}', 'a');
    window.keys("90");
    assert_eq!(some.len(), 11);
    until(PATIENCE, "those that failed with a 90 in their name", || rows(&window) == some);
    window.chord('\u{E009}', 'a');
    window.keys("\u{E003}");
    until(PATIENCE, "all that failed, again", || rows(&window).get(1).is_some_and(|row| row == "digits-98007"));
    window.script(scroll, &[json!(1)]).unwrap();
    until(PATIENCE, "the last of all that failed", || rows(&window).last().is_some_and(|row| row == "digits-7"));
    window.click(&word("ended.all"));
    window.script(scroll, &[json!(0)]).unwrap();
    until(PATIENCE, "all again", || rows(&window).first().is_some_and(|row| *row == format!("digits-{ALL}")));
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
        "plugin:log|log",
        "quit",
    ] {
        let answer =
            window.invoke(command, &json!({ "path": "/etc/passwd", "label": "main", "url": "https://example.org", "level": 5, "message": "mine" }));
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
