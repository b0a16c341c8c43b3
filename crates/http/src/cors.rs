//! Which other origins may read the answers of the API (the Fetch standard's CORS protocol).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use vestibule::Accounts;

/// Origins that can be listed at most.
const MOST: usize = 32;
/// The longest origin: a scheme, a host name of 253 octets and a port.
const LONGEST: usize = "https://".len() + 253 + ":65535".len();

/// An origin exactly as browsers send it: `https://app.example.org`, with a port unless that is the one of the scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsOrigin {
    text: String,
    is_exposed: bool,
}

impl CorsOrigin {
    /// The origin as it is compared.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether its pages travel unencrypted between machines: plain HTTP, and not on this machine.
    pub fn is_exposed(&self) -> bool {
        self.is_exposed
    }
}

impl fmt::Display for CorsOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text is not an origin that can be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CorsOriginError {
    /// `*`.
    Everybody,
    /// `null`.
    Opaque,
    /// Something else than `https://` or `http://`.
    Scheme,
    /// Capitals, which no browser sends.
    Capitals,
    /// Something after host and port, a slash for example.
    Path,
    /// No host name or IP address as browsers write them.
    Host,
    /// No port, or the scheme's own, which no browser sends.
    Port,
    /// More than 32 origins.
    TooMany,
}

impl fmt::Display for CorsOriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Everybody => "`*` would let every site read: origins are named one by one",
            Self::Opaque => "`null` is the origin of every sandboxed frame and local file",
            Self::Scheme => "an origin begins with https:// (or http:// on this machine)",
            Self::Capitals => "browsers send origins in lower case",
            Self::Path => "an origin ends after host and port: no slash, no path, no query",
            Self::Host => "not a host name or an IP address as browsers send it",
            Self::Port => "not a port from 1 to 65535, or the scheme's own, which browsers leave out",
            Self::TooMany => "more than 32 origins",
        })
    }
}

impl std::error::Error for CorsOriginError {}

impl FromStr for CorsOrigin {
    type Err = CorsOriginError;

    fn from_str(text: &str) -> Result<Self, CorsOriginError> {
        match text {
            "*" => return Err(CorsOriginError::Everybody),
            "null" => return Err(CorsOriginError::Opaque),
            _ if text.bytes().any(|byte| byte.is_ascii_uppercase()) => return Err(CorsOriginError::Capitals),
            _ => {}
        }
        let (is_plain, authority) = match text.split_once("://") {
            Some(("https", rest)) => (false, rest),
            Some(("http", rest)) => (true, rest),
            _ => return Err(CorsOriginError::Scheme),
        };
        if authority.contains(['/', '?', '#', '\\']) {
            return Err(CorsOriginError::Path);
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        if !is_host(host) || text.len() > LONGEST {
            return Err(CorsOriginError::Host);
        }
        let own = if is_plain { 80 } else { 443 };
        let sent = |port: &str| {
            port.parse::<u16>().is_ok_and(|number| ![0, own].contains(&number) && number.to_string() == port)
        };
        if !port.is_none_or(sent) {
            return Err(CorsOriginError::Port);
        }
        Ok(Self { text: text.to_owned(), is_exposed: is_plain && !is_loopback(host) })
    }
}

/// A host as browsers serialise it (URL standard, "host serializer").
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|ip| ip.to_string() == address);
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return host.parse::<Ipv4Addr>().is_ok();
    }
    let of_label =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    host.split('.').all(|label| (1..=63).contains(&label.len()) && label.bytes().all(of_label))
}

fn is_loopback(host: &str) -> bool {
    let is_name = host == "localhost" || host.ends_with(".localhost");
    is_name
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || host.trim_matches(['[', ']']).parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
}

/// Says whether an origin is allowed, besides those that are listed.
type Derived = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// The origins whose pages may read the answers of the API: those that are listed, and those that somebody else knows.
/// Nobody by default. Cheap to clone.
#[derive(Clone, Default)]
pub struct CorsOrigins {
    listed: Arc<[CorsOrigin]>,
    derived: Option<Derived>,
    /// Whose clients count, too.
    accounts: Option<Accounts>,
}

impl CorsOrigins {
    /// Allows these origins, for the routes of administrators too.
    ///
    /// # Errors
    /// [`CorsOriginError::TooMany`] if there are more than 32.
    pub fn new(listed: impl Into<Arc<[CorsOrigin]>>) -> Result<Self, CorsOriginError> {
        let listed = listed.into();
        if listed.len() > MOST {
            return Err(CorsOriginError::TooMany);
        }
        Ok(Self { listed, ..Self::default() })
    }

    /// Allows also the origins for which `is_allowed` says so, except for the routes of administrators.
    ///
    /// It is asked during requests, with well-formed origins only. It must compare them exactly, and must not block.
    #[must_use]
    pub fn with_derived(mut self, is_allowed: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.derived = Some(Arc::new(is_allowed));
        self
    }

    /// Allows also the origins of the clients that these accounts know, except for the routes of administrators.
    pub(crate) fn with_clients_of(mut self, accounts: &Accounts) -> Self {
        self.accounts = Some(accounts.clone());
        self
    }

    /// Whether pages of `origin` may read what `path` under `/v1/` answers now: as [`allows`](Self::allows) says, or
    /// because a client is there.
    pub(crate) async fn allow(&self, origin: &str, path: &str) -> bool {
        if self.allows(origin, path) {
            return true;
        }
        match &self.accounts {
            Some(accounts) if may_derive(origin, path) => accounts.is_application_origin(origin).await,
            _ => false,
        }
    }

