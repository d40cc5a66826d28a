//! The menu bar of macOS. Elsewhere the window has none.
//!
//! It is there for what people reach by its keys: the system's own would be in English only, has no settings, and its way out
//! does not say that runs go on.

use tauri::menu::{AboutMetadata, Menu, MenuItem, PredefinedMenuItem, Submenu};
use tauri::{AppHandle, Wry};

use crate::words::Tongue;

/// Items that are a place of the page, by their ids.
pub(crate) const NEW: &str = "new";
pub(crate) const SETTINGS: &str = "settings";
/// Leaves; what runs goes on.
pub(crate) const QUIT: &str = "quit";

/// Shows it in this language.
pub(crate) fn show(app: &AppHandle, tongue: Tongue) {
    if cfg!(target_os = "macos") {
        // Where that fails the system's own stays.
        let _ = bar(app, tongue).and_then(|bar| app.set_menu(bar));
    }
}

fn bar(app: &AppHandle, tongue: Tongue) -> tauri::Result<Menu<Wry>> {
    type Item = PredefinedMenuItem<Wry>;
    let own = |id: &str, key: &str, keys: &str| MenuItem::with_id(app, id, tongue.word(key), true, Some(keys));
    let named =
        |make: fn(&AppHandle, Option<&str>) -> tauri::Result<Item>, key: &str| make(app, Some(&tongue.word(key)));
    let line = || Item::separator(app);
    let about = AboutMetadata { version: Some(app.package_info().version.to_string()), ..AboutMetadata::default() };
    let first = Submenu::with_items(
        app,
        "Footplate",
        true,
        &[
            &Item::about(app, Some(&tongue.word("menu.about")), Some(about))?,
            &line()?,
            &own(SETTINGS, "menu.settings", "CmdOrCtrl+,")?,
            &line()?,
            &named(Item::services, "menu.services")?,
            &line()?,
            &named(Item::hide, "menu.hide")?,
            &named(Item::hide_others, "menu.hide_others")?,
            &named(Item::show_all, "menu.show_all")?,
            &line()?,
            &own(QUIT, "tray.quit", "CmdOrCtrl+Q")?,
        ],
    )?;
    let file = Submenu::with_items(
        app,
        tongue.word("menu.file"),
        true,
        &[&own(NEW, "menu.new", "CmdOrCtrl+N")?, &line()?, &named(Item::close_window, "menu.close")?],
    )?;
    let edit = Submenu::with_items(
        app,
        tongue.word("menu.edit"),
        true,
        &[
            &named(Item::undo, "menu.undo")?,
            &named(Item::redo, "menu.redo")?,
            &line()?,
            &named(Item::cut, "menu.cut")?,
            &named(Item::copy, "menu.copy")?,
            &named(Item::paste, "menu.paste")?,
            &named(Item::select_all, "menu.select_all")?,
        ],
    )?;
    let view =
        Submenu::with_items(app, tongue.word("menu.view"), true, &[&named(Item::fullscreen, "menu.full_screen")?])?;
    let window = Submenu::with_items(
        app,
        tongue.word("menu.window"),
        true,
        &[&named(Item::minimize, "menu.minimize")?, &named(Item::maximize, "menu.zoom")?],
    )?;
    Menu::with_items(app, &[&first, &file, &edit, &view, &window])
}
