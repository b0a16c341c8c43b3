//! Where an answer goes (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1).

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// As long as browsers send without trouble.
const OCTETS_MAX: usize = 1024;

/// An address that an application has registered for answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    url: Url,
    kind: Kind,
}

/// Who receives what is sent there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A site with a certificate.
    Web,
    /// A program on the same machine.
    Loopback,
    /// Any program on the same machine, at any path: for development alone, and no text is read as this.
    AnyLoopback,
    /// An application that has claimed the scheme.
    Scheme,
}

/// Why an address is not accepted for answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// Not an absolute address of printable ASCII, or longer than 1,024 octets.
    #[error("is not an absolute address of printable ASCII with at most 1024 characters")]
    Malformed,
    /// It has a fragment (RFC 6749 §3.1.2).
    #[error("has a fragment (#…), which the answer would need for itself")]
    Fragment,
    /// It carries a user name or password.
    #[error("carries a user name or password")]
    Credentials,
    /// `http` to another machine.
    #[error("uses http for another machine than this one: use https")]
    Plain,
    /// A scheme without a dot, which any application may claim (RFC 8252 §7.1), or one that browsers execute.
    #[error(
        "has a scheme of its own without a dot: use one in reverse domain order, such as com.example.app"
    )]
    Scheme,
}

impl RedirectUri {
    /// Every `http` address of this machine, with any port and path: for the application of a development mode. No
    /// registration contains it, because no text is read as this.
    #[expect(clippy::missing_panics_doc, reason = "the text is a constant")]
    pub fn any_on_this_machine() -> Self {
        let uri: Self = "http://localhost/*".parse().expect("an address of this machine");
        Self { kind: Kind::AnyLoopback, ..uri }
    }

    /// The address as it was registered.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this is the registered address: the same octets, except for the port of a loopback address, which a
    /// program chooses when it starts (RFC 8252 §7.3).
    pub fn allows(&self, presented: &str) -> bool {
        let loopback = || presented.parse().ok().filter(|other: &Self| other.kind == Kind::Loopback);
        match self.kind {
            Kind::Web | Kind::Scheme => self.text == presented,
            Kind::Loopback => {
                let is_same = |other: Self| without_port(&self.text) == without_port(&other.text);
                self.text == presented || loopback().is_some_and(is_same)
            }
            Kind::AnyLoopback => loopback().is_some(),
        }
    }

    /// The origin of a site, as browsers write it; `None` for programs and applications on a device.
    pub fn origin(&self) -> Option<String> {
        (self.kind == Kind::Web).then(|| self.url.origin().ascii_serialization())
    }

    /// Whether any program of the device could receive what is sent there: then nothing is sent unasked (RFC 8252
    /// §8.6).
    pub fn is_native(&self) -> bool {
        self.kind != Kind::Web
    }

    /// Whether a program on the same machine receives the answer.
    pub fn is_loopback(&self) -> bool {
        matches!(self.kind, Kind::Loopback | Kind::AnyLoopback)
    }

    /// Where the answer goes, in the words of the consent page: a host, or the scheme of an application.
    pub fn destination(&self) -> &str {
        match self.kind {
            Kind::Web | Kind::Loopback | Kind::AnyLoopback => self.url.host_str().unwrap_or_default(),
            Kind::Scheme => self.url.scheme(),
        }
    }

    /// The address with these parameters added to its query.
    pub(crate) fn with(&self, parameters: &[(&str, &str)]) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        let joint = if self.text.contains('?') { '&' } else { '?' };
        format!("{}{joint}{}", self.text, query.finish())
    }
}

/// Everything but the port of an `http://host:port/path` address.
fn without_port(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("http://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    Some((host, path))
}

impl FromStr for RedirectUri {
    type Err = RedirectUriError;

    fn from_str(text: &str) -> Result<Self, RedirectUriError> {
        let is_fit = !text.is_empty()
            && text.len() <= OCTETS_MAX
            && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\'));
        let url = Url::parse(text).ok().filter(|_| is_fit).ok_or(RedirectUriError::Malformed)?;
        if text.contains('#') {
            return Err(RedirectUriError::Fragment);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RedirectUriError::Credentials);
        }
        let is_spelled = |scheme: &str| text.starts_with(scheme) && url.host().is_some();
        let kind = match url.scheme() {
            "https" if is_spelled("https://") => Kind::Web,
            "http" if !is_spelled("http://") => return Err(RedirectUriError::Malformed),
            "http" if is_this_machine(&url) => Kind::Loopback,
            "http" => return Err(RedirectUriError::Plain),
            "https" => return Err(RedirectUriError::Malformed),
            scheme if scheme.contains('.') && text.starts_with(scheme) => Kind::Scheme,
            _ => return Err(RedirectUriError::Scheme),
        };
        Ok(Self { text: text.to_owned(), url, kind })
    }
}

