//! The holes that others published, each tried here (`docs/security.md` has the table). This file has hole B3: what was
//! made for one purpose is accepted for no other.

mod addresses;
mod authorization;
mod clients;
mod empty;
mod ends;
mod forged;
mod lock;
mod methods;
mod pages;
mod races;
mod table;
mod takeovers;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use vestibule::{Actor, UserRef};

use crate::browser::Browser;
use crate::factors::used;
use crate::oauth::assertions::{Signing, fields};
use crate::oauth::client::{Registered, application, code, code_in, redemption};
use crate::oauth::logouts::{Told, listening};
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World};

const EVE: &str = "eve@example.org";
const NEW_PASSWORD: &str = "copper-lamp-river-77";

/// The name of the cookie of a session.
const SESSION: &str = "__Host-vestibule_session";

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).to_owned()
}

/// A text with each of its octets as in an address, `%41` for an A.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |all, byte| format!("{all}%{byte:02X}"))
}

/// What administrators see of everybody: users, sign-ups that wait, and mails. Equal before and after what had no
/// effect.
async fn state(world: &World, root: &str) -> String {
    let mut all = String::new();
    for list in ["users", "registrations", "mail"] {
        let page = world.get_as(&format!("/v1/admin/{list}?limit=100"), root).await;
        assert_eq!(page.status, 200, "{}", page.text);
        all += &page.text;
    }
    all
}

/// Whether a password signs in.
async fn opens(world: &World, email: &str, password: &str) -> bool {
    world.post("/v1/login", json!({"email": email, "password": password})).await.status == 200
}

/// It is a refusal, and brings neither a token nor a session.
#[track_caller]
fn refused(answer: &Answer, what: &str) {
    assert!((400..500).contains(&answer.status), "{what}: {} {}", answer.status, answer.text);
    brings_no_session(answer, what);
}

#[track_caller]
fn brings_no_session(answer: &Answer, what: &str) {
    for name in ["access_token", "refresh_token"] {
        assert!(!answer.text.contains(&format!("\"{name}\":")), "{what}: {}", answer.text);
    }
    assert_eq!(answer.cookie(SESSION), None, "{what}");
}

/// Every opaque value there is, by what it is.
async fn values(world: &World) -> Vec<(&'static str, String)> {
    let setup = world.accounts.setup_link().await.unwrap().unwrap().link;
    let setup = setup.expose().split_once("/setup#k=").unwrap().1.to_owned();
    world.has_account(ADA).await;
    world.has_account(EVE).await;
    let session = world.signs_in(ADA).await;
    let mut browser = Browser::signed_in(world, ADA).await;
    browser.get(world, "/account").await;
    let token = text(&session["access_token"]);
    let change = json!({"email": "ada@example.net", "password": PASSWORD});
    world.send_as("POST", "/v1/me/email", &token, Some(change)).await;
    world.post("/v1/password/forgot", json!({"email": ADA})).await;
    let mut stranger = Browser::default();
    stranger.fills(world, "/signup", &format!("email=bob@example.org&password={PASSWORD}")).await;
    world.has_admin("root@example.org").await;
    let root = world.access_token("root@example.org").await;
    let invitation = json!({"email": "carol@example.org"});
    world.send_as("POST", "/v1/admin/users", &root, Some(invitation)).await;
    let page = world.get_as("/v1/admin/users?limit=1", &root).await.json();
    // Of Eve, so that nothing of Ada's dies with the change.
    let eve = world.access_token(EVE).await;
    world.adds_app(&eve).await;
    let asked = world.is_asked(EVE).await;
    let ceremony = world.post("/v1/login/passkey/options", json!({})).await.json();
    let of_session = world.post_as("/v1/me/verify/options", &token).await.json();
    let of_challenge = json!({"challenge": asked["challenge"]});
    let of_challenge = world.post("/v1/login/passkey/options", of_challenge).await.json();
    let client = Registered::with_secret(world, "shop").await;
    // In the browser whose session the ID token tells of.
    let scope = Some("openid offline_access".to_owned());
    let own = code_in(world, &browser, client.id, |asked| asked.scope = scope).await;
    let of_client = client.redeems(world, &own).await.json();
    let of_machine = of_machine(world).await;
    let cookie = |browser: &Browser, part: &str| {
        let found = browser.cookies.iter().find(|(name, _)| name.contains(part));
        found.unwrap_or_else(|| panic!("no cookie {part}: {:?}", browser.cookies)).1.clone()
    };
    vec![
        ("access token", token),
        ("refresh token", text(&session["refresh_token"])),
        ("browser session", cookie(&browser, "session")),
        ("device", cookie(&browser, "device")),
        ("sign-up proof", cookie(&stranger, "signup")),
        ("form token", browser.form_token.clone()),
        ("activation link", world.mailed_token("confirm", "bob@example.org").await),
        ("reset link", world.mailed_token("password_reset", ADA).await),
        ("address link", world.mailed_token("email_change", "ada@example.net").await),
        ("undo link", world.mailed_token("email_undo", ADA).await),
        ("invitation", world.mailed_token("invitation", "carol@example.org").await),
        ("set-up key", setup),
        ("challenge", text(&asked["challenge"])),
        ("ceremony of a sign-in", text(&ceremony["ceremony"])),
        ("ceremony of a session", text(&of_session["ceremony"])),
        ("ceremony of a challenge", text(&of_challenge["ceremony"])),
        ("cursor", text(&page["next_cursor"])),
        ("user id", text(&session["user"]["id"])),
        ("token of a machine", of_machine),
        ("access token of a client", text(&of_client["access_token"])),
        ("ID token", text(&of_client["id_token"])),
        ("refresh token of a client", text(&of_client["refresh_token"])),
        ("code", code(world, client.id, ADA, "openid").await),
        ("client secret", client.secret.unwrap()),
        ("logout token", logout_token(world).await),
        ("client assertion", Signing::registered(world, "press").await.assertion(world, "b3")),
    ]
}

