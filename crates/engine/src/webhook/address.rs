//! The address of a receiver, which may be a secret: nothing here shows more of it than the server's name.

use std::fmt;

use footplate_core::{ErrorCode, Fault};
use serde::{Deserialize, Deserializer, Serialize};
use ureq::http::Uri;

/// Longest address, bytes.
const MOST: usize = 2048;

/// An address with `http` or `https`. Its `Debug` is the host.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Address(String);

impl Address {
    /// Reads one.
    ///
    /// # Errors
    /// `Invalid`; what was given is not repeated.
    pub fn parse(text: &str) -> Result<Address, Fault> {
        let text = text.trim();
        let wrong = |what: String| {
            Fault::new(ErrorCode::Invalid, what)
                .hint("It looks like https://hooks.slack.com/services/.. or https://ntfy.sh/TOPIC.")
        };
        if text.is_empty() {
            return Err(wrong("The address of the webhook is empty.".to_owned()));
        }
        if text.len() > MOST {
            return Err(wrong(format!("The address of the webhook is longer than {MOST} characters.")));
        }
        if !["https://", "http://"].iter().any(|scheme| begins_with(text, scheme)) {
            return Err(wrong("The address of the webhook does not begin with https:// or http://.".to_owned()));
        }
        let uri: Uri =
            text.parse().map_err(|_| wrong("The address of the webhook is no address of the web.".to_owned()))?;
        if uri.host().is_none_or(str::is_empty) {
            return Err(wrong("The address of the webhook names no server.".to_owned()));
        }
        Ok(Address(text.to_owned()))
    }

    fn uri(&self) -> Uri {
        self.0.parse().unwrap_or_default()
    }

    /// The server's name, with the port where one was given.
    #[must_use]
    pub fn host(&self) -> String {
        let uri = self.uri();
        let host = uri.host().unwrap_or_default();
        uri.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The server's name alone.
    #[must_use]
    pub fn server(&self) -> String {
        self.uri().host().unwrap_or_default().to_ascii_lowercase()
    }

    /// The way there is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.uri().scheme_str() == Some("https")
    }

    /// The whole: for the request, and for nothing else.
    pub(super) fn whole(&self) -> &str {
        &self.0
    }

    /// Of an address of ntfy, the topic: the only part of its path.
    pub(super) fn topic(&self) -> Option<String> {
        let uri = self.uri();
        let topic = uri.path().trim_matches('/');
        (!topic.is_empty() && !topic.contains('/')).then(|| topic.to_owned())
    }

    /// The same server with an empty path, where ntfy takes JSON; what follows the path stays.
    pub(super) fn root(&self) -> String {
        let uri = self.uri();
        let (scheme, authority) = (uri.scheme_str().unwrap_or("https"), uri.authority().map_or("", |all| all.as_str()));
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{scheme}://{authority}/{query}")
    }
}

fn begins_with(text: &str, scheme: &str) -> bool {
    text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.host())
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
        let text = String::deserialize(deserializer)?;
        Address::parse(&text).map_err(|fault| serde::de::Error::custom(fault.message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_or_refused_in_words_and_shown_as_its_host() {
        let good = Address::parse(" https://u:canary@Hooks.Example.com:8443/services/canary?token=canary\n").unwrap();
        assert_eq!((good.host().as_str(), good.server().as_str()), ("Hooks.Example.com:8443", "hooks.example.com"));
        assert!(good.is_encrypted() && !format!("{good:?}").contains("canary"), "{good:?}");
        assert!(!Address::parse("http://10.0.0.7/x").unwrap().is_encrypted());
        for (bad, part) in [
            ("", "is empty"),
            ("  ", "is empty"),
            ("ftp://example.com/canary", "does not begin with"),
            ("hooks.slack.com/canary", "does not begin with"),
            ("https://", "no address"),
            ("https://exa mple.com/canary", "no address"),
            ("canary", "does not begin with"),
        ] {
            let fault = Address::parse(bad).unwrap_err();
            assert!(fault.message.contains(part), "{bad:?}: {fault:?}");
            assert!(!format!("{fault:?}").contains("canary"), "{bad:?}: {fault:?}");
        }
        assert!(Address::parse(&format!("https://example.com/{}", "x".repeat(MOST))).is_err());
    }

    #[test]
    fn an_address_of_ntfy_is_taken_apart() {
        let address = Address::parse("https://ntfy.example.com/training?auth=canary").unwrap();
        assert_eq!(address.topic().as_deref(), Some("training"));
        assert_eq!(address.root(), "https://ntfy.example.com/?auth=canary");
        for bad in ["https://ntfy.sh", "https://ntfy.sh/", "https://ntfy.sh/a/b"] {
            assert_eq!(Address::parse(bad).unwrap().topic(), None, "{bad}");
        }
    }
}
