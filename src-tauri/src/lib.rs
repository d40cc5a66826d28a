//! The shell: a window over [`footplate_engine`]'s `Client`, a tray, notifications. It is a guest like the command line:
//! its end stops nothing.
//!
//! Deliberately not here: what is decided about runs (the engine), SQL (the store), and how anything in the window looks
//! (ui/).

mod answer;
mod bridge;
mod commands;
mod desktop;
mod effects;
mod guest;
mod handover;
mod journal;
mod machine;
mod menu;
mod notify;
mod once;
mod picked;
mod schedules;
mod scripts;
mod settings;
mod shell;
mod sweeps;
mod taskbar;
mod templates;
mod tray;
mod webhook;
mod window;
mod words;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use footplate_engine::{Client, Home};
use tauri::{App, AppHandle, Manager, RunEvent};
use tauri_plugin_dialog::{DialogExt, MessageDialogKind};
use tauri_plugin_notification::NotificationExt;
use tauri_plugin_window_state::StateFlags;

use crate::bridge::Bridge;
use crate::effects::Effects;
use crate::scripts::Scripts;
use crate::settings::Settings;
use crate::shell::Shell;
use crate::words::Tongue;

/// Written behind the program by the start at login: wait in the tray.
const HIDDEN: &str = "--hidden";

/// Runs the app until its end.
#[expect(clippy::exit, reason = "what tauri's macro makes has one")]
pub fn run() -> ExitCode {
    let state = StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED;
    let built = tauri::Builder::default()
        // First: a second start only shows the window of the first.
        .plugin(tauri_plugin_single_instance::init(|app, arguments, cwd| second_start(app, &arguments, &cwd)))
        .plugin(journal::plugin())
        .plugin(tauri_plugin_window_state::Builder::default().with_state_flags(state).build())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_opener::Builder::new().open_js_links_on_click(false).build())
        .plugin(tauri_plugin_autostart::Builder::new().arg(HIDDEN).app_name("Footplate").build())
        .on_window_event(window::event)
        .setup(setup)
        .invoke_handler(tauri::generate_handler![
            bridge::subscribe,
            bridge::unsubscribe,
            commands::list,
            commands::show,
            commands::origin,
            commands::report,
            commands::metrics,
            commands::usage,
            commands::compare,
            commands::compare_csv,
            commands::log,
            commands::log_search,
            commands::files,
            commands::reveal,
            commands::wish,
            commands::pick_script,
            commands::script,
            commands::pick_path,
            commands::data,
            commands::sound,
            commands::check,
            commands::start,
            commands::draft,
            commands::set_draft,
            commands::machine,
            commands::machine_history,
            commands::settings,
            commands::set_settings,
            commands::copy,
            commands::save_text,
            commands::save_picture,
            schedules::schedule_times,
            schedules::schedule_definition,
            schedules::edit_schedule,
            schedules::add_schedule,
            schedules::repeat_run,
            schedules::run_schedule,
            sweeps::look_at_sweep,
            sweeps::check_sweep,
            sweeps::start_sweep,
            templates::templates,
            templates::reveal_template,
            templates::import_template,
            templates::open_archive,
            templates::add_template,
            templates::keep_run,
            templates::template_content,
            templates::allow_template,
            templates::export_template,
            templates::rename_template,
            templates::remove_template,
            webhook::webhook,
            webhook::set_webhook,
            webhook::try_webhook,
            webhook::remove_webhook,
        ])
        .build(tauri::generate_context!());
    let app = match built {
        Ok(app) => app,
        Err(error) => {
            let error = once::start_again(&error).unwrap_or_else(|| error.to_string());
            eprintln!("Footplate cannot be opened: {error}");
            return ExitCode::FAILURE;
        }
    };
    app.run(|app, event| {
        // macOS: a click on the Dock's icon; a file or a link that was opened.
        #[cfg(target_os = "macos")]
        match event {
            RunEvent::Reopen { .. } => window::show(app),
            RunEvent::Opened { urls } => {
                let urls: Vec<String> = urls.into_iter().map(String::from).collect();
                second_start(app, &urls, "/");
            }
            _ => {}
        }
        #[cfg(not(target_os = "macos"))]
        let _: (&AppHandle, RunEvent) = (app, event);
    });
    ExitCode::SUCCESS
}

fn setup(app: &mut App) -> Result<(), Box<dyn std::error::Error>> {
    let handle = app.handle().clone();
    journal::note_panics();
    log::info!("Footplate {} is open", app.package_info().version);
    let folder = app.path().app_config_dir()?;
    app.manage(Arc::new(Bridge::new()?));
    app.manage(Effects::default());
    // The web view's own processes take longest to start: first of all, and beside the rest.
    let opening = std::thread::Builder::new().name("store".into()).spawn(|| {
        let home = Home::locate(None)?;
        Client::open(home.clone()).map(|_| home)
    })?;
    window::build(app, std::env::args().any(|argument| argument == HIDDEN))?;
    // Without a data folder there is nothing to show but why; the window stays hidden.
    let home = match opening.join().map_err(|_| "opening the store failed")? {
        Ok(home) => home,
        Err(fault) => {
            log::error!("the data folder cannot be used: {}", fault.message);
            let text = std::iter::once(&fault.message).chain(&fault.hints).cloned().collect::<Vec<_>>().join("\n\n");
            let ended = handle;
            app.dialog().message(text).kind(MessageDialogKind::Error).title("Footplate").show(move |_| ended.exit(8));
            return Ok(());
        }
    };
    let shell = Arc::new(Shell::new(home, Settings::open(folder.clone()), Scripts::open(&folder)));
    shell.machine.begin();
    app.manage(Arc::clone(&shell));
    let bridge = Arc::clone(&app.state::<Arc<Bridge>>());
    let settings = shell.settings.get();
    app.state::<Effects>().show_tray(&handle, &settings);
    menu::show(&handle, Tongue::of(settings.language));
    window::theme(&handle, settings.theme);
    let arguments: Vec<String> = std::env::args_os().skip(1).filter_map(|text| text.into_string().ok()).collect();
    handover::open(&handle, &arguments, &std::env::current_dir().unwrap_or_default());
    handover::open_early(&handle);
    let clicked = handle.clone();
    app.notification().on_action(move |action| {
        window::open(&clicked, notify::route_of(action).as_deref());
    })?;
    let watched = Arc::clone(&shell);
    std::thread::Builder::new().name("bridge".into()).spawn(move || {
        let effects = handle.state::<Effects>();
        bridge.watch(&watched, &|live, news| effects.picture(&handle, &watched, live, news), &|| {
            effects.turn(&handle, &watched)
        });
    })?;
    // Asked early: the first run should not wait for a slow shell.
    std::thread::Builder::new().name("environment".into()).spawn(move || drop(shell.environment()))?;
    Ok(())
}

/// `arguments` as they were typed, the program among them: it is no archive.
fn second_start(app: &AppHandle, arguments: &[String], cwd: &str) {
    window::show(app);
    handover::open(app, arguments, Path::new(cwd));
}

#[cfg(test)]
mod tests;
