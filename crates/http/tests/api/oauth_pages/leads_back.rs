//! Whatever lies between an application's request and its answer leads back into the request.

use std::time::Duration;

use vestibule::RequireFactor;
use vestibule_http::DevMailbox as _;

use super::{CALLBACK, End, answers, asked, exchanges, goes, signs_in, submits, with_applications};
use crate::browser::Browser;
use crate::factor_pages::{after, sets_up_app};
use crate::on_both_stores;
use crate::passkey_pages::{adds, uses};
use crate::world::{ADA, PASSWORD, World};

const NEW: &str = "copper-lamp-river-77";

/// A way that begins at the sign-in page, and the place it is to lead back to, for a form.
async fn begins(world: &World, browser: &mut Browser, others: &[(&str, &str)]) -> (End, String) {
    let end = goes(world, browser, &asked(others)).await;
    assert!(end.at.starts_with("/login?return_to="), "{}", end.at);
    let to = end.parameter("return_to").unwrap();
    (end, serde_urlencoded::to_string([("return_to", to)]).unwrap())
}

/// The way has led back: the question is there, and its answer reaches the application.
async fn arrives(world: &World, browser: &mut Browser, end: &End, email: &str) {
    assert!(end.at.starts_with("/oauth/authorize?request="), "{}", end.at);
    assert!(end.page.text.contains(email) && end.page.text.contains("/oauth/consent"), "{}", end.page.text);
    let end = answers(world, browser, end, "allow").await;
    assert!(end.at.starts_with(&format!("{CALLBACK}?code=")), "{}", end.at);
    exchanges(world, &end.code()).await.unwrap();
}

/// Signs up on the way; the mail.
async fn signs_up(world: &World, browser: &mut Browser, email: &str) -> vestibule_http::DevMail {
    let (end, to) = begins(world, browser, &[]).await;
    assert!(end.page.text.contains(&format!("href=\"/signup?{to}\"")), "{}", end.page.text);
    browser.get(world, &format!("/signup?{to}")).await;
    let form = format!("email={email}&password={PASSWORD}&{to}");
    assert_eq!(browser.submit(world, "/signup", &form).await.leads_to(), "/check-mail");
    let page = browser.get(world, "/check-mail").await;
    assert!(page.header("content-security-policy").contains("form-action 'self' https://notes.example.org;"));
    world.deliver().await;
    world.mailbox.list().into_iter().find(|mail| mail.to == email).unwrap()
}

