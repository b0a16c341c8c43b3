//! A user as others see it.

use crate::{Email, Timestamp, UserId, UserName};

/// A user: the account behind tokens and sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Names the account for ever.
    pub id: UserId,
    /// The confirmed address, as typed.
    pub email: Email,
    /// The public name.
    pub user_name: Option<UserName>,
    /// When the address was confirmed.
    pub email_confirmed_at: Timestamp,
    /// When the account became active.
    pub created_at: Timestamp,
    /// When it was disabled, while it is.
    pub disabled_at: Option<Timestamp>,
    /// The language of its mails, a BCP 47 tag.
    pub locale: Option<String>,
    /// What it may do beyond its own account, e.g. `admin`; sorted.
    pub roles: Vec<String>,
}
