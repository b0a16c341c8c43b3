//! The grants of clients: a code, a refresh token, or nothing but the client itself (RFC 6749 §4.1.3, §6, §4.4).

use utoipa::ToSchema;
use vestibule::{
    Accounts, ApplicationRefreshError, ApplicationTokens, AuthenticatedApplication, Client, CodeExchange,
    CodeExchangeError, MachineError, Scopes,
};

use super::refusal::Refusal;
use crate::extract::Pairs;

/// A code of `/oauth/authorize` to exchange, by the client that asked for it. Other parameters are ignored.
#[derive(ToSchema)]
#[schema(example = json!({"grant_type": "authorization_code", "client_id": "app",
    "code": "vac_k3y0fTh3s3ss10nWh1chW0rks0nc3AndN3v3rAga1nX", "redirect_uri": "https://app.example.org/callback",
    "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}))]
#[expect(dead_code, reason = "describes what `ClientGrant` reads")]
pub(super) struct AuthorizationCodeGrantForm {
    #[schema(pattern = "^(authorization_code)$")]
    grant_type: String,
    /// Of a public client, or with `client_secret`; else name and secret are in the header.
    client_id: Option<String>,
    #[schema(format = Password)]
    client_secret: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`, with `client_assertion`.
    client_assertion_type: Option<String>,
    /// A JWT that the client has signed with a key of its registration (RFC 7523), instead of a secret.
    #[schema(format = Password, max_length = 4096)]
    client_assertion: Option<String>,
    /// Works once, for a minute.
    #[schema(min_length = 1)]
    code: String,
    /// As in the authorization request.
    #[schema(min_length = 1)]
    redirect_uri: String,
    /// PKCE (RFC 7636).
    #[schema(min_length = 1)]
    code_verifier: String,
    /// RFC 8707: that of the authorization request, or none.
    resource: Option<String>,
}

/// A refresh token to exchange: of a client, which names itself, or of this service's own sign-in, without any client. Other
/// parameters are ignored.
#[derive(ToSchema)]
#[schema(example = json!({"grant_type": "refresh_token", "refresh_token": "vrt_k3y0fTh3s3ss10nWh1chW0rks0nc3AndN3v3rAga1nX"}))]
#[expect(dead_code, reason = "describes what `ClientGrant` reads")]
pub(super) struct RefreshGrantForm {
    #[schema(pattern = "^(refresh_token)$")]
    grant_type: String,
    #[schema(min_length = 1)]
    refresh_token: String,
    client_id: Option<String>,
    #[schema(format = Password)]
    client_secret: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`, with `client_assertion`.
    client_assertion_type: Option<String>,
    /// A JWT that the client has signed with a key of its registration (RFC 7523), instead of a secret.
    #[schema(format = Password, max_length = 4096)]
    client_assertion: Option<String>,
    /// Fewer scopes for this access token, separated by spaces.
    scope: Option<String>,
    /// RFC 8707: that of the authorization request, or none.
    resource: Option<String>,
}

/// A client asks for a token for itself, without a user. Other parameters are ignored.
#[derive(ToSchema)]
#[schema(example = json!({"grant_type": "client_credentials", "scope": "orders:read"}))]
#[expect(dead_code, reason = "describes what `ClientGrant` reads")]
pub(super) struct ClientCredentialsGrantForm {
    #[schema(pattern = "^(client_credentials)$")]
    grant_type: String,
    client_id: Option<String>,
    #[schema(format = Password)]
    client_secret: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`, with `client_assertion`.
    client_assertion_type: Option<String>,
    /// A JWT that the client has signed with a key of its registration (RFC 7523), instead of a secret.
    #[schema(format = Password, max_length = 4096)]
    client_assertion: Option<String>,
    /// Some of the client's own, separated by spaces; left out, all of them.
    scope: Option<String>,
    /// RFC 8707: one of the client's own.
    resource: Option<String>,
}

/// What a client offers for tokens.
pub(super) enum ClientGrant {
    Code(CodeExchange),
    Refresh { token: String, scopes: Option<Scopes>, resource: Option<String> },
    Itself { scopes: Option<Scopes>, resource: Option<String> },
}

impl ClientGrant {
    pub(super) fn code(mut form: Pairs) -> Result<Self, Refusal> {
        Ok(Self::Code(CodeExchange {
            code: filled(&mut form, "code")?,
            redirect_uri: filled(&mut form, "redirect_uri")?,
            code_verifier: filled(&mut form, "code_verifier")?,
            resource: form.filled("resource"),
        }))
    }

    pub(super) fn refresh(mut form: Pairs) -> Result<Self, Refusal> {
        let token = filled(&mut form, "refresh_token")?;
        Ok(Self::Refresh { token, scopes: scopes(&mut form)?, resource: form.filled("resource") })
    }

    pub(super) fn itself(mut form: Pairs) -> Result<Self, Refusal> {
        Ok(Self::Itself { scopes: scopes(&mut form)?, resource: form.filled("resource") })
    }

    pub(super) async fn exchange(
        self,
        accounts: &Accounts,
        by: &AuthenticatedApplication,
        client: &Client,
    ) -> Result<ApplicationTokens, Refusal> {
        Ok(match self {
            Self::Code(given) => accounts.exchange_code(by, given, client).await?,
            Self::Refresh { token, scopes, resource } => {
                let (scopes, resource) = (scopes.as_ref(), resource.as_deref());
                accounts.refresh_for_application(by, &token, scopes, resource, client).await?
            }
            Self::Itself { scopes, resource } => {
                accounts.machine_token(by, scopes.as_ref(), resource).await?
            }
        })
    }
}

/// A required parameter. One without a value counts as omitted (RFC 6749 §3.2).
fn filled(form: &mut Pairs, name: &str) -> Result<String, Refusal> {
    form.filled(name).ok_or_else(|| Refusal::new("invalid_request", &format!("`{name}` is missing")))
}

fn scopes(form: &mut Pairs) -> Result<Option<Scopes>, Refusal> {
    let sent = form.filled("scope").map(|text| text.parse::<Scopes>());
    sent.transpose().map_err(|error| Refusal::new("invalid_scope", &error.to_string()))
}

impl From<CodeExchangeError> for Refusal {
    fn from(error: CodeExchangeError) -> Self {
        let description = error.to_string();
        match error {
            CodeExchangeError::Invalid(_) => Self::new("invalid_grant", &description),
            CodeExchangeError::Target => Self::new("invalid_target", &description),
            CodeExchangeError::Fault(fault) => fault.into(),
        }
    }
}

impl From<ApplicationRefreshError> for Refusal {
    fn from(error: ApplicationRefreshError) -> Self {
        match error {
            ApplicationRefreshError::Refresh(error) => error.into(),
            ApplicationRefreshError::Scope => {
                Self::new("invalid_scope", "the refresh token was not issued with these scopes")
            }
            ApplicationRefreshError::Target => {
                Self::new("invalid_target", "the refresh token was not issued for this resource")
            }
        }
    }
}

impl From<MachineError> for Refusal {
    fn from(error: MachineError) -> Self {
        let description = error.to_string();
        match error {
            MachineError::Unauthorized => Self::new("unauthorized_client", &description),
            MachineError::Scope => Self::new("invalid_scope", &description),
            MachineError::Target => Self::new("invalid_target", &description),
            MachineError::Fault(fault) => fault.into(),
        }
    }
}