/// A literal address, or the name that browsers resolve to one.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl serde::Serialize for RedirectUri {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for RedirectUri {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn uri(text: &str) -> RedirectUri {
        text.parse().unwrap()
    }

    #[test]
    fn what_leads_somewhere_else_is_refused() {
        for (text, expected) in [
            ("", RedirectUriError::Malformed),
            ("/callback", RedirectUriError::Malformed),
            ("https:app.example.org", RedirectUriError::Malformed),
            ("https://app.example.org\\@evil.example", RedirectUriError::Malformed),
            ("https://äpp.example.org/", RedirectUriError::Malformed),
            (" https://app.example.org/", RedirectUriError::Malformed),
            ("https://app.example.org/#here", RedirectUriError::Fragment),
            ("https://app.example.org@evil.example/", RedirectUriError::Credentials),
            ("http://app.example.org/callback", RedirectUriError::Plain),
            ("http://localhost.evil.example/callback", RedirectUriError::Plain),
            ("javascript:alert(1)", RedirectUriError::Scheme),
            ("data:text/html,hello", RedirectUriError::Scheme),
            ("myapp://callback", RedirectUriError::Scheme),
        ] {
            assert_eq!(text.parse::<RedirectUri>(), Err(expected), "{text}");
        }
        assert!(format!("https://app.example.org/{}", "x".repeat(1024)).parse::<RedirectUri>().is_err());
    }

    // RFC 9700 §2.1: compared as they are; RFC 8252 §7.3: any port on the loopback address.
    #[test]
    fn only_the_port_of_the_same_machine_may_differ() {
        let web = uri("https://app.example.org/callback");
        assert!(web.allows("https://app.example.org/callback"));
        for other in [
            "https://app.example.org/callback/",
            "https://app.example.org:443/callback",
            "https://APP.example.org/callback",
            "https://app.example.org/callback?x=1",
        ] {
            assert!(!web.allows(other), "{other}");
        }
        let native = uri("http://127.0.0.1/callback");
        for other in ["http://127.0.0.1:51004/callback", "http://127.0.0.1:80/callback"] {
            assert!(native.allows(other), "{other}");
        }
        for other in [
            "http://localhost:51004/callback",
            "http://[::1]:51004/callback",
            "http://127.0.0.1:51004/callback/more",
            "http://127.0.0.1:51004@evil.example/callback",
            "http://127.0.0.1:51004/callback#x",
            "https://127.0.0.1:51004/callback",
        ] {
            assert!(!native.allows(other), "{other}");
        }
        assert!(uri("http://[::1]:8000/cb").allows("http://[::1]:9000/cb"));
    }

    #[test]
    fn the_application_of_development_answers_anywhere_on_this_machine_and_nowhere_else() {
        let any = RedirectUri::any_on_this_machine();
        for mine in ["http://localhost:5173/callback", "http://127.0.0.1/", "http://[::1]:8000/a/b?c=d"] {
            assert!(any.allows(mine), "{mine}");
        }
        for other in [
            "https://localhost/callback",
            "http://localhost.evil.example/callback",
            "http://localhost@evil.example/callback",
            "http://evil.example/?http://localhost/",
            "http://localhost:5173/callback#x",
            "https://app.example.org/",
            "com.example.app:/done",
            "//localhost/",
            "",
        ] {
            assert!(!any.allows(other), "{other}");
        }
        assert!(any.is_native() && any.is_loopback() && any.origin().is_none());
        // Written down and read again, it is an address like any other.
        assert!(!uri(any.as_str()).allows("http://localhost:5173/callback"));
    }

    #[test]
    fn sites_have_an_origin_and_devices_a_name() {
        assert_eq!(
            uri("https://app.example.org:8443/a").origin().as_deref(),
            Some("https://app.example.org:8443")
        );
        assert_eq!(uri("http://localhost:3000/a").origin(), None);
        assert_eq!(uri("com.example.app:/done").origin(), None);
        assert_eq!(uri("com.example.app:/done").destination(), "com.example.app");
        assert_eq!(uri("https://app.example.org/a").destination(), "app.example.org");
        assert!(uri("com.example.app:/done").is_native() && uri("http://localhost:3000/a").is_native());
    }

    #[test]
    fn parameters_are_added_to_the_query() {
        assert_eq!(uri("https://a.example/cb").with(&[("code", "a b")]), "https://a.example/cb?code=a+b");
        assert_eq!(uri("https://a.example/cb?x=1").with(&[("s", "&")]), "https://a.example/cb?x=1&s=%26");
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String, other: String) {
            if let Ok(uri) = text.parse::<RedirectUri>() {
                prop_assert!(uri.allows(&text));
                let _ = uri.allows(&other);
            }
        }
    }
}
