//! Opening the accounts with the settings of the program: the same way for the server and for every command.

use std::future::Future;

use vestibule::{Accounts, Env, Migrator, SecretKey, Settings};

use crate::config::{Config, Database};
use crate::data_dir;
use crate::failure::Failure;

/// What may be done about a schema that is older than the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pending {
    /// Apply what is missing.
    Apply,
    /// Refuse, unless the database is empty: an update of the program must not change a database by surprise.
    Refuse,
}

/// Opens the accounts.
pub(crate) async fn accounts(
    config: &Config,
    public_url: String,
    key: SecretKey,
    pending: Pending,
) -> Result<Accounts, Failure> {
    if pending == Pending::Refuse {
        refuse_pending(config).await?;
    }
    let settings = Settings {
        database_url: config.database.url(),
        secret_key: key,
        previous_secret_key: config.secret_key_previous.clone(),
        public_url,
        policy: config.policy.clone(),
        env: Env::system(),
    };
    Ok(Accounts::open(settings).await?)
}

/// The secret key for a command or a server that may make one: configured, or in the data folder.
pub(crate) fn secret_key(config: &Config, may_make: bool) -> Result<SecretKey, Failure> {
    let is_sqlite = matches!(config.database, Database::Sqlite(_));
    if is_sqlite {
        // The database is to be made there, whoever keeps the key.
        data_dir::create(&config.data_dir)?;
    }
    if let Some(key) = &config.secret_key {
        return Ok(key.clone());
    }
    if may_make || is_sqlite {
        data_dir::create(&config.data_dir)?;
        return data_dir::read_or_make_key(&config.data_dir);
    }
    data_dir::read_key(&config.data_dir)?.ok_or_else(|| {
        Failure::config("`secret_key` is not set").fix(
            "give the key of the servers on this database: VESTIBULE_SECRET_KEY_FILE or VESTIBULE_SECRET_KEY",
        )
    })
}

/// Connects to the schema, without which `vestibule migrate` has nothing to say.
pub(crate) async fn migrator(config: &Config) -> Result<Migrator, Failure> {
    if let Database::Sqlite(_) = config.database {
        data_dir::create(&config.data_dir)?;
    }
    Ok(Migrator::connect(&config.database.url()).await?)
}

async fn refuse_pending(config: &Config) -> Result<(), Failure> {
    let status = migrator(config).await?.status().await?;
    let (applied, pending): (Vec<_>, Vec<_>) =
        status.iter().partition(|migration| migration.applied_at.is_some());
    if applied.is_empty() || pending.is_empty() {
        return Ok(());
    }
    let cause = format!("the database lacks {} migration(s) of this program", pending.len());
    Err(Failure::found(cause)
        .fix("back the database up, then run `vestibule migrate up` (or `vestibule serve --migrate`)"))
}

/// Runs a command's future on a runtime of its own.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("cannot start the runtime: {error}")))?;
    runtime.block_on(work)
}
