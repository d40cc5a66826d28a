//! Commands about templates. Files and folders are chosen in dialogs; the view hands back names and handles.

use std::sync::Arc;

use footplate_core::Fault;
use footplate_core::definition::Definition;
use footplate_engine::start::StageText;
use footplate_engine::templates::FileFault;
use footplate_engine::templates::consent::{self, FileSize, Trust};
use footplate_engine::templates::own::{self, Name};
use footplate_engine::{archive, interpreters, templates};
use serde::Serialize;
use tauri::{AppHandle, State};

use crate::answer::{Answer, off};
use crate::desktop;
use crate::shell::Shell;

type Held<'a> = State<'a, Arc<Shell>>;

/// A template, as the view sees it.
#[derive(Debug, Serialize)]
pub(crate) struct TemplateView {
    name: String,
    source: &'static str,
    trust: Trust,
    definition: Definition,
    expected_s: Option<f64>,
}

/// A template that cannot be read, as the view sees it.
#[derive(Debug, Serialize)]
pub(crate) struct BrokenView {
    name: String,
    /// For people.
    file: String,
    faults: Vec<FileFault>,
}

/// All templates.
#[derive(Debug, Serialize)]
pub(crate) struct GalleryView {
    templates: Vec<TemplateView>,
    broken: Vec<BrokenView>,
}

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

/// Built-in templates and own ones, those that cannot be read among them.
#[tauri::command]
pub(crate) async fn templates(shell: Held<'_>) -> Answer<GalleryView> {
    let shell = Arc::clone(&shell);
    off(move || {
        let environment = shell.environment();
        shell.read(|client| {
            let all = templates::all(client.home());
            let view = |template: templates::Template| -> Answer<TemplateView> {
                let times = client.expected_times(&template.definition.name)?;
                let expected = footplate_engine::plan::expected(&template.definition, &times);
                let source = if template.built_in { "built-in" } else { "own" };
                let templates::Template { name, trust, definition, .. } = template;
                Ok(TemplateView { name, source, trust, definition, expected_s: expected })
            };
            let broken = all.broken.into_iter().map(|broken| BrokenView {
                file: interpreters::for_people(&broken.file, &environment),
                name: broken.name,
                faults: broken.faults,
            });
            Ok(GalleryView {
                templates: all.templates.into_iter().map(view).collect::<Answer<_>>()?,
                broken: broken.collect(),
            })
        })
    })
    .await
}

/// Shows a template of one's own in the file manager.
#[tauri::command]
pub(crate) async fn reveal_template(app: AppHandle, shell: Held<'_>, name: String) -> Answer<()> {
    let shell = Arc::clone(&shell);
    off(move || desktop::reveal(&app, &own::folder(&shell.home, &name)?)).await
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

/// Unpacks an archive that was opened from the desktop, or copies a folder that was dropped. It may run nothing yet.
#[tauri::command]
pub(crate) async fn open_archive(shell: Held<'_>, handle: String) -> Answer<String> {
    let shell = Arc::clone(&shell);
    off(move || {
        let path = shell.opened.path(&handle)?;
        match path.is_dir() {
            true => own::add(&shell.home, &path, Name::Free, false),
            false => own::import(&shell.home, &path, Name::Free),
        }
    })
    .await
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
    off(move || shell.write(|client| client.consent(&name, &hash))).await
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
