//! Reads the fields of a body or query one by one, and collects everything that is wrong with them.

use std::borrow::Cow;

use serde_json::{Map, Value};
use vestibule::{
    Code as ConfirmCode, DisplayName, Edit, Email, PasskeyName, Password, Policy, Reason, ReasonError,
    RecoveryCode, Roles, TotpCode, UserName,
};

use super::tree::Tree;
use crate::catalogue::Code;
use crate::problem::Problem;
use crate::problem::field_error::{FieldError, below};

/// A request type that can be read from fields.
pub(crate) trait ReadFields: Sized {
    /// `None` only after an error was added to `fields`.
    fn read(fields: &mut Fields<'_>) -> Option<Self>;
}

/// The fields that have not been read yet, and the errors so far.
pub(crate) struct Fields<'a> {
    sent: Vec<(String, Tree)>,
    errors: Vec<FieldError>,
    policy: &'a Policy,
}

impl<'a> Fields<'a> {
    /// Reads a whole `T`: any field left over is unknown, and one error refuses the request.
    pub(crate) fn read_all<T: ReadFields>(
        sent: Vec<(String, Tree)>,
        policy: &'a Policy,
    ) -> Result<T, Problem> {
        let mut fields = Self { sent, errors: Vec::new(), policy };
        let value = T::read(&mut fields);
        let unknown =
            fields.sent.iter().map(|(name, _)| FieldError::new(pointer_to(name), Code::UnknownField));
        fields.errors.extend(unknown);
        match value {
            Some(value) if fields.errors.is_empty() => Ok(value),
            _ => Err(Problem::fields(fields.errors)),
        }
    }

