//! The app's place in the Dock or the taskbar: a bar over all that is active, and a badge of runs that need a look.
//!
//! On Linux it is said by the signal that docks and panels listen to (Ubuntu's, KDE's, Dash to Dock's):
//! <https://wiki.ubuntu.com/Unity/LauncherAPI>. Tauri's own way needs libunity, which is on few machines, and a Unity that
//! is running.

use std::sync::Mutex;

use footplate_core::RunStatus;
use footplate_engine::client::live::Live;
use tauri::AppHandle;

use crate::answer::lock;
use crate::tray;

/// What is shown there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shown {
    /// Of all that is active; `None`: no bar.
    percent: Option<u8>,
    /// All that is active is paused.
    paused: bool,
    /// Runs that need a look.
    look: u64,
}

impl Shown {
    fn of(live: &Live) -> Shown {
        Shown {
            percent: tray::share(live).map(tray::percent),
            paused: !live.active.is_empty() && live.active.iter().all(|run| run.status == RunStatus::Paused),
            look: live.needs_look,
        }
    }
}

/// What was shown last.
#[derive(Default)]
pub(crate) struct Taskbar {
    shown: Mutex<Shown>,
    desktop: desktop::Desktop,
}

impl Taskbar {
    /// Shows what is another than before.
    pub(crate) fn show(&self, app: &AppHandle, live: &Live) {
        let mut shown = lock(&self.shown);
        let now = Shown::of(live);
        if now != *shown {
            *shown = now;
            self.desktop.show(app, now);
        }
    }
}

#[cfg(target_os = "linux")]
mod desktop {
    use std::collections::HashMap;
    use std::sync::OnceLock;

    use tauri::AppHandle;
    use zbus::blocking::Connection;
    use zbus::zvariant::Value;

    use super::Shown;

    /// The session bus; `None` in it: this desktop has none.
    #[derive(Default)]
    pub(super) struct Desktop(OnceLock<Option<Connection>>);

    impl Desktop {
        pub(super) fn show(&self, app: &AppHandle, shown: Shown) {
            let Some(bus) = self.0.get_or_init(|| Connection::session().ok()) else { return };
            // Named as the bundle names the app's entry.
            let entry = format!("application://{}.desktop", app.package_info().name);
            let share = f64::from(shown.percent.unwrap_or(0)) / 100.0;
            let look = i64::try_from(shown.look).unwrap_or(i64::MAX);
            let facts: HashMap<&str, Value<'_>> = HashMap::from([
                ("progress", share.into()),
                ("progress-visible", shown.percent.is_some().into()),
                ("count", look.into()),
                ("count-visible", (look > 0).into()),
            ]);
            // Nobody may listen; then there is nothing to be shown at.
            let _ = bus.emit_signal(
                None::<&str>,
                "/dev/footplate/desktop",
                "com.canonical.Unity.LauncherEntry",
                "Update",
                &(entry, facts),
            );
        }
    }
}

#[cfg(target_os = "macos")]
mod desktop {
    use tauri::window::{ProgressBarState, ProgressBarStatus};
    use tauri::{AppHandle, Manager};

    use super::Shown;
    use crate::window::LABEL;

    /// The Dock's tile is the window's.
    #[derive(Default)]
    pub(super) struct Desktop;

    impl Desktop {
        pub(super) fn show(&self, app: &AppHandle, shown: Shown) {
            let Some(window) = app.get_webview_window(LABEL) else { return };
            let status = match shown.percent {
                None => ProgressBarStatus::None,
                Some(_) if shown.paused => ProgressBarStatus::Paused,
                Some(_) => ProgressBarStatus::Normal,
            };
            let progress = shown.percent.map(u64::from);
            // A tile that stays as it was is no harm.
            let _ = window.set_progress_bar(ProgressBarState { status: Some(status), progress });
            let _ = window.set_badge_count(i64::try_from(shown.look).ok().filter(|look| *look > 0));
        }
    }
}
