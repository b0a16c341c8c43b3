//! What the browser says a ceremony was about (WebAuthn L3 §5.8.1).

use data_encoding::BASE64URL_NOPAD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::error::{Part, PasskeyError};
use super::json::Object;

/// The members that are checked, each once; others are ignored, as §5.8.1.1 asks for.
#[derive(Deserialize)]
pub(crate) struct ClientData {
    /// `webauthn.create` or `webauthn.get`.
    #[serde(rename = "type")]
    pub(crate) ceremony: String,
    #[serde(deserialize_with = "decoded")]
    pub(crate) challenge: Vec<u8>,
    pub(crate) origin: String,
    #[serde(default, rename = "crossOrigin")]
    pub(crate) cross_origin: bool,
    /// Whether there is a `topOrigin`, whatever it is.
    #[serde(default, rename = "topOrigin", deserialize_with = "present")]
    pub(crate) has_top_origin: bool,
}

const MALFORMED: PasskeyError = PasskeyError::Malformed(Part::ClientData);

impl ClientData {
    pub(crate) fn read(json: &[u8]) -> Result<Self, PasskeyError> {
        // "UTF-8 decode" of the Encoding Standard drops a byte order mark (§7.1, §7.2).
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
        // Also what is ignored has to be text, which the parser would not look at.
        let json = str::from_utf8(json).map_err(|_| MALFORMED)?;
        serde_json::from_str(json).map(|Object(read)| read).map_err(|_| MALFORMED)
    }
}

fn decoded<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(serde::de::Error::custom)
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}
