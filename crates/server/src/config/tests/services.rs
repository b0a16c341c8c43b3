//! External programs: webhook endpoints, and services that may introspect tokens.

use vestibule::WebhookEvent;

use super::*;

const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn webhooks(pairs: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
    let usual = [
        ("VESTIBULE_WEBHOOKS_URL", "https://app.example.org/hook"),
        ("VESTIBULE_WEBHOOKS_SECRET", WEBHOOK_SECRET),
    ];
    let others = usual.into_iter().filter(|(name, _)| pairs.iter().all(|(other, _)| other != name));
    load(&others.chain(pairs.iter().copied()).collect::<Vec<_>>())
}

#[test]
fn webhooks_are_off_until_they_have_an_address() {
    let config = webhooks(&[("VESTIBULE_WEBHOOKS_URL", "")]).unwrap();
    assert!(config.webhooks.is_none() && config.policy.webhooks.is_empty());
    let config = webhooks(&[]).unwrap();
    assert_eq!(config.policy.webhooks, [config.webhooks.unwrap().subscription]);
    assert_eq!(config.policy.webhooks[0].events, WebhookEvent::ALL);
    let some = webhooks(&[("VESTIBULE_WEBHOOKS_EVENTS", "user.deleted, user.created")]).unwrap();
    assert_eq!(some.policy.webhooks[0].events, [WebhookEvent::UserDeleted, WebhookEvent::UserCreated]);
}

// O1, O6
#[test]
fn wrong_webhooks_are_told_without_their_secrets() {
    for (variable, value, expected) in [
        (
            "VESTIBULE_WEBHOOKS_URL",
            "https://127.0.0.1/hunter2",
            "`webhooks.url` (VESTIBULE_WEBHOOKS_URL): 127.0.0.1 is a private address",
        ),
        (
            "VESTIBULE_WEBHOOKS_URL",
            "http://app.example.org/hunter2",
            "`webhooks.url` (VESTIBULE_WEBHOOKS_URL): http:// is",
        ),
        ("VESTIBULE_WEBHOOKS_URL", "hunter2", "`webhooks.url` (VESTIBULE_WEBHOOKS_URL): not an address"),
        (
            "VESTIBULE_WEBHOOKS_SECRET",
            "hunter2",
            "`webhooks.secret` (VESTIBULE_WEBHOOKS_SECRET): a secret is `whsec_`",
        ),
        ("VESTIBULE_WEBHOOKS_SECRET", "", "`webhooks.secret` is not set"),
        (
            "VESTIBULE_WEBHOOKS_EVENTS",
            "user.creatd",
            "`webhooks.events` (VESTIBULE_WEBHOOKS_EVENTS): there is no event \"user.creatd\"\n  fix: choose from user.created, user.updated, user.deleted,",
        ),
    ] {
        let message = problem(webhooks(&[(variable, value)]));
        assert!(message.starts_with(expected), "{message}");
        assert!(!message.contains("hunter2") && !message.contains(&WEBHOOK_SECRET[6..]), "{message}");
    }
    let local = [
        ("VESTIBULE_WEBHOOKS_URL", "http://127.0.0.1:3000/hook"),
        ("VESTIBULE_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES", "true"),
    ];
    let config = webhooks(&local).unwrap();
    assert!(!format!("{:?}", config.webhooks.unwrap()).contains(&WEBHOOK_SECRET[6..]));
}

#[test]
fn services_that_ask_have_a_name_and_a_secret() {
    let (one, two) = (format!("shop:{KEY}"), format!("blog:{}", &KEY[..32]));
    let names = |result: Result<Config, Vec<Problem>>| -> Vec<String> {
        result.unwrap().introspection_clients.into_iter().map(|client| client.name).collect()
    };
    assert_eq!(names(load(&[])), Vec::<String>::new());
    assert_eq!(
        names(load(&[("VESTIBULE_INTROSPECTION_CLIENTS", &format!("{one}, {two}"))])),
        ["shop", "blog"]
    );
    assert_eq!(names(load_file(&format!("[introspection]\nclients = ['{one}']"), &[])), ["shop"]);
    let folder = tempfile::tempdir().unwrap();
    let path = write_secret(folder.path(), &format!("{one}\r\n{two}\n"), 0o600);
    assert_eq!(names(load(&[("VESTIBULE_INTROSPECTION_CLIENTS_FILE", &path)])), ["shop", "blog"]);
    let place = "`introspection.clients` (VESTIBULE_INTROSPECTION_CLIENTS):";
    for (value, expected) in [
        (format!("{one},shop:{}", &KEY[..40]), "`shop` is there twice"),
        (format!("{two},shop:{}", &KEY[..31]), "entry 2: the secret has fewer than 32 characters"),
        (KEY.to_owned(), "entry 1: not NAME:SECRET"),
        (format!(":{KEY}"), "entry 1: a name has"),
    ] {
        let message = problem(load(&[("VESTIBULE_INTROSPECTION_CLIENTS", &value)]));
        assert!(message.starts_with(&format!("{place} {expected}")), "{message}");
        assert!(!message.contains(&KEY[..31]), "{message}");
    }
    let message = problem(load_file(&format!("[introspection]\nclients = '{one}'"), &[]));
    assert!(message.contains("not of its type") && !message.contains(KEY), "{message}");
}

// O1: whatever is printed of a configuration, it contains no secret.
#[test]
fn a_printed_configuration_has_no_secret() {
    let settings = [
        ("VESTIBULE_DATABASE_URL", "postgres://vestibule:hunter2@db.example.org/vestibule"),
        ("VESTIBULE_SECRET_KEY", KEY),
        ("VESTIBULE_MAIL_URL", "smtps://mailer:hunter2@relay.example.org"),
        ("VESTIBULE_MAIL_FROM", "no-reply@example.org"),
        ("VESTIBULE_WEBHOOKS_URL", "https://app.example.org/hook?key=hunter2"),
        ("VESTIBULE_WEBHOOKS_SECRET", WEBHOOK_SECRET),
        ("VESTIBULE_INTROSPECTION_CLIENTS", "shop:hunter2-hunter2-hunter2-hunter2-hunter2"),
        ("VESTIBULE_BOOTSTRAP_ADMIN_EMAIL", "root@example.org"),
        ("VESTIBULE_BOOTSTRAP_ADMIN_PASSWORD", "hunter2-violet-otter-maps"),
    ];
    let printed = format!("{:?}", load(&settings).unwrap());
    for secret in ["hunter2", KEY, &WEBHOOK_SECRET[6..]] {
        assert!(!printed.contains(secret), "{secret}: {printed}");
    }
    assert!(printed.contains("VESTIBULE_MAIL_URL"), "where each came from is printed: {printed}");
}
