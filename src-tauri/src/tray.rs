//! The tray: an icon that shows how far it is, and a menu with what runs.
//!
//! Items are kept and given another text: a menu that is set anew flickers, and closes under the pointer.

mod icon;

use std::sync::Mutex;
use std::time::Duration;

use footplate_core::RunStatus;
use footplate_core::view::RunView;
use footplate_engine::client::live::Live;
use footplate_shim::clock;
use tauri::image::Image;
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Wry};

use crate::answer::lock;
use crate::menu;
use crate::words::Tongue;
use icon::Face;

/// Runs that have an item of their own.
const RUNS: usize = 5;
/// The title is not changed more often than that, milliseconds.
const TITLE_MS: u64 = 1_000;
/// How long a panel may take to say that it is there.
#[cfg(target_os = "linux")]
const PANEL_ANSWERS: Duration = Duration::from_millis(300);
/// What stands before the runs: the state, and a line.
const BEFORE: usize = 2;

/// What the user chose in the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Show this.
    Open(Option<String>),
    /// Pause what runs.
    PauseAll,
    /// Go on with what is paused.
    UnpauseAll,
    /// Leave.
    Quit,
}

impl Choice {
    /// By the id of an item.
    pub(crate) fn of(id: &str) -> Option<Choice> {
        match id {
            "open" => Some(Choice::Open(None)),
            "look" => Some(Choice::Open(Some("queue".to_owned()))),
            // Of the menu bar: a tray's handler is told of every menu.
            menu::NEW | menu::SETTINGS => Some(Choice::Open(Some(id.to_owned()))),
            "pause" => Some(Choice::PauseAll),
            "unpause" => Some(Choice::UnpauseAll),
            menu::QUIT => Some(Choice::Quit),
            _ => {
                let number: i64 = id.strip_prefix("run/")?.parse().ok()?;
                Some(Choice::Open(Some(format!("run/{number}"))))
            }
        }
    }
}

/// What it shows.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    state: String,
    runs: Vec<(i64, String)>,
    next: Option<String>,
    look: Option<String>,
    title: String,
    face: Face,
    active: usize,
    paused: usize,
}

impl Shown {
    fn of(live: &Live, tongue: Tongue) -> Shown {
        let paused = live.active.iter().filter(|run| run.status == RunStatus::Paused).count();
        let share = share(live);
        let percent = share.map(percent);
        let active = live.active.len();
        let count = ("count", active.to_string());
        let state = match percent {
            _ if active == 0 => tongue.word("tray.idle"),
            Some(percent) => tongue.with("tray.active_percent", &[count, ("percent", percent.to_string())]),
            None => tongue.with("tray.active", &[count]),
        };
        let counted = |key: &str, count: u64| (count > 0).then(|| tongue.with(key, &[("count", count.to_string())]));
        let queued = live.counts.get(&RunStatus::Queued).copied().unwrap_or(0);
        let face = match share {
            _ if active == 0 && live.needs_look > 0 => Face::NeedsLook,
            _ if active == 0 => Face::Idle,
            _ if paused == active => Face::Paused(percent.unwrap_or(0)),
            _ => Face::Percent(percent.unwrap_or(0)),
        };
        Shown {
            state,
            runs: live.active.iter().take(RUNS).map(|run| (run.number, line(run, tongue))).collect(),
            next: counted("tray.next", queued),
            look: counted("tray.look", live.needs_look),
            title: percent.filter(|_| active > 0).map(|percent| format!("{percent}%")).unwrap_or_default(),
            face,
            active,
            paused,
        }
    }
}

/// How far all that is active is, as far as any of it says.
pub(crate) fn share(live: &Live) -> Option<f64> {
    let known: Vec<f64> = live.active.iter().filter_map(|run| run.progress).collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / live.active.len() as f64)
}

pub(crate) fn percent(share: f64) -> u8 {
    // All but done is not done.
    let hundredths = (share.clamp(0.0, 1.0) * 100.0).floor();
    hundredths as u8
}

