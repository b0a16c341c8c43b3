//! The façade: one method per operation, each in its own file under `ops/`.

use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use tokio::sync::Notify;

use crate::core::Core;
use crate::domain::secret::Secret;
use crate::domain::stats::PastDays;
use crate::domain::tally::Tally;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::hasher::{self, Hasher};
use crate::migrator::migrate_up;
use crate::policy::limits::Limits;
use crate::policy::relying_party::RelyingParty;
use crate::policy::{HashPolicy, Policy, PolicyError};
use crate::settings::{OpenError, OpenMode, Settings};
use crate::store::copy::hold::{self, Role};
use crate::store::error::DatabaseError;
use crate::store::migrations::status;
use crate::store::{Address, Store};
use crate::throttle::Throttle;
use crate::token::algorithm::SigningAlgorithm;
use crate::token::doctor::Answered;
use crate::token::jwt::Issuer;
use crate::token::keyring;
use crate::traffic::Traffic;

/// Accounts: sign-up, confirmation, sign-in, sessions. Cheap to clone; all clones share one state.
#[derive(Clone, Debug)]
pub struct Accounts(pub(crate) Arc<Core>);

impl Accounts {
    /// Opens the database, brings its schema up to date, and starts the hashing and database threads.
    pub async fn open(settings: Settings) -> Result<Self, OpenError> {
        Self::open_making(OpenMode::Everything, settings).await
    }

    /// Like [`open`](Self::open), but creates only what `may_make` allows.
    pub async fn open_making(may_make: OpenMode, settings: Settings) -> Result<Self, OpenError> {
        Self::open_as_it_is(may_make, settings, true).await
    }

    /// The same, also without looking whether the database has all its rows.
    pub(crate) async fn open_as_it_is(
        may_make: OpenMode,
        mut settings: Settings,
        must_be_whole: bool,
    ) -> Result<Self, OpenError> {
        settings.public_url.truncate(settings.public_url.trim_end_matches('/').len());
        settings.policy.check()?;
        let relying_party = RelyingParty::of(&settings.public_url, &settings.policy.passkeys)?;
        let store =
            Store::open(&settings.database_url, &settings.policy.database, may_make != OpenMode::Nothing)
                .await?;
        if must_be_whole {
            refuse_moved(&store).await?;
        }
        if let Some(database_now) = store.now().await? {
            settings.env.follow(database_now);
        }
        let now = settings.env.now();
        make_schema(&store, may_make, now).await?;
        let (root, keys) = keyring::open(&store, &settings, may_make, now).await?;
        Ok(Self(Arc::new(Core {
            hasher: Hasher::start(&settings.policy.hash, &settings.env)?,
            issuer: Issuer::new(&settings.public_url, &settings.policy.tokens),
            keys: RwLock::new(Arc::new(keys)),
            keys_read_at: tokio::sync::Mutex::default(),
            mail_queued: Notify::new(),
            traffic: Traffic::default(),
            past_days: PastDays::default(),
            tally: Tally::default(),
            in_step_until: Mutex::default(),
            judgements: Throttle::default(),
            doctor_answered: Answered::default(),
            limits: RwLock::new(Arc::new(Limits::from(&settings.policy))),
            remembered: tokio::sync::Mutex::default(),
            relying_party,
            root,
            store,
            settings,
        })))
    }

    /// Finishes the changes that are under way and closes the database, for all clones of this value. An SQLite
    /// database is one file afterwards. Dropping the last clone does the same, but without waiting for it.
    pub async fn close(self) {
        let closed = tokio::task::spawn_blocking(move || self.0.store.close()).await;
        if let Err(error) = closed {
            tracing::error!(%error, "the database was not closed");
        }
    }

    /// The limits and lifetimes in force.
    pub fn policy(&self) -> &Policy {
        &self.0.settings.policy
    }

    /// The limits in force that may change: those of the policy, or of the last [`set_limits`](Self::set_limits).
    pub fn limits(&self) -> Arc<Limits> {
        self.0.limits()
    }

