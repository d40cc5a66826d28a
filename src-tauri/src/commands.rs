//! What the view may ask: one command for each method of `Platform` in ui/src/platform/types.ts. Bodies are functions of
//! the engine; they take ids and handles, never paths or command lines.

use std::sync::Arc;
use std::time::Duration;

use footplate_core::compare::Comparison;
use footplate_core::definition::{Definition, Stage};
use footplate_core::report::Report;
use footplate_core::view::{RunView, Submitted};
use footplate_core::{ErrorCode, Fault};
use footplate_engine::client::compare::{Compared, csv};
use footplate_engine::client::files::FileView;
use footplate_engine::client::series::MetricSeries;
use footplate_engine::client::{ListQuery, RunPage, UsageSeries, Wish, WishAnswer, WishRequest};
use footplate_engine::data::{DataView, sounds};
use footplate_engine::lines::{Hits, LogPage, LogQuery};
use footplate_engine::start::{self, CheckView, Prepared, StartRequest};
use footplate_engine::templates::of_run;
use footplate_engine::{Client, interpreters};
use serde::Serialize;
use serde_json::Value;
use tauri::ipc::Response;
use tauri::{AppHandle, State};

use crate::answer::{Answer, off};
use crate::bridge::Bridge;
use crate::machine::{MachineSample, MachineView};
use crate::scripts::ScriptView;
use crate::settings::Values;
use crate::shell::Shell;
use crate::{desktop, effects};

type Held<'a> = State<'a, Arc<Shell>>;

/// How long the effect of a wish is waited for; a cancel may take the run's longest grace besides.
const USUAL: Duration = Duration::from_secs(10);
const AFTER_GRACE: Duration = Duration::from_secs(5);
/// Most lines of one page.
const LINES_MOST: u32 = 2_000;

/// What lies in a run's folder.
#[derive(Debug, Serialize)]
pub(crate) struct FilesView {
    folder: String,
    size: u64,
    files: Vec<FileView>,
    more: u64,
}

/// What a run was made of.
#[derive(Debug, Serialize)]
pub(crate) struct OriginView {
    definition: Definition,
    /// The template that it was started from, where it is still there.
    template: Option<String>,
}

/// A page of runs.
#[tauri::command]
pub(crate) async fn list(shell: Held<'_>, query: ListQuery) -> Answer<RunPage> {
    let shell = Arc::clone(&shell);
    off(move || shell.read(|client| client.list(&query))).await
}

/// One run.
#[tauri::command]
pub(crate) async fn show(shell: Held<'_>, number: i64) -> Answer<RunView> {
    let shell = Arc::clone(&shell);
    off(move || shell.read(|client| client.show(number))).await
}

/// What a run was made of.
#[tauri::command]
pub(crate) async fn origin(shell: Held<'_>, number: i64) -> Answer<OriginView> {
    let shell = Arc::clone(&shell);
    off(move || {
        let origin = shell.read(|client| client.definition(number))?;
        let template = of_run(&shell.home, &origin);
        Ok(OriginView { definition: origin.definition, template })
    })
    .await
}

/// Where a run's time went.
#[tauri::command]
pub(crate) async fn report(shell: Held<'_>, number: i64) -> Answer<Report> {
    let shell = Arc::clone(&shell);
    off(move || shell.read(|client| client.report(number))).await
}

/// A run's metrics in columns.
#[tauri::command]
pub(crate) async fn metrics(shell: Held<'_>, number: i64, max: usize) -> Answer<Vec<MetricSeries>> {
    let shell = Arc::clone(&shell);
    off(move || shell.read(|client| client.series(number, max))).await
}

/// What a run's programs used.
#[tauri::command]
pub(crate) async fn usage(shell: Held<'_>, number: i64) -> Answer<Vec<UsageSeries>> {
    let shell = Arc::clone(&shell);
    off(move || shell.read(|client| client.usage(number))).await
}

/// Runs side by side.
#[tauri::command]
pub(crate) async fn compare(shell: Held<'_>, asked: Compared) -> Answer<Comparison> {
    let shell = Arc::clone(&shell);
    off(move || shell.read(|client| client.compare(&asked))).await
}

/// The same as comma-separated values.
#[tauri::command]
pub(crate) async fn compare_csv(shell: Held<'_>, asked: Compared) -> Answer<String> {
    let shell = Arc::clone(&shell);
    off(move || csv(&shell.read(|client| client.compare(&asked))?)).await
}