/// What lets another client keep data about users.
async fn of_machine(world: &World) -> String {
    let mut keeper = application("keeper", vestibule::ApplicationKind::Confidential);
    keeper.machine_scopes = "users:app-data".parse().unwrap();
    let secret = world.accounts.create_application(vestibule::Actor::Operator, keeper).await.unwrap();
    let keeper = Registered { id: "keeper", secret: secret.map(|secret| secret.expose().to_owned()) };
    let made = keeper.asks(world, "grant_type=client_credentials&scope=users:app-data").await.json();
    text(&made["access_token"])
}

/// What another client was told when a permission of Ada was taken back.
async fn logout_token(world: &World) -> String {
    let desk = listening(world, "desk").await;
    desk.signs_in(world, ADA, "openid").await;
    let ada = UserRef::Email(ADA.parse().unwrap());
    assert!(world.accounts.revoke_grant_of(Actor::Operator, &ada, desk.id).await.unwrap());
    Told::now(world).await.remove(0)
}

async fn with_cookie(world: &World, name: &str, value: &str) -> Answer {
    let cookie = format!("__Host-{name}={value}");
    let request = Request::get("/v1/me").header(header::COOKIE, cookie);
    world.send(request.body(Body::empty()).unwrap()).await
}

/// Every place that takes an opaque value: its name, and the value that it is for.
const PLACES: [(&str, &str); 24] = [
    ("Authorization", "access token"),
    ("introspect", "access token"),
    ("refresh", "refresh token"),
    ("session cookie", "browser session"),
    ("confirm", "activation link"),
    ("reset", "reset link"),
    ("address", "address link"),
    ("undo", "undo link"),
    ("invitation", "invitation"),
    ("set-up", "set-up key"),
    ("second factor", "challenge"),
    ("passkey options", "challenge"),
    ("passkey", "ceremony of a sign-in"),
    ("second factor by passkey", "ceremony of a challenge"),
    ("step-up by passkey", "ceremony of a session"),
    ("cursor", "cursor"),
    ("user info", "access token of a client"),
    ("data about users", "token of a machine"),
    ("introspection of a client", "access token of a client"),
    ("refresh of a client", "refresh token of a client"),
    ("code", "code"),
    ("authentication of a client", "client secret"),
    ("assertion of a client", "client assertion"),
    ("id_token_hint", "ID token"),
];

