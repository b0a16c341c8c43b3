//! The passkeys of a user: added, named, removed.

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::amr::Method;
use crate::domain::access::client::Client;
use crate::domain::access::passkey::Passkey;
use crate::domain::access::passkey_name::PasskeyName;
use crate::domain::access::session::SignedIn;
use crate::domain::audit::AuditKind;
use crate::domain::ids::PasskeyId;
use crate::domain::profile::display_name::DisplayName;
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::ops::account::factor_change::{FactorChange, FactorError, PasskeyInvalid, may_remove};
use crate::ops::sign_in::passkey::{PasskeyCeremony, descriptors};
use crate::ops::sign_in::passkey_check::PasskeyFormError;
use crate::store::Tx;
use crate::store::tables::passkeys::{self, NewPasskey};
use crate::store::tables::users::standing::Standing;
use crate::store::tables::{recovery_codes, users};
use crate::token::ceremony::{Ceremony, For};
use crate::token::passkey::{self as verifier, Algorithm, Expected};

/// Passkeys of one user.
pub(crate) const MOST: i64 = 20;

/// What a browser gives when a passkey was made: the name of the ceremony and the credential.
#[derive(Clone, Debug)]
pub struct PasskeyRegistration {
    ceremony: String,
    credential: verifier::Registration,
}

impl PasskeyRegistration {
    /// Reads the `RegistrationResponseJSON` of a ceremony (Web Authentication Level 3 §5.1.1). Nothing is verified yet.
    ///
    /// # Errors
    /// [`PasskeyFormError`] where it is not of that form, or too long.
    pub fn new(ceremony: &str, credential: &str) -> Result<Self, PasskeyFormError> {
        Ok(Self { ceremony: ceremony.to_owned(), credential: verifier::Registration::parse(credential)? })
    }
}

