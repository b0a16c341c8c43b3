//! The server: one program, from the open socket to the last drained connection.

mod banner;
mod connections;
mod listener;
mod mailbox;
mod patience;
pub(crate) mod post;

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use vestibule::Accounts;
use vestibule_http::{DevMailbox, HttpOptions, TrustedProxies};
use vestibule_mail::HttpWebhooks;

use crate::config::{Config, Database};
use crate::entropy;
use crate::failure::Failure;
use crate::open::{self, Pending};
use crate::workers::Workers;
use connections::{Connections, Rules};
use listener::Listener;
use mailbox::Mailbox;

/// How long open requests may take to end.
const DRAIN: Duration = Duration::from_secs(20);
/// How long what is being handed over may take to end.
const WORKERS_END: Duration = Duration::from_secs(5);

/// How to serve.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Development: mailbox, console, no mail leaves.
    pub(crate) dev: bool,
    /// Apply pending migrations.
    pub(crate) migrate: bool,
    /// Print where everything is.
    pub(crate) banner: bool,
}

/// Serves until SIGTERM or SIGINT, then drains.
pub(crate) async fn run(config: Config, options: Options) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    // Only the first sets it; there is one in the process.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // Bound first: a port that is taken must not cost a migration, and clients that come early wait instead of failing.
    let listener = Listener::bind(&config.listen).await?;
    let public_url = config.public_url(listener.port());
    let is_new = matches!(&config.database, Database::Sqlite(path) if !path.exists());
    let key = open::secret_key(&config, options.dev)?;
    let pending = if options.dev || options.migrate { Pending::Apply } else { Pending::Refuse };
    let opening = open::accounts(&config, public_url.clone(), key, pending);
    let accounts = tokio::select! {
        opened = opening => opened?,
        () = signals.next() => return Ok(()),
    };
    make_first_admin(&config, &accounts).await?;
    let setup = if options.banner { accounts.setup_link().await? } else { None };
    let post = Arc::new(post::Post::new(&config, options.dev, &public_url)?);
    let router = vestibule_http::router(accounts.clone(), http_options(&config, options.dev, &post)?);
    let workers = Workers::start(&accounts, &post, webhooks(&config)?);
    tracing::info!(address = %listener.address(), public_url, dev = options.dev, mail = post.name(), "listening");
    say_about_keys(&config, &accounts);
    if options.banner {
        banner::print(&config, &public_url, &listener.address(), is_new, setup.as_ref())?;
    }
    let connections = Connections::new(router, Rules::of(&config));
    tokio::select! {
        () = connections.accept(&listener) => {}
        () = signals.next() => {}
    }
    drop(listener);
    tracing::info!("stopping: no new connections; open requests have {} s", DRAIN.as_secs());
    tokio::select! {
        () = async {
            connections.drain(DRAIN).await;
            workers.stop(WORKERS_END).await;
        } => tracing::info!("stopped"),
        () = signals.next() => tracing::warn!("stopped at once by a second signal"),
    }
    Ok(())
}

fn webhooks(config: &Config) -> Result<Option<HttpWebhooks>, Failure> {
    let Some(webhooks) = &config.webhooks else { return Ok(None) };
    let endpoint = &webhooks.subscription.endpoint;
    let made = HttpWebhooks::new(endpoint, webhooks.url.clone(), webhooks.secrets.clone());
    made.map(Some).map_err(|error| Failure::failed(error.to_string()))
}

/// What an operator may have changed and now expects to see.
fn say_about_keys(config: &Config, accounts: &Accounts) {
    let next = accounts.policy().tokens.algorithm;
    if let Some(now) = accounts.signing_algorithm().filter(|now| *now != next) {
        tracing::warn!(%now, %next, "tokens are signed as before: the next `vestibule keys rotate` changes the algorithm");
    }
    if config.secret_key_previous.is_some() {
        tracing::warn!(
            "links and codes of the previous secret key are accepted: take `secret_key_previous` out when they are over"
        );
    }
}

/// What the settings say about the first administrator, where there is none.
async fn make_first_admin(config: &Config, accounts: &Accounts) -> Result<(), Failure> {
    let Some(who) = &config.bootstrap else { return Ok(()) };
    if let Some(made) = accounts.bootstrap_admin(who.clone()).await? {
        tracing::info!(user = %made.id, "made the first administrator from bootstrap.admin_email");
    }
    Ok(())
}

fn http_options(config: &Config, dev: bool, post: &post::Post) -> Result<HttpOptions, Failure> {
    let proxies: Vec<String> = config.trusted_proxies.iter().map(ToString::to_string).collect();
    let mailbox =
        post.mailbox().filter(|_| dev).map(|memory| Arc::new(Mailbox(memory.clone())) as Arc<dyn DevMailbox>);
    let clients = config.introspection_clients.iter();
    Ok(HttpOptions {
        service_name: config.service_name.clone(),
        brand: config.pages.brand.clone(),
        return_urls: config.pages.return_urls.clone(),
        trusted_proxies: TrustedProxies::parse(&proxies)
            .map_err(|error| Failure::config(error.to_string()))?,
        dev: mailbox,
        introspection_clients: clients.map(|it| (it.name.clone(), it.secret.clone())).collect(),
        request_id_start: entropy::number(),
    })
}

/// The signals that end the server.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| Failure::failed(format!("cannot listen to signals: {error}")))
        };
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
