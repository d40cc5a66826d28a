//! What every command answers with, and how it gets there.

use std::sync::{Mutex, MutexGuard, PoisonError};

use footplate_core::{ErrorCode, Fault};

/// A command's answer.
pub(crate) type Answer<T> = Result<T, Fault>;

/// What one thread left behind is good for the next.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does what may take a while off the threads that wait for the view.
pub(crate) async fn off<T: Send + 'static>(work: impl FnOnce() -> Answer<T> + Send + 'static) -> Answer<T> {
    tauri::async_runtime::spawn_blocking(work).await.unwrap_or_else(|error| Err(broken(&error)))
}

/// What only a bug or the system can be the cause of.
pub(crate) fn broken(error: &dyn std::fmt::Display) -> Fault {
    Fault::new(ErrorCode::Storage, format!("That did not work: {error}.")).hint("Try it again.")
}
