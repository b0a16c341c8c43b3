//! Turns typed values into checked settings.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use tracing_subscriber::filter::{LevelFilter, Targets};
use vestibule::{
    AdminPolicy, ConfirmPolicy, DatabasePolicy, FirstAdmin, HashPolicy, PasskeyPolicy, Password,
    PasswordRules, Policy, RelyingParty, SecondFactorPolicy, Secret, SecretKey, SignInPolicy, SignUpPolicy,
    SigningAlgorithm, TokenPolicy, WebhookEvent, WebhookSubscription,
};
use vestibule_mail::{WebhookSecrets, WebhookUrl};

use super::checker::Checker;
use super::clients::clients;
use super::cors::cors_origins;
use super::environment::Environment;
use super::layers::Layers;
use super::pages::pages;
use super::problem::Problem;
use super::raw::{self, Method, Preset, Raw};
use super::settings::{Config, Connections, Database, Log, Mail, Metrics, Webhooks};
use super::user_data::claims::claims;
use super::user_data::schema as data_schema;
use super::values::{IntrospectionClient, Listen, PublicUrl};

const MAKE_SECRET: &str =
    "make one with `echo \"whsec_$(openssl rand -base64 32)\"` and give it as VESTIBULE_WEBHOOKS_SECRET_FILE";
const LISTEN: &str = "write e.g. \"127.0.0.1:8080\" or \"unix:/run/vestibule/http.sock\"";
const RECEIVER: &str = "write e.g. \"https://app.example.org/webhooks\"; for a receiver on this machine or in your own network \
     also set VESTIBULE_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES=true";

pub(super) fn config(raw: Raw, layers: Layers, environment: &Environment) -> Result<Config, Vec<Problem>> {
    let mut checker = Checker { layers, problems: Vec::new() };
    let listen: Option<Listen> = checker.parse("listen", &raw.listen, LISTEN);
    let public_url: Option<PublicUrl> = checker.parse(
        "public_url",
        &raw.public_url,
        "write the address that people type, e.g. \"https://accounts.example.org\"",
    );
    let data_dir = PathBuf::from(&raw.data_dir);
    let database = database(&raw.database_url, &data_dir, &mut checker);
    let (key, previous) = secret_keys(&raw, &mut checker);
    let mail = mail(&raw.mail, &raw.service_name, &mut checker);
    let introspection_clients = introspection_clients(&raw.introspection.clients, &mut checker);
    let bootstrap = bootstrap(&raw.bootstrap, &mut checker);
    let level = level(&raw.log.level, &mut checker);
    let otlp_endpoint = otlp_endpoint(&raw.log.otlp_endpoint, &mut checker);
    let webhooks = webhooks(&raw.webhooks, &mut checker);
    let algorithm = checker.parse("tokens.algorithm", &raw.tokens.algorithm, "write `EdDSA` or `ES256`");
    let claims = claims(&raw.claims, &mut checker);
    let (applications, client_secret_files) = clients(&raw.clients, &mut checker);
    let data_schema = data_schema(&raw.user_data.schema, &mut checker);
    let others = policy(&raw, algorithm.unwrap_or_default(), webhooks.as_ref());
    let policy = Policy { applications, claims, data_schema, ..others };
    let pages = pages(&raw.pages, raw.signup.consent, &mut checker);
    let cors_origins = cors_origins(&raw.cors.origins, &mut checker);
    if let Err(error) = policy.check() {
        checker.problem(error.setting, error.rule, "choose a value inside these bounds, or leave it out");
    }
    let metrics = metrics(&raw.metrics, &mut checker);
    check_plain(&raw, &mut checker);
    check_passkeys(public_url.as_ref(), &policy, &mut checker);
    let Some(listen) = listen.filter(|_| checker.problems.is_empty()) else {
        if checker.problems.is_empty() {
            checker.problem("listen", "empty", "write e.g. \"127.0.0.1:8080\"");
        }
        return Err(checker.problems);
    };
    Ok(Config {
        listen,
        public_url,
        data_dir,
        database,
        secret_key: key,
        secret_key_previous: previous,
        service_name: raw.service_name,
        trusted_proxies: raw.trusted_proxies,
        introspection_clients,
        client_secret_files,
        password_grant: raw.tokens.password_grant,
        mail,
        webhooks,
        allow_private_addresses: raw.webhooks.allow_private_addresses,
        policy,
        pages,
        cors_origins,
        connections: Connections {
            most: raw.limits.connections,
            most_per_client: raw.limits.connections_per_client,
        },
        bootstrap,
        log: Log {
            format: raw.log.format,
            level,
            color: environment.get("NO_COLOR").is_none() && std::io::stderr().is_terminal(),
            otlp_endpoint,
        },
        metrics,
        operator: None,
        layers: checker.layers,
    })
}

