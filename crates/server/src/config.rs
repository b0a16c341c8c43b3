//! Settings: embedded defaults < file < environment < flags, checked before anything starts.
//!
//! This is the only reader of the environment, once, into [`Environment`].

mod checked;
mod guards;
mod keys;
mod layers;
mod pages;
mod problem;
mod raw;
mod values;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize as _;
use toml::Value;
use tracing_subscriber::filter::Targets;
use vestibule::{Email, Newcomer, Policy, Secret, SecretKey, WebhookSubscription};
use vestibule_mail::{WebhookSecrets, WebhookUrl};

pub(crate) use guards::{is_world_readable, refusals};
pub(crate) use keys::Key;
pub(crate) use layers::{Layers, Setting};
pub(crate) use problem::Problem;
pub(crate) use raw::LogFormat;
pub(crate) use values::{IntrospectionClient, Listen, Network, PublicUrl, Span};

/// Where a configuration file is looked for when nobody names one.
const USUAL_FILES: [&str; 2] = ["./vestibule.toml", "/etc/vestibule/vestibule.toml"];

/// The variables of the process, or of a test.
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Those of this process.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub(crate) fn of_process() -> Self {
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        Self(std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect())
    }

    /// A variable's value. An empty one counts as not set: compose files pass on what is not there.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).filter(|name| self.get(name).is_some())
    }
}

/// What the command line says about settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    /// `--config`
    pub(crate) config: Option<PathBuf>,
    /// `--listen`
    pub(crate) listen: Option<String>,
}

/// All settings, parsed. Whether they may be served with is judged by [`refusals`].
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
    pub(crate) mail: Mail,
    pub(crate) webhooks: Option<Webhooks>,
    pub(crate) policy: Policy,
    pub(crate) pages: pages::Pages,
    pub(crate) connections: Connections,
    /// Who is to be the first administrator.
    pub(crate) bootstrap: Option<Newcomer>,
    pub(crate) log: Log,
    layers: Layers,
}

/// Which database.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A server, by its URL.
    Postgres(Secret),
}

impl Database {
    /// The URL that the library takes.
    pub(crate) fn url(&self) -> Secret {
        match self {
            Self::Sqlite(path) => Secret::from(format!("sqlite:{}", path.display())),
            Self::Postgres(url) => url.clone(),
        }
    }
}

/// How mail leaves.
#[derive(Debug)]
pub(crate) struct Mail {
    pub(crate) url: Option<Secret>,
    from: Option<Email>,
    from_name: String,
    pub(crate) templates_dir: Option<PathBuf>,
}

/// Who is told what happens to users: one endpoint, though the library knows several.
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

/// What is logged, and how.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) level: Targets,
    pub(crate) color: bool,
}

impl Config {
    /// Reads all settings.
    ///
    /// # Errors
    /// Everything that is wrong with them, not only the first.
    pub(crate) fn load(flags: &Flags, environment: &Environment) -> Result<Self, Vec<Problem>> {
        let layers = read_layers(flags, environment)?;
        let raw = raw::Raw::deserialize_from(&layers).map_err(|problem| vec![problem])?;
        checked::config(raw, layers, environment)
    }

    /// Every setting with its value and source.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&'static Key, &Setting)> {
        self.layers.iter()
    }

    /// `key (where it was set)`, for messages.
    pub(crate) fn place(&self, path: &str) -> String {
        self.layers.place(path)
    }

    /// Where browsers reach a server that listens on `port`.
    pub(crate) fn public_url(&self, port: Option<u16>) -> String {
        match (&self.public_url, port) {
            (Some(url), _) => url.text.clone(),
            (None, Some(port)) => format!("http://localhost:{port}"),
            (None, None) => "http://localhost".to_owned(),
        }
    }

    /// Who mail comes from; `None` when nothing says so.
    pub(crate) fn sender(&self) -> Option<vestibule_mail::Sender> {
        let host = self.public_url.as_ref().filter(|url| !url.is_loopback()).map(|url| url.host.as_str());
        let default = || format!("no-reply@{}", host?).parse().ok();
        let address = self.mail.from.clone().or_else(default)?;
        let name = if self.mail.from_name.is_empty() { &self.service_name } else { &self.mail.from_name };
        vestibule_mail::Sender::new(Some(name), address).ok()
    }
}

fn read_layers(flags: &Flags, environment: &Environment) -> Result<Layers, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut layers = Layers::defaults();
    let named = flags.config.clone().or_else(|| environment.get("VESTIBULE_CONFIG").map(PathBuf::from));
    let usual = || USUAL_FILES.iter().map(PathBuf::from).find(|path| path.exists());
    if let Some(path) = named.or_else(usual) {
        layers.add_file(&path, &mut problems);
    }
    layers.add_environment(environment, &mut problems);
    if let Some(listen) = &flags.listen {
        layers.add_flag("listen", "--listen", listen);
    }
    if problems.is_empty() { Ok(layers) } else { Err(problems) }
}

impl raw::Raw {
    fn deserialize_from(layers: &Layers) -> Result<Self, Problem> {
        let mut track = serde_path_to_error::Track::new();
        let table = Value::Table(layers.merged());
        let deserializer = serde_path_to_error::Deserializer::new(table, &mut track);
        Self::deserialize(deserializer).map_err(|error| {
            let path = track.path().to_string();
            let key = path.split('[').next().unwrap_or_default();
            let found = keys::find(key);
            // What was found instead of a text is a part of the message, and may be the secret itself.
            let is_secret = found.is_some_and(|key| key.secret);
            let cause = if is_secret { "not of its type".to_owned() } else { error.to_string() };
            let what = found.map_or("", |key| key.what);
            Problem::new(format!("{}: {}", layers.place(key), cause.trim()), format!("this is {what}"))
        })
    }
}

#[cfg(test)]
#[path = "config/tests.rs"]
mod tests;
