//! What became of the messages so far: `webhook.state`. One sender at a time writes it.

use std::io;

use footplate_core::UtcMs;
use serde::{Deserialize, Serialize};

use crate::home::Home;
use crate::private::write_private;

/// How far was told, and how the last tries fared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Record {
    /// The event that was told last: none up to it is told again.
    pub(crate) told: i64,
    /// When a message was taken last.
    pub(crate) delivered_at: Option<UtcMs>,
    /// When a try failed, where none has succeeded since.
    pub(crate) failed_at: Option<UtcMs>,
    /// Why, in a sentence.
    pub(crate) failure: Option<String>,
}

impl Record {
    /// As it stands. One that is not there or cannot be read says that nothing was told yet: better twice than never.
    pub(crate) fn read(home: &Home) -> Record {
        super::read(&home.webhook_state()).ok().flatten().unwrap_or_default()
    }

    /// Writes it down.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn store(&self, home: &Home) -> io::Result<()> {
        write_private(&home.webhook_state(), &serde_json::to_vec(self)?)
    }
}
