//! Nothing is not enough: empty bodies and empty fields (hole B22), and empty keys, which equal nothing (hole B30).

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::methods::{DESCRIPTION, described, filled};
use super::{NEW_PASSWORD, SESSION, brings_no_session, refused, state, with_cookie};
use crate::browser::Browser;
use crate::cross_site::{FORMS, MEMBERS};
use crate::factors::used;
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World, basic};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Routes that answer to nothing, and change nothing: the beginning of a passkey ceremony that anybody may begin, a
/// judgement of any text, and a revocation of what is no token (RFC 7009 §2.2).
const HARMLESS: [&str; 3] = ["/v1/login/passkey/options", "/v1/password/check", "/v1/token/revoke"];

/// The acts of pages that need no more than their button.
const BUTTONS: [&str; 14] = [
    "/logout",
    "/email/cancel",
    "/disable",
    "/enable",
    "/reset-link",
    "/sign-out",
    "/clear-limits",
    "/resend",
    "/confirm",
    "/retry",
    "/drop",
    "/admin/mail/test",
    "/account/authenticator",
    "/authenticator/remove",
];

/// The names of the fields that a described body may have.
fn fields(operation: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let mut open: Vec<&Value> = operation["requestBody"]["content"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, content)| &content["schema"])
        .collect();
    while let Some(schema) = open.pop() {
        if let Some(name) = schema["$ref"].as_str() {
            open.push(&DESCRIPTION["components"]["schemas"][name.rsplit('/').next().unwrap()]);
        }
        open.extend(schema["oneOf"].as_array().into_iter().flatten());
        names.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    }
    names.sort();
    names.dedup();
    names
}

/// Every body that says nothing: its type and its text.
fn nothing(operation: &Value) -> Vec<(&'static str, String)> {
    let names = fields(operation);
    let pairs = |value: &Value| names.iter().map(|name| (name.clone(), value.clone())).collect::<Value>();
    let with = |value: &Value| pairs(value).to_string();
    let mut all = vec![
        ("", String::new()),
        (JSON, String::new()),
        (JSON, "{}".to_owned()),
        (JSON, "null".to_owned()),
        (JSON, "[]".to_owned()),
        (JSON, with(&json!(""))),
        (JSON, with(&json!(null))),
        (FORM, String::new()),
        (FORM, names.iter().map(|name| format!("{name}=")).collect::<Vec<_>>().join("&")),
        (FORM, names.join("&")),
    ];
    // Each field alone, because two that exclude each other are refused for that.
    for name in &names {
        all.push((JSON, json!({name: ""}).to_string()));
        all.push((FORM, format!("{name}=")));
    }
    all
}

