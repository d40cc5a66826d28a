//! One request: bounded in time and size, followed nowhere, and told in words when it goes wrong.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use footplate_core::notice::WebhookForm;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Error};

use super::Webhook;
use super::body::body;
use super::message::Message;

/// How long one try may take, all in all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Longest head of an answer, bytes. Its body is not read.
const HEAD_MOST: usize = 16 << 10;
/// Longest wait that a receiver may ask for, seconds; longer ones are cut elsewhere.
const WAIT_MOST: u64 = 3_600;

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// A sentence with the server's name, and no more of its address.
    pub(crate) why: String,
    /// How long the receiver asks to be left alone, milliseconds.
    pub(crate) wait_ms: Option<u64>,
}

/// Sends a message, and waits until it was taken.
///
/// # Errors
/// Why it was not, or not within `patience`.
pub(crate) fn send(webhook: &Webhook, message: &Message, patience: Duration) -> Result<(), Refusal> {
    let host = webhook.address.host();
    let (address, body) = body(webhook, message);
    let mut config = Agent::config_builder()
        .timeout_global(Some(patience))
        // An answer of another place is an answer, and none that we want.
        .max_redirects(0)
        .http_status_as_error(false)
        .max_response_header_size(HEAD_MOST)
        .input_buffer_size(2 * HEAD_MOST)
        .output_buffer_size(HEAD_MOST)
        .max_idle_connections(0)
        .user_agent(concat!("footplate/", env!("CARGO_PKG_VERSION")));
    if webhook.address.is_encrypted() {
        config = config.tls_config(
            TlsConfig::builder()
                .root_certs(RootCerts::PlatformVerifier)
                .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .build(),
        );
    }
    let agent = Agent::new_with_config(config.build());
    let answer = agent.post(&address).header("content-type", "application/json").send(body.to_string().as_bytes());
    let answer = answer.map_err(|error| Refusal { why: in_words(&host, &error), wait_ms: None })?;
    let status = answer.status().as_u16();
    if (200..300).contains(&status) {
        return Ok(());
    }
    let asked = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    Err(Refusal { why: answered(&host, status, webhook.form), wait_ms: asked.map(|s| s.min(WAIT_MOST) * 1000) })
}

/// What an answer means.
fn answered(host: &str, status: u16, form: WebhookForm) -> String {
    match status {
        300..400 => format!("{host} answered with {status}: it wants to send us elsewhere, where no message goes."),
        400 | 422 if form == WebhookForm::Json => {
            format!("{host} answered with {status}: it does not understand the message; it may want another form.")
        }
        400 | 422 => {
            format!("{host} answered with {status}: it does not understand the message; it may not speak this form.")
        }
        401 | 403 => format!("{host} answered with {status}: it does not let us in."),
        404 | 410 => format!("{host} answered with {status}: it does not know this address, or not any more."),
        413 => format!("{host} answered with {status}: the message is too long for it."),
        429 => format!("{host} answered with {status}: it has had too many messages."),
        500..600 => format!("{host} answered with {status}: it is in trouble itself."),
        _ => format!("{host} answered with {status}: that is no answer to a message."),
    }
}

/// Why there is no answer, in our own words: those of others may repeat the address.
fn in_words(host: &str, error: &Error) -> String {
    match error {
        Error::Timeout(_) => format!("{host} did not answer in time."),
        Error::HostNotFound => not_known(host),
        Error::Rustls(rustls::Error::InvalidCertificate(_)) => not_trusted(host),
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) => {
            format!("{host} could not agree on an encrypted connection.")
        }
        Error::Io(error) => no_connection(host, error),
        Error::InvalidProxyUrl | Error::ConnectProxyFailed(_) => {
            format!("{host} cannot be reached through the proxy that the environment names.")
        }
        Error::Protocol(_) | Error::Http(_) | Error::LargeResponseHeader(..) => {
            format!("{host} did not answer as a web server does.")
        }
        _ => format!("{host} cannot be reached."),
    }
}

fn no_connection(host: &str, error: &io::Error) -> String {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match (error.kind(), tls) {
        (_, Some(rustls::Error::InvalidCertificate(_))) => not_trusted(host),
        (_, Some(_)) => format!("{host} could not agree on an encrypted connection."),
        (io::ErrorKind::ConnectionRefused, _) => format!("{host} refuses the connection: nobody listens there."),
        (io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe, _) => {
            format!("{host} broke the connection off.")
        }
        (io::ErrorKind::UnexpectedEof, _) => format!("{host} closed the connection without an answer."),
        (io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable, _) => {
            format!("{host} cannot be reached: there is no network, or no way there.")
        }
        (io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock, _) => format!("{host} did not answer in time."),
        // What getaddrinfo(3) says has no kind of its own.
        _ if error.to_string().contains("lookup") => not_known(host),
        _ => format!("{host} cannot be reached."),
    }
}

fn not_known(host: &str) -> String {
    format!("{host} is not known: there is no network, or the name is wrong.")
}

fn not_trusted(host: &str) -> String {
    format!("{host} could not show that it is who it says: its certificate is not trusted here.")
}