impl Accounts {
    /// Begins to add a passkey: what a browser is to make.
    ///
    /// # Errors
    /// [`FactorError::StepUp`], [`TooMany`](FactorError::TooMany), [`Unavailable`](FactorError::Unavailable),
    /// [`Fault`](FactorError::Fault).
    pub async fn begin_passkey(
        &self,
        who: &SignedIn,
        client: &Client,
    ) -> Result<PasskeyCeremony, FactorError> {
        let core = self.0.clone();
        let party = core.relying_party.clone().ok_or(FactorError::Unavailable)?;
        let (ceremony, begun) = core.begin(For::Creation(who.session_id));
        let new_handle: [u8; 64] = core.settings.env.random();
        let change = FactorChange::new(&core, who, AuditKind::PasskeyAdded, client);
        let asked = core.clone();
        let look = move |tx: &mut Tx<'_>| -> Result<_, FactorError> {
            if change.begin(tx, &asked)?.passkeys >= MOST {
                return Err(FactorError::TooMany);
            }
            let handle = users::webauthn_handle(tx, change.user(), &new_handle)?;
            Ok((handle.ok_or(FactorError::NotFound)?, passkeys::descriptors(tx, change.user())?))
        };
        let (handle, known) = self.0.store.write(look).await?;
        let name = who.account.email.as_str();
        let called = who.account.display_name.as_ref().map(DisplayName::as_str);
        let called = called.or(who.account.user_name.as_ref().map(UserName::as_str)).unwrap_or(name);
        let algorithms = Algorithm::ALL.map(|it| json!({ "type": "public-key", "alg": it.number() }));
        let public_key = json!({
            "rp": { "id": party.id, "name": core.policy().passwords.service_name },
            "user": { "id": BASE64URL_NOPAD.encode(&handle), "name": name, "displayName": called },
            "challenge": BASE64URL_NOPAD.encode(&ceremony.challenge(&core.root)),
            "pubKeyCredParams": algorithms,
            "timeout": begun.expires_at.since(core.now()).as_millis(),
            "excludeCredentials": descriptors(&known),
            "authenticatorSelection": {
                "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
            },
            "attestation": "none",
        });
        Ok(PasskeyCeremony { public_key, ..begun })
    }

    /// Adds a passkey that was made in a ceremony of this session. Without a name it is called after its model.
    ///
    /// # Errors
    /// [`FactorError::StepUp`], [`PasskeyInvalid`](FactorError::PasskeyInvalid), [`PasskeyExists`](FactorError::PasskeyExists),
    /// [`TooMany`](FactorError::TooMany), [`Unavailable`](FactorError::Unavailable), [`Fault`](FactorError::Fault).
    pub async fn add_passkey(
        &self,
        who: &SignedIn,
        given: &PasskeyRegistration,
        name: Option<PasskeyName>,
        client: &Client,
    ) -> Result<Passkey, FactorError> {
        let core = self.0.clone();
        let change = FactorChange::new(&core, who, AuditKind::PasskeyAdded, client);
        let (ceremony, made) = verify(&core, who, given)?;
        let name = name.unwrap_or_else(|| PasskeyName::of_model(made.aaguid));
        let method = if made.backup_eligible { Method::SoftwareKey } else { Method::HardwareKey };
        let new = NewPasskey {
            id: PasskeyId::from_bytes(core.settings.env.new_id(change.now())),
            user: who.account.id,
            credential_id: made.credential_id,
            public_key: made.public_key,
            algorithm: made.algorithm.number(),
            sign_count: made.sign_count.into(),
            aaguid: made.aaguid,
            transports: made.transports,
            backup_eligible: made.backup_eligible,
            backed_up: made.backed_up,
            name: name.as_str().to_owned(),
            created_at: change.now(),
        };
        let add = move |tx: &mut Tx<'_>| -> Result<Passkey, FactorError> {
            if change.begin(tx, &core)?.passkeys >= MOST {
                return Err(FactorError::TooMany);
            }
            if !passkeys::spend_ceremony(tx, &ceremony.id, ceremony.expires_at)? {
                return Err(PasskeyInvalid::Answered.into());
            }
            if !passkeys::insert(tx, &new)? {
                return Err(FactorError::PasskeyExists);
            }
            change.proves(tx, method)?;
            change.finish(tx, &core, Some(&new.name))?;
            let all = passkeys::of_user(tx, change.user())?;
            all.into_iter().find(|passkey| passkey.id == new.id).ok_or(FactorError::NotFound)
        };
        let added = self.0.store.write(add).await?;
        self.0.mail_queued.notify_one();
        Ok(added)
    }

    /// Gives a passkey another name.
    ///
    /// # Errors
    /// [`FactorError::StepUp`], [`NotFound`](FactorError::NotFound), [`Fault`](FactorError::Fault).
    pub async fn rename_passkey(
        &self,
        who: &SignedIn,
        id: PasskeyId,
        name: &PasskeyName,
        client: &Client,
    ) -> Result<Passkey, FactorError> {
        let (core, name) = (self.0.clone(), name.clone());
        let change = FactorChange::new(&core, who, AuditKind::PasskeyRenamed, client);
        let rename = move |tx: &mut Tx<'_>| -> Result<Passkey, FactorError> {
            change.begin(tx, &core)?;
            let renamed = passkeys::rename(tx, change.user(), id, name.as_str())?;
            let renamed = renamed.ok_or(FactorError::NotFound)?;
            change.note(tx, &core, AuditKind::PasskeyRenamed, name.as_str())?;
            Ok(renamed)
        };
        self.0.store.write(rename).await
    }

    /// Removes a passkey. Without any other second factor the recovery codes go, too. Ends the other sessions.
    ///
    /// # Errors
    /// [`FactorError::StepUp`], [`NotFound`](FactorError::NotFound), [`LastWayIn`](FactorError::LastWayIn),
    /// [`Fault`](FactorError::Fault).
    pub async fn remove_passkey(
        &self,
        who: &SignedIn,
        id: PasskeyId,
        client: &Client,
    ) -> Result<(), FactorError> {
        let core = self.0.clone();
        let change = FactorChange::new(&core, who, AuditKind::PasskeyRemoved, client);
        let remove = move |tx: &mut Tx<'_>| -> Result<(), FactorError> {
            let standing = change.begin(tx, &core)?;
            let name = passkeys::remove(tx, change.user(), id)?.ok_or(FactorError::NotFound)?;
            let after = Standing { passkeys: (standing.passkeys - 1).max(0), ..standing };
            may_remove(&core, &after)?;
            if !after.has_factor() {
                recovery_codes::remove(tx, change.user())?;
            }
            change.finish(tx, &core, Some(&name))
        };
        self.0.store.write(remove).await?;
        self.0.mail_queued.notify_one();
        Ok(())
    }

    /// The names of the user's credentials, for browsers that tidy up (`signalAllAcceptedCredentials`): the user's handle, and
    /// each credential id, in base64url.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn accepted_credentials(&self, who: &SignedIn) -> Result<Option<(String, Vec<String>)>, Fault> {
        let user = who.account.id;
        let read = move |tx: &mut Tx<'_>| -> Result<_, Fault> {
            let known = passkeys::descriptors(tx, user)?;
            Ok(users::known_handle(tx, user)?.map(|handle| (handle, known)))
        };
        let found = self.0.store.read(read).await?;
        Ok(found.map(|(handle, known)| {
            let ids = known.iter().map(|key| BASE64URL_NOPAD.encode(&key.credential_id)).collect();
            (BASE64URL_NOPAD.encode(&handle), ids)
        }))
    }
}

fn verify(
    core: &Core,
    who: &SignedIn,
    given: &PasskeyRegistration,
) -> Result<(Ceremony, verifier::NewPasskey), FactorError> {
    let party = core.relying_party.as_ref().ok_or(FactorError::Unavailable)?;
    let what = For::Creation(who.session_id);
    let ceremony = Ceremony::named(&core.root, &given.ceremony, what, core.now());
    let ceremony = ceremony.ok_or(PasskeyInvalid::Ceremony)?;
    let challenge = ceremony.challenge(&core.root);
    let expected = Expected { rp_id: &party.id, origin: &party.origin, challenge: &challenge };
    let made = verifier::verify_registration(&expected, &given.credential);
    Ok((ceremony, made.map_err(|error| PasskeyInvalid::Refused(error.into()))?))
}
