//! The browser that signed up: it waits, confirms without the password it has sent before, and is signed in once.

use crate::domain::registration::Registration;
use crate::limits::{self, PasswordAttempt};
use crate::ops::audit::Entry;
use crate::ops::browser::Opening;
use crate::ops::confirm::{Birth, failed};
use crate::ops::sign_in::NewSession;
use crate::store::users::Credentials;
use crate::store::{Tx, outbox, registrations, users};
use crate::token::browser::{open_sign_up_proof, sign_up_proof};
use crate::token::challenge::open_link_token;
use crate::{
    Account, Accounts, AuditActor, AuditKind, BrowserSession, Client, Code, ConfirmError, Email, Fault,
    Password, Pending, RegistrationId, Secret, SignUp, SignUpError, Timestamp, UserId, UserName,
};

/// What the browser that signed up may know about its sign-up. A decoy looks like a sign-up that waits (S3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It waits for its confirmation.
    Open {
        /// Where the mails go.
        email: Email,
        /// When it is forgotten.
        expires_at: Timestamp,
        /// When another mail can be asked for.
        resend_after: Timestamp,
    },
    /// It was confirmed, here or on another device.
    Confirmed {
        /// The address of the account.
        email: Email,
    },
    /// It is too old, or newer ones have taken its place.
    Ended,
}

