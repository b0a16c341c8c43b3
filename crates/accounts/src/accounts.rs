//! The façade: one method per operation, each in its own file under `ops/`.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use tokio::sync::Notify;
use zeroize::Zeroizing;

use crate::hasher::Hasher;
use crate::migrator::migrate_up;
use crate::ops::stats::PastDays;
use crate::store::{Store, StoreError};
use crate::token::jwt::Issuer;
use crate::token::keyring;
use crate::token::keys::KeySet;
use crate::token::root::RootKeys;
use crate::{Env, Fault, MigrateError, Policy, PolicyError, Secret, SendError, SigningAlgorithm, Timestamp};

/// Everything an [`Accounts`] needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `sqlite:PATH` (also `sqlite://PATH`) or `postgres://…`.
    pub database_url: Secret,
    /// The root of all keys: links, codes, and the encryption of the signing keys.
    pub secret_key: SecretKey,
    /// The secret key before, for as long as what was mailed under it is to work.
    pub previous_secret_key: Option<SecretKey>,
    /// Where browsers reach the pages, without a trailing slash: the base of mailed links, and the `iss` of tokens.
    pub public_url: String,
    /// Limits and lifetimes.
    pub policy: Policy,
    /// Time.
    pub env: Env,
}

/// Accounts: sign-up, confirmation, sign-in, sessions. Cheap to clone; all clones are the same.
#[derive(Clone, Debug)]
pub struct Accounts(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) hasher: Hasher,
    pub(crate) root: RootKeys,
    pub(crate) issuer: Issuer,
    keys: RwLock<Arc<KeySet>>,
    /// When the signing keys were last read because of a token that named an unknown one.
    pub(crate) keys_read_at: tokio::sync::Mutex<Timestamp>,
    /// Wakes the mail worker of this instance.
    pub(crate) mail_queued: Notify,
    /// Why the last hand-over of a mail failed, while none has succeeded since.
    mail_error: Mutex<Option<SendError>>,
    pub(crate) past_days: PastDays,
}

/// Why the accounts could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting is outside its bounds.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The database URL is not one of ours.
    #[error("the database URL must begin with `sqlite:` or `postgres:`{0}")]
    DatabaseUrl(String),
    /// The schema is not the one of this program.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The signing keys in the database were encrypted with another secret key.
    #[error(
        "the signing keys in the database do not open with this secret key: give the one that was used before"
    )]
    WrongSecretKey,
    /// The secret key before is that of now.
    #[error("the previous secret key is the same as the secret key")]
    SameSecretKey,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Url(cause) => Self::DatabaseUrl(cause),
            StoreError::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl Accounts {
    /// Opens the database, brings its schema up to date, and starts the hashing and database threads.
    pub async fn open(settings: Settings) -> Result<Self, OpenError> {
        settings.policy.check()?;
        let store = Store::open(&settings.database_url)?;
        if let Some(database_now) = store.now().await? {
            settings.env.follow(database_now);
        }
        let now = settings.env.now();
        migrate_up(&store, None, now).await?;
        let (root, keys) = keyring::open(&store, &settings, now).await?;
        Ok(Self(Arc::new(Inner {
            hasher: Hasher::start(&settings.policy.hash, &settings.env)?,
            issuer: Issuer::new(&settings.public_url, &settings.policy.tokens),
            keys: RwLock::new(Arc::new(keys)),
            keys_read_at: tokio::sync::Mutex::default(),
            mail_queued: Notify::new(),
            mail_error: Mutex::default(),
            past_days: PastDays::default(),
            root,
            store,
            settings,
        })))
    }

    /// The limits and lifetimes in force.
    pub fn policy(&self) -> &Policy {
        &self.0.settings.policy
    }

    /// Where browsers reach the pages: the base of mailed links.
    pub fn public_url(&self) -> &str {
        &self.0.settings.public_url
    }

    /// The time now, on the clock that all operations use.
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// The public keys that verify access tokens: the JSON of a JWK Set (RFC 7517 §5).
    pub fn jwks(&self) -> String {
        self.0.keys().jwks(self.0.now())
    }

    /// The algorithm of the key that signs now. `policy().tokens.algorithm` is that of the next key.
    pub fn signing_algorithm(&self) -> Option<SigningAlgorithm> {
        self.0.keys().algorithm(self.0.now())
    }
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        self.settings.env.now()
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.settings.policy
    }

    pub(crate) fn keys(&self) -> Arc<KeySet> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_keys(&self, keys: KeySet) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// How the newest hand-over failed, if it did.
    pub(crate) fn mail_error(&self) -> Option<SendError> {
        self.mail_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_mail_error(&self, error: Option<SendError>) {
        *self.mail_error.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }
}