on_both_stores! {
    async fn a_sign_in(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let mut browser = Browser::default();
        let (end, to) = begins(&world, &mut browser, &[]).await;
        let wrong = browser.submit(&world, "/login", &format!("login={ADA}&password=not-the-password&{to}")).await;
        assert!(wrong.header("content-security-policy").contains("https://notes.example.org;"));
        let end = signs_in(&world, &mut browser, &end, ADA).await;
        arrives(&world, &mut browser, &end, ADA).await;
    }

    async fn a_sign_up_by_code(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        let mut browser = Browser::default();
        let code = signs_up(&world, &mut browser, ADA).await.code.unwrap();
        let end = submits(&world, &mut browser, "/check-mail", &format!("code={code}")).await;
        arrives(&world, &mut browser, &end, ADA).await;
    }

    // In this browser, and on another device: that one never gets the request.
    async fn a_sign_up_by_link(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        let mut browser = Browser::default();
        let link = signs_up(&world, &mut browser, ADA).await.link.unwrap();
        let token = link.split_once("token=").unwrap().1;
        let page = browser.get(&world, &format!("/confirm?token={token}")).await;
        assert!(page.header("content-security-policy").contains("https://notes.example.org;"));
        let end = submits(&world, &mut browser, "/confirm", &format!("token={token}")).await;
        arrives(&world, &mut browser, &end, ADA).await;

        let (mut laptop, mut phone) = (Browser::default(), Browser::default());
        let link = signs_up(&world, &mut laptop, "bob@example.org").await.link.unwrap();
        let token = link.split_once("token=").unwrap().1;
        phone.get(&world, &format!("/confirm?token={token}")).await;
        let on_phone = submits(&world, &mut phone, "/confirm", &format!("token={token}&password={PASSWORD}")).await;
        assert!(on_phone.at.starts_with("/account"), "{}", on_phone.at);
        assert!(!on_phone.page.text.contains("oauth"), "{}", on_phone.page.text);
        laptop.get(&world, "/check-mail").await;
        let end = submits(&world, &mut laptop, "/check-mail/continue", "").await;
        arrives(&world, &mut laptop, &end, "bob@example.org").await;
    }

    async fn a_second_factor_and_a_proof_with_it(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let (secret, _) = sets_up_app(&world, &mut Browser::signed_in(&world, ADA).await).await;
        let mut browser = Browser::default();
        let (end, to) = begins(&world, &mut browser, &[("acr_values", "urn:vestibule:factor:2")]).await;
        let end = signs_in(&world, &mut browser, &end, ADA).await;
        assert!(end.at.starts_with("/login/second-factor?return_to="), "{}", end.at);
        assert!(end.page.header("content-security-policy").contains("https://notes.example.org;"));
        let form = format!("code={}&{to}", world.code(&secret));
        let end = submits(&world, &mut browser, "/login/second-factor", &form).await;
        arrives(&world, &mut browser, &end, ADA).await;
        world.clock.advance(Duration::from_mins(10));
        let end = goes(&world, &mut browser, &asked(&[("max_age", "60")])).await;
        assert!(end.at.starts_with("/account/verify") && !end.page.text.contains("name=\"password\""), "{} {}", end.at, end.page.text);
        let to = serde_urlencoded::to_string([("return_to", end.parameter("return_to").unwrap())]).unwrap();
        let form = format!("code={}&{to}", world.code(&secret));
        let end = submits(&world, &mut browser, "/account/verify", &form).await;
        assert!(end.at.starts_with(&format!("{CALLBACK}?code=")), "{}", end.at);
    }

    async fn a_passkey(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let passkey = adds(&world, &mut Browser::signed_in(&world, ADA).await).await;
        let mut browser = Browser::default();
        let (_, to) = begins(&world, &mut browser, &[]).await;
        let answer = uses(&world, &mut browser, &passkey, "/login/passkey", &format!("&{to}")).await;
        let place = answer.leads_to().to_owned();
        let end = goes(&world, &mut browser, &place).await;
        arrives(&world, &mut browser, &end, ADA).await;
    }

    async fn a_forgotten_password(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let mut browser = Browser::default();
        let (end, to) = begins(&world, &mut browser, &[]).await;
        assert!(end.page.text.contains(&format!("href=\"/forgot?{to}\"")), "{}", end.page.text);
        browser.get(&world, &format!("/forgot?{to}")).await;
        browser.submit(&world, "/forgot", &format!("email={ADA}&{to}")).await;
        let token = world.mailed_token("password_reset", ADA).await;
        browser.get(&world, &format!("/reset?token={token}")).await;
        let done = browser.submit(&world, "/reset", &format!("token={token}&new_password={NEW}")).await;
        assert!(done.text.contains(&format!("/login?{to}")), "{}", done.text);
        browser.get(&world, &format!("/login?{to}")).await;
        let end = submits(&world, &mut browser, "/login", &format!("login={ADA}&password={NEW}&{to}")).await;
        arrives(&world, &mut browser, &end, ADA).await;
    }

    // A session that may only set up a second factor, and a sign-in that is refused until there is one.
    async fn an_enrolment(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_admin(ADA).await;
        world.follows(|policy| {
            policy.second_factor.require = RequireFactor::Admins;
            policy.second_factor.grace = Duration::from_mins(10);
        }).await;
        drop(Browser::signed_in(&world, ADA).await);
        world.clock.advance(Duration::from_mins(20));
        let mut browser = Browser::default();
        let (end, _) = begins(&world, &mut browser, &[]).await;
        let end = signs_in(&world, &mut browser, &end, ADA).await;
        assert!(end.page.status == 403 && end.page.text.contains("We’ve emailed you a link"), "{}", end.page.text);
        let token = world.mailed_token("enrolment", ADA).await;
        browser.get(&world, &format!("/enrol?token={token}")).await;
        let end = submits(&world, &mut browser, "/enrol", &format!("token={token}&password={PASSWORD}")).await;
        assert!(end.at.starts_with("/account?said=enrol"), "{}", end.at);
        assert!(!end.page.text.contains("Continue to where"), "not yet: {}", end.page.text);
        // What the page with the recovery codes leads on to, which is the answer to the form.
        sets_up_app(&world, &mut browser).await;
        let page = browser.get(&world, "/account").await;
        let place = after(&page, "class=\"button\" href=\"").replace("&#x2f;", "/");
        let end = goes(&world, &mut browser, &place).await;
        assert!(!browser.cookies.contains_key("__Host-vestibule_return"), "it has done its work");
        arrives(&world, &mut browser, &end, ADA).await;
    }

    async fn all_of_it_under_a_path(world: World) {
        let mut world = world;
        world.moves_to("https://app.example.org/accounts").await;
        with_applications(&mut world).await;
        world.has_user(ADA, &[]).await;
        let mut browser = Browser::default();
        let end = goes(&world, &mut browser, &format!("/accounts{}", asked(&[]))).await;
        let to = end.parameter("return_to").unwrap();
        assert!(end.at.starts_with("/accounts/login?") && to.starts_with("/accounts/oauth/authorize?request="), "{}", end.at);
        assert!(end.page.header("content-security-policy").contains("https://notes.example.org;"));
        let form = format!("login={ADA}&password={PASSWORD}&{}", serde_urlencoded::to_string([("return_to", &to)]).unwrap());
        let end = submits(&world, &mut browser, "/accounts/login", &form).await;
        assert!(end.page.text.contains("action=\"/accounts/oauth/consent\"") && end.page.text.contains("\"/accounts/oauth/switch\""));
        let fields = format!("request={}&answer=allow", end.request());
        let end = submits(&world, &mut browser, "/accounts/oauth/consent", &fields).await;
        assert!(end.at.starts_with(&format!("{CALLBACK}?code=")), "{}", end.at);
        world.clock.advance(Duration::from_mins(1));
        let end = goes(&world, &mut browser, &format!("/accounts{}", asked(&[("prompt", "login")]))).await;
        let form = format!("password={PASSWORD}&{}", serde_urlencoded::to_string([("return_to", end.parameter("return_to").unwrap())]).unwrap());
        let end = submits(&world, &mut browser, "/accounts/account/verify", &form).await;
        assert!(end.at.starts_with(&format!("{CALLBACK}?code=")), "{}", end.at);
    }
}
