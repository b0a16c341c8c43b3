//! Sign-in with a passkey alone, and the ceremonies that passkeys are used in.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::access::session::SignedIn;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::limits::{self, wait_of};
use crate::ops::sign_in::admit::{Admission, Opened, Proofs, Refusal, SessionKey, admit};
use crate::ops::sign_in::browser::{BrowserSession, Opening};
use crate::ops::sign_in::factor::RightFactor;
use crate::ops::sign_in::passkey_check::{PasskeyAssertion, Unproven, verify};
use crate::ops::sign_in::second_factor::standing_challenge;
use crate::ops::sign_in::tokens::Tokens;
use crate::store::Tx;
use crate::store::tables::limits::{Rule, lock, record};
use crate::store::tables::passkeys::{self, PasskeyDescriptor};
use crate::token::ceremony::{Ceremony, For};
use crate::token::opaque::new_refresh_token;

/// How long an authenticator has for its answer.
pub(crate) const LIFETIME: Duration = Duration::from_mins(5);

/// A ceremony that was begun: what a browser is to do with a passkey.
#[derive(Clone, Debug)]
pub struct PasskeyCeremony {
    /// Opaque: comes back with the credential.
    pub ceremony: Secret,
    /// For `PublicKeyCredential.parseRequestOptionsFromJSON` or `parseCreationOptionsFromJSON` (Web Authentication Level 3).
    pub public_key: Value,
    /// When the ceremony is over.
    pub expires_at: Timestamp,
}

/// Why a ceremony was not begun.
#[derive(Debug, thiserror::Error)]
pub enum CeremonyError {
    /// Passkeys are switched off, or browsers give none to this public address.
    #[error("there are no passkeys here")]
    Unavailable,
    /// The challenge for a second factor does not stand any more.
    #[error("the challenge for a second factor does not stand any more")]
    Expired,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why a passkey signed nobody in.
#[derive(Debug, thiserror::Error)]
pub enum PasskeySignInError {
    /// Nobody here has this passkey: it was removed, or belongs to another server.
    #[error("nobody here has this passkey")]
    Unknown,
    /// The ceremony is over or was answered before, or the passkey was not used for it.
    #[error("the passkey does not prove anything")]
    Invalid,
    /// The passkey is right, but the account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// Too many failures.
    #[error("too many failed sign-ins")]
    Limited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Begins a sign-in with a passkey, or with a challenge the answer to a question for a second factor. Without one the answer
    /// is the same for everybody.
    ///
    /// # Errors
    /// [`CeremonyError::Unavailable`], [`Expired`](CeremonyError::Expired), [`Fault`](CeremonyError::Fault).
    pub async fn begin_passkey_sign_in(
        &self,
        challenge: Option<&str>,
    ) -> Result<PasskeyCeremony, CeremonyError> {
        let Some(text) = challenge.map(str::to_owned) else {
            return self.0.ask_for_passkey(For::SignIn, &[]).ok_or(CeremonyError::Unavailable);
        };
        let (core, now) = (self.0.clone(), self.0.now());
        let read = move |tx: &mut Tx<'_>| -> Result<_, Fault> {
            let Some((waiting, user)) = standing_challenge(tx, &core, &text, now)? else { return Ok(None) };
            Ok(Some((waiting.id, passkeys::descriptors(tx, user.account.id)?)))
        };
        let found = self.0.store.read(read).await.map_err(CeremonyError::Fault)?;
        let (id, keys) = found.ok_or(CeremonyError::Expired)?;
        self.0.ask_for_passkey(For::SecondFactor(id), &keys).ok_or(CeremonyError::Unavailable)
    }

    /// Begins a proof with a passkey in a session, for what asks for one that is only minutes old.
    ///
    /// # Errors
    /// [`CeremonyError::Unavailable`], [`Fault`](CeremonyError::Fault).
    pub async fn begin_passkey_step_up(&self, who: &SignedIn) -> Result<PasskeyCeremony, CeremonyError> {
        let user = who.account.id;
        let keys = self.0.store.read(move |tx| passkeys::descriptors(tx, user)).await;
        let keys: Vec<PasskeyDescriptor> = keys.map_err(CeremonyError::Fault)?;
        self.0.ask_for_passkey(For::StepUp(who.session_id), &keys).ok_or(CeremonyError::Unavailable)
    }