/// Lines of a log.
#[tauri::command]
pub(crate) async fn log(shell: Held<'_>, query: LogQuery, from: i64, count: u32) -> Answer<LogPage> {
    let shell = Arc::clone(&shell);
    off(move || shell.read(|client| shell.logs.page(client, &query, from, count.min(LINES_MOST)))).await
}

/// The lines that contain a text.
#[tauri::command]
pub(crate) async fn log_search(shell: Held<'_>, query: LogQuery, text: String) -> Answer<Hits> {
    let shell = Arc::clone(&shell);
    off(move || shell.read(|client| shell.logs.search(client, &query, &text))).await
}

/// What lies in a run's folder.
#[tauri::command]
pub(crate) async fn files(shell: Held<'_>, number: i64) -> Answer<FilesView> {
    let shell = Arc::clone(&shell);
    off(move || {
        let found = shell.read(|client| client.files(number))?;
        Ok(FilesView {
            folder: interpreters::below(&found.folder, std::env::var_os("HOME").as_deref()),
            size: found.size,
            files: found.files.into_iter().map(|(view, _)| view).collect(),
            more: found.more,
        })
    })
    .await
}

/// Shows a file in the file manager.
#[tauri::command]
pub(crate) async fn reveal(app: AppHandle, shell: Held<'_>, number: i64, file: Option<String>) -> Answer<()> {
    let shell = Arc::clone(&shell);
    off(move || desktop::reveal(&app, &shell.read(|client| client.file_path(number, file.as_deref()))?)).await
}

/// Asks the owner for something, and waits for the effect.
#[tauri::command]
pub(crate) async fn wish(
    shell: Held<'_>,
    bridge: State<'_, Arc<Bridge>>,
    number: Option<i64>,
    wish: Wish,
) -> Answer<WishAnswer> {
    bridge.stir();
    let shell = Arc::clone(&shell);
    off(move || shell.write(|client| ask(client, number, wish))).await
}

/// A refusal is an answer; only silence is a fault.
fn ask(client: &mut Client, number: Option<i64>, wish: Wish) -> Answer<WishAnswer> {
    // What takes things away for all runs is not offered to the view.
    if matches!(wish, Wish::Clean { .. } | Wish::Release { .. }) {
        return Err(Fault::new(ErrorCode::Refused, "The app does not offer that.").hint("Use the command line."));
    }
    let limit = match (&wish, number) {
        (Wish::Cancel { .. }, Some(number)) => {
            let definition = client.definition(number)?.definition;
            let grace = definition.stages.values().map(Stage::stop_ms).max().unwrap_or(0);
            AFTER_GRACE + Duration::from_millis(grace)
        }
        _ => USUAL,
    };
    let id = client.wish(WishRequest { run: number, wish })?;
    client.await_answer(&id, limit)?.ok_or_else(|| {
        Fault::new(ErrorCode::NoAnswer, "Requested, but not answered in time; it stays on record.")
            .hint("It takes effect as soon as somebody is at work again.")
    })
}

/// Lets the user choose a script.
#[tauri::command]
pub(crate) async fn pick_script(app: AppHandle, shell: Held<'_>) -> Answer<Option<ScriptView>> {
    let shell = Arc::clone(&shell);
    off(move || {
        let Some(path) = desktop::choose_file(&app) else { return Ok(None) };
        shell.scripts.choose(&path, &shell.environment()).map(Some)
    })
    .await
}

/// What stands behind a handle.
#[tauri::command]
pub(crate) async fn script(shell: Held<'_>, handle: String) -> Answer<ScriptView> {
    let shell = Arc::clone(&shell);
    off(move || shell.scripts.show(&handle, &shell.environment())).await
}

/// Lets the user choose the value of a parameter.
#[tauri::command]
pub(crate) async fn pick_path(app: AppHandle, shell: Held<'_>, folder: bool) -> Answer<Option<String>> {
    let shell = Arc::clone(&shell);
    off(move || {
        let path = if folder { desktop::choose_folder(&app) } else { desktop::choose_file(&app) };
        let Some(path) = path else { return Ok(None) };
        shell.picked.remember(&path);
        Ok(Some(path.to_string_lossy().into_owned()))
    })
    .await
}

