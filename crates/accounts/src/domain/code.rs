//! The code of a confirmation mail.

use std::str::FromStr;

use crate::domain::secret::Secret;

/// The digits of a confirmation mail: 4 to 8 ASCII digits, nothing else (S7).
#[derive(Clone, Debug)]
pub struct Code(Secret);

/// The text is not 4 to 8 ASCII digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code is made of 4 to 8 digits")]
pub struct CodeError;

impl Code {
    pub(crate) fn digits(&self) -> &Secret {
        &self.0
    }
}

impl FromStr for Code {
    type Err = CodeError;

    /// # Errors
    /// [`CodeError`]: other characters, spaces included, are not stripped.
    fn from_str(text: &str) -> Result<Self, CodeError> {
        let well_formed = (4..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if well_formed { Ok(Self(text.into())) } else { Err(CodeError) }
    }
}
