//! The order of one attempt: spec, lock, claim, fork, records, gate; then [`attend`] until the end.

mod adopt;
mod attend;
mod bell;
mod bond;
mod child;
mod environ;
mod launch;
mod output;
mod paper;
mod patience;
mod server;
mod signals;

use footplate_shim::contract::{ADOPT_OPTION, FORK_SERVER_OPTION, MARK_VARIABLE, SECRETS_OPTION, code};
use footplate_shim::folder::AttemptDir;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;

/// Why the shim stops before its program could run.
pub(crate) struct Refusal {
    code: u8,
    what: String,
}

impl Refusal {
    fn new(code: u8, what: impl Into<String>) -> Self {
        Self { code, what: what.into() }
    }

    /// An error of the system; a full disk has its own code.
    fn of(doing: &str, error: &io::Error) -> Self {
        let code = if is_no_space(error) { code::NO_SPACE } else { code::IO };
        Self { code, what: format!("{doing}: {error}") }
    }
}

fn is_no_space(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT))
}

/// Returns the exit code, see [`code`].
pub(crate) fn main() -> u8 {
    let launched = what_to_do().and_then(|order| match order {
        Order::Nothing => Ok(server::SERVED),
        Order::Hold { folder, secrets_fd, ready } => launch::launch(folder, secrets_fd, ready).map(attend::attend),
        Order::Adopt { folder } => adopt::adopt(folder),
    });
    let refused = match launched {
        Ok(code) => return code,
        Err(refused) => refused,
    };
    if !refused.what.is_empty() {
        eprintln!("footplate-shim: {}", refused.what);
    }
    refused.code
}

/// What this process is for.
enum Order {
    /// A fork server has ended, or a shim that stood by for nothing.
    Nothing,
    /// Hold the attempt in this folder.
    Hold { folder: AttemptDir, secrets_fd: Option<i32>, ready: Option<launch::Ready> },
    /// Take the place of the shim that held the attempt in this folder.
    Adopt { folder: AttemptDir },
}

fn what_to_do() -> Result<Order, Refusal> {
    clear_mark()?;
    signals::reset_all();
    if std::env::args_os().nth(1).is_some_and(|word| word == FORK_SERVER_OPTION) {
        let held = server::serve()?;
        return Ok(held.map_or(Order::Nothing, |(folder, ready)| Order::Hold {
            folder,
            secrets_fd: None,
            ready: Some(ready),
        }));
    }
    let order = arguments()?;
    let kept = if let Order::Hold { secrets_fd, .. } = &order { *secrets_fd } else { None };
    footplate_shim::os::close_inherited(3, kept);
    Ok(order)
}

fn arguments() -> Result<Order, Refusal> {
    let wrong = || {
        let usage = format!(
            "usage: footplate-shim <attempt folder> [{SECRETS_OPTION} N], or {ADOPT_OPTION} <attempt folder>, or {FORK_SERVER_OPTION}"
        );
        Refusal::new(code::SPEC, usage)
    };
    let mut words = std::env::args_os().skip(1);
    let mut first = words.next().ok_or_else(wrong)?;
    let adopts = first == ADOPT_OPTION;
    if adopts {
        first = words.next().ok_or_else(wrong)?;
    }
    let folder = PathBuf::from(first);
    let secrets_fd = match words.next() {
        None => None,
        Some(option) if option == SECRETS_OPTION => {
            Some(words.next().and_then(|n| n.to_str()?.parse().ok()).filter(|&n| n == 0 || n > 2).ok_or_else(wrong)?)
        }
        Some(_) => return Err(wrong()),
    };
    let folder = std::path::absolute(folder).map_err(|error| Refusal::of("cannot tell where the folder is", &error))?;
    let folder = AttemptDir::open(folder);
    Ok(if adopts { Order::Adopt { folder } } else { Order::Hold { folder, secrets_fd, ready: None } })
}

/// A shim that was started from within a run must not look like a part of it: what a process was started with can only
/// be changed by starting it again.
fn clear_mark() -> Result<(), Refusal> {
    if std::env::var_os(MARK_VARIABLE).is_none() {
        return Ok(());
    }
    let again = std::env::current_exe().map_err(|error| Refusal::of("cannot find my own file", &error))?;
    let error = std::process::Command::new(again).args(std::env::args_os().skip(1)).env_remove(MARK_VARIABLE).exec();
    Err(Refusal::of("cannot start again", &error))
}
