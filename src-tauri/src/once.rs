//! One app at a time: a second start shows the window of the first, and takes its place where the first is just ending.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// Counts the starts of one double-click, for the next of them.
const TRY: &str = "FOOTPLATE_APP_TRY";

/// The first app may end without an answer, once or twice; more often than that it is something else.
const TRIES: u32 = 5;

/// Where the first app went away while this one asked it for its window, nobody would open one: starts anew, as the
/// toolkit can be set up only once a process. It returns only where that is not the trouble (`None`), or cannot be done.
pub(crate) fn start_again(error: &tauri::Error) -> Option<String> {
    let tauri::Error::PluginInitialization(plugin, _) = error else { return None };
    let tries = std::env::var(TRY).ok().and_then(|count| count.parse().ok()).unwrap_or(1_u32);
    if plugin != "single-instance" || tries >= TRIES {
        return None;
    }
    let own = std::env::current_exe().ok()?;
    let error = Command::new(own).args(std::env::args_os().skip(1)).env(TRY, (tries + 1).to_string()).exec();
    Some(error.to_string())
}
