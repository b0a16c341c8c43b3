//! What becomes of users who are imported.

use crate::domain::ids::UserId;

/// What became of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Imported {
    /// The user is new.
    Created(UserId),
    /// The user was there and was changed; the sessions have ended.
    Updated(UserId),
    /// The user was there.
    Skipped(UserId),
    /// There is no user yet: the owner of the address gets a mail.
    Invited,
    /// The address has an open sign-up, or had its mails for today: nothing was written.
    Waiting,
    /// Nothing was written.
    Refused(ImportRefusal),
}

/// Why one user was not imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportRefusal {
    /// Another user has this name, or one that looks like it.
    #[error("another user has this user name, or one that looks like it")]
    UserNameTaken,
    /// The address is that of a user with another external id.
    #[error("a user with another external id has this address")]
    EmailTaken,
    /// The external id is that of a user with another address.
    #[error("a user with another address has this external id")]
    ExternalIdTaken,
    /// Salted SHA.
    #[error("this hash is so weak that it is only taken, wrapped in Argon2id, if that is allowed")]
    WeakHash,
    /// The address is not confirmed.
    #[error("the address is not confirmed: its owner signs up again, or is mailed a link if that is allowed")]
    Unconfirmed,
    /// A time that is still to come.
    #[error("this time is still to come")]
    NotYet(ImportedTime),
}

/// A time of an imported user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportedTime {
    /// `created_at`.
    Created,
    /// `email_confirmed_at`.
    EmailConfirmed,
    /// `disabled_at`.
    Disabled,
    /// `terms_accepted_at`.
    TermsAccepted,
}
