//! The browser that signed up: it waits, confirms without sending the password again, and is signed in once.

use crate::accounts::Accounts;
use crate::domain::access::client::Client;
use crate::domain::code::Code;
use crate::domain::email::Email;
use crate::domain::ids::RegistrationId;
use crate::domain::password::Password;
use crate::domain::registration::Registration;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::ops::registration::activation::Activation;
use crate::ops::registration::confirm::{ConfirmError, Guess, Proof};
use crate::ops::registration::confirmed::Confirmed;
use crate::ops::registration::sign_up::{Pending, SignUp, SignUpError};
use crate::ops::sign_in::admit::{Admission, Proofs, Refusal, admit};
use crate::ops::sign_in::browser::{BrowserSession, Opening};
use crate::policy::terms::Terms;
use crate::store::Tx;
use crate::store::tables::{outbox, registrations};
use crate::token::browser::{open_sign_up_proof, sign_up_proof};
use crate::token::challenge::open_link_token;

/// What the browser that signed up may know about its sign-up. A decoy looks like an open sign-up (S3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It waits for its confirmation.
    Open {
        /// The address the mails are sent to.
        email: Email,
        /// When it expires.
        expires_at: Timestamp,
        /// When the newest mail was requested: a code works for a moment after that has left.
        mailed_at: Timestamp,
        /// When another mail can be requested.
        resend_after: Timestamp,
    },
    /// It was confirmed, here or on another device.
    Confirmed {
        /// The address of the account.
        email: Email,
    },
    /// It has expired, or was displaced by newer ones.
    Ended,
}

