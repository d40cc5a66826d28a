//! What the desktop does for us: dialogs, the file manager, the clipboard.

use std::path::{Path, PathBuf};

use footplate_core::{ErrorCode, Fault};
use tauri::AppHandle;
use tauri_plugin_dialog::DialogExt;
use tauri_plugin_opener::OpenerExt;

use crate::answer::{Answer, broken};

/// Lets the user choose a file; waits for it.
pub(crate) fn choose_file(app: &AppHandle) -> Option<PathBuf> {
    app.dialog().file().blocking_pick_file()?.into_path().ok()
}

/// Lets the user choose a folder; waits for it.
pub(crate) fn choose_folder(app: &AppHandle) -> Option<PathBuf> {
    app.dialog().file().blocking_pick_folder()?.into_path().ok()
}

/// Lets the user choose an archive; waits for it.
pub(crate) fn choose_archive(app: &AppHandle) -> Option<PathBuf> {
    let dialog = app.dialog().file().add_filter("Footplate", &[footplate_engine::archive::EXTENSION]);
    dialog.blocking_pick_file()?.into_path().ok()
}

/// Lets the user choose a new file; waits for it. `None`: closed without a choice.
pub(crate) fn choose_new(app: &AppHandle, name: &str) -> Option<PathBuf> {
    // A name, and no path: the folder is the user's choice.
    let name: String = name.chars().map(|c| if c == '/' || c.is_control() { '-' } else { c }).take(200).collect();
    app.dialog().file().set_file_name(name).blocking_save_file()?.into_path().ok()
}

/// Lets the user choose a new file, and writes this there. False: closed without a choice.
pub(crate) fn save(app: &AppHandle, name: &str, content: &[u8]) -> Answer<bool> {
    let Some(path) = choose_new(app, name) else { return Ok(false) };
    std::fs::write(&path, content).map(|()| true).map_err(|error| {
        Fault::new(ErrorCode::Storage, format!("{} cannot be written: {error}.", path.display()))
            .hint("Choose another folder.")
    })
}

/// Shows a file, or a folder, in the file manager.
pub(crate) fn reveal(app: &AppHandle, path: &Path) -> Answer<()> {
    let shown = if path.is_dir() {
        app.opener().open_path(path.to_string_lossy(), None::<&str>)
    } else {
        app.opener().reveal_item_in_dir(path)
    };
    shown.map_err(|error| {
        Fault::new(ErrorCode::Refused, format!("The file manager could not be opened: {error}."))
            .hint(format!("The file is {}.", path.display()))
    })
}

/// Puts text on the clipboard, by the toolkit of the web view.
#[cfg(target_os = "linux")]
pub(crate) fn copy(app: &AppHandle, text: String) -> Answer<()> {
    let put = move || {
        let clipboard = gtk::Clipboard::get(&gtk::gdk::SELECTION_CLIPBOARD);
        clipboard.set_text(&text);
    };
    app.run_on_main_thread(put).map_err(|error| broken(&error))
}

/// Puts text on the clipboard, by the system's own command.
#[cfg(target_os = "macos")]
pub(crate) fn copy(_app: &AppHandle, text: String) -> Answer<()> {
    use std::io::Write;
    let put = || {
        let mut command = std::process::Command::new("/usr/bin/pbcopy");
        let mut child = command.env("LANG", "en_US.UTF-8").stdin(std::process::Stdio::piped()).spawn()?;
        if let Some(mut into) = child.stdin.take() {
            into.write_all(text.as_bytes())?;
        }
        child.wait().map(drop)
    };
    put().map_err(|error: std::io::Error| broken(&error))
}
