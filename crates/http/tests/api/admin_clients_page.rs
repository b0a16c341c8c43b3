//! The pages of applications, and those of a user.

use vestibule::{Actor, AuditKind, Secret};

use crate::admin_clients::ada_lets_the_shop_in;
use crate::admin_users_page::{entry, root};
use crate::browser::Browser;
use crate::oauth::assertions::Signing;
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World};

const LIST: &str = "/admin/clients";
const NEW: &str = "/admin/new-client";
const SHOP: &str = "/admin/clients/shop";
const REGISTRATION: &str = "id=shop&kind=confidential&name=Example+Shop&consent=ask\
                            &redirect_uris=https%3A%2F%2Fshop.example.org%2Fa%0D%0Ahttps%3A%2F%2Fshop.example.org%2Fb";

/// The secret on a page, by the button that copies it.
fn secret(page: &Answer) -> Secret {
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"), "{}", page.text);
    let copied = page.text.split("data-copy=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    Secret::from(copied.max_by_key(|text| text.len()).unwrap())
}

/// The page without the escapes of its addresses.
fn plain(page: &Answer) -> String {
    page.text.replace("&#x2f;", "/")
}

/// An administrator who has registered the shop, and its secret.
async fn registered(world: &World) -> (Browser, Secret) {
    let mut browser = root(world).await;
    browser.get(world, NEW).await;
    let made = browser.submit(world, NEW, &format!("{REGISTRATION}&own_password={PASSWORD}")).await;
    let secret = secret(&made);
    (browser, secret)
}

async fn works(world: &World, secret: &Secret) -> bool {
    world.accounts.authenticate_application("shop", Some(secret)).await.is_ok()
}

on_both_stores! {
    async fn an_application_is_registered_and_its_secret_shown_once(world: World) {
        let (mut browser, secret) = registered(&world).await;
        assert!(works(&world, &secret).await);
        let listed = browser.get(&world, LIST).await;
        assert!(listed.text.contains("href=\"/admin/clients/shop\"") && listed.text.contains("Confidential"), "{}", listed.text);
        let page = browser.get(&world, SHOP).await;
        assert!(plain(&page).contains("https://shop.example.org/a\nhttps://shop.example.org/b</textarea>"), "{}", page.text);
        for page in [listed, page, browser.get(&world, &format!("{SHOP}/secret")).await] {
            assert!(!page.text.contains(secret.expose()));
        }
        browser.get(&world, NEW).await;
        let again = browser.submit(&world, NEW, &format!("{REGISTRATION}&own_password={PASSWORD}")).await;
        assert!(again.status == 409 && again.text.contains("href=\"#id\"") && again.text.contains("Another application has this ID."), "{}", again.text);
        // What was typed is there again.
        assert!(again.text.contains("value=\"Example Shop\"") && plain(&again).contains("https://shop.example.org/b</textarea>"));
        let public = "id=app&kind=public&name=App&redirect_uris=com.example.app%3A%2Fdone&consent=ask";
        let made = browser.submit(&world, NEW, &format!("{public}&own_password={PASSWORD}")).await;
        assert_eq!(made.leads_to(), "/admin/clients/app?said=registered");
        let page = browser.get(&world, "/admin/clients/app?said=registered").await;
        assert!(page.text.contains("The application is registered.") && !page.text.contains("Make a new secret"), "{}", page.text);
    }

    async fn what_is_wrong_stands_beside_its_field(world: World) {
        let mut browser = root(&world).await;
        browser.get(&world, NEW).await;
        let fields = |id: &str, uri: &str| format!("id={id}&kind=public&name=App&redirect_uris={uri}&consent=never&own_password={PASSWORD}");
        for (form, field) in [
            (fields("The+Shop", "https%3A%2F%2Fa.example%2F"), "id"),
            (fields("shop", "http%3A%2F%2Fa.example%2F"), "redirect_uris"),
            (fields("shop", ""), "redirect_uris"),
            (fields("shop", "http%3A%2F%2Flocalhost%2Fcb"), "consent"),
            (fields("shop", "https%3A%2F%2Fa.example%2F&machine_scopes=stock"), "machine_scopes"),
            (fields("shop", "https%3A%2F%2Fa.example%2F&resources=api"), "resources"),
            (fields("shop", "https%3A%2F%2Fa.example%2F&scopes=openid"), "scopes"),
            (fields("shop", "https%3A%2F%2Fa.example%2F&claims=sub%3Dapp.id"), "claims"),
            (fields("shop", "https%3A%2F%2Fa.example%2F&claims=plan"), "claims"),
            (fields("shop", "https%3A%2F%2Fa.example%2F&claims=a%3Dapp.b%0D%0Aa%3Dapp.c"), "claims"),
            (fields("shop", "https%3A%2F%2Fa.example%2F&logout_uri=x"), "logout_uri"),
        ] {
            let page = browser.submit(&world, NEW, &form).await;
            let shown = format!("href=\"#{field}\"");
            assert!(page.status == 422 && page.text.contains(&shown) && page.text.contains(&format!("id=\"{field}-mistake\"")), "{form} {}", page.text);
        }
        assert!(browser.get(&world, LIST).await.text.contains("No application is registered yet."));
    }

    async fn a_registration_is_changed_and_removed(world: World) {
        let (mut browser, secret) = registered(&world).await;
        browser.get(&world, SHOP).await;
        let form = format!("name=Shop&redirect_uris=https%3A%2F%2Fshop.example.org%2Fc&consent=never&claims=tier%3Dapp.plan%0D%0Aplan%3Dapp.plan&own_password={PASSWORD}");
        let done = browser.submit(&world, &format!("{SHOP}/registration"), &form).await;
        assert_eq!(done.leads_to(), format!("{SHOP}?said=saved"));
        let page = browser.get(&world, SHOP).await;
        assert!(plain(&page).contains("https://shop.example.org/c</textarea>") && page.text.contains("<option value=\"never\" selected>"), "{}", page.text);
        assert!(plain(&page).contains("plan=app.plan\ntier=app.plan</textarea>"), "{}", page.text);
        let wrong = form.replace("https%3A", "http%3A");
        let page = browser.submit(&world, &format!("{SHOP}/registration"), &wrong).await;
        assert!(page.status == 422 && page.text.contains("href=\"#registration-redirect_uris\""), "{}", page.text);
        let done = browser.submit(&world, &format!("{SHOP}/remove"), &format!("own_password={PASSWORD}")).await;
        assert_eq!(done.leads_to(), format!("{LIST}?said=removed"));
        assert!(!works(&world, &secret).await);
        assert_eq!(browser.get(&world, SHOP).await.status, 404);
    }

    async fn a_secret_is_exchanged(world: World) {
        let (mut browser, first) = registered(&world).await;
        world.clock.advance(std::time::Duration::from_secs(1));
        let page = browser.get(&world, SHOP).await;
        assert!(!page.text.contains("Drop the old secret"), "{}", page.text);
        let second = secret(&browser.submit(&world, &format!("{SHOP}/secret"), &format!("own_password={PASSWORD}")).await);
        assert!(works(&world, &first).await && works(&world, &second).await);
        let page = browser.get(&world, SHOP).await;
        assert!(page.text.contains("In use: 2") && page.text.contains("Drop the old secret"), "{}", page.text);
        let done = browser.submit(&world, &format!("{SHOP}/old-secret"), &format!("own_password={PASSWORD}")).await;
        assert_eq!(done.leads_to(), format!("{SHOP}?said=dropped"));
        assert!(!works(&world, &first).await && works(&world, &second).await);
    }

    // Public keys, by name and algorithm; their values help nobody on a page. The form of the page leaves them as they are.
    async fn an_application_shows_the_keys_it_signs_with(world: World) {
        let (mut browser, _) = registered(&world).await;
        let without = browser.get(&world, SHOP).await;
        assert!(!without.text.contains("<dt>Keys</dt>"), "{}", without.text);
        Signing::registered(&world, "press").await;
        let path = "/admin/clients/press";
        let row = "<dt>Keys</dt><dd><code dir=\"ltr\">ES256 k1</code></dd>";
        let page = browser.get(&world, path).await;
        assert!(page.text.contains(row), "{}", page.text);
        let form = format!("name=Press&redirect_uris=https%3A%2F%2Fpress.example.org%2F&consent=never&own_password={PASSWORD}");
        assert_eq!(browser.submit(&world, &format!("{path}/registration"), &form).await.leads_to(), format!("{path}?said=saved"));
        let page = browser.get(&world, path).await;
        assert!(page.text.contains(row), "{}", page.text);
    }

    // O4, B2: an unlocked screen is not enough, and neither is a form of another site.
    async fn every_change_needs_a_proof_and_an_own_form(world: World) {
        let (mut browser, secret) = registered(&world).await;
        world.clock.advance(std::time::Duration::from_mins(16));
        browser.get(&world, SHOP).await;
        let other = REGISTRATION.replace("shop", "store");
        let change = "name=Mine&redirect_uris=https%3A%2F%2Fevil.example%2F&consent=never";
        for (path, form, part) in [
            (NEW.to_owned(), other.as_str(), ""),
            (format!("{SHOP}/registration"), change, "registration-"),
            (format!("{SHOP}/secret"), "", "secret-"),
            (format!("{SHOP}/old-secret"), "", "old-secret-"),
            (format!("{SHOP}/remove"), "", "remove-"),
        ] {
            for given in ["", "not-the-password"] {
                let page = browser.submit(&world, &path, &format!("{form}&own_password={given}")).await;
                let mistake = format!("id=\"{part}own_password-mistake\"");
                assert!(page.status == 422 && page.text.contains(&mistake), "{path} {}", page.text);
            }
            let form = format!("{form}&own_password={PASSWORD}");
            let headers = [("sec-fetch-site", "cross-site")];
            assert_eq!(browser.post(&world, &path, &form, &headers).await.status, 403, "{path}");
            let page = browser.post(&world, &path, &form, &[("sec-fetch-site", "same-origin")]).await;
            assert!(page.status == 403 && page.text.contains("id=\"form\""), "{path} {}", page.text);
        }
        assert!(works(&world, &secret).await);
        assert_eq!(world.accounts.list_applications(Actor::Operator).await.unwrap()[0].application.name, "Example Shop");
    }

    // J5: whoever is no administrator does not learn which applications there are.
    async fn the_pages_are_for_administrators(world: World) {
        registered(&world).await;
        world.has_account(ADA).await;
        let mut ada = Browser::signed_in(&world, ADA).await;
        for path in [LIST, NEW, SHOP, "/admin/clients/nothing"] {
            let refused = ada.get(&world, path).await;
            assert!(refused.status == 403 && !refused.text.contains("shop.example.org"), "{path}");
        }
        assert_eq!(ada.submit(&world, &format!("{SHOP}/remove"), &format!("own_password={PASSWORD}")).await.status, 403);
        assert_eq!(Browser::default().get(&world, SHOP).await.status, 303);
    }

    async fn an_application_of_a_user_is_disconnected(world: World) {
        let id = ada_lets_the_shop_in(&world).await;
        let mut browser = root(&world).await;
        let path = format!("/admin/users/{id}");
        let page = browser.get(&world, &path).await;
        assert!(page.text.contains("Example Shop") && page.text.contains("email openid"), "{}", page.text);
        let done = browser.submit(&world, &format!("{path}/disconnect"), "client_id=shop").await;
        assert_eq!(done.leads_to(), format!("{path}?said=disconnect"));
        let page = browser.get(&world, &format!("{path}?said=disconnect")).await;
        assert!(page.text.contains("The app is disconnected.") && !page.text.contains("value=\"shop\""), "{}", page.text);
        let told = entry(&world, AuditKind::ApplicationDisconnected).await.unwrap();
        assert_eq!((told.detail.as_deref(), told.user_id.unwrap().to_string()), (Some("shop"), id));
        // A second time changes nothing.
        assert_eq!(browser.submit(&world, &format!("{path}/disconnect"), "client_id=shop").await.status, 303);
        assert_eq!(browser.submit(&world, &format!("{path}/disconnect"), "").await.status, 404);
    }
}
