//! Opens the accounts with the settings of the program, for the server and for every command.

use std::future::Future;

use vestibule::{Accounts, DatabaseError, Env, Migrator, OpenError, OpenMode, SecretKey, Settings};

use crate::config::settings::{Config, Database};
use crate::data_dir;
use crate::failure::{Exit, Failure};

/// Opens the accounts for a server, which may create what is missing.
pub(crate) async fn for_server(
    config: &Config,
    public_url: String,
    may_make: OpenMode,
    may_make_key: bool,
) -> Result<Accounts, Failure> {
    let key = server_key(config, may_make_key).await?;
    if let Database::Sqlite(_) = config.database {
        // The database is created there, wherever the key is stored.
        data_dir::create(&config.data_dir)?;
    }
    accounts(config, public_url, key, may_make).await
}

/// Opens the accounts for a command, which creates nothing: run in the wrong place, or with other settings than the
/// server's, it would work on an empty database of its own.
pub(crate) async fn for_command(config: &Config, public_url: String) -> Result<Accounts, Failure> {
    // Checked first: without a database there is no key to look for.
    if let Database::Sqlite(path) = &config.database
        && !path.exists()
    {
        let missing = DatabaseError::Missing(path.display().to_string());
        return Err(Failure::from(missing).looked_at(config.whereabouts()));
    }
    accounts(config, public_url, known_key(config)?, OpenMode::Nothing).await
}

/// The settings for a database that a backup is restored into, which may have nothing yet but the key, or not even that if
/// it is in the backup.
pub(crate) fn settings_for_restore(config: &Config, kept: Option<&SecretKey>) -> Result<Settings, Failure> {
    let key = match (known_key(config), kept) {
        (Err(failure), Some(kept)) if failure.exit == Exit::NotFound => kept.clone(),
        (known, _) => known?,
    };
    Ok(settings(config, config.public_url(None), key))
}

fn known_key(config: &Config) -> Result<SecretKey, Failure> {
    if let Some(key) = &config.secret_key {
        return Ok(key.clone());
    }
    data_dir::read_key(&config.data_dir)?.ok_or_else(|| {
        Failure::not_found("there is no secret key")
            .fix("give the key of the servers on this database: VESTIBULE_SECRET_KEY_FILE, or their data folder")
            .looked_at(config.whereabouts())
    })
}

async fn accounts(
    config: &Config,
    public_url: String,
    key: SecretKey,
    may_make: OpenMode,
) -> Result<Accounts, Failure> {
    let opened = Accounts::open_making(may_make, settings(config, public_url, key)).await;
    opened.map_err(|error| Failure::from(error).looked_at(config.whereabouts()))
}

/// The machine's clock, in the hands of the operator.
pub(crate) fn environment(config: &Config) -> Env {
    let env = Env::system();
    match &config.operator {
        Some(operator) => env.operated_by(operator.clone()),
        None => env,
    }
}

fn settings(config: &Config, public_url: String, secret_key: SecretKey) -> Settings {
    Settings {
        database_url: config.database.url(),
        secret_key,
        previous_secret_key: config.secret_key_previous.clone(),
        public_url,
        policy: config.policy.clone(),
        env: environment(config),
    }
}

/// The configured key, or the one in the data folder. If there is neither and one may be created, it is, unless the
/// database was used with another one: a new key would decrypt nothing in it, and hide that the old one is missing.
async fn server_key(config: &Config, may_make: bool) -> Result<SecretKey, Failure> {
    if let Some(key) = &config.secret_key {
        return Ok(key.clone());
    }
    let is_sqlite = matches!(config.database, Database::Sqlite(_));
    if let Some(key) = data_dir::read_key(&config.data_dir)? {
        return Ok(key);
    }
    if !(may_make || is_sqlite) {
        return Err(Failure::config("`secret_key` is not set").fix(
            "give the key of the servers on this database: VESTIBULE_SECRET_KEY_FILE or VESTIBULE_SECRET_KEY",
        ));
    }
    // Another server starting at the same time creates the key before the database.
    if has_been_used(config).await? && data_dir::read_key(&config.data_dir)?.is_none() {
        let file = data_dir::key_file(&config.data_dir);
        let cause = format!("the secret key of this database is missing: there is no {}", file.display());
        return Err(Failure::config(cause)
            .fix("restore the file from the backup of the data folder, or name it with VESTIBULE_SECRET_KEY_FILE; \
                  docs/operations.md, \"The secret key\", says what to do when it is lost")
            .looked_at(config.whereabouts()));
    }
    data_dir::create(&config.data_dir)?;
    data_dir::read_or_make_key(&config.data_dir)
}

async fn has_been_used(config: &Config) -> Result<bool, Failure> {
    match migrator(config).await {
        Ok(migrator) => Ok(migrator.holds_keys().await?),
        Err(failure) if failure.exit == Exit::NotFound => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// Connects to the schema of an existing database.
pub(crate) async fn migrator(config: &Config) -> Result<Migrator, Failure> {
    let connected = Migrator::connect_existing(&config.database.url(), &config.policy.database).await;
    connected.map_err(|error: OpenError| Failure::from(error).looked_at(config.whereabouts()))
}

/// Runs a command's future on a new runtime.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("cannot start the runtime: {error}")))?;
    runtime.block_on(work)
}