/// The token is compared as it is, so it must be long; a scraper must be able to send it.
fn metrics(raw: &raw::Metrics, checker: &mut Checker) -> Option<Metrics> {
    let is_token = raw.token.len() >= 32 && raw.token.bytes().all(|byte| byte.is_ascii_graphic());
    if !raw.token.is_empty() && !is_token {
        let cause = "not 32 or more characters of visible ASCII";
        let fix = "make one with `openssl rand -hex 32` and give it as VESTIBULE_METRICS_TOKEN_FILE";
        checker.problem("metrics.token", cause, fix);
    }
    let listen = checker.parse("metrics.listen", &raw.listen, "write e.g. \"127.0.0.1:9464\"")?;
    Some(Metrics { listen, token: (!raw.token.is_empty()).then(|| Secret::from(raw.token.as_str())) })
}

/// Checks the domain of the passkeys against the address of the pages, where both are given.
fn check_passkeys(public_url: Option<&PublicUrl>, policy: &Policy, checker: &mut Checker) {
    let Some(public_url) = public_url.filter(|_| policy.passkeys.rp_id.is_some()) else { return };
    if let Err(error) = RelyingParty::of(&public_url.text, &policy.passkeys) {
        let fix = "leave it out: passkeys then belong to the host of `public_url`";
        checker.problem(error.setting, error.rule, fix);
    }
}

/// Where spans are sent, if anywhere.
fn otlp_endpoint(given: &str, checker: &mut Checker) -> Option<String> {
    const KEY: &str = "log.otlp_endpoint";
    if given.is_empty() {
        return None;
    }
    let uri = given.parse::<axum::http::Uri>().ok();
    if !uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()) {
        checker.problem(KEY, "not a URL", "write e.g. \"http://127.0.0.1:4318/v1/traces\"");
    } else if !cfg!(feature = "otlp") {
        let fix = "leave it out, or build the program with `--features otlp`";
        checker.problem(KEY, "this program was built without the feature `otlp`", fix);
    }
    Some(given.to_owned())
}

/// Checks settings that need no parsing but have bounds.
fn check_plain(raw: &Raw, checker: &mut Checker) {
    if raw.limits.connections == 0 || raw.limits.connections_per_client == 0 {
        checker.problem(
            "limits.connections",
            "no connection could ever be opened",
            "choose 1 or more, or leave the key out",
        );
    }
    if raw.data_dir.is_empty() {
        checker.problem("data_dir", "empty", "name a folder, e.g. \"/var/lib/vestibule\"");
    }
}

/// The secret key, and the previous one.
fn secret_keys(raw: &Raw, checker: &mut Checker) -> (Option<SecretKey>, Option<SecretKey>) {
    let key = checker.parse(
        "secret_key",
        &raw.secret_key,
        "make a key with `openssl rand -hex 32` and give it as VESTIBULE_SECRET_KEY_FILE",
    );
    let previous = checker.parse(
        "secret_key_previous",
        &raw.secret_key_previous,
        "give the key that `secret_key` had before, or take it out",
    );
    (key, previous)
}

/// Parses the URL as the library does when it opens the database.
fn database(url: &str, data_dir: &Path, checker: &mut Checker) -> Database {
    if url.is_empty() {
        return Database::Sqlite(data_dir.join("vestibule.db"));
    }
    if url.strip_prefix("sqlite:").is_some_and(|path| path.trim_start_matches("//") == ":memory:") {
        let fix = "leave it out for a file in the data folder, or write `sqlite:PATH`";
        checker.problem("database_url", "every command would have a database of its own in memory", fix);
    }
    let secret = Secret::from(url);
    if let Err(error) = vestibule::check_database_url(&secret) {
        checker.problem("database_url", &error, error.fix());
    }
    match url.strip_prefix("sqlite:") {
        Some(path) => Database::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path))),
        None => Database::Postgres(secret),
    }
}

