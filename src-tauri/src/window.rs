//! The one window: its own page and no other, seen or hidden in the tray.

use std::sync::Arc;

use tauri::utils::config::WindowConfig;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{App, AppHandle, DragDropEvent, Manager, Url, WebviewWindow, WebviewWindowBuilder, Window, WindowEvent};

use crate::bridge::{Bridge, Push};
use crate::effects::{self, Effects};
use crate::settings::Theme;
use crate::shell::Shell;
use crate::words::Tongue;
use crate::{handover, notify};

/// Its label in tauri.conf.json.
pub(crate) const LABEL: &str = "main";

/// Makes the window. It is shown when its page is there, unless the app was started to wait in the tray.
pub(crate) fn build(app: &App, hidden: bool) -> tauri::Result<WebviewWindow> {
    let config = app.config().app.windows.iter().find(|window| window.label == LABEL).cloned();
    let config = WindowConfig { visible: false, ..config.unwrap_or_default() };
    let dev = app.config().build.dev_url.clone();
    let mut builder = WebviewWindowBuilder::from_config(app, &config)?
        .on_navigation(move |url| is_ours(url, dev.as_ref()))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_page_load(move |window, payload| {
            let bridge = window.state::<Arc<Bridge>>();
            match payload.event() {
                PageLoadEvent::Started => bridge.forget(),
                PageLoadEvent::Finished if !hidden => show(window.app_handle()),
                PageLoadEvent::Finished => {}
            }
        });
    // The data folder is the store's; what the web view keeps can be made again.
    if let Ok(folder) = app.path().app_cache_dir() {
        builder = builder.data_directory(folder.join("web"));
    }
    builder.build()
}

/// Whether a page is the app's own.
fn is_ours(url: &Url, dev: Option<&Url>) -> bool {
    let own = url.scheme() == "tauri" && url.host_str() == Some("localhost");
    own || cfg!(dev) && dev.is_some_and(|dev| dev.origin() == url.origin())
}

/// Brings the window into view.
pub(crate) fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    // What cannot be done now is done by the user's next click.
    let _ = window.show();
    let _ = window.unminimize();
    let _ = window.set_focus();
    app.state::<Arc<Bridge>>().seen(true);
}

/// Takes the window out of view.
pub(crate) fn hide(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(LABEL) {
        // A window that stays is no harm.
        let _ = window.hide();
    }
    app.state::<Arc<Bridge>>().seen(false);
}

/// Brings the window into view, and a place in it.
pub(crate) fn open(app: &AppHandle, route: Option<&str>) {
    show(app);
    if let Some(route) = route {
        app.state::<Arc<Bridge>>().open(route);
    }
}

/// Light or dark, as far as the frame around the page goes.
pub(crate) fn theme(app: &AppHandle, theme: Theme) {
    let theme = match theme {
        Theme::System => None,
        Theme::Light => Some(tauri::Theme::Light),
        Theme::Dark => Some(tauri::Theme::Dark),
    };
    if let Some(window) = app.get_webview_window(LABEL) {
        // The page has its own.
        let _ = window.set_theme(theme);
    }
}

fn dragging(app: &AppHandle, over: bool) {
    if let Some(bridge) = app.try_state::<Arc<Bridge>>() {
        bridge.tell(&Push::Dragging { over });
    }
}

/// What happens to the window.
pub(crate) fn event(window: &Window, event: &WindowEvent) {
    let app = window.app_handle();
    if let WindowEvent::DragDrop(drag) = event {
        match drag {
            DragDropEvent::Enter { paths, .. } if !paths.is_empty() => dragging(app, true),
            DragDropEvent::Drop { paths, .. } => {
                dragging(app, false);
                handover::dropped(app, paths);
            }
            DragDropEvent::Leave => dragging(app, false),
            _ => {}
        }
    }
    if let WindowEvent::CloseRequested { api, .. } = event {
        if !app.state::<Effects>().has_tray() {
            effects::quit(app);
            return;
        }
        api.prevent_close();
        hide(app);
        let shell = app.state::<Arc<Shell>>();
        if shell.settings.first_time("tray") {
            notify::show(app, &notify::hidden(Tongue::of(shell.settings.get().language)), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_apps_own_page_is_ours() {
        let ours = |text: &str| is_ours(&Url::parse(text).unwrap(), None);
        assert!(ours("tauri://localhost") && ours("tauri://localhost/index.html#/run/3"));
        for foreign in [
            "https://example.org/",
            "http://localhost/",
            "http://127.0.0.1:5173/",
            "tauri://evil/",
            "tauri://localhost.evil/",
            "file:///etc/passwd",
            "data:text/html,x",
            "javascript:alert(1)",
            "about:blank",
            "blob:tauri://localhost/1",
            "asset://localhost/x",
            "ipc://localhost/x",
            "ws://localhost/",
            "ftp://localhost/",
            "https://tauri.localhost.evil/",
            "footplate://run/1",
            "view-source:tauri://localhost",
            "chrome://version",
            "resource://x",
            "TAURIX://localhost",
        ] {
            assert!(!ours(foreign), "{foreign}");
        }
    }
}
