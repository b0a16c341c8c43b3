//! Whether what a browser sends proves that somebody holds a passkey. Sign-in, second factor and step-up have this one way.

use crate::core::Core;
use crate::domain::access::amr::Method;
use crate::domain::access::client::Client;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::tables::passkeys::{self, StoredPasskey};
use crate::store::tables::users;
use crate::token::ceremony::{Ceremony, For};
use crate::token::passkey::{self as verifier, Asserted, Expected, PasskeyError, StoredKey};
use crate::trail::Entry;

/// What a browser gives when a passkey was used: the name of the ceremony and the credential.
#[derive(Clone, Debug)]
pub struct PasskeyAssertion {
    ceremony: String,
    credential: verifier::Assertion,
}

/// The text is not what a browser gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PasskeyFormError(PasskeyError);

impl From<PasskeyError> for PasskeyFormError {
    fn from(error: PasskeyError) -> Self {
        Self(error)
    }
}

impl PasskeyAssertion {
    /// Reads the `AuthenticationResponseJSON` of a ceremony (Web Authentication Level 3 §5.1.1). Nothing is verified yet.
    ///
    /// # Errors
    /// [`PasskeyFormError`] where it is not of that form, or too long.
    pub fn new(ceremony: &str, credential: &str) -> Result<Self, PasskeyFormError> {
        Ok(Self { ceremony: ceremony.to_owned(), credential: verifier::Assertion::parse(credential)? })
    }
}

/// Somebody holds this user's passkey. Only [`verify`] makes one.
pub(crate) struct VerifiedPasskey {
    user: UserId,
    credential_version: i64,
    method: Method,
}

impl VerifiedPasskey {
    /// Whose it is: by the credential, and by nothing else that was sent (B18).
    pub(crate) fn user(&self) -> UserId {
        self.user
    }

    /// The version of the owner's credentials when the passkey was read.
    pub(crate) fn credential_version(&self) -> i64 {
        self.credential_version
    }

    pub(crate) fn method(&self) -> Method {
        self.method
    }
}

/// Why an assertion proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unproven {
    /// Nobody here has this credential.
    UnknownCredential,
    /// The ceremony is over, was answered before or was for something else; or the credential was not used for it.
    Invalid,
}

/// Verifies an assertion of a ceremony that was begun for this, and spends the ceremony where it is good.
pub(crate) fn verify(
    tx: &mut Tx<'_>,
    core: &Core,
    given: &PasskeyAssertion,
    what: For,
    client: &Client,
) -> Result<Result<VerifiedPasskey, Unproven>, Fault> {
    let now = core.now();
    let Some(party) = &core.relying_party else { return Ok(Err(Unproven::Invalid)) };
    let Some(ceremony) = Ceremony::named(&core.root, &given.ceremony, what, now) else {
        return Ok(Err(Unproven::Invalid));
    };
    let Some(stored) = passkeys::by_credential(tx, given.credential.credential_id())? else {
        return Ok(Err(Unproven::UnknownCredential));
    };
    let challenge = ceremony.challenge(&core.root);
    let expected = Expected { rp_id: &party.id, origin: &party.origin, challenge: &challenge };
    let key = StoredKey { public_key: &stored.public_key, backup_eligible: Some(stored.backup_eligible) };
    // An authenticator that says for whom it answers must say the owner of the credential (§7.2).
    // Where nobody was named before, it must say so.
    let names_another = match given.credential.user_handle() {
        Some(handle) => stored.handle.is_none_or(|own| own != *handle),
        None => what == For::SignIn,
    };
    let asserted = match verifier::verify_assertion(&expected, &key, &given.credential) {
        Ok(asserted) if !names_another => asserted,
        Ok(_) => return Ok(Err(Unproven::Invalid)),
        Err(error) => {
            tracing::debug!(%error, "a passkey was refused");
            return Ok(Err(Unproven::Invalid));
        }
    };
    // Whoever changes factors locks the user first, and then the factors.
    users::lock(tx, stored.user)?;
    if !passkeys::spend_ceremony(tx, &ceremony.id, ceremony.expires_at)? {
        return Ok(Err(Unproven::Invalid));
    }
    note_use(tx, core, &stored, asserted, client, now)?;
    let method = if stored.backup_eligible { Method::SoftwareKey } else { Method::HardwareKey };
    let StoredPasskey { user, credential_version, .. } = stored;
    Ok(Ok(VerifiedPasskey { user, credential_version, method }))
}

/// A counter that does not grow may mean that there is a copy; most passkeys are synchronised and stay at zero.
fn note_use(
    tx: &mut Tx<'_>,
    core: &Core,
    stored: &StoredPasskey,
    asserted: Asserted,
    client: &Client,
    now: Timestamp,
) -> Result<(), Fault> {
    let count = i64::from(asserted.sign_count);
    let went_back = (count > 0 || stored.sign_count > 0) && count <= stored.sign_count;
    if went_back && let Some(owner) = users::by_id(tx, stored.user)? {
        let entry = Entry::new(AuditKind::PasskeyCounterWentBack, AuditActor::Anonymous, client);
        entry.about(&owner.account).detail(stored.name.clone()).write_and_notify(tx, core, now)?;
    }
    passkeys::record_use(tx, stored.id, count, asserted.backed_up, now)
}