    /// The limits in force.
    pub(crate) fn policy(&self) -> &'a Policy {
        self.policy
    }

    pub(crate) fn refuse(&mut self, error: FieldError) {
        self.errors.push(error);
    }

    /// The text of a field, if it was sent. The outer `None` means that it was refused.
    #[expect(clippy::option_option, reason = "refused, absent and present are three things")]
    fn text(&mut self, pointer: &'static str) -> Option<Option<String>> {
        let name = pointer.trim_start_matches('/');
        let Some(at) = self.sent.iter().position(|(sent, _)| sent == name) else { return Some(None) };
        match self.sent.swap_remove(at).1 {
            Tree::Text(text) => Some(Some(text)),
            Tree::Object(_) | Tree::List(_) | Tree::Other(_) => {
                self.refuse(FieldError::new(pointer, Code::WrongType));
                None
            }
        }
    }

    /// A truth value; absent, it is `false`. `None` means that it was refused.
    pub(crate) fn flag(&mut self, pointer: &'static str) -> Option<bool> {
        let name = pointer.trim_start_matches('/');
        let Some(at) = self.sent.iter().position(|(sent, _)| sent == name) else { return Some(false) };
        if let Tree::Other(Value::Bool(value)) = self.sent.swap_remove(at).1 {
            return Some(value);
        }
        self.refuse(FieldError::new(pointer, Code::WrongType));
        None
    }

    /// An optional object, as JSON.
    #[expect(clippy::option_option, reason = "refused, absent and present are three things")]
    pub(crate) fn optional_object<T>(
        &mut self,
        pointer: &'static str,
        read: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Option<Option<T>> {
        let name = pointer.trim_start_matches('/');
        let Some(at) = self.sent.iter().position(|(sent, _)| sent == name) else { return Some(None) };
        let object = match self.sent.swap_remove(at).1 {
            object @ Tree::Object(_) => Ok(object.into_json().to_string()),
            Tree::Text(_) | Tree::List(_) | Tree::Other(_) => Err(FieldError::new(pointer, Code::WrongType)),
        };
        match object.and_then(|json| read(&json)) {
            Ok(value) => Some(Some(value)),
            Err(error) => {
                self.refuse(error);
                None
            }
        }
    }

    /// An optional list of texts.
    #[expect(clippy::option_option, reason = "refused, absent and present are three things")]
    pub(crate) fn optional_list<T>(
        &mut self,
        pointer: &'static str,
        read: impl FnOnce(&[String]) -> Result<T, FieldError>,
    ) -> Option<Option<T>> {
        let name = pointer.trim_start_matches('/');
        let Some(at) = self.sent.iter().position(|(sent, _)| sent == name) else { return Some(None) };
        let texts = texts(self.sent.swap_remove(at).1, pointer);
        match texts.and_then(|texts| read(&texts)) {
            Ok(value) => Some(Some(value)),
            Err(error) => {
                self.refuse(error);
                None
            }
        }
    }

    /// An optional object whose members are texts, in the order in which they came.
    #[expect(clippy::option_option, reason = "refused, absent and present are three things")]
    pub(crate) fn optional_texts<T>(
        &mut self,
        pointer: &'static str,
        read: impl FnOnce(&[(String, String)]) -> Result<T, FieldError>,
    ) -> Option<Option<T>> {
        let name = pointer.trim_start_matches('/');
        let Some(at) = self.sent.iter().position(|(sent, _)| sent == name) else { return Some(None) };
        let members = members(self.sent.swap_remove(at).1, pointer);
        match members.and_then(|members| read(&members)) {
            Ok(value) => Some(Some(value)),
            Err(error) => {
                self.refuse(error);
                None
            }
        }
    }

    /// An optional field.
    #[expect(clippy::option_option, reason = "refused, absent and present are three things")]
    pub(crate) fn optional<T>(
        &mut self,
        pointer: &'static str,
        read: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Option<Option<T>> {
        let Some(text) = self.text(pointer)? else { return Some(None) };
        match read(&text) {
            Ok(value) => Some(Some(value)),
            Err(error) => {
                self.refuse(error);
                None
            }
        }
    }

    /// A required field.
    pub(crate) fn required<T>(
        &mut self,
        pointer: &'static str,
        read: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Option<T> {
        let value = self.optional(pointer, read)?;
        if value.is_none() {
            self.refuse(FieldError::new(pointer, Code::Required));
        }
        value
    }
}

fn texts(sent: Tree, pointer: &'static str) -> Result<Vec<String>, FieldError> {
    let Tree::List(items) = sent else { return Err(FieldError::new(pointer, Code::WrongType)) };
    let text = |(index, item)| match item {
        Tree::Text(text) => Ok(text),
        Tree::Object(_) | Tree::List(_) | Tree::Other(_) => {
            Err(FieldError::new(format!("{pointer}/{index}"), Code::WrongType))
        }
    };
    items.into_iter().enumerate().map(text).collect()
}

fn members(sent: Tree, pointer: &'static str) -> Result<Vec<(String, String)>, FieldError> {
    let Tree::Object(members) = sent else { return Err(FieldError::new(pointer, Code::WrongType)) };
    let text = |(name, value): (String, Tree)| match value {
        Tree::Text(text) => Ok((name, text)),
        Tree::Object(_) | Tree::List(_) | Tree::Other(_) => {
            Err(FieldError::new(below(pointer, &name), Code::WrongType))
        }
    };
    members.into_iter().map(text).collect()
}

fn pointer_to(name: &str) -> Cow<'static, str> {
    Cow::Owned(below("", name))
}

/// `/email`.
pub(crate) fn email(text: &str) -> Result<Email, FieldError> {
    text.parse().map_err(|error| FieldError::email("/email", error))
}

/// `/user_name`.
pub(crate) fn user_name(text: &str) -> Result<UserName, FieldError> {
    text.parse().map_err(|error| FieldError::user_name("/user_name", error))
}

/// `/display_name`.
pub(crate) fn display_name(text: &str) -> Result<DisplayName, FieldError> {
    text.parse().map_err(|_| FieldError::new("/display_name", Code::DisplayNameInvalid))
}

/// `/display_name` of somebody who may have none: an empty text removes it.
pub(crate) fn edited_display_name(text: &str) -> Result<Edit<DisplayName>, FieldError> {
    if text.is_empty() { Ok(Edit::Remove) } else { display_name(text).map(Edit::Set) }
}

/// A password to be set; an error says why it cannot be one.
pub(crate) fn new_password(pointer: &'static str) -> impl FnOnce(&str) -> Result<Password, FieldError> {
    move |text| Password::new(text).map_err(|error| FieldError::password(pointer, &error))
}

/// A password to compare. A text that cannot be a password is simply a wrong one, so that the answer is the same.
pub(crate) enum GivenPassword {
    Possible(Password),
    Impossible,
}

impl GivenPassword {
    /// 401 `invalid_credentials` if it cannot be anyone's.
    pub(crate) fn possible(self) -> Result<Password, Problem> {
        match self {
            Self::Possible(password) => Ok(password),
            Self::Impossible => Err(Problem::new(Code::InvalidCredentials)),
        }
    }

    /// 422 `password_wrong` if it cannot be the signed-in user's.
    pub(crate) fn possible_at(self, pointer: &'static str) -> Result<Password, Problem> {
        match self {
            Self::Possible(password) => Ok(password),
            Self::Impossible => Err(FieldError::new(pointer, Code::PasswordWrong).into()),
        }
    }
}

/// The same where there need not be one.
pub(crate) fn possible_at(
    given: Option<GivenPassword>,
    pointer: &'static str,
) -> Result<Option<Password>, Problem> {
    given.map(|password| password.possible_at(pointer)).transpose()
}

/// A password to compare.
#[expect(clippy::unnecessary_wraps, reason = "all readers of fields have one shape")]
pub(crate) fn given_password(text: &str) -> Result<GivenPassword, FieldError> {
    Ok(Password::new(text).map_or(GivenPassword::Impossible, GivenPassword::Possible))
}

/// `/code`.
pub(crate) fn code(text: &str) -> Result<ConfirmCode, FieldError> {
    text.parse().map_err(|_| FieldError::new("/code", Code::CodeMalformed))
}

/// A code of an authenticator app.
pub(crate) fn totp_code(text: &str) -> Result<TotpCode, FieldError> {
    text.parse().map_err(|_| FieldError::new("/code", Code::CodeMalformed))
}

/// A recovery code, as it was shown.
pub(crate) fn recovery_code(text: &str) -> Result<RecoveryCode, FieldError> {
    text.parse().map_err(|_| FieldError::new("/recovery_code", Code::RecoveryCodeMalformed))
}

/// The name of a passkey.
pub(crate) fn passkey_name(text: &str) -> Result<PasskeyName, FieldError> {
    text.parse().map_err(|_| FieldError::new("/name", Code::PasskeyNameInvalid))
}

/// Any text; the operation judges it.
#[expect(clippy::unnecessary_wraps, reason = "all readers of fields have one shape")]
pub(crate) fn any_text(text: &str) -> Result<String, FieldError> {
    Ok(text.to_owned())
}

/// An object whose members the operation judges.
pub(crate) fn object(pointer: &'static str) -> impl FnOnce(&str) -> Result<Map<String, Value>, FieldError> {
    move |json| serde_json::from_str(json).map_err(|_| FieldError::new(pointer, Code::WrongType))
}

/// A text to search for: no control characters, which no name contains and PostgreSQL does not store.
pub(crate) fn plain_text(pointer: &'static str) -> impl FnOnce(&str) -> Result<String, FieldError> {
    move |text| {
        let plain = !text.chars().any(char::is_control);
        plain.then(|| text.to_owned()).ok_or(FieldError::new(pointer, Code::TextInvalid))
    }
}

/// `/roles`.
pub(crate) fn roles(names: &[String]) -> Result<Roles, FieldError> {
    Roles::new(names).map_err(|error| FieldError::roles("/roles", error))
}

/// `/reason`.
pub(crate) fn reason(text: &str) -> Result<Reason, FieldError> {
    text.parse().map_err(|error| {
        let code = match error {
            ReasonError::TooLong => Code::TextTooLong,
            ReasonError::Malformed => Code::TextInvalid,
        };
        FieldError::new("/reason", code)
    })
}

/// `/locale`: the shape of a language tag (RFC 5646 §2.1), of the length that §4.4.1 recommends to support.
pub(crate) fn locale(text: &str) -> Result<String, FieldError> {
    let subtag =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let language = text.split('-').next().unwrap_or_default();
    let alphabetic = language.len() >= 2 && language.bytes().all(|b| b.is_ascii_alphabetic());
    if text.len() <= 35 && alphabetic && text.split('-').all(subtag) {
        Ok(text.to_owned())
    } else {
        Err(FieldError::new("/locale", Code::LocaleInvalid))
    }
}

/// `true` or `false`, for queries.
pub(crate) fn boolean(pointer: &'static str) -> impl FnOnce(&str) -> Result<bool, FieldError> {
    move |text| text.parse().map_err(|_| FieldError::new(pointer, Code::BooleanInvalid))
}
