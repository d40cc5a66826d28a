//! One try: reads what is to be told, sends one message of it, and writes down that it was taken.

use std::sync::Mutex;
use std::time::Duration;

use footplate_core::{Fault, UtcMs};
use footplate_shim::failpoint;

use super::send::{Refusal, send};
use super::{Record, Webhook};
use crate::client::{Client, OwnerStart};
use crate::home::Home;

/// What is older is not told any more, milliseconds.
const DAY_MS: i64 = 24 * 3_600_000;
/// So many are told one by one; more come as one message.
const ALONE: usize = 3;
/// So many events without news are remembered as looked through, also where nothing was told.
const LOOKED_THROUGH: i64 = 10_000;

/// What came of a try.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// There was nothing to tell.
    Nothing {
        /// The event up to which that is so.
        told: i64,
    },
    /// A message was taken.
    Sent {
        /// The last event that is told.
        told: i64,
        /// There is more.
        more: bool,
    },
    /// It was not taken.
    Failed {
        /// How long the receiver asks to be left alone, milliseconds.
        wait_ms: Option<u64>,
    },
}

/// One try, bounded by `patience`. `told`: the event that this owner told last, where it told any, for the file may be behind; `now`: UTC
/// milliseconds. One at a time: another waits.
///
/// # Errors
/// What stands in the way here: the store, the webhook's file.
pub(crate) fn attempt(home: &Home, told: Option<i64>, now: i64, patience: Duration) -> Result<Outcome, Fault> {
    /// Whoever left while its last message was on the way may have come back as an owner.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut record = Record::read(home);
    let known = record.told;
    record.told = known.max(told.unwrap_or(0));
    let Some(webhook) = Webhook::read(home)? else { return Ok(Outcome::Nothing { told: record.told }) };
    let client = Client::open_with(home.clone(), OwnerStart::Never)?;
    let news = client.news_after(record.told, &webhook.on, now - DAY_MS)?;
    let alone = news.count() <= ALONE;
    let found = if alone { client.first_message(&news)? } else { client.message_of_all(&news)? };
    let Some((message, upto)) = found else {
        record.told = news.upto;
        if news.upto >= known + LOOKED_THROUGH {
            // Best effort: else the next owner looks through them again.
            let _ = record.store(home);
        }
        return Ok(Outcome::Nothing { told: news.upto });
    };
    match send(&webhook, &message, patience) {
        Ok(()) => {
            failpoint::hit("webhook-after-send");
            record = Record { told: upto, delivered_at: Some(UtcMs(now)), failed_at: None, failure: None };
            // Where that cannot be written this owner knows, and the next one tells it again.
            let _ = record.store(home);
            Ok(Outcome::Sent { told: upto, more: upto < news.upto })
        }
        Err(Refusal { why, wait_ms }) => {
            record = Record { told: known, failed_at: Some(UtcMs(now)), failure: Some(why), ..record };
            let _ = record.store(home);
            Ok(Outcome::Failed { wait_ms })
        }
    }
}
