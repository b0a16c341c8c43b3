//! Assertions with which applications authenticate: JWTs that they sign themselves (RFC 7523 §3, OpenID Connect Core §9).

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::crypto::verify;
use jsonwebtoken::{Algorithm, DecodingKey, Header, decode_header};
use serde::Deserialize;
use serde_json::Number;

use crate::domain::application::id::ApplicationId;
use crate::domain::application::keys::{ApplicationKey, ApplicationKeyKind, ApplicationKeys};
use crate::domain::time::Timestamp;

/// Longer ones are refused unread.
const OCTETS_MAX: usize = 4 * 1024;
const JTI_OCTETS_MAX: usize = 128;
/// An assertion is for one request, made now.
const LIFETIME_MAX: Duration = Duration::from_mins(5);
/// How far the clock of an application may be ahead.
const LEEWAY: Duration = Duration::from_secs(30);
const TYPES: [&str; 2] = ["JWT", "client-authentication+jwt"];

/// What is wrong with the form of an assertion. Whether there is such an application, and which keys it has, counts for none of
/// these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionInvalid {
    /// It is longer than 4 KiB.
    #[error("the assertion is longer than 4 KiB")]
    TooLong,
    /// It is no JWT that could be signed here.
    #[error("the assertion is not a JWT signed with EdDSA or ES256")]
    Malformed,
    /// Its header demands something that is not understood, or brings a key.
    #[error("the header of the assertion has more than `alg`, `typ` and `kid`")]
    Header,
    /// It is a token of another type.
    #[error("the `typ` of the assertion is neither `JWT` nor `client-authentication+jwt`")]
    Type,
    /// It is not about the application itself.
    #[error("`iss` and `sub` of the assertion must both be the `client_id`")]
    Client,
    /// It is for somebody else, or not for this service alone.
    #[error(
        "the `aud` of the assertion must be the issuer or the address of the token endpoint, and nothing else"
    )]
    Audience,
    /// It has no end, or one that is no number.
    #[error("the assertion has no `exp`")]
    Endless,
    /// It is over.
    #[error("the assertion has expired")]
    Expired,
    /// It would work for too long.
    #[error("the `exp` of the assertion is more than 5 minutes ahead")]
    TooLasting,
    /// Its time has not come.
    #[error("the `nbf` or `iat` of the assertion is in the future")]
    NotYet,
    /// It has no name of its own.
    #[error("the `jti` of the assertion must have 1 to 128 octets")]
    Id,
}

#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    exp: Option<Number>,
    nbf: Option<Number>,
    iat: Option<Number>,
    jti: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// An assertion whose form is right; its signature has not been checked.
#[derive(Clone, Debug)]
pub(crate) struct Assertion {
    /// Who it says it is.
    pub(crate) application: ApplicationId,
    pub(crate) jti: String,
    pub(crate) expires_at: Timestamp,
    kind: ApplicationKeyKind,
    /// The name of the key, where it has one.
    key: Option<String>,
    token: String,
}

impl Assertion {
    /// Reads one that is for `audiences`; `named` is the `client_id` that came with it.
    pub(crate) fn read(
        token: &str,
        named: Option<&str>,
        audiences: &[String],
        now: Timestamp,
    ) -> Result<Self, AssertionInvalid> {
        if token.len() > OCTETS_MAX {
            return Err(AssertionInvalid::TooLong);
        }
        let header = decode_header(token).map_err(|_| AssertionInvalid::Malformed)?;
        let kind = kind_of(&header)?;
        let claims = claims(token).ok_or(AssertionInvalid::Malformed)?;
        let application = claims
            .sub
            .filter(|sub| claims.iss.as_ref() == Some(sub) && named.is_none_or(|named| named == sub));
        let application = application.and_then(|id| id.parse().ok()).ok_or(AssertionInvalid::Client)?;
        let is_here = match &claims.aud {
            Some(Audience::One(one)) => audiences.contains(one),
            Some(Audience::Several(all)) => matches!(all.as_slice(), [one] if audiences.contains(one)),
            None => false,
        };
        if !is_here {
            return Err(AssertionInvalid::Audience);
        }
        let expires_at = claims.exp.as_ref().and_then(time).ok_or(AssertionInvalid::Endless)?;
        if expires_at <= now {
            return Err(AssertionInvalid::Expired);
        }
        if expires_at > now + LIFETIME_MAX {
            return Err(AssertionInvalid::TooLasting);
        }
        let has_come =
            |at: &Option<Number>| at.as_ref().is_none_or(|at| time(at).is_some_and(|at| at <= now + LEEWAY));
        if !has_come(&claims.nbf) || !has_come(&claims.iat) {
            return Err(AssertionInvalid::NotYet);
        }
        let jti = claims.jti.filter(|jti| (1..=JTI_OCTETS_MAX).contains(&jti.len()));
        let jti = jti.ok_or(AssertionInvalid::Id)?;
        Ok(Self { application, jti, expires_at, kind, key: header.kid, token: token.to_owned() })
    }

