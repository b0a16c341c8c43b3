//! Clients and their grants, by administrators.

use std::time::Duration;

use serde_json::{Value, json};
use vestibule::{
    Actor, Application, ApplicationKeys, ApplicationKind, AuthorizationParameters, AuthorizationStep,
    ClaimPaths, ConfiguredApplication, Consent, Scopes, Secret,
};

use crate::on_both_stores;
use crate::world::{ADA, World};

const ROOT: &str = "root@example.org";
const CALLBACK: &str = "https://shop.example.org/callback";
const CLIENTS: &str = "/v1/admin/clients";
const SHOP: &str = "/v1/admin/clients/shop";

async fn root(world: &World) -> String {
    world.has_admin(ROOT).await;
    world.access_token(ROOT).await
}

/// A public key of RFC 8037, appendix A.2.
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn shop() -> Value {
    json!({"id": "shop", "kind": "confidential", "name": "Example Shop", "redirect_uris": [CALLBACK]})
}

/// An application that asks nobody.
pub(crate) fn own_application() -> Application {
    Application {
        id: "shop".parse().unwrap(),
        name: "Example Shop".to_owned(),
        kind: ApplicationKind::Confidential,
        redirect_uris: vec![CALLBACK.parse().unwrap()],
        post_logout_redirect_uris: Vec::new(),
        logout_uri: None,
        resources: Vec::new(),
        scopes: Scopes::default(),
        machine_scopes: Scopes::default(),
        consent: Consent::Never,
        claims: ClaimPaths::default(),
        keys: ApplicationKeys::default(),
    }
}

/// Ada signs in to the shop; her id.
pub(crate) async fn ada_lets_the_shop_in(world: &World) -> String {
    world.has_account(ADA).await;
    world.accounts.create_application(Actor::Operator, own_application()).await.unwrap();
    let token = world.access_token(ADA).await;
    let ada = world.accounts.authenticate(&token).await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    let request = AuthorizationParameters {
        client_id: text("shop"),
        redirect_uri: text(CALLBACK),
        response_type: text("code"),
        scope: text("openid email"),
        code_challenge: text(&"a".repeat(43)),
        code_challenge_method: text("S256"),
        ..AuthorizationParameters::default()
    };
    let request = world.accounts.check_authorization(request).await.unwrap();
    let step = world.accounts.decide_authorization(&request, Some(&ada)).await.unwrap();
    assert!(matches!(step, AuthorizationStep::Done(_)), "{step:?}");
    ada.account.id.to_string()
}