/// 32 random bytes: the root of all keys.
#[derive(Clone)]
pub struct SecretKey(pub(crate) Zeroizing<[u8; 32]>);

/// Why a text is not a [`SecretKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretKeyError {
    /// Neither hex nor base64url.
    #[error("the secret key must be 32 bytes, written as 64 hex digits or 43 characters of base64url")]
    Malformed,
    /// Too regular to be random: an example.
    #[error("the secret key is an example, not random bytes: make one with `openssl rand -hex 32`")]
    Example,
}

impl SecretKey {
    /// 32 bytes from the operating system.
    pub fn generate() -> Self {
        Self(Zeroizing::new(Env::system().random()))
    }

    /// 64 hex digits, for a key file.
    pub fn to_hex(&self) -> Secret {
        Secret::from(HEXLOWER.encode(&*self.0))
    }
}

impl FromStr for SecretKey {
    type Err = SecretKeyError;

    /// # Errors
    /// [`SecretKeyError::Malformed`]; [`SecretKeyError::Example`] when fewer than 12 of the bytes differ, which happens
    /// to random ones with a chance below 10⁻²⁰.
    fn from_str(text: &str) -> Result<Self, SecretKeyError> {
        let decoded = match text.len() {
            64 => HEXLOWER_PERMISSIVE.decode(text.as_bytes()),
            43 => BASE64URL_NOPAD.decode(text.as_bytes()),
            _ => return Err(SecretKeyError::Malformed),
        };
        let bytes = Zeroizing::new(decoded.map_err(|_| SecretKeyError::Malformed)?);
        let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| SecretKeyError::Malformed)?;
        let different: std::collections::BTreeSet<u8> = key.iter().copied().collect();
        let counted_up = key.iter().zip(key.iter().skip(1)).all(|(a, b)| b.wrapping_sub(*a) == 1);
        if different.len() < 12 || counted_up {
            return Err(SecretKeyError::Example);
        }
        Ok(Self(Zeroizing::new(key)))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret key]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_key_is_read_back_from_its_text() {
        let key = SecretKey::generate();
        let again: SecretKey = key.to_hex().expose().parse().unwrap();
        assert_eq!(*again.0, *key.0);
        let base64: SecretKey = BASE64URL_NOPAD.encode(&*key.0).parse().unwrap();
        assert_eq!(*base64.0, *key.0);
    }

    // O5: short and example secrets are refused.
    #[test]
    fn short_and_example_keys_are_refused() {
        let refused = |text: &str| text.parse::<SecretKey>().unwrap_err();
        assert_eq!(refused(""), SecretKeyError::Malformed);
        assert_eq!(refused(&"0".repeat(63)), SecretKeyError::Malformed);
        assert_eq!(refused(&"g".repeat(64)), SecretKeyError::Malformed);
        assert_eq!(refused(&"0".repeat(64)), SecretKeyError::Example);
        assert_eq!(refused(&"0123456789abcdef".repeat(4)), SecretKeyError::Example);
        let counted: Vec<u8> = (0..32).collect();
        assert_eq!(refused(&HEXLOWER.encode(&counted)), SecretKeyError::Example);
        assert_eq!(format!("{:?}", SecretKey::generate()), "[secret key]");
    }
}