/// The second proof of someone who opens a link (S4).
#[derive(Clone, Copy, Debug)]
pub enum LinkProof<'a> {
    /// The password of the sign-up.
    Password(&'a Password),
    /// The proof given by [`Accounts::sign_up_in_browser`], or by a sign-in that was
    /// [`Unconfirmed`](crate::Unconfirmed).
    Browser(&'a str),
    /// None: only if [`require_password`](crate::ConfirmPolicy::require_password) is off.
    Nothing,
}

impl Accounts {
    /// Signs up, and gives the browser a proof that it did: 128 bits that are stored nowhere and valid for this sign-up
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

    /// The state of this browser's sign-up; `None` for a proof that was not issued by this service. Changes nothing.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer.
    pub async fn waiting(&self, proof: &str) -> Result<Option<Waiting>, Fault> {
        let Some(id) = open_sign_up_proof(&self.0.root, proof) else { return Ok(None) };
        let (core, now) = (self.0.clone(), self.0.now());
        let state = self.0.store.read(move |tx| -> Result<_, Fault> {
            let found = registrations::by_id(tx, id)?.filter(|registration| registration.expires_at > now);
            let Some(Registration { email, created_at, expires_at, activated_at, .. }) = found else {
                return Ok(Waiting::Ended);
            };
            if activated_at.is_some() {
                return Ok(Waiting::Confirmed { email });
            }
            // Counted for this sign-up alone: other mails to the address are not this browser's business.
            let mails = outbox::queued_at(tx, id.as_bytes())?;
            let waits = &core.policy().sign_up.resend_waits;
            let wait = waits.get(mails.len().saturating_sub(1)).or(waits.last()).copied().unwrap_or_default();
            let mailed_at = mails.last().copied().unwrap_or(created_at);
            Ok(Waiting::Open { email, expires_at, mailed_at, resend_after: mailed_at + wait })
        });
        state.await.map(Some)
    }

    /// Whether this browser sent the password of the sign-up behind this link.
    pub fn is_own_link(&self, token: &str, proof: &str) -> bool {
        let (root, signed_up) = (&self.0.root, open_sign_up_proof(&self.0.root, proof));
        signed_up.is_some() && open_link_token(root, token) == signed_up
    }

    /// Activates the account with the link's token, and signs in the browser if it has proven the password.
    ///
    /// # Errors
    /// Those of [`confirm_by_link`](Accounts::confirm_by_link); a proof of another sign-up is
    /// [`ConfirmError::Refused`].
    pub async fn confirm_by_link_in_browser(
        &self,
        token: &str,
        proof: LinkProof<'_>,
        user_name: Option<UserName>,
        terms: Terms,
        held: Option<&str>,
        client: &Client,
    ) -> Result<Option<BrowserSession>, ConfirmError> {
        match proof {
            LinkProof::Nothing => {
                self.confirm_by_link(token, None, user_name, terms, client).await?;
                Ok(None)
            }
            LinkProof::Password(password) => {
                let account = self.confirm_by_link(token, Some(password), user_name, terms, client).await?;
                let browser = SignedUpBrowser::WithPassword(Confirmed::by_password(&account));
                Ok(self.open_confirmed(browser, held, client).await?)
            }
            LinkProof::Browser(proof) => {
                let now = self.0.now();
                let registration = self.open_link(token, now).await?;
                if open_sign_up_proof(&self.0.root, proof) != Some(registration.id) {
                    return Err(ConfirmError::Refused);
                }
                let activation = Activation::new(&self.0, user_name, client, "by link", now);
                self.activate(&registration, None, activation).await?;
                Ok(self.open_confirmed(SignedUpBrowser::WithProof(registration.id), held, client).await?)
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
        let id = open_sign_up_proof(&self.0.root, proof).ok_or(ConfirmError::CodeExpired)?;
        let found: Option<Registration> =
            self.0.store.read(move |tx| registrations::by_id(tx, id)).await.map_err(ConfirmError::Fault)?;
        let email = found.ok_or(ConfirmError::CodeExpired)?.email;
        self.guess(Guess::new(&self.0, Proof::Browser(id), code, &email, user_name, client)).await?;
        Ok(self.open_confirmed(SignedUpBrowser::WithProof(id), held, client).await?)
    }

    /// Signs in the browser that signed up, after the confirmation on another device. `None`: not confirmed yet, done
    /// before, or the password or address has changed since.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer.
    pub async fn continue_in_browser(
        &self,
        proof: &str,
        held: Option<&str>,
        client: &Client,
    ) -> Result<Option<BrowserSession>, Fault> {
        let Some(id) = open_sign_up_proof(&self.0.root, proof) else { return Ok(None) };
        self.open_confirmed(SignedUpBrowser::WithProof(id), held, client).await
    }

    async fn open_confirmed(
        &self,
        browser: SignedUpBrowser,
        held: Option<&str>,
        client: &Client,
    ) -> Result<Option<BrowserSession>, Fault> {
        let (core, from) = (self.0.clone(), client.clone());
        let opening = Opening::new(&core, held);
        let (key, now) = (opening.key, core.now());
        let opened = self.0.store.write(move |tx| -> Result<_, Fault> {
            let Some(confirmed) = browser.confirmed(tx, now)? else { return Ok(None) };
            Ok(match admit(tx, &core, &Proofs::confirmation(&confirmed, now), key, &from)? {
                Admission::Session(opened) => Some(opened),
                // Whoever has a second factor by now signs in with it.
                Admission::SecondFactor(_)
                | Admission::Refused(Refusal::Disabled | Refusal::Changed | Refusal::EnrolmentRequired) => {
                    None
                }
            })
        });
        Ok(opened.await?.map(|opened| opening.opened(&self.0, *opened, client)))
    }
}

/// The browser that signed up, or that has given the password of the sign-up since.
#[derive(Clone, Copy)]
enum SignedUpBrowser {
    /// It gave the password with the link.
    WithPassword(Confirmed),
    /// It has the proof of this sign-up, which signs it in once.
    WithProof(RegistrationId),
}

impl SignedUpBrowser {
    fn confirmed(self, tx: &mut Tx<'_>, now: Timestamp) -> Result<Option<Confirmed>, Fault> {
        match self {
            Self::WithPassword(confirmed) => Ok(Some(confirmed)),
            Self::WithProof(sign_up) => Confirmed::once(tx, sign_up, now),
        }
    }
}
