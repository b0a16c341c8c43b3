//! Settings from all their sources. No test reads the environment of its own process.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use vestibule::Policy;

use super::*;
use crate::config::guards::refusals;

#[path = "tests/services.rs"]
mod services;

const KEY: &str = "8f0b2c1d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";

fn environment(pairs: &[(&str, &str)]) -> Environment {
    Environment(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn load(pairs: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
    Config::load(&Flags::default(), &environment(pairs))
}

fn load_file(text: &str, pairs: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vestibule.toml");
    fs::write(&path, text).unwrap();
    Config::load(&Flags { config: Some(path), listen: None }, &environment(pairs))
}

fn problem(result: Result<Config, Vec<Problem>>) -> String {
    let problems = result.map(|_| ()).unwrap_err();
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn write_secret(folder: &Path, text: &str, mode: u32) -> String {
    let path = folder.join("secret");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path.display().to_string()
}

#[test]
fn the_defaults_are_the_library_s() {
    let config = load(&[]).unwrap();
    assert_eq!(format!("{:?}", config.policy), format!("{:?}", Policy::default()));
    assert_eq!(config.database.url().expose(), "sqlite:./vestibule-data/vestibule.db");
    assert_eq!(config.public_url(Some(8080)), "http://localhost:8080");
}

#[test]
fn the_environment_wins_over_the_file_and_the_flag_over_both() {
    let text = "listen = '127.0.0.1:1'\n[confirm]\nmethods = ['link']\ncode_lifetime = '2m'\n[limits]\nenabled = false";
    let config = load_file(text, &[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:1");
    assert!(config.policy.confirm.link && !config.policy.confirm.code && !config.policy.client_limits);
    assert_eq!(config.policy.confirm.code_lifetime, Duration::from_mins(2));
    let over = [
        ("VESTIBULE_LISTEN", "127.0.0.1:2"),
        ("VESTIBULE_CONFIRM_METHODS", "code, link"),
        ("VESTIBULE_HASH_PASSES", "3"),
    ];
    let config = load_file(text, &over).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:2");
    assert!(config.policy.confirm.link && config.policy.confirm.code);
    assert_eq!(config.policy.hash.passes, 3);
    let flags = Flags { config: None, listen: Some("[::1]:3".to_owned()) };
    let config = Config::load(&flags, &environment(&over)).unwrap();
    assert_eq!(config.listen.to_string(), "[::1]:3");
}

#[test]
fn what_platforms_set_is_weaker_than_our_own() {
    let platform = [("PORT", "9000"), ("DATABASE_URL", "postgres://platform/db")];
    let config = load(&platform).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:9000");
    assert_eq!(config.database.url().expose(), "postgres://platform/db");
    let both = [
        platform.as_slice(),
        &[("VESTIBULE_LISTEN", "[::1]:1"), ("VESTIBULE_DATABASE_URL", "sqlite:own.db")],
    ]
    .concat();
    let config = load(&both).unwrap();
    assert_eq!(config.listen.to_string(), "[::1]:1");
    assert_eq!(config.database.url().expose(), "sqlite:own.db");
}

#[test]
fn secrets_come_from_files_and_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_secret(folder.path(), &format!("{KEY}\n"), 0o600);
    assert!(load(&[("VESTIBULE_SECRET_KEY_FILE", &path)]).unwrap().secret_key.is_some());
    fs::write(folder.path().join("mail_url"), "smtps://u:p@mail.example.org\r\n").unwrap();
    let credentials = [("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap())];
    assert_eq!(load(&credentials).unwrap().mail.url.unwrap().expose(), "smtps://u:p@mail.example.org");
    let message = problem(load(&[("VESTIBULE_SECRET_KEY_FILE", &path), ("VESTIBULE_SECRET_KEY", KEY)]));
    assert_eq!(
        message,
        "`secret_key`: both VESTIBULE_SECRET_KEY and VESTIBULE_SECRET_KEY_FILE are set\n  fix: unset one of them"
    );
    let message = problem(load(&[("VESTIBULE_MAIL_URL_FILE", "/nowhere/mail")]));
    assert!(
        message.starts_with(
            "`mail.url` (VESTIBULE_MAIL_URL_FILE: /nowhere/mail): cannot read /nowhere/mail: No such file"
        ),
        "{message}"
    );
}

#[test]
fn a_slip_is_an_error_with_a_suggestion() {
    let message = problem(load(&[("VESTIBULE_MAIL_FORM", "x")]));
    assert_eq!(message, "unknown variable VESTIBULE_MAIL_FORM\n  fix: did you mean VESTIBULE_MAIL_FROM?");
    let message = problem(load(&[("VESTIBULE_SECRT_KEY_FILE", "x")]));
    assert!(message.ends_with("did you mean VESTIBULE_SECRET_KEY?"), "{message}");
    let message = problem(load_file("[mail]\nform = 'x'", &[]));
    assert!(
        message.ends_with("vestibule.toml: unknown key `mail.form`\n  fix: did you mean `mail.from`?"),
        "{message}"
    );
    let message = problem(load_file("[confirm]\n[male]\nurl = 'x'", &[]));
    assert!(message.contains("unknown key `male`"), "{message}");
    let message = problem(load_file("listen = 'a'\n[introspection]\nclients = ['shop:hunter2]\n", &[]));
    assert!(message.contains("vestibule.toml: TOML parse error at line 3: "), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
    let message = problem(load_file("listen = ", &[]));
    assert!(message.contains("vestibule.toml: TOML parse error at line 1"), "{message}");
}

#[test]
fn variables_of_others_are_left_alone() {
    let kubernetes = [
        ("VESTIBULE_PORT", "tcp://10.0.0.1:80"),
        ("VESTIBULE_PORT_80_TCP", "x"),
        ("VESTIBULE_SERVICE_HOST", "10.0.0.1"),
    ];
    assert!(load(&kubernetes).is_ok());
    assert!(load(&[("VESTIBULE_TEST_POSTGRES_URL", "x"), ("VESTIBULE_PUBLIC_URL", "")]).is_ok());
    assert!(load(&[("VESTIBULE_PORTS", "80")]).is_err());
}

#[test]
fn a_wrong_value_names_its_key_its_source_and_the_form() {
    for (variable, value, expected) in [
        (
            "VESTIBULE_LIMITS_ENABLED",
            "off",
            "`limits.enabled` (VESTIBULE_LIMITS_ENABLED): \"off\" is neither true nor false\n  fix: write true or false",
        ),
        (
            "VESTIBULE_HASH_PASSES",
            "two",
            "`hash.passes` (VESTIBULE_HASH_PASSES): \"two\" is not a whole number",
        ),
        (
            "VESTIBULE_CONFIRM_CODE_LIFETIME",
            "60",
            "`confirm.code_lifetime` (VESTIBULE_CONFIRM_CODE_LIFETIME): a length of time is a number and a unit",
        ),
        (
            "VESTIBULE_CONFIRM_METHODS",
            "code,sms",
            "`confirm.methods` (VESTIBULE_CONFIRM_METHODS): unknown variant `sms`, expected `code` or `link`",
        ),
        (
            "VESTIBULE_CONFIRM_CODE_DIGITS",
            "3",
            "`confirm.code_digits` (VESTIBULE_CONFIRM_CODE_DIGITS): must be 4 to 8",
        ),
        ("VESTIBULE_LISTEN", "8080", "`listen` (VESTIBULE_LISTEN): not ADDRESS:PORT or unix:PATH"),
        (
            "VESTIBULE_DATABASE_URL",
            "mysql://u:hunter2@h/d",
            "`database_url` (VESTIBULE_DATABASE_URL): the database URL does not begin with `sqlite:` or `postgres://`",
        ),
        (
            "VESTIBULE_DATABASE_URL",
            "sqlite::memory:",
            "`database_url` (VESTIBULE_DATABASE_URL): every command would have a database of its own in memory",
        ),
        (
            "VESTIBULE_SECRET_KEY",
            "hunter2",
            "`secret_key` (VESTIBULE_SECRET_KEY): the secret key must be 32 bytes",
        ),
        ("VESTIBULE_MAIL_FROM", "nobody", "`mail.from` (VESTIBULE_MAIL_FROM): this is not an email address"),
        (
            "VESTIBULE_TRUSTED_PROXIES",
            "proxy",
            "`trusted_proxies` (VESTIBULE_TRUSTED_PROXIES): an entry is an address or a network",
        ),
        ("VESTIBULE_LOG_LEVEL", "loud", "`log.level` (VESTIBULE_LOG_LEVEL): not a level"),
    ] {
        let message = problem(load(&[(variable, value)]));
        assert!(message.starts_with(expected), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
    let message = problem(load_file("listen = 8080", &[]));
    assert!(
        message.contains("`listen` (") && message.contains("invalid type: integer `8080`, expected a string"),
        "{message}"
    );
}

#[test]
fn a_longer_code_moves_the_waits_between_mails() {
    let config = load(&[("VESTIBULE_CONFIRM_CODE_LIFETIME", "5m")]).unwrap();
    assert_eq!(config.policy.sign_up.resend_waits[..3], [5, 5, 5].map(Duration::from_mins));
    assert_eq!(load(&[("VESTIBULE_PASSWORD_PRESET", "nist")]).unwrap().policy.passwords.min_code_points, 15);
}

#[test]
fn who_may_sign_up_and_how_long_administrators_are_trusted_is_set() {
    use vestibule::{Disclosure, SignUpMode};
    for (text, mode) in
        [("open", SignUpMode::Open), ("invitation", SignUpMode::Invitation), ("closed", SignUpMode::Closed)]
    {
        assert_eq!(load(&[("VESTIBULE_SIGNUP_MODE", text)]).unwrap().policy.sign_up.mode, mode);
    }
    for (text, disclosure) in [("discreet", Disclosure::Discreet), ("friendly", Disclosure::Friendly)] {
        let config = load(&[("VESTIBULE_SIGNUP_DISCLOSURE", text)]).unwrap();
        assert_eq!(config.policy.sign_up.disclosure, disclosure);
    }
    let wrong = problem(load(&[("VESTIBULE_SIGNUP_MODE", "shut")]));
    assert!(wrong.contains("`signup.mode` (VESTIBULE_SIGNUP_MODE)") && wrong.contains("`closed`"), "{wrong}");
    let config = load(&[("VESTIBULE_ADMIN_REAUTHENTICATE_AFTER", "5m")]).unwrap();
    assert_eq!(config.policy.admin.reauthenticate_after, Duration::from_mins(5));
    let wrong = problem(load(&[("VESTIBULE_ADMIN_REAUTHENTICATE_AFTER", "2d")]));
    assert!(wrong.contains("admin.reauthenticate_after") && wrong.contains("1 day"), "{wrong}");
}

#[test]
fn the_sender_is_the_host_s_unless_named() {
    let sender = |pairs: &[(&str, &str)]| {
        load(pairs)
            .unwrap()
            .sender()
            .map(|it| (it.name().map(str::to_owned), it.address().as_str().to_owned()))
    };
    let named = |name: &str, address: &str| Some((Some(name.to_owned()), address.to_owned()));
    assert_eq!(
        sender(&[("VESTIBULE_PUBLIC_URL", "https://example.org")]),
        named("Vestibule", "no-reply@example.org")
    );
    assert_eq!(sender(&[]), None);
    assert_eq!(
        sender(&[("VESTIBULE_MAIL_FROM", "a@example.org"), ("VESTIBULE_SERVICE_NAME", "Shop")]),
        named("Shop", "a@example.org")
    );
}

const PRODUCTION: [(&str, &str); 2] = [
    ("VESTIBULE_MAIL_URL", "smtps://u:p@mail.example.org"),
    ("VESTIBULE_PUBLIC_URL", "https://accounts.example.org"),
];

fn refused(dev: bool, pairs: &[(&str, &str)]) -> Vec<String> {
    refusals(&load(pairs).unwrap(), dev).into_iter().map(|problem| problem.cause).collect()
}

#[test]
fn what_is_safe_is_served() {
    assert_eq!(refused(true, &[]), Vec::<String>::new());
    assert_eq!(
        refused(true, &[("VESTIBULE_LIMITS_ENABLED", "false"), ("DATABASE_URL", "postgres://h/d")]),
        Vec::<String>::new()
    );
    assert_eq!(refused(false, &PRODUCTION), Vec::<String>::new());
    let all = [
        PRODUCTION.as_slice(),
        &[
            ("VESTIBULE_LISTEN", "0.0.0.0:80"),
            ("DATABASE_URL", "postgres://h/d"),
            ("VESTIBULE_SECRET_KEY", KEY),
        ],
    ]
    .concat();
    assert_eq!(refused(false, &all), Vec::<String>::new());
}

// O5: in one network or in several.
#[test]
fn everybody_is_neither_trusted_nor_exempt() {
    let halves = "0.0.0.0/1,128.0.0.0/1";
    let proxies = refused(true, &[("VESTIBULE_TRUSTED_PROXIES", halves)]);
    assert!(proxies.len() == 1 && proxies[0].contains("it names everybody"), "{proxies:?}");
    let exempt = refused(
        false,
        &[
            ("VESTIBULE_LIMITS_EXEMPT", halves),
            ("VESTIBULE_MAIL_URL", "smtps://m.example.org"),
            ("VESTIBULE_MAIL_FROM", "a@example.org"),
            ("VESTIBULE_PUBLIC_URL", "http://localhost"),
        ],
    );
    assert!(exempt.len() == 1 && exempt[0].contains("it exempts everybody"), "{exempt:?}");
}

#[test]
fn what_is_not_safe_is_refused() {
    for (dev, pairs, expected) in [
        (
            true,
            &[("VESTIBULE_LISTEN", "0.0.0.0:80")][..],
            "`listen` (VESTIBULE_LISTEN): --dev listens on 0.0.0.0:80",
        ),
        (
            true,
            &[("VESTIBULE_PUBLIC_URL", "https://example.org")],
            "`public_url` (VESTIBULE_PUBLIC_URL): --dev is for this machine",
        ),
        (
            true,
            &[("VESTIBULE_TRUSTED_PROXIES", "10.0.0.1,0.0.0.0/0")],
            "`trusted_proxies` (VESTIBULE_TRUSTED_PROXIES): it names everybody",
        ),
        (
            false,
            &[("VESTIBULE_MAIL_FROM", "a@example.org"), ("VESTIBULE_PUBLIC_URL", "http://localhost")],
            "`mail.url` is not set",
        ),
        (
            false,
            &[("VESTIBULE_MAIL_URL", "smtps://m.example.org"), ("VESTIBULE_PUBLIC_URL", "http://localhost")],
            "`mail.from` is not set",
        ),
        // A server that listens on this machine only has a proxy, which others reach by another name.
        (
            false,
            &[("VESTIBULE_MAIL_URL", "smtps://m.example.org"), ("VESTIBULE_MAIL_FROM", "a@example.org")],
            "`public_url` is not set",
        ),
    ] {
        let refused = refused(dev, pairs);
        assert!(refused.len() == 1 && refused[0].starts_with(expected), "{refused:?}");
    }
    for (over, expected) in [
        (
            ("VESTIBULE_PUBLIC_URL", "http://accounts.example.org"),
            "`public_url` (VESTIBULE_PUBLIC_URL): passwords would travel",
        ),
        (
            ("VESTIBULE_LIMITS_ENABLED", "false"),
            "`limits.enabled` (VESTIBULE_LIMITS_ENABLED): the limits per client are off",
        ),
        (("DATABASE_URL", "postgres://h/d"), "`secret_key` is not set"),
        (("VESTIBULE_MAIL_URL", "memory:"), "`mail.url` (VESTIBULE_MAIL_URL): the mailbox in memory"),
    ] {
        let refused = refused(false, &[PRODUCTION.as_slice(), &[over]].concat());
        assert!(refused.len() == 1 && refused[0].starts_with(expected), "{refused:?}");
    }
    let open = [
        PRODUCTION[0],
        ("VESTIBULE_LISTEN", "0.0.0.0:80"),
        ("VESTIBULE_PUBLIC_URL", "http://localhost:80"),
        ("VESTIBULE_MAIL_FROM", "a@b.org"),
    ];
    // A container listens on all of its own addresses; whether others reach it is decided where its port is published.
    assert!(refused(false, &open).is_empty());
    assert!(
        refused(false, &[open[0], open[1], open[3]])[0]
            .starts_with("`public_url` is not set: mailed links would lead nowhere")
    );
}

#[test]
fn a_key_that_everybody_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (variable, text) in
        [("VESTIBULE_SECRET_KEY_FILE", KEY), ("VESTIBULE_INTROSPECTION_CLIENTS_FILE", &format!("shop:{KEY}"))]
    {
        let path = write_secret(folder.path(), text, 0o644);
        let refused = refusals(&load(&[(variable, &path)]).unwrap(), true);
        assert_eq!((refused.len(), &refused[0].fix), (1, &format!("chmod 600 {path}")));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(refusals(&load(&[(variable, &path)]).unwrap(), true), []);
    }
}