    /// Signs in with a passkey alone: its authenticator has verified the user, so it is two factors in one gesture.
    ///
    /// # Errors
    /// [`PasskeySignInError::Unknown`], [`Invalid`](PasskeySignInError::Invalid), [`Disabled`](PasskeySignInError::Disabled),
    /// [`Limited`](PasskeySignInError::Limited), [`Fault`](PasskeySignInError::Fault).
    pub async fn sign_in_with_passkey(
        &self,
        given: &PasskeyAssertion,
        client: &Client,
    ) -> Result<Tokens, PasskeySignInError> {
        let (refresh_token, hash) = new_refresh_token(&self.0.settings.env);
        let keys = self.0.read_keys().await?;
        let opened = self.open_with_passkey(given, SessionKey::Refresh(hash), client).await?;
        Ok(self.0.signed_in(&keys, opened, refresh_token, client)?)
    }

    /// The same for a browser, whose session of before ends.
    ///
    /// # Errors
    /// Those of [`sign_in_with_passkey`](Accounts::sign_in_with_passkey).
    pub async fn sign_in_browser_with_passkey(
        &self,
        given: &PasskeyAssertion,
        held: Option<&str>,
        client: &Client,
    ) -> Result<BrowserSession, PasskeySignInError> {
        let opening = Opening::new(&self.0, held);
        let opened = self.open_with_passkey(given, opening.key, client).await?;
        Ok(opening.opened(&self.0, opened, client))
    }

    async fn open_with_passkey(
        &self,
        given: &PasskeyAssertion,
        key: SessionKey<'static>,
        client: &Client,
    ) -> Result<Opened, PasskeySignInError> {
        let (core, given, client) = (self.0.clone(), given.clone(), client.clone());
        let open = move |tx: &mut Tx<'_>| conclude(tx, &core, &given, key, &client);
        self.0.store.write(open).await.map_err(PasskeySignInError::Fault)?
    }
}

impl Core {
    /// A ceremony that asks for one of these passkeys, or for any. User verification is required, always.
    fn ask_for_passkey(&self, what: For, keys: &[PasskeyDescriptor]) -> Option<PasskeyCeremony> {
        let party = self.relying_party.as_ref()?;
        let (ceremony, begun) = self.begin(what);
        let public_key = json!({
            "challenge": BASE64URL_NOPAD.encode(&ceremony.challenge(&self.root)),
            "timeout": LIFETIME.as_millis(),
            "rpId": party.id,
            "allowCredentials": descriptors(keys),
            "userVerification": "required",
        });
        Some(PasskeyCeremony { public_key, ..begun })
    }

    /// A ceremony for this, with nothing to do yet.
    pub(crate) fn begin(&self, what: For) -> (Ceremony, PasskeyCeremony) {
        let ceremony = Ceremony { id: self.settings.env.random(), expires_at: self.now() + LIFETIME };
        let begun = PasskeyCeremony {
            ceremony: ceremony.name(&self.root, what),
            public_key: Value::Null,
            expires_at: ceremony.expires_at,
        };
        (ceremony, begun)
    }
}

/// `PublicKeyCredentialDescriptorJSON`.
pub(crate) fn descriptors(keys: &[PasskeyDescriptor]) -> Vec<Value> {
    let descriptor = |key: &PasskeyDescriptor| {
        json!({
            "type": "public-key",
            "id": BASE64URL_NOPAD.encode(&key.credential_id),
            "transports": key.transports,
        })
    };
    keys.iter().map(descriptor).collect()
}

/// A refusal is an `Ok`: what it counted is committed. Nobody guesses a signature, so failures count for the client, and no
/// stranger locks an account's passkeys.
fn conclude(
    tx: &mut Tx<'_>,
    core: &Core,
    given: &PasskeyAssertion,
    key: SessionKey<'static>,
    client: &Client,
) -> Result<Result<Opened, PasskeySignInError>, Fault> {
    let now = core.now();
    let subject = limits::limited_client(core, client);
    if let Some(subject) = &subject {
        lock(tx, subject, now)?;
        let rate = core.limits().sign_in;
        if let Some(retry_after) = wait_of(tx, subject, Rule::SignInFailed, rate, now)? {
            return Ok(Err(PasskeySignInError::Limited { retry_after }));
        }
    }
    let verified = match verify(tx, core, given, For::SignIn, client)? {
        Ok(verified) => verified,
        Err(unproven) => {
            subject.map_or(Ok(()), |subject| record(tx, &subject, Rule::SignInFailed, now))?;
            return Ok(Err(match unproven {
                Unproven::UnknownCredential => PasskeySignInError::Unknown,
                Unproven::Invalid => PasskeySignInError::Invalid,
            }));
        }
    };
    let right = RightFactor::of_passkey(core, &verified);
    Ok(match admit(tx, core, &Proofs::factor(&right), key, client)? {
        Admission::Session(opened) => Ok(*opened),
        Admission::Refused(Refusal::Disabled) => Err(PasskeySignInError::Disabled),
        Admission::SecondFactor(_) | Admission::Refused(Refusal::Changed | Refusal::EnrolmentRequired) => {
            Err(PasskeySignInError::Invalid)
        }
    })
}
