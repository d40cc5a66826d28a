//! What every verb is given: where the data is, how to speak, and whether this is a terminal.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use footplate_core::{Fault, RunStatus};
use footplate_engine::client::Client;
use footplate_engine::home::Home;
use serde::Serialize;

use crate::stop::Stop;
use crate::text::colour::wanted;
use crate::text::storage;

/// The surroundings of one call.
pub(crate) struct Context {
    data_dir: Option<PathBuf>,
    /// Answers for programs.
    pub(crate) json: bool,
    /// Colours on stdout.
    pub(crate) colour: bool,
    /// Colours on stderr.
    pub(crate) colour_err: bool,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
}

impl Context {
    pub(crate) fn new(data_dir: Option<PathBuf>, json: bool) -> Context {
        let (no_color, term) = (std::env::var("NO_COLOR").ok(), std::env::var("TERM").ok());
        let stdout_is_terminal = io::stdout().is_terminal();
        let stderr_is_terminal = io::stderr().is_terminal();
        Context {
            data_dir,
            json,
            colour: wanted(stdout_is_terminal, no_color.as_deref(), term.as_deref()),
            colour_err: wanted(stderr_is_terminal, no_color.as_deref(), term.as_deref()),
            stdout_is_terminal,
            stderr_is_terminal,
        }
    }

    /// The data folder: `--data-dir`, FOOTPLATE_DATA, or the platform's.
    pub(crate) fn home(&self) -> Result<Home, Fault> {
        Home::locate(self.data_dir.as_deref())
    }

    /// The data folder where one was named, by `--data-dir` or FOOTPLATE_DATA; `None`: the platform's.
    pub(crate) fn named_data_dir(&self) -> Option<PathBuf> {
        let from_env = || std::env::var_os("FOOTPLATE_DATA").filter(|value| !value.is_empty()).map(PathBuf::from);
        let named = self.data_dir.clone().or_else(from_env)?;
        Some(std::path::absolute(&named).unwrap_or(named))
    }

    /// A guest of the store.
    ///
    /// What is to be told of the store is told first, on stderr: it concerns whoever uses it.
    pub(crate) fn client(&self) -> Result<Client, Fault> {
        let client = Client::open(self.home()?)?;
        for line in storage::remarks(&client.storage()?) {
            self.remark(&line);
        }
        Ok(client)
    }

    /// Whether bars can be drawn on stderr.
    pub(crate) fn can_draw(&self) -> bool {
        self.stderr_is_terminal && std::env::var("TERM").ok().as_deref() != Some("dumb")
    }

    /// Writes text to stdout.
    pub(crate) fn print(&self, text: &str) -> Result<(), Stop> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(())
    }

    /// Writes a line of remark to stderr.
    pub(crate) fn remark(&self, text: &str) {
        // Where stderr is closed nobody can be told.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// One JSON document: indented for eyes, on one line for programs.
    pub(crate) fn print_json<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Stop> {
        let text =
            if self.stdout_is_terminal { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
        let text = text.map_err(io::Error::from)?;
        self.print(&format!("{text}\n"))
    }

    /// One object a line, where the output is a stream.
    pub(crate) fn print_json_line<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Stop> {
        let text = serde_json::to_string(value).map_err(io::Error::from)?;
        self.print(&format!("{text}\n"))
    }

    /// Whether a person is at the other end, who can be asked.
    pub(crate) fn is_terminal(&self) -> bool {
        self.stdout_is_terminal && io::stdin().is_terminal()
    }

    /// Columns of the terminal on stdout; `None` where the output is no terminal.
    pub(crate) fn columns(&self) -> Option<usize> {
        if !self.stdout_is_terminal {
            return None;
        }
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
        Some(usize::from(size.ws_col)).filter(|columns| *columns >= 40)
    }
}

/// The exit code that a run's end stands for: 0 completed, 1 failed, 130 cancelled or interrupted.
pub(crate) fn exit_code_of(status: RunStatus) -> u8 {
    match status {
        RunStatus::Completed => 0,
        RunStatus::Failed => 1,
        RunStatus::Cancelled | RunStatus::Interrupted => 130,
        RunStatus::Draft | RunStatus::Queued | RunStatus::Running | RunStatus::Paused => 0,
    }
}
