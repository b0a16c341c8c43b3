//! `/oauth/authorize`: what is answered at once, what is kept, and what goes nowhere.

use axum::body::Body;
use axum::http::Request;

use super::{CALLBACK, LOOPBACK, SCHEME, asked, goes, parameters, with_applications};
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, World};

on_both_stores! {
    // RFC 6749 §4.1.2.1, RFC 9700 §4.11: nothing is sent to an address that is not proven.
    async fn a_wrong_link_is_said_and_leads_nowhere(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        for (others, told) in [
            (&[("client_id", "")][..], "client_id"),
            (&[("client_id", "nobody")], "client_id"),
            (&[("redirect_uri", "")], "redirect_uri"),
            (&[("redirect_uri", "https://notes.example.org/callback/")], "redirect_uri"),
            (&[("redirect_uri", "https://notes.example.org.evil.example/callback")], "redirect_uri"),
            (&[("redirect_uri", "javascript:alert(1)")], "redirect_uri"),
            (&[("redirect_uri", "http://127.0.0.1:4711/other")], "redirect_uri"),
            (&[("redirect_uri", "//evil.example")], "redirect_uri"),
            (&[("client_id", "shop")], "redirect_uri"),
        ] {
            for request in [
                Request::get(asked(others)).body(Body::empty()),
                Request::post("/oauth/authorize").header("content-type", "application/x-www-form-urlencoded")
                    .body(Body::from(parameters(others))),
            ] {
                let page = world.send(request.unwrap()).await;
                assert_eq!((page.status, page.header("location")), (400, ""), "{others:?}");
                assert!(page.text.contains(&format!("<code dir=\"ltr\">{told}</code>")), "{others:?} {}", page.text);
                assert!(!page.text.contains("<form") && !page.text.contains("href=\"http"), "{}", page.text);
                assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
            }
        }
        for bad in ["/oauth/authorize", "/oauth/authorize?client_id=%ff", "/oauth/authorize?client_id=notes&client_id=notes"] {
            assert_eq!(world.get(bad).await.status, 400, "{bad}");
        }
        let twice = format!("{}&redirect_uri={CALLBACK}", asked(&[]));
        assert_eq!(world.get(&twice).await.status, 400, "nobody knows which one counts");
    }

    // RFC 6749 §3.1, §4.1.2.1, RFC 9207
    async fn a_refusal_goes_back_to_the_application(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        for (address, error) in [
            (asked(&[("response_type", "token")]), "unsupported_response_type"),
            (asked(&[("scope", "openid admin")]), "invalid_scope"),
            (asked(&[("code_challenge", "")]), "invalid_request"),
            (asked(&[("code_challenge_method", "plain")]), "invalid_request"),
            (asked(&[("request", "a.b.c")]), "request_not_supported"),
            (asked(&[("request_uri", "https://evil.example")]), "request_uri_not_supported"),
            (asked(&[("resource", "https://api.example.org/")]), "invalid_target"),
            (asked(&[("prompt", "none")]), "login_required"),
            (format!("{}&nonce=n-2", asked(&[])), "invalid_request"),
            (format!("{}&scope=openid", asked(&[])), "invalid_request"),
        ] {
            let end = goes(&world, &mut Browser::default(), &address).await;
            assert!(end.at.starts_with(&format!("{CALLBACK}?")), "{}", end.at);
            let told = ["error", "state", "iss"].map(|name| end.parameter(name));
            let expected = [error, "s t+a/te", "https://accounts.example.org"].map(|value| Some(value.to_owned()));
            assert_eq!(told, expected, "{address}");
        }
        // Of two nobody knows which one is the application's.
        let end = goes(&world, &mut Browser::default(), &format!("{}&state=other", asked(&[]))).await;
        assert_eq!((end.parameter("error").as_deref(), end.parameter("state")), (Some("invalid_request"), None));
        // What is not read may come as it likes, and an empty one counts as none (RFC 6749 §3.1).
        let end = goes(&world, &mut Browser::default(), &format!("{}&x=1&x=2&state=&nonce=", asked(&[("prompt", "none")]))).await;
        assert_eq!(end.parameter("error").as_deref(), Some("login_required"));
    }

    // OpenID Connect Core §3.1.2.1: by GET and by POST. Browsers send our cookies with the first only.
    async fn a_form_goes_on_as_an_address(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        let headers = [("sec-fetch-site", "cross-site"), ("origin", "https://notes.example.org")];
        let kept = std::mem::take(&mut browser.cookies);
        let answer = browser.post(&world, "/oauth/authorize", &parameters(&[]), &headers).await;
        assert_eq!(answer.leads_to(), asked(&[]));
        assert_eq!(answer.headers.get("set-cookie"), None, "nothing of this browser is replaced");
        browser.cookies = kept;
        let to = answer.leads_to().to_owned();
        let end = goes(&world, &mut browser, &to).await;
        assert!(end.page.text.contains("action=\"/oauth/consent\""), "{}", end.page.text);
        // One that no address has room for is kept.
        let long = parameters(&[("state", &"/".repeat(2000))]);
        let answer = browser.post(&world, "/oauth/authorize", &long, &headers).await;
        assert!(answer.leads_to().starts_with("/oauth/authorize?request="), "{}", answer.leads_to());
        let refused = browser.post(&world, "/oauth/authorize", &parameters(&[("response_type", "x")]), &headers).await;
        assert!(refused.leads_to().starts_with(CALLBACK));
    }

    // No parameter is in an address or a form from then on, and only the browser that brought it finds the request.
    async fn a_request_is_kept_for_its_browser(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        let mut browser = Browser::default();
        let end = goes(&world, &mut browser, &asked(&[])).await;
        assert!(end.at.starts_with("/login?return_to=%2Foauth%2Fauthorize%3Frequest%3D"), "{}", end.at);
        for parameter in ["s t+a/te", "n-1", "E9Melhoa2", "openid"] {
            assert!(!end.at.contains(parameter) && !end.page.text.contains(parameter), "{parameter}");
        }
        let address = end.parameter("return_to").unwrap();
        let mut other = Browser::default();
        other.get(&world, "/login").await;
        for (browser, id) in [(&mut other, address.as_str()), (&mut browser, "/oauth/authorize?request=AAAAAAAAAAAAAAAAAAAAAA"),
            (&mut Browser::default(), address.as_str()), (&mut Browser::default(), "/oauth/authorize?request=%00x")] {
            let page = browser.get(&world, id).await;
            assert!(page.status == 410 && page.text.contains("This request is over"), "{} {}", page.status, page.text);
        }
        assert!(goes(&world, &mut browser, &address).await.at.starts_with("/login"), "it waits");
        world.clock.advance(std::time::Duration::from_mins(61));
        assert_eq!(browser.get(&world, &address).await.status, 410);
    }

    async fn the_application_may_name_the_address_and_the_language(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        let hinted = [("login_hint", "ada@example.org"), ("ui_locales", "tlh fr-CA de")];
        let mut browser = Browser::default();
        let end = goes(&world, &mut browser, &asked(&hinted)).await;
        assert!(end.page.text.contains("value=\"ada@example.org\""), "{}", end.page.text);
        assert!(end.page.text.contains("lang=\"fr\"") && end.page.text.contains("notes.example.org"), "{}", end.page.text);
        let lasting = browser.cookies["__Host-vestibule_lang"].clone();
        assert_eq!(lasting, "fr");
        let sign_up = browser.get(&world, &end.at.replace("/login", "/signup")).await;
        assert!(sign_up.text.contains("value=\"ada@example.org\""), "{}", sign_up.text);
        // What the reader has chosen counts.
        let mut browser = Browser::default();
        browser.get(&world, "/login?lang=es").await;
        let end = goes(&world, &mut browser, &asked(&hinted)).await;
        assert!(end.page.text.contains("<html lang=\"es\""), "{}", end.page.text);
    }

    // Browsers apply `form-action` to the redirects of a form, and on each page before the last there is one.
    async fn the_forms_on_the_way_may_lead_to_the_application(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        for (uri, source) in [
            (CALLBACK, "https://notes.example.org"),
            ("http://127.0.0.1:49152/callback", "http://127.0.0.1:49152"),
            (LOOPBACK, "http://127.0.0.1"),
            (SCHEME, "org.example.notes:"),
        ] {
            let end = goes(&world, &mut Browser::default(), &asked(&[("redirect_uri", uri)])).await;
            let policy = end.page.header("content-security-policy");
            assert!(policy.contains(&format!("form-action 'self' {source};")), "{policy}");
        }
        let bare = world.get("/login?return_to=%2Foauth%2Fauthorize%3Frequest%3DAAAAAAAAAAAAAAAAAAAAAA").await;
        assert!(bare.header("content-security-policy").contains("form-action 'self';"));
    }

    // It is stored before anybody has signed in.
    async fn one_network_keeps_so_many(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        let ask = async || {
            let request = Request::get(asked(&[])).header("accept", "text/html").body(Body::empty()).unwrap();
            world.send(crate::world::from("192.0.2.7", request)).await
        };
        for _ in 0..200 {
            assert_eq!(ask().await.status, 303);
        }
        let page = ask().await;
        assert_eq!((page.status, page.header("retry-after")), (429, "300"));
    }
}
