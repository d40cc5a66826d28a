//! `footplate backup`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::{visible, when};

/// Make a backup of the store now
///
/// It is verified before it gets its name. The owner makes one each hour in which something changed, and keeps the last of 24
/// hours and of 7 days, fewer where they took more than 2 GiB or a tenth of the free room. Runs' own files and logs are not in it.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to write, which must not be there yet [default: one in the data folder]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Backup {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let client = context.client()?;
        let file = self.file.as_ref().map(std::path::absolute).transpose()?;
        let (path, copy) = client.back_up(file.as_deref())?;
        let shown = path.display().to_string();
        if context.json {
            context
                .print_json(&json!({ "path": shown, "runs": copy.runs, "bytes": copy.bytes, "format": copy.format }))?;
        } else {
            let runs = if copy.runs == 1 { "run" } else { "runs" };
            context.print(&format!("{} ({} {runs}, {})\n", visible(&shown), copy.runs, when::size(copy.bytes)))?;
        }
        Ok(0)
    }
}
