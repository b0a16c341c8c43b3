//! The operator's terms, where whoever gets an account accepts them.

use serde_json::json;
use vestibule::TermsConsent;
use vestibule_http::{Brand, HttpOptions};

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World, without_mailbox};

const TERMS: &str = "https://example.org/terms";
const PRIVACY: &str = "https://example.org/privacy";

async fn asking(mut world: World, consent: TermsConsent) -> World {
    world.follows(|policy| policy.sign_up.consent = consent).await;
    world
}

/// With a page of terms, of privacy, or both.
fn linking(world: &mut World, terms: Option<&str>, privacy: Option<&str>) {
    let brand = Brand {
        terms_url: terms.map(str::to_owned),
        privacy_url: privacy.map(str::to_owned),
        ..Brand::default()
    };
    world.router_with(HttpOptions { brand, ..without_mailbox() });
}

/// When the account with this address accepted them, as its owner sees it.
async fn accepted_at(world: &World, email: &str) -> serde_json::Value {
    let token = world.access_token(email).await;
    world.get_as("/v1/me", &token).await.json()["terms_accepted_at"].clone()
}

/// Whoever chooses a password at this page is asked, and signed in when they accept.
async fn the_page_of_the_link_asks(world: &World, path: &str, token: &str) {
    let mut browser = Browser::default();
    let page = browser.get(world, &format!("{path}?token={token}")).await;
    assert!(page.text.contains("name=\"terms_accepted\""), "{}", page.text);
    let fields = format!("token={token}&password={PASSWORD}");
    let refused = browser.submit(world, path, &fields).await;
    assert!(refused.status == 422 && refused.text.contains("Agree to this"), "{}", refused.text);
    let accepted = browser.submit(world, path, &format!("{fields}&terms_accepted=on")).await;
    assert_eq!(accepted.leads_to(), "/account?said=active");
    assert!(accepted_at(world, ADA).await.is_string());
}

