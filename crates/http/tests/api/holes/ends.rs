//! What has ended is asked about on every way: users who are disabled, sessions that are over, links whose reason is
//! gone.

use serde_json::{Value, json};

use super::{NEW_PASSWORD, SESSION, opens, refused, text, with_cookie};
use crate::browser::Browser;
use crate::factors::used;
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World, basic};

const BOB: &str = "bob@example.org";
const SERVICE: &str = "0123456789abcdef0123456789abcdef";

async fn refresh(world: &World, session: &Value) -> Answer {
    let form = format!("grant_type=refresh_token&refresh_token={}", text(&session["refresh_token"]));
    world.post_form("/v1/token", &form).await
}

async fn introspects(world: &World, session: &Value) -> Value {
    let request = axum::http::Request::post("/v1/introspect")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", basic(&format!("shop:{SERVICE}")));
    let form = format!("token={}", text(&session["access_token"]));
    world.send(request.body(form.into()).unwrap()).await.json()
}

/// A session is over, for each of its tokens.
async fn is_over(world: &World, session: &Value, what: &str) {
    let token = text(&session["access_token"]);
    for path in ["/v1/me", "/v1/auth/verify", "/v1/me/sessions", "/v1/me/export"] {
        assert_eq!(world.get_as(path, &token).await.status, 401, "{what}: {path}");
    }
    refused(&refresh(world, session).await, what);
    assert_eq!(introspects(world, session).await, json!({"active": false}), "{what}");
}

async fn with_service(world: &mut World) {
    let mut options = crate::world::options(&world.mailbox);
    options.introspection_clients = vec![("shop".to_owned(), SERVICE.into())];
    world.router_with(options);
    world.has_admin("root@example.org").await;
}

async fn acts(world: &World, method: &str, email: &str, act: &str) {
    let id = crate::admin_users_page::id_of(world, email).await;
    let root = world.access_token("root@example.org").await;
    let done = world.send_as(method, &format!("/v1/admin/users/{id}{act}"), &root, None).await;
    assert!([200, 204].contains(&done.status), "{act}: {} {}", done.status, done.text);
}

