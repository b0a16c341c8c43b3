//! Token introspection, for services that cannot verify tokens themselves (RFC 7662).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use serde::Serialize;
use subtle::{Choice, ConstantTimeEq as _};
use utoipa::openapi::RefOr;
use utoipa::{IntoResponses, ToSchema};
use vestibule::{
    Accounts, ApplicationAccess, ApplicationKind, AuthenticateError, AuthenticatedApplication, Secret,
    SessionId, SignedIn, UserName,
};

use super::client::ClientCredentials;
use super::refusal::{self, Refusal};
use crate::app::Site;
use crate::catalogue::Code;
use crate::describe::routes::{Routes, routes};
use crate::extract::Json;
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(introspect)
}

/// A token to look at. Other parameters, `token_type_hint` too, are ignored.
#[derive(ToSchema)]
#[schema(example = json!({"token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3JfMDEifQ.c2ln"}))]
#[expect(dead_code, reason = "describes what `introspect` reads")]
struct IntrospectForm {
    /// An access token. A refresh token is never `active` here: it is not for services.
    token: String,
    /// With `client_secret`, where name and secret are not in the header.
    client_id: Option<String>,
    #[schema(format = Password)]
    client_secret: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`, with `client_assertion`.
    client_assertion_type: Option<String>,
    /// A JWT that the client has signed with a key of its registration (RFC 7523), instead of a secret.
    #[schema(format = Password, max_length = 4096)]
    client_assertion: Option<String>,
}

/// The answer of RFC 7662 §2.2. Where `active` is false there is nothing else.
#[derive(Default, Serialize, ToSchema)]
#[schema(example = json!({
    "active": true, "token_type": "Bearer", "sub": "usr_06nq8sd5c9u7d1p4v0g2k8m3e4",
    "sid": "ses_06nq8sd5c9u7d1p4v0g2k8m3e4", "username": "ada", "iss": "https://accounts.example.org",
    "aud": "https://accounts.example.org", "exp": 1_772_358_000, "auth_time": 1_772_357_400, "amr": ["pwd"], "roles": []
}))]
struct Introspection {
    /// Whether the token works now: its session lives, and its user may sign in.
    active: bool,
    #[schema(value_type = String, pattern = "^Bearer$", required = false)]
    token_type: &'static str,
    /// The `id` of the account; of a token with which a client speaks for itself, its `client_id`.
    #[schema(required = false)]
    sub: String,
    /// The session; not of a client that speaks for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, pattern = "^ses_[0-9a-v]{26}$", required = false)]
    sid: Option<SessionId>,
    /// The user name, where there is one; of this service's own tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    username: Option<UserName>,
    /// The client that the token was issued to; not of this service's own tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    /// What the client's token is for, separated by spaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[schema(required = false)]
    iss: String,
    #[schema(required = false)]
    aud: Audience,
    /// When the token ends, in seconds since 1970.
    #[schema(required = false)]
    exp: i64,
    /// When a client's token was issued, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    /// When anything was last proven in the session, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    /// How the session was authenticated (RFC 8176): `pwd`, `otp`, `hwk`, `swk`, `mfa`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<String>, required = false)]
    amr: Option<Vec<&'static str>>,
    /// The roles that the account has now, whatever the token says; of this service's own tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<String>, required = false)]
    roles: Option<Vec<String>>,
}

/// Where a token is good (RFC 7519 §4.1.3): one address, or several.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Default for Audience {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

/// The body of the answer.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Active(Box<Introspection>),
    Inactive { active: bool },
}

const INACTIVE: Answer = Answer::Inactive { active: false };

impl Introspection {
    fn of(who: SignedIn, accounts: &Accounts) -> Self {
        let iss = accounts.public_url().to_owned();
        let amr = Some(who.amr().names());
        Self {
            active: true,
            token_type: "Bearer",
            sub: who.account.id.to_string(),
            sid: Some(who.session_id),
            username: who.account.user_name,
            aud: Audience::One(accounts.policy().tokens.audience.clone().unwrap_or_else(|| iss.clone())),
            iss,
            exp: who.expires_at.as_seconds(),
            auth_time: Some(who.auth_time.as_seconds()),
            amr,
            roles: Some(who.account.roles),
            ..Self::default()
        }
    }

    fn of_client(access: ApplicationAccess, accounts: &Accounts) -> Self {
        let ApplicationAccess { application, user, scopes, mut audience, issued_at, expires_at } = access;
        let id = application.id.to_string();
        Self {
            active: true,
            token_type: "Bearer",
            sub: user.as_ref().map_or_else(|| id.clone(), |user| user.account.id.to_string()),
            sid: user.as_ref().map(|user| user.session_id),
            client_id: Some(id),
            scope: Some(scopes.to_string()),
            iss: accounts.public_url().to_owned(),
            aud: match audience.len() {
                1 => Audience::One(audience.remove(0)),
                _ => Audience::Several(audience),
            },
            exp: expires_at.as_seconds(),
            iat: Some(issued_at.as_seconds()),
            auth_time: user.as_ref().map(|user| user.auth_time.as_seconds()),
            amr: user.map(|user| user.proven.amr.names()),
            ..Self::default()
        }
    }
}

/// Who asks, authenticated (RFC 7662 §2.1: otherwise anyone could try tokens).
enum Service {
    /// One of the setting `introspection.clients`: it learns of this service's own tokens.
    OfSettings,
    /// A client: it learns of tokens that were issued to it or for it.
    Client(Box<AuthenticatedApplication>),
}

impl Service {
    async fn of(
        credentials: Option<ClientCredentials>,
        site: &Site,
        accounts: &Accounts,
    ) -> Result<Self, Refusal> {
        let Some(credentials) = credentials else {
            let missing = Problem::new(Code::AuthenticationRequired).asking_for_basic();
            return Err(Refusal::of(missing, "invalid_client"));
        };
        let is_known = |(id, secret): (String, Option<Secret>)| {
            secret.is_some_and(|secret| knows(&site.introspection_clients, &id, secret.expose()))
        };
        if credentials.readings().into_iter().any(is_known) {
            return Ok(Self::OfSettings);
        }
        let client = credentials.authenticate(accounts).await?;
        // Anybody has the name of a public client.
        match client.application().kind {
            ApplicationKind::Confidential => Ok(Self::Client(Box::new(client))),
            ApplicationKind::Public => Err(credentials.refused()),
        }
    }
}

/// Compares with every client, each in constant time.
fn knows(known: &[(String, Secret)], name: &str, secret: &str) -> bool {
    let is = |(one, its_secret): &(String, Secret)| {
        one.as_bytes().ct_eq(name.as_bytes()) & its_secret.expose().as_bytes().ct_eq(secret.as_bytes())
    };
    let found = known.iter().fold(Choice::from(0), |found, one| found | is(one));
    bool::from(found) && !secret.is_empty()
}

/// Whether a client may know of a token: it is its own, or for one of its resources.
fn concerns(client: &AuthenticatedApplication, access: &ApplicationAccess) -> bool {
    let client = client.application();
    access.application.id == client.id
        || access.audience.iter().any(|audience| client.resources.contains(audience))
}

struct IntrospectErrors;

impl IntoResponses for IntrospectErrors {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        refusal::responses(
            ("invalid_request", "The form has no token."),
            &[("invalid_client", Code::InvalidClient), ("temporarily_unavailable", Code::Unavailable)],
        )
    }
}

/// Says whether an access token works now, and whose it is.
///
/// Services that are named in the server's settings are told of this service's own tokens; a client with a secret of tokens
/// that were issued to it, or whose audience is one of its resources. All others are not `active`.
#[utoipa::path(post, path = "/v1/introspect", tag = "Sign-in", operation_id = "introspect",
    security(("client" = [])),
    request_body(content = IntrospectForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "What is known of the token.", body = Introspection),
        IntrospectErrors))]
async fn introspect(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    request: Request,
) -> Result<Json<Answer>, Refusal> {
    let headers = request.headers().clone();
    let mut form = refusal::form(request).await?;
    let credentials = ClientCredentials::read(&headers, &mut form)?;
    let service = Service::of(credentials, &site, &accounts).await?;
    let token = refusal::needed(&mut form, "token")?;
    let answer = match service {
        Service::OfSettings => {
            accounts.authenticate(&token).await.map(|who| Introspection::of(who, &accounts))
        }
        Service::Client(client) => match accounts.authenticate_access(&token).await {
            Ok(access) if !concerns(&client, &access) => Err(AuthenticateError::Invalid),
            found => found.map(|access| Introspection::of_client(access, &accounts)),
        },
    };
    match answer {
        Ok(known) => Ok(Json(Answer::Active(Box::new(known)))),
        Err(AuthenticateError::Invalid) => Ok(Json(INACTIVE)),
        Err(AuthenticateError::Fault(fault)) => Err(fault.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_known_by_name_and_secret_together() {
        let known =
            [("shop".to_owned(), Secret::from("s3cret+/%")), ("blog".to_owned(), Secret::from("other"))];
        assert!(knows(&known, "shop", "s3cret+/%") && knows(&known, "blog", "other"));
        for (name, secret) in
            [("shop", "other"), ("blog", "s3cret+/%"), ("", ""), ("shop", ""), ("shop", "s3cret")]
        {
            assert!(!knows(&known, name, secret), "{name} {secret}");
        }
        assert!(!knows(&[], "", "") && !knows(&[("x".to_owned(), Secret::from(""))], "x", ""));
    }
}
