//! From the request of an application to the code that it exchanges for tokens (RFC 6749 §4.1, with PKCE always).

pub(crate) mod check;
pub(crate) mod consent;
pub(crate) mod decide;
pub(crate) mod issue;
pub(crate) mod keep;
pub(crate) mod redeem;
pub(crate) mod redeemed;
