//! The operations of administrators and operators.

pub(crate) mod account_limits;
pub(crate) mod app_data;
pub(crate) mod applications;
pub(crate) mod audit;
pub(crate) mod authority;
pub(crate) mod error;
pub(crate) mod list_users;
pub(crate) mod one_user;
pub(crate) mod outbox;
pub(crate) mod paging;
pub(crate) mod registrations;
pub(crate) mod signing_keys;
pub(crate) mod stats;
pub(crate) mod users;
pub(crate) mod ways_in;
