//! How accounts are created: sign-up and its confirmation, invitations, the first administrator.

pub(crate) mod activation;
pub(crate) mod confirm;
pub(crate) mod confirmation_mail;
pub(crate) mod confirmed;
pub(crate) mod first_admin;
pub(crate) mod invitation;
pub(crate) mod resend;
pub(crate) mod sign_up;
pub(crate) mod waiting;
