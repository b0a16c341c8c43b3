//! `/oauth/logout`: an application wishes that somebody sign out.

use serde_urlencoded::to_string;

use super::{GOODBYE, answers, exchanges, goes, hidden, is_asked, submits, with_applications};
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, World};

const SESSION: &str = "__Host-vestibule_session";

fn wish(parameters: &[(&str, &str)]) -> String {
    format!("/oauth/logout?{}", to_string(parameters).unwrap())
}

on_both_stores! {
    // OpenID Connect RP-Initiated Logout §2
    async fn whoever_knows_the_sign_in_ends_it_at_once(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        for back in [true, false] {
            let (mut browser, page) = is_asked(&world, &[("prompt", "consent")]).await;
            let end = answers(&world, &mut browser, &page, "allow").await;
            let tokens = exchanges(&world, &end.code()).await.unwrap();
            let hint = tokens.id_token.unwrap();
            // Another browser of the same person has another session, and is asked.
            let mut other = Browser::signed_in(&world, ADA).await;
            let asked = goes(&world, &mut other, &wish(&[("id_token_hint", hint.expose())])).await;
            assert!(asked.page.text.contains("Field &lt;Notes&gt;") && asked.page.text.contains("/oauth/logout/confirm"), "{}", asked.page.text);
            assert!(other.cookies.contains_key(SESSION));
            let mut parameters = vec![("id_token_hint", hint.expose())];
            parameters.extend(back.then_some(("post_logout_redirect_uri", GOODBYE)).into_iter().chain([("state", "a b")]));
            let secret = browser.cookies[SESSION].clone();
            let end = goes(&world, &mut browser, &wish(&parameters)).await;
            if back {
                assert_eq!(end.at, format!("{GOODBYE}?state=a+b"));
            } else {
                assert!(end.page.text.contains("You’re signed out"), "{}", end.page.text);
            }
            assert!(!browser.cookies.contains_key(SESSION));
            browser.cookies.insert(SESSION.to_owned(), secret);
            assert!(goes(&world, &mut browser, "/account").await.at.starts_with("/login"), "the session has ended");
        }
    }

    // Anybody can send people here: without the token they are asked (login CSRF the other way round).
    async fn others_have_to_be_asked(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let back = ("post_logout_redirect_uri", GOODBYE);
        for (parameters, to) in [
            (vec![("client_id", "notes"), back, ("state", "x")], format!("{GOODBYE}?state=x")),
            (vec![("client_id", "notes"), back, ("id_token_hint", "a.b.c")], GOODBYE.to_owned()),
            (vec![("client_id", "notes"), ("post_logout_redirect_uri", "https://evil.example/")], "/oauth/logout".to_owned()),
            (vec![back], "/oauth/logout".to_owned()),
            (vec![("client_id", "nobody"), back], "/oauth/logout".to_owned()),
            (vec![], "/oauth/logout".to_owned()),
        ] {
            let mut browser = Browser::signed_in(&world, ADA).await;
            let page = goes(&world, &mut browser, &wish(&parameters)).await.page;
            assert!(page.status == 200 && page.text.contains("ada@example.org"), "{parameters:?} {}", page.text);
            assert!(browser.cookies.contains_key(SESSION));
            let policy = page.header("content-security-policy").to_owned();
            let leads_away = policy.contains("form-action 'self' https://notes.example.org;");
            assert_eq!(leads_away, to.starts_with("https:"), "{policy}");
            let fields: Vec<_> = ["client_id", "post_logout_redirect_uri", "state"].into_iter()
                .filter(|name| page.text.contains(&format!("name=\"{name}\"")))
                .map(|name| (name, hidden(&page, name).replace("&#x2f;", "/"))).collect();
            let fields = to_string(fields).unwrap();
            // Not from another page, and not for another session.
            let token = std::mem::replace(&mut browser.form_token, "x".to_owned());
            let again = submits(&world, &mut browser, "/oauth/logout/confirm", &fields).await;
            assert!(again.page.text.contains("/oauth/logout/confirm") && browser.cookies.contains_key(SESSION), "{}", again.page.text);
            browser.form_token = token;
            let end = submits(&world, &mut browser, "/oauth/logout/confirm", &fields).await;
            assert_eq!(end.at, to);
            assert!(!browser.cookies.contains_key(SESSION));
            // Once more: nobody is signed in.
            let end = goes(&world, &mut browser, &wish(&parameters)).await;
            assert_eq!(end.at.starts_with(GOODBYE), to.starts_with(GOODBYE), "{}", end.at);
        }
    }

    async fn a_form_goes_on_as_an_address(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        let headers = [("sec-fetch-site", "cross-site"), ("origin", "https://notes.example.org")];
        let answer = browser.post(&world, "/oauth/logout", "client_id=notes&state=x", &headers).await;
        assert_eq!(answer.leads_to(), "/oauth/logout?client_id=notes&state=x");
        let long = format!("client_id=notes&id_token_hint={}", "x".repeat(4000));
        let answer = browser.post(&world, "/oauth/logout", &long, &headers).await;
        assert_eq!(answer.leads_to(), "/oauth/logout?client_id=notes", "the token only saves a question");
        assert!(browser.cookies.contains_key(SESSION));
        let answer = browser.get(&world, "/oauth/logout?state=%ff").await;
        assert_eq!(answer.status, 200);
    }
}
