//! The notations of settings: addresses, networks, durations.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de};
use vestibule::{Rate, Secret};

/// A duration, written as `60s`, `10m`, `24h` or `14d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str =
            "a length of time is a number and a unit, like \"60s\", \"10m\", \"24h\" or \"14d\"";
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or(FORM)?;
        let (number, unit) = text.split_at(digits);
        let seconds_per_unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            _ => return Err(FORM),
        };
        let number: u64 = number.parse().map_err(|_| FORM)?;
        number.checked_mul(seconds_per_unit).map(|seconds| Self(Duration::from_secs(seconds))).ok_or(FORM)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A number per duration, written as `20/5m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PerTime(pub(crate) Rate);

impl FromStr for PerTime {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "a limit is a number and a length of time, like \"20/5m\"";
        let (most, window) = text.split_once('/').ok_or(FORM)?;
        let digits = !most.is_empty() && most.bytes().all(|byte| byte.is_ascii_digit());
        let most = most.parse().ok().filter(|_| digits).ok_or(FORM)?;
        Ok(Self(Rate::new(most, window.parse::<Span>()?.0)))
    }
}

impl<'de> Deserialize<'de> for PerTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    /// An address and a port; port 0 lets the system choose.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl Listen {
    /// The port, if it is known.
    pub(crate) fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(address) => Some(address.port()).filter(|port| *port != 0),
            Self::Unix(_) => None,
        }
    }

    /// Whether only this machine can connect. A Unix socket has a proxy in front, so it does not count.
    pub(crate) fn is_loopback(&self) -> bool {
        matches!(self, Self::Tcp(address) if address.ip().to_canonical().is_loopback())
    }
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Self::Unix(PathBuf::from(path)));
        }
        let address = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
        let address = address.as_deref().unwrap_or(text).parse();
        address.map(Self::Tcp).map_err(|_| "not ADDRESS:PORT or unix:PATH")
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// `https://host` or `https://host:port`, with a path if the host is shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicUrl {
    pub(crate) text: String,
    pub(crate) is_https: bool,
    pub(crate) host: String,
    /// Empty, or with a leading and without a trailing slash.
    pub(crate) path: String,
}

impl PublicUrl {
    /// Whether it names the machine that reads it.
    pub(crate) fn is_loopback(&self) -> bool {
        let ip = self.host.trim_matches(['[', ']']).parse::<IpAddr>();
        self.host == "localhost" || self.host.ends_with(".localhost") || ip.is_ok_and(|ip| ip.is_loopback())
    }
}

impl FromStr for PublicUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "not an address like https://accounts.example.org or https://example.org/accounts (no user, no query)";
        let text = text.strip_suffix('/').unwrap_or(text);
        let (is_https, authority) = match text.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err(FORM),
        };
        let (authority, path) = authority.split_at(authority.find('/').unwrap_or(authority.len()));
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
        let is_segment = |part: &str| !matches!(part, "" | "." | "..") && part.chars().all(plain);
        if !path.is_empty() && !path[1..].split('/').all(is_segment) {
            return Err(FORM);
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let is_ip6 = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let is_host = match is_ip6 {
            Some(ip) => ip.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))
            }
        };
        if !is_host || port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(FORM);
        }
        Ok(Self { text: text.to_owned(), is_https, host: host.to_ascii_lowercase(), path: path.to_owned() })
    }
}

/// A network in CIDR notation, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network(pub(crate) IpNet);

impl Network {
    /// Whether `ip` is in it.
    pub(crate) fn contains(self, ip: IpAddr) -> bool {
        self.0.contains(&ip.to_canonical())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "an entry is an address or a network, like \"10.0.0.7\" or \"10.0.0.0/8\"";
        let address = |text: &str| text.parse::<IpAddr>().map(IpNet::from);
        text.parse().or_else(|_| address(text)).map(Self).map_err(|_| FORM)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A service that may introspect tokens: `NAME:SECRET`.
#[derive(Clone, Debug)]
pub(crate) struct IntrospectionClient {
    pub(crate) name: String,
    pub(crate) secret: Secret,
}

/// What is wrong with one. The value is never repeated: it may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntrospectionClientError {
    Form,
    Name,
    Short,
    Characters,
}

impl fmt::Display for IntrospectionClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "not NAME:SECRET",
            Self::Name => "a name has 1 to 64 letters, digits and . _ -",
            Self::Short => "the secret has fewer than 32 characters",
            Self::Characters => "the secret has characters other than visible ASCII, or more than 256",
        })
    }
}

impl FromStr for IntrospectionClient {
    type Err = IntrospectionClientError;

