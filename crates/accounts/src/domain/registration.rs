//! A sign-up that is not yet a user.

use crate::domain::email::Email;
use crate::domain::ids::RegistrationId;
use crate::domain::profile::display_name::DisplayName;
use crate::domain::profile::user_data::UserData;
use crate::domain::time::Timestamp;
use crate::domain::user_name::UserName;

/// A sign-up that waits for its confirmation (S1).
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    pub(crate) id: RegistrationId,
    pub(crate) email: Email,
    pub(crate) user_name: Option<UserName>,
    pub(crate) display_name: Option<DisplayName>,
    /// The first of the user's own data.
    pub(crate) data: UserData,
    pub(crate) password_hash: String,
    pub(crate) locale: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// The address had or got an account: this behaves like a real sign-up but can never become a user (S3).
    pub(crate) decoy_at: Option<Timestamp>,
    /// Too many sign-ups share this address: no code is sent for it, and its link lets the owner of the mailbox choose
    /// the password, whoever signed up.
    pub(crate) crowded_at: Option<Timestamp>,
    /// When an import made it: its address was not confirmed elsewhere, and its link lets the owner of the mailbox choose the
    /// password. It ends a while after its first mail, not after it was made.
    pub(crate) imported_at: Option<Timestamp>,
    /// When the terms were accepted by whoever signed up.
    pub(crate) terms_accepted_at: Option<Timestamp>,
    /// When it became a user.
    pub(crate) activated_at: Option<Timestamp>,
}

/// A sign-up that waits for its confirmation. It reveals neither its password nor its code or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRegistration {
    /// Names the sign-up.
    pub id: RegistrationId,
    /// The address that was given.
    pub email: Email,
    /// The user name that was requested.
    pub user_name: Option<UserName>,
    /// The language of its mails.
    pub locale: Option<String>,
    /// When the sign-up was made.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When the newest mail was sent.
    pub mailed_at: Option<Timestamp>,
    /// The address has or had an account: this can never become a user (S3).
    pub decoy: bool,
}
