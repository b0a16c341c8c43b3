//! Proof that a browser's sign-up was activated: the browser is signed in without giving the password again.

use crate::domain::ids::{RegistrationId, UserId};
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::tables::{registrations, users};

/// The account of a browser that has given the password of its sign-up. Only the confirmation can create it.
#[derive(Clone, Copy)]
pub(crate) struct Confirmed(UserId);

impl Confirmed {
    /// The password was given with the link that has just activated the account.
    pub(super) fn by_password(activated: &Account) -> Self {
        Self(activated.id)
    }

    /// The browser's sign-up became this account, and has not been used for it before.
    pub(super) fn once(
        tx: &mut Tx<'_>,
        sign_up: RegistrationId,
        now: Timestamp,
    ) -> Result<Option<Self>, Fault> {
        let Some(registration) = registrations::by_id(tx, sign_up)? else { return Ok(None) };
        if !registrations::claim(tx, sign_up, now)? {
            return Ok(None);
        }
        let user = users::by_email(tx, &registration.email)?;
        let own = user.filter(|found| Some(found.account.created_at) == registration.activated_at);
        Ok(own.map(|found| Self(found.account.id)))
    }

    pub(crate) fn user(&self) -> UserId {
        self.0
    }
}
