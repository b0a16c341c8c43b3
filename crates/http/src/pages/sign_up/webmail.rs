//! Where the mail of well-known providers can be read in a browser.

use vestibule::Email;

/// Name, address and domains of a provider, lower case.
const PROVIDERS: &[(&str, &str, &[&str])] = &[
    ("AOL Mail", "https://mail.aol.com/", &["aol.com"]),
    ("Fastmail", "https://app.fastmail.com/", &["fastmail.com", "fastmail.fm"]),
    ("Gmail", "https://mail.google.com/", &["gmail.com", "googlemail.com"]),
    ("GMX", "https://www.gmx.net/", &["gmx.at", "gmx.ch", "gmx.de", "gmx.net"]),
    ("GMX", "https://www.gmx.com/", &["gmx.com"]),
    ("iCloud Mail", "https://www.icloud.com/mail", &["icloud.com", "mac.com", "me.com"]),
    ("mailbox.org", "https://mailbox.org/", &["mailbox.org"]),
    ("Outlook", "https://outlook.live.com/", MICROSOFT),
    ("Posteo", "https://posteo.de/", &["posteo.de", "posteo.net"]),
    ("Proton Mail", "https://mail.proton.me/", &["pm.me", "proton.me", "protonmail.com"]),
    ("WEB.DE", "https://web.de/", &["web.de"]),
    ("Yahoo Mail", "https://mail.yahoo.com/", YAHOO),
];

const MICROSOFT: &[&str] = &[
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.es",
    "hotmail.fr",
    "live.com",
    "live.fr",
    "msn.com",
    "outlook.com",
    "outlook.de",
    "outlook.es",
    "outlook.fr",
];

const YAHOO: &[&str] =
    &["yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.es", "yahoo.fr", "rocketmail.com", "ymail.com"];

/// The domains of all providers.
pub(super) fn domains() -> impl Iterator<Item = &'static str> {
    PROVIDERS.iter().flat_map(|(.., domains)| domains.iter().copied())
}

/// Name and address of the page where this mailbox is read, if its domain reveals it.
pub(super) fn of(email: &Email) -> Option<(&'static str, &'static str)> {
    let is_own = |domain: &&str| email.domain().eq_ignore_ascii_case(domain);
    let provider = PROVIDERS.iter().find(|(.., domains)| domains.iter().any(is_own));
    provider.map(|(name, url, _)| (*name, *url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_domains_tell() {
        let url = |email: &str| of(&email.parse().unwrap()).map(|(_, url)| url);
        assert_eq!(url("ada@gmail.com"), Some("https://mail.google.com/"));
        assert_eq!(url("ada@GMX.de"), Some("https://www.gmx.net/"));
        for other in
            ["ada@gmail.com.example.org", "ada@mail.gmail.com", "gmail.com@example.org", "ada@xgmail.com"]
        {
            assert_eq!(url(other), None, "{other}");
        }
    }

    #[test]
    fn no_domain_is_listed_twice() {
        let mut domains: Vec<_> = PROVIDERS.iter().flat_map(|(.., domains)| domains.iter()).collect();
        let all = domains.len();
        domains.sort_unstable();
        domains.dedup();
        assert_eq!(domains.len(), all);
        assert!(domains.iter().all(|domain| **domain == domain.to_lowercase()));
    }
}
