//! All settings, as the program uses them.

use std::path::PathBuf;

use toml::Value;
use tracing_subscriber::filter::Targets;
use vestibule::{Email, FirstAdmin, Operator, Policy, Secret, SecretKey, WebhookSubscription};
use vestibule_http::CorsOrigin;
use vestibule_mail::{WebhookSecrets, WebhookUrl};

use super::clients::SecretFile;
use super::keys::Key;
use super::layers::{Layers, Setting, Source};
use super::pages::Pages;
use super::raw::LogFormat;
use super::values::{IntrospectionClient, Listen, Network, PublicUrl};
use crate::data_dir::key_file;

/// All settings, parsed. [`refusals`](super::guards::refusals) decides whether the program may serve with them.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: Listen,
    pub(crate) public_url: Option<PublicUrl>,
    pub(crate) data_dir: PathBuf,
    pub(crate) database: Database,
    pub(crate) secret_key: Option<SecretKey>,
    pub(crate) secret_key_previous: Option<SecretKey>,
    pub(crate) service_name: String,
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) introspection_clients: Vec<IntrospectionClient>,
    /// Where the secrets of the clients were read from.
    pub(crate) client_secret_files: Vec<SecretFile>,
    /// Whether `grant_type=password` is answered.
    pub(crate) password_grant: bool,
    pub(crate) mail: Mail,
    pub(crate) webhooks: Option<Webhooks>,
    /// Whether webhooks and logout tokens may go to private addresses.
    pub(crate) allow_private_addresses: bool,
    pub(crate) policy: Policy,
    pub(crate) pages: Pages,
    /// The origins whose pages may read the API.
    pub(crate) cors_origins: Vec<CorsOrigin>,
    pub(crate) connections: Connections,
    /// The first administrator to be created.
    pub(crate) bootstrap: Option<FirstAdmin>,
    pub(crate) log: Log,
    pub(crate) metrics: Option<Metrics>,
    /// Who runs a command with these settings, and why; of a server, nobody.
    pub(crate) operator: Option<Operator>,
    pub(super) layers: Layers,
}

/// The database.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A server, by its URL.
    Postgres(Secret),
}

impl Database {
    /// The URL for the library.
    pub(crate) fn url(&self) -> Secret {
        match self {
            Self::Sqlite(path) => Secret::from(format!("sqlite:{}", path.display())),
            Self::Postgres(url) => url.clone(),
        }
    }
}

/// How mail is sent.
#[derive(Debug)]
pub(crate) struct Mail {
    pub(crate) url: Option<Secret>,
    pub(super) from: Option<Email>,
    pub(super) from_name: String,
    pub(crate) templates_dir: Option<PathBuf>,
}

/// The webhook endpoint: one, though the library supports several.
#[derive(Debug)]
pub(crate) struct Webhooks {
    pub(crate) subscription: WebhookSubscription,
    pub(crate) url: WebhookUrl,
    pub(crate) secrets: WebhookSecrets,
}

/// How many connections may be open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connections {
    pub(crate) most: usize,
    pub(crate) most_per_client: usize,
}

/// Where `/metrics` is served, and to whom.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) listen: Listen,
    pub(crate) token: Option<Secret>,
}

/// What is logged, and how.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) level: Targets,
    pub(crate) color: bool,
    /// Where spans are sent.
    pub(crate) otlp_endpoint: Option<String>,
}

impl Config {
    /// Every setting with its value and source.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&'static Key, &Setting)> {
        self.layers.iter()
    }

    /// The keys whose values differ.
    pub(crate) fn changed(&self, newer: &Self) -> Vec<&'static Key> {
        let pairs = self.layers.iter().zip(newer.layers.iter());
        pairs.filter(|((_, old), (_, new))| old.value != new.value).map(|((key, _), _)| key).collect()
    }

    /// A value as it may be shown.
    pub(crate) fn shown(&self, key: &Key) -> Value {
        self.layers.get(key.path).shown(key)
    }

    /// `key (where it was set)`, for messages.
    pub(crate) fn place(&self, path: &str) -> String {
        self.layers.place(path)
    }

    /// Which database and secret key these settings refer to, and where they were set: for operators whose settings
    /// differ from the server's.
    pub(crate) fn whereabouts(&self) -> String {
        let by = |path: &str| format!("by `{path}` ({})", self.layers.get(path).source);
        let shown = |path: &std::path::Path| {
            std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
        };
        let is_default = self.layers.get("database_url").source == Source::Default;
        let database = match &self.database {
            Database::Sqlite(path) if is_default => format!("{} {}", shown(path), by("data_dir")),
            Database::Sqlite(path) => format!("{} {}", shown(path), by("database_url")),
            Database::Postgres(_) => format!("PostgreSQL {}", by("database_url")),
        };
        let key = match &self.secret_key {
            Some(_) => by("secret_key"),
            None => format!("{} {}", shown(&key_file(&self.data_dir)), by("data_dir")),
        };
        format!("database {database}; secret key {key}")
    }

    /// The URL of a server that listens on `port`, for browsers.
    pub(crate) fn public_url(&self, port: Option<u16>) -> String {
        match (&self.public_url, port) {
            (Some(url), _) => url.text.clone(),
            (None, Some(port)) => format!("http://localhost:{port}"),
            (None, None) => "http://localhost".to_owned(),
        }
    }

    /// The sender of mail; `None` if not set.
    pub(crate) fn sender(&self) -> Option<vestibule_mail::Sender> {
        let host = self.public_url.as_ref().filter(|url| !url.is_loopback()).map(|url| url.host.as_str());
        let default = || format!("no-reply@{}", host?).parse().ok();
        let address = self.mail.from.clone().or_else(default)?;
        let name = if self.mail.from_name.is_empty() { &self.service_name } else { &self.mail.from_name };
        vestibule_mail::Sender::new(Some(name), address).ok()
    }
}
