//! A refused field of a request.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};
use vestibule::{EmailError, PasswordError, RolesError, UserNameError};

use crate::catalogue::Code;

/// A refused field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldError {
    /// Its place in the body (RFC 6901).
    pub pointer: Cow<'static, str>,
    /// What is wrong with it.
    pub code: Code,
    /// The same in a sentence.
    pub detail: Cow<'static, str>,
    /// The numbers in the sentence.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub params: Map<String, Value>,
}

impl FieldError {
    /// `pointer` is refused because of `code`.
    pub fn new(pointer: impl Into<Cow<'static, str>>, code: Code) -> Self {
        let detail = Cow::Borrowed(code.entry().cause);
        Self { pointer: pointer.into(), code, detail, params: Map::new() }
    }

    #[must_use]
    fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = detail.into();
        self
    }

    #[must_use]
    fn param(mut self, name: &str, value: usize) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn roles(pointer: &'static str, error: RolesError) -> Self {
        match error {
            RolesError::Malformed { index } => Self::new(format!("{pointer}/{index}"), Code::RoleInvalid),
            RolesError::TooMany => Self::new(pointer, Code::RolesTooMany),
        }
    }

    pub(crate) fn email(pointer: &'static str, error: EmailError) -> Self {
        Self::new(
            pointer,
            match error {
                EmailError::TooLong => Code::EmailTooLong,
                EmailError::Malformed => Code::EmailInvalid,
            },
        )
    }

    pub(crate) fn user_name(pointer: &'static str, error: UserNameError) -> Self {
        Self::new(
            pointer,
            match error {
                UserNameError::Length => Code::UserNameLength,
                UserNameError::Malformed => Code::UserNameInvalid,
                UserNameError::Reserved => Code::UserNameReserved,
            },
        )
    }

    pub(crate) fn password(pointer: &'static str, error: &PasswordError) -> Self {
        let detail = error.to_string();
        let of = |code| Self::new(pointer, code).detail(detail);
        match error {
            PasswordError::TooShort { min } => of(Code::PasswordTooShort).param("min", *min),
            PasswordError::TooLong { max } => of(Code::PasswordTooLong).param("max", *max),
            PasswordError::Malformed => of(Code::PasswordInvalid),
            PasswordError::TooCommon => of(Code::PasswordTooCommon),
            PasswordError::Contextual => of(Code::PasswordContextual),
            PasswordError::Unchanged => of(Code::PasswordUnchanged),
            PasswordError::Guessable { .. } => of(Code::PasswordGuessable),
        }
    }
}
