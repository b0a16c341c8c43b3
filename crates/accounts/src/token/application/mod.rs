//! Tokens of applications: for resources (RFC 9068), and about a sign-in (OpenID Connect Core §2).

pub(crate) mod access_token;
pub(crate) mod assertion;
pub(crate) mod id_token;
pub(crate) mod logout_token;
pub(crate) mod recipient;
