//! Applications, what users allow them, and requests and codes on their way.

pub(crate) mod assertions;
pub(crate) mod codes;
pub(crate) mod grants;
pub(crate) mod registered;
pub(crate) mod requests;
pub(crate) mod sessions;