    /// From now on these limits are those of `policy`, for all clones of this value. What was counted stays counted.
    ///
    /// # Errors
    /// The first setting of the policy that breaks its rule; nothing has changed then.
    pub fn set_limits(&self, policy: &Policy) -> Result<(), PolicyError> {
        policy.check()?;
        self.0.set_limits(Limits::from(policy));
        Ok(())
    }

    /// The URL where browsers reach the pages: the base of mailed links.
    pub fn public_url(&self) -> &str {
        &self.0.settings.public_url
    }

    /// Who passkeys belong to; `None` where there are none.
    pub fn relying_party(&self) -> Option<&RelyingParty> {
        self.0.relying_party.as_ref()
    }

    /// The time now, on the clock that all operations use.
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// The public keys that verify access tokens: the JSON of a JWK Set (RFC 7517 §5).
    pub fn jwks(&self) -> String {
        self.0.keys().jwks(self.0.now())
    }

    /// The algorithms of the keys in [`jwks`](Accounts::jwks), each once.
    pub fn published_algorithms(&self) -> Vec<SigningAlgorithm> {
        self.0.keys().published_algorithms(self.0.now())
    }

    /// The work of hashing passwords since the start, in KiB and passes over them: a wrong password costs the same
    /// whether there is an account, an open sign-up, or neither.
    pub fn hash_work(&self) -> u64 {
        self.0.hasher.spent()
    }

    /// The algorithm of the key that signs now. `policy().tokens.algorithm` is that of the next key.
    pub fn signing_algorithm(&self) -> Option<SigningAlgorithm> {
        self.0.keys().algorithm(self.0.now())
    }
}

/// There are no two databases that accounts are changed in. While they are being copied, this one can be read.
async fn refuse_moved(store: &Store) -> Result<(), OpenError> {
    match store.read::<_, Fault, _>(hold::role).await? {
        Some(Role::Source { to, finished_at: Some(_) }) => Err(DatabaseError::Moved(to).into()),
        Some(Role::Target { from }) => Err(DatabaseError::HalfMoved(from).into()),
        Some(Role::Source { finished_at: None, .. }) | None => Ok(()),
    }
}

async fn make_schema(store: &Store, may_make: OpenMode, now: Timestamp) -> Result<(), OpenError> {
    if may_make != OpenMode::Everything {
        let status = store.read(status).await?;
        let pending = status.iter().filter(|migration| migration.applied_at.is_none()).count();
        match (pending == status.len(), may_make) {
            (true, OpenMode::Nothing) => return Err(DatabaseError::Empty.into()),
            (true, _) => {}
            (false, _) if pending > 0 => return Err(OpenError::Pending(pending)),
            (false, _) => return Ok(()),
        }
    }
    migrate_up(store, None, now).await?;
    Ok(())
}

/// Accepts an SQLite database as it is from now on, although it lacks what the previous one had:
/// [`DatabaseError::Emptied`], [`DatabaseError::Behind`]. Call it once after restoring a backup.
///
/// # Errors
/// [`DatabaseError::Url`], [`DatabaseError::NotOpened`], [`DatabaseError::NotWritable`].
pub fn accept_database(url: &Secret) -> Result<(), OpenError> {
    Store::accept(url).map_err(OpenError::from)
}

/// A database URL for messages, without the user's name, the password and what else may be secret.
///
/// # Errors
/// [`DatabaseError`] if it cannot be understood.
pub fn database_shown(url: &Secret) -> Result<String, DatabaseError> {
    Address::read(url).map(|address| address.shown())
}

/// Reads a database URL and the files that it names as [`Accounts::open`](crate::Accounts::open) does, without
/// connecting.
///
/// # Errors
/// [`DatabaseError::Url`]
pub fn check_database_url(url: &Secret) -> Result<(), DatabaseError> {
    Address::read(url).map(drop)
}

/// How long a password takes to hash on this machine while nothing else runs, and how many are hashed at once. It
/// computes some: up to a second. `None`: it cannot be computed.
pub fn time_of_hash(policy: &HashPolicy) -> Option<(Duration, usize)> {
    hasher::time_of_hash(policy)
}