/// Looks at a file or folder that `pick_path` gave out.
#[tauri::command]
pub(crate) async fn data(shell: Held<'_>, path: String) -> Answer<DataView> {
    let shell = Arc::clone(&shell);
    off(move || footplate_engine::data::look(&shell.picked.path(&path)?)).await
}

/// The bytes of a recording in what `pick_path` gave out.
#[tauri::command]
pub(crate) async fn sound(shell: Held<'_>, path: String, id: String) -> Answer<Response> {
    let shell = Arc::clone(&shell);
    off(move || Ok(Response::new(sounds::sound(&shell.picked.path(&path)?, &id)?))).await
}

pub(crate) fn prepare(shell: &Shell, client: &Client, request: StartRequest) -> Answer<Prepared> {
    let environment = shell.environment();
    match request {
        StartRequest::Template(request) => start::template(request, client, environment),
        StartRequest::Script(request) => {
            let path = shell.scripts.path(&request.script)?;
            start::script(request, &path, environment)
        }
        StartRequest::Again(request) => start::again(request, client, environment),
    }
}

/// Checks and plans; starts nothing.
#[tauri::command]
pub(crate) async fn check(shell: Held<'_>, request: StartRequest) -> Answer<CheckView> {
    let shell = Arc::clone(&shell);
    off(move || shell.read(|client| prepare(&shell, client, request)?.check(client))).await
}

/// Submits a run.
#[tauri::command]
pub(crate) async fn start(shell: Held<'_>, bridge: State<'_, Arc<Bridge>>, request: StartRequest) -> Answer<Submitted> {
    bridge.stir();
    let shell = Arc::clone(&shell);
    off(move || shell.write(|client| prepare(&shell, client, request)?.submit(client))).await
}

/// The half-filled wizard.
#[tauri::command]
pub(crate) async fn draft(shell: Held<'_>) -> Answer<Value> {
    let shell = Arc::clone(&shell);
    off(move || Ok(shell.settings.draft())).await
}

/// Keeps the half-filled wizard.
#[tauri::command]
pub(crate) async fn set_draft(shell: Held<'_>, draft: Value) -> Answer<()> {
    let shell = Arc::clone(&shell);
    off(move || shell.settings.set_draft(&draft)).await
}

/// This machine now.
#[tauri::command]
pub(crate) async fn machine(shell: Held<'_>, closely: bool) -> Answer<MachineView> {
    let shell = Arc::clone(&shell);
    off(move || {
        let disk = shell.read(|client| client.disk()).ok();
        let gpus = if closely { shell.read(|client| client.gpus()).ok() } else { None };
        Ok(shell.machine.look(&shell.home, disk, gpus, closely))
    })
    .await
}

/// This machine in the last hour.
#[tauri::command]
pub(crate) async fn machine_history(shell: Held<'_>) -> Answer<Vec<MachineSample>> {
    let shell = Arc::clone(&shell);
    off(move || Ok(shell.machine.history())).await
}

/// What is in force.
#[tauri::command]
pub(crate) async fn settings(app: AppHandle, shell: Held<'_>) -> Answer<Values> {
    let shell = Arc::clone(&shell);
    off(move || Ok(effects::in_force(&app, shell.settings.get()))).await
}

/// Stores all settings, and puts them into effect.
#[tauri::command]
pub(crate) async fn set_settings(app: AppHandle, shell: Held<'_>, settings: Values) -> Answer<Values> {
    let shell = Arc::clone(&shell);
    off(move || {
        shell.settings.set(settings)?;
        effects::apply(&app, &shell.settings.get())?;
        Ok(effects::in_force(&app, shell.settings.get()))
    })
    .await
}

/// Puts text on the clipboard.
#[tauri::command]
pub(crate) async fn copy(app: AppHandle, text: String) -> Answer<()> {
    off(move || desktop::copy(&app, text)).await
}

/// Lets the user choose a new file, and writes a text there.
#[tauri::command]
pub(crate) async fn save_text(app: AppHandle, name: String, text: String) -> Answer<bool> {
    off(move || desktop::save(&app, &name, text.as_bytes())).await
}

/// Lets the user choose a new file, and writes a picture there.
#[tauri::command]
pub(crate) async fn save_picture(app: AppHandle, name: String, png: Vec<u8>) -> Answer<bool> {
    off(move || {
        if !png.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Err(Fault::new(ErrorCode::Invalid, "This is no PNG picture."));
        }
        desktop::save(&app, &name, &png)
    })
    .await
}
