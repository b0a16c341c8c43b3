use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::{StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

/// Checks access tokens with the keys alone.
#[derive(Clone)]
struct Verifier {
    http: reqwest::Client,
    jwks_url: Arc<str>,
    validation: Arc<Validation>,
    keys: Arc<Mutex<Option<(Instant, JwkSet)>>>,
}

/// Who asks, as the token says it.
#[derive(Deserialize)]
#[expect(dead_code, reason = "a claim that is missing is refused, used or not")]
struct User {
    sub: String,
    sid: String,
    iat: u64,
    roles: Vec<String>,
}

impl Verifier {
    fn new(issuer: &str, audience: &str, jwks_url: &str) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = 5;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        Ok(Self { http, jwks_url: jwks_url.into(), validation: Arc::new(validation), keys: Arc::default() })
    }

    async fn user(&self, token: &str) -> Result<User, Refusal> {
        let header = decode_header(token).map_err(|_| Refusal::InvalidToken)?;
        let is_access_token = header.typ.as_deref() == Some("at+jwt");
        let key_id = header.kid.filter(|_| is_access_token).ok_or(Refusal::InvalidToken)?;
        let keys = self.keys(&key_id).await.map_err(|_| Refusal::NoKeys)?;
        let key = keys
            .find(&key_id)
            .and_then(|key| DecodingKey::from_jwk(key).ok())
            .ok_or(Refusal::InvalidToken)?;
        let checked = decode::<User>(token, &key, &self.validation).map_err(|_| Refusal::InvalidToken)?;
        Ok(checked.claims)
    }

    /// Fetched again after five minutes, and for a key that is not there, but not for each made-up one.
    async fn keys(&self, key_id: &str) -> reqwest::Result<JwkSet> {
        let mut kept = self.keys.lock().await;
        if let Some((at, keys)) = &*kept {
            let good_for = if keys.find(key_id).is_some() { 300 } else { 30 };
            if at.elapsed() < Duration::from_secs(good_for) {
                return Ok(keys.clone());
            }
        }
        let keys: JwkSet = self.http.get(&*self.jwks_url).send().await?.error_for_status()?.json().await?;
        *kept = Some((Instant::now(), keys.clone()));
        Ok(keys)
    }
}

enum Refusal {
    SignInFirst,
    InvalidToken,
    LackingRole,
    NoKeys,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, challenge) = match self {
            Self::SignInFirst => (StatusCode::UNAUTHORIZED, "Bearer"),
            Self::InvalidToken => (StatusCode::UNAUTHORIZED, "Bearer error=\"invalid_token\""),
            Self::LackingRole => (StatusCode::FORBIDDEN, "Bearer error=\"insufficient_scope\""),
            Self::NoKeys => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        };
        (status, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
    }
}

impl FromRequestParts<Verifier> for User {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, verifier: &Verifier) -> Result<Self, Refusal> {
        let value = parts.headers.get(header::AUTHORIZATION).ok_or(Refusal::SignInFirst)?;
        let value = value.to_str().map_err(|_| Refusal::InvalidToken)?;
        let (scheme, token) = value.split_once(' ').ok_or(Refusal::SignInFirst)?;
        if scheme.eq_ignore_ascii_case("bearer") {
            verifier.user(token.trim()).await
        } else {
            Err(Refusal::SignInFirst)
        }
    }
}

impl User {
    fn must_be(&self, role: &str) -> Result<(), Refusal> {
        if self.roles.iter().any(|own| own == role) { Ok(()) } else { Err(Refusal::LackingRole) }
    }
}

async fn orders(user: User) -> String {
    format!("the orders of {}", user.sub)
}

async fn reports(user: User) -> Result<String, Refusal> {
    user.must_be("admin")?;
    Ok(format!("the reports for {}", user.sub))
}

/// The application. The three settings are those above; read them with `std::env::var`.
pub(crate) fn app(issuer: &str, audience: &str, jwks_url: &str) -> reqwest::Result<Router> {
    let verifier = Verifier::new(issuer, audience, jwks_url)?;
    Ok(Router::new().route("/orders", get(orders)).route("/reports", get(reports)).with_state(verifier))
}
