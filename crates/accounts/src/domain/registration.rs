//! A sign-up that is not yet a user.

use crate::{Email, RegistrationId, Timestamp, UserName};

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
    /// When it became a user.
    pub(crate) activated_at: Option<Timestamp>,
}
