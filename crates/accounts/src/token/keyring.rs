//! The keys stored encrypted in the database: created at the first start, decrypted at each, re-encrypted when the
//! secret key changes.

use std::sync::Arc;

use data_encoding::HEXLOWER;

use super::algorithm::SigningAlgorithm;
use super::keys::KeySet;
use super::opaque::sha256;
use super::root::{Opened, RootKeys, WrapKeys};
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::settings::{OpenError, OpenMode, Settings};
use crate::store::error::DatabaseError;
use crate::store::tables::keys::{
    self, StoredKey, insert_signing, put_wrapped, signing, update_signing, wrapped,
};
use crate::store::{Store, Tx};

/// The row of the key that names counters.
const NAMES: &str = "names";

/// Everything that depends on the secret key. Instances that start together share the keys that are created or
/// re-encrypted.
pub(crate) async fn open(
    store: &Store,
    settings: &Settings,
    may_make: OpenMode,
    now: Timestamp,
) -> Result<(RootKeys, KeySet), OpenError> {
    let (secret, previous) = (&settings.secret_key, settings.previous_secret_key.as_ref());
    if previous.is_some_and(|previous| previous.0 == secret.0) {
        return Err(OpenError::SameSecretKey);
    }
    let wrap = Arc::new(WrapKeys::derive(secret, previous));
    let opener = Opener { wrap: Arc::clone(&wrap), settings: settings.clone(), now };
    let (stored, names) = match store.read(look).await? {
        (stored, Some(names)) if opener.is_complete(&stored, &names) => (stored, names),
        // Without the right to create keys, those that the previous secret key opens stay as they are as well.
        (stored, Some(names)) if may_make == OpenMode::Nothing && !stored.is_empty() => {
            for key in stored.iter().filter(|key| key.lives(now)) {
                opener.open(&key.id, &key.private_key)?;
            }
            (stored, names)
        }
        _ if may_make == OpenMode::Nothing => return Err(DatabaseError::Empty.into()),
        _ => {
            let opener = opener.clone();
            store.write(move |tx| opener.prepare(tx)).await?
        }
    };
    let names = opener.open(NAMES, &names)?;
    let names = names.as_slice().try_into().map_err(|_| OpenError::WrongSecretKey)?;
    let root = RootKeys::new(secret, previous, Arc::clone(&wrap), names, now);
    Ok((root, KeySet::open(&wrap, stored, None)))
}

/// The current signing keys; `None` if they are the same as `held`.
pub(crate) async fn reread(store: &Store, root: &RootKeys, held: &KeySet) -> Result<Option<KeySet>, Fault> {
    let stored: Vec<StoredKey> = store.read(signing).await?;
    Ok((!held.is_of(&stored)).then(|| KeySet::open(&root.wrap, stored, Some(held))))
}

/// A new signing key.
pub(crate) fn generate(
    wrap: &WrapKeys,
    algorithm: SigningAlgorithm,
    created_at: Timestamp,
    signs_at: Timestamp,
) -> Result<StoredKey, Fault> {
    let failed = || Fault::Unavailable("a signing key could not be made".into());
    let pair = algorithm.generate().ok_or_else(failed)?;
    let id = HEXLOWER.encode(sha256(&pair.public).first_chunk::<8>().ok_or_else(failed)?);
    let private_key = wrap.wrap(&id, &pair.private).ok_or_else(failed)?;
    Ok(StoredKey {
        id,
        algorithm,
        private_key,
        public_key: pair.public,
        created_at,
        signs_at,
        retired_at: None,
    })
}

type Stored = (Vec<StoredKey>, Option<Vec<u8>>);

fn look(tx: &mut Tx<'_>) -> Result<Stored, OpenError> {
    Ok((signing(tx)?, wrapped(tx, NAMES)?))
}

#[derive(Clone)]
struct Opener {
    wrap: Arc<WrapKeys>,
    settings: Settings,
    now: Timestamp,
}

impl Opener {
    /// Whether there is a key that signs and everything opens with the current secret key.
    fn is_complete(&self, stored: &[StoredKey], names: &[u8]) -> bool {
        let opens = |id: &str, key: &[u8]| matches!(self.wrap.unwrap(id, key), Some(Opened::Current(_)));
        let mut live = stored.iter().filter(|key| key.lives(self.now)).peekable();
        live.peek().is_some() && live.all(|key| opens(&key.id, &key.private_key)) && opens(NAMES, names)
    }

    /// Creates missing keys and re-encrypts those that the previous secret key opens. The lock lets one instance do it.
    fn prepare(&self, tx: &mut Tx<'_>) -> Result<(Vec<StoredKey>, Vec<u8>), OpenError> {
        tx.lock_schema()?;
        let (stored, names) = look(tx)?;
        let live: Vec<_> = stored.into_iter().filter(|key| key.lives(self.now)).collect();
        if live.is_empty() {
            let algorithm = self.settings.policy.tokens.algorithm;
            insert_signing(tx, &generate(&self.wrap, algorithm, self.now, self.now)?)?;
        }
        for mut key in live {
            if let Some(private_key) = self.rewrapped(&key.id, &key.private_key)? {
                key.private_key = private_key;
                update_signing(tx, &key)?;
            }
        }
        let names = match names {
            None => Some(self.wrapped(NAMES, &self.settings.env.random::<32>())?),
            Some(names) => self.rewrapped(NAMES, &names)?,
        };
        if let Some(names) = names {
            put_wrapped(tx, NAMES, &names, self.now)?;
        }
        let names = wrapped(tx, NAMES)?.ok_or(OpenError::WrongSecretKey)?;
        Ok((keys::signing(tx)?, names))
    }

    /// `None` if it opens with the current secret key.
    fn rewrapped(&self, id: &str, key: &[u8]) -> Result<Option<Vec<u8>>, OpenError> {
        match self.wrap.unwrap(id, key).ok_or(OpenError::WrongSecretKey)? {
            Opened::Current(_) => Ok(None),
            Opened::Previous(plain) => self.wrapped(id, &plain).map(Some),
        }
    }

    fn wrapped(&self, id: &str, plain: &[u8]) -> Result<Vec<u8>, OpenError> {
        let failed = || Fault::Unavailable("a key could not be encrypted".into());
        Ok(self.wrap.wrap(id, plain).ok_or_else(failed)?)
    }

    fn open(&self, id: &str, key: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, OpenError> {
        match self.wrap.unwrap(id, key).ok_or(OpenError::WrongSecretKey)? {
            Opened::Current(plain) | Opened::Previous(plain) => Ok(plain),
        }
    }
}
