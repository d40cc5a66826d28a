//! The one window: its own page and no other, seen or hidden in the tray.

#[cfg(target_os = "linux")]
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tauri::utils::config::WindowConfig;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{App, AppHandle, DragDropEvent, Manager, Url, WebviewWindow, WebviewWindowBuilder, Window, WindowEvent};

use crate::bridge::{Bridge, Push};
use crate::effects::{self, Effects};
use crate::settings::Theme;
use crate::shell::Shell;
use crate::words::Tongue;
use crate::{handover, notify};

/// How long a panel may take to come up after the app, seconds.
const PANEL_S: u32 = 10;
/// How long macOS takes to bring a window back from the full screen.
const LEAVES_FULL_SCREEN: Duration = Duration::from_millis(1_200);
/// Its label in tauri.conf.json.
pub(crate) const LABEL: &str = "main";

/// Makes the window. It is shown when its page is there, unless the app was started to wait in the tray and there is one.
pub(crate) fn build(app: &App, hidden: bool) -> tauri::Result<WebviewWindow> {
    let config = app.config().app.windows.iter().find(|window| window.label == LABEL).cloned();
    let config = WindowConfig { visible: false, ..config.unwrap_or_default() };
    let dev = app.config().build.dev_url.clone();
    let mut builder = WebviewWindowBuilder::from_config(app, &config)?
        .on_navigation(move |url| is_ours(url, dev.as_ref()))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_page_load(move |window, payload| {
            let app = window.app_handle();
            match payload.event() {
                PageLoadEvent::Started => app.state::<Arc<Bridge>>().forget(),
                PageLoadEvent::Finished if hidden => show_without_tray(app),
                PageLoadEvent::Finished => show(app),
            }
        });
    // The data folder is the store's; what the web view keeps can be made again.
    if let Ok(folder) = app.path().app_cache_dir() {
        builder = builder.data_directory(folder.join("web"));
    }
    let window = builder.build()?;
    #[cfg(target_os = "linux")]
    if !has_gpu(Path::new("/dev")) {
        paint_plainly(&window);
    }
    Ok(window)
}

/// Whether there is something that paints faster than the processor.
#[cfg(target_os = "linux")]
fn has_gpu(devices: &Path) -> bool {
    let mut nodes = std::fs::read_dir(devices.join("dri")).into_iter().flatten().flatten();
    nodes.any(|node| node.file_name().as_encoded_bytes().starts_with(b"renderD")) || devices.join("nvidiactl").exists()
}

/// Paints with the processor alone. Else, where there is no GPU, the web view emulates one, which takes 110 MB, a third of all.
#[cfg(target_os = "linux")]
fn paint_plainly(window: &WebviewWindow) {
    use webkit2gtk::{HardwareAccelerationPolicy, SettingsExt, WebViewExt};

    // Where that does not work it is slower, and all the same.
    let _ = window.with_webview(|view| {
        if let Some(settings) = WebViewExt::settings(&view.inner()) {
            settings.set_hardware_acceleration_policy(HardwareAccelerationPolicy::Never);
        }
    });
}

/// Whether a page is the app's own.
fn is_ours(url: &Url, dev: Option<&Url>) -> bool {
    let own = url.scheme() == "tauri" && url.host_str() == Some("localhost");
    own || cfg!(dev) && dev.is_some_and(|dev| dev.origin() == url.origin())
}

/// Brings the window into view.
pub(crate) fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    // Without a data folder there is nothing to see in it.
    if app.try_state::<Arc<Shell>>().is_none() {
        return;
    }
    // First, so that it does not come up with an old picture.
    app.state::<Arc<Bridge>>().seen(true);
    // What cannot be done now is done by the user's next click.
    let _ = window.show();
    let _ = window.unminimize();
    let _ = window.set_focus();
}

/// Shows the window that should have waited in the tray, unless a tray comes: at login the panel may start after the app.
fn show_without_tray(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn_blocking(move || {
        let has_tray = || app.state::<Effects>().has_tray();
        let comes = (0..PANEL_S).any(|_| {
            let there = has_tray();
            if !there {
                std::thread::sleep(Duration::from_secs(1));
            }
            there
        });
        if !comes && !has_tray() {
            show(&app);
        }
    });
}

/// Takes the window out of view.
pub(crate) fn hide(app: &AppHandle) {
    app.state::<Arc<Bridge>>().seen(false);
    let Some(window) = app.get_webview_window(LABEL) else { return };
    // macOS leaves a black screen behind where a window is hidden that fills it.
    if cfg!(target_os = "macos") && window.is_fullscreen().unwrap_or(false) {
        let _ = window.set_fullscreen(false);
        let app = app.clone();
        tauri::async_runtime::spawn_blocking(move || {
            std::thread::sleep(LEAVES_FULL_SCREEN);
            // Shown again meanwhile: it stays.
            if !app.state::<Arc<Bridge>>().is_seen() {
                let _ = window.hide();
            }
        });
        return;
    }
    // A window that stays is no harm.
    let _ = window.hide();
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
        // Either way it is not the frame's to end the app: something may be left to say.
        api.prevent_close();
        if !app.state::<Effects>().has_tray() {
            effects::quit(app);
            return;
        }
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

    #[cfg(target_os = "linux")]
    #[test]
    fn a_screen_alone_is_no_gpu() {
        let place = tempfile::tempdir().unwrap();
        let dri = place.path().join("dri");
        assert!(!has_gpu(place.path()));
        std::fs::create_dir(&dri).unwrap();
        std::fs::write(dri.join("card0"), "").unwrap();
        assert!(!has_gpu(place.path()), "a card without a render node only shows pictures");
        std::fs::write(dri.join("renderD128"), "").unwrap();
        assert!(has_gpu(place.path()));
        std::fs::remove_dir_all(&dri).unwrap();
        std::fs::write(place.path().join("nvidiactl"), "").unwrap();
        assert!(has_gpu(place.path()));
    }

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
