//! Commands about schedules. They are shown with everything else (`bridge.rs`); pausing and removing are wishes.

use std::sync::Arc;

use footplate_core::definition::Definition;
use footplate_core::timetable::ScheduleView;
use footplate_core::view::Submitted;
use footplate_engine::client::ScheduleEdit;
use footplate_engine::start::{self, RepeatRequest, StartRequest, TimesView};
use tauri::State;

use crate::answer::{Answer, off};
use crate::bridge::Bridge;
use crate::commands::prepare;
use crate::shell::Shell;

type Held<'a> = State<'a, Arc<Shell>>;

/// When a timetable would be due.
#[tauri::command]
pub(crate) async fn schedule_times(timing: String, zone: Option<String>) -> Answer<TimesView> {
    off(move || start::times(&timing, zone.as_deref())).await
}

/// The pipeline that a schedule runs.
#[tauri::command]
pub(crate) async fn schedule_definition(shell: Held<'_>, name: String) -> Answer<Definition> {
    let shell = Arc::clone(&shell);
    off(move || shell.read(|client| client.schedule_definition(&name))).await
}

/// Edits a schedule: all of it, or nothing.
#[tauri::command]
pub(crate) async fn edit_schedule(
    shell: Held<'_>,
    bridge: State<'_, Arc<Bridge>>,
    name: String,
    edit: ScheduleEdit,
) -> Answer<ScheduleView> {
    bridge.stir();
    let shell = Arc::clone(&shell);
    off(move || shell.write(|client| client.edit_schedule(&name, &edit))).await
}

/// Makes a schedule of what was chosen in the wizard.
#[tauri::command]
pub(crate) async fn add_schedule(
    shell: Held<'_>,
    bridge: State<'_, Arc<Bridge>>,
    request: StartRequest,
    repeat: RepeatRequest,
) -> Answer<ScheduleView> {
    bridge.stir();
    let shell = Arc::clone(&shell);
    off(move || shell.write(|client| prepare(&shell, client, request)?.repeat(client, repeat))).await
}

/// Makes a schedule of what a run was made of.
#[tauri::command]
pub(crate) async fn repeat_run(
    shell: Held<'_>,
    bridge: State<'_, Arc<Bridge>>,
    number: i64,
    repeat: RepeatRequest,
) -> Answer<ScheduleView> {
    bridge.stir();
    let shell = Arc::clone(&shell);
    off(move || shell.write(|client| repeat.of_run(client, number, shell.environment()))).await
}

/// Starts a run of a schedule now.
#[tauri::command]
pub(crate) async fn run_schedule(shell: Held<'_>, bridge: State<'_, Arc<Bridge>>, name: String) -> Answer<Submitted> {
    bridge.stir();
    let shell = Arc::clone(&shell);
    off(move || shell.write(|client| client.run_schedule(&name))).await
}
