//! The secrets that sign webhooks.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hmac;
use data_encoding::BASE64;

const PREFIX: &str = "whsec_";
const SECRETS_MAX: usize = 4;

/// One secret, or several while receivers change from one to the next: each signs. `Debug` does not show them.
#[derive(Clone)]
pub struct WebhookSecrets(Vec<hmac::Key>);

/// Why a text is not a [`WebhookSecrets`]. Never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookSecretsError {
    /// Not the prefix and base64, too short, or too long.
    #[error("a secret is `whsec_` and 24 to 64 random bytes in base64")]
    Malformed,
    /// Too regular to be random.
    #[error("the secret is an example, not random bytes")]
    Example,
    /// None, or more than such a change needs.
    #[error("there must be 1 to 4 secrets, with spaces between them")]
    Number,
}

impl FromStr for WebhookSecrets {
    type Err = WebhookSecretsError;

    /// # Errors
    /// [`WebhookSecretsError`] for the first invalid secret.
    fn from_str(text: &str) -> Result<Self, WebhookSecretsError> {
        let keys = text.split_whitespace().map(key).collect::<Result<Vec<_>, _>>()?;
        if (1..=SECRETS_MAX).contains(&keys.len()) {
            Ok(Self(keys))
        } else {
            Err(WebhookSecretsError::Number)
        }
    }
}

fn key(text: &str) -> Result<hmac::Key, WebhookSecretsError> {
    let bytes = text.strip_prefix(PREFIX).and_then(|code| BASE64.decode(code.as_bytes()).ok());
    let bytes =
        bytes.filter(|bytes| (24..=64).contains(&bytes.len())).ok_or(WebhookSecretsError::Malformed)?;
    let different: std::collections::BTreeSet<u8> = bytes.iter().copied().collect();
    if different.len() < 12 {
        return Err(WebhookSecretsError::Example);
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

impl WebhookSecrets {
    /// The value of `webhook-signature`: `v1,` and the HMAC-SHA-256 of `id.timestamp.body`, once per secret.
    pub(super) fn sign(&self, id: &str, at: i64, body: &str) -> String {
        let message = format!("{id}.{at}.{body}");
        let sign = |key| format!("v1,{}", BASE64.encode(hmac::sign(key, message.as_bytes()).as_ref()));
        self.0.iter().map(sign).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[webhook secrets]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    // The example that implementations of Standard Webhooks use as a test.
    #[test]
    fn the_published_example_is_signed_alike() {
        let secrets: WebhookSecrets = PUBLISHED.parse().unwrap();
        let signed = secrets.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_quoted() {
        let refused = |text: &str| text.parse::<WebhookSecrets>().unwrap_err();
        let of = |bytes: &[u8]| format!("whsec_{}", BASE64.encode(bytes));
        let counted: Vec<u8> = (0..65).collect();
        assert!(of(&counted[..24]).parse::<WebhookSecrets>().is_ok());
        assert!(of(&counted[..64]).parse::<WebhookSecrets>().is_ok());
        for wrong in [&of(&counted[..23]), &of(&counted), "hunter2", "whsec_hunter2!", &PUBLISHED[6..]] {
            assert_eq!(refused(wrong), WebhookSecretsError::Malformed, "{wrong}");
        }
        assert_eq!(refused(&of(&[7; 32])), WebhookSecretsError::Example);
        assert_eq!(refused(" "), WebhookSecretsError::Number);
        assert_eq!(refused(&[PUBLISHED; 5].join(" ")), WebhookSecretsError::Number);
        assert_eq!(format!("{:?}", PUBLISHED.parse::<WebhookSecrets>().unwrap()), "[webhook secrets]");
    }
}
