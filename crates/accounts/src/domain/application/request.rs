//! A request of an application to have somebody signed in (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1).

use serde::{Deserialize, Serialize};

use crate::domain::application::redirect_uri::RedirectUri;
use crate::domain::application::scope::Scopes;

/// The parameters as they came; the ones that are not named here are ignored, as the standards ask.
#[derive(Clone, Debug, Default)]
pub struct AuthorizationParameters {
    /// `client_id`
    pub client_id: Option<String>,
    /// `redirect_uri`
    pub redirect_uri: Option<String>,
    /// `response_type`: `code`
    pub response_type: Option<String>,
    /// `response_mode`: `query`
    pub response_mode: Option<String>,
    /// `scope`
    pub scope: Option<String>,
    /// `state`, which comes back as it is
    pub state: Option<String>,
    /// `nonce`, which the ID token repeats
    pub nonce: Option<String>,
    /// `code_challenge` (RFC 7636)
    pub code_challenge: Option<String>,
    /// `code_challenge_method`: `S256`
    pub code_challenge_method: Option<String>,
    /// `prompt`: `none`, `login`, `consent`, `select_account`
    pub prompt: Option<String>,
    /// `max_age` in seconds
    pub max_age: Option<String>,
    /// `id_token_hint`: an ID token of the user who is meant, which may have expired
    pub id_token_hint: Option<String>,
    /// `login_hint`: the address to sign in with
    pub login_hint: Option<String>,
    /// `acr_values`
    pub acr_values: Option<String>,
    /// `resource` (RFC 8707), which may be given more than once
    pub resource: Vec<String>,
    /// `ui_locales`
    pub ui_locales: Option<String>,
    /// Whether there is a `request`, which is refused
    pub has_request_object: bool,
    /// Whether there is a `request_uri`, which is refused
    pub has_request_uri: bool,
    /// Whether one that is read came more than once, which is refused (RFC 6749 §3.1)
    pub is_repeated: bool,
}

/// A request that may be answered: its application and its addresses are known, and nothing in it is malformed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: RedirectUri,
    pub(crate) scopes: Scopes,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) code_challenge: String,
    pub(crate) prompt: Prompt,
    pub(crate) max_age: Option<u32>,
    pub(crate) wants_factor: bool,
    pub(crate) resource: Option<String>,
    /// The id of the user who is meant: nobody else may answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hinted: Option<String>,
    /// The address to sign in with.
    pub login_hint: Option<String>,
    /// The languages that the user reads.
    pub ui_locales: Option<String>,
    /// When it came, in milliseconds since 1970: a `prompt=login` is met by a proof after that.
    pub(crate) asked_at: i64,
}

impl AuthorizationRequest {
    /// Where the answer goes.
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// What the application asks for.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }
}

/// What the application demands of the page (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Prompt {
    /// Nothing may be shown.
    pub(crate) none: bool,
    /// The user proves again who they are.
    pub(crate) login: bool,
    /// The user is asked, whatever they have allowed.
    pub(crate) consent: bool,
}

/// Why a request is refused at its application's address (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationRefusal {
    /// A parameter is missing or malformed.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// Something else than a code was asked for.
    #[error("only `code` is answered")]
    UnsupportedResponseType,
    /// The application may not ask for one of the scopes.
    #[error("the client may not ask for one of these scopes")]
    InvalidScope,
    /// The application may not ask for tokens for this resource (RFC 8707 §2).
    #[error("the client may not ask for tokens for this resource")]
    InvalidTarget,
    /// Request objects are not read.
    #[error("`request` is not supported")]
    RequestNotSupported,
    /// Nor are they fetched.
    #[error("`request_uri` is not supported")]
    RequestUriNotSupported,
    /// The user has said no.
    #[error("the user refused")]
    AccessDenied,
    /// Nobody is signed in and nothing may be shown, or somebody else is than the application means.
    #[error("nobody is signed in, or somebody else")]
    LoginRequired,
    /// The user would have to be asked, and nothing may be shown.
    #[error("the user has to be asked")]
    ConsentRequired,
    /// The server cannot answer now.
    #[error("try again later")]
    TemporarilyUnavailable,
}

impl AuthorizationRefusal {
    /// The `error` of the standards.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }
}
