//! The settings that the program refuses to serve with (security O5), each with the exact fix.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use vestibule_http::TrustedProxies;

use super::clients::SecretFile;
use super::layers::Source;
use super::problem::Problem;
use super::settings::{Config, Database};
use super::values::Listen;
use crate::permissions::is_world_readable;

/// Why the program refuses to serve with these settings; empty if it does not.
pub(crate) fn refusals(config: &Config, dev: bool) -> Vec<Problem> {
    let mut problems = if dev { only_for_development(config) } else { only_for_production(config) };
    problems.extend(always(config));
    problems.extend(exposed_secrets_of_clients(config));
    problems
}

fn only_for_development(config: &Config) -> Vec<Problem> {
    let listens_to_others = match &config.listen {
        Listen::Tcp(_) => !config.listen.is_loopback(),
        Listen::Unix(_) => false,
    };
    let rules = [
        (
            listens_to_others,
            format!(
                "{}: --dev listens on {}, where others can read the mailbox",
                config.place("listen"),
                config.listen
            ),
            "listen on 127.0.0.1, or serve without --dev".to_owned(),
        ),
        (
            config.public_url.as_ref().is_some_and(|url| !url.is_loopback()),
            format!("{}: --dev is for this machine only", config.place("public_url")),
            "leave public_url out (it is http://localhost:PORT then), or serve without --dev".to_owned(),
        ),
    ];
    broken(rules)
}

fn only_for_production(config: &Config) -> Vec<Problem> {
    let url = config.public_url.as_ref();
    let plain = url.filter(|url| !url.is_https);
    let https = |host: &str| {
        format!(
            "set VESTIBULE_PUBLIC_URL=https://{host} and put a proxy with TLS before the server, or use --dev to try it out"
        )
    };
    let rules = [
        (
            url.is_none(),
            "`public_url` is not set: mailed links would lead nowhere".to_owned(),
            "set VESTIBULE_PUBLIC_URL to the address that people type, e.g. https://accounts.example.org, or use --dev".to_owned(),
        ),
        (
            plain.is_some_and(|url| !url.is_loopback()),
            format!("{}: passwords would travel unencrypted", config.place("public_url")),
            https(plain.map_or("", |url| url.host.as_str())),
        ),
        (
            config.mail.url.is_none(),
            "`mail.url` is not set: nobody could confirm an address".to_owned(),
            "set VESTIBULE_MAIL_URL, e.g. smtps://user:password@mail.example.org (or VESTIBULE_MAIL_URL_FILE), or use --dev".to_owned(),
        ),
        (
            config.mail.url.as_ref().is_some_and(|url| url.expose().starts_with("memory:")),
            format!("{}: the mailbox in memory exists only with --dev", config.place("mail.url")),
            "name a relay or a provider, e.g. smtps://user:password@mail.example.org".to_owned(),
        ),
        (
            config.mail.url.is_some() && config.sender().is_none(),
            "`mail.from` is not set, and `public_url` has no domain to derive it from".to_owned(),
            "set VESTIBULE_MAIL_FROM, e.g. no-reply@example.org".to_owned(),
        ),
        exposed_origin(config),
        (
            !config.policy.client_limits,
            format!("{}: the limits per client are off", config.place("limits.enabled")),
            "take it out; load tests run with --dev".to_owned(),
        ),
        (
            is_everybody(&config.policy.exempt_networks),
            format!("{}: it exempts everybody, or nearly, from the limits per client", config.place("limits.exempt")),
            "name the networks of the people who share an address, e.g. 198.51.100.0/24".to_owned(),
        ),
        (
            config.secret_key.is_none() && matches!(config.database, Database::Postgres(_)),
            "`secret_key` is not set: instances on one PostgreSQL must have the same".to_owned(),
            "make one with `openssl rand -hex 32` and set VESTIBULE_SECRET_KEY_FILE (or VESTIBULE_SECRET_KEY) for every instance".to_owned(),
        ),
    ];
    broken(rules)
}

