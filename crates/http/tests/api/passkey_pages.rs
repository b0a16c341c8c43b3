//! Passkeys on the pages, with a script in software.

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use vestibule_testing::webauthn::{Asked, Authenticator, UP};

use crate::browser::Browser;
use crate::factor_pages::{after, sets_up_app};
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, URL, World};

/// What the script is told to do.
async fn begun(world: &World, browser: &mut Browser, path: &str) -> Value {
    let answer = browser.submit(world, path, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn form(begun: &Value, credential: &Value) -> String {
    let pairs = [("ceremony", begun["ceremony"].as_str().unwrap()), ("credential", &credential.to_string())];
    serde_urlencoded::to_string(pairs).unwrap()
}

pub(crate) async fn adds(world: &World, browser: &mut Browser) -> Authenticator {
    browser.get(world, "/account").await;
    let begun = begun(world, browser, "/account/passkeys/options").await;
    let mut passkey = Authenticator::new(-7);
    let handle = begun["public_key"]["user"]["id"].as_str().unwrap();
    passkey.user_handle = Some(BASE64URL_NOPAD.decode(handle.as_bytes()).unwrap());
    let made = passkey.registers(&Asked::new(&begun["public_key"], URL));
    let done = browser.submit(world, "/account/passkeys", &form(&begun, &made)).await;
    assert_eq!(done.leads_to(), "/account?said=passkey_added#passkeys");
    passkey
}

pub(crate) async fn uses(
    world: &World,
    browser: &mut Browser,
    passkey: &Authenticator,
    path: &str,
    rest: &str,
) -> Answer {
    let begun = begun(world, browser, &format!("{path}/options")).await;
    let used = passkey.asserts(&Asked::new(&begun["public_key"], URL));
    browser.submit(world, path, &format!("{}{rest}", form(&begun, &used))).await
}

on_both_stores! {
    async fn a_passkey_is_added_signs_in_and_is_removed(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        let page = browser.get(&world, "/account").await;
        assert!(page.text.contains("data-offer") && !page.text.contains("data-accepted"), "{}", page.text);
        let passkey = adds(&world, &mut browser).await;
        let page = browser.get(&world, "/account").await;
        assert!(page.text.contains("data-accepted") && page.text.contains("allAcceptedCredentialIds") && !page.text.contains("data-offer"));
        let id = after(&page, "name=\"id\" value=\"").to_owned();
        let mut other = Browser::default();
        other.get(&world, "/login?return_to=/docs/errors").await;
        let done = uses(&world, &mut other, &passkey, "/login/passkey", "&return_to=/docs/errors").await;
        assert_eq!(done.leads_to(), "/docs/errors");
        other.get(&world, "/account").await;
        let empty = other.submit(&world, "/account/passkeys/rename", &format!("id={id}&name=")).await;
        assert!(empty.status == 422 && empty.text.contains(&format!("id=\"{id}-name-mistake\"")), "{}", empty.text);
        let named = other.submit(&world, "/account/passkeys/rename", &format!("id={id}&name=%3Cb%3EMy+phone")).await;
        assert_eq!(named.leads_to(), "/account?said=passkey_renamed#passkeys");
        assert!(other.get(&world, "/account").await.text.contains("<bdi>&lt;b&gt;My phone</bdi>"));
        let removed = other.submit(&world, "/account/passkeys/remove", &format!("id={id}")).await;
        assert_eq!(removed.leads_to(), "/account?said=passkey_removed#passkeys");
        assert!(!other.get(&world, "/account").await.text.contains(&id));
        assert_eq!(browser.get(&world, "/account").await.status, 303, "other sessions end");
        let mut third = Browser::default();
        third.get(&world, "/login").await;
        let unknown = uses(&world, &mut third, &passkey, "/login/passkey", "").await;
        let name = BASE64URL_NOPAD.encode(&passkey.credential_id);
        assert!(unknown.status == 422 && unknown.text.contains(&format!("data-unknown=\"{name}\" data-rp=\"accounts.example.org\"")), "{}", unknown.text);
        assert!(unknown.text.contains("data-offers") && unknown.text.contains("name=\"again\""), "armed once more");
        let again = uses(&world, &mut third, &passkey, "/login/passkey", "&again=1").await;
        assert!(!again.text.contains("data-offers"), "and not a third time");
    }

    async fn an_unverified_passkey_signs_nobody_in(world: World) {
        world.has_account(ADA).await;
        let mut passkey = adds(&world, &mut Browser::signed_in(&world, ADA).await).await;
        passkey.flags = UP;
        let mut browser = Browser::default();
        browser.get(&world, "/login").await;
        let refused = uses(&world, &mut browser, &passkey, "/login/passkey", "").await;
        assert!(refused.status == 422 && refused.text.contains("The passkey was not accepted"), "{}", refused.text);
        assert!(!refused.text.contains("data-unknown") && !browser.cookies.contains_key("__Host-vestibule_session"));
        for form in ["", "ceremony=x&credential=x", "ceremony=x&credential=%7B%7D"] {
            assert_eq!(browser.submit(&world, "/login/passkey", form).await.status, 422, "{form}");
        }
    }

    async fn a_passkey_answers_for_a_second_factor_and_a_proof(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        let passkey = adds(&world, &mut browser).await;
        sets_up_app(&world, &mut browser).await;
        let mut other = Browser::default();
        let asked = other.fills(&world, "/login", &format!("login={ADA}&password={PASSWORD}")).await;
        other.get(&world, asked.leads_to()).await;
        let done = uses(&world, &mut other, &passkey, "/login/second-factor", "").await;
        assert_eq!(done.leads_to(), "/account");
        world.clock.advance(std::time::Duration::from_mins(6));
        other.get(&world, "/account").await;
        let asked = other.submit(&world, "/account/password/remove", "").await;
        assert!(asked.text.contains("data-passkey=\"/account/verify/options\"") && asked.text.contains("name=\"then\""), "{}", asked.text);
        let on = uses(&world, &mut other, &passkey, "/account/verify", "&then=/account/password/remove").await;
        assert_eq!((on.status, on.header("location")), (307, "/account/password/remove"));
        let removed = other.submit(&world, "/account/password/remove", "").await;
        assert_eq!(removed.leads_to(), "/account?said=password_removed#password");
        let page = other.get(&world, "/account").await;
        assert!(page.text.contains("Your account has no password") && !page.text.contains("current_password"), "{}", page.text);
        // It can be set again, and the account can be deleted without it.
        let set = other.submit(&world, "/account/password", "new_password=copper-lamp-river-77").await;
        assert_eq!(set.leads_to(), "/account?said=password#password");
    }

    async fn password_managers_find_the_passkeys(world: World) {
        let found = world.get("/.well-known/passkey-endpoints").await;
        let page = format!("{URL}/account#passkeys");
        assert_eq!(found.json(), serde_json::json!({ "enroll": page, "manage": page }));
        let login = world.get("/login").await;
        let allowed = "publickey-credentials-get=(self), publickey-credentials-create=(self)";
        assert!(login.header("permissions-policy").starts_with(allowed));
        let mut world = world;
        world.follows(|policy| policy.passkeys.enabled = false).await;
        assert_eq!(world.get("/.well-known/passkey-endpoints").await.status, 404);
        let page = world.get("/login").await;
        assert!(!page.text.contains("passkey") && !page.text.contains("webauthn"), "{}", page.text);
        world.has_account(ADA).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        assert!(!browser.get(&world, "/account").await.text.contains("data-passkey"));
    }
}