async fn sends(world: &World, path: &str, kind: &str, body: &str, authorization: Option<&str>) -> Answer {
    let mut request = Request::post(path);
    if !kind.is_empty() {
        request = request.header("content-type", kind);
    }
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    world.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

on_both_stores! {
    async fn hole_b22_an_empty_post_to_the_api_does_nothing(world: World) {
        world.has_account(ADA).await;
        world.has_admin("root@example.org").await;
        world.signs_up("bob@example.org").await;
        let root = world.access_token("root@example.org").await;
        let ada = crate::admin_users_page::id_of(&world, ADA).await;
        let before = state(&world, &root).await;
        let own = [Some(format!("Bearer {root}")), None, Some(basic(":")), Some(basic("bob@example.org:")), Some("Bearer ".to_owned())];
        let mut tried = 0;
        for (path, _, operation) in described().into_iter().filter(|(_, method, _)| method == "POST") {
            let route = filled(&path, &ada);
            for authorization in &own {
                // Of somebody who may, an act without a body is no empty one.
                let signed_in = authorization.as_ref().is_some_and(|value| value.len() > 50);
                if signed_in && operation["requestBody"]["required"] != true {
                    continue;
                }
                for (kind, body) in nothing(&operation) {
                    let answer = sends(&world, &route, kind, &body, authorization.as_deref()).await;
                    let what = format!("{path} {kind} {body:?} {authorization:?}");
                    if HARMLESS.contains(&path.as_str()) {
                        brings_no_session(&answer, &what);
                    } else {
                        refused(&answer, &what);
                    }
                    tried += 1;
                }
            }
        }
        assert!(tried > 1000, "{tried}");
        assert_eq!(state(&world, &root).await, before);
        assert_eq!(world.get_as("/v1/me", &root).await.status, 200);
    }

    async fn hole_b22_an_empty_form_does_nothing(world: World) {
        const FIELDS: &str = "token=&password=&new_password=&current_password=&own_password=&email=&login=&code=&session=&roles=&revision=&reason=";
        world.has_account(ADA).await;
        world.has_admin("root@example.org").await;
        // A browser that waits for its mail, and one that is signed in.
        let (mut waiting, mut root) = (Browser::default(), Browser::signed_in(&world, "root@example.org").await);
        waiting.fills(&world, "/signup", &format!("email=bob@example.org&password={PASSWORD}")).await;
        let token = world.access_token("root@example.org").await;
        world.deliver().await;
        let ada = crate::admin_users_page::id_of(&world, ADA).await;
        let members = MEMBERS.map(|path| path.replace("usr_00000000000000000000000000", &ada));
        let before = state(&world, &token).await;
        for path in FORMS {
            waiting.get(&world, "/check-mail").await;
            let own = [("sec-fetch-site", "same-origin")];
            for form in ["", FIELDS, "form_token=", "form_token"] {
                refused(&waiting.post(&world, path, form, &own).await, &format!("{path} {form}"));
            }
            for form in ["", FIELDS] {
                let answer = waiting.submit(&world, path, form).await;
                brings_no_session(&answer, path);
                let back = answer.status == 303 && answer.leads_to().starts_with("/check-mail");
                assert!(back || (400..500).contains(&answer.status), "{path} {form}: {} {}", answer.status, answer.text);
            }
        }
        assert!(!waiting.cookies.contains_key(SESSION));
        for path in &members {
            for form in ["", FIELDS, "form_token="] {
                refused(&root.post(&world, path, form, &[]).await, path);
            }
            if !BUTTONS.iter().any(|button| path.ends_with(button)) && path != "/account/profile" {
                root.get(&world, "/account").await;
                refused(&root.submit(&world, path, FIELDS).await, path);
            }
        }
        assert_eq!(state(&world, &token).await, before);
        assert_eq!(root.get(&world, "/account").await.status, 200);
    }

    async fn hole_b30_empty_keys_equal_nothing(world: World) {
        let mut world = world;
        let mut options = crate::world::options(&world.mailbox);
        options.introspection_clients = vec![("shop".to_owned(), "".into()), (String::new(), "".into())];
        world.router_with(options);
        // No set-up key was made yet, no link was mailed, nothing waits.
        world.has_account(ADA).await;
        for token in ["", " ", "\u{0}", "null"] {
            let (new, password) = ("new_password", "password");
            for (path, field) in [("/v1/password/reset", new), ("/v1/email/undo", new), ("/v1/email/confirm", password), ("/v1/confirm", password), ("/v1/invitation/accept", password)] {
                refused(&world.post(path, json!({"token": token, field: NEW_PASSWORD})).await, path);
            }
            let body = json!({"token": token, "email": "eve@example.org", "password": PASSWORD});
            refused(&world.post("/v1/setup", body).await, "set-up");
            for form in [format!("refresh_token={token}"), format!("grant_type=refresh_token&refresh_token={token}")] {
                refused(&world.post_form("/v1/token", &form).await, "refresh");
            }
        }
        for authorization in [basic("shop:"), basic(":"), basic("shop"), "Bearer".to_owned(), "Bearer ".to_owned(), "Basic ".to_owned(), String::new()] {
            refused(&sends(&world, "/v1/introspect", FORM, "token=", Some(&authorization)).await, &authorization);
            let request = Request::get("/v1/me").header("authorization", &authorization);
            refused(&world.send(request.body(Body::empty()).unwrap()).await, &authorization);
        }
        for cookie in ["vestibule_session", "vestibule_signup", "vestibule_form"] {
            refused(&with_cookie(&world, cookie, "").await, cookie);
        }
        let mut browser = Browser::default();
        for name in ["session", "signup", "form"] {
            browser.cookies.insert(format!("__Host-vestibule_{name}"), String::new());
        }
        let form = format!("form_token=&login={ADA}&password={PASSWORD}");
        refused(&browser.post(&world, "/login", &form, &[("sec-fetch-site", "same-origin")]).await, "an empty form token");
        assert!(browser.get(&world, "/check-mail").await.status == 303, "no sign-up is nobody's");
    }

    async fn hole_b30_what_is_not_there_has_no_empty_key(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        let passkey = world.adds_passkey(&token).await;
        let begun = world.post_as("/v1/me/authenticator", &token).await;
        assert_eq!(begun.status, 200, "an app that is not confirmed");
        assert_eq!(world.send_as("DELETE", "/v1/me/password", &token, None).await.status, 204);
        // An account without a password has not an empty one.
        for password in ["", " ", "\u{0}", PASSWORD] {
            refused(&world.post("/v1/login", json!({"email": ADA, "password": password})).await, "login");
            refused(&world.post_form("/v1/token", &format!("username={ADA}&password={password}")).await, "token");
            refused(&Browser::default().fills(&world, "/login", &format!("login={ADA}&password={password}")).await, "page");
            refused(&world.sends_code(ADA, password, "0000").await, "Basic");
            refused(&world.send_as("POST", "/v1/me/verify", &token, Some(json!({"password": password}))).await, "step-up");
        }
        let asked = world.post("/v1/login/passkey/options", json!({})).await.json();
        for name in ["", " ", "AAAA"] {
            let mut answer = used(&passkey, &asked);
            answer["ceremony"] = json!(name);
            refused(&world.post("/v1/login/passkey", answer).await, "ceremony");
            refused(&world.post("/v1/login/passkey/options", json!({"challenge": name})).await, "challenge");
            let factors = [json!({"code": ""}), json!({"code": "000000"}), json!({"recovery_code": ""}), json!({"recovery_code": "0000-0000-0000-0000"})];
            for mut factor in factors {
                refused(&world.send_as("POST", "/v1/me/verify", &token, Some(factor.clone())).await, "step-up");
                factor["challenge"] = json!(name);
                refused(&world.post("/v1/login/second-factor", factor).await, "second factor");
            }
        }
        for (part, value) in [("signature", ""), ("authenticatorData", ""), ("clientDataJSON", ""), ("userHandle", "AAAA")] {
            let mut answer = used(&passkey, &asked);
            answer["credential"]["response"][part] = json!(value);
            refused(&world.post("/v1/login/passkey", answer).await, part);
        }
        let mut nobody = used(&passkey, &asked);
        for name in ["id", "rawId"] {
            nobody["credential"][name] = json!("");
        }
        refused(&world.post("/v1/login/passkey", nobody).await, "a credential without an id");
        assert_eq!(world.post("/v1/login/passkey", used(&passkey, &asked)).await.status, 200);
    }
}