/// Whoever sits between changes such a page, and then asks with the tokens of whoever looks at it.
fn exposed_origin(config: &Config) -> (bool, String, String) {
    let exposed = config.cors_origins.iter().find(|origin| origin.is_exposed());
    let shown = exposed.map_or("", |origin| origin.as_str());
    (
        exposed.is_some(),
        format!(
            "{}: pages of {shown} travel unencrypted, and tokens with them",
            config.place("cors.origins")
        ),
        format!("write {}, or use --dev to try it out", shown.replacen("http:", "https:", 1)),
    )
}

fn always(config: &Config) -> Vec<Problem> {
    let everybody = is_everybody(&config.trusted_proxies);
    let rules = [
        (
            everybody,
            format!(
                "{}: it names everybody, or nearly, so anybody could choose the address that limits count",
                config.place("trusted_proxies")
            ),
            "name the proxies' own addresses, e.g. 10.0.0.7 or 10.0.0.0/24".to_owned(),
        ),
        exposed_database(config),
        exposed(config, "secret_key"),
        exposed(config, "secret_key_previous"),
        exposed(config, "introspection.clients"),
        exposed(config, "metrics.token"),
        open_metrics(config),
    ];
    broken(rules)
}

/// Numbers tell how many people there are, when they sign in, and how an attack goes.
fn open_metrics(config: &Config) -> (bool, String, String) {
    let is_open = config.metrics.as_ref().is_some_and(|metrics| {
        let is_local = matches!(metrics.listen, Listen::Unix(_)) || metrics.listen.is_loopback();
        metrics.token.is_none() && !is_local
    });
    (
        is_open,
        format!("{}: everybody who reaches it could read the metrics", config.place("metrics.listen")),
        "listen on 127.0.0.1:9464, or set VESTIBULE_METRICS_TOKEN_FILE (made with `openssl rand -hex 32`)"
            .to_owned(),
    )
}

fn is_everybody<T: ToString>(networks: &[T]) -> bool {
    let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
    TrustedProxies::parse(&networks).is_err()
}

fn exposed(config: &Config, key: &str) -> (bool, String, String) {
    let path = exposed_file(config, key);
    let shown = path.as_ref().map_or_else(String::new, |path| path.display().to_string());
    let cause = format!("{}: every user of this machine can read {shown}", config.place(key));
    (path.is_some(), cause, format!("chmod 600 {shown}"))
}

fn exposed_secrets_of_clients(config: &Config) -> Vec<Problem> {
    let exposed = config.client_secret_files.iter().filter(|file| is_exposed(&file.path));
    let problem = |file: &SecretFile| {
        let (place, shown) = (config.place("clients"), file.path.display());
        let cause = format!("{place}: `{}`: every user of this machine can read {shown}", file.client);
        Problem::new(cause, format!("chmod 600 {shown}"))
    };
    exposed.map(problem).collect()
}

/// The database contains password hashes. `sqlite3 … .backup` and `cp` create world-readable files.
fn exposed_database(config: &Config) -> (bool, String, String) {
    let path = match &config.database {
        Database::Sqlite(path) => path.as_path(),
        Database::Postgres(_) => Path::new(""),
    };
    let is_open =
        fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o007 != 0);
    let shown = path.display();
    (
        is_open,
        format!("every user of this machine can open the database {shown}"),
        format!("chmod 600 {shown}*"),
    )
}

fn broken<const N: usize>(rules: [(bool, String, String); N]) -> Vec<Problem> {
    rules.into_iter().filter(|(broken, ..)| *broken).map(|(_, cause, fix)| Problem { cause, fix }).collect()
}

/// Container runtimes mount `/run/secrets` readable, in a namespace without other users.
fn is_exposed(path: &Path) -> bool {
    !path.starts_with("/run/secrets") && is_world_readable(path)
}

/// The file with this secret, if it is world-readable.
fn exposed_file(config: &Config, key: &str) -> Option<PathBuf> {
    let source = &config.layers.get(key).source;
    let (Source::File(path) | Source::VariableFile(_, path)) = source else { return None };
    is_exposed(path).then(|| path.clone())
}
