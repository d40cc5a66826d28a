//! Commands about templates of one's own. Files and folders are chosen in dialogs; the view hands back names and handles.

use std::sync::Arc;

use footplate_core::Fault;
use footplate_engine::start::StageText;
use footplate_engine::templates::consent::{self, FileSize, Trust};
use footplate_engine::templates::own::{self, Name};
use footplate_engine::{archive, interpreters, templates};
use serde::Serialize;
use tauri::{AppHandle, State};

use crate::desktop;
use crate::shell::{Answer, Shell, off};

type Held<'a> = State<'a, Arc<Shell>>;

/// What a template would run and read, as the view sees it.
#[derive(Debug, Serialize)]
pub(crate) struct ConsentView {
    name: String,
    title: Option<String>,
    description: Option<String>,
    trust: Trust,
    hash: String,
    /// For people.
    folder: Option<String>,
    stages: Vec<StageText>,
    paths: Vec<String>,
    files: Vec<FileSize>,
    size: u64,
}

/// Lets the user choose an archive, and unpacks it. It may run nothing yet.
#[tauri::command]
pub(crate) async fn import_template(app: AppHandle, shell: Held<'_>) -> Answer<Option<String>> {
    let shell = Arc::clone(&shell);
    off(move || {
        let Some(file) = desktop::choose_archive(&app) else { return Ok(None) };
        own::import(&shell.home, &file, Name::Free).map(Some)
    })
    .await
}

/// Unpacks an archive that was opened from the desktop. It may run nothing yet.
#[tauri::command]
pub(crate) async fn open_archive(shell: Held<'_>, handle: String) -> Answer<String> {
    let shell = Arc::clone(&shell);
    off(move || own::import(&shell.home, &shell.opened.path(&handle)?, Name::Free)).await
}

/// Lets the user choose a folder with a pipeline, and copies it. It may run nothing yet.
#[tauri::command]
pub(crate) async fn add_template(app: AppHandle, shell: Held<'_>) -> Answer<Option<String>> {
    let shell = Arc::clone(&shell);
    off(move || {
        let Some(folder) = desktop::choose_folder(&app) else { return Ok(None) };
        own::add(&shell.home, &folder, Name::Free, false).map(Some)
    })
    .await
}

/// Makes a template of a run.
#[tauri::command]
pub(crate) async fn keep_run(shell: Held<'_>, number: i64, title: String) -> Answer<String> {
    let shell = Arc::clone(&shell);
    off(move || shell.read(|client| templates::keep_run(client, number, None, Some(&title)))).await
}

/// What a template would run and read.
#[tauri::command]
pub(crate) async fn template_content(shell: Held<'_>, name: String) -> Answer<ConsentView> {
    let shell = Arc::clone(&shell);
    off(move || {
        let view = consent::view(&shell.home, &name)?;
        let environment = shell.environment();
        Ok(ConsentView {
            name: view.name,
            title: view.title,
            description: view.description,
            trust: view.trust,
            hash: view.hash,
            folder: view.folder.map(|folder| interpreters::for_people(&folder, &environment)),
            stages: view.stages,
            paths: view.paths,
            files: view.files,
            size: view.size,
        })
    })
    .await
}

/// Allows a template to run, as it was shown.
#[tauri::command]
pub(crate) async fn allow_template(shell: Held<'_>, name: String, hash: String) -> Answer<()> {
    let shell = Arc::clone(&shell);
    off(move || consent::give(&shell.home, &name, &hash)).await
}

/// Lets the user choose a new file, and writes a template there as an archive. False: closed without a choice.
#[tauri::command]
pub(crate) async fn export_template(app: AppHandle, shell: Held<'_>, name: String) -> Answer<bool> {
    let shell = Arc::clone(&shell);
    off(move || {
        // Before a dialog about what is not there.
        own::folder(&shell.home, &name)?;
        let Some(to) = desktop::choose_new(&app, &format!("{name}.{}", archive::EXTENSION)) else { return Ok(false) };
        own::export(&shell.home, &name, &to).map(|()| true)
    })
    .await
}

/// Gives a template another name.
#[tauri::command]
pub(crate) async fn rename_template(shell: Held<'_>, name: String, to: String) -> Answer<()> {
    let shell = Arc::clone(&shell);
    off(move || own::rename(&shell.home, &name, &to).map_err(|fault| Fault { hints: Vec::new(), ..fault })).await
}

/// Removes a template.
#[tauri::command]
pub(crate) async fn remove_template(shell: Held<'_>, name: String) -> Answer<()> {
    let shell = Arc::clone(&shell);
    off(move || own::remove(&shell.home, &name)).await
}
