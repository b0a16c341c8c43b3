use vestibule_http::HttpOptions;

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World, basic, options};

const SESSION: &str = "__Host-vestibule_session";

async fn signs_in(world: &World, browser: &mut Browser) {
    let answer = browser.fills(world, "/login", &format!("login={ADA}&password={PASSWORD}")).await;
    assert_eq!(answer.leads_to(), "/account");
}

on_both_stores! {
    // B2, R4
    async fn the_page_signs_in_with_a_new_secret_each_time(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::default();
        let page = browser.get(&world, "/login").await;
        assert!(page.text.contains("autocomplete=\"username webauthn\"") && page.text.contains("autocomplete=\"current-password\""));
        let cookie = page.cookie("__Host-vestibule_form").unwrap();
        assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{cookie}");
        let token = browser.form_token.clone();
        signs_in(&world, &mut browser).await;
        let first = browser.cookies[SESSION].clone();
        assert_eq!(browser.get(&world, "/login").await.leads_to(), "/account");
        let form = format!("form_token={token}&login={ADA}&password={PASSWORD}");
        assert_eq!(browser.post(&world, "/login", &form, &[]).await.leads_to(), "/account");
        assert_ne!(browser.cookies[SESSION], first);
        let mut old = Browser::default();
        old.cookies.insert(SESSION.to_owned(), first);
        assert_eq!(old.get(&world, "/account").await.leads_to(), "/login?return_to=%2Faccount");
    }

    // L1: one answer; the typed name is kept, the password is not.
    async fn a_refusal_does_not_tell_which_was_wrong(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::default();
        let mut texts = Vec::new();
        for login in [ADA, "nobody@example.org", "nobody", "%22%3E%3Cb%3E", ""] {
            let page = browser.fills(&world, "/login", &format!("login={login}&password=not-the-password")).await;
            assert_eq!((page.status, page.header("www-authenticate")), (422, ""), "{login}");
            assert!(page.text.contains("That email or password isn’t right") && !page.text.contains("not-the-password"));
            assert!(!page.text.contains("<b>"));
            let typed = format!("value=\"{login}\"");
            assert!(login.contains('%') || page.text.contains(&typed), "{login}");
            texts.push(page.text.replace(&typed, "").replace("value=\"&quot;&gt;&lt;b&gt;\"", "").replace(&browser.form_token, ""));
        }
        assert!(texts.windows(2).all(|two| two[0] == two[1]));
    }

    async fn other_refusals_say_what_helps(world: World) {
        world.signs_up(ADA).await;
        let mut browser = Browser::default();
        let page = browser.fills(&world, "/login", &format!("login={ADA}&password={PASSWORD}")).await;
        assert_eq!(page.leads_to(), "/check-mail?said=unconfirmed");
        for _ in 0..5 {
            browser.fills(&world, "/login", "login=eve@example.org&password=not-the-password").await;
        }
        let page = browser.fills(&world, "/login", "login=eve@example.org&password=not-the-password").await;
        assert_eq!((page.status, page.header("retry-after")), (429, "1"));
        assert!(page.text.contains("Try again in 1 second"), "{}", page.text);
    }

    // B3: return_to.rs has the table of bad addresses; this checks that the page uses it, twice.
    async fn a_sign_in_leads_only_where_it_may(world: World) {
        let mut world = world;
        world.router_with(HttpOptions {
            return_urls: vec!["https://app.example.org/in".to_owned()], ..options(&world.mailbox)
        });
        world.has_account(ADA).await;
        for (wanted, reached) in [
            ("/account?said=profile", "/account?said=profile"), ("https://app.example.org/in", "https://app.example.org/in"),
            ("//evil.example", "/account"), ("/\\evil.example", "/account"), ("https://evil.example", "/account"),
            ("https://app.example.org/in/..", "/account"), ("/%2f/evil.example", "/account"), ("javascript:alert(1)", "/account"),
        ] {
            let mut browser = Browser::default();
            let query = wanted.replace('%', "%25").replace('?', "%3F").replace('\\', "%5C");
            let page = browser.get(&world, &format!("/login?return_to={query}")).await;
            assert_eq!(page.text.contains("name=\"return_to\""), wanted == reached, "{wanted}");
            let policy = page.header("content-security-policy");
            assert_eq!(policy.contains("form-action 'self' https://app.example.org;"), reached.starts_with("https:"), "{policy}");
            let form = format!("login={ADA}&password={PASSWORD}&return_to={query}");
            assert_eq!(browser.submit(&world, "/login", &form).await.leads_to(), reached, "{wanted}");
            assert_eq!(browser.get(&world, &format!("/login?return_to={query}")).await.leads_to(), reached, "{wanted}");
        }
    }

    async fn signing_out_ends_the_session(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::default();
        signs_in(&world, &mut browser).await;
        let secret = browser.cookies[SESSION].clone();
        assert_eq!(browser.get(&world, "/logout").await.status, 405, "not by looking");
        browser.get(&world, "/account").await;
        let out = browser.submit(&world, "/logout", "").await;
        assert_eq!(out.leads_to(), "/login?said=signed_out");
        assert!(out.cookie(SESSION).unwrap().contains("Max-Age=0"));
        browser.cookies.insert(SESSION.to_owned(), secret);
        assert_eq!(browser.get(&world, "/account").await.status, 303);
    }

    async fn a_proxy_asks_with_the_cookie(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::default();
        assert_eq!(browser.get(&world, "/v1/auth/verify").await.problem().1, "authentication_required");
        signs_in(&world, &mut browser).await;
        let answer = browser.get(&world, "/v1/auth/verify").await;
        assert_eq!((answer.status, answer.header("x-auth-email")), (204, ADA));
        let token = world.access_token(ADA).await;
        for (header, status) in [(format!("Bearer {token}"), 204), ("Bearer wrong".to_owned(), 401), (basic("a:b"), 401)] {
            let request = axum::http::Request::get("/v1/auth/verify").header("authorization", &header);
            assert_eq!(browser.ask(&world, request).await.status, status, "{header}: the header decides");
        }
        let elsewhere = browser.get(&world, "/v1/me/export").await;
        assert_eq!(elsewhere.status, 401, "the rest of the API does not take cookies");
        world.post_as("/v1/logout?all=true", &token).await;
        assert_eq!(browser.get(&world, "/v1/auth/verify").await.status, 401);
    }

    // L4
    async fn a_known_browser_is_not_locked_out(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::default();
        signs_in(&world, &mut browser).await;
        browser.get(&world, "/account").await;
        browser.submit(&world, "/logout", "").await;
        let mut stranger = Browser::default();
        for _ in 0..6 {
            stranger.fills(&world, "/login", &format!("login={ADA}&password=not-the-password")).await;
        }
        let page = stranger.fills(&world, "/login", &format!("login={ADA}&password={PASSWORD}")).await;
        assert_eq!(page.status, 429);
        signs_in(&world, &mut browser).await;
    }

    async fn pages_speak_the_language_that_is_wanted(world: World) {
        let mut browser = Browser::default();
        let request = axum::http::Request::get("/login").header("accept-language", "de-AT,en;q=0.5");
        let page = browser.ask(&world, request).await;
        assert!(page.text.contains("<html lang=\"de\" dir=\"ltr\">") && page.text.contains("Anmelden"));
        assert_eq!(page.header("content-language"), "de");
        let page = browser.get(&world, "/login?lang=ar&return_to=/account").await;
        assert!(page.text.contains("<html lang=\"ar\" dir=\"rtl\">"));
        assert!(page.text.contains("name=\"return_to\""), "{}", page.text);
        assert!(browser.get(&world, "/signup").await.text.contains("lang=\"ar\""), "it is remembered");
        browser.submit(&world, "/signup", &format!("email={ADA}&password={PASSWORD}")).await;
        assert!(browser.get(&world, "/nowhere").await.text.contains("dir=\"rtl\""), "problems, too");
        assert_eq!(world.get("/login?lang=xx").await.header("content-language"), "en");
    }

    async fn a_person_gets_problems_as_pages_and_a_program_as_json(world: World) {
        let mut browser = Browser::default();
        let page = browser.get(&world, "/nowhere").await;
        assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"));
        assert!(page.text.contains("There’s nothing here"));
        let page = browser.get(&world, "/logout").await;
        assert_eq!((page.status, page.header("allow")), (405, "POST"));
        assert!(page.text.contains(page.header("x-request-id")), "{}", page.text);
        assert_eq!(world.get("/nowhere").await.problem().0, 404);
        let api = browser.ask(&world, axum::http::Request::get("/v1/nowhere")).await;
        assert_eq!(api.problem().0, 404);
    }

    // At most 40 KB per page, including scripts and styles, as a browser gets them.
    async fn a_page_is_small_and_loads_only_from_here(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::default();
        signs_in(&world, &mut browser).await;
        for path in ["/account", "/docs/errors", "/", "/forgot", "/confirm", "/reset?token=x", "/nowhere", "/dev/mail"] {
            let page = browser.get(&world, path).await;
            let mut size = page.text.len();
            for asset in page.text.split('"').filter(|part| part.starts_with("/assets/")) {
                let asked = axum::http::Request::get(asset).header("accept-encoding", "gzip, br");
                let file = world.send(asked.body(axum::body::Body::empty()).unwrap()).await;
                assert_eq!(file.status, 200, "{asset}");
                let length: usize = file.header("content-length").parse().unwrap();
                assert!(length <= 6 * 1024, "{asset}: {length}");
                size += length;
            }
            assert!(size <= 40 * 1024, "{path}: {size}");
            assert!(!page.text.contains("src=\"http") && !page.text.contains(" style=") && !page.text.contains(" onclick"));
        }
    }
}
