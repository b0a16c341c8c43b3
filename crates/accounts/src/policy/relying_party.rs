//! Who passkeys belong to: a domain, and the one origin that may ask for them.

use std::net::IpAddr;

use crate::policy::PolicyError;
use crate::policy::factors::PasskeyPolicy;

/// The relying party of Web Authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    /// The domain that passkeys belong to.
    pub id: String,
    /// Where pages that ask for them come from: scheme, host, and the port where it is not the usual one.
    pub origin: String,
}

impl RelyingParty {
    /// The one of a public address. `None`: there are no passkeys, because they are switched off, or browsers give none to
    /// an address like this.
    ///
    /// # Errors
    /// The domain of the settings does not belong to the address.
    pub fn of(public_url: &str, policy: &PasskeyPolicy) -> Result<Option<Self>, PolicyError> {
        let wrong = |rule| PolicyError { setting: "passkeys.rp_id", rule };
        let Some((origin, host)) = origin_and_host(public_url).filter(|_| policy.enabled) else {
            return Ok(None);
        };
        let is_address = host.parse::<IpAddr>().is_ok() || host.starts_with('[');
        let is_secure = origin.starts_with("https://") || host == "localhost" || host.ends_with(".localhost");
        let Some(id) = &policy.rp_id else {
            return Ok((!is_address && is_secure).then_some(Self { id: host, origin }));
        };
        if is_address || !is_secure {
            return Err(wrong(
                "needs a `public_url` with https and a host name: browsers give passkeys to no other",
            ));
        }
        let belongs = host == *id || host.ends_with(&format!(".{id}"));
        if id.is_empty() || id.starts_with('.') || !belongs {
            return Err(wrong("must be the host of `public_url`, or a domain that it belongs to"));
        }
        Ok(Some(Self { id: id.clone(), origin }))
    }
}

/// Browsers write an origin in lower case, and leave the usual port out.
fn origin_and_host(url: &str) -> Option<(String, String)> {
    let url = url.to_ascii_lowercase();
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let usual = if scheme == "https" { ":443" } else { ":80" };
    let authority = authority.strip_suffix(usual).unwrap_or(authority);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    Some((format!("{scheme}://{authority}"), host.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str, rp_id: Option<&str>) -> Result<Option<(String, String)>, PolicyError> {
        let policy = PasskeyPolicy { enabled: true, rp_id: rp_id.map(str::to_owned) };
        Ok(RelyingParty::of(url, &policy)?.map(|RelyingParty { id, origin }| (id, origin)))
    }

    #[test]
    fn the_domain_is_that_of_the_public_address() {
        for (url, id, origin) in [
            ("https://accounts.example.org", "accounts.example.org", "https://accounts.example.org"),
            ("https://Accounts.Example.org:443/base", "accounts.example.org", "https://accounts.example.org"),
            (
                "https://accounts.example.org:8443",
                "accounts.example.org",
                "https://accounts.example.org:8443",
            ),
            ("http://localhost:8080", "localhost", "http://localhost:8080"),
        ] {
            assert_eq!(of(url, None), Ok(Some((id.to_owned(), origin.to_owned()))), "{url}");
        }
    }

    #[test]
    fn an_address_that_browsers_give_no_passkeys_has_none() {
        for url in [
            "https://192.0.2.1",
            "http://127.0.0.1:8080",
            "https://[::1]:8443",
            "http://accounts.example.org",
        ] {
            assert_eq!(of(url, None), Ok(None), "{url}");
            assert!(of(url, Some("example.org")).is_err(), "{url}");
        }
        let off = PasskeyPolicy { enabled: false, rp_id: Some("elsewhere.example".to_owned()) };
        assert_eq!(RelyingParty::of("https://accounts.example.org", &off), Ok(None));
    }

    #[test]
    fn a_domain_may_be_wider_than_the_host_and_nothing_else() {
        let url = "https://accounts.example.org";
        assert_eq!(of(url, Some("example.org")).unwrap().unwrap().0, "example.org");
        for id in ["example.com", "other.example.org", "ounts.example.org", "", ".org"] {
            assert!(of(url, Some(id)).is_err(), "{id}");
        }
    }
}
