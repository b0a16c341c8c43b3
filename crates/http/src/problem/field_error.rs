//! A refused field of a request.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};
use vestibule::{
    ApplicationInvalid, ApplicationKeysError, ClaimError, DataFault, EmailError, PasswordError,
    RedirectUriError, RolesError, SignUpDataError, SignUpDataFault, TermsNotAccepted, UserDataError,
    UserNameError,
};

use super::sentence::sentence;
use crate::catalogue::Code;

/// Faults of an object that are told at once.
const FAULTS_MAX: usize = 20;

/// A member of what the pointer leads to (RFC 6901 §3). Names are cut, because they are repeated in the answer.
pub(crate) fn below(pointer: &str, name: &str) -> String {
    let short: String = name.chars().take(64).collect();
    format!("{pointer}/{}", short.replace('~', "~0").replace('/', "~1"))
}

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

    /// What a schema says of a member.
    pub(crate) fn data(fault: DataFault) -> Self {
        Self::new(fault.pointer, Code::DataInvalid).detail(sentence(&fault.reason))
    }

    /// What is wrong with the data of a sign-up.
    pub(crate) fn profile(error: SignUpDataError) -> Vec<Self> {
        let of_fault = |fault| match fault {
            SignUpDataFault::Unknown(name) => Self::new(below("/profile", &name), Code::UnknownField),
            SignUpDataFault::Missing(name) => Self::new(below("/profile", &name), Code::Required),
            SignUpDataFault::Wrong(fault) => {
                Self::data(DataFault { pointer: format!("/profile{}", fault.pointer), ..fault })
            }
        };
        match error {
            SignUpDataError::Refused(faults) => faults.into_iter().take(FAULTS_MAX).map(of_fault).collect(),
            SignUpDataError::Invalid(UserDataError::TooLarge) => {
                vec![Self::new("/profile", Code::DataTooLarge)]
            }
            SignUpDataError::Invalid(UserDataError::TooDeep) => {
                vec![
                    Self::new("/profile", Code::DataInvalid)
                        .detail(sentence(&UserDataError::TooDeep.to_string())),
                ]
            }
        }
    }

    pub(crate) fn terms(_: TermsNotAccepted) -> Self {
        Self::new("/terms_accepted", Code::TermsNotAccepted)
    }

    pub(crate) fn roles(pointer: &'static str, error: RolesError) -> Self {
        match error {
            RolesError::Malformed { index } => Self::new(format!("{pointer}/{index}"), Code::RoleInvalid),
            RolesError::TooMany => Self::new(pointer, Code::RolesTooMany),
        }
    }

    /// An address for answers.
    pub(crate) fn redirect_uri(pointer: String, error: RedirectUriError) -> Self {
        Self::new(pointer, Code::RedirectUriInvalid).detail(format!("The address {error}."))
    }

    /// A registration of a client that breaks a rule.
    pub(crate) fn application(invalid: &ApplicationInvalid) -> Self {
        match invalid {
            ApplicationInvalid::Name => Self::new("/name", Code::ClientNameInvalid),
            ApplicationInvalid::RedirectUri { error, .. } => {
                Self::redirect_uri("/redirect_uris".to_owned(), *error)
            }
            ApplicationInvalid::TooMany(list) => Self::new(format!("/{list}"), Code::ListTooLong),
            ApplicationInvalid::Resource(_) => Self::new("/resources", Code::WebAddressInvalid),
            ApplicationInvalid::LogoutUri => Self::new("/logout_uri", Code::WebAddressInvalid),
            ApplicationInvalid::Scope(_) | ApplicationInvalid::MachineOnly(_) => {
                Self::new("/scopes", Code::ScopeInvalid).detail(invalid.to_string())
            }
            ApplicationInvalid::ScopeComma { list, .. } => {
                Self::new(format!("/{list}"), Code::ScopeInvalid).detail(invalid.to_string())
            }
            ApplicationInvalid::MachineScope(_) => {
                Self::new("/machine_scopes", Code::ScopeInvalid).detail(invalid.to_string())
            }
            ApplicationInvalid::Claims => {
                Self::new("/claims", Code::ClaimInvalid).detail(sentence(&invalid.to_string()))
            }
            ApplicationInvalid::KeysNeedConfidential | ApplicationInvalid::KeysNeeded => {
                Self::new("/jwks", Code::JwksInvalid).detail(sentence(&invalid.to_string()))
            }
            ApplicationInvalid::MachineNeedsSecret => Self::new("/machine_scopes", Code::ClientSecretNeeded),
            ApplicationInvalid::ConsentNeeded => Self::new("/consent", Code::ConsentNeeded),
            ApplicationInvalid::Useless => {
                Self::new("/redirect_uris", Code::Required).detail(invalid.to_string())
            }
        }
    }

    /// Keys of a client that are not possible.
    pub(crate) fn application_keys(error: &ApplicationKeysError) -> Self {
        Self::new("/jwks", Code::JwksInvalid).detail(format!("The set {error}."))
    }

    /// A claim that is not possible.
    pub(crate) fn claim(pointer: String, error: &ClaimError) -> Self {
        Self::new(pointer, Code::ClaimInvalid).detail(sentence(&error.to_string()))
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