on_both_stores! {
    async fn nobody_signs_up_without_them(world: World) {
        let world = asking(world, TermsConsent::Checkbox).await;
        for (wish, expected) in [
            (json!({"email": ADA, "password": PASSWORD}), "/terms_accepted terms_not_accepted"),
            (json!({"email": ADA, "password": PASSWORD, "terms_accepted": false}), "/terms_accepted terms_not_accepted"),
            (json!({"email": ADA, "password": PASSWORD, "terms_accepted": "true"}), "/terms_accepted wrong_type"),
            (json!({"email": "x", "password": PASSWORD}), "/email email_invalid, /terms_accepted terms_not_accepted"),
        ] {
            let answer = world.post("/v1/signup", wish.clone()).await;
            assert_eq!((answer.status, answer.field_errors().join(", ").as_str()), (422, expected), "{wish}");
        }
        let wish = json!({"email": ADA, "password": PASSWORD, "terms_accepted": true});
        assert_eq!(world.post("/v1/signup", wish).await.status, 202);
        let code = world.newest_mail(ADA).await.code.unwrap();
        let account = world.sends_code(ADA, PASSWORD, &code).await.json();
        assert!(account["terms_accepted_at"].is_string(), "{account}");
        assert_eq!(accepted_at(&world, ADA).await, account["terms_accepted_at"]);
    }

    async fn nobody_asks_by_default(world: World) {
        let page = Browser::default().get(&world, "/signup").await;
        assert!(!page.text.contains("terms_accepted") && !page.text.contains("you agree"), "{}", page.text);
        world.has_account(ADA).await;
        assert!(accepted_at(&world, ADA).await.is_null());
        let wish = json!({"email": "bob@example.org", "password": PASSWORD, "terms_accepted": true});
        assert_eq!(world.post("/v1/signup", wish).await.status, 202, "an application may ask on a page of its own");
    }

    async fn the_page_has_a_checkbox(world: World) {
        let mut world = asking(world, TermsConsent::Checkbox).await;
        let names = format!("email={ADA}&password={PASSWORD}");
        for (terms, privacy, words) in [
            (Some(TERMS), Some(PRIVACY), "I agree to the <a"), (Some(TERMS), None, ">terms of use</a>."),
            (None, Some(PRIVACY), ">privacy policy</a>."), (None, None, "I agree to the terms of use."),
        ] {
            linking(&mut world, terms, privacy);
            let page = Browser::default().get(&world, "/signup").await;
            assert!(page.text.contains(words), "{}", page.text);
            for url in [TERMS, PRIVACY] {
                let shown = url.replace('/', "&#x2f;");
                let linked = page.text.contains(&format!("<a href=\"{shown}\" target=\"_blank\" rel=\"noopener\">"));
                assert_eq!(linked, terms == Some(url) || privacy == Some(url), "{}", page.text);
            }
        }
        let mut browser = Browser::default();
        let refused = browser.fills(&world, "/signup", &names).await;
        assert_eq!(refused.status, 422);
        for part in ["Agree to this to create an account.", "aria-describedby=\"terms_accepted-mistake\""] {
            assert!(refused.text.contains(part), "{part}: {}", refused.text);
        }
        // What was ticked stays ticked where something else is wrong.
        let refused = browser.fills(&world, "/signup", &format!("email=x&password={PASSWORD}&terms_accepted=on")).await;
        assert!(refused.status == 422 && refused.text.contains("value=\"on\" required checked"), "{}", refused.text);
        assert_eq!(browser.submit(&world, "/signup", &format!("{names}&terms_accepted=on")).await.leads_to(), "/check-mail");
    }

    async fn under_a_line_the_button_accepts_them(world: World) {
        let world = asking(world, TermsConsent::Line).await;
        let mut browser = Browser::default();
        let page = browser.get(&world, "/signup").await;
        assert!(page.text.contains("By creating an account, you agree to the terms of use."), "{}", page.text);
        assert!(!page.text.contains("type=\"checkbox\""));
        let shown = "<input type=\"hidden\" name=\"terms_accepted\" value=\"on\">";
        assert!(page.text.contains(shown), "{}", page.text);
        // A page from before the setting did not show the line: nobody has accepted anything there.
        browser.submit(&world, "/signup", &format!("email=bob@example.org&password={PASSWORD}")).await;
        let code = world.newest_mail("bob@example.org").await.code.unwrap();
        assert!(world.sends_code("bob@example.org", PASSWORD, &code).await.json()["terms_accepted_at"].is_null());
        browser.submit(&world, "/signup", &format!("email={ADA}&password={PASSWORD}&terms_accepted=on")).await;
        let code = world.newest_mail(ADA).await.code.unwrap();
        assert_eq!(browser.submit(&world, "/check-mail", &format!("code={code}")).await.status, 303);
        assert!(accepted_at(&world, ADA).await.is_string());
    }

    async fn whoever_is_invited_accepts_them(world: World) {
        world.has_admin("root@example.org").await;
        let admin = world.access_token("root@example.org").await;
        let world = asking(world, TermsConsent::Checkbox).await;
        assert_eq!(world.send_as("POST", "/v1/admin/users", &admin, Some(json!({"email": ADA}))).await.status, 202);
        let token = world.mailed_token("invitation", ADA).await;
        let answer = world.post("/v1/invitation/accept", json!({"token": token, "password": PASSWORD})).await;
        assert_eq!(answer.field_errors(), ["/terms_accepted terms_not_accepted"]);
        the_page_of_the_link_asks(&world, "/invitation", &token).await;
        let id = world.get_as("/v1/admin/users?q=ada", &admin).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
        let mut admins = Browser::signed_in(&world, "root@example.org").await;
        let page = admins.get(&world, &format!("/admin/users/{id}")).await;
        assert!(page.text.contains("<dt>Terms accepted</dt>"), "{}", page.text);
    }

    // Strangers signed up with the address first: whoever chooses the password at the link is asked.
    async fn whoever_chooses_the_password_accepts_them(world: World) {
        let world = asking(world, TermsConsent::Checkbox).await;
        for n in 0..4 {
            let wish = json!({"email": ADA, "password": format!("a-strangers-password-{n}"), "terms_accepted": true});
            assert_eq!(world.post("/v1/signup", wish).await.status, 202);
        }
        let token = world.mailed_token("choose_password", ADA).await;
        let answer = world.post("/v1/confirm", json!({"token": token, "password": PASSWORD})).await;
        assert_eq!(answer.field_errors(), ["/terms_accepted terms_not_accepted"]);
        the_page_of_the_link_asks(&world, "/confirm", &token).await;
    }
}
