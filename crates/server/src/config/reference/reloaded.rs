//! Which settings change without a restart.

use crate::config::keys::Key;

/// Those that SIGHUP changes. In development mode mail does not change: its mailbox would be lost.
const RELOADED: [&str; 23] = [
    "trusted_proxies",
    "mail.url",
    "mail.from",
    "mail.from_name",
    "mail.templates_dir",
    "pages.accent",
    "pages.logo",
    "pages.support",
    "pages.terms_url",
    "pages.privacy_url",
    "pages.return_urls",
    "cors.origins",
    "tokens.password_grant",
    "introspection.clients",
    "limits.enabled",
    "limits.sign_in",
    "limits.codes",
    "limits.mails",
    "limits.exempt",
    "limits.hard_stop",
    "limits.connections",
    "limits.connections_per_client",
    "log.level",
];

/// Whether SIGHUP changes the setting of a running server.
pub(crate) fn is_reloaded(key: &Key, dev: bool) -> bool {
    RELOADED.contains(&key.path) && !(dev && key.path.starts_with("mail."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::find;

    #[test]
    fn each_is_a_setting() {
        for path in RELOADED {
            assert!(find(path).is_some_and(|key| is_reloaded(key, false)), "{path}");
        }
        let mail = find("mail.url").unwrap();
        assert!(!is_reloaded(mail, true));
    }
}
