//! Commands about the webhook. Its address goes in and never comes out.

use std::sync::Arc;

use footplate_core::notice::WebhookView;
use footplate_engine::client::WebhookRequest;
use tauri::State;

use crate::answer::{Answer, off};
use crate::shell::Shell;

type Held<'a> = State<'a, Arc<Shell>>;

/// Where messages go, and how the last ones fared.
#[tauri::command]
pub(crate) async fn webhook(shell: Held<'_>) -> Answer<Option<WebhookView>> {
    let shell = Arc::clone(&shell);
    off(move || shell.read(|client| client.webhook())).await
}

/// Sets it, or changes parts of it.
#[tauri::command]
pub(crate) async fn set_webhook(shell: Held<'_>, request: WebhookRequest) -> Answer<WebhookView> {
    let shell = Arc::clone(&shell);
    off(move || shell.write(|client| client.set_webhook(&request))).await
}

/// Sends a message now, as it would be after `set_webhook`; the name of the server that has taken it.
#[tauri::command]
pub(crate) async fn try_webhook(shell: Held<'_>, request: WebhookRequest) -> Answer<String> {
    let shell = Arc::clone(&shell);
    off(move || shell.read(|client| client.try_webhook(&request))).await
}

/// Removes it; false: there was none.
#[tauri::command]
pub(crate) async fn remove_webhook(shell: Held<'_>) -> Answer<bool> {
    let shell = Arc::clone(&shell);
    off(move || shell.write(|client| client.remove_webhook())).await
}
