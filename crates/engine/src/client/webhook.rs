//! The webhook at the doors: set, shown, tried, removed. A guest writes its file; the owner reads it before each message.

use std::io::{self, ErrorKind};

use footplate_core::notice::{NoticeKind, WebhookForm, WebhookView};
use footplate_core::{ErrorCode, Fault, UtcMs};
use footplate_shim::clock;

use super::keeper::Client;
use super::notices::machine;
use crate::bell;
use crate::webhook::{Address, Message, PATIENCE, Record, Stamp, Webhook, send};

/// What somebody wants of the webhook. What is not given stays, or is what the address suggests, with every kind told.
#[derive(Clone, Default, PartialEq, Eq, serde::Deserialize)]
pub struct WebhookRequest {
    /// Whole; a secret.
    #[serde(default)]
    pub address: Option<String>,
    /// What the receiver understands.
    #[serde(default)]
    pub form: Option<WebhookForm>,
    /// What is told.
    #[serde(default)]
    pub on: Option<Vec<NoticeKind>>,
}

impl Client {
    /// The webhook and how its messages fared; `None` where there is none.
    ///
    /// # Errors
    /// `Storage`.
    pub fn webhook(&self) -> Result<Option<WebhookView>, Fault> {
        Ok(Webhook::read(&self.home)?.map(|webhook| view(&webhook, &Record::read(&self.home))))
    }

    /// Sets the webhook, or changes parts of it. The first one tells what happens from now on.
    ///
    /// # Errors
    /// `Invalid`, `NotFound` where there is none and no address is given, `Storage`.
    pub fn set_webhook(&self, request: &WebhookRequest) -> Result<WebhookView, Fault> {
        let before = Webhook::read(&self.home).ok().flatten();
        let webhook = self.wanted(request)?;
        let mut record = Record::read(&self.home);
        if before.as_ref().is_none_or(|before| before.address != webhook.address) {
            // How another receiver fared means nothing here. An owner that is telling right now knows how far it has told.
            let told = if before.is_some() { record.told } else { self.store.read()?.last_seq()? };
            record = Record { told, ..Record::default() };
            record.store(&self.home).map_err(|error| self.unwritable(&error))?;
        }
        webhook.store(&self.home).map_err(|error| self.unwritable(&error))?;
        // An owner that waits after a failure tries the new one at once; where none is there, the next one does.
        let _ = bell::ring(&self.home);
        Ok(view(&webhook, &record))
    }

    /// Removes the webhook; false where there was none. What was not told yet is told no more.
    ///
    /// # Errors
    /// `Storage`.
    pub fn remove_webhook(&self) -> Result<bool, Fault> {
        let mut there = false;
        for path in [self.home.webhook(), self.home.webhook_state()] {
            match std::fs::remove_file(path) {
                Ok(()) => there = true,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(self.unwritable(&error)),
            }
        }
        Ok(there)
    }

    /// Sends a test message, to the webhook as it would be after [`Client::set_webhook`]; waits 5 s at most. Returns the server's name.
    ///
    /// # Errors
    /// As [`Client::set_webhook`]; `Refused` with the reason where the message was not taken.
    pub fn try_webhook(&self, request: &WebhookRequest) -> Result<String, Fault> {
        let webhook = self.wanted(request)?;
        let stamp = Stamp { id: crate::fresh::uuid().to_string(), time: UtcMs(clock::wall_ms()), machine: machine() };
        match send(&webhook, &Message::test(stamp), PATIENCE) {
            Ok(()) => Ok(webhook.address.host()),
            Err(refusal) => Err(Fault::new(ErrorCode::Refused, refusal.why)
                .hint("The message was not taken. Compare the address and the form with the receiver's own page.")),
        }
    }

    fn wanted(&self, request: &WebhookRequest) -> Result<Webhook, Fault> {
        let (address, form, on) = match (&request.address, Webhook::read(&self.home)) {
            (Some(address), before) => {
                let address = Address::parse(address)?;
                let form = WebhookForm::of_host(&address.server());
                // What was told before is told on; another receiver has a form of its own.
                let on = before.ok().flatten().map(|before| before.on);
                (address, form, on.unwrap_or_else(|| NoticeKind::ALL.to_vec()))
            }
            (None, before) => match before? {
                Some(before) => (before.address, before.form, before.on),
                None => {
                    return Err(Fault::new(ErrorCode::NotFound, "There is no webhook.")
                        .hint("Name an address: footplate webhook set URL"));
                }
            },
        };
        Webhook::new(address, request.form.unwrap_or(form), request.on.as_deref().unwrap_or(&on))
    }

    fn unwritable(&self, error: &io::Error) -> Fault {
        let path = self.home.webhook();
        let shown = path.display();
        Fault::new(ErrorCode::Storage, format!("The webhook cannot be written to {shown}: {error}."))
            .hint("Look at the free space and the rights of the data folder.")
    }
}

fn view(webhook: &Webhook, record: &Record) -> WebhookView {
    WebhookView {
        host: webhook.address.host(),
        encrypted: webhook.address.is_encrypted(),
        form: webhook.form,
        on: webhook.on.clone(),
        delivered_at: record.delivered_at,
        failed_at: record.failed_at,
        failure: record.failure.clone(),
    }
}