async fn give(world: &World, place: &str, value: &str, all: &[(&str, String)]) -> Answer {
    let named = |name: &str| &all.iter().find(|(one, _)| *one == name).unwrap().1;
    let passkey = vestibule_testing::webauthn::Authenticator::new(-7);
    let asked =
        json!({"ceremony": value, "public_key": {"rpId": "accounts.example.org", "challenge": "AAAA"}});
    match place {
        "Authorization" => world.get_as("/v1/me", value).await,
        "introspect" => {
            let authorization = crate::world::basic("shop:0123456789abcdef0123456789abcdef");
            let request = Request::post("/v1/introspect")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::AUTHORIZATION, authorization);
            world.send(request.body(Body::from(format!("token={value}"))).unwrap()).await
        }
        "refresh" => {
            world.post_form("/v1/token", &format!("grant_type=refresh_token&refresh_token={value}")).await
        }
        "session cookie" => with_cookie(world, "vestibule_session", value).await,
        "confirm" => world.post("/v1/confirm", json!({"token": value, "password": PASSWORD})).await,
        "reset" => {
            world.post("/v1/password/reset", json!({"token": value, "new_password": NEW_PASSWORD})).await
        }
        "address" => world.post("/v1/email/confirm", json!({"token": value, "password": PASSWORD})).await,
        "undo" => world.post("/v1/email/undo", json!({"token": value, "new_password": NEW_PASSWORD})).await,
        "invitation" => {
            world.post("/v1/invitation/accept", json!({"token": value, "password": PASSWORD})).await
        }
        "set-up" => {
            let body = json!({"token": value, "email": "mallory@example.org", "password": PASSWORD});
            world.post("/v1/setup", body).await
        }
        "second factor" => {
            world.post("/v1/login/second-factor", json!({"challenge": value, "code": "000000"})).await
        }
        "passkey options" => world.post("/v1/login/passkey/options", json!({"challenge": value})).await,
        "passkey" => world.post("/v1/login/passkey", used(&passkey, &asked)).await,
        "second factor by passkey" => {
            let mut body = used(&passkey, &asked);
            body["challenge"] = json!(named("challenge"));
            world.post("/v1/login/second-factor", body).await
        }
        "step-up by passkey" => {
            let body = used(&passkey, &asked);
            world.send_as("POST", "/v1/me/verify", named("access token"), Some(body)).await
        }
        "cursor" => {
            let root = world.access_token("root@example.org").await;
            world.get_as(&format!("/v1/admin/users?limit=1&cursor={value}"), &root).await
        }
        "user info" => world.get_as("/v1/userinfo", value).await,
        "data about users" => {
            let path = format!("/v1/admin/users/{}/app-data", named("user id"));
            world.send_as("PUT", &path, value, Some(json!({"plan": "pro"}))).await
        }
        "id_token_hint" => {
            let session = ("__Host-vestibule_session".to_owned(), named("browser session").clone());
            let mut browser = Browser { cookies: [session].into(), ..Browser::default() };
            browser.get(world, &format!("/oauth/logout?id_token_hint={value}")).await
        }
        _ => give_as_client(world, place, value, named("client secret")).await,
    }
}

async fn give_as_client(world: &World, place: &str, value: &str, secret: &str) -> Answer {
    let client = |secret: &str| format!("client_id=shop&client_secret={secret}");
    let refresh = "grant_type=refresh_token&refresh_token";
    match place {
        "introspection of a client" => {
            world.post_form("/v1/introspect", &format!("{}&token={value}", client(secret))).await
        }
        "refresh of a client" => {
            world.post_form("/v1/token", &format!("{}&{refresh}={value}", client(secret))).await
        }
        "code" => world.post_form("/v1/token", &format!("{}&{}", client(secret), redemption(value))).await,
        "authentication of a client" => {
            let form = format!("{}&grant_type=client_credentials", client(value));
            world.post_form("/v1/token", &form).await
        }
        "assertion of a client" => {
            world.post_form("/v1/token", &format!("{}&grant_type=client_credentials", fields(value))).await
        }
        other => panic!("{other}"),
    }
}

/// What a place answers to a value that is not for it.
fn is_refused(place: &str, answer: &Answer) -> bool {
    match place {
        "introspect" | "introspection of a client" => {
            answer.status == 200 && answer.json() == json!({"active": false})
        }
        // Whoever brings no ID token of this sign-in has the user asked.
        "id_token_hint" => answer.status == 200 && answer.text.contains("/oauth/logout/confirm"),
        _ => (400..500).contains(&answer.status),
    }
}

on_both_stores! {
    async fn hole_b3_every_opaque_value_is_good_for_one_purpose(world: World) {
        let mut world = world;
        let mut options = crate::world::options(&world.mailbox);
        options.introspection_clients = vec![("shop".to_owned(), "0123456789abcdef0123456789abcdef".into())];
        world.follows(|policy| policy.client_limits = false).await;
        world.router_with(options);
        let all = values(&world).await;
        for (place, own) in PLACES {
            for (name, value) in all.iter().filter(|(name, _)| *name != own) {
                // Wrong answers of a factor are counted: each gets a fresh count.
                world.clock.advance(std::time::Duration::from_millis(1));
                let answer = give(&world, place, value, &all).await;
                assert!(is_refused(place, &answer), "{name} at {place}: {} {}", answer.status, answer.text);
            }
        }
        // None was used up: each still does what it is for.
        for (place, own) in [
            ("user info", "access token of a client"), ("data about users", "token of a machine"),
            ("introspection of a client", "access token of a client"), ("refresh of a client", "refresh token of a client"),
            ("code", "code"), ("authentication of a client", "client secret"),
            ("assertion of a client", "client assertion"), ("Authorization", "access token"), ("introspect", "access token"), ("refresh", "refresh token"),
            ("session cookie", "browser session"), ("passkey options", "challenge"), ("cursor", "cursor"),
            ("id_token_hint", "ID token"),
            ("confirm", "activation link"), ("invitation", "invitation"), ("address", "address link"),
            ("undo", "undo link"),
        ] {
            let value = &all.iter().find(|(name, _)| *name == own).unwrap().1;
            let answer = give(&world, place, value, &all).await;
            let works = if place == "id_token_hint" { 303..304 } else { 200..300 };
            assert!(works.contains(&answer.status), "{own} at {place}: {} {}", answer.status, answer.text);
        }
    }
}
