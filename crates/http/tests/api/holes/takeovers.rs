//! Whoever came first with somebody else's address, or without the mail, gets nothing.

use serde_json::json;

use super::forged::forgeries;
use super::{EVE, NEW_PASSWORD, SESSION, brings_no_session, opens, refused, text, with_cookie};
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World, without_mailbox};

/// The password of whoever signed up with Ada's address before her.
const THEIRS: &str = "quartz-bicycle-dune-93";

/// Somebody signs up with Ada's address and a password of their own; the link and the code of the mail to Ada.
async fn squat(world: &World) -> (String, String) {
    let body = json!({"email": ADA, "password": THEIRS});
    assert_eq!(world.post("/v1/signup", body).await.status, 202);
    let mail = world.newest_mail(ADA).await;
    (mail.link.unwrap().split_once("token=").unwrap().1.to_owned(), mail.code.unwrap())
}

on_both_stores! {
    async fn hole_b2_a_mailed_link_adopts_no_password_of_a_stranger(world: World) {
        let (link, code) = squat(&world).await;
        // Ada has the mail, but the password in it is not hers.
        let mut ada = Browser::default();
        ada.get(&world, &format!("/confirm?token={link}")).await;
        for password in ["", PASSWORD] {
            let body = json!({"token": link, "password": password});
            refused(&world.post("/v1/confirm", body).await, "link");
            let page = ada.submit(&world, "/confirm", &format!("token={link}&password={password}")).await;
            refused(&page, "page");
            refused(&world.sends_code(ADA, password, &code).await, "code");
        }
        refused(&world.post("/v1/confirm", json!({"token": link})).await, "link alone");
        // A reset makes nothing of a sign-up that waits.
        assert_eq!(world.post("/v1/password/forgot", json!({"email": ADA})).await.status, 202);
        assert_eq!(world.mails("password_reset", ADA).await, 0);
        assert!(!opens(&world, ADA, THEIRS).await && !opens(&world, ADA, PASSWORD).await);
        // Ada signs up herself: only her password counts, and the stranger's link and code are dead.
        world.clock.advance(std::time::Duration::from_mins(2));
        world.has_account(ADA).await;
        refused(&world.post("/v1/confirm", json!({"token": link, "password": THEIRS})).await, "old link");
        refused(&world.sends_code(ADA, THEIRS, &code).await, "old code");
        assert!(opens(&world, ADA, PASSWORD).await && !opens(&world, ADA, THEIRS).await);
    }

    async fn hole_b2_an_invitation_adopts_no_password_of_a_stranger(world: World) {
        let (link, _) = squat(&world).await;
        world.has_admin("root@example.org").await;
        let root = world.access_token("root@example.org").await;
        let invited = world.send_as("POST", "/v1/admin/users", &root, Some(json!({"email": ADA, "roles": ["editor"]})));
        assert_eq!(invited.await.status, 202);
        let token = world.mailed_token("invitation", ADA).await;
        let accepted = world.post("/v1/invitation/accept", json!({"token": token, "password": PASSWORD})).await;
        assert_eq!(accepted.status, 200, "{}", accepted.text);
        refused(&world.post("/v1/confirm", json!({"token": link, "password": THEIRS})).await, "old link");
        assert!(opens(&world, ADA, PASSWORD).await && !opens(&world, ADA, THEIRS).await);
    }

    async fn hole_b12_no_reset_without_its_mail(world: World) {
        world.has_account(ADA).await;
        world.has_account(EVE).await;
        let id = text(&world.signs_in(ADA).await["user"]["id"]);
        // The browser that asked for the mail goes on without it.
        let mut browser = Browser::default();
        browser.fills(&world, "/forgot", &format!("email={ADA}")).await;
        world.post("/v1/password/forgot", json!({"email": EVE})).await;
        let eves = world.mailed_token("password_reset", EVE).await;
        let adas = world.mailed_token("password_reset", ADA).await;
        let proof = browser.form_token.clone();
        for token in ["", "x", ADA, &id, "0", "null", "undefined", &"A".repeat(eves.len()), &proof] {
            let body = json!({"token": token, "new_password": NEW_PASSWORD});
            refused(&world.post("/v1/password/reset", body).await, token);
            for path in ["/reset", "/email/undo"] {
                browser.get(&world, &format!("{path}?token={token}")).await;
                let form = format!("token={token}&email={ADA}&new_password={NEW_PASSWORD}");
                refused(&browser.submit(&world, path, &form).await, path);
            }
        }
        // Whoever knows the id of a link has not its proof.
        for token in forgeries(&adas) {
            let body = json!({"token": token, "new_password": NEW_PASSWORD});
            assert_eq!(world.post("/v1/password/reset", body).await.problem().0, 410, "{token}");
        }
        browser.get(&world, "/reset").await;
        refused(&browser.submit(&world, "/reset", &format!("new_password={NEW_PASSWORD}")).await, "no token");
        refused(&world.post("/v1/password/reset", json!({"new_password": NEW_PASSWORD})).await, "no token");
        // A link to Eve's account is about no other, whatever is sent beside it.
        for (field, value) in [("email", ADA), ("user", ADA), ("user_id", &id), ("id", &id), ("username", ADA)] {
            let body = json!({"token": eves, "new_password": NEW_PASSWORD, field: value});
            refused(&world.post("/v1/password/reset", body).await, field);
        }
        browser.get(&world, &format!("/reset?token={eves}&email={ADA}&user={id}")).await;
        let form = format!("token={eves}&new_password={NEW_PASSWORD}");
        for more in [format!("&email={ADA}"), format!("&user={id}"), format!("&user_id={id}")] {
            refused(&browser.submit(&world, "/reset", &format!("{form}{more}")).await, &more);
        }
        assert_eq!(browser.submit(&world, "/reset", &form).await.status, 200);
        assert!(opens(&world, ADA, PASSWORD).await && !opens(&world, ADA, NEW_PASSWORD).await);
        assert!(opens(&world, EVE, NEW_PASSWORD).await);
    }

    async fn hole_b13_nobody_chooses_the_session_of_a_sign_in(world: World) {
        // In development mode examples name Ada, too.
        let mut world = world;
        world.router_with(without_mailbox());
        world.has_account(ADA).await;
        world.has_account(EVE).await;
        let eve = Browser::signed_in(&world, EVE).await;
        for planted in [&eve.cookies[SESSION], "A".repeat(43).as_str(), "x"] {
            // Eve has brought a session of hers, or one that she made up, into Ada's browser.
            let mut ada = Browser::default();
            ada.get(&world, "/login").await;
            ada.cookies.insert(SESSION.to_owned(), planted.to_owned());
            let crafted = format!("/login?session={planted}&vestibule_session={planted}&{SESSION}={planted}");
            let page = ada.get(&world, &crafted).await;
            assert_eq!(page.cookie(SESSION), None);
            let form = format!("login={ADA}&password={PASSWORD}&session={planted}&{SESSION}={planted}");
            assert_eq!(ada.submit(&world, "/login", &form).await.leads_to(), "/account");
            assert_ne!(ada.cookies[SESSION], planted);
            assert!(ada.get(&world, "/account").await.text.contains(ADA));
            let seen = with_cookie(&world, "vestibule_session", planted).await;
            assert!(!seen.text.contains(ADA), "{}", seen.text);
        }
    }

    async fn hole_b13_a_link_of_somebody_else_signs_nobody_in(world: World) {
        // Eve's browser waits for the mail of a sign-up with Ada's address; Ada's, for that of her own.
        let (mut eve, mut ada) = (Browser::default(), Browser::default());
        eve.fills(&world, "/signup", &format!("email={ADA}&password={THEIRS}")).await;
        let eves = world.newest_mail(ADA).await.link.unwrap().split_once("token=").unwrap().1.to_owned();
        world.clock.advance(std::time::Duration::from_mins(2));
        ada.fills(&world, "/signup", &format!("email={ADA}&password={PASSWORD}")).await;
        let link = world.newest_mail(ADA).await.link.unwrap().split_once("token=").unwrap().1.to_owned();
        assert_ne!(eves, link);
        // The link that Eve has caused signs Ada in to nothing, in the browser that waits for another, or in any.
        for browser in [&mut ada, &mut Browser::default()] {
            let page = browser.get(&world, &format!("/confirm?token={eves}&session=x")).await;
            brings_no_session(&page, "page");
            refused(&browser.submit(&world, "/confirm", &format!("token={eves}")).await, "Eve's link");
        }
        ada.get(&world, &format!("/confirm?token={link}")).await;
        assert_eq!(ada.submit(&world, "/confirm", &format!("token={link}")).await.status, 303);
        assert!(ada.get(&world, "/account").await.text.contains(ADA));
        // Neither does Ada's confirmation sign in the browser of Eve.
        eve.get(&world, "/check-mail").await;
        brings_no_session(&eve.submit(&world, "/check-mail/continue", "").await, "Eve goes on");
        assert!(!eve.cookies.contains_key(SESSION) && !opens(&world, ADA, THEIRS).await);
    }
}
