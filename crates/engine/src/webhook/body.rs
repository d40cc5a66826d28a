//! A message in the four forms. Names and causes are texts of others: each form has its own way to show them as they are.

use footplate_core::notice::WebhookForm;
use serde_json::{Value, json};

use super::Webhook;
use super::message::{Kind, Message};

/// Discord's colours: of what needs a look, and of what does not.
const COLOURS: (u32, u32) = (0x00D0_5A4E, 0x004F_8F6B);

/// Where a message is sent, and what.
pub(super) fn body(webhook: &Webhook, message: &Message) -> (String, Value) {
    let whole = || webhook.address.whole().to_owned();
    match webhook.form {
        WebhookForm::Json => (whole(), json!(message)),
        WebhookForm::Slack => (whole(), slack(message)),
        WebhookForm::Discord => (whole(), discord(message)),
        WebhookForm::Ntfy => (webhook.address.root(), ntfy(message, &webhook.address.topic().unwrap_or_default())),
    }
}

/// Source: api.slack.com/messaging/webhooks. Blocks are plain text; `text` is what notifications show, where `<..>` would be commands.
fn slack(message: &Message) -> Value {
    let plain = |text: &str| json!({ "type": "plain_text", "text": text, "emoji": false });
    let escaped = message.title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    // A header's text may have 150 characters.
    let title: String = message.title.chars().take(150).collect();
    let mut blocks = vec![json!({ "type": "header", "text": plain(&title) })];
    if !message.text.is_empty() {
        blocks.push(json!({ "type": "section", "text": plain(&message.text) }));
    }
    blocks.push(json!({ "type": "context", "elements": [plain(&message.machine)] }));
    json!({ "text": escaped, "blocks": blocks })
}

/// Source: discord.com/developers/docs/resources/webhook, Execute Webhook. Nobody is called by a name that stands in a text.
fn discord(message: &Message) -> Value {
    let colour = if message.is_bad() { COLOURS.0 } else { COLOURS.1 };
    json!({
        "username": "Footplate",
        "allowed_mentions": { "parse": [] },
        "embeds": [{
            "title": unmarked(&message.title),
            "description": unmarked(&message.text),
            "color": colour,
            "footer": { "text": message.machine },
        }],
    })
}

/// Markdown's signs as signs.
fn unmarked(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for sign in text.chars() {
        if "\\*_~`|>#[]()<:@-".contains(sign) {
            plain.push('\\');
        }
        plain.push(sign);
    }
    plain
}

/// Source: docs.ntfy.sh/publish, *Publish as JSON*: headers could not carry every text.
fn ntfy(message: &Message, topic: &str) -> Value {
    let tag = match message.kind {
        Kind::Test => "bell",
        _ if message.is_bad() => "warning",
        _ => "white_check_mark",
    };
    let text = if message.text.is_empty() { String::new() } else { format!("{}\n", message.text) };
    json!({
        "topic": topic,
        "title": message.title,
        "message": format!("{text}{}", message.machine),
        "tags": [tag],
        "priority": if message.is_bad() { 4 } else { 3 },
    })
}
