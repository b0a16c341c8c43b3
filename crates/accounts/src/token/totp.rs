//! Codes of authenticator apps: HMAC-SHA-1 of the number of half minutes since 1970, cut to six digits (RFC 4226, RFC 6238).
//! Every app computes these; other hashes and lengths are ignored by some.

use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::domain::access::totp_code::TotpCode;
use crate::domain::ids::UserId;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::token::root::{Opened, RootKeys};

/// How long a code counts, in milliseconds.
const STEP_MILLIS: i64 = 30_000;
const DIGITS: u32 = 6;
/// The length that RFC 4226 §4 recommends.
pub(crate) const SECRET_OCTETS: usize = 20;

/// What goes into an `otpauth` address as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What an authenticator app and the server share.
pub(crate) struct TotpSecret(Zeroizing<Vec<u8>>);

impl TotpSecret {
    pub(crate) fn new(random: [u8; SECRET_OCTETS]) -> Self {
        Self(Zeroizing::new(random.to_vec()))
    }

    /// The step whose code this is: the present one, or the one before, which somebody may still be typing.
    pub(crate) fn step_of(&self, code: &TotpCode, now: Timestamp) -> Option<i64> {
        let present = now.as_millis().div_euclid(STEP_MILLIS);
        let mut found = None;
        for step in [present - 1, present] {
            let is: bool = self.code(step).as_bytes().ct_eq(code.digits().as_bytes()).into();
            found = if is { Some(step) } else { found };
        }
        found
    }

    fn code(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().map_or(0, |last| last & 0xf));
        let four = tag.get(offset..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
        let number = (u32::from_be_bytes(four) & 0x7fff_ffff) % 10_u32.pow(DIGITS);
        format!("{number:06}")
    }

    /// The secret as people type it: base 32 (RFC 4648 §6).
    pub(crate) fn text(&self) -> Secret {
        Secret::from(BASE32_NOPAD.encode(&self.0))
    }

    /// What the QR code holds: the address format of Google Authenticator, which every app reads.
    pub(crate) fn uri(&self, issuer: &str, account: &str) -> Secret {
        let encoded = |text| utf8_percent_encode(text, PLAIN);
        let (issuer, account, secret) = (encoded(issuer), encoded(account), self.text());
        Secret::from(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period=30",
            secret.expose()
        ))
    }

    /// The secret for the database, which only this user's row opens again.
    pub(crate) fn seal(&self, root: &RootKeys, user: UserId) -> Option<Vec<u8>> {
        root.wrap.wrap(&label(user), &self.0)
    }

    /// What [`seal`](Self::seal) made, under the secret key of now or the one before.
    pub(crate) fn unseal(root: &RootKeys, user: UserId, sealed: &[u8]) -> Option<Self> {
        let (Opened::Current(plain) | Opened::Previous(plain)) = root.wrap.unwrap(&label(user), sealed)?;
        Some(Self(plain))
    }
}

fn label(user: UserId) -> String {
    format!("authenticator of {user}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret_key::SecretKey;

    fn of(text: &str) -> TotpSecret {
        TotpSecret(Zeroizing::new(text.as_bytes().to_vec()))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn code(text: &str) -> TotpCode {
        text.parse().unwrap()
    }

    // RFC 6238, Appendix B: the rows of SHA-1, the last six of the eight digits.
    #[test]
    fn the_vectors_of_the_rfc() {
        let secret = of("12345678901234567890");
        for (seconds, digits) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret.code(seconds / 30), digits);
            assert_eq!(secret.step_of(&code(digits), at(seconds)), Some(seconds / 30));
        }
    }

    #[test]
    fn a_code_counts_for_its_step_and_the_next() {
        let secret = of("12345678901234567890");
        let of_step = code(&secret.code(100));
        for (seconds, found) in [(2_999, None), (3_000, Some(100)), (3_059, Some(100)), (3_060, None)] {
            assert_eq!(secret.step_of(&of_step, at(seconds)), found, "{seconds}");
        }
    }

    #[test]
    fn the_address_for_apps_is_encoded() {
        let uri = of("12345678901234567890").uri("Bücher & Co", "ada+x@example.org");
        assert_eq!(
            uri.expose(),
            "otpauth://totp/B%C3%BCcher%20%26%20Co:ada%2Bx%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=B%C3%BCcher%20%26%20Co&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn a_secret_opens_for_its_user_only() {
        let root = RootKeys::derive(&SecretKey(Zeroizing::new([7; 32])));
        let (ada, eve) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
        let sealed = of("12345678901234567890").seal(&root, ada).unwrap();
        assert!(!sealed.windows(4).any(|four| four == b"1234"));
        assert_eq!(*TotpSecret::unseal(&root, ada, &sealed).unwrap().0, b"12345678901234567890");
        assert!(TotpSecret::unseal(&root, eve, &sealed).is_none());
    }
}
