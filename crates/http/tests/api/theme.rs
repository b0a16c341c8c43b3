use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

const THEME: &str = "__Host-vestibule_theme";

on_both_stores! {
    // Without scripts too: a link or a button chooses, a cookie remembers, and the system decides again when asked to.
    async fn a_theme_is_chosen_and_remembered(world: World) {
        let mut browser = Browser::default();
        let page = browser.get(&world, "/login").await.text;
        assert!(page.contains("<html lang=\"en\" dir=\"ltr\">"), "the system decides: {page}");
        assert!(page.contains("formaction=\"/login?theme=dark\"") && page.contains("media=\"(prefers-color-scheme: dark)\""));
        let dark = browser.get(&world, "/login?theme=dark&return_to=/account").await;
        assert!(dark.text.contains("<html lang=\"en\" dir=\"ltr\" data-theme=\"dark\">"), "{}", dark.text);
        assert!(dark.text.contains("name=\"return_to\"") && !dark.text.contains("prefers-color-scheme: light"));
        assert!(dark.cookie(THEME).unwrap().contains("Max-Age=34560000"));
        for path in ["/signup", "/nowhere", "/docs/errors"] {
            assert!(browser.get(&world, path).await.text.contains("data-theme=\"dark\""), "{path}");
        }
        let back = browser.get(&world, "/nowhere?theme=system&x=1").await.text;
        assert!(back.contains("<html lang=\"en\" dir=\"ltr\">") && back.contains("href=\"?x=1&amp;theme=light\""), "{back}");
        assert!(!browser.cookies.contains_key(THEME));
        assert!(!browser.get(&world, "/login?theme=pink").await.text.contains("data-theme"));
    }

    // A form that only asks for another theme is not acted on, and keeps what was typed.
    async fn choosing_a_theme_in_a_form_does_nothing_else(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::default();
        browser.get(&world, "/login").await;
        let page = browser.submit(&world, "/login?theme=light", &format!("login={ADA}&password={PASSWORD}")).await;
        assert!(page.status == 200 && page.text.contains("data-theme=\"light\"") && page.text.contains(ADA), "{}", page.text);
        assert!(!page.text.contains("role=\"alert\"") && !page.text.contains(PASSWORD));
        world.has_admin("root@example.org").await;
        let mut root = Browser::signed_in(&world, "root@example.org").await;
        assert_eq!(root.get(&world, "/admin/users?theme=dark").await.status, 200, "strict lists know it");
    }

    async fn search_engines_and_home_screens_learn_what_is_for_them(world: World) {
        let robots = world.get("/robots.txt").await;
        assert!(robots.status == 200 && robots.text.ends_with("Disallow: /\n") && robots.text.contains("Allow: /login$"));
        let manifest = world.get("/manifest.webmanifest").await;
        assert_eq!(manifest.header("content-type"), "application/manifest+json");
        let described: serde_json::Value = serde_json::from_str(&manifest.text).unwrap();
        let icon = described["icons"][0]["src"].as_str().unwrap();
        assert_eq!(world.get(icon).await.status, 200, "{icon}");
        let page = Browser::default().get(&world, "/login").await;
        assert!(page.text.contains("<meta name=\"description\" content=") && page.text.contains("/manifest.webmanifest"));
        assert!(page.header("content-security-policy").contains("manifest-src 'self'"));
        let touch = page.text.split("<link rel=\"apple-touch-icon\" href=\"").nth(1).and_then(|rest| rest.split('"').next());
        let touch = world.get(touch.unwrap()).await;
        assert_eq!((touch.status, touch.header("content-type")), (200, "image/png"));
    }
}
