//! Applications: who may send people here to sign in, and what they get (OAuth 2, OpenID Connect). Their own term,
//! "client", names whoever sends a request elsewhere in this crate.

pub(crate) mod check;
pub(crate) mod grant;
pub(crate) mod id;
pub(crate) mod keys;
pub(crate) mod redirect_uri;
pub(crate) mod registered;
pub(crate) mod remembered;
pub(crate) mod request;
pub(crate) mod scope;
