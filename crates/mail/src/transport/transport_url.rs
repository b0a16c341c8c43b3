//! The parts of a transport's URL. Not a web URL: `http+postmark://TOKEN@` has a user and no host.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use vestibule::Secret;

use super::error::TransportError;

/// `//user:password@host:port/path?name=value&…`, percent-decoded.
pub(crate) struct TransportUrl {
    pub(crate) user: Option<Secret>,
    pub(crate) password: Option<Secret>,
    /// Without the brackets of an IPv6 address; empty if there is none.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    /// With its first `/`, not decoded.
    pub(crate) path: String,
    pub(crate) parameters: Vec<(String, String)>,
}

impl TransportUrl {
    /// Parses the part after the scheme's colon.
    pub(crate) fn parse(rest: &str) -> Result<Self, TransportError> {
        use TransportError::Malformed;
        let rest = rest.strip_prefix("//").ok_or(Malformed("`://` must follow the scheme"))?;
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = before.split_at(before.find('/').unwrap_or(before.len()));
        if path.contains('@') {
            return Err(Malformed("`/` in a user name, password or key must be written %2F"));
        }
        let (credentials, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, Some(decoded(password)?)),
            None => (credentials, None),
        };
        let (host, port) = host_and_port(place)?;
        let user = Some(user).filter(|user| !user.is_empty()).map(decoded).transpose()?;
        Ok(Self {
            user: user.map(Secret::from),
            password: password.map(Secret::from),
            host,
            port,
            path: path.to_owned(),
            parameters: parameters(query)?,
        })
    }

    /// Checks that only parameters among `known` occur.
    pub(crate) fn only_parameters(&self, known: &[&str]) -> Result<(), TransportError> {
        match self.parameters.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(TransportError::UnknownParameter(name.clone())),
            None => Ok(()),
        }
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A duration in whole seconds, from one second to an hour.
    pub(crate) fn seconds(&self, name: &str) -> Result<Option<Duration>, TransportError> {
        let Some(text) = self.parameter(name) else { return Ok(None) };
        let seconds = text.parse().ok().filter(|seconds| (1..=3600).contains(seconds));
        seconds
            .map(|seconds| Some(Duration::from_secs(seconds)))
            .ok_or(TransportError::Malformed("a time-out must be a number of seconds from 1 to 3600"))
    }
}

/// Whether connections to the host never leave this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The path of `file:///folder` or `file:folder`.
pub(crate) fn file_path(rest: &str) -> Result<PathBuf, TransportError> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || (rest.starts_with("//") && !path.starts_with('/')) {
        return Err(TransportError::Malformed("write file:///absolute/folder or file:relative/folder"));
    }
    Ok(PathBuf::from(decoded(path)?))
}

/// A stray `%` would silently change a password, so it is an error.
fn decoded(text: &str) -> Result<String, TransportError> {
    let hex = |c: Option<&u8>| c.is_some_and(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    let stray = |at: usize| bytes[at] == b'%' && !(hex(bytes.get(at + 1)) && hex(bytes.get(at + 2)));
    if (0..bytes.len()).any(stray) {
        return Err(TransportError::Malformed("`%` must be written %25"));
    }
    let text = percent_decode_str(text).decode_utf8().map_err(|_| TransportError::Malformed("not UTF-8"))?;
    if text.contains(char::is_control) {
        return Err(TransportError::Malformed("control characters are not allowed"));
    }
    Ok(text.into_owned())
}

fn host_and_port(place: &str) -> Result<(String, Option<u16>), TransportError> {
    use TransportError::Malformed;
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            address
                .parse::<std::net::Ipv6Addr>()
                .map_err(|_| Malformed("`[…]` must hold an IPv6 address"))?;
            (address, rest.strip_prefix(':'))
        }
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let named =
        host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) && !host.contains("..");
    if !named && host.parse::<IpAddr>().is_err() {
        return Err(Malformed("the host may have letters, digits, `-` and `.`"));
    }
    let port = port
        .map(str::parse::<u16>)
        .transpose()
        .map_err(|_| Malformed("the port must be a number up to 65535"))?;
    Ok((host.to_owned(), port))
}

fn parameters(query: &str) -> Result<Vec<(String, String)>, TransportError> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(name)?, decoded(value)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_are_found_and_decoded() {
        let it = TransportUrl::parse(
            "//us%40er:p%3Aa%2Fs%25s:x@mail.example.org:2525/a/b?ehlo=me&endpoint=http%3A//x/?y",
        )
        .unwrap();
        assert_eq!(it.user.as_ref().unwrap().expose(), "us@er");
        assert_eq!(it.password.as_ref().unwrap().expose(), "p:a/s%s:x");
        assert_eq!((it.host.as_str(), it.port, it.path.as_str()), ("mail.example.org", Some(2525), "/a/b"));
        assert_eq!((it.parameter("ehlo"), it.parameter("endpoint")), (Some("me"), Some("http://x/?y")));
        assert!(it.only_parameters(&["ehlo"]).is_err());
    }

    #[test]
    fn addresses_are_hosts() {
        let it = TransportUrl::parse("//[::1]:25").unwrap();
        assert_eq!((it.host.as_str(), it.port), ("::1", Some(25)));
        assert!(TransportUrl::parse("//[::1").is_err());
        assert!(TransportUrl::parse("//[x]").is_err());
    }

    #[test]
    fn loopback_is_this_machine_only() {
        for host in ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "localhost", "LOCALHOST"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["10.0.0.1", "localhost.example.org", "127.0.0.1.example.org", "", "0.0.0.0", "::"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_file_is_absolute_or_relative() {
        assert_eq!(file_path("///var/mail%20out").unwrap(), PathBuf::from("/var/mail out"));
        assert_eq!(file_path("out").unwrap(), PathBuf::from("out"));
        assert!(file_path("//host/x").is_err());
        assert!(file_path("").is_err());
    }
}
