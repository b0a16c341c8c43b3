//! What the server says of itself to clients (OpenID Connect Discovery 1.0, RFC 8414).

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::Accounts;

use crate::app::{MetadataSources, Site};
use crate::describe::errors::{EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::pages::frame::i18n::Language;

/// The path of RFC 8414. Where the public URL has a path, that follows on the host (§3.1).
pub(crate) const OF_AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";

pub(super) fn routes() -> Routes {
    routes!(of_provider, of_server)
}

/// The members that RFC 8414, OpenID Connect Discovery and RFC 9207 define.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "the standards define them")]
pub(crate) struct ServerMetadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    end_session_endpoint: String,
    jwks_uri: String,
    service_documentation: String,
    #[schema(value_type = Vec<String>)]
    scopes_supported: &'static [&'static str],
    #[schema(value_type = Vec<String>)]
    response_types_supported: &'static [&'static str],
    #[schema(value_type = Vec<String>)]
    response_modes_supported: &'static [&'static str],
    #[schema(value_type = Vec<String>)]
    grant_types_supported: &'static [&'static str],
    #[schema(value_type = Vec<String>)]
    code_challenge_methods_supported: &'static [&'static str],
    authorization_response_iss_parameter_supported: bool,
    #[schema(value_type = Vec<String>)]
    token_endpoint_auth_methods_supported: &'static [&'static str],
    #[schema(value_type = Vec<String>)]
    revocation_endpoint_auth_methods_supported: &'static [&'static str],
    #[schema(value_type = Vec<String>)]
    introspection_endpoint_auth_methods_supported: &'static [&'static str],
    /// Of assertions with which clients authenticate (`private_key_jwt`).
    #[schema(value_type = Vec<String>)]
    token_endpoint_auth_signing_alg_values_supported: &'static [&'static str],
    #[schema(value_type = Vec<String>)]
    revocation_endpoint_auth_signing_alg_values_supported: &'static [&'static str],
    #[schema(value_type = Vec<String>)]
    introspection_endpoint_auth_signing_alg_values_supported: &'static [&'static str],
    /// Of the keys that count now.
    #[schema(value_type = Vec<String>)]
    id_token_signing_alg_values_supported: Vec<&'static str>,
    #[schema(value_type = Vec<String>)]
    subject_types_supported: &'static [&'static str],
    #[schema(value_type = Vec<String>)]
    claim_types_supported: &'static [&'static str],
    /// Those of every client, and those that registrations name.
    claims_supported: Vec<String>,
    #[schema(value_type = Vec<String>)]
    prompt_values_supported: &'static [&'static str],
    #[schema(value_type = Vec<String>)]
    acr_values_supported: &'static [&'static str],
    #[schema(value_type = Vec<String>)]
    ui_locales_supported: [&'static str; Language::ALL.len()],
    backchannel_logout_supported: bool,
    /// Logout tokens carry `sid`.
    backchannel_logout_session_supported: bool,
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
}

impl ServerMetadata {
    fn of(accounts: &Accounts, (algorithms, claims): &MetadataSources) -> Self {
        let issuer = accounts.public_url();
        let url = |path: &str| format!("{issuer}{path}");
        Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: url("/oauth/authorize"),
            token_endpoint: url("/v1/token"),
            userinfo_endpoint: url("/v1/userinfo"),
            revocation_endpoint: url("/v1/token/revoke"),
            introspection_endpoint: url("/v1/introspect"),
            end_session_endpoint: url("/oauth/logout"),
            jwks_uri: url("/.well-known/jwks.json"),
            service_documentation: url("/docs"),
            scopes_supported: &["openid", "profile", "email", "offline_access"],
            response_types_supported: &["code"],
            response_modes_supported: &["query"],
            grant_types_supported: &["authorization_code", "refresh_token", "client_credentials"],
            code_challenge_methods_supported: &["S256"],
            authorization_response_iss_parameter_supported: true,
            token_endpoint_auth_methods_supported: CLIENT_METHODS,
            revocation_endpoint_auth_methods_supported: CLIENT_METHODS,
            introspection_endpoint_auth_methods_supported: CONFIDENTIAL_METHODS,
            token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
            revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
            introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
            id_token_signing_alg_values_supported: algorithms.iter().map(|it| it.name()).collect(),
            subject_types_supported: &["public"],
            claim_types_supported: &["normal"],
            claims_supported: CLAIMS.into_iter().map(str::to_owned).chain(claims.iter().cloned()).collect(),
            prompt_values_supported: &["none", "login", "consent", "select_account"],
            acr_values_supported: &["urn:vestibule:factor:1", "urn:vestibule:factor:2"],
            ui_locales_supported: Language::ALL.map(Language::tag),
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
            claims_parameter_supported: false,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
        }
    }
}

/// How clients authenticate.
const CLIENT_METHODS: &[&str] = &["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
/// How those authenticate that can keep a secret.
const CONFIDENTIAL_METHODS: &[&str] = &["client_secret_basic", "client_secret_post", "private_key_jwt"];
const ASSERTION_ALGORITHMS: &[&str] = &["EdDSA", "ES256"];

/// Of ID tokens and the user info, whichever client they are for.
const CLAIMS: [&str; 17] = [
    "iss",
    "sub",
    "aud",
    "azp",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "sid",
    "amr",
    "acr",
    "at_hash",
    "email",
    "email_verified",
    "name",
    "preferred_username",
    "locale",
];

/// The metadata, which may be kept as long as the keys.
pub(crate) async fn metadata(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
) -> impl IntoResponse {
    let age = accounts.policy().tokens.jwks_max_age.as_secs();
    let sources = (accounts.published_algorithms(), accounts.application_claim_names().await);
    let write = |sources: &_| serde_json::to_vec(&ServerMetadata::of(&accounts, sources)).unwrap_or_default();
    let text = site.metadata.of(sources, write);
    ([(CONTENT_TYPE, "application/json".to_owned()), (CACHE_CONTROL, format!("public, max-age={age}"))], text)
}

errors!(MetadataErrors: EVERY);

/// Endpoints and abilities, for clients of `OpenID` Connect.
#[utoipa::path(get, path = "/.well-known/openid-configuration", tag = "Operations", operation_id = "openid_configuration",
    responses((status = 200, description = "May be kept as long as `Cache-Control` says.", body = ServerMetadata),
        MetadataErrors))]
async fn of_provider(accounts: State<Accounts>, site: State<Arc<Site>>) -> impl IntoResponse {
    metadata(accounts, site).await
}

/// The same for clients of `OAuth` 2 (RFC 8414). Where the public URL has a path, it is also at
/// `/.well-known/oauth-authorization-server` followed by that path, on the host.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "Operations",
    operation_id = "oauth_authorization_server",
    responses((status = 200, description = "May be kept as long as `Cache-Control` says.", body = ServerMetadata),
        MetadataErrors))]
async fn of_server(accounts: State<Accounts>, site: State<Arc<Site>>) -> impl IntoResponse {
    metadata(accounts, site).await
}
