//! Applications that send people here to sign in: what they may ask, what they get, and how users take it back.

pub(crate) mod access;
pub(crate) mod allowed;
pub(crate) mod assertion;
pub(crate) mod authenticate;
pub(crate) mod authorization;
pub(crate) mod find;
pub(crate) mod grants;
pub(crate) mod machine;
pub(crate) mod parent;
pub(crate) mod refresh;
pub(crate) mod remembered;
pub(crate) mod revoke;
pub(crate) mod sign_out;
pub(crate) mod tokens;
mod user_grants;
pub(crate) mod user_info;
