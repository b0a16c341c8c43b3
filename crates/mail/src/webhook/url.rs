//! The URLs of webhook endpoints.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;
use vestibule::Secret;

use super::reach::{Reach, why};
use crate::transport::transport_url::is_loopback;

/// The checked URL of an endpoint. It may carry a token in its path, so `Debug` shows its host only.
#[derive(Clone)]
pub struct WebhookUrl {
    url: Url,
    reach: Reach,
}

/// Why a text is not a [`WebhookUrl`]. Names at most its host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookUrlError {
    /// Not a URL with a host.
    #[error("not an address like https://app.example.org/webhooks")]
    Malformed,
    /// `user:password@`.
    #[error("credentials before the host: receivers know us by the signature")]
    Credentials,
    /// Events would travel unencrypted, and to whoever answers to the name.
    #[error("http:// is for private addresses only, where they are allowed; use https://")]
    Unencrypted,
    /// The address must not be reached.
    #[error("{host} is {why}")]
    Refused {
        /// The host as written.
        host: String,
        /// The kind of address.
        why: &'static str,
    },
}

impl WebhookUrl {
    /// `https://…` to public addresses. With `allow_private` also to addresses of this machine and of private networks
    /// (127.0.0.0/8, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, `::1`, `fc00::/7`), and to these by
    /// `http://…` as well. The addresses of a name are checked before each connection.
    ///
    /// # Errors
    /// [`WebhookUrlError`] for a URL that would never be reached.
    pub fn new(url: &Secret, allow_private: bool) -> Result<Self, WebhookUrlError> {
        let url = Url::parse(url.expose().trim()).map_err(|_| WebhookUrlError::Malformed)?;
        let reach = match url.scheme() {
            "https" => Reach { public: true, private: allow_private },
            "http" if allow_private => Reach { public: false, private: true },
            "http" => return Err(WebhookUrlError::Unencrypted),
            _ => return Err(WebhookUrlError::Malformed),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WebhookUrlError::Credentials);
        }
        let host = url.host_str().ok_or(WebhookUrlError::Malformed)?.to_owned();
        // An address is never resolved, so it is checked here. `Url` has normalised 127.1 and 0x7f000001.
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>()
            && !reach.allows(address)
        {
            return Err(WebhookUrlError::Refused { host, why: why(address) });
        }
        if is_loopback(&host) && !reach.private {
            return Err(WebhookUrlError::Refused { host, why: "this machine" });
        }
        Ok(Self { url, reach })
    }

    pub(super) fn parsed(&self) -> &Url {
        &self.url
    }

    pub(super) fn reach(&self) -> Reach {
        self.reach
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", self.url.scheme(), self.url.host_str().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(url: &str, allow_private: bool) -> Result<(), WebhookUrlError> {
        WebhookUrl::new(&Secret::from(url), allow_private).map(|_| ())
    }

    // O6: in any spelling.
    #[test]
    fn addresses_that_are_not_public_are_refused_by_any_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "%31%32%37.0.0.1",
            "①27.0.0.1",
            "10.1.2.3",
            "192.168.1.1",
            "172.20.0.2",
            "100.64.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "0",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[fd00::1]",
            "[fe80::1]",
            "[64:ff9b::a00:1]",
            "localhost",
            "LOCALHOST",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "192.0.0.1",
        ] {
            let refused = judged(&format!("https://{host}/hook"), false);
            assert!(matches!(refused, Err(WebhookUrlError::Refused { .. })), "{host}: {refused:?}");
        }
        for host in ["169.254.169.254", "[fe80::1]", "0.0.0.0", "[::]", "224.0.0.1", "[64:ff9b::a00:1]"] {
            let refused = judged(&format!("https://{host}/hook"), true);
            assert!(matches!(refused, Err(WebhookUrlError::Refused { .. })), "{host}: {refused:?}");
        }
        for host in ["app.example.org", "8.8.8.8", "[2a00:1450::1]", "app.example.org:8443"] {
            assert_eq!(judged(&format!("https://{host}/hook"), false), Ok(()), "{host}");
        }
    }

    #[test]
    fn http_is_for_private_addresses_that_are_allowed() {
        assert_eq!(judged("http://app.example.org/", false), Err(WebhookUrlError::Unencrypted));
        assert_eq!(judged("http://127.0.0.1/", false), Err(WebhookUrlError::Unencrypted));
        for url in [
            "http://127.0.0.1:3000/",
            "http://app:3000/",
            "http://localhost/",
            "http://[::1]/",
            "https://10.0.0.1/",
        ] {
            assert_eq!(judged(url, true), Ok(()), "{url}");
        }
        assert!(matches!(judged("http://8.8.8.8/", true), Err(WebhookUrlError::Refused { .. })));
    }

    // O1
    #[test]
    fn what_is_wrong_is_said_and_tokens_are_not() {
        assert_eq!(judged("https://u:hunter2@app.example.org/", false), Err(WebhookUrlError::Credentials));
        for url in
            ["hunter2", "ftp://app.example.org/hunter2", "https:///", "file:///hunter2", "https://exa mple/"]
        {
            assert!(judged(url, true).is_err(), "{url}");
        }
        let refused = judged("https://127.0.0.1/hunter2", false).unwrap_err();
        assert_eq!(refused.to_string(), "127.0.0.1 is a private address");
        let url = WebhookUrl::new(&Secret::from("https://app.example.org/hunter2"), false).unwrap();
        assert_eq!(format!("{url:?}"), "https://app.example.org/…");
    }
}
