//! What the server says of itself (OpenID Connect Discovery, RFC 8414).

use serde_json::{Value, json};

use super::client::application;
use crate::on_both_stores;
use crate::world::{URL, World};
use vestibule::{Actor, Application, ApplicationKind, ClaimPaths};

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

fn expected(url: &str) -> Value {
    let methods = json!(["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]);
    json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/oauth/authorize"),
        "token_endpoint": format!("{url}/v1/token"),
        "userinfo_endpoint": format!("{url}/v1/userinfo"),
        "revocation_endpoint": format!("{url}/v1/token/revoke"),
        "introspection_endpoint": format!("{url}/v1/introspect"),
        "end_session_endpoint": format!("{url}/oauth/logout"),
        "jwks_uri": format!("{url}/.well-known/jwks.json"),
        "service_documentation": format!("{url}/docs"),
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["EdDSA", "ES256"],
        "revocation_endpoint_auth_signing_alg_values_supported": ["EdDSA", "ES256"],
        "introspection_endpoint_auth_signing_alg_values_supported": ["EdDSA", "ES256"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "subject_types_supported": ["public"],
        "claim_types_supported": ["normal"],
        "claims_supported": ["iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "sid", "amr", "acr",
            "at_hash", "email", "email_verified", "name", "preferred_username", "locale"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "acr_values_supported": ["urn:vestibule:factor:1", "urn:vestibule:factor:2"],
        "ui_locales_supported": ["en", "de", "fr", "es", "ar"],
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    })
}

on_both_stores! {
    async fn clients_find_everything(world: World) {
        for path in [OPENID, OAUTH] {
            let answer = world.get(path).await;
            assert_eq!((answer.status, answer.json()), (200, expected(URL)), "{path}");
            assert_eq!(answer.header("content-type"), "application/json");
            assert!(answer.header("cache-control").starts_with("public, max-age="));
            assert_eq!(answer.header("access-control-allow-origin"), "*");
        }
    }

    // OpenID Connect Discovery §3: what registrations name can be had, too.
    async fn the_claims_of_registrations_are_named(world: World) {
        let claims = ClaimPaths::new([("plan", "app.plan"), ("a", "roles")]).unwrap();
        let told = Application { claims, ..application("shop", ApplicationKind::Public) };
        world.accounts.create_application(Actor::Operator, told).await.unwrap();
        for path in [OPENID, OAUTH] {
            let shown = world.get(path).await.json();
            let names = shown["claims_supported"].as_array().unwrap();
            assert_eq!(names[names.len() - 3..], [json!("locale"), json!("a"), json!("plan")]);
        }
    }

    // RFC 8414 §3.1 puts its name before the path of the issuer, OpenID Connect Discovery §4 after it.
    async fn a_path_is_part_of_the_issuer(world: World) {
        let mut world = world;
        world.moves_to("https://app.example.org/our/accounts/").await;
        let expected = expected("https://app.example.org/our/accounts");
        for path in [format!("/our/accounts{OPENID}"), format!("/our/accounts{OAUTH}"), format!("{OAUTH}/our/accounts")] {
            let answer = world.get(&path).await;
            assert_eq!((answer.status, answer.json()), (200, expected.clone()), "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
        }
        for path in [OPENID, OAUTH, "/.well-known/oauth-authorization-server/our", "/.well-known/openid-configuration/our/accounts"] {
            assert_eq!(world.get(path).await.status, 404, "{path}");
        }
    }
}