fn line(run: &RunView, tongue: Tongue) -> String {
    let name = ("name", run.name.clone());
    match (run.status, run.progress, run.eta_s.filter(|left| *left >= 1.0)) {
        (RunStatus::Paused, ..) => tongue.with("tray.run_paused", &[name]),
        (_, Some(share), Some(left)) => {
            let percent = ("percent", percent(share).to_string());
            tongue.with("tray.run_left", &[percent, ("time", tongue.time(left)), name])
        }
        (_, Some(share), None) => tongue.with("tray.run_percent", &[("percent", percent(share).to_string()), name]),
        (_, None, _) => tongue.with("tray.run", &[name]),
    }
}

/// The tray of the app.
pub(crate) struct Tray {
    icon: TrayIcon,
    menu: Menu<Wry>,
    state: MenuItem<Wry>,
    pause: MenuItem<Wry>,
    unpause: MenuItem<Wry>,
    open: MenuItem<Wry>,
    quit: MenuItem<Wry>,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    shown: Option<Shown>,
    tongue: Option<Tongue>,
    runs: Vec<(i64, MenuItem<Wry>)>,
    next: Option<MenuItem<Wry>>,
    look: Option<MenuItem<Wry>>,
    title: String,
    wanted: String,
    /// On the running clock, milliseconds.
    titled: u64,
}

impl Tray {
    /// Makes it. `chosen` is told what the user chose.
    pub(crate) fn new(
        app: &AppHandle,
        tongue: Tongue,
        chosen: impl Fn(&AppHandle, Choice) + Send + Sync + 'static,
    ) -> tauri::Result<Tray> {
        let item =
            |id: &str, key: &str, enabled: bool| MenuItem::with_id(app, id, tongue.word(key), enabled, None::<&str>);
        let state = item("state", "tray.idle", false)?;
        let pause = item("pause", "tray.pause_all", false)?;
        let unpause = item("unpause", "tray.unpause_all", false)?;
        let open = item("open", "tray.open", true)?;
        let quit = item(menu::QUIT, "tray.quit", true)?;
        let line = || PredefinedMenuItem::separator(app);
        let menu = Menu::with_items(app, &[&state, &line()?, &line()?, &pause, &unpause, &line()?, &open, &quit])?;
        let icon = TrayIconBuilder::with_id("main")
            .icon(drawn(Face::Idle))
            .icon_as_template(true)
            .menu(&menu)
            .show_menu_on_left_click(true)
            .on_menu_event(move |app, event| {
                if let Some(choice) = Choice::of(event.id().as_ref()) {
                    chosen(app, choice);
                }
            })
            .build(app)?;
        Ok(Tray { icon, menu, state, pause, unpause, open, quit, now: Mutex::default() })
    }

    /// Shows a picture. What does not change is not touched.
    pub(crate) fn show(&self, app: &AppHandle, live: &Live, tongue: Tongue) -> tauri::Result<()> {
        let shown = Shown::of(live, tongue);
        let mut now = lock(&self.now);
        shown.title.clone_into(&mut now.wanted);
        self.title(&mut now)?;
        if now.tongue != Some(tongue) {
            self.pause.set_text(tongue.word("tray.pause_all"))?;
            self.unpause.set_text(tongue.word("tray.unpause_all"))?;
            self.open.set_text(tongue.word("tray.open"))?;
            self.quit.set_text(tongue.word("tray.quit"))?;
            now.tongue = Some(tongue);
        }
        let before = now.shown.clone();
        if before.as_ref() == Some(&shown) {
            return Ok(());
        }
        let changed = |same: bool| before.is_none() || !same;
        if changed(before.as_ref().is_some_and(|b| b.state == shown.state)) {
            self.state.set_text(&shown.state)?;
        }
        if changed(before.as_ref().is_some_and(|b| b.face == shown.face)) {
            self.icon.set_icon_with_as_template(Some(drawn(shown.face)), true)?;
        }
        self.pause.set_enabled(shown.active > shown.paused)?;
        self.unpause.set_enabled(shown.paused > 0)?;
        self.runs(app, &mut now, &shown)?;
        let Now { runs, next, look, .. } = &mut *now;
        let mut at = BEFORE + runs.len();
        self.optional(app, next, "next", shown.next.as_deref(), &mut at)?;
        self.optional(app, look, "look", shown.look.as_deref(), &mut at)?;
        now.shown = Some(shown);
        Ok(())
    }

