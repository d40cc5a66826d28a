//! Which checkpoint of a run a text means.
//!
//! Deliberately not here: whether it can be gone on from, which the owner decides.

use std::path::{Path, PathBuf};

use footplate_core::{ErrorCode, Fault};

use super::files::{FileKind, FileView};
use super::keeper::Client;

/// A checkpoint that was named.
pub(super) struct Found {
    /// Whose it is.
    pub(super) stage: String,
    /// Absolute.
    pub(super) path: String,
}

impl Client {
    /// The checkpoint of a run that a text means: its id in [`Client::files`], its path (absolute, or below the run's folder or the
    /// present one), or the step that its program said.
    ///
    /// # Errors
    /// `NotFound`; `Ambiguous` where several stages have one like that; `Storage`.
    pub(super) fn checkpoint(&self, number: i64, text: &str, stage: Option<&str>) -> Result<Found, Fault> {
        let files = self.files_up_to(number, usize::MAX)?;
        let all: Vec<(FileView, PathBuf)> = files
            .files
            .into_iter()
            .filter(|(view, _)| {
                view.kind == FileKind::Checkpoint && stage.is_none_or(|s| view.stage.as_deref() == Some(s))
            })
            .collect();
        let below = files.folder.join(text);
        let here = std::path::absolute(text).ok();
        let is_path = |path: &Path| path == below || here.as_deref().is_some_and(|here| here == path);
        let step: Option<i64> = text.parse().ok();
        let picked = |fits: &dyn Fn(&FileView, &Path) -> bool| -> Vec<&(FileView, PathBuf)> {
            all.iter().filter(|(view, path)| fits(view, path)).collect()
        };
        let mut fitting = picked(&|view, _| view.id == text);
        if fitting.is_empty() {
            fitting = picked(&|_, path| is_path(path));
        }
        if fitting.is_empty() && step.is_some() {
            fitting = picked(&|view, _| view.checkpoint.as_ref().is_some_and(|said| said.step == step));
        }
        let whose = |(view, _): &(FileView, PathBuf)| view.stage.clone().unwrap_or_default();
        // Of one stage the newest: a step may have been reached, and saved, again.
        match fitting.as_slice() {
            [first, rest @ ..] if rest.iter().all(|other| whose(other) == whose(first)) => {
                Ok(Found { stage: whose(first), path: first.1.to_string_lossy().into_owned() })
            }
            [] => Err(Fault::new(ErrorCode::NotFound, format!("#{number} has no checkpoint {text:?}."))
                .hint(format!("footplate checkpoints {number} lists them"))),
            several => {
                let mut stages: Vec<String> = several.iter().map(|one| whose(one)).collect();
                stages.dedup();
                let text = format!("Several stages of #{number} have a checkpoint {text:?}: {}.", stages.join(", "));
                Err(Fault::new(ErrorCode::Ambiguous, text).hint("Say which one: --stage NAME"))
            }
        }
    }
}
