//! What settings and the state of things bring about outside the window: tray, taskbar, notifications, power, the start at login.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use footplate_core::RunStatus;
use footplate_core::view::RunView;
use footplate_engine::client::live::{Ended, Live, News, Raised};
use footplate_engine::client::{Wish, WishRequest};
use keepawake::KeepAwake;
use tauri::{AppHandle, Manager};
use tauri_plugin_autostart::ManagerExt;

use crate::answer::{Answer, broken, lock};
use crate::settings::Values;
use crate::shell::Shell;
use crate::taskbar::Taskbar;
use crate::tray::{Choice, Tray};
use crate::words::Tongue;
use crate::{menu, notify, tray, window};

/// How long a last notification may take to be sent.
const NOTIFIED: Duration = Duration::from_millis(500);

/// What is held by the app besides its window.
#[derive(Default)]
pub(crate) struct Effects {
    /// `None` in it: this desktop has none.
    tray: OnceLock<Option<Tray>>,
    taskbar: Taskbar,
    awake: Mutex<Option<KeepAwake>>,
    live: Mutex<Option<Live>>,
}

impl Effects {
    /// Puts the icon into the tray.
    pub(crate) fn show_tray(&self, app: &AppHandle, settings: &Values) {
        let tongue = Tongue::of(settings.language);
        self.tray.get_or_init(|| Tray::new(app, tongue, chosen).ok());
    }

    /// Whether there is a tray to hide in: the icon was made, and the desktop shows it.
    pub(crate) fn has_tray(&self) -> bool {
        self.tray.get().is_some_and(Option::is_some) && tray::is_shown()
    }

    /// A new picture, and what ended or gave alarm since the one before.
    pub(crate) fn picture(&self, app: &AppHandle, shell: &Shell, live: &Live, news: &News) {
        *lock(&self.live) = Some(live.clone());
        self.refresh(app, &shell.settings.get());
        for Raised { run, name, alert } in &news.raised {
            let settings = shell.settings.get();
            let tongue = Tongue::of(settings.language);
            if let Some(message) = notify::alarm(name, alert, &settings, notify::minute_now(), tongue) {
                notify::show(app, &message, Some(&notify::alert_route(*run, alert.facts.kind)));
            }
        }
        for Ended { run, .. } in &news.ended {
            // Gone meanwhile: nothing to tell.
            if let Ok(view) = shell.read(|client| client.show(*run)) {
                tell(app, shell, &view);
            }
        }
    }

    /// Time has passed. Tells after how much of it something is to be done here, where nothing else happens.
    pub(crate) fn turn(&self, app: &AppHandle, shell: &Shell) -> Option<Duration> {
        let due = self.tray.get().and_then(Option::as_ref).and_then(Tray::settle);
        // Where nothing is to run a full disk is nobody's trouble yet.
        if self.works()
            && let Some(disk) = shell.machine.fuller()
        {
            let settings = shell.settings.get();
            let tongue = Tongue::of(settings.language);
            if let Some(message) = notify::fuller(&disk, &settings, notify::minute_now(), tongue) {
                notify::show(app, &message, Some(notify::DISK_ROUTE));
            }
        }
        due
    }

    /// Shows the newest picture by these settings.
    fn refresh(&self, app: &AppHandle, settings: &Values) {
        let live = lock(&self.live).clone();
        let Some(live) = live else { return };
        if let Some(Some(tray)) = self.tray.get() {
            // A tray that went with its panel comes back with the next picture.
            let _ = tray.show(app, &live, Tongue::of(settings.language));
        }
        self.taskbar.show(app, &live);
        let works = live.active.iter().any(|run| run.status == RunStatus::Running);
        self.keep_awake(settings.keep_awake && works);
    }

    fn keep_awake(&self, wanted: bool) {
        let mut awake = lock(&self.awake);
        if wanted && awake.is_none() {
            let mut asked = keepawake::Builder::default();
            asked
                .idle(true)
                .reason("A run is active")
                .app_name("Footplate")
                .app_reverse_domain("dev.footplate.desktop");
            // Where the system offers no such thing it sleeps when it wants to.
            *awake = asked.create().ok();
        } else if !wanted {
            *awake = None;
        }
    }

    fn works(&self) -> bool {
        lock(&self.live).as_ref().is_some_and(|live| !live.active.is_empty() || !live.next.is_empty())
    }
}

fn tell(app: &AppHandle, shell: &Shell, view: &RunView) {
    let settings = shell.settings.get();
    let tongue = Tongue::of(settings.language);
    if let Some(message) = notify::message(view, &settings, notify::minute_now(), tongue) {
        notify::show(app, &message, Some(&notify::end_route(view.number)));
    }
}

/// Puts settings into effect.
pub(crate) fn apply(app: &AppHandle, settings: &Values) -> Answer<()> {
    let login = app.autolaunch();
    let now = login.is_enabled().unwrap_or(false);
    if now != settings.start_at_login {
        let done = if settings.start_at_login { login.enable() } else { login.disable() };
        done.map_err(|error| broken(&error))?;
    }
    window::theme(app, settings.theme);
    menu::show(app, Tongue::of(settings.language));
    app.state::<Effects>().refresh(app, settings);
    Ok(())
}

/// The settings as they are in force: the start at login may have been changed elsewhere.
pub(crate) fn in_force(app: &AppHandle, settings: Values) -> Values {
    let start_at_login = app.autolaunch().is_enabled().unwrap_or(settings.start_at_login);
    Values { start_at_login, ..settings }
}

/// What the user chose in the tray.
fn chosen(app: &AppHandle, choice: Choice) {
    match choice {
        Choice::Open(route) => window::open(app, route.as_deref()),
        Choice::PauseAll => wish_all(app, RunStatus::Running, &Wish::Pause {}),
        Choice::UnpauseAll => wish_all(app, RunStatus::Paused, &Wish::Unpause {}),
        Choice::Quit => quit(app),
    }
}

fn wish_all(app: &AppHandle, status: RunStatus, wish: &Wish) {
    let shell = Arc::clone(&app.state::<Arc<Shell>>());
    let live = lock(&app.state::<Effects>().live).clone();
    let runs = live.map(|live| live.active).unwrap_or_default();
    let numbers: Vec<i64> = runs.iter().filter(|run| run.status == status).map(|run| run.number).collect();
    let wish = wish.clone();
    tauri::async_runtime::spawn_blocking(move || {
        for number in numbers {
            // What became of it the tray and the queue show.
            let _ = shell.write(|client| client.wish(WishRequest::of(number, wish.clone())));
        }
    });
}

/// Ends the app; what runs goes on, which is said the first time.
pub(crate) fn quit(app: &AppHandle) {
    let shell = app.state::<Arc<Shell>>();
    if !app.state::<Effects>().works() || !shell.settings.first_time("quit") {
        app.exit(0);
        return;
    }
    window::hide(app);
    notify::show(app, &notify::quit(Tongue::of(shell.settings.get().language)), None);
    // The notification is sent by another thread, and does not tell when it was.
    let app = app.clone();
    tauri::async_runtime::spawn_blocking(move || {
        std::thread::sleep(NOTIFIED);
        app.exit(0);
    });
}