/// The second proof of whoever opens a link (S4).
#[derive(Clone, Copy, Debug)]
pub enum LinkProof<'a> {
    /// The password of the sign-up.
    Password(&'a Password),
    /// What [`Accounts::sign_up_in_browser`] gave the browser.
    Browser(&'a str),
    /// None: only where [`require_password`](crate::ConfirmPolicy::require_password) is off.
    Nothing,
}

impl Accounts {
    /// Signs up, and gives the browser a proof that it did: 128 bits that are stored nowhere and good for this sign-up
    /// only. Taken addresses get one that looks the same.
    ///
    /// # Errors
    /// Those of [`sign_up`](Accounts::sign_up).
    pub async fn sign_up_in_browser(
        &self,
        wish: SignUp,
        client: &Client,
    ) -> Result<(Pending, Secret), SignUpError> {
        let (pending, id) = self.register(wish, client).await?;
        Ok((pending, sign_up_proof(&self.0.root, id)))
    }

    /// The state of the sign-up of this browser; `None` for a proof that was not made here. Changes nothing.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn waiting(&self, proof: &str) -> Result<Option<Waiting>, Fault> {
        let Some(id) = open_sign_up_proof(&self.0.root, proof) else { return Ok(None) };
        let (inner, now) = (self.0.clone(), self.0.now());
        let state = self.0.store.read(move |tx| -> Result<_, Fault> {
            let found = registrations::by_id(tx, id)?.filter(|registration| registration.expires_at > now);
            let Some(Registration { email, created_at, expires_at, activated_at, .. }) = found else {
                return Ok(Waiting::Ended);
            };
            if activated_at.is_some() {
                return Ok(Waiting::Confirmed { email });
            }
            // Counted for this sign-up alone: what else was mailed to the address is not this browser's business.
            let mails = outbox::queued_at(tx, id.as_bytes())?;
            let waits = &inner.policy().sign_up.resend_waits;
            let wait = waits.get(mails.len().saturating_sub(1)).or(waits.last()).copied().unwrap_or_default();
            let resend_after = mails.last().copied().unwrap_or(created_at) + wait;
            Ok(Waiting::Open { email, expires_at, resend_after })
        });
        state.await.map(Some)
    }

    /// Whether this browser sent the password of the sign-up behind this link.
    pub fn is_own_link(&self, token: &str, proof: &str) -> bool {
        let (root, signed_up) = (&self.0.root, open_sign_up_proof(&self.0.root, proof));
        signed_up.is_some() && open_link_token(root, token) == signed_up
    }

    /// Activates the account with the link's token, and signs the browser in that has proven the password.
    ///
    /// # Errors
    /// Those of [`confirm_by_link`](Accounts::confirm_by_link); a proof of another sign-up is
    /// [`ConfirmError::Refused`].
    pub async fn confirm_by_link_in_browser(
        &self,
        token: &str,
        proof: LinkProof<'_>,
        user_name: Option<UserName>,
        held: Option<&str>,
        client: &Client,
    ) -> Result<Option<BrowserSession>, ConfirmError> {
        match proof {
            LinkProof::Nothing => {
                self.confirm_by_link(token, None, user_name, client).await?;
                Ok(None)
            }
            LinkProof::Password(password) => {
                let account = self.confirm_by_link(token, Some(password), user_name, client).await?;
                Ok(self.open_newborn(Newborn::User(account.id), held, client).await?)
            }
            LinkProof::Browser(proof) => {
                let now = self.0.now();
                let registration = self.open_link(token, now).await?;
                if open_sign_up_proof(&self.0.root, proof) != Some(registration.id) {
                    return Err(ConfirmError::Refused);
                }
                let birth = Birth::new(&self.0, user_name, client, "by link", now);
                self.activate(&registration, birth).await?;
                Ok(self.open_newborn(Newborn::Claimed(registration.id), held, client).await?)
            }
        }
    }

    /// Activates the account with the code of the mail, in the browser that signed up, and signs it in.
    ///
    /// # Errors
    /// Those of [`confirm_by_code`](Accounts::confirm_by_code).
    pub async fn confirm_by_code_in_browser(
        &self,
        proof: &str,
        code: &Code,
        user_name: Option<UserName>,
        held: Option<&str>,
        client: &Client,
    ) -> Result<Option<BrowserSession>, ConfirmError> {
        let inner = &self.0;
        let id = open_sign_up_proof(&inner.root, proof).ok_or(ConfirmError::CodeExpired)?;
        let found: Option<Registration> =
            inner.store.read(move |tx| registrations::by_id(tx, id)).await.map_err(ConfirmError::Fault)?;
        let email = found.ok_or(ConfirmError::CodeExpired)?.email;
        let address = limits::address(&inner.root, &email);
        let now = inner.now();
        let attempt = PasswordAttempt::new(inner, address, failed(client).address(&email), client, now);
        let birth = Birth::new(inner, user_name, client, "by code", now);
        self.guess(vec![id], code, attempt, birth).await?;
        Ok(self.open_newborn(Newborn::Claimed(id), held, client).await?)
    }

    /// Signs the browser in that signed up, after the confirmation on another device. `None`: not confirmed yet, done
    /// before, or password or address were changed since.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn continue_in_browser(
        &self,
        proof: &str,
        held: Option<&str>,
        client: &Client,
    ) -> Result<Option<BrowserSession>, Fault> {
        let Some(id) = open_sign_up_proof(&self.0.root, proof) else { return Ok(None) };
        self.open_newborn(Newborn::Claimed(id), held, client).await
    }

    async fn open_newborn(
        &self,
        newborn: Newborn,
        held: Option<&str>,
        client: &Client,
    ) -> Result<Option<BrowserSession>, Fault> {
        let (inner, from) = (self.0.clone(), client.clone());
        let opening = Opening::new(&inner, held);
        let (key, now) = (opening.key, inner.now());
        let opened = self.0.store.write(move |tx| -> Result<_, Fault> {
            let Some(account) = newborn.find(tx, now)? else { return Ok(None) };
            let session = NewSession::new(&inner, account.id, &from, key);
            session.insert(tx)?;
            let entry = Entry::new(AuditKind::SignedIn, AuditActor::User(account.id), &from).about(&account);
            entry.detail("after the confirmation").write(tx, &inner, now)?;
            Ok(Some((account, session.row.expires_at)))
        });
        Ok(opened.await?.map(|(account, expires_at)| opening.opened(&self.0, account, expires_at, client)))
    }
}

/// A user who was born by a confirmation, and whose password this browser has proven.
#[derive(Clone, Copy)]
enum Newborn {
    User(UserId),
    /// Through the sign-up, whose browser is signed in once.
    Claimed(RegistrationId),
}

impl Newborn {
    /// The user, as long as nothing that ends sessions has happened since.
    fn find(self, tx: &mut Tx<'_>, now: Timestamp) -> Result<Option<Account>, Fault> {
        let found = match self {
            Self::User(id) => users::by_id(tx, id)?,
            Self::Claimed(id) => {
                let Some(registration) = registrations::by_id(tx, id)? else { return Ok(None) };
                if !registrations::claim(tx, id, now)? {
                    return Ok(None);
                }
                users::by_email(tx, &registration.email)?
                    .filter(|found| Some(found.account.created_at) == registration.activated_at)
            }
        };
        let Some(Credentials { account, password_hash }) = found else { return Ok(None) };
        let unchanged = users::credential_version(tx, account.id)? == 0
            && users::record_sign_in(tx, account.id, &password_hash, now)?;
        Ok(unchanged.then_some(account))
    }
}
