//! Access tokens of applications: the profile RFC 9068. What tells them from this service's own is their `client_id`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::application::id::OWN;
use crate::domain::application::registered::Application;
use crate::domain::application::scope::{OPENID, Scopes};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::env::Env;
use crate::token::application::recipient::Recipient;
use crate::token::jwt::{self, Issued, Issuer, Refused};
use crate::token::keys::KeySet;

/// The type of RFC 9068 §2.1.
const TYPE: &str = "at+jwt";

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AccessClaims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    iat: i64,
    jti: String,
    client_id: String,
    scope: String,
    /// Not in the tokens of machines, like the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amr: Option<Vec<String>>,
    /// Only where the token is for a resource: the application itself has no use for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<String>>,
}

/// RFC 7519 §4.1.3: one, or several.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl From<Vec<String>> for Audience {
    fn from(mut all: Vec<String>) -> Self {
        match (all.pop(), all.is_empty()) {
            (Some(one), true) => Self::One(one),
            (last, _) => Self::Several(all.into_iter().chain(last).collect()),
        }
    }
}

impl AccessClaims {
    /// For a user's session. With `openid` it opens the user info, too.
    pub(crate) fn of_user(issuer: &Issuer, env: &Env, to: &Recipient, now: Timestamp) -> Self {
        let of = &to.of;
        let opens_user_info = of.scopes.has(OPENID) || of.resource.is_none();
        let user_info = opens_user_info.then(|| user_info_uri(issuer));
        Self {
            sub: to.account.id.to_string(),
            aud: of.resource.clone().into_iter().chain(user_info).collect::<Vec<_>>().into(),
            sid: Some(to.session.to_string()),
            auth_time: Some(to.auth_time.as_seconds()),
            amr: Some(to.amr.names().into_iter().map(str::to_owned).collect()),
            roles: of.resource.is_some().then(|| to.account.roles.clone()),
            ..Self::new(issuer, env, &of.id, &of.scopes, now)
        }
    }

    /// For an application itself (RFC 6749 §4.4).
    pub(crate) fn of_machine(
        issuer: &Issuer,
        env: &Env,
        application: &Application,
        scopes: &Scopes,
        resource: Option<String>,
        now: Timestamp,
    ) -> Self {
        let id = application.id.as_str();
        let audience = resource.unwrap_or_else(|| issuer.name().to_owned());
        Self { sub: id.to_owned(), aud: Audience::One(audience), ..Self::new(issuer, env, id, scopes, now) }
    }

    fn new(issuer: &Issuer, env: &Env, client_id: &str, scopes: &Scopes, now: Timestamp) -> Self {
        Self {
            iss: issuer.name().to_owned(),
            sub: String::new(),
            aud: Audience::Several(Vec::new()),
            exp: (now + issuer.lifetime()).as_seconds(),
            iat: now.as_seconds(),
            jti: data_encoding::BASE64URL_NOPAD.encode(&env.random::<16>()),
            client_id: client_id.to_owned(),
            scope: scopes.to_string(),
            sid: None,
            auth_time: None,
            amr: None,
            roles: None,
        }
    }
}

/// Where a token with `openid` is good.
pub(crate) fn user_info_uri(issuer: &Issuer) -> String {
    format!("{}/v1/userinfo", issuer.name())
}

/// An access token of an application whose signature, issuer and time are right.
#[derive(Clone, Debug)]
pub(crate) struct VerifiedAccess {
    /// The key that signed it.
    pub(crate) key: String,
    pub(crate) client_id: String,
    /// What it is for.
    pub(crate) audience: Vec<String>,
    pub(crate) scopes: Scopes,
    pub(crate) whose: Whose,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Whom an access token speaks for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    User { user: UserId, session: SessionId },
    Machine,
}

/// Signs the claims, with more that are only carried.
pub(crate) fn sign(
    keys: &KeySet,
    checked: &AccessClaims,
    carried: &Map<String, Value>,
    now: Timestamp,
) -> Option<Secret> {
    jwt::sign(keys, TYPE, &Issued { checked, carried }, now)
}

/// Checks everything but what the store knows.
pub(crate) fn verify(
    issuer: &Issuer,
    keys: &KeySet,
    token: &str,
    now: Timestamp,
) -> Result<VerifiedAccess, Refused> {
    let (key, claims) = jwt::open::<AccessClaims>(keys, TYPE, token, now)?;
    read(issuer, key, claims)
        .filter(|read| issuer.is_in_time(read.issued_at, read.expires_at, now))
        .ok_or(Refused::Invalid)
}

fn read(issuer: &Issuer, key: String, claims: AccessClaims) -> Option<VerifiedAccess> {
    let seconds = |seconds: i64| seconds.checked_mul(1000).map(Timestamp::from_millis);
    if claims.iss != issuer.name() || claims.client_id == OWN {
        return None;
    }
    let whose = match &claims.sid {
        Some(session) => Whose::User { user: claims.sub.parse().ok()?, session: session.parse().ok()? },
        None if claims.sub == claims.client_id => Whose::Machine,
        None => return None,
    };
    Some(VerifiedAccess {
        key,
        audience: match claims.aud {
            Audience::One(one) => vec![one],
            Audience::Several(several) => several,
        },
        scopes: claims.scope.parse().ok()?,
        client_id: claims.client_id,
        whose,
        issued_at: seconds(claims.iat)?,
        expires_at: seconds(claims.exp)?,
    })
}
