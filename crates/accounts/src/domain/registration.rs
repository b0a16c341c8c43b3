//! A sign-up that is not yet a user.

use crate::domain::email::Email;
use crate::domain::ids::RegistrationId;
use crate::domain::time::Timestamp;
use crate::domain::user_name::UserName;

/// What somebody who signed up asked for, waiting for its confirmation (S1).
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    pub(crate) id: RegistrationId,
    pub(crate) email: Email,
    pub(crate) user_name: Option<UserName>,
    pub(crate) password_hash: String,
    pub(crate) locale: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// The address had or got an account: this behaves like a real sign-up and can never become a user (S3).
    pub(crate) decoy_at: Option<Timestamp>,
    /// There were too many of its address: no code is sent for it, and its link lets the owner of the mailbox choose the
    /// password, whose ever it is.
    pub(crate) crowded_at: Option<Timestamp>,
    /// When it became a user.
    pub(crate) activated_at: Option<Timestamp>,
}

/// A sign-up that waits for its confirmation. Neither its password nor its code or link can be had from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRegistration {
    /// Names the sign-up.
    pub id: RegistrationId,
    /// The address that was given.
    pub email: Email,
    /// The public name that was wished for.
    pub user_name: Option<UserName>,
    /// The language of its mails.
    pub locale: Option<String>,
    /// When somebody signed up.
    pub created_at: Timestamp,
    /// When it is forgotten.
    pub expires_at: Timestamp,
    /// When the newest mail was handed over.
    pub mailed_at: Option<Timestamp>,
    /// The address has or had an account: this can never become a user (S3).
    pub decoy: bool,
}
