//! The server: one program, from the open socket to the last drained connection.

pub(crate) mod activation;
mod answers;
mod banner;
mod connections;
mod dev_client;
mod listener;
mod mailbox;
mod metrics;
mod open_files;
mod refusals;
pub(crate) mod reload;
mod signals;
mod slots;
mod stall;
mod systemd;
mod timeouts;

use std::sync::Arc;
use std::time::Duration;

use vestibule::{Accounts, ApplicationId, OpenMode, Workers};
use vestibule_mail::{HttpLogouts, HttpWebhooks};

use crate::config::problem::Problem;
use crate::config::settings::{Config, Database};
use crate::failure::Failure;
use crate::mailer::EchoingMailer;
use crate::{data_dir, open};
use activation::Inherited;
use answers::Answers;
use connections::{Connections, Front, Rules};
use listener::Listener;
use reload::{Given, Reloader};
use signals::Signals;

/// How long open requests may take to end.
const DRAIN: Duration = Duration::from_secs(20);
/// How long running attempts to send mail and webhooks may take to end.
const WORKERS_END: Duration = Duration::from_secs(5);

/// How to serve.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Development mode: mail is shown in a mailbox and on the console, and none is sent.
    pub(crate) dev: bool,
    /// Apply pending migrations.
    pub(crate) migrate: bool,
    /// Print where everything is.
    pub(crate) banner: bool,
}

/// Serves until SIGTERM, SIGINT or SIGQUIT, then drains.
pub(crate) async fn run(
    mut config: Config,
    options: Options,
    given: Given,
    inherited: Option<Inherited>,
) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    // Fails if it is set already; the process has one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // Bound first: a port that is in use must not cost a migration, and early clients wait instead of failing.
    let listener = match inherited {
        Some(socket) => Listener::adopt(socket, options.dev)?,
        None => Listener::bind(&config.listen).await?,
    };
    let metrics = metrics::bind(&config).await?;
    let public_url = config.public_url(listener.port());
    if options.dev {
        dev_client::add_to(&mut config.policy.applications);
    }
    let is_new = matches!(&config.database, Database::Sqlite(path) if !path.exists());
    systemd::starting(config.policy.database.wait);
    let Some(accounts) = open_unless_ended(&config, options, &public_url, &mut signals).await? else {
        return Ok(());
    };
    refuse_clients_registered_twice(&accounts).await?;
    make_first_admin(&config, &accounts).await?;
    let setup = if options.banner { accounts.setup_link().await? } else { None };
    let mailer = Arc::new(EchoingMailer::new(&config, options.dev, &public_url)?);
    let counts = metrics.is_some().then(Arc::default);
    let answers =
        Answers { dev: options.dev, accounts: accounts.clone(), mailer: Arc::clone(&mailer), counts };
    let router = answers.router(&config)?;
    let workers = Workers::start(&accounts, &mailer, webhooks(&config)?)
        .telling_applications(&accounts, HttpLogouts::new(config.allow_private_addresses));
    let address = listener.address();
    tracing::info!(%address, public_url, dev = options.dev, mail = mailer.name(), "listening");
    say_about_keys(&config, &accounts);
    say_about_administrators(&accounts).await;
    let _claim = claim_file(&config);
    if options.banner {
        banner::print(&config, &public_url, &address, is_new, setup.as_ref())?;
    }
    let rules = Rules::of(&config);
    let connections = Connections::new(rules.most(), Front::new(router, rules));
    systemd::ready(&address);
    systemd::watch();
    let _metrics = metrics.map(|listener| metrics::serve(listener, &config, &answers, connections.usage()));
    let (front, slots) = (connections.front().clone(), connections.slots().clone());
    let reloader = Reloader { config, given, address, answers, front, slots };
    let reloading = tokio::spawn(reloader.on_each(signals.hangup()?));
    tokio::select! {
        () = connections.accept(&listener) => {}
        () = signals.next() => {}
    }
    drop(listener);
    reloading.abort();
    systemd::stopping();
    tracing::info!("stopping: no new connections; open requests have {} s", DRAIN.as_secs());
    tokio::select! {
        () = async {
            connections.drain(DRAIN).await;
            workers.stop(WORKERS_END).await;
            accounts.close().await;
        } => tracing::info!("stopped"),
        () = signals.next() => tracing::warn!("stopped at once by a second signal"),
    }
    Ok(())
}

