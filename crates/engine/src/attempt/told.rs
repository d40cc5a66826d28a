//! What a folder says of an attempt, for those who rebuild rows from it: read as the owner reads it.

use std::io;

use footplate_core::ErrorCode;
use footplate_core::state::settle::Evidence;
use footplate_shim::clock;
use footplate_shim::contract::Exit;
use footplate_shim::folder::AttemptDir;

use super::look::{Seen, look, look_after_reboot};

/// What is known of an attempt's end, and the exit record; no evidence while its program lives.
pub(crate) type Told = (Option<Evidence>, Option<Box<Exit>>);

/// Reads the folder of an attempt that was launched in the boot `boot`.
///
/// # Errors
/// What the system says, other than that a file is not there.
pub(crate) fn told(dir: &AttemptDir, boot: &str) -> io::Result<Told> {
    let seen = if boot == clock::boot_id() { look(dir, true)? } else { look_after_reboot(dir, true)? };
    Ok(match seen {
        Seen::Held { .. } | Seen::Orphan { .. } => (None, None),
        // Nobody has claimed it: nothing ran.
        Seen::Unclaimed { .. } => (Some(Evidence::Voided), None),
        Seen::Gone => (Some(Evidence::Lost { started: true, why: ErrorCode::FolderDeleted }), None),
        Seen::Over { evidence, exit } | Seen::Unswept { evidence, exit, .. } => (Some(evidence), exit),
    })
}