    /// Whether one of these keys has signed it: the one that it names, or else any of its kind.
    pub(crate) fn is_signed_with(&self, keys: &ApplicationKeys) -> bool {
        let Some((signed, signature)) = self.token.rsplit_once('.') else { return false };
        let is_meant =
            |key: &&ApplicationKey| key.kind == self.kind && (self.key.is_none() || self.key == key.id);
        keys.all().filter(is_meant).any(|key| {
            let (verifier, algorithm) = match key.kind {
                ApplicationKeyKind::Ed25519 => (DecodingKey::from_ed_der(&key.public), Algorithm::EdDSA),
                ApplicationKeyKind::P256 => (DecodingKey::from_ec_der(&key.public), Algorithm::ES256),
            };
            verify(signature, signed.as_bytes(), &verifier, algorithm).unwrap_or(false)
        })
    }
}

/// What it is signed with, if its header has no unknown demands (RFC 7515 §4.1.11).
fn kind_of(header: &Header) -> Result<ApplicationKeyKind, AssertionInvalid> {
    let kind = match header.alg {
        Algorithm::EdDSA => ApplicationKeyKind::Ed25519,
        Algorithm::ES256 => ApplicationKeyKind::P256,
        _ => return Err(AssertionInvalid::Malformed),
    };
    let is_plain = header.crit.is_none()
        && header.enc.is_none()
        && header.zip.is_none()
        && header.jku.is_none()
        && header.jwk.is_none()
        && header.x5u.is_none()
        && header.x5c.is_none();
    if !is_plain {
        return Err(AssertionInvalid::Header);
    }
    let is_known = |typ: &String| TYPES.iter().any(|known| known.eq_ignore_ascii_case(typ));
    if header.typ.as_ref().is_some_and(|typ| !is_known(typ)) {
        return Err(AssertionInvalid::Type);
    }
    Ok(kind)
}

/// The claims of a JWT of three parts, which nobody has verified yet.
fn claims(token: &str) -> Option<Claims> {
    let (_, rest) = token.split_once('.')?;
    let (payload, signature) = rest.split_once('.')?;
    let payload = BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?;
    serde_json::from_slice(&payload).ok().filter(|_| !signature.contains('.'))
}

/// Seconds since 1970; a fraction of one is left out (RFC 7519 §2).
fn time(number: &Number) -> Option<Timestamp> {
    let text = number.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let seconds: i64 = whole.parse().ok().filter(|_| fraction.bytes().all(|b| b.is_ascii_digit()))?;
    seconds.checked_mul(1000).map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_numbers_of_seconds() {
        for (text, millis) in [
            ("1772357400", Some(1_772_357_400_000)),
            ("1772357400.75", Some(1_772_357_400_000)),
            ("0", Some(0)),
            ("-1", Some(-1000)),
            ("1.5e300", None),
            ("1e9", Some(1_000_000_000_000)),
            ("9223372036854775807", None),
            ("18446744073709551615", None),
        ] {
            let number: Number = serde_json::from_str(text).unwrap();
            assert_eq!(time(&number), millis.map(Timestamp::from_millis), "{text}");
        }
    }
}
