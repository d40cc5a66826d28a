//! `footplate completions`.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::context::Context;
use crate::stop::Answer;

/// Print the completion script of a shell
///
/// bash: footplate completions bash > ~/.local/share/bash-completion/completions/footplate
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, context: &Context, mut command: Command) -> Answer {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "footplate", &mut script);
        context.print(&String::from_utf8_lossy(&script))?;
        Ok(0)
    }
}
