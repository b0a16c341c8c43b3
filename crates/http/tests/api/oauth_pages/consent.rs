//! The question whether an application may see something, and its answer.

use std::time::Duration;

use super::{
    CALLBACK, LOOPBACK, SCHEME, answers, asked, exchanges, goes, is_asked, notes, signs_in, submits,
    with_applications,
};
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};
use vestibule::{Application, ClaimPaths, ConfiguredApplication};

on_both_stores! {
    async fn a_user_is_asked_once(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let wanted = [("scope", "openid profile email offline_access notes:<write>")];
        let (mut browser, page) = is_asked(&world, &wanted).await;
        for told in ["<bdi>Field &lt;Notes&gt;</bdi>", "<bdi>notes.example.org</bdi>", "ada@example.org",
            "Sign you in with this account", "See your name", "See your email address", "Stay connected", "after 14 days",
            "<code dir=\"ltr\">notes:&lt;write&gt;</code>", "never see your password",
            "See <code dir=\"ltr\">plan</code>, which <bdi>", "theme</code> from what you have entered"] {
            assert!(page.page.text.contains(told), "{told}: {}", page.page.text);
        }
        let policy = page.page.header("content-security-policy");
        assert!(policy.contains("form-action 'self' https://notes.example.org;") && policy.contains("frame-ancestors 'none'"));
        assert_eq!(page.page.header("x-frame-options"), "DENY");
        let end = answers(&world, &mut browser, &page, "allow").await;
        assert!(end.at.starts_with(&format!("{CALLBACK}?code=")), "{}", end.at);
        assert_eq!(end.parameter("state").as_deref(), Some("s t+a/te"));
        let tokens = exchanges(&world, &end.code()).await.unwrap();
        assert!(tokens.refresh_token.is_some() && tokens.id_token.is_some());
        // From now on nothing is asked, unless it is more.
        let again = goes(&world, &mut browser, &asked(&[])).await;
        assert!(again.at.starts_with(&format!("{CALLBACK}?code=")), "{}", again.at);
        let same = goes(&world, &mut browser, &asked(&[("prompt", "consent")])).await;
        assert!(same.page.text.contains("asks you to confirm"), "{}", same.page.text);
        let (_, first) = is_asked(&world, &[("prompt", "consent"), ("scope", "")]).await;
        assert!(!first.page.text.contains("Know that you agreed") && first.page.text.contains(">plan</code>"));
        let bare = ConfiguredApplication {
            application: Application { claims: ClaimPaths::default(), ..notes() },
            secrets: Vec::new(),
        };
        world.follows(|policy| policy.applications = vec![bare]).await;
        let (_, first) = is_asked(&world, &[("prompt", "consent"), ("scope", "")]).await;
        assert!(first.page.text.contains("Know that you agreed"), "{}", first.page.text);
    }

    // Without a question, too: a request that was answered does not count among those of its network any more.
    async fn what_needs_no_question_is_answered_once(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let (mut browser, page) = is_asked(&world, &[]).await;
        answers(&world, &mut browser, &page, "allow").await;
        let mut browser = Browser::default();
        let end = goes(&world, &mut browser, &asked(&[])).await;
        let place = end.parameter("return_to").unwrap();
        let end = signs_in(&world, &mut browser, &end, ADA).await;
        exchanges(&world, &end.code()).await.unwrap();
        assert_eq!(browser.get(&world, &place).await.status, 410);
    }

    async fn more_than_before_is_asked_again(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let (mut browser, page) = is_asked(&world, &[]).await;
        answers(&world, &mut browser, &page, "allow").await;
        let more = goes(&world, &mut browser, &asked(&[("scope", "openid profile")])).await;
        assert!(more.page.text.contains("Now it asks for more"), "{}", more.page.text);
    }

    async fn who_says_no_is_taken_back(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let (mut browser, page) = is_asked(&world, &[]).await;
        let end = answers(&world, &mut browser, &page, "deny").await;
        assert_eq!(end.parameter("error").as_deref(), Some("access_denied"));
        assert!(goes(&world, &mut browser, &asked(&[])).await.page.text.contains("/oauth/consent"), "asked again");
    }

    async fn the_page_says_where_the_answer_goes(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        for (uri, told, source) in [
            (CALLBACK, "sent back to <bdi>notes.example.org</bdi>", "https://notes.example.org"),
            (LOOPBACK, "a program on this device (<bdi>127.0.0.1</bdi>)", "http://127.0.0.1"),
            (SCHEME, "the app <bdi>org.example.notes</bdi> on this device", "org.example.notes:"),
        ] {
            let (_, page) = is_asked(&world, &[("redirect_uri", uri)]).await;
            assert!(page.page.text.contains(told), "{}", page.page.text);
            assert_eq!(page.page.text.contains("if you started this yourself"), uri != CALLBACK);
            let policy = page.page.header("content-security-policy");
            assert!(policy.contains(&format!("form-action 'self' {source};")), "{policy}");
        }
    }

    // An application of the owner asks nobody, and a fresh proof only where it demands one.
    async fn whoever_is_trusted_asks_nobody(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        let of_shop = [("client_id", "shop"), ("redirect_uri", "https://shop.example.org/in")];
        let end = goes(&world, &mut browser, &asked(&of_shop)).await;
        assert!(end.at.starts_with("https://shop.example.org/in?code="), "{}", end.at);
        world.clock.advance(Duration::from_mins(1));
        let again = [of_shop[0], of_shop[1], ("prompt", "login")];
        let end = goes(&world, &mut browser, &asked(&again)).await;
        assert!(end.at.starts_with("/account/verify?return_to="), "{}", end.at);
        assert!(end.page.text.contains("The app that sent you here asks for it"), "{}", end.page.text);
        assert!(end.page.text.contains("action=\"/oauth/switch\""), "or another account: {}", end.page.text);
        let policy = end.page.header("content-security-policy");
        assert!(policy.contains("form-action 'self' https://shop.example.org;"), "{policy}");
        let to = serde_urlencoded::to_string([("return_to", end.parameter("return_to").unwrap())]).unwrap();
        let wrong = browser.submit(&world, "/account/verify", &format!("password=not-the-password&{to}")).await;
        assert_eq!(wrong.status, 422);
        assert!(wrong.header("content-security-policy").contains("https://shop.example.org;"));
        let end = submits(&world, &mut browser, "/account/verify", &format!("password={PASSWORD}&{to}")).await;
        assert!(end.at.starts_with("https://shop.example.org/in?code="), "{}", end.at);
    }

    async fn another_account_can_be_used(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        world.has_account("bob@example.org").await;
        let (mut browser, page) = is_asked(&world, &[]).await;
        let form = format!("request={}", page.request());
        let token = std::mem::replace(&mut browser.form_token, "x".to_owned());
        let stale = submits(&world, &mut browser, "/oauth/switch", &form).await;
        assert!(stale.page.text.contains("Nothing was sent"), "nobody is signed out: {}", stale.page.text);
        browser.form_token = token;
        let end = submits(&world, &mut browser, "/oauth/switch", &form).await;
        assert!(!browser.cookies.contains_key("__Host-vestibule_session"));
        let end = signs_in(&world, &mut browser, &end, "bob@example.org").await;
        assert!(end.page.text.contains("bob@example.org"), "{}", end.page.text);
        let end = answers(&world, &mut browser, &end, "allow").await;
        exchanges(&world, &end.code()).await.unwrap();
    }

    // What has changed since the question comes first.
    async fn an_answer_waits_for_what_is_missing(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let (mut browser, page) = is_asked(&world, &[("max_age", "60")]).await;
        world.clock.advance(Duration::from_mins(2));
        let end = answers(&world, &mut browser, &page, "allow").await;
        assert!(end.at.starts_with("/account/verify"), "{}", end.at);
        // Signed out meanwhile, in another tab.
        let (mut browser, page) = is_asked(&world, &[]).await;
        browser.cookies.remove("__Host-vestibule_session");
        let end = answers(&world, &mut browser, &page, "allow").await;
        assert!(end.at.starts_with("/login?return_to="), "{}", end.at);
    }

    async fn the_language_can_be_chosen_on_the_way(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let (mut browser, page) = is_asked(&world, &[]).await;
        let link = format!("href=\"?request={}&amp;lang=de\"", page.request());
        assert!(page.page.text.contains(&link), "{}", page.page.text);
        for language in ["de", "fr", "es", "ar"] {
            let other = browser.get(&world, &format!("/oauth/authorize?request={}&lang={language}", page.request())).await;
            assert!(other.text.contains(&format!("<html lang=\"{language}\"")), "{}", other.text);
        }
        let end = answers(&world, &mut browser, &page, "allow").await;
        assert!(end.at.starts_with(CALLBACK), "{}", end.at);
    }

    // The first consent is told by mail, and only that.
    async fn the_first_consent_is_told_by_mail(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let (mut browser, page) = is_asked(&world, &[]).await;
        assert_eq!(world.mails("security_notice", ADA).await, 0);
        answers(&world, &mut browser, &page, "allow").await;
        assert_eq!(world.mails("security_notice", ADA).await, 1);
        let more = goes(&world, &mut browser, &asked(&[("scope", "openid profile")])).await;
        answers(&world, &mut browser, &more, "allow").await;
        assert_eq!(world.mails("security_notice", ADA).await, 1);
    }
}
