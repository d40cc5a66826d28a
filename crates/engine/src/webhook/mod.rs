//! Messages to a web address: how runs ended, what gives alarm and a disk that fills, for whoever does not look.
//!
//! The owner sends them (`owner/post.rs` says when, `attempt.rs` is one try, off its loop). What is to be told is read from the store's
//! events, after the one that was told last; that number stands in a file of its own, written after each message that was taken. So a
//! message whose taking was not written down comes again, with the same `id`; none is lost with an owner. What is older than a day is
//! not told any more, and what comes in numbers comes as one message.
//!
//! The address may be a secret, as Slack's and Discord's are. It stands in `webhook.json` (0600) and nowhere else; people and programs are
//! shown the server's name.
//!
//! Deliberately not here: which kinds of news there are (`core::notice`), and notifications of the desktop (the app).

mod address;
mod attempt;
mod body;
mod message;
pub(crate) mod pace;
mod record;
mod send;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use footplate_core::notice::{NoticeKind, WebhookForm};
use footplate_core::{ErrorCode, Fault};
use serde::{Deserialize, Serialize};

pub use address::Address;
pub(crate) use attempt::{Outcome, attempt};
pub(crate) use message::{DiskFacts, Message, Stamp};
pub(crate) use record::Record;
pub(crate) use send::{PATIENCE, send};

use crate::home::Home;
use crate::private::write_private;

/// Where messages go, and which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Whole; shown as its host only.
    pub address: Address,
    /// What the receiver understands.
    pub form: WebhookForm,
    /// What is told.
    pub on: Vec<NoticeKind>,
}

impl Webhook {
    /// One that is complete: kinds in their order, once each.
    ///
    /// # Errors
    /// `Invalid` where nothing is to be told, or the address is none of that form.
    pub fn new(address: Address, form: WebhookForm, on: &[NoticeKind]) -> Result<Webhook, Fault> {
        if on.is_empty() {
            return Err(Fault::new(ErrorCode::Invalid, "A webhook that tells nothing is of no use.")
                .hint("Choose what is told, or remove the webhook."));
        }
        if form == WebhookForm::Ntfy && address.topic().is_none() {
            return Err(Fault::new(ErrorCode::Invalid, "An address of ntfy ends with its topic.")
                .hint("It looks like https://ntfy.sh/TOPIC."));
        }
        let on = NoticeKind::ALL.into_iter().filter(|kind| on.contains(kind)).collect();
        Ok(Webhook { address, form, on })
    }

    /// The one of this data folder; `None` where there is none.
    ///
    /// # Errors
    /// `Storage` where its file cannot be read. Its content is not told.
    pub fn read(home: &Home) -> Result<Option<Webhook>, Fault> {
        let path = home.webhook();
        match read(&path) {
            Ok(found) => Ok(found),
            Err(error) => {
                let shown = path.display();
                Err(Fault::new(ErrorCode::Storage, format!("The webhook cannot be read from {shown}: {error}."))
                    .hint("Set the webhook anew: footplate webhook set URL"))
            }
        }
    }

    /// Puts it in the place of the one before.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn store(&self, home: &Home) -> io::Result<()> {
        write_private(&home.webhook(), &serde_json::to_vec(self)?)
    }
}

/// A small JSON file of ours; `None` where it is not there. What is wrong with one is told without its content.
fn read<T: serde::de::DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let damaged = |_| io::Error::new(io::ErrorKind::InvalidData, "it is damaged");
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}
