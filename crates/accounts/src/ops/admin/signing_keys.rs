//! Signing keys: listing, rotating and retiring them (J6).

use std::sync::Arc;
use std::time::Duration;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::tables::keys::{StoredKey, insert_signing, signing, signing_now, update_signing};
use crate::token::algorithm::SigningAlgorithm;
use crate::token::jwt::{Refused, Verified};
use crate::token::keyring::{generate, reread};
use crate::token::keys::KeySet;
use crate::trail::Entry;

/// Tokens with invented keys do not make an instance read the keys more often than this.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_secs(1);

/// A signing key, without its private part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// The `kid` of its tokens.
    pub id: String,
    /// Its algorithm.
    pub algorithm: SigningAlgorithm,
    /// Its current state.
    pub state: KeyState,
    /// When it was created and published.
    pub created_at: Timestamp,
    /// When it begins to sign, unless a newer one does.
    pub signs_at: Timestamp,
    /// When its signatures stop being valid, if already known.
    pub retired_at: Option<Timestamp>,
}

/// The life of a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// In the JWK Set, so that verifiers learn of it; signs later.
    Published,
    /// Signs.
    Signing,
    /// No longer signs; its signatures are valid until it ends.
    Verifying,
    /// No longer valid.
    Retired,
}

impl KeyState {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Signing => "signing",
            Self::Verifying => "verifying",
            Self::Retired => "retired",
        }
    }
}

/// How to rotate the keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rotation {
    /// The algorithm of the new key; the policy's if `None`.
    pub algorithm: Option<SigningAlgorithm>,
    /// Sign with the new key immediately, although verifiers may not have read it yet.
    pub at_once: bool,
}

/// The plan of a rotation, which takes place by itself.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The key that is published now and signs from its `signs_at` on.
    pub new: SigningKey,
    /// The key that signs until then, and verifies until its `retired_at`.
    pub old: Option<SigningKey>,
}

/// The result of retiring a key.
#[derive(Clone, Debug)]
pub struct Retired {
    /// The retired key.
    pub key: SigningKey,
    /// The key that signs now.
    pub signing: Option<SigningKey>,
    /// Whether that one was newly created.
    pub made: bool,
}

/// Why keys were not changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A new key is already waiting for its time.
    #[error("a rotation is under way: {id} signs from {signs_at}")]
    Pending {
        /// The waiting key.
        id: String,
        /// When it begins to sign.
        signs_at: Timestamp,
    },
    /// There is no such key.
    #[error("there is no such key")]
    NotFound,
    /// It is already retired.
    #[error("the key is retired already")]
    Retired,
    /// The operation failed; a later attempt may succeed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// All signing keys, newest first; retired ones for 30 days.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, Fault> {
        let now = self.0.now();
        let mut keys = described(&self.0.store.read::<_, Fault, _>(signing).await?, now);
        keys.reverse();
        // A key retired before its time is listed by when it was created.
        keys.sort_by_key(|key| std::cmp::Reverse(key.created_at));
        Ok(keys)
    }

    /// Creates the next signing key: published now, signing once every instance and every verifier can know it
    /// ([`key_lead`](crate::TokenPolicy::key_lead)). The previous key verifies until its last token has expired. Nobody
    /// is signed out. Of two concurrent rotations, one is refused.
    ///
    /// # Errors
    /// [`KeyError::Pending`] while a key is waiting for its time.
    pub async fn rotate_keys(&self, how: Rotation) -> Result<Rotated, KeyError> {
        let (core, now) = (self.0.clone(), self.0.now());
        let rotate = move |tx: &mut Tx<'_>| -> Result<Rotated, KeyError> {
            let rotated = rotate(tx, &core, how, now)?;
            let Rotated { new, .. } = &rotated;
            note(tx, &core, now, format!("{} follows and signs from {}", new.id, new.signs_at))?;
            Ok(rotated)
        };
        let rotated = self.0.store.write(rotate).await?;
        self.0.read_keys().await?;
        Ok(rotated)
    }

    /// Retires a key immediately: its tokens are refused from now on, on every instance. Sessions live on, and a
    /// refresh issues tokens of another key. If it is the key that signs, the waiting one or a new one takes its place.
    ///
    /// # Errors
    /// [`KeyError::NotFound`]; [`KeyError::Retired`].
    pub async fn retire_key(&self, id: &str) -> Result<Retired, KeyError> {
        let (core, now, id) = (self.0.clone(), self.0.now(), id.to_owned());
        let retire = move |tx: &mut Tx<'_>| -> Result<Retired, KeyError> {
            let retired = retire(tx, &core, &id, now)?;
            note(tx, &core, now, format!("{} was taken out", retired.key.id))?;
            Ok(retired)
        };
        let retired = self.0.store.write(retire).await?;
        self.0.read_keys().await?;
        Ok(retired)
    }
}

impl Core {
    /// The signing keys as currently stored. Read before signing, so that no instance signs with a key that another has
    /// retired.
    pub(crate) async fn read_keys(&self) -> Result<Arc<KeySet>, Fault> {
        if let Some(keys) = reread(&self.store, &self.root, &self.keys()).await? {
            self.set_keys(keys);
        }
        Ok(self.keys())
    }

    /// What a token proves; `None` if it is not valid. An unknown key may be new: the keys are read once.
    pub(crate) async fn verify(&self, token: &str, now: Timestamp) -> Result<Option<Verified>, Fault> {
        self.verify_with(now, |keys| self.issuer.verify(keys, token, now)).await
    }