on_both_stores! {
    async fn a_client_is_registered_changed_and_removed(world: World) {
        let token = root(&world).await;
        let made = world.send_as("POST", CLIENTS, &token, Some(shop())).await;
        assert_eq!((made.status, made.header("cache-control")), (201, "no-store"), "{}", made.text);
        assert_eq!(made.header("location"), "https://accounts.example.org/v1/admin/clients/shop");
        let made = made.json();
        let secret = Secret::from(made["secret"].as_str().unwrap());
        assert_eq!((&made["consent"], &made["secrets"], &made["source"]), (&json!("ask"), &json!(1), &json!("database")));
        let id = "shop";
        assert!(world.accounts.authenticate_application(id, Some(&secret)).await.is_ok());
        let again = world.send_as("POST", CLIENTS, &token, Some(shop())).await;
        assert_eq!(again.problem(), (409, "client_taken".to_owned()));
        // A secret is shown once.
        let listed = world.get_as(CLIENTS, &token).await;
        assert!(listed.json()["items"][0]["id"] == "shop" && !listed.text.contains(secret.expose()), "{}", listed.text);
        let change = json!({
            "name": "The Shop", "redirect_uris": [CALLBACK, "https://shop.example.org/other"], "scopes": ["orders:read"],
            "machine_scopes": ["stock"], "resources": ["https://api.example.org"], "consent": "never",
            "logout_uri": "https://shop.example.org/logout",
            "claims": {"plan": "app.plan", "https://shop.example.org/theme": "data.look.theme"}
        });
        let changed = world.send_as("PUT", SHOP, &token, Some(change)).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        let shown = world.get_as(SHOP, &token).await.json();
        assert_eq!(shown, changed.json());
        assert_eq!((&shown["name"], &shown["consent"], &shown["scopes"]), (&json!("The Shop"), &json!("never"), &json!(["orders:read"])));
        assert_eq!(shown["claims"], json!({"plan": "app.plan", "https://shop.example.org/theme": "data.look.theme"}));
        // A replacement leaves nothing of what was before.
        let bare = json!({"name": "The Shop", "redirect_uris": [CALLBACK]});
        let replaced = world.send_as("PUT", SHOP, &token, Some(bare)).await.json();
        assert_eq!(replaced["claims"], json!({}));
        assert_eq!((&replaced["scopes"], &replaced["logout_uri"], &replaced["consent"]), (&json!([]), &Value::Null, &json!("ask")));
        assert_eq!(world.send_as("DELETE", SHOP, &token, None).await.status, 204);
        for (method, body) in [("GET", None), ("PUT", Some(json!({"name": "A", "redirect_uris": [CALLBACK]}))), ("DELETE", None)] {
            assert_eq!(world.send_as(method, SHOP, &token, body).await.problem(), (404, "not_found".to_owned()), "{method}");
        }
        assert!(world.accounts.authenticate_application(id, Some(&secret)).await.is_err());
    }

    async fn a_secret_is_exchanged_without_a_gap(world: World) {
        let token = root(&world).await;
        let made = world.send_as("POST", CLIENTS, &token, Some(shop())).await.json();
        let first = Secret::from(made["secret"].as_str().unwrap());
        world.clock.advance(Duration::from_secs(1));
        let second = world.send_as("POST", &format!("{SHOP}/secret"), &token, None).await;
        assert_eq!(second.status, 200, "{}", second.text);
        assert_eq!(second.json()["secrets"], 2);
        let second = Secret::from(second.json()["secret"].as_str().unwrap());
        let works = async |secret: &Secret| world.accounts.authenticate_application("shop", Some(secret)).await.is_ok();
        assert!(works(&first).await && works(&second).await);
        assert_eq!(world.send_as("DELETE", &format!("{SHOP}/old-secret"), &token, None).await.status, 204);
        assert!(!works(&first).await && works(&second).await);
        let public = json!({"id": "app", "kind": "public", "name": "App", "redirect_uris": ["com.example.app:/done"]});
        let made = world.send_as("POST", CLIENTS, &token, Some(public)).await.json();
        assert!(made["secret"].is_null() && made["secrets"] == 0, "{made}");
        let refused = world.send_as("POST", "/v1/admin/clients/app/secret", &token, None).await;
        assert_eq!(refused.problem(), (409, "client_is_public".to_owned()));
    }

    async fn a_client_with_keys_gets_no_secret(world: World) {
        let token = root(&world).await;
        let mut body = shop();
        body["jwks"] = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X, "kid": "2026-03", "x5t": "AA"}]});
        let made = world.send_as("POST", CLIENTS, &token, Some(body)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let expected = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X, "kid": "2026-03", "alg": "EdDSA", "use": "sig"}]});
        let shown = world.get_as(SHOP, &token).await.json();
        assert_eq!((&made.json()["secret"], &shown["jwks"], &shown["secrets"]), (&Value::Null, &expected, &json!(0)));
        // What it needs to be known is not taken.
        let bare = json!({"name": "The Shop", "redirect_uris": [CALLBACK]});
        let refused = world.send_as("PUT", SHOP, &token, Some(bare.clone())).await;
        assert_eq!(refused.field_errors(), ["/jwks jwks_invalid"], "{}", refused.text);
        assert_eq!(world.get_as(SHOP, &token).await.json()["jwks"], expected);
        assert!(world.send_as("POST", "/v1/admin/clients/shop/secret", &token, None).await.json()["secret"].is_string());
        let replaced = world.send_as("PUT", SHOP, &token, Some(bare)).await;
        assert_eq!((replaced.status, &replaced.json()["jwks"]), (200, &Value::Null));
    }

    async fn every_field_that_is_wrong_is_named(world: World) {
        let token = root(&world).await;
        for (field, value, error) in [
            ("id", json!("The Shop"), "/id client_id_invalid"),
            ("id", json!("vestibule"), "/id client_id_invalid"),
            ("kind", json!("secret"), "/kind client_kind_invalid"),
            ("name", json!(""), "/name client_name_invalid"),
            ("name", json!("a\u{202e}b"), "/name client_name_invalid"),
            ("redirect_uris", json!([CALLBACK, "http://shop.example.org/"]), "/redirect_uris/1 redirect_uri_invalid"),
            ("redirect_uris", json!(["javascript:alert(1)"]), "/redirect_uris/0 redirect_uri_invalid"),
            ("redirect_uris", json!([]), "/redirect_uris required"),
            ("redirect_uris", json!(CALLBACK), "/redirect_uris wrong_type"),
            ("redirect_uris", json!(vec![CALLBACK; 17]), "/redirect_uris list_too_long"),
            ("post_logout_redirect_uris", json!(["x"]), "/post_logout_redirect_uris/0 redirect_uri_invalid"),
            ("logout_uri", json!("http://shop.example.org/"), "/logout_uri web_address_invalid"),
            ("resources", json!(["api"]), "/resources web_address_invalid"),
            ("scopes", json!(["a b"]), "/scopes/0 scope_invalid"),
            ("scopes", json!(["openid"]), "/scopes scope_invalid"),
            ("machine_scopes", json!(["email"]), "/machine_scopes scope_invalid"),
            ("claims", json!({"sub": "app.id"}), "/claims/sub claim_invalid"),
            ("claims", json!({"plan": "app.plan", "at_hash": "app.x"}), "/claims/at_hash claim_invalid"),
            ("claims", json!({"groups": "data.groups"}), "/claims/groups claim_invalid"),
            ("claims", json!({"a/b": "email"}), "/claims/a~1b claim_invalid"),
            ("claims", json!({"plan": 1}), "/claims/plan wrong_type"),
            ("claims", json!(["plan=app.plan"]), "/claims wrong_type"),
            ("claims", (0..17).map(|n| (format!("c{n}"), json!("app.x"))).collect(), "/claims claim_invalid"),
            ("jwks", json!({"keys": []}), "/jwks jwks_invalid"),
            ("jwks", json!({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}), "/jwks jwks_invalid"),
            ("jwks", json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X, "d": X}]}), "/jwks jwks_invalid"),
            ("jwks", json!({"keys": [], "more": "x".repeat(5000)}), "/jwks jwks_invalid"),
            ("jwks", json!([]), "/jwks wrong_type"),
            ("jwks", json!("{\"keys\": []}"), "/jwks wrong_type"),
            ("consent", json!("always"), "/consent consent_invalid"),
            ("secret", json!("x"), "/secret unknown_field"),
        ] {
            let mut body = shop();
            body[field] = value;
            let refused = world.send_as("POST", CLIENTS, &token, Some(body)).await;
            assert_eq!((refused.status, refused.field_errors()), (422, vec![error.to_owned()]), "{}", refused.text);
        }
        let jwks = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X, "kid": "2026-03"}]});
        let mut browser = json!({"id": "spa", "kind": "public", "name": "Page", "redirect_uris": [CALLBACK]});
        browser["jwks"] = jwks;
        let refused = world.send_as("POST", CLIENTS, &token, Some(browser)).await;
        assert_eq!(refused.field_errors(), ["/jwks jwks_invalid"]);
        let mut public = shop();
        public["kind"] = json!("public");
        public["machine_scopes"] = json!(["stock"]);
        let refused = world.send_as("POST", CLIENTS, &token, Some(public.clone())).await;
        assert_eq!(refused.field_errors(), ["/machine_scopes client_secret_needed"]);
        public["machine_scopes"] = json!([]);
        public["redirect_uris"] = json!(["http://localhost/callback"]);
        public["consent"] = json!("never");
        let refused = world.send_as("POST", CLIENTS, &token, Some(public)).await;
        assert_eq!(refused.field_errors(), ["/consent consent_needed"]);
        assert_eq!(world.get_as(CLIENTS, &token).await.json(), json!({"items": []}));
    }

    async fn a_client_of_the_settings_is_changed_there(world: World) {
        let mut world = world;
        let secrets = vec![Secret::from("5b1c4f6f4a7e4d0f9a0f3f0c6a1d2e3f")];
        let configured = ConfiguredApplication { application: own_application(), secrets };
        world.follows(|policy| policy.applications = vec![configured]).await;
        let token = root(&world).await;
        let shown = world.get_as(SHOP, &token).await.json();
        assert_eq!((&shown["source"], &shown["secrets"], &shown["created_at"]), (&json!("settings"), &json!(1), &Value::Null));
        let body = json!({"name": "Mine", "redirect_uris": [CALLBACK]});
        for (method, path, body) in [
            ("PUT", SHOP.to_owned(), Some(body)),
            ("DELETE", SHOP.to_owned(), None),
            ("POST", format!("{SHOP}/secret"), None),
            ("DELETE", format!("{SHOP}/old-secret"), None),
        ] {
            let refused = world.send_as(method, &path, &token, body).await;
            assert_eq!(refused.problem(), (409, "client_in_settings".to_owned()), "{method} {path}");
        }
        let again = world.send_as("POST", CLIENTS, &token, Some(shop())).await;
        assert_eq!(again.problem(), (409, "client_taken".to_owned()));
    }

    // J5, O4: administrators only, and changes only with a fresh proof.
    async fn clients_are_for_administrators_with_a_fresh_proof(world: World) {
        let id = ada_lets_the_shop_in(&world).await;
        world.has_admin(ROOT).await;
        let body = || Some(json!({"name": "Mine", "redirect_uris": ["https://evil.example/"]}));
        let grants = format!("/v1/admin/users/{id}/grants");
        let (of_shop, secret, old) = (format!("{grants}/shop"), format!("{SHOP}/secret"), format!("{SHOP}/old-secret"));
        let changes = [
            ("POST", CLIENTS, Some(shop())),
            ("PUT", SHOP, body()),
            ("DELETE", SHOP, None),
            ("POST", &secret, None),
            ("DELETE", &old, None),
        ];
        let others = [("GET", CLIENTS), ("GET", SHOP), ("GET", &grants), ("DELETE", &of_shop)];
        let ada = world.access_token(ADA).await;
        for (method, path, body) in changes.iter().cloned().chain(others.map(|(method, path)| (method, path, None))) {
            let refused = world.send_as(method, path, &ada, body).await;
            assert_eq!(refused.problem(), (403, "forbidden".to_owned()), "{method} {path}");
        }
        let refreshed = stale_session(&world).await;
        for (method, path, body) in changes {
            let refused = world.send_as(method, path, &refreshed, body).await;
            assert_eq!(refused.problem(), (401, "reauthentication_required".to_owned()), "{method} {path}");
        }
        assert_eq!(world.get_as(SHOP, &refreshed).await.json()["name"], "Example Shop");
    }

    async fn a_grant_of_a_user_is_shown_and_taken_back(world: World) {
        let id = ada_lets_the_shop_in(&world).await;
        let token = root(&world).await;
        let path = format!("/v1/admin/users/{id}/grants");
        let shown = world.get_as(&path, &token).await.json();
        let grant = &shown["items"][0];
        assert_eq!((&grant["client_id"], &grant["name"], &grant["scope"]), (&json!("shop"), &json!("Example Shop"), &json!("email openid")));
        assert_eq!(world.send_as("DELETE", &format!("{path}/shop"), &token, None).await.status, 204);
        assert_eq!(world.get_as(&path, &token).await.json(), json!({"items": []}));
        for path in [format!("{path}/shop"), format!("{path}/Shop")] {
            assert_eq!(world.send_as("DELETE", &path, &token, None).await.status, 404, "{path}");
        }
        let trail = world.get_as("/v1/admin/audit?kind=application_disconnected", &token).await.json();
        let entry = &trail["items"][0];
        assert_eq!((&entry["detail"], &entry["user_id"]), (&json!("shop"), &json!(id)), "{trail}");
        let nobody = "/v1/admin/users/usr_06nq8sd5c9u7d1p4v0g2k8m3e4/grants";
        assert_eq!(world.get_as(nobody, &token).await.status, 404);
    }
}

/// The token of an administrator who signed in more than 15 minutes ago.
async fn stale_session(world: &World) -> String {
    let session = world.signs_in(ROOT).await;
    world.clock.advance(Duration::from_mins(16));
    let form =
        format!("grant_type=refresh_token&refresh_token={}", session["refresh_token"].as_str().unwrap());
    world.post_form("/v1/token", &form).await.json()["access_token"].as_str().unwrap().to_owned()
}
