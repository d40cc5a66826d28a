//! `footplate webhook`.

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::{Args, Subcommand};
use footplate_core::notice::{NoticeKind, WebhookForm, WebhookView};
use footplate_core::{ErrorCode, Fault};
use footplate_engine::client::WebhookRequest;
use serde_json::json;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::{table, when};

/// Have messages sent to a web address: how runs end, what gives alarm
///
/// They are sent by the one process that does the work, whether or not somebody looks: as JSON, or as Slack, Discord and ntfy
/// want it. What cannot be sent is tried again for a day. The address may be a secret: it is kept in a file that only you can
/// read, and only its server is ever shown.
#[derive(Debug, Args)]
pub(crate) struct Webhook {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Where messages go, what is told, and how the last ones fared
    Show,
    /// Set the address, or change what is told
    Set {
        #[command(flatten)]
        wanted: Wanted,
        /// What is told: disk, failed, stalled, alert, interrupted, completed; all of it where nothing is said
        #[arg(long, value_name = "KIND,..", value_delimiter = ',', value_parser = kinds(), required_unless_present_any = ["address", "form"])]
        on: Vec<NoticeKind>,
    },
    /// Send a message now, and say whether it was taken
    Test {
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Send no more messages, and forget the address
    Rm,
}

#[derive(Debug, Args)]
struct Wanted {
    /// The whole address, https://..; - reads it from stdin, so that no list of processes and no shell's history has it
    #[arg(value_name = "URL")]
    address: Option<String>,
    /// What the receiver understands; by its name where nothing is said
    #[arg(long, value_name = "FORM", value_parser = forms())]
    form: Option<WebhookForm>,
}

fn kinds() -> impl clap::builder::TypedValueParser<Value = NoticeKind> {
    PossibleValuesParser::new(NoticeKind::ALL.map(NoticeKind::as_str))
        .map(|word| NoticeKind::of_word(&word).unwrap_or(NoticeKind::Failed))
}

fn forms() -> impl clap::builder::TypedValueParser<Value = WebhookForm> {
    PossibleValuesParser::new(WebhookForm::ALL.map(WebhookForm::as_str))
        .map(|word| WebhookForm::ALL.into_iter().find(|form| form.as_str() == word).unwrap_or_default())
}

impl Webhook {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let client = context.client()?;
        match &self.what {
            None | Some(What::Show) => {
                let view = client.webhook()?;
                match &view {
                    _ if context.json => context.print_json(&view)?,
                    Some(view) => context.print(&shown(view, context))?,
                    None => context.remark("no webhook; footplate webhook set URL sets one"),
                }
            }
            Some(What::Set { wanted, on }) => {
                let on = Some(on.clone()).filter(|on| !on.is_empty());
                let view = client.set_webhook(&WebhookRequest { on, ..wanted.request()? })?;
                if context.json {
                    context.print_json(&view)?;
                } else {
                    context.print(&shown(&view, context))?;
                    context.remark("footplate webhook test sends a message now");
                }
            }
            Some(What::Test { wanted }) => {
                let host = client.try_webhook(&wanted.request()?)?;
                let said = format!("{host} has taken a test message");
                if context.json {
                    context.print_json(&json!({ "done": true, "message": said }))?;
                } else {
                    context.print(&format!("{said}\n"))?;
                }
            }
            Some(What::Rm) => {
                let there = client.remove_webhook()?;
                let said = if there { "no more messages are sent" } else { "there was no webhook" };
                if context.json {
                    context.print_json(&json!({ "done": there, "message": said }))?;
                } else {
                    context.print(&format!("{said}\n"))?;
                }
            }
        }
        Ok(0)
    }
}

impl Wanted {
    fn request(&self) -> Result<WebhookRequest, Fault> {
        let address = match self.address.as_deref() {
            Some("-") => Some(
                std::io::read_to_string(std::io::stdin().lock())
                    .map_err(|error| Fault::new(ErrorCode::Invalid, format!("cannot read the address: {error}")))?,
            ),
            other => other.map(str::to_owned),
        };
        Ok(WebhookRequest { address, form: self.form, on: None })
    }
}

fn shown(view: &WebhookView, context: &Context) -> String {
    let mut lines = vec![("to", to(view)), ("tells", told(view))];
    if let Some(at) = view.delivered_at {
        lines.push(("last taken", when::moment(at)));
    }
    if let (Some(at), Some(why)) = (view.failed_at, &view.failure) {
        lines.push(("last failure", format!("{}: {}", when::moment(at), crate::text::visible(why))));
    }
    table::pairs(&lines, context.colour)
}

/// Where messages go, without what must stay private.
pub(crate) fn to(view: &WebhookView) -> String {
    let open = if view.encrypted { "" } else { ", not encrypted" };
    format!("{} ({}{open})", crate::text::visible(&view.host), view.form.as_str())
}

/// What is told.
pub(crate) fn told(view: &WebhookView) -> String {
    view.on.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
}
