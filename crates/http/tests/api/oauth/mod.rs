//! The routes of OAuth 2 and OpenID Connect.

pub(crate) mod assertions;
pub(crate) mod client;
mod code;
mod grants;
mod inspection;
mod introspect;
pub(crate) mod logouts;
mod machine;
mod metadata;
mod origins;
mod refresh;
mod token;
mod user_info;