/// Whether the password is good enough is checked when it is used.
fn bootstrap(raw: &raw::Bootstrap, checker: &mut Checker) -> Option<FirstAdmin> {
    let email = checker.parse("bootstrap.admin_email", &raw.admin_email, "write the address alone");
    if raw.admin_email.is_empty() != raw.admin_password.is_empty() {
        let fix = "set both VESTIBULE_BOOTSTRAP_ADMIN_EMAIL and VESTIBULE_BOOTSTRAP_ADMIN_PASSWORD_FILE, or neither";
        checker.problem(
            "bootstrap.admin_email",
            "an address without a password, or a password without an address",
            fix,
        );
    }
    if raw.admin_password.is_empty() {
        return None;
    }
    match Password::new(&raw.admin_password) {
        Ok(password) => Some(FirstAdmin { email: email?, password, user_name: None }),
        Err(error) => {
            checker.problem(
                "bootstrap.admin_password",
                error,
                "choose another password, e.g. four random words",
            );
            None
        }
    }
}

fn mail(raw: &raw::Mail, service_name: &str, checker: &mut Checker) -> Mail {
    let from = checker.parse(
        "mail.from",
        &raw.from,
        "write the address alone, e.g. \"no-reply@example.org\"; the name is mail.from_name",
    );
    for (path, name) in [("service_name", service_name), ("mail.from_name", &raw.from_name)] {
        if name.contains(char::is_control) || name.chars().count() > 60 {
            checker.problem(
                path,
                "longer than 60 characters, or with a control character",
                "choose a shorter, plain name",
            );
        }
    }
    if service_name.trim().is_empty() {
        checker.problem("service_name", "empty", "say how the service is called");
    }
    Mail {
        url: (!raw.url.is_empty()).then(|| Secret::from(raw.url.as_str())),
        from,
        from_name: raw.from_name.clone(),
        templates_dir: (!raw.templates_dir.is_empty()).then(|| PathBuf::from(&raw.templates_dir)),
    }
}

/// `None` if no endpoint is set, or something is wrong.
fn webhooks(raw: &raw::Webhooks, checker: &mut Checker) -> Option<Webhooks> {
    let secrets: Option<WebhookSecrets> = checker.parse("webhooks.secret", &raw.secret, MAKE_SECRET);
    let mut events = Vec::new();
    for name in &raw.events {
        let known = WebhookEvent::ALL.map(WebhookEvent::name).join(", ");
        events.extend(checker.parse::<WebhookEvent>(
            "webhooks.events",
            name,
            &format!("choose from {known}"),
        ));
    }
    if events.is_empty() {
        events = WebhookEvent::ALL.to_vec();
    }
    if raw.url.is_empty() {
        return None;
    }
    if raw.secret.is_empty() {
        let cause = "`webhooks.secret` is not set: nobody could tell who a webhook comes from";
        checker.problems.push(Problem::new(cause, MAKE_SECRET));
    }
    let url = WebhookUrl::new(&Secret::from(raw.url.as_str()), raw.allow_private_addresses);
    let url = url.map_err(|error| checker.problem("webhooks.url", error, RECEIVER)).ok()?;
    let subscription = WebhookSubscription { endpoint: "default".to_owned(), events };
    Some(Webhooks { subscription, url, secrets: secrets? })
}

/// Every name occurs once: with two secrets for one name, it would be unclear which is the old one.
fn introspection_clients(texts: &[String], checker: &mut Checker) -> Vec<IntrospectionClient> {
    const PATH: &str = "introspection.clients";
    const FIX: &str = "write `NAME:SECRET` for each, the secret made with `openssl rand -hex 32`";
    let mut clients: Vec<IntrospectionClient> = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        match text.parse::<IntrospectionClient>() {
            Ok(client) if clients.iter().any(|other| other.name == client.name) => {
                let cause = format!("`{}` is there twice", client.name);
                checker.problem(PATH, cause, "give each service a name of its own");
            }
            Ok(client) => clients.push(client),
            Err(error) => checker.problem(PATH, format!("entry {}: {error}", index + 1), FIX),
        }
    }
    clients
}

