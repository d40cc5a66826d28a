//! Commands about sweeps: what one would be, its check, and its start.

use std::sync::Arc;

use footplate_engine::start::{self, CheckView, SweepRequest, SweepView, SweptView};
use tauri::State;

use crate::answer::{Answer, off};
use crate::bridge::Bridge;
use crate::shell::Shell;

type Held<'a> = State<'a, Arc<Shell>>;

/// What a sweep would be, with all that is wrong with it. Writes nothing.
#[tauri::command]
pub(crate) async fn look_at_sweep(shell: Held<'_>, request: SweepRequest) -> Answer<SweepView> {
    let shell = Arc::clone(&shell);
    off(move || shell.read(|client| start::sweep(request, client, shell.environment())?.look(client))).await
}

/// Checks and plans the first run of a sweep; starts nothing.
#[tauri::command]
pub(crate) async fn check_sweep(shell: Held<'_>, request: SweepRequest) -> Answer<CheckView> {
    let shell = Arc::clone(&shell);
    off(move || shell.read(|client| start::sweep(request, client, shell.environment())?.check(client))).await
}

/// Submits all runs of a sweep, or none.
#[tauri::command]
pub(crate) async fn start_sweep(
    shell: Held<'_>,
    bridge: State<'_, Arc<Bridge>>,
    request: SweepRequest,
) -> Answer<SweptView> {
    bridge.stir();
    let shell = Arc::clone(&shell);
    off(move || shell.write(|client| start::sweep(request, client, shell.environment())?.submit(client))).await
}
