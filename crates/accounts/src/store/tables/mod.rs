//! One file per table, or pair of tables.

pub(crate) mod application;
pub(crate) mod audit;
pub(crate) mod authenticators;
pub(crate) mod challenges;
pub(crate) mod invitations;
pub(crate) mod keys;
pub(crate) mod limits;
pub(crate) mod outbox;
pub(crate) mod passkeys;
pub(crate) mod recovery_codes;
pub(crate) mod registrations;
pub(crate) mod sessions;
pub(crate) mod setup_links;
pub(crate) mod sign_in_challenges;
pub(crate) mod users;
pub(crate) mod webhooks;