/// A word without `=` that is not a level would be taken for the name of a module, and silence all others.
fn level(text: &str, checker: &mut Checker) -> Targets {
    let is_slip = |part: &str| !part.contains('=') && part.trim().parse::<LevelFilter>().is_err();
    match text.parse() {
        Ok(targets) if !text.split(',').any(is_slip) => targets,
        _ => {
            let fix = "write e.g. \"info\" or \"info,vestibule=debug\"";
            checker.problem("log.level", "not a level, or a list of parts and levels", fix);
            Targets::default()
        }
    }
}

fn second_factor(raw: &Raw, defaults: &SecondFactorPolicy) -> SecondFactorPolicy {
    let raw::SecondFactor { require, grace } = &raw.second_factor;
    SecondFactorPolicy { require: (*require).into(), grace: grace.0, ..defaults.clone() }
}

fn passkeys(raw: &Raw) -> PasskeyPolicy {
    let raw::Passkeys { enabled, rp_id } = &raw.passkeys;
    PasskeyPolicy { enabled: *enabled, rp_id: (!rp_id.is_empty()).then(|| rp_id.clone()) }
}

fn policy(raw: &Raw, algorithm: SigningAlgorithm, webhooks: Option<&Webhooks>) -> Policy {
    let Raw { confirm, signup, password, tokens, hash, limits, admin, audit, database, .. } = raw;
    let code_lifetime = confirm.code_lifetime.0;
    let defaults = Policy::default();
    // Another mail may be requested when the previous code has expired: the waits are at least the lifetime of a code.
    let waits = defaults.sign_up.resend_waits.iter().map(|wait| (*wait).max(code_lifetime)).collect();
    let by_preset = match password.preset {
        Preset::Standard => 8,
        Preset::Nist => 15,
    };
    Policy {
        confirm: ConfirmPolicy {
            link: confirm.methods.contains(&Method::Link),
            code: confirm.methods.contains(&Method::Code),
            require_password: confirm.require_password,
            code_digits: confirm.code_digits,
            code_lifetime,
            client_failures: limits.codes.map(|limit| limit.0),
            ..defaults.confirm
        },
        sign_up: SignUpPolicy {
            lifetime: signup.lifetime.0,
            resend_waits: waits,
            client_mails: limits.mails.0,
            mode: signup.mode.into(),
            disclosure: signup.disclosure.into(),
            consent: signup.consent.into(),
            ..defaults.sign_up
        },
        sign_in: SignInPolicy {
            hard_stop: limits.hard_stop,
            client_failures: limits.sign_in.0,
            ..defaults.sign_in
        },
        admin: AdminPolicy { reauthenticate_after: admin.reauthenticate_after.0, ..defaults.admin },
        audit_retention: audit.retention.0,
        tokens: TokenPolicy {
            access_lifetime: tokens.access_lifetime.0,
            algorithm,
            session_idle: tokens.session_idle.0,
            session_absolute: tokens.session_absolute.0,
            step_up: tokens.step_up.0,
            audience: (!tokens.audience.is_empty()).then(|| tokens.audience.clone()),
            ..defaults.tokens
        },
        second_factor: second_factor(raw, &defaults.second_factor),
        passkeys: passkeys(raw),
        passwords: PasswordRules {
            min_code_points: if password.min_length == 0 { by_preset } else { password.min_length },
            service_name: raw.service_name.clone(),
        },
        hash: HashPolicy {
            memory_kib: hash.memory_kib,
            passes: hash.passes,
            threads: hash.threads,
            ..defaults.hash
        },
        database: DatabasePolicy {
            connections: database.connections,
            statement_timeout: database.statement_timeout.0,
            wait: database.wait.0,
        },
        webhooks: webhooks.map(|webhooks| webhooks.subscription.clone()).into_iter().collect(),
        client_limits: limits.enabled,
        exempt_networks: limits.exempt.iter().map(|network| network.0).collect(),
        ..defaults
    }
}
