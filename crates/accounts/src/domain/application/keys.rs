//! The public keys of an application (RFC 7517): it signs with their private parts to show that it is itself (RFC 7523).

use std::collections::BTreeSet;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};

/// Octets of a set.
const OCTETS_MAX: usize = 4 * 1024;
const KEYS_MAX: usize = 4;
/// Octets of a `kid`.
const ID_OCTETS_MAX: usize = 64;
const COORDINATE_OCTETS: usize = 32;
/// An uncompressed point (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;
/// Members that only keys have that must not leave the application (RFC 7518 §6.2.2, §6.3.2, RFC 8037 §2).
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// Why a set of keys is not accepted. Keys are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplicationKeysError {
    /// The text is longer than 4 KiB.
    #[error("is longer than 4 KiB")]
    TooLong,
    /// It is no JWK Set.
    #[error("is not a JWK Set: an object whose member `keys` is a list of objects")]
    Malformed,
    /// It has no key, or more than four.
    #[error("has {0} keys: 1 to 4 are possible")]
    Count(usize),
    /// A key has private parts, which only the application may know.
    #[error("has private parts in key {0}: give the public key alone, and replace the pair")]
    Private(usize),
    /// A key is a shared secret.
    #[error("has a symmetric key, key {0}: whoever knows it could sign, too")]
    Symmetric(usize),
    /// A key is for RSA.
    #[error("has an RSA key, key {0}: make one for EdDSA (Ed25519) or ES256 (P-256)")]
    Rsa(usize),
    /// A key is of another kind.
    #[error("has a key that is neither `OKP` on Ed25519 nor `EC` on P-256: key {0}")]
    Kind(usize),
    /// A key is not for signatures of its kind.
    #[error("has a key that is not for signatures of its kind: `use`, `key_ops` or `alg` of key {0}")]
    Purpose(usize),
    /// The public part of a key is not on its curve.
    #[error("has no public key on the curve in key {0}: `x` and `y` are 32 octets each, in base64url")]
    Point(usize),
    /// A `kid` is not 1 to 64 visible ASCII characters.
    #[error("has a `kid` that is not 1 to 64 visible ASCII characters: key {0}")]
    Id(usize),
    /// Two keys have one `kid`.
    #[error("has two keys with the `kid` {0}")]
    Twice(String),
}

/// What a key signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApplicationKeyKind {
    /// `EdDSA` on Ed25519.
    Ed25519,
    /// `ES256`, on P-256.
    P256,
}

/// A public key of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApplicationKey {
    /// Its `kid`.
    pub(crate) id: Option<String>,
    pub(crate) kind: ApplicationKeyKind,
    /// 32 octets, or the 65 of an uncompressed point.
    pub(crate) public: Vec<u8>,
}

/// The public keys of an application, at most four; none is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApplicationKeys(Vec<ApplicationKey>);

impl ApplicationKeys {
    /// Reads a JWK Set (RFC 7517 §5). What is not needed of a key is left out.
    ///
    /// # Errors
    /// [`ApplicationKeysError`], about the first key that is not possible.
    pub fn new(jwks: &str) -> Result<Self, ApplicationKeysError> {
        if jwks.len() > OCTETS_MAX {
            return Err(ApplicationKeysError::TooLong);
        }
        let set: Value = serde_json::from_str(jwks).map_err(|_| ApplicationKeysError::Malformed)?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(ApplicationKeysError::Malformed)?;
        if !(1..=KEYS_MAX).contains(&keys.len()) {
            return Err(ApplicationKeysError::Count(keys.len()));
        }
        let read = |(index, key): (usize, &Value)| {
            let key = key.as_object().ok_or(ApplicationKeysError::Malformed)?;
            ApplicationKey::read(key, index + 1)
        };
        let keys: Vec<ApplicationKey> = keys.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        let mut ids = BTreeSet::new();
        match keys.iter().filter_map(|key| key.id.as_ref()).find(|id| !ids.insert(*id)) {
            Some(id) => Err(ApplicationKeysError::Twice(id.clone())),
            None => Ok(Self(keys)),
        }
    }