on_both_stores! {
    async fn hole_b14_a_disabled_user_gets_nothing_by_any_grant(world: World) {
        let mut world = world;
        with_service(&mut world).await;
        for email in [ADA, BOB] {
            world.has_account(email).await;
        }
        // Ada has a password; Bob, an app and a passkey as well.
        let (session, browser) = (world.signs_in(ADA).await, Browser::signed_in(&world, ADA).await);
        let token = text(&session["access_token"]);
        let change = json!({"email": "ada@example.net", "password": PASSWORD});
        world.send_as("POST", "/v1/me/email", &token, Some(change)).await;
        world.post("/v1/password/forgot", json!({"email": ADA})).await;
        let (address, reset) = (world.mailed_token("email_change", "ada@example.net").await, world.mailed_token("password_reset", ADA).await);
        let bobs = world.access_token(BOB).await;
        let passkey = world.adds_passkey(&bobs).await;
        let (secret, recovery) = world.adds_app(&bobs).await;
        let asked = world.is_asked(BOB).await;
        let ceremony = world.post("/v1/login/passkey/options", json!({})).await.json();
        let of_challenge = world.post("/v1/login/passkey/options", json!({"challenge": asked["challenge"]})).await.json();
        for email in [ADA, BOB] {
            acts(&world, "POST", email, "/disable").await;
        }
        is_over(&world, &session, "disabled").await;
        refused(&with_cookie(&world, "vestibule_session", &browser.cookies[SESSION]).await, "cookie");
        refused(&world.post("/v1/login", json!({"email": ADA, "password": PASSWORD})).await, "login");
        refused(&world.post_form("/v1/token", &format!("username={ADA}&password={PASSWORD}")).await, "token");
        refused(&Browser::default().fills(&world, "/login", &format!("login={ADA}&password={PASSWORD}")).await, "page");
        refused(&world.post("/v1/password/reset", json!({"token": reset, "new_password": NEW_PASSWORD})).await, "reset");
        refused(&world.post("/v1/email/confirm", json!({"token": address, "password": PASSWORD})).await, "address");
        refused(&world.post("/v1/login", json!({"email": BOB, "password": PASSWORD})).await, "login of Bob");
        refused(&world.post("/v1/login/passkey", used(&passkey, &ceremony)).await, "passkey");
        let challenge = text(&asked["challenge"]);
        let mut answers = vec![json!({"code": world.code(&secret)}), json!({"recovery_code": recovery[0]}), used(&passkey, &of_challenge)];
        for answer in &mut answers {
            answer["challenge"] = json!(challenge);
            refused(&world.post("/v1/login/second-factor", answer.clone()).await, "second factor");
        }
        let form = format!("grant_type=urn:vestibule:second-factor&challenge={challenge}&code={}", world.code(&secret));
        refused(&world.post_form("/v1/token", &form).await, "second factor by form");
        world.post("/v1/password/forgot", json!({"email": ADA})).await;
        assert_eq!(world.mails("password_reset", ADA).await, 1, "only the one of before");
        // What ended with the user does not come back.
        for email in [ADA, BOB] {
            acts(&world, "POST", email, "/enable").await;
        }
        is_over(&world, &session, "enabled again").await;
        refused(&with_cookie(&world, "vestibule_session", &browser.cookies[SESSION]).await, "cookie");
        world.access_token(ADA).await;
    }

    async fn hole_b14_a_grant_ends_with_its_session(world: World) {
        let mut world = world;
        with_service(&mut world).await;
        world.has_account(ADA).await;
        let mut password = PASSWORD;
        for end in ["sign-out", "sign-out everywhere", "one session", "revocation", "password", "reset", "administrator", "deletion"] {
            let signs_in = async || world.post("/v1/login", json!({"email": ADA, "password": password})).await.json();
            let (session, other) = (signs_in().await, text(&signs_in().await["access_token"]));
            // A successor of the first refresh token: the state is that of the session, not of one token.
            let mut next = refresh(&world, &session).await.json();
            next["user"] = session["user"].clone();
            assert_eq!(introspects(&world, &next).await["active"], true);
            let token = text(&next["access_token"]);
            match end {
                "sign-out" => drop(world.post_as("/v1/logout", &token).await),
                "sign-out everywhere" => drop(world.post_as("/v1/logout?all=true", &other).await),
                "one session" => {
                    let sid = introspects(&world, &next).await["sid"].clone();
                    world.send_as("DELETE", &format!("/v1/me/sessions/{}", text(&sid)), &other, None).await;
                }
                "revocation" => drop(world.post_form("/v1/token/revoke", &format!("token={}", text(&next["refresh_token"]))).await),
                "password" => {
                    let body = json!({"current_password": password, "new_password": NEW_PASSWORD});
                    world.send_as("POST", "/v1/me/password", &other, Some(body)).await;
                    password = NEW_PASSWORD;
                }
                "reset" => {
                    world.post("/v1/password/forgot", json!({"email": ADA})).await;
                    let body = json!({"token": world.mailed_token("password_reset", ADA).await, "new_password": PASSWORD});
                    world.post("/v1/password/reset", body).await;
                    password = PASSWORD;
                }
                "administrator" => acts(&world, "POST", ADA, "/sign-out").await,
                _ => acts(&world, "DELETE", ADA, "").await,
            }
            is_over(&world, &next, end).await;
        }
        refused(&world.post("/v1/login", json!({"email": ADA, "password": PASSWORD})).await, "deleted");
    }

    async fn hole_b16_a_link_is_about_the_address_of_its_day(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        let moves = async |to: &str| {
            let body = json!({"email": to, "password": PASSWORD});
            assert_eq!(world.send_as("POST", "/v1/me/email", &token, Some(body)).await.status, 202);
            world.mailed_token("email_change", to).await
        };
        let confirms = async |link: &str| world.post("/v1/email/confirm", json!({"token": link, "password": PASSWORD})).await;
        // The second wish replaces the first, whose mail went to somebody else.
        let first = moves("first@example.net").await;
        world.clock.advance(std::time::Duration::from_mins(2));
        let second = moves("second@example.net").await;
        refused(&confirms(&first).await, "replaced");
        assert_eq!(world.get_as("/v1/me", &token).await.json()["email"], ADA);
        world.post("/v1/password/forgot", json!({"email": ADA})).await;
        let reset = world.mailed_token("password_reset", ADA).await;
        assert_eq!(confirms(&second).await.json()["email"], "second@example.net");
        // The address has changed: what was mailed to the one before opens nothing, except the way back.
        for link in [&first, &second] {
            refused(&confirms(link).await, "after the change");
        }
        refused(&world.post("/v1/password/reset", json!({"token": reset, "new_password": NEW_PASSWORD})).await, "reset");
        let undo = world.mailed_token("email_undo", ADA).await;
        let body = json!({"token": undo, "new_password": NEW_PASSWORD});
        assert_eq!(world.post("/v1/email/undo", body).await.json()["email"], ADA);
        for link in [&first, &second] {
            for password in [PASSWORD, NEW_PASSWORD] {
                let body = json!({"token": link, "password": password});
                refused(&world.post("/v1/email/confirm", body).await, "after the way back");
            }
        }
        assert!(opens(&world, ADA, NEW_PASSWORD).await);
        // A change that was called off is over.
        let token = world.post("/v1/login", json!({"email": ADA, "password": NEW_PASSWORD})).await.json();
        let body = json!({"email": "third@example.net", "password": NEW_PASSWORD});
        world.send_as("POST", "/v1/me/email", &text(&token["access_token"]), Some(body)).await;
        let third = world.mailed_token("email_change", "third@example.net").await;
        let mut browser = Browser::default();
        browser.fills(&world, "/login", &format!("login={ADA}&password={NEW_PASSWORD}")).await;
        browser.get(&world, "/account").await;
        assert_eq!(browser.submit(&world, "/account/email/cancel", "").await.status, 303);
        refused(&world.post("/v1/email/confirm", json!({"token": third, "password": NEW_PASSWORD})).await, "called off");
    }
}
