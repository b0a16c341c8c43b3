//! Hole B19: a route has an effect by the methods of its description alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{NEW_PASSWORD, SESSION, brings_no_session, state, text, with_cookie};
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World};

/// Methods, those of HTTP and others. A method is compared by case: `post` is none of those known.
const METHODS: [&str; 11] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "BREW", "post"];

/// Large, so it is read once.
pub(super) static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../../../docs/openapi.json")).unwrap());

/// The described operations: path, method, description.
pub(super) fn described() -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in DESCRIPTION["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push((path.clone(), method.to_uppercase(), operation.clone()));
        }
    }
    all
}

/// The routes of the pages and their methods, read from their sources.
pub(super) fn pages() -> BTreeMap<String, BTreeSet<String>> {
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/pages"))];
    let mut pages = BTreeMap::<String, BTreeSet<String>>::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            let own = source.split("const PATH: &str = \"").nth(1).and_then(|rest| rest.split('"').next());
            for route in source.split(".route(").skip(1) {
                let ends = [";\n", "}\n"];
                let route = ends.iter().fold(route, |route, end| route.split(end).next().unwrap());
                let named = route.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
                let methods = pages.entry(named.or(own).unwrap().to_owned()).or_default();
                if route.contains("get(") || route.contains(" show(") {
                    methods.insert("GET".to_owned());
                }
                if route.contains("post(") {
                    methods.insert("POST".to_owned());
                }
            }
        }
    }
    pages.retain(|path, _| !path.starts_with("/dev/"));
    pages
}

/// A path with something for each of its parameters.
pub(super) fn filled(path: &str, user: &str) -> String {
    let id = match path
        .split('/')
        .find(|part| ["users", "registrations", "mail", "passkeys", "sessions"].contains(part))
    {
        Some("users") => user,
        Some("registrations") => "reg_00000000000000000000000000",
        Some("passkeys") => "pky_00000000000000000000000000",
        Some("sessions") => "ses_00000000000000000000000000",
        _ => "msg_00000000000000000000000000",
    };
    path.replace("{id}", id)
        .replace("{client_id}", "shop")
        .replace("{code}", "forbidden")
        .replace("{file}", "site.js")
}

/// Everything that any route could need, signed in as an administrator, on the pages as well.
struct Everything {
    fields: Vec<(&'static str, String)>,
    token: String,
    browser: Browser,
}

impl Everything {
    async fn of(world: &World, root: &str) -> Self {
        let session = world.signs_in(ADA).await;
        let mut browser = Browser::signed_in(world, root).await;
        browser.get(world, "/account").await;
        world.post("/v1/password/forgot", json!({"email": ADA})).await;
        let fields = vec![
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", text(&session["refresh_token"])),
            ("username", ADA.to_owned()),
            ("email", ADA.to_owned()),
            ("login", ADA.to_owned()),
            ("password", PASSWORD.to_owned()),
            ("own_password", PASSWORD.to_owned()),
            ("current_password", PASSWORD.to_owned()),
            ("new_password", NEW_PASSWORD.to_owned()),
            ("token", world.mailed_token("password_reset", ADA).await),
            ("form_token", browser.form_token.clone()),
            ("_method", "POST".to_owned()),
            ("reason", "because".to_owned()),
        ];
        Self { fields, token: world.access_token(root).await, browser }
    }

    async fn sends(&self, world: &World, method: &str, path: &str, form: bool, bearer: bool) -> Answer {
        let pairs: Vec<_> = self.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let object: serde_json::Map<String, Value> =
            self.fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let (kind, body) = if form {
            ("application/x-www-form-urlencoded", pairs.join("&"))
        } else {
            ("application/json", Value::from(object).to_string())
        };
        let cookies: Vec<_> =
            self.browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{path}?{}", pairs.join("&")))
            .header("content-type", kind)
            .header("cookie", cookies.join("; "))
            .header("sec-fetch-site", "same-origin");
        for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
            request = request.header(name, if method == "POST" { "DELETE" } else { "POST" });
        }
        if bearer {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        world.send(request.body(Body::from(body)).unwrap()).await
    }
}

on_both_stores! {
    async fn hole_b19_no_other_method_has_an_effect(world: World) {
        let mut routes = pages();
        assert!(routes.len() > 40, "{routes:?}");
        for (path, method, _) in described() {
            routes.entry(path).or_default().insert(method);
        }
        assert!(routes.len() > 90, "{}", routes.len());
        world.has_account(ADA).await;
        world.has_admin("root@example.org").await;
        let everything = Everything::of(&world, "root@example.org").await;
        let ada = crate::admin_users_page::id_of(&world, ADA).await;
        let before = state(&world, &everything.token).await;
        for (path, methods) in &routes {
            let path = filled(path, &ada);
            for method in METHODS {
                if methods.contains(method) || (method == "HEAD" && methods.contains("GET")) {
                    continue;
                }
                for (form, bearer) in [(true, true), (false, true), (true, false)] {
                    let answer = everything.sends(&world, method, &path, form, bearer).await;
                    let what = format!("{method} {path}: {} {}", answer.status, answer.text);
                    // What a route offers is told without asking the route (RFC 9110 §9.3.7).
                    let offers = method == "OPTIONS" && answer.status == 204 && answer.text.is_empty();
                    assert!(offers || [404, 405].contains(&answer.status), "{what}");
                    brings_no_session(&answer, &what);
                    assert_eq!(answer.headers.get("set-cookie"), None, "{what}");
                }
            }
            // Reading has no effect either, whatever the request says beside its method.
            for method in ["GET", "HEAD"] {
                if methods.contains("GET") && path != "/openapi.json" {
                    let answer = everything.sends(&world, method, &path, true, true).await;
                    brings_no_session(&answer, &path);
                }
            }
        }
        assert_eq!(state(&world, &everything.token).await, before);
        assert_eq!(with_cookie(&world, "vestibule_session", &everything.browser.cookies[SESSION]).await.status, 200);
        // Nothing of it was used up.
        let field = |name: &str| &everything.fields.iter().find(|(one, _)| *one == name).unwrap().1;
        let form = format!("grant_type=refresh_token&refresh_token={}", field("refresh_token"));
        assert_eq!(world.post_form("/v1/token", &form).await.status, 200);
        let body = json!({"token": field("token"), "new_password": NEW_PASSWORD});
        assert_eq!(world.post("/v1/password/reset", body).await.status, 204);
    }
}