    /// The keys.
    pub(crate) fn all(&self) -> impl Iterator<Item = &ApplicationKey> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The JWK Set; `None`: there is no key.
    pub fn jwks(&self) -> Option<Value> {
        let keys: Vec<Value> = self.0.iter().map(ApplicationKey::jwk).collect();
        (!keys.is_empty()).then(|| json!({ "keys": keys }))
    }
}

impl ApplicationKey {
    fn read(key: &Map<String, Value>, number: usize) -> Result<Self, ApplicationKeysError> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        if PRIVATE.iter().any(|name| key.contains_key(*name)) {
            return Err(ApplicationKeysError::Private(number));
        }
        let kind = match (text("kty"), text("crv")) {
            (Some("OKP"), Some("Ed25519")) => ApplicationKeyKind::Ed25519,
            (Some("EC"), Some("P-256")) => ApplicationKeyKind::P256,
            (Some("oct"), _) => return Err(ApplicationKeysError::Symmetric(number)),
            (Some("RSA"), _) => return Err(ApplicationKeysError::Rsa(number)),
            _ => return Err(ApplicationKeysError::Kind(number)),
        };
        let is = |name: &str, value: &str| key.get(name).is_none_or(|found| found.as_str() == Some(value));
        let verify = |all: &Vec<Value>| all.iter().any(|one| one == "verify");
        let verifies = key.get("key_ops").is_none_or(|found| found.as_array().is_some_and(verify));
        if !is("use", "sig") || !is("alg", kind.algorithm()) || !verifies {
            return Err(ApplicationKeysError::Purpose(number));
        }
        let point = ApplicationKeysError::Point(number);
        let coordinate = |name: &str| text(name).and_then(coordinate);
        let public = match kind {
            ApplicationKeyKind::Ed25519 => coordinate("x"),
            ApplicationKeyKind::P256 => {
                let both = coordinate("x").zip(coordinate("y"));
                both.map(|(x, y)| [vec![UNCOMPRESSED], x, y].concat())
            }
        };
        let public = public.filter(|public| kind.is_point(public)).ok_or(point)?;
        Ok(Self { id: read_id(key.get("kid"), number)?, kind, public })
    }

    fn jwk(&self) -> Value {
        let text = |octets: &[u8]| BASE64URL_NOPAD.encode(octets);
        let mut jwk = match self.kind {
            ApplicationKeyKind::Ed25519 => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(&self.public) }),
            ApplicationKeyKind::P256 => {
                let (x, y) = self
                    .public
                    .get(1..)
                    .unwrap_or_default()
                    .split_at(COORDINATE_OCTETS.min(self.public.len() / 2));
                json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) })
            }
        };
        if let Some(id) = &self.id {
            jwk["kid"] = id.as_str().into();
        }
        jwk["alg"] = self.kind.algorithm().into();
        jwk["use"] = "sig".into();
        jwk
    }
}

impl ApplicationKeyKind {
    /// The `alg` of its signatures.
    const fn algorithm(self) -> &'static str {
        match self {
            Self::Ed25519 => "EdDSA",
            Self::P256 => "ES256",
        }
    }

    fn is_point(self, public: &[u8]) -> bool {
        match self {
            Self::Ed25519 => ParsedPublicKey::new(&ED25519, public).is_ok(),
            Self::P256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).is_ok(),
        }
    }
}

/// A coordinate keeps its leading zeros (RFC 7518 §6.2.1.2, RFC 8037 §2).
fn coordinate(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok().filter(|octets| octets.len() == COORDINATE_OCTETS)
}

