//! Every defect in every field of every route that reads a body. Each request is correct except for one defect;
//! afterwards the correct one works, so nothing else was wrong with them, and none of them had any effect.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Map, Value, json};

use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World, basic};

const NEW: &str = "copper-lamp-river-77";

/// The kind of a field, which determines how its defects are answered.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Email,
    NewPassword,
    /// A password to compare: a text that cannot be one is a wrong one.
    Password,
    /// The same for a signed-in user.
    OwnPassword,
    /// A password to judge: there is an answer for any text.
    Judged,
    UserName,
    Locale,
    Code,
    Token,
}

use Kind::{Code, Email, Judged, Locale, NewPassword, OwnPassword, Password, Token, UserName};

/// A route that reads JSON.
struct Route {
    method: &'static str,
    path: &'static str,
    authorization: Option<String>,
    /// A body without defects.
    right: Value,
    required: &'static [(&'static str, Kind)],
    optional: &'static [(&'static str, Kind)],
    /// The answer to the right body.
    status: u16,
}

fn route(path: &'static str, right: Value, status: u16, required: &'static [(&'static str, Kind)]) -> Route {
    Route { method: "POST", path, authorization: None, right, required, optional: &[], status }
}

impl Kind {
    /// The status and the code of: too long, empty, with a control character.
    fn refusals(self) -> [(u16, &'static str); 3] {
        match self {
            Email => [(422, "email_too_long"), (422, "email_invalid"), (422, "email_invalid")],
            NewPassword => {
                [(422, "password_too_long"), (422, "password_too_short"), (422, "password_invalid")]
            }
            Password => [(401, "invalid_credentials"); 3],
            OwnPassword => [(422, "password_wrong"); 3],
            Judged => [(200, ""); 3],
            UserName => [(422, "user_name_length"), (422, "user_name_length"), (422, "user_name_invalid")],
            Locale => [(422, "locale_invalid"); 3],
            Code => [(422, "code_malformed"); 3],
            Token => [(410, "link_expired"); 3],
        }
    }

    fn too_long(self) -> String {
        match self {
            Email => format!("{}@example.org", "a".repeat(65)),
            Password | NewPassword | OwnPassword | Judged => "violet-otter-maps-42 ".repeat(50),
            UserName => "a".repeat(33),
            Locale => "de-".to_owned() + &"a".repeat(33),
            Code => "0".repeat(9),
            Token => "A".repeat(9_000),
        }
    }
}

impl Route {
    fn fields(&self) -> impl Iterator<Item = &(&'static str, Kind)> {
        self.required.iter().chain(self.optional)
    }

    fn with(&self, name: &str, value: Value) -> Value {
        let mut body = self.right.clone();
        body[name] = value;
        body
    }

    async fn send(&self, world: &World, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(self.method).uri(self.path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        world.send(request.body(body.into()).unwrap()).await
    }

    async fn json(&self, world: &World, body: impl Into<Body>) -> Answer {
        self.send(world, &[("content-type", "application/json")], body).await
    }

    async fn refuses_every_field(&self, world: &World) {
        for (name, _) in self.required {
            let mut body: Map<String, Value> = self.right.as_object().unwrap().clone();
            body.remove(*name);
            self.expect(world, name, &Value::Object(body), (422, "required")).await;
        }
        for (name, kind) in self.fields() {
            for wrong in [json!(null), json!(7), json!(0.5), json!(true), json!(["x"]), json!({"x": "y"})] {
                self.expect(world, name, &self.with(name, wrong), (422, "wrong_type")).await;
            }
            let [too_long, empty, control] = kind.refusals();
            self.expect(world, name, &self.with(name, kind.too_long().into()), too_long).await;
            self.expect(world, name, &self.with(name, "".into()), empty).await;
            let right = self.right[name].as_str().unwrap_or("en");
            let (first, rest) = right.split_at(1);
            for sign in ['\0', '\r', '\n', '\t', '\u{1b}', '\u{7f}', '\u{85}'] {
                let text = format!("{first}{sign}{rest}");
                self.expect(world, name, &self.with(name, text.into()), control).await;
            }
        }
    }

    async fn expect(&self, world: &World, field: &str, body: &Value, (status, code): (u16, &str)) {
        let answer = self.json(world, body.to_string()).await;
        let shown = format!("{} {field} {body}: {}", self.path, answer.text);
        assert_eq!(answer.status, status, "{shown}");
        if status == 422 {
            assert_eq!(answer.field_errors(), [format!("/{field} {code}")], "{shown}");
        } else if status >= 400 {
            assert_eq!(answer.problem().1, code, "{shown}");
        }
    }

    // H6, H8, H9
    async fn refuses_every_body(&self, world: &World) {
        let right = self.right.to_string();
        let members = right.trim_matches(['{', '}']);
        let mut broken: Vec<Vec<u8>> =
            ["", " ", "{", "{}{}", "{\"x\":\"\\ud800\"}", "{\"x\":\"a\0b\"}", "{x:1}", "{'x':1}"]
                .map(|text| text.as_bytes().to_vec())
                .into();
        broken.push(format!("\u{feff}{right}").into_bytes());
        broken.push(format!("{right},").into_bytes());
        broken.push([b"{\"x\":\"\xff\"}".as_slice()].concat());
        broken.push(format!("{{{members},\"x\":{}1{}}}", "[".repeat(16), "]".repeat(16)).into_bytes());
        for (name, _) in self.fields() {
            broken.push(format!("{{\"{name}\":\"x\",{members},\"{name}\":\"x\"}}").into_bytes());
        }
        for body in broken {
            let shown = format!("{} {}", self.path, String::from_utf8_lossy(&body));
            let answer = self.json(world, body).await;
            assert_eq!(answer.problem(), (400, "malformed_json".to_owned()), "{shown}");
        }
        for body in ["[]", "null", "\"x\"", "7", "true"] {
            assert_eq!(self.json(world, body).await.field_errors(), [" wrong_type"], "{} {body}", self.path);
        }
        for (name, pointer) in [("x", "/x"), ("", "/"), ("a/b~c", "/a~1b~0c"), ("n\0l", "/n\0l")] {
            let answer = self.json(world, self.with(name, "x".into()).to_string()).await;
            assert_eq!(answer.field_errors(), [format!("{pointer} unknown_field")], "{}", self.path);
        }
        let long = format!("{right}{}", " ".repeat(16 * 1024 + 1 - right.len()));
        assert_eq!(
            self.json(world, long).await.problem(),
            (413, "body_too_large".to_owned()),
            "{}",
            self.path
        );
    }

    // H2
    async fn refuses_every_other_type(&self, world: &World) {
        let json = ("content-type", "application/json");
        for headers in [
            &[][..],
            &[("content-type", "")],
            &[("content-type", "text/plain")],
            &[("content-type", "application/x-www-form-urlencoded")],
            &[("content-type", "application/json; charset=latin1")],
            &[json, ("content-encoding", "gzip")],
        ] {
            let answer = self.send(world, headers, self.right.to_string()).await;
            assert_eq!(
                answer.problem(),
                (415, "unsupported_media_type".to_owned()),
                "{} {headers:?}",
                self.path
            );
        }
        let twice = self.send(world, &[json, json], self.right.to_string()).await;
        assert_eq!(twice.problem(), (400, "invalid_request".to_owned()), "{}", self.path);
    }

    /// All defects, and then none.
    async fn audit(&self, world: &World) {
        self.refuses_every_field(world).await;
        self.refuses_every_body(world).await;
        self.refuses_every_other_type(world).await;
        let answer = self.json(world, self.right.to_string()).await;
        assert_eq!(answer.status, self.status, "{} {}", self.path, answer.text);
    }
}

on_both_stores! {
    async fn sign_up_refuses_every_defect(world: World) {
        let right = json!({"email": ADA, "password": PASSWORD, "user_name": "ada", "locale": "en"});
        let sign_up = route("/v1/signup", right, 202, &[("email", Email), ("password", NewPassword)]);
        Route { optional: &[("user_name", UserName), ("locale", Locale)], ..sign_up }.audit(&world).await;
        // Only the correct one made a sign-up and a mail.
        assert_eq!(world.mails("confirm", ADA).await, 1);
    }

    async fn the_code_route_refuses_every_defect(world: World) {
        let code = world.signs_up(ADA).await.code.unwrap();
        let route = route("/v1/confirm/code", json!({"code": code, "user_name": "ada"}), 200, &[("code", Code)]);
        let authorization = Some(basic(&format!("{ADA}:{PASSWORD}")));
        Route { optional: &[("user_name", UserName)], authorization, ..route }.audit(&world).await;
    }

    async fn the_link_route_refuses_every_defect(world: World) {
        let token = world.signs_up(ADA).await.link.unwrap().split_once("token=").unwrap().1.to_owned();
        let right = json!({"token": token, "password": PASSWORD, "user_name": "ada"});
        let route = route("/v1/confirm", right, 200, &[("token", Token), ("password", Password)]);
        Route { optional: &[("user_name", UserName)], ..route }.audit(&world).await;
    }

    async fn resend_and_forgot_refuse_every_defect(world: World) {
        world.has_account(ADA).await;
        for path in ["/v1/confirm/resend", "/v1/password/forgot"] {
            route(path, json!({"email": ADA}), 202, &[("email", Email)]).audit(&world).await;
        }
    }

    async fn login_refuses_every_defect(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        let named = world.send_as("PATCH", "/v1/me", &token, Some(json!({"user_name": "ada"}))).await;
        assert_eq!(named.status, 200);
        let right = json!({"email": ADA, "password": PASSWORD});
        route("/v1/login", right, 200, &[("email", Email), ("password", Password)]).audit(&world).await;
        let right = json!({"user_name": "ada", "password": PASSWORD});
        let by_name = route("/v1/login", right, 200, &[("password", Password)]);
        Route { optional: &[("user_name", UserName)], ..by_name }.audit(&world).await;
    }

    async fn the_routes_of_a_password_refuse_every_defect(world: World) {
        world.has_account(ADA).await;
        let right = json!({"password": PASSWORD, "email": ADA});
        let check = route("/v1/password/check", right, 200, &[("password", Judged)]);
        Route { optional: &[("email", Email)], ..check }.audit(&world).await;
        let change = json!({"current_password": PASSWORD, "new_password": NEW});
        let fields = &[("current_password", OwnPassword), ("new_password", NewPassword)];
        signed_in(&world, route("/v1/me/password", change, 204, fields)).await.audit(&world).await;
        world.post("/v1/password/forgot", json!({"email": ADA})).await;
        let token = world.mailed_token("password_reset", ADA).await;
        let right = json!({"token": token, "new_password": PASSWORD});
        route("/v1/password/reset", right, 204, &[("token", Token), ("new_password", NewPassword)]).audit(&world).await;
    }

    async fn the_routes_of_the_account_refuse_every_defect(world: World) {
        const OTHER: &str = "ada@example.com";
        world.has_account(ADA).await;
        let change = route("/v1/me", json!({"user_name": "ada", "locale": "de"}), 200, &[]);
        let fields = &[("user_name", UserName), ("locale", Locale)];
        signed_in(&world, Route { method: "PATCH", optional: fields, ..change }).await.audit(&world).await;
        let right = json!({"email": OTHER, "password": PASSWORD});
        let fields = &[("email", Email), ("password", OwnPassword)];
        signed_in(&world, route("/v1/me/email", right, 202, fields)).await.audit(&world).await;
        let right = json!({"token": world.mailed_token("email_change", OTHER).await, "password": PASSWORD});
        let fields = &[("token", Token), ("password", Password)];
        route("/v1/email/confirm", right, 200, fields).audit(&world).await;
        let right = json!({"token": world.mailed_token("email_undo", ADA).await, "new_password": NEW});
        let fields = &[("token", Token), ("new_password", NewPassword)];
        route("/v1/email/undo", right, 200, fields).audit(&world).await;
    }

    async fn the_deletion_of_an_account_refuses_every_defect(world: World) {
        world.has_account(ADA).await;
        let delete = route("/v1/me", json!({"password": PASSWORD}), 204, &[("password", OwnPassword)]);
        signed_in(&world, Route { method: "DELETE", ..delete }).await.audit(&world).await;
    }

    // RFC 6749 §5.2: the same for forms, with errors in the form of OAuth.
    async fn the_token_routes_refuse_every_defect(world: World) {
        world.has_account(ADA).await;
        let session = world.signs_in(ADA).await;
        let refresh = session["refresh_token"].as_str().unwrap();
        for (path, right, fields) in [
            ("/v1/token", format!("username={ADA}&password={PASSWORD}"), &[("username", "invalid_grant"), ("password", "invalid_grant")][..]),
            ("/v1/token", format!("grant_type=refresh_token&refresh_token={refresh}"), &[("refresh_token", "invalid_grant")]),
            ("/v1/token/revoke", format!("token={refresh}"), &[("token", "")]),
        ] {
            audit_form(&world, path, &right, fields).await;
        }
    }
}

async fn signed_in(world: &World, route: Route) -> Route {
    Route { authorization: Some(format!("Bearer {}", world.access_token(ADA).await)), ..route }
}

/// Each field comes with the error for an invalid value; none if the answer is 200.
async fn audit_form(world: &World, path: &str, right: &str, fields: &[(&str, &str)]) {
    let pairs: Vec<(&str, &str)> = right.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
    let with = |name: &str, value: &str| {
        let pair = |(key, old): &(&str, &str)| format!("{key}={}", if *key == name { value } else { old });
        pairs.iter().map(pair).collect::<Vec<_>>().join("&")
    };
    let mut table = Vec::new();
    for (name, error) in fields {
        let rest: Vec<String> =
            pairs.iter().filter(|(key, _)| key != name).map(|(key, old)| format!("{key}={old}")).collect();
        table.push((rest.join("&"), "invalid_request"));
        table.push((format!("{right}&{name}=x"), "invalid_request"));
        for value in ["", "%00", "%0d%0a", "%c2%85", "%ef%bf%bd", "x", &"x".repeat(9_000)] {
            table.push((with(name, value), *error));
        }
        // A value that is not text is never read as another text.
        for value in ["%ff%fe", "%ed%a0%80", "%", "%f", "%zz"] {
            table.push((with(name, value), "invalid_request"));
        }
    }
    for (form, error) in table {
        let answer = world.post_form(path, &form).await;
        let status = if error.is_empty() { 200 } else { 400 };
        assert_eq!(answer.status, status, "{path} {form}: {}", answer.text);
        if !error.is_empty() {
            assert_eq!(answer.json()["error"], error, "{path} {form}: {}", answer.text);
        }
    }
    let long = format!("{right}&x={}", "x".repeat(16 * 1024));
    assert_eq!(world.post_form(path, &long).await.json()["error"], "invalid_request");
    assert_eq!(world.post_form(path, &long).await.status, 413);
    let json = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    assert_eq!(world.send(json.body(Body::from(right.to_owned())).unwrap()).await.status, 415);
    // Some of the defects were guesses at a password; the wait that they caused is over.
    world.clock.advance(Duration::from_mins(1));
    // Unknown names are ignored (RFC 6749 §3.2).
    let answer = world.post_form(path, &format!("{right}&x=%00")).await;
    assert_eq!(answer.status, 200, "{path} {}", answer.text);
}