    fn runs(&self, app: &AppHandle, now: &mut Now, shown: &Shown) -> tauri::Result<()> {
        let numbers = |runs: &[(i64, MenuItem<Wry>)]| runs.iter().map(|(number, _)| *number).collect::<Vec<_>>();
        let wanted: Vec<i64> = shown.runs.iter().map(|(number, _)| *number).collect();
        if numbers(&now.runs) != wanted {
            for (_, item) in now.runs.drain(..) {
                self.menu.remove(&item)?;
            }
            for (at, (number, text)) in shown.runs.iter().enumerate() {
                let item = MenuItem::with_id(app, format!("run/{number}"), text, true, None::<&str>)?;
                self.menu.insert(&item, BEFORE + at)?;
                now.runs.push((*number, item));
            }
            return Ok(());
        }
        let before = now.shown.as_ref();
        for (at, (_, text)) in shown.runs.iter().enumerate() {
            let same = before.and_then(|before| before.runs.get(at)).is_some_and(|(_, known)| known == text);
            if let Some((_, item)) = now.runs.get(at).filter(|_| !same) {
                item.set_text(text)?;
            }
        }
        Ok(())
    }

    /// An item that is there only while it has something to say.
    fn optional(
        &self,
        app: &AppHandle,
        item: &mut Option<MenuItem<Wry>>,
        id: &str,
        text: Option<&str>,
        at: &mut usize,
    ) -> tauri::Result<()> {
        match (item.as_ref(), text) {
            (Some(known), Some(text)) => known.set_text(text)?,
            (None, Some(text)) => {
                let new = MenuItem::with_id(app, id, text, id == "look", None::<&str>)?;
                self.menu.insert(&new, *at)?;
                *item = Some(new);
            }
            (Some(known), None) => {
                self.menu.remove(known)?;
                *item = None;
            }
            (None, None) => {}
        }
        *at += usize::from(item.is_some());
        Ok(())
    }

    /// Sets a title that was held back, when its time has come; else tells in how long that is.
    pub(crate) fn settle(&self) -> Option<Duration> {
        let mut now = lock(&self.now);
        // A tray that went with its panel has no title.
        self.title(&mut now).ok()?;
        let left = (now.titled + TITLE_MS).saturating_sub(clock::running_ms());
        (now.title != now.wanted).then(|| Duration::from_millis(left))
    }

    fn title(&self, now: &mut Now) -> tauri::Result<()> {
        let at = clock::running_ms();
        if now.title == now.wanted || !now.wanted.is_empty() && at < now.titled + TITLE_MS {
            return Ok(());
        }
        now.title = now.wanted.clone();
        now.titled = at;
        self.icon.set_title(Some(&now.title))
    }
}

/// Whether a panel shows what is in the tray. The icon can be made where nobody does: GNOME has no tray but by an extension.
#[cfg(target_os = "linux")]
pub(crate) fn is_shown() -> bool {
    let ask = || -> zbus::Result<bool> {
        // A panel that hangs must not hold up the window that is being closed.
        let bus = zbus::blocking::connection::Builder::session()?.method_timeout(PANEL_ANSWERS).build()?;
        let watcher = "org.kde.StatusNotifierWatcher";
        zbus::blocking::Proxy::new(&bus, watcher, "/StatusNotifierWatcher", watcher)?
            .get_property("IsStatusNotifierHostRegistered")
    };
    ask().unwrap_or(false)
}

/// The menu bar is always there.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_shown() -> bool {
    true
}

fn drawn(face: Face) -> Image<'static> {
    let (pixels, size) = icon::draw(face, cfg!(target_os = "macos"));
    Image::new_owned(pixels, size, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_opens_its_run_and_nothing_else_is_a_choice() {
        assert_eq!(Choice::of("run/142"), Some(Choice::Open(Some("run/142".into()))));
        assert_eq!(Choice::of("quit"), Some(Choice::Quit));
        assert_eq!(Choice::of("settings"), Some(Choice::Open(Some("settings".into()))));
        for id in ["run/", "run/../x", "state", "next", ""] {
            assert_eq!(Choice::of(id), None, "{id}");
        }
    }

    #[test]
    fn what_is_all_but_done_is_not_done() {
        assert_eq!((percent(0.999), percent(1.0), percent(f64::NAN), percent(-3.0)), (99, 100, 0, 0));
    }
}