    /// A secret can be guessed at the speed of the network, so it must be long; programs differ in how they encode
    /// characters beyond ASCII.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use IntrospectionClientError::{Characters, Form, Name, Short};
        let (name, secret) = text.split_once(':').ok_or(Form)?;
        let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.len() > 64 || !name.chars().all(of_name) {
            return Err(Name);
        }
        match secret.len() {
            _ if !secret.bytes().all(|byte| byte.is_ascii_graphic()) => Err(Characters),
            0..32 => Err(Short),
            32..=256 => Ok(Self { name: name.to_owned(), secret: Secret::from(secret) }),
            _ => Err(Characters),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_a_unit() {
        assert_eq!("60s".parse(), Ok(Span(Duration::from_mins(1))));
        assert_eq!("14d".parse(), Ok(Span(Duration::from_hours(14 * 24))));
        for wrong in
            ["", "60", "s", "1 h", "-1s", "1.5h", "1w", "99999999999999999999s", "18446744073709551615d"]
        {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn limits_are_a_number_in_a_time() {
        assert_eq!("20/5m".parse(), Ok(PerTime(Rate::new(20, Duration::from_mins(5)))));
        for wrong in ["", "20", "/5m", "20/", "20/5", "+20/5m", "-1/5m", "20 / 5m", "20/5m/1h", "1e3/1s"] {
            assert!(wrong.parse::<PerTime>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn addresses_to_listen_on() {
        for (text, loopback) in [
            ("127.0.0.1:0", true),
            ("localhost:8080", true),
            ("[::1]:80", true),
            ("0.0.0.0:80", false),
            ("unix:/run/v", false),
        ] {
            assert_eq!(text.parse::<Listen>().unwrap().is_loopback(), loopback, "{text}");
        }
        for wrong in [":8080", "8080", "example.org:80", "unix:", "127.0.0.1"] {
            assert!(wrong.parse::<Listen>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_public_url_is_a_scheme_a_host_and_perhaps_a_path() {
        let url: PublicUrl = "https://Accounts.example.org/".parse().unwrap();
        assert_eq!(
            (url.text.as_str(), url.host.as_str()),
            ("https://Accounts.example.org", "accounts.example.org")
        );
        let url: PublicUrl = "https://example.org/our/accounts/".parse().unwrap();
        assert_eq!(
            (url.text.as_str(), url.path.as_str()),
            ("https://example.org/our/accounts", "/our/accounts")
        );
        assert_eq!(
            (url.host.as_str(), "https://example.org//".parse::<PublicUrl>().is_ok()),
            ("example.org", false)
        );
        for (text, loopback) in [
            ("http://localhost:8080", true),
            ("http://[::1]:8080", true),
            ("http://127.0.0.1", true),
            ("http://localhost.example.org", false),
        ] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().is_loopback(), loopback, "{text}");
        }
        for wrong in [
            "example.org",
            "ftp://example.org",
            "https://a@b",
            "https://a/b//c",
            "https://a/../b",
            "https://a/b c",
            "https://a/{b}",
            "https://a/%41",
            "https://a?b",
            "https://",
            "https://a:b",
        ] {
            assert!(wrong.parse::<PublicUrl>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_service_has_a_name_and_a_long_secret() {
        use IntrospectionClientError::{Characters, Form, Name, Short};
        let secret = "0123456789abcdef0123456789abcd:+";
        let client: IntrospectionClient = format!("shop:{secret}").parse().unwrap();
        assert_eq!((client.name.as_str(), client.secret.expose()), ("shop", secret));
        let error = |text: &str| text.parse::<IntrospectionClient>().err();
        assert_eq!(error(&secret.replace(':', "")), Some(Form));
        for name in ["", "the shop", "sh\u{f6}p", &"x".repeat(65)] {
            assert_eq!(error(&format!("{name}:{secret}")), Some(Name), "{name}");
        }
        assert_eq!(error(&format!("shop:{}", &secret[1..])), Some(Short));
        for wrong in [&format!("{secret}\u{f6}"), &format!("{secret} x"), &"x".repeat(257)] {
            assert_eq!(error(&format!("shop:{wrong}")), Some(Characters), "{wrong}");
        }
    }

    #[test]
    fn networks_hold_their_addresses() {
        let network: Network = "10.0.0.0/8".parse().unwrap();
        assert!(network.contains("10.200.3.4".parse().unwrap()));
        assert!(network.contains("::ffff:10.1.1.1".parse().unwrap()));
        assert!(!network.contains("11.0.0.0".parse().unwrap()));
        assert!("2001:db8::1".parse::<Network>().unwrap().contains("2001:db8::1".parse().unwrap()));
        for wrong in ["10.0.0.0/33", "10.0.0", "a/8", "10.0.0.0/"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