    /// Whether pages of `origin` may read what `path` under `/v1/` answers, without the clients.
    pub fn allows(&self, origin: &str, path: &str) -> bool {
        if origin.len() > LONGEST {
            return false;
        }
        let is_derived =
            || self.derived.as_ref().is_some_and(|allows| may_derive(origin, path) && allows(origin));
        self.listed.iter().any(|listed| listed.text == origin) || is_derived()
    }
}

/// Whether anything but the list may allow this: never administration, and nothing that no browser sends.
fn may_derive(origin: &str, path: &str) -> bool {
    !path.starts_with("/v1/admin") && origin.len() <= LONGEST && origin.parse::<CorsOrigin>().is_ok()
}

impl fmt::Debug for CorsOrigins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listed, derived, accounts } = self;
        let mut shown = f.debug_struct("CorsOrigins");
        shown.field("listed", listed).field("derived", &derived.is_some());
        shown.field("clients", &accounts.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<CorsOrigin, CorsOriginError> {
        text.parse()
    }

    #[test]
    fn an_origin_is_written_as_browsers_send_it() {
        for (text, is_exposed) in [
            ("https://app.example.org", false),
            ("https://app.example.org:8443", false),
            ("https://xn--bcher-kva.example", false),
            ("https://app", false),
            ("https://192.0.2.1:4430", false),
            ("https://[2001:db8::1]", false),
            ("http://app.example.org", true),
            ("http://localhost.example.org", true),
            ("http://192.0.2.1", true),
            ("http://localhost:5173", false),
            ("http://app.localhost", false),
            ("http://127.0.0.1:3000", false),
            ("http://[::1]:3000", false),
        ] {
            let origin = parsed(text).expect(text);
            assert_eq!((origin.as_str(), origin.is_exposed()), (text, is_exposed));
        }
        for (text, error) in [
            ("*", CorsOriginError::Everybody),
            ("null", CorsOriginError::Opaque),
            ("", CorsOriginError::Scheme),
            ("app.example.org", CorsOriginError::Scheme),
            ("//app.example.org", CorsOriginError::Scheme),
            ("ftp://app.example.org", CorsOriginError::Scheme),
            ("com.example.app://callback", CorsOriginError::Scheme),
            ("https://App.example.org", CorsOriginError::Capitals),
            ("HTTPS://app.example.org", CorsOriginError::Capitals),
            ("https://app.example.org/", CorsOriginError::Path),
            ("https://app.example.org/in", CorsOriginError::Path),
            ("https://app.example.org?x", CorsOriginError::Path),
            ("https://", CorsOriginError::Host),
            ("https://*.example.org", CorsOriginError::Host),
            ("https://app.example.org.", CorsOriginError::Host),
            ("https://ada@app.example.org", CorsOriginError::Host),
            ("https://b\u{fc}cher.example", CorsOriginError::Host),
            ("https://a b", CorsOriginError::Host),
            ("https://a.example, https://b.example", CorsOriginError::Path),
            ("https://127.1", CorsOriginError::Host),
            ("https://[0:0::1]", CorsOriginError::Host),
            ("https://app.example.org:443", CorsOriginError::Port),
            ("http://localhost:80", CorsOriginError::Port),
            ("https://app.example.org:0", CorsOriginError::Port),
            ("https://app.example.org:08443", CorsOriginError::Port),
            ("https://app.example.org:", CorsOriginError::Port),
            ("https://app.example.org:65536", CorsOriginError::Port),
        ] {
            assert_eq!(parsed(text), Err(error), "{text}");
        }
        let long = format!("https://{}", "a.".repeat(130) + "example");
        assert_eq!(parsed(&long), Err(CorsOriginError::Host));
    }

    #[test]
    fn listed_origins_are_few_and_compared_exactly() {
        let origins = |number: u16| -> Vec<CorsOrigin> {
            (0..number).map(|at| format!("https://a{at}.example").parse().expect("an origin")).collect()
        };
        assert_eq!(CorsOrigins::new(origins(33)).map(drop), Err(CorsOriginError::TooMany));
        let listed = CorsOrigins::new(origins(32)).expect("32 origins");
        for path in ["/v1/me", "/v1/admin/users"] {
            assert!(listed.allows("https://a31.example", path), "{path}");
            for other in ["https://a32.example", "http://a31.example", "https://a31.example:8443", "null", ""]
            {
                assert!(!listed.allows(other, path), "{other}");
            }
        }
        assert!(!CorsOrigins::default().allows("https://a1.example", "/v1/me"));
    }

    #[test]
    fn derived_origins_do_not_administrate() {
        let derived = CorsOrigins::default().with_derived(|origin| {
            assert_ne!(origin, "null", "only well-formed origins are asked for");
            origin.ends_with("example")
        });
        assert!(derived.allows("https://spa.example", "/v1/me"));
        for path in ["/v1/admin", "/v1/admin/users", "/v1/admin-to-be"] {
            assert!(!derived.allows("https://spa.example", path), "{path}");
        }
        for origin in
            ["https://spa.test", "null", "https://spa.example/", "HTTPS://spa.example", "spa.example"]
        {
            assert!(!derived.allows(origin, "/v1/me"), "{origin}");
        }
        assert!(!derived.allows(&format!("https://{}.example", "a".repeat(8000)), "/v1/me"));
    }
}
