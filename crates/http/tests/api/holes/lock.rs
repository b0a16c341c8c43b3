//! Hole B11, for the lock: every way that takes a password counts wrong ones for the same account, and keeps to the
//! wait that follows, even for the right one. (For the second factor: `second_factor.rs` among the stories.)

use std::time::Duration;

use serde_json::json;

use super::NEW_PASSWORD;
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World};

/// Every way on which the password of an account is given. On the last it cannot be right.
const WAYS: [&str; 13] = [
    "login",
    "token",
    "page",
    "re-authentication",
    "password",
    "address",
    "deletion",
    "page: password",
    "page: address",
    "page: deletion",
    "link of an address",
    "page: link of an address",
    "Basic",
];

/// What these ways need beside the password.
struct Ada {
    token: String,
    link: String,
    browser: Browser,
}

impl Ada {
    async fn signs_in(world: &World, number: usize) -> Self {
        let mut browser = Browser::signed_in(world, ADA).await;
        // A device that was used before has a counter of its own.
        browser.cookies.retain(|name, _| !name.contains("device"));
        let token = world.access_token(ADA).await;
        let new = format!("ada{number}@example.net");
        let body = json!({"email": new, "password": PASSWORD});
        assert_eq!(world.send_as("POST", "/v1/me/email", &token, Some(body)).await.status, 202);
        let link = world.mailed_token("email_change", &new).await;
        Self { token, link, browser }
    }

    async fn gives(&mut self, world: &World, way: &str, password: &str) -> Answer {
        let (token, link, browser) = (&self.token, &self.link, &mut self.browser);
        let new = "ada@example.com";
        match way {
            "login" => world.post("/v1/login", json!({"email": ADA, "password": password})).await,
            "token" => world.post_form("/v1/token", &format!("username={ADA}&password={password}")).await,
            "page" => {
                let form = format!("login={ADA}&password={password}");
                Browser::default().fills(world, "/login", &form).await
            }
            "re-authentication" => {
                let body = json!({"password": password});
                world.send_as("POST", "/v1/me/verify", token, Some(body)).await
            }
            "password" => {
                let body = json!({"current_password": password, "new_password": NEW_PASSWORD});
                world.send_as("POST", "/v1/me/password", token, Some(body)).await
            }
            "address" => {
                let body = json!({"email": new, "password": password});
                world.send_as("POST", "/v1/me/email", token, Some(body)).await
            }
            "deletion" => world.send_as("DELETE", "/v1/me", token, Some(json!({"password": password}))).await,
            "page: password" => {
                let form = format!("current_password={password}&new_password={NEW_PASSWORD}");
                sends(browser, world, "/account/password", &form).await
            }
            "page: address" => {
                let form = format!("email={new}&password={password}");
                sends(browser, world, "/account/email", &form).await
            }
            "page: deletion" => {
                sends(browser, world, "/account/delete", &format!("password={password}")).await
            }
            "link of an address" => {
                world.post("/v1/email/confirm", json!({"token": link, "password": password})).await
            }
            "page: link of an address" => {
                let mut other = Browser::default();
                other.get(world, &format!("/email/confirm?token={link}")).await;
                let form = format!("token={link}&password={password}");
                other.submit(world, "/email/confirm", &form).await
            }
            "Basic" => world.sends_code(ADA, password, "0000").await,
            other => panic!("{other}"),
        }
    }
}

async fn sends(browser: &mut Browser, world: &World, path: &str, form: &str) -> Answer {
    assert_eq!(browser.get(world, "/account").await.status, 200);
    browser.submit(world, path, form).await
}

on_both_stores! {
    async fn hole_b11_an_account_locked_on_one_way_is_locked_on_every_way(world: World) {
        world.has_account(ADA).await;
        for (number, tried) in WAYS.into_iter().enumerate() {
            // The wait of a second is over, and a sign-in forgets the wrong passwords.
            world.clock.advance(Duration::from_hours(25));
            let mut ada = Ada::signs_in(&world, number).await;
            for _ in 0..5 {
                let wrong = ada.gives(&world, tried, "not-the-password-1").await;
                assert!((400..429).contains(&wrong.status), "{tried}: {} {}", wrong.status, wrong.text);
            }
            for way in WAYS {
                let right = ada.gives(&world, way, PASSWORD).await;
                assert_eq!(right.status, 429, "locked by {tried}, tried by {way}: {}", right.text);
                let wrong = ada.gives(&world, way, "not-the-password-1").await;
                assert_eq!((wrong.status, wrong.header("retry-after")), (429, right.header("retry-after")), "{tried}, {way}");
            }
        }
        world.clock.advance(Duration::from_secs(1));
        world.access_token(ADA).await;
    }

    async fn hole_b11_a_sign_up_is_locked_on_every_way_too(world: World) {
        let mail = world.signs_up(ADA).await;
        let (code, link) = (mail.code.unwrap(), mail.link.unwrap().split_once("token=").unwrap().1.to_owned());
        let by_link = async |password: &str| world.post("/v1/confirm", json!({"token": link, "password": password})).await;
        for number in 0..5 {
            let wrong = match number % 3 {
                0 => world.sends_code(ADA, "not-the-password-1", &code).await,
                1 => world.post("/v1/login", json!({"email": ADA, "password": "not-the-password-1"})).await,
                _ => world.post_form("/v1/token", &format!("username={ADA}&password=not-the-password-1")).await,
            };
            assert!([400, 401].contains(&wrong.status), "{}", wrong.text);
        }
        assert_eq!(world.sends_code(ADA, PASSWORD, &code).await.problem().0, 429);
        assert_eq!(world.post("/v1/login", json!({"email": ADA, "password": PASSWORD})).await.problem().0, 429);
        assert_eq!(world.post_form("/v1/token", &format!("username={ADA}&password={PASSWORD}")).await.status, 429);
        // Strangers have no link, so they cannot use its counter up; whoever has it does not guess on either.
        for _ in 0..5 {
            assert_eq!(by_link("not-the-password-1").await.problem(), (401, "invalid_credentials".to_owned()));
        }
        assert_eq!(by_link(PASSWORD).await.problem(), (429, "too_many_requests".to_owned()));
        let mut browser = Browser::default();
        browser.get(&world, &format!("/confirm?token={link}")).await;
        assert_eq!(browser.submit(&world, "/confirm", &format!("token={link}&password={PASSWORD}")).await.status, 429);
        world.clock.advance(Duration::from_secs(1));
        assert_eq!(by_link(PASSWORD).await.status, 200);
    }
}
