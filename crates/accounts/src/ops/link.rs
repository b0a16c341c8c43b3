//! What a page may show about a mailed link before its button is pressed. Looking changes nothing (S8).

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::challenge::Purpose;
use crate::domain::email::Email;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::ops::challenge::{self, LinkError};
use crate::ops::registration::{confirm, invitation};
use crate::store::Tx;
use crate::store::tables::users;

/// The purpose of a mailed link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailedLink {
    /// To confirm a sign-up.
    Confirmation,
    /// To set a new password.
    PasswordReset,
    /// To switch to a new address.
    EmailChange,
    /// To restore the previous address.
    EmailUndo,
    /// To accept an invitation.
    Invitation,
    /// To set up a second factor.
    Enrolment,
}

/// The state of a mailed link. The holder of a working one may know the address it was mailed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// It can be used; a confirmation takes the password of the sign-up.
    Open(Email),
    /// A sign-up can be confirmed, with a password chosen on the page: more people signed up with the address than may
    /// wait.
    Choose(Email),
    /// It was used, or its address has an account by now.
    Used,
    /// Too late, or replaced by another.
    Expired,
    /// Not issued by this service.
    Invalid,
}

impl From<LinkError> for LinkState {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Used => Self::Used,
            LinkError::Expired => Self::Expired,
            LinkError::Invalid => Self::Invalid,
        }
    }
}

impl Accounts {
    /// The state of a link, before its button is pressed. Changes nothing (S8).
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer.
    pub async fn link_state(&self, link: MailedLink, token: &str) -> Result<LinkState, Fault> {
        let (core, token, now) = (self.0.clone(), token.to_owned(), self.0.now());
        self.0.store.read(move |tx| Ok(look(tx, &core, link, &token, now)?.unwrap_or_else(Into::into))).await
    }
}

fn look(
    tx: &mut Tx<'_>,
    core: &Core,
    link: MailedLink,
    token: &str,
    now: Timestamp,
) -> Result<Result<LinkState, LinkError>, Fault> {
    let purpose = match link {
        MailedLink::Confirmation => {
            return Ok(confirm::open(tx, core, token, now)?.map(|found| {
                let state = if found.crowded_at.is_some() { LinkState::Choose } else { LinkState::Open };
                state(found.email)
            }));
        }
        MailedLink::Invitation => {
            let invitation = match invitation::open(tx, core, token, now)? {
                Ok(invitation) => invitation,
                Err(error) => return Ok(Err(error)),
            };
            let has_account = users::email_exists(tx, &invitation.email)?;
            return Ok(if has_account {
                Err(LinkError::Used)
            } else {
                Ok(LinkState::Open(invitation.email))
            });
        }
        MailedLink::PasswordReset => Purpose::PasswordReset,
        MailedLink::EmailChange => Purpose::EmailChange,
        MailedLink::EmailUndo => Purpose::EmailUndo,
        MailedLink::Enrolment => Purpose::Enrolment,
    };
    // The challenge has the address of the mailbox; the account may have another, which not every reader may see.
    Ok(challenge::open(tx, core, token, purpose, now)?.map(|(challenge, _)| LinkState::Open(challenge.email)))
}