/// Opens the accounts; `None` where a signal ended the wait.
async fn open_unless_ended(
    config: &Config,
    options: Options,
    public_url: &str,
    signals: &mut Signals,
) -> Result<Option<Accounts>, Failure> {
    let may_make = if options.dev || options.migrate { OpenMode::Everything } else { OpenMode::NewDatabase };
    tokio::select! {
        opened = open::for_server(config, public_url.to_owned(), may_make, options.dev) => opened.map(Some),
        () = signals.next() => Ok(None),
    }
}

fn webhooks(config: &Config) -> Result<Option<HttpWebhooks>, Failure> {
    let Some(webhooks) = &config.webhooks else { return Ok(None) };
    let endpoint = &webhooks.subscription.endpoint;
    let made = HttpWebhooks::new(endpoint, webhooks.url.clone(), webhooks.secrets.clone());
    made.map(Some).map_err(|error| Failure::failed(error.to_string()))
}

/// Logs what an operator may have changed and now expects to see.
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

/// Logs how many administrators will soon need a second factor, or need one already, and have none.
async fn say_about_administrators(accounts: &Accounts) {
    match accounts.admins_lacking_second_factor().await {
        Ok(0) => {}
        Ok(number) => tracing::warn!("{}", lacking(number)),
        Err(fault) => tracing::warn!(%fault, "the administrators without a second factor were not counted"),
    }
}

/// How many administrators lack the second factor that the settings demand.
pub(crate) fn lacking(number: i64) -> String {
    format!(
        "second_factor.require demands a second factor of administrators; those who have none: {number} \
         (`vestibule user list --without-second-factor`)"
    )
}

/// Warns if others can replace or are using the database file; while the value lives, it marks the file as in use.
fn claim_file(config: &Config) -> Option<std::fs::File> {
    let Database::Sqlite(path) = &config.database else { return None };
    if data_dir::is_open_to_others(&config.data_dir) {
        let folder = config.data_dir.display();
        tracing::warn!("every user of this machine may exchange the files in {folder}: chmod 700 {folder}");
    }
    let claim = data_dir::claim(path);
    if claim.is_none() {
        let path = path.display();
        tracing::warn!(
            "another server uses the database {path}, too: SQLite is for one; several share a PostgreSQL"
        );
    }
    claim
}

/// Whoever changed the one in the database would wonder why nothing happens, and whoever took the other out of the settings
/// would bring back what they had forgotten.
async fn refuse_clients_registered_twice(accounts: &Accounts) -> Result<(), Failure> {
    let twice = accounts.applications_registered_twice().await?;
    let problem = |id: &ApplicationId| {
        let place = if id.as_str() == dev_client::ID { "the settings or --dev" } else { "the settings" };
        let cause = format!("the client `{id}` is registered twice: in {place}, and in the database");
        Problem::new(cause, format!("take it out of the database: `vestibule client remove {id} --yes`"))
    };
    let problems: Vec<_> = twice.iter().map(problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(Failure::problems(&problems)) }
}

/// Creates the first administrator from the settings, if there is none.
async fn make_first_admin(config: &Config, accounts: &Accounts) -> Result<(), Failure> {
    let Some(who) = &config.bootstrap else { return Ok(()) };
    if let Some(made) = accounts.bootstrap_admin(who.clone()).await? {
        tracing::info!(user = %made.id, "made the first administrator from bootstrap.admin_email");
    }
    Ok(())
}