    /// What the check of a token says with the keys that this instance has, or reads now.
    pub(crate) async fn verify_with<T>(
        &self,
        now: Timestamp,
        check: impl Fn(&KeySet) -> Result<T, Refused>,
    ) -> Result<Option<T>, Fault> {
        match check(&self.keys()) {
            Ok(verified) => return Ok(Some(verified)),
            Err(Refused::Invalid) => return Ok(None),
            Err(Refused::UnknownKey) => {}
        }
        // Others wait here for the first, and then find what it read.
        let mut read_at = self.keys_read_at.lock().await;
        if now.since(*read_at) >= UNKNOWN_KEY_PAUSE {
            self.read_keys().await?;
            *read_at = now;
        }
        drop(read_at);
        Ok(check(&self.keys()).ok())
    }
}

/// The valid keys, in the order in which they sign.
struct Live {
    keys: Vec<StoredKey>,
    signs: Option<StoredKey>,
}

impl Live {
    fn read(tx: &mut Tx<'_>, now: Timestamp) -> Result<Self, Fault> {
        let mut keys = signing(tx)?;
        keys.retain(|key| key.lives(now));
        let signs = signing_now(&keys, now).and_then(|index| keys.get(index).cloned());
        Ok(Self { keys, signs })
    }

    fn signs(&self, id: &str) -> bool {
        self.signs.as_ref().is_some_and(|key| key.id == id)
    }

    /// The key that is waiting for its time.
    fn waiting(&self, now: Timestamp) -> Option<&StoredKey> {
        self.keys.iter().find(|key| key.signs_at > now && !self.signs(&key.id))
    }
}

/// Signing keys are changed by the operator.
fn note(tx: &mut Tx<'_>, core: &Core, now: Timestamp, detail: String) -> Result<(), Fault> {
    let entry = Entry::new(AuditKind::KeysChanged, AuditActor::Operator, &Client::default());
    entry.detail(detail).write(tx, core, now)
}

fn rotate(tx: &mut Tx<'_>, core: &Core, how: Rotation, now: Timestamp) -> Result<Rotated, KeyError> {
    tx.lock_schema()?;
    let policy = &core.policy().tokens;
    let live = Live::read(tx, now)?;
    if let Some(next) = live.waiting(now) {
        return Err(KeyError::Pending { id: next.id.clone(), signs_at: next.signs_at });
    }
    let old = live.signs.as_ref();
    let lead = if how.at_once { Duration::ZERO } else { policy.key_lead() };
    // No two valid keys begin at the same time: it is never in doubt which one signs.
    let earliest = old.map_or(now, |old| old.signs_at + Duration::from_millis(1));
    let signs_at = earliest.max(now + lead);
    let new = generate(&core.root.wrap, how.algorithm.unwrap_or(policy.algorithm), now, signs_at)?;
    insert_signing(tx, &new)?;
    if let Some(old) = old {
        let ends = Some(signs_at + policy.key_overlap());
        update_signing(tx, &StoredKey { retired_at: ends, ..old.clone() })?;
    }
    let keys = described(&signing(tx)?, now);
    let key = |id: &str| keys.iter().find(|key| key.id == id).cloned();
    Ok(Rotated { new: key(&new.id).ok_or(KeyError::NotFound)?, old: old.and_then(|old| key(&old.id)) })
}

fn retire(tx: &mut Tx<'_>, core: &Core, id: &str, now: Timestamp) -> Result<Retired, KeyError> {
    tx.lock_schema()?;
    let live = Live::read(tx, now)?;
    let Some(key) = live.keys.iter().find(|key| key.id == id) else {
        let known = signing(tx)?.iter().any(|key| key.id == id);
        return Err(if known { KeyError::Retired } else { KeyError::NotFound });
    };
    // Its private part is deleted.
    update_signing(tx, &StoredKey { retired_at: Some(now), private_key: Vec::new(), ..key.clone() })?;
    let waiting = live.waiting(now);
    let mut made = false;
    match (live.signs(id), waiting) {
        (true, Some(next)) => update_signing(tx, &StoredKey { signs_at: now, ..next.clone() })?,
        (true, None) => {
            made = true;
            insert_signing(tx, &generate(&core.root.wrap, key.algorithm, now, now)?)?;
        }
        // The key that was to follow is gone: the one that signs no longer has an end.
        (false, Some(next)) if next.id == id => {
            if let Some(signs) = &live.signs {
                update_signing(tx, &StoredKey { retired_at: None, ..signs.clone() })?;
            }
        }
        (false, _) => {}
    }
    let keys = described(&signing(tx)?, now);
    let key = keys.iter().find(|key| key.id == id).cloned().ok_or(KeyError::NotFound)?;
    Ok(Retired { key, signing: keys.into_iter().find(|key| key.state == KeyState::Signing), made })
}

/// The keys, in the order in which they sign, with the current state of each.
fn described(stored: &[StoredKey], now: Timestamp) -> Vec<SigningKey> {
    let signing = signing_now(stored, now).and_then(|index| stored.get(index)).map(|key| &key.id);
    let state = |key: &StoredKey| match key {
        key if !key.lives(now) => KeyState::Retired,
        key if Some(&key.id) == signing => KeyState::Signing,
        key if key.signs_at > now => KeyState::Published,
        _ => KeyState::Verifying,
    };
    let describe = |key: &StoredKey| SigningKey {
        id: key.id.clone(),
        algorithm: key.algorithm,
        state: state(key),
        created_at: key.created_at,
        signs_at: key.signs_at,
        retired_at: key.retired_at,
    };
    stored.iter().map(describe).collect()
}
