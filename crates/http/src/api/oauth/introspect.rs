//! Token introspection, for services that cannot verify tokens themselves (RFC 7662).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use subtle::{Choice, ConstantTimeEq as _};
use utoipa::openapi::RefOr;
use utoipa::{IntoResponses, ToSchema};
use vestibule::{Accounts, AuthenticateError, Secret, SessionId, SignedIn, UserId, UserName};

use super::refusal::{self, Refusal};
use crate::app::Site;
use crate::catalogue::Code;
use crate::describe::routes::{Routes, routes};
use crate::extract::{Json, credentials};
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
}

/// The answer of RFC 7662 §2.2. Where `active` is false there is nothing else.
#[derive(Serialize, ToSchema)]
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
    /// The `id` of the account.
    #[schema(value_type = String, pattern = "^usr_[0-9a-v]{26}$", required = false)]
    sub: UserId,
    /// The session.
    #[schema(value_type = String, pattern = "^ses_[0-9a-v]{26}$", required = false)]
    sid: SessionId,
    /// The user name, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    username: Option<UserName>,
    #[schema(required = false)]
    iss: String,
    #[schema(required = false)]
    aud: String,
    /// When the token ends, in seconds since 1970.
    #[schema(required = false)]
    exp: i64,
    /// When anything was last proven in the session, in seconds since 1970.
    #[schema(required = false)]
    auth_time: i64,
    /// How the session was authenticated (RFC 8176): `pwd`, `otp`, `hwk`, `swk`, `mfa`.
    #[schema(value_type = Vec<String>, required = false)]
    amr: Vec<&'static str>,
    /// The roles that the account has now, whatever the token says.
    #[schema(required = false)]
    roles: Vec<String>,
}

/// The body of the answer.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Active(Box<Introspection>),
    Inactive { active: bool },
}

impl Introspection {
    fn of(who: SignedIn, accounts: &Accounts) -> Self {
        let iss = accounts.public_url().to_owned();
        let amr = who.amr().names();
        Self {
            active: true,
            token_type: "Bearer",
            sub: who.account.id,
            sid: who.session_id,
            username: who.account.user_name,
            aud: accounts.policy().tokens.audience.clone().unwrap_or_else(|| iss.clone()),
            iss,
            exp: who.expires_at.as_seconds(),
            auth_time: who.auth_time.as_seconds(),
            amr,
            roles: who.account.roles,
        }
    }
}

/// Admits the clients named in the options.
fn check_client(known: &[(String, Secret)], headers: &HeaderMap) -> Result<(), Refusal> {
    let refused = |problem: Problem| match problem.code().status() {
        StatusCode::UNAUTHORIZED => Refusal::of(problem, "invalid_client"),
        _ => Refusal::of(problem, "invalid_request"),
    };
    let (name, secret) = credentials(headers).map_err(refused)?;
    // RFC 6749 §2.3.1 requires both to be form-encoded, but many programs send them as they are.
    if knows(known, &name, &secret) || knows(known, &decoded(&name), &decoded(&secret)) {
        return Ok(());
    }
    Err(refused(Problem::new(Code::InvalidCredentials).asking_for_basic()))
}

/// Compares with every client, each in constant time.
fn knows(known: &[(String, Secret)], name: &str, secret: &str) -> bool {
    let is = |(one, its_secret): &(String, Secret)| {
        one.as_bytes().ct_eq(name.as_bytes()) & its_secret.expose().as_bytes().ct_eq(secret.as_bytes())
    };
    let found = known.iter().fold(Choice::from(0), |found, one| found | is(one));
    bool::from(found) && !secret.is_empty()
}

/// Decodes a form-encoded text; anything else stays as it is.
fn decoded(text: &str) -> String {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text).unwrap_or_default();
    match <[_; 1]>::try_from(pairs) {
        Ok([(decoded, rest)]) if rest.is_empty() && !text.contains('=') => decoded,
        _ => text.to_owned(),
    }
}

struct IntrospectErrors;

impl IntoResponses for IntrospectErrors {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        refusal::responses(
            ("invalid_request", "The form has no token."),
            &[("invalid_client", Code::InvalidCredentials), ("temporarily_unavailable", Code::Unavailable)],
        )
    }
}

/// Says whether an access token works now, and whose it is. For services that are named in the server's settings.
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
    check_client(&site.introspection_clients, request.headers())?;
    let token = refusal::needed(&mut refusal::form(request).await?, "token")?;
    match accounts.authenticate(&token).await {
        Ok(who) => Ok(Json(Answer::Active(Box::new(Introspection::of(who, &accounts))))),
        Err(AuthenticateError::Invalid) => Ok(Json(Answer::Inactive { active: false })),
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
        assert_eq!(decoded("s3cret%2B%2F%25"), "s3cret+/%");
        assert_eq!(decoded("a=b&c"), "a=b&c");
        assert_eq!(decoded(""), "");
    }
}
