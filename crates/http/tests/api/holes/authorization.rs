//! Hole B13: what somebody sends to another person's browser fixes neither the session nor the account with which that person
//! goes on to an application.

use super::{EVE, SESSION, refused};
use crate::browser::Browser;
use crate::oauth_pages::{
    CALLBACK, answers, asked, exchanges, goes, is_asked, signs_in, submits, with_applications,
};
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

/// The one whom the access token of a code belongs to.
async fn user_of(world: &World, code: &str) -> String {
    let tokens = exchanges(world, code).await.unwrap();
    world.accounts.user_info(tokens.access_token.expose()).await.unwrap().email.unwrap()
}

on_both_stores! {
    // Eve's link, Eve's cookies, Eve's form: each of them in the browser of somebody else.
    async fn hole_b13_a_request_belongs_to_the_browser_that_brought_it(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        world.has_account(EVE).await;
        let mut eve = Browser::default();
        let end = goes(&world, &mut eve, &asked(&[("state", "of-eve")])).await;
        let link = end.parameter("return_to").unwrap();
        let mut victim = Browser::signed_in(&world, ADA).await;
        assert_eq!(victim.get(&world, &link).await.status, 410, "neither signed in …");
        assert_eq!(Browser::default().get(&world, &link).await.status, 410, "… nor not");
        let page = signs_in(&world, &mut eve, &end, EVE).await;
        assert_eq!(victim.get(&world, &page.at).await.status, 410, "nor with the question open");
        // Her answer counts for nothing in his browser: its token is of her session.
        let form = format!("form_token={}&request={}&answer=allow", eve.form_token, page.request());
        for headers in [&[][..], &[("origin", "null")]] {
            let answer = victim.post(&world, "/oauth/consent", &form, headers).await;
            assert!(answer.leads_to().starts_with("/oauth/authorize?request="), "{}", answer.leads_to());
        }
        for headers in [&[("sec-fetch-site", "cross-site")][..], &[("origin", "https://evil.example")]] {
            refused(&victim.post(&world, "/oauth/consent", &form, headers).await, "from another site");
        }
        victim.get(&world, "/account").await;
        let own = victim.submit(&world, "/oauth/consent", &format!("request={}&answer=allow", page.request())).await;
        assert_eq!(own.status, 410, "with a token of his own either");
        assert!(goes(&world, &mut victim, &asked(&[])).await.page.text.contains("/oauth/consent"), "nothing was allowed");
    }

    // Login CSRF: a stranger's sign-in cannot be sent from elsewhere, and its session does not outlive the next.
    async fn hole_b13_nobody_is_signed_in_by_somebody_else(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        world.has_account(EVE).await;
        let mut victim = Browser::default();
        let end = goes(&world, &mut victim, &asked(&[])).await;
        let to = serde_urlencoded::to_string([("return_to", end.parameter("return_to").unwrap())]).unwrap();
        let mut eve = Browser::default();
        eve.get(&world, "/login").await;
        let form = format!("form_token={}&login={EVE}&password={PASSWORD}&{to}", eve.form_token);
        for headers in [&[("sec-fetch-site", "cross-site")][..], &[("origin", "https://evil.example")], &[("origin", "null")], &[]] {
            refused(&victim.post(&world, "/login", &form, headers).await, "a sign-in of another page");
        }
        assert!(!victim.cookies.contains_key(SESSION));
        // Fixation: a session that was planted, and one of before, is replaced by the sign-in.
        let planted = Browser::signed_in(&world, EVE).await.cookies[SESSION].clone();
        for before in ["x".repeat(43), planted] {
            let mut victim = Browser::default();
            let end = goes(&world, &mut victim, &asked(&[("prompt", "login consent")])).await;
            victim.cookies.insert(SESSION.to_owned(), before.clone());
            let end = signs_in(&world, &mut victim, &end, ADA).await;
            assert_ne!(victim.cookies[SESSION], before);
            assert!(end.page.text.contains(ADA), "{}", end.page.text);
            let end = answers(&world, &mut victim, &end, "allow").await;
            assert_eq!(user_of(&world, &end.code()).await, ADA);
            let mut old = Browser::default();
            old.cookies.insert(SESSION.to_owned(), before);
            assert!(!goes(&world, &mut old, "/account").await.page.text.contains(ADA), "it opens nothing of hers");
        }
    }

    // The question was Ada's, and Bob is signed in when it is answered.
    async fn hole_b13_an_answer_counts_for_whom_it_was_asked(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        world.has_account(EVE).await;
        let (mut browser, page) = is_asked(&world, &[]).await;
        let of_ada = browser.form_token.clone();
        // In another tab of the same browser.
        browser.get(&world, "/account").await;
        assert_eq!(browser.submit(&world, "/logout", "").await.status, 303);
        browser.fills(&world, "/login", &format!("login={EVE}&password={PASSWORD}")).await;
        browser.form_token = of_ada;
        let end = answers(&world, &mut browser, &page, "allow").await;
        assert!(end.page.text.contains("Nothing was sent") && end.page.text.contains(EVE), "{} {}", end.at, end.page.text);
        assert!(world.accounts_grants(EVE).await.is_empty() && world.accounts_grants(ADA).await.is_empty());
        let end = answers(&world, &mut browser, &end, "allow").await;
        assert_eq!(user_of(&world, &end.code()).await, EVE);
    }

    async fn hole_b13_an_answer_counts_once(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        for (first, second) in [("allow", "allow"), ("deny", "allow"), ("allow", "deny")] {
            let (mut browser, page) = is_asked(&world, &[("prompt", "consent")]).await;
            let token = browser.form_token.clone();
            let end = answers(&world, &mut browser, &page, first).await;
            assert_eq!(end.parameter("code").is_some(), first == "allow");
            browser.form_token.clone_from(&token);
            let again = answers(&world, &mut browser, &page, second).await;
            assert!(again.page.status == 410 && again.at == "/oauth/consent", "{} {}", again.at, again.page.status);
            assert_eq!(browser.get(&world, &page.at).await.status, 410, "nor is it asked again");
        }
        // Two at once, of a double click.
        let (browser, page) = is_asked(&world, &[("prompt", "consent")]).await;
        let fields = format!("request={}&answer=allow", page.request());
        let send = async || {
            let mut tab = Browser { cookies: browser.cookies.clone(), form_token: browser.form_token.clone(), ip: None };
            submits(&world, &mut tab, "/oauth/consent", &fields).await
        };
        let (one, two) = tokio::join!(send(), send());
        let codes = [one, two].iter().filter(|end| end.at.starts_with(&format!("{CALLBACK}?code="))).count();
        assert_eq!(codes, 1);
    }

    // B22 beside it: without an answer nothing is answered. A page in a frame is none to click on.
    async fn hole_b13_a_question_is_answered_by_its_button_alone(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let (mut browser, page) = is_asked(&world, &[]).await;
        let id = page.request();
        for fields in ["", &format!("request={id}"), &format!("request={id}&answer="), &format!("request={id}&answer=yes"),
            &format!("request={id}&answer=allow&answer=allow"), &format!("request={id}&answer=allow&answer=deny")] {
            let answer = browser.submit(&world, "/oauth/consent", fields).await;
            refused(&answer, fields);
        }
        let token = std::mem::take(&mut browser.form_token);
        for form in [format!("request={id}&answer=allow"), format!("form_token=&request={id}&answer=allow")] {
            let answer = browser.post(&world, "/oauth/consent", &form, &[("sec-fetch-site", "same-origin")]).await;
            assert!(answer.leads_to().contains("said=again"), "{}", answer.leads_to());
        }
        browser.form_token = token;
        assert_eq!(browser.get(&world, "/oauth/consent").await.status, 405);
        for at in [page.at.as_str(), "/oauth/authorize", "/oauth/logout", "/oauth/authorize?request=x"] {
            let page = browser.get(&world, at).await;
            assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"), "{at}");
            assert_eq!(page.header("x-frame-options"), "DENY", "{at}");
            assert_eq!(page.header("cache-control"), "no-store", "{at}");
        }
        browser.get(&world, &page.at).await;
        assert!(answers(&world, &mut browser, &page, "allow").await.at.starts_with(CALLBACK));
    }
}
