//! The language of the pages: chosen and kept by the browser, offered where it works.

use serde_json::json;

use crate::admin_clients::own_application;
use crate::browser::Browser;
use crate::cross_site::{FORMS, MEMBERS};
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World};

fn speaks(answer: &Answer) -> &str {
    answer.text.split("<html lang=\"").nth(1).unwrap().split('"').next().unwrap()
}

/// How the other languages are offered: `links`, `buttons` of the form with this action, or not at all.
fn offered(answer: &Answer) -> String {
    let Some(nav) = answer.text.split("<span class=\"gone\">Language: </span>").nth(1) else {
        return "nowhere".to_owned();
    };
    let nav = nav.split("</details>").next().unwrap();
    assert_eq!(nav.matches("lang=\"ar\" dir=\"rtl\"").count(), 1, "{nav}");
    match nav.split("formaction=\"").nth(1) {
        Some(action) => action.split('?').next().unwrap().to_owned(),
        None => "links".to_owned(),
    }
}

async fn locale(world: &World) -> String {
    let me = world.get_as("/v1/me", &world.access_token(ADA).await).await.json();
    me["locale"].as_str().unwrap().to_owned()
}

on_both_stores! {
    async fn a_choice_counts_before_the_account_and_changes_nothing_of_it(world: World) {
        world.has_admin(ADA).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        browser.get(&world, "/account").await;
        assert_eq!(browser.submit(&world, "/account/profile", "locale=de").await.leads_to(), "/account?said=profile#profile");
        browser.cookies.remove("__Host-vestibule_lang");
        assert_eq!(speaks(&browser.get(&world, "/account").await), "de", "the account counts before what the browser likes");
        assert_eq!(speaks(&browser.get(&world, "/account?lang=es").await), "es");
        for path in ["/account", "/admin", "/admin/users", "/nowhere", "/", "/forgot"] {
            assert_eq!(speaks(&browser.get(&world, path).await), "es", "{path}");
        }
        browser.get(&world, "/account").await;
        let refused = browser.submit(&world, "/account/profile", "user_name=%20a%20b&locale=de").await;
        assert_eq!((refused.status, speaks(&refused)), (422, "es"));
        assert_eq!(locale(&world).await, "de", "looking changes nothing");
        // Saving other settings does not change the language of the page; saving another language does.
        browser.get(&world, "/account").await;
        browser.submit(&world, "/account/profile", "user_name=countess&locale=de").await;
        assert_eq!(speaks(&browser.get(&world, "/account").await), "es");
        browser.submit(&world, "/account/profile", "user_name=countess&locale=fr").await;
        assert_eq!(speaks(&browser.get(&world, "/account").await), "fr");
        assert_eq!(locale(&world).await, "fr");
    }

    async fn another_language_keeps_what_was_typed_and_does_nothing(world: World) {
        for (path, action, fields, kept) in [
            ("/signup", "/signup", "email=ada%40example.org&password=violet-otter-maps-42&user_name=countess", "countess"),
            ("/login?return_to=/docs", "/login", "login=ada%40example.org&password=violet-otter-maps-42&return_to=/docs", "&#x2f;docs"),
            ("/forgot", "/forgot", "email=ada%40example.org", ADA),
            ("/confirm?token=x", "/confirm/resend", "email=ada%40example.org", ADA),
            ("/setup", "/setup", "token=key&email=ada%40example.org&password=violet-otter-maps-42", ADA),
        ] {
            let mut browser = Browser::default();
            browser.get(&world, path).await;
            for (language, word) in [("de", "Passwort"), ("ar", "المرور"), ("en", "assword")] {
                let page = browser.submit(&world, &format!("{action}?lang={language}"), fields).await;
                assert_eq!((page.status, speaks(&page)), (200, language), "{action}");
                assert!(page.text.contains(&format!("value=\"{kept}\"")), "{action}: {}", page.text);
                assert!(page.text.contains(word) || action.contains("resend") || action == "/forgot", "{action} {}", page.text);
                assert!(!page.text.contains(PASSWORD) && !page.text.contains("role=\"alert\""), "{action}: nothing is wrong");
            }
            assert_eq!(speaks(&browser.get(&world, "/").await), "en", "it is remembered");
        }
        world.deliver().await;
        assert_eq!(world.mails("confirm", ADA).await, 0, "nobody signed up");
    }

    // A form sent to change the language is not acted on.
    async fn no_form_is_acted_on_in_another_language(world: World) {
        world.has_admin(ADA).await;
        world.post("/v1/password/forgot", json!({"email": ADA})).await;
        let reset = world.mailed_token("password_reset", ADA).await;
        let mut browser = Browser::default();
        browser.fills(&world, "/signup", &format!("email=bob%40example.org&password={PASSWORD}")).await;
        let fields = format!("token={reset}&password={PASSWORD}&new_password=copper-lamp-river-77&email=eve%40example.org&login={ADA}&code=0000");
        for path in FORMS {
            browser.get(&world, "/login").await;
            let page = browser.submit(&world, &format!("{path}?lang=de"), &fields).await;
            assert_eq!((page.status, speaks(&page)), (200, "de"), "{path}");
        }
        assert!(!browser.cookies.contains_key("__Host-vestibule_session"));
        let mut browser = Browser::signed_in(&world, ADA).await;
        world.accounts.create_application(vestibule::Actor::Operator, own_application()).await.unwrap();
        let id = world.get_as("/v1/me", &world.access_token(ADA).await).await.json()["id"].as_str().unwrap().to_owned();
        let fields = format!("password={PASSWORD}&current_password={PASSWORD}&own_password={PASSWORD}&new_password=copper-lamp-river-77\
            &email=eve%40example.org&user_name=countess&roles=editor");
        for path in MEMBERS.map(|path| path.replace("usr_00000000000000000000000000", &id)) {
            browser.get(&world, "/account").await;
            let page = browser.submit(&world, &format!("{path}?lang=de"), &fields).await;
            assert_eq!((page.status, speaks(&page)), (200, "de"), "{path}");
        }
        world.deliver().await;
        for (kind, to) in [("confirm", "eve@example.org"), ("email_change", "eve@example.org"), ("invitation", "eve@example.org")] {
            assert_eq!(world.mails(kind, to).await, 0, "{kind}");
        }
        assert_eq!(world.mails("password_changed", ADA).await, 0);
        assert!(browser.get(&world, "/account?lang=en").await.text.contains("Signed in as <bdi>ada@example.org</bdi>"));
    }

    async fn languages_are_offered_where_they_work(world: World) {
        world.has_admin(ADA).await;
        let mut browser = Browser::default();
        for (path, where_) in [
            ("/signup", "/signup"), ("/login", "/login"), ("/forgot", "/forgot"), ("/confirm", "/confirm"), ("/reset?token=x", "links"),
            ("/confirm?token=x", "links"), ("/setup", "/setup"), ("/", "links"), ("/nowhere", "links"), ("/docs/errors", "nowhere"),
            ("/docs/errors/code_invalid", "nowhere"), ("/dev/mail", "nowhere"),
        ] {
            assert_eq!(offered(&browser.get(&world, path).await), where_, "{path}");
        }
        browser.get(&world, "/login").await;
        let wrong = browser.submit(&world, "/login", &format!("login={ADA}&password=not-the-password")).await;
        assert_eq!((wrong.status, offered(&wrong).as_str()), (422, "/login"));
        let mut ada = Browser::signed_in(&world, ADA).await;
        for (path, where_) in [("/account", "links"), ("/admin", "links"), ("/admin/users", "links"), ("/admin/audit", "links")] {
            assert_eq!(offered(&ada.get(&world, path).await), where_, "{path}");
        }
        for (path, fields) in [("/account/profile", "user_name=x"), ("/account/email", "email=x"), ("/account/delete", ""), ("/admin/users", "email=x")] {
            ada.get(&world, "/account").await;
            let wrong = ada.submit(&world, path, fields).await;
            assert_eq!((wrong.status, offered(&wrong).as_str()), (422, path));
            assert_eq!(wrong.text.matches("id=\"form\"").count(), 1, "{path}");
        }
        // The link consists of the query alone: a path may look like another host.
        let odd = browser.get(&world, "//evil.example/?lang=de&x=1").await;
        assert!(odd.status == 404 && odd.text.contains("href=\"?x=1&amp;lang=fr\"") && !odd.text.contains("evil"), "{}", odd.text);
        assert!(odd.cookie("__Host-vestibule_lang").is_some());
    }
}
