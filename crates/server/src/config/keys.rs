//! The table of all settings. Documents, `check-config`, environment names and suggestions are based on it.

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// Its path in the file, `section.name`.
    pub(crate) path: &'static str,
    /// Whether its value must never be shown.
    pub(crate) secret: bool,
    /// Its purpose.
    pub(crate) what: &'static str,
}

impl Key {
    /// `smtp.password` → `VESTIBULE_SMTP_PASSWORD`. With the suffix `_FILE` it names a file that contains the value.
    pub(crate) fn variable(&self) -> String {
        format!("VESTIBULE_{}", self.path.replace('.', "_").to_uppercase())
    }

    /// `smtp.password` → `smtp_password`: its file in systemd's `$CREDENTIALS_DIRECTORY`.
    pub(crate) fn credential(&self) -> String {
        self.path.replace('.', "_")
    }
}

const fn key(path: &'static str, what: &'static str) -> Key {
    Key { path, secret: false, what }
}

const fn secret(path: &'static str, what: &'static str) -> Key {
    Key { path, secret: true, what }
}

/// Every setting, in the order of `defaults.toml`.
pub(crate) const KEYS: &[Key] = &[
    key("listen", "where to listen: `ADDRESS:PORT` or `unix:PATH`"),
    key(
        "public_url",
        "where browsers reach the server, with a path where the host is shared: the base of mailed links, and the issuer of tokens",
    ),
    key("data_dir", "the folder of the SQLite database and of the secret key file"),
    secret("database_url", "`sqlite:PATH` or `postgres://…`; SQLite in the data folder where it is empty"),
    secret("secret_key", "32 random bytes, hex or base64url; with SQLite made as a file in the data folder"),
    secret(
        "secret_key_previous",
        "the secret key before: links and codes made under it still work, stored keys are encrypted anew",
    ),
    key("service_name", "how the service is called in mails, and what is refused as a password"),
    key(
        "clients",
        "applications that send people here to sign in, each under a line `[[clients]]` of the settings file",
    ),
    key("trusted_proxies", "addresses or networks (CIDR) of the proxies whose `X-Forwarded-For` is believed"),
    key("database.connections", "PostgreSQL: connections of this instance at most"),
    key(
        "database.statement_timeout",
        "PostgreSQL: how long a statement may take, and about how long a host may be silent before it is left",
    ),
    key(
        "database.wait",
        "PostgreSQL: how long `serve` and `migrate up` wait for a database that is not up yet",
    ),
    secret(
        "mail.url",
        "how mail leaves: `smtps://user:password@host`, `http+postmark://token@`, `console:`, `file:PATH` …",
    ),
    key("mail.from", "the sender's address; `no-reply@` the host of `public_url` where it is empty"),
    key("mail.from_name", "the sender's name; `service_name` where it is empty"),
    key("mail.templates_dir", "a folder whose files replace single mail templates"),
    secret("webhooks.url", "where events about users are posted, `https://…`; nowhere where it is empty"),
    secret(
        "webhooks.secret",
        "what webhooks are signed with: `whsec_…`; several, with spaces, while it changes",
    ),
    key("webhooks.events", "which events, e.g. `user.created`; all where it is empty"),
    key(
        "webhooks.allow_private_addresses",
        "whether webhooks and logout tokens may go to this machine and to private networks, there also by `http://`",
    ),
    key("confirm.methods", "what the confirmation mail carries: `code`, `link`, or both"),
    key("confirm.require_password", "whether the link asks for the password too"),
    key("confirm.code_digits", "digits of a code, 4 to 8"),
    key("confirm.code_lifetime", "how long a code works, from the hand-over of its mail"),
    key("signup.lifetime", "how long a sign-up waits for its confirmation, and its link works"),
    key(
        "signup.mode",
        "`open`; or nobody signs up: `invitation` tells people to look for theirs, `closed` does not",
    ),
    key(
        "signup.consent",
        "whether people who get an account accept the terms of `pages.terms_url` and `pages.privacy_url`: `off`; `line`: a line says that they do; `checkbox`: they must tick it",
    ),
    key(
        "signup.disclosure",
        "`discreet`: nobody learns who has an account; `friendly`: 409 for a taken address",
    ),
    key(
        "password.preset",
        "`standard`: at least 8 characters; `nist`: at least 15 (SP 800-63B-4, single factor)",
    ),
    key("password.min_length", "characters of a password at least; 0: what the preset says"),
    key(
        "pages.accent",
        "the colour of buttons, and of links, e.g. `#2456c8`; links are adjusted where they could not be read",
    ),
    key(
        "pages.logo",
        "a picture before the name: the path of an SVG, PNG, JPEG or WebP file, at most 64 KiB",
    ),
    key("pages.logo_alone", "`true`: no name after the logo, because the logo shows it"),
    key("pages.css", "a style sheet after ours: the path of a file, at most 64 KiB"),
    key("pages.support", "where people get help: an email address or the address of a page"),
    key("pages.terms_url", "the address of the terms of use"),
    key("pages.privacy_url", "the address of the privacy statement"),
    key(
        "pages.return_urls",
        "addresses outside that a sign-in may lead to (`return_to`), compared as they are",
    ),
    key(
        "cors.origins",
        "other origins whose pages may read the API, never with cookies, e.g. `https://app.example.org`",
    ),
    key("tokens.access_lifetime", "how long an access token works"),
    key("tokens.algorithm", "how the next signing key signs: `EdDSA` or `ES256`; see `vestibule keys`"),
    key("tokens.audience", "the `aud` of the tokens; `public_url` where it is empty"),
    key(
        "tokens.password_grant",
        "whether `grant_type=password` is answered for this service's own sessions; always with --dev",
    ),
    key("tokens.session_idle", "a session ends after this long without use"),
    key("tokens.session_absolute", "a session ends after this long in any case"),
    key(
        "tokens.step_up",
        "how long after a proof users may change factors, address, password, or delete the account",
    ),
    key(
        "claims",
        "more claims of access tokens, each with the place of its value: `plan = \"app.plan\"`, `theme = \"data.theme\"`",
    ),
    key(
        "user_data.schema",
        "the file of a JSON Schema for what users keep in their own data, and for what a sign-up asks; anything where it is empty",
    ),
    key("passkeys.enabled", "whether there are passkeys"),
    key(
        "passkeys.rp_id",
        "the domain that passkeys belong to; the host of `public_url` where it is empty. Those of another domain stop working",
    ),
    key("second_factor.require", "who must have a second factor: `off` (nobody), `admins`, `all`"),
    key(
        "second_factor.grace",
        "how long whoever must have one may still sign in without, from the first sign-in on",
    ),
    secret(
        "introspection.clients",
        "services that may ask `POST /v1/introspect`, each `NAME:SECRET` with a secret of 32 characters or more",
    ),
    key("hash.memory_kib", "memory of a password hash (Argon2id) in KiB"),
    key("hash.passes", "passes over that memory"),
    key("hash.threads", "threads that hash; 0: one per core"),
    key("limits.enabled", "the limits per client; off only for load tests with --dev"),
    key("limits.sign_in", "wrong passwords of one client, e.g. `20/5m`: then 429"),
    key("limits.codes", "wrong codes of one client, in a short and in a long window"),
    key("limits.mails", "requests of one client that cost a mail: sign-up, resend, forgotten password"),
    key("limits.exempt", "networks (CIDR) without limits per client: many people behind one address"),
    key("limits.hard_stop", "wrong passwords in a row after which only a reset link opens the account again"),
    key("limits.connections", "open connections at most"),
    key(
        "limits.connections_per_client",
        "open connections of one client at most; trusted proxies are not counted",
    ),
    key("bootstrap.admin_email", "makes an administrator at the start, only while there is none"),
    secret("bootstrap.admin_password", "the password of that administrator"),
    key(
        "admin.reauthenticate_after",
        "how long after a sign-in an administrator may give roles and delete users",
    ),
    key("audit.retention", "how long the audit trail is kept"),
    key("log.format", "`text`, `json`, or `auto`: text on a terminal"),
    key("log.level", "`error`, `warn`, `info`, `debug`, `trace`, or by part: `info,vestibule=debug`"),
    key(
        "log.otlp_endpoint",
        "where the spans of requests are sent (OTLP over HTTP), e.g. `http://127.0.0.1:4318/v1/traces`; needs a build with the feature `otlp`",
    ),
    key("metrics.listen", "where `/metrics` is served, e.g. `127.0.0.1:9464`; nowhere where it is empty"),
    secret(
        "metrics.token",
        "what a scraper sends as `Authorization: Bearer …`, 32 characters or more; needed where others reach `metrics.listen`",
    ),
];

/// The setting at `path`.
pub(crate) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// The known name that `wrong` was probably meant to be.
pub(crate) fn closest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let best = known.map(|name| (distance(wrong, name), name)).min()?;
    // With up to a third of the letters wrong it is still a slip; with more it is another word.
    (best.0 <= wrong.chars().count().max(3) / 3).then_some(best.1)
}

/// The number of letters to insert, delete or replace (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = || KEYS.iter().map(|key| key.path);
        assert_eq!(closest("mail.form", known()), Some("mail.from"));
        assert_eq!(closest("databse_url", known()), Some("database_url"));
        assert_eq!(closest("colour_of_the_sky", known()), None);
    }

    #[test]
    fn names_follow_from_the_path() {
        let key = find("mail.url").unwrap();
        assert_eq!((key.variable().as_str(), key.credential().as_str()), ("VESTIBULE_MAIL_URL", "mail_url"));
    }

    #[test]
    fn there_are_few_enough_to_read() {
        assert!(KEYS.len() <= 80, "{} settings", KEYS.len());
    }
}
