//! Hole B26: whatever works once works once for eight callers who come together.

use serde_json::{Value, json};

use super::{EVE, NEW_PASSWORD, SESSION, refused, text};
use crate::browser::Browser;
use crate::factors::used;
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, URL, World};

/// Sends the same eight times at once: exactly one succeeds, and nobody else gets a session.
async fn once(what: &str, send: impl AsyncFn() -> Answer) -> Answer {
    let answers = tokio::join!(send(), send(), send(), send(), send(), send(), send(), send());
    let mut right = Vec::new();
    for answer in <[Answer; 8]>::from(answers) {
        if (200..300).contains(&answer.status) {
            right.push(answer);
        } else {
            refused(&answer, what);
        }
    }
    let bodies: Vec<&str> = right.iter().map(|answer| answer.text.as_str()).collect();
    assert_eq!(right.len(), 1, "{what}: {bodies:?}");
    right.remove(0)
}

async fn posted_once(world: &World, path: &str, body: Value) -> Answer {
    once(path, async || world.post(path, body.clone()).await).await
}

on_both_stores! {
    async fn hole_b26_a_mailed_value_works_once_for_eight_at_once(world: World) {
        let setup = world.accounts.setup_link().await.unwrap().unwrap().link;
        let setup = setup.expose().split_once("/setup#k=").unwrap().1.to_owned();
        posted_once(&world, "/v1/setup", json!({"token": setup, "email": "root@example.org", "password": PASSWORD})).await;
        // A link, a code, and both together.
        let mail = world.signs_up(ADA).await;
        let link = mail.link.unwrap().split_once("token=").unwrap().1.to_owned();
        posted_once(&world, "/v1/confirm", json!({"token": link, "password": PASSWORD})).await;
        let code = world.signs_up(EVE).await.code.unwrap();
        once("code", async || world.sends_code(EVE, PASSWORD, &code).await).await;
        let mail = world.signs_up("bob@example.org").await;
        let (code, link) = (mail.code.unwrap(), mail.link.unwrap().split_once("token=").unwrap().1.to_owned());
        let turn = std::cell::Cell::new(0);
        let both = async || {
            turn.set(turn.get() + 1);
            if turn.get() % 2 == 0 {
                world.sends_code("bob@example.org", PASSWORD, &code).await
            } else {
                world.post("/v1/confirm", json!({"token": link, "password": PASSWORD})).await
            }
        };
        once("code and link", both).await;
        // An invitation.
        let root = world.access_token("root@example.org").await;
        world.send_as("POST", "/v1/admin/users", &root, Some(json!({"email": "carol@example.org"}))).await;
        let token = world.mailed_token("invitation", "carol@example.org").await;
        posted_once(&world, "/v1/invitation/accept", json!({"token": token, "password": PASSWORD})).await;
        // A change of address, and the way back.
        let ada = world.access_token(ADA).await;
        let body = json!({"email": "ada@example.net", "password": PASSWORD});
        world.send_as("POST", "/v1/me/email", &ada, Some(body)).await;
        let (change, undo) = (world.mailed_token("email_change", "ada@example.net").await, world.mailed_token("email_undo", ADA).await);
        posted_once(&world, "/v1/email/confirm", json!({"token": change, "password": PASSWORD})).await;
        let turn = std::cell::Cell::new(0);
        // Each with a password of its own: the second one has not an equal effect.
        let back = async || {
            turn.set(turn.get() + 1);
            let body = json!({"token": undo, "new_password": format!("{NEW_PASSWORD}-{}", turn.get())});
            world.post("/v1/email/undo", body).await
        };
        once("undo", back).await;
        // A reset.
        world.post("/v1/password/forgot", json!({"email": EVE})).await;
        let reset = world.mailed_token("password_reset", EVE).await;
        let turn = std::cell::Cell::new(0);
        let resets = async || {
            turn.set(turn.get() + 1);
            let body = json!({"token": reset, "new_password": format!("{NEW_PASSWORD}-{}", turn.get())});
            world.post("/v1/password/reset", body).await
        };
        once("reset", resets).await;
        let users = world.get_as("/v1/admin/users?limit=100", &root).await.json();
        assert_eq!(users["items"].as_array().unwrap().len(), 5, "{users}");
    }

    async fn hole_b26_a_refresh_token_works_once_for_eight_at_once(world: World) {
        world.has_account(ADA).await;
        let mut token = text(&world.signs_in(ADA).await["refresh_token"]);
        for _ in 0..3 {
            let form = format!("grant_type=refresh_token&refresh_token={token}");
            let next = once("refresh", async || world.post_form("/v1/token", &form).await).await;
            token = text(&next.json()["refresh_token"]);
        }
    }

    async fn hole_b26_a_browser_that_waited_is_signed_in_once(world: World) {
        let mut browser = Browser::default();
        browser.fills(&world, "/signup", &format!("email={ADA}&password={PASSWORD}")).await;
        let code = world.newest_mail(ADA).await.code.unwrap();
        world.sends_code(ADA, PASSWORD, &code).await;
        browser.get(&world, "/check-mail").await;
        let go_on = async || {
            let mut same = Browser { cookies: browser.cookies.clone(), ip: None, form_token: browser.form_token.clone() };
            same.submit(&world, "/check-mail/continue", "").await
        };
        let answers = tokio::join!(go_on(), go_on(), go_on(), go_on(), go_on(), go_on(), go_on(), go_on());
        let answers: [Answer; 8] = answers.into();
        let signed_in = answers.iter().filter(|answer| answer.cookie(SESSION).is_some()).count();
        assert_eq!(signed_in, 1);
    }

    async fn hole_b26_a_second_factor_works_once_for_eight_at_once(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        let passkey = world.adds_passkey(&token).await;
        let (secret, recovery) = world.adds_app(&token).await;
        let answered = async |challenges: &[Value], factor: Value, what: &str| {
            let turn = std::cell::Cell::new(0);
            let send = async || {
                let mut body = factor.clone();
                body["challenge"] = challenges[turn.get() % challenges.len()].clone();
                turn.set(turn.get() + 1);
                world.post("/v1/login/second-factor", body).await
            };
            once(what, send).await;
        };
        let asked = async || world.is_asked(ADA).await["challenge"].clone();
        // One challenge; and eight, because one challenge for each caller is easily had with the password.
        for number in [1, 8] {
            // What was counted for the wrong answers is over.
            world.clock.advance(std::time::Duration::from_hours(1));
            let mut challenges = Vec::new();
            for _ in 0..number {
                challenges.push(asked().await);
            }
            answered(&challenges, json!({"code": world.code(&secret)}), "a code of an app").await;
            world.clock.advance(std::time::Duration::from_hours(1));
            challenges.clear();
            for _ in 0..number {
                challenges.push(asked().await);
            }
            answered(&challenges, json!({"recovery_code": recovery[number]}), "a recovery code").await;
        }
        world.clock.advance(std::time::Duration::from_hours(1));
        let challenge = asked().await;
        let ceremony = world.post("/v1/login/passkey/options", json!({"challenge": challenge})).await.json();
        answered(std::slice::from_ref(&challenge), used(&passkey, &ceremony), "a passkey as second factor").await;
    }

    async fn hole_b26_a_passkey_ceremony_works_once_for_eight_at_once(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        let asked = world.post_as("/v1/me/passkeys/options", &token).await.json();
        let mut passkey = vestibule_testing::webauthn::Authenticator::new(-7);
        let handle = text(&asked["public_key"]["user"]["id"]);
        passkey.user_handle = Some(data_encoding::BASE64URL_NOPAD.decode(handle.as_bytes()).unwrap());
        let credential = passkey.registers(&vestibule_testing::webauthn::Asked::new(&asked["public_key"], URL));
        let body = json!({"ceremony": asked["ceremony"], "credential": credential});
        once("a registration", async || world.send_as("POST", "/v1/me/passkeys", &token, Some(body.clone())).await).await;
        let asked = world.post("/v1/login/passkey/options", json!({})).await.json();
        posted_once(&world, "/v1/login/passkey", used(&passkey, &asked)).await;
        let asked = world.post_as("/v1/me/verify/options", &token).await.json();
        let body = used(&passkey, &asked);
        once("a step-up", async || world.send_as("POST", "/v1/me/verify", &token, Some(body.clone())).await).await;
    }
}
