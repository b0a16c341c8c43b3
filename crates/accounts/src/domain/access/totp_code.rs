//! The digits that an authenticator app shows.

use std::str::FromStr;

use crate::domain::secret::Secret;

/// Six ASCII digits of an authenticator app (RFC 6238), nothing else.
#[derive(Clone, Debug)]
pub struct TotpCode(Secret);

/// The text is not six ASCII digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code of an authenticator app is made of 6 digits")]
pub struct TotpCodeError;

impl FromStr for TotpCode {
    type Err = TotpCodeError;

    fn from_str(text: &str) -> Result<Self, TotpCodeError> {
        let is_code = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_code.then(|| Self(Secret::from(text))).ok_or(TotpCodeError)
    }
}

impl TotpCode {
    pub(crate) fn digits(&self) -> &str {
        self.0.expose()
    }
}
