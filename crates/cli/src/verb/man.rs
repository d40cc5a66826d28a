//! `footplate man`.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man as Page;
use footplate_core::{ErrorCode, Fault};
use serde_json::json;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::visible;

/// Write the manual pages into a folder, one for each verb
///
/// For man itself: footplate man ~/.local/share/man/man1, then man footplate, man footplate-run. The .deb brings them.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The folder; it is made where it is not there. Pages that are there already are written anew
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Man {
    pub(crate) fn run(&self, context: &Context, command: Command) -> Answer {
        let pages = pages(command);
        for (name, page) in &pages {
            write(&self.folder, name, page).map_err(|error| {
                let place = self.folder.join(name);
                Fault::new(ErrorCode::Storage, format!("{} cannot be written: {error}.", place.display()))
                    .hint("Name a folder that you may write to: footplate man ~/.local/share/man/man1")
            })?;
        }
        let folder = self.folder.display().to_string();
        if context.json {
            let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
            context.print_json(&json!({ "folder": folder, "pages": names }))?;
        } else {
            context.print(&format!("{} pages in {}\n", pages.len(), visible(&folder)))?;
        }
        Ok(0)
    }
}

fn write(folder: &Path, name: &str, page: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join(name), page)
}

/// Each page with its file's name: the command's, then every verb's, and those of the verbs within (`footplate-queue-set.1`).
fn pages(command: Command) -> Vec<(String, Vec<u8>)> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    add(&command, "footplate", &mut pages);
    pages
}

fn add(command: &Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) {
    // As it is called, and as man looks it up.
    let titled = command.clone().display_name(name.to_owned());
    let page = Page::new(titled).title(name.to_uppercase()).source(concat!("footplate ", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    // Into memory: it cannot fail.
    if page.render(&mut text).is_ok() {
        pages.push((format!("{name}.1"), text));
    }
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        add(verb, &format!("{name}-{}", verb.get_name()), pages);
    }
}