fn read_id(kid: Option<&Value>, number: usize) -> Result<Option<String>, ApplicationKeysError> {
    let Some(kid) = kid else { return Ok(None) };
    let is_id =
        |id: &&str| (1..=ID_OCTETS_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    let id = kid.as_str().filter(is_id).ok_or(ApplicationKeysError::Id(number))?;
    Ok(Some(id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 8037, appendix A.2, and RFC 7517, appendix A.1.
    const ED: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;

    fn set(keys: &[&str]) -> String {
        format!("{{\"keys\":[{}]}}", keys.join(","))
    }

    /// The key with these members in it.
    fn with(key: &str, members: &str) -> String {
        set(&[&format!("{},{members}}}", key.trim_end_matches('}'))])
    }

    #[test]
    fn keys_are_read_and_written_again() {
        let full = r#""kid":"2026-03","use":"sig","key_ops":["verify"],"x5t":"ignored""#;
        for text in [set(&[ED]), set(&[EC]), set(&[ED, EC, ED, ED]), with(ED, full), with(EC, full)] {
            let keys = ApplicationKeys::new(&text).unwrap();
            let written = keys.jwks().unwrap();
            assert_eq!(ApplicationKeys::new(&written.to_string()).as_ref(), Ok(&keys), "{text}");
            assert!(!written.to_string().contains("ignored"));
            assert_eq!(written["keys"][0]["kid"].as_str().is_some(), text.contains("2026-03"));
        }
        let written = ApplicationKeys::new(&set(&[EC])).unwrap().jwks().unwrap();
        assert_eq!(written["keys"][0]["y"], "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM");
        assert_eq!((&written["keys"][0]["alg"], ApplicationKeys::default().jwks()), (&"ES256".into(), None));
    }

    #[test]
    fn each_mistake_is_named() {
        use ApplicationKeysError as E;
        let twice = r#""kid":"a""#;
        let ed_a = format!("{},{twice}}}", ED.trim_end_matches('}'));
        let rsa = r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#;
        for (text, error) in [
            (format!("{}{}", set(&[ED]), " ".repeat(OCTETS_MAX)), E::TooLong),
            ("[]".to_owned(), E::Malformed),
            ("hunter2".to_owned(), E::Malformed),
            (r#"{"keys":{}}"#.to_owned(), E::Malformed),
            (set(&["1"]), E::Malformed),
            (ED.to_owned(), E::Malformed),
            (set(&[]), E::Count(0)),
            (set(&[ED; 5]), E::Count(5)),
            (with(ED, r#""d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A""#), E::Private(1)),
            (set(&[ED, r#"{"kty":"RSA","n":"AQAB","e":"AQAB","p":"AQAB"}"#]), E::Private(2)),
            (set(&[r#"{"kty":"oct","k":"c2VjcmV0"}"#]), E::Symmetric(1)),
            (set(&[ED, rsa]), E::Rsa(2)),
            (set(&[r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#]), E::Kind(1)),
            (set(&[r#"{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}"#]), E::Kind(1)),
            (set(&["{}"]), E::Kind(1)),
            (with(ED, r#""use":"enc""#), E::Purpose(1)),
            (with(ED, r#""alg":"ES256""#), E::Purpose(1)),
            (with(ED, r#""alg":1"#), E::Purpose(1)),
            (with(EC, r#""key_ops":["sign"]"#), E::Purpose(1)),
            (set(&[r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#]), E::Point(1)),
            (set(&[&EC.replace("MKBC", "AAAA")]), E::Point(1)),
            (set(&[&EC.replace("\"y\"", "\"z\"")]), E::Point(1)),
            (with(ED, r#""kid":"""#), E::Id(1)),
            (with(ED, r#""kid":"a b""#), E::Id(1)),
            (with(ED, r#""kid":7"#), E::Id(1)),
            (with(ED, &format!("\"kid\":\"{}\"", "k".repeat(65))), E::Id(1)),
            (set(&[&ed_a, EC, &ed_a]), E::Twice("a".to_owned())),
        ] {
            assert_eq!(ApplicationKeys::new(&text), Err(error), "{text}");
        }
    }
}
