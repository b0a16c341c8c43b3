//! Logout tokens: that a session has ended, for one application (OpenID Connect Back-Channel Logout §2.4).

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::ids::{EventId, SessionId, UserId};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::token::jwt::{self, Issuer};
use crate::token::keys::KeySet;

/// Nothing else takes a token of this type.
const TYPE: &str = "logout+jwt";
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// Not longer than two minutes (§4): it is signed when it is sent.
const LIFETIME: Duration = Duration::from_mins(2);

/// The end of a session.
pub(crate) struct SessionEnd<'a> {
    /// Names what is told, however often it is.
    pub(crate) id: EventId,
    pub(crate) application: &'a str,
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
}

/// No `nonce`: with one it could pass for an ID token (§2.4).
#[derive(Serialize)]
struct LogoutClaims<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    sid: String,
    events: Value,
}

pub(crate) fn sign(issuer: &Issuer, keys: &KeySet, end: &SessionEnd<'_>, now: Timestamp) -> Option<Secret> {
    let claims = LogoutClaims {
        iss: issuer.name(),
        sub: end.user.to_string(),
        aud: end.application,
        iat: now.as_seconds(),
        exp: (now + LIFETIME).as_seconds(),
        jti: end.id.to_string(),
        sid: end.session.to_string(),
        events: json!({ EVENT: {} }),
    };
    jwt::sign(keys, TYPE, &claims, now)
}
