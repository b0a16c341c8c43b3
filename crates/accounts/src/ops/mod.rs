//! One file per user story.

pub(crate) mod account;
pub(crate) mod admin;
pub(crate) mod administer;
pub(crate) mod audit;
pub(crate) mod authenticate;
pub(crate) mod challenge;
pub(crate) mod confirm;
pub(crate) mod cursor;
pub(crate) mod deliver;
pub(crate) mod email;
pub(crate) mod invite;
pub(crate) mod keys;
pub(crate) mod list_users;
pub(crate) mod lockout;
pub(crate) mod outbox;
pub(crate) mod password;
pub(crate) mod refresh;
pub(crate) mod registrations;
pub(crate) mod resend;
mod retry;
pub(crate) mod sessions;
pub(crate) mod setup;
pub(crate) mod sign_in;
pub(crate) mod sign_up;
pub(crate) mod stats;
pub(crate) mod sweep;
pub(crate) mod webhooks;
