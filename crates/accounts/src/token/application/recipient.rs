//! For whom and for what tokens are signed.

use serde_json::{Map, Value};

use crate::domain::access::amr::Amr;
use crate::domain::ids::SessionId;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::store::tables::application::sessions::OfApplication;

/// The session of an application.
pub(crate) struct Recipient {
    pub(crate) account: Account,
    pub(crate) session: SessionId,
    pub(crate) auth_time: Timestamp,
    pub(crate) amr: Amr,
    pub(crate) of: OfApplication,
    /// What its tokens say beyond their own claims; none of these has the name of one of those.
    pub(crate) carried: Map<String, Value>,
    /// Of the sign-in or refresh that an ID token tells of.
    pub(crate) login: Option<Login>,
}

/// What an ID token repeats from the request.
pub(crate) struct Login {
    pub(crate) nonce: Option<String>,
}
