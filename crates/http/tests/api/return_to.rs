//! People who come from an application return there in the end, whatever happens in between; and nowhere else (B3).

use serde_json::json;
use vestibule::SignUpMode;
use vestibule_http::{DevMailbox as _, HttpOptions};

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World, options};

const RETURN: &str = "__Host-vestibule_return";
const APP: &str = "https://app.example.org/signed-in?from=accounts";
const NEW: &str = "copper-lamp-river-77";

/// An application on the same host, and a registered one elsewhere.
fn places() -> [(&'static str, String); 2] {
    [("/docs/errors?x=1", encoded("/docs/errors?x=1")), (APP, encoded(APP))]
}

fn encoded(text: &str) -> String {
    let pair = serde_urlencoded::to_string([("return_to", text)]).unwrap();
    pair.strip_prefix("return_to=").unwrap().to_owned()
}

fn registered(world: &mut World) {
    let options = options(&world.mailbox);
    world.router_with(HttpOptions { return_urls: vec![APP.to_owned()], ..options });
}

/// Browsers apply `form-action` to redirects of a form as well.
fn may_lead_to(page: &Answer, place: &str) {
    let policy = page.header("content-security-policy");
    let away = policy.contains("form-action 'self' https://app.example.org;");
    assert_eq!(away, place.starts_with("https:"), "{policy}");
}

/// Signs up on the way to a place, starting where applications send people: at the sign-in.
async fn signs_up(world: &World, browser: &mut Browser, email: &str, to: &str) -> vestibule_http::DevMail {
    let login = browser.get(world, &format!("/login?return_to={to}")).await;
    assert!(login.text.contains(&format!("href=\"/signup?return_to={to}\"")), "{}", login.text);
    let page = browser.get(world, &format!("/signup?return_to={to}")).await;
    assert!(page.text.contains(&format!("href=\"/login?return_to={to}\"")), "{}", page.text);
    let form = format!("email={email}&password={PASSWORD}&return_to={to}");
    assert_eq!(browser.submit(world, "/signup", &form).await.leads_to(), "/check-mail");
    world.deliver().await;
    world.mailbox.list().into_iter().find(|mail| mail.to == email).unwrap()
}

on_both_stores! {
    async fn a_sign_up_leads_back_by_code(world: World) {
        let mut world = world;
        registered(&mut world);
        for (email, (place, to)) in ["ada@example.org", "bob@example.org"].into_iter().zip(places()) {
            let mut browser = Browser::default();
            let mail = signs_up(&world, &mut browser, email, &to).await;
            may_lead_to(&browser.get(&world, "/check-mail").await, place);
            let wrong = browser.submit(&world, "/check-mail", "code=x").await;
            may_lead_to(&wrong, place);
            let code = mail.code.unwrap();
            assert_eq!(browser.submit(&world, "/check-mail", &format!("code={code}")).await.leads_to(), place);
            assert!(!browser.cookies.contains_key(RETURN), "it has done its work");
        }
    }

    // In this browser, and on another device, after which the browser that signed up continues.
    async fn a_sign_up_leads_back_by_link(world: World) {
        let mut world = world;
        registered(&mut world);
        for (n, (place, to)) in places().into_iter().enumerate() {
            let mut browser = Browser::default();
            let mail = signs_up(&world, &mut browser, &format!("ada{n}@example.org"), &to).await;
            let link = mail.link.unwrap();
            may_lead_to(&browser.get(&world, link.strip_prefix("https://accounts.example.org").unwrap()).await, place);
            let form = format!("token={}", link.split_once("token=").unwrap().1);
            assert_eq!(browser.submit(&world, "/confirm", &form).await.leads_to(), place);

            let (mut laptop, mut phone) = (Browser::default(), Browser::default());
            let mail = signs_up(&world, &mut laptop, &format!("bob{n}@example.org"), &to).await;
            // The phone keeps a place for something else.
            phone.fills(&world, "/forgot", "email=eve%40example.org&return_to=/docs").await;
            let form = format!("token={}&password={PASSWORD}", mail.link.unwrap().split_once("token=").unwrap().1);
            assert_eq!(phone.submit(&world, "/confirm", &form).await.leads_to(), "/account?said=active");
            may_lead_to(&laptop.get(&world, "/check-mail").await, place);
            assert_eq!(laptop.submit(&world, "/check-mail/continue", "").await.leads_to(), place);
        }
    }

    // If the browser can no longer be signed in, and if the sign-up has ended.
    async fn the_way_goes_on_beside_the_road(world: World) {
        let mut browser = Browser::default();
        let mail = signs_up(&world, &mut browser, ADA, "%2Fdocs").await;
        world.sends_code(ADA, PASSWORD, &mail.code.unwrap()).await;
        let token = world.access_token(ADA).await;
        world.send_as("POST", "/v1/me/password", &token, Some(json!({"current_password": PASSWORD, "new_password": NEW}))).await;
        browser.get(&world, "/check-mail").await;
        let signed_in_no_more = browser.submit(&world, "/check-mail/continue", "").await;
        assert_eq!(signed_in_no_more.leads_to(), "/login?said=active&return_to=%2Fdocs");
        let mut browser = Browser::default();
        signs_up(&world, &mut browser, "bob@example.org", "%2Fdocs").await;
        world.clock.advance(std::time::Duration::from_hours(24));
        let ended = browser.get(&world, "/check-mail").await;
        assert!(ended.text.contains("href=\"/signup?return_to=%2Fdocs\"") && ended.text.contains("href=\"/login?return_to=%2Fdocs\""), "{}", ended.text);
    }

    async fn a_forgotten_password_leads_back(world: World) {
        let mut world = world;
        registered(&mut world);
        world.has_account(ADA).await;
        for (place, to) in places() {
            world.clock.advance(std::time::Duration::from_mins(2));
            let mut browser = Browser::default();
            let login = browser.get(&world, &format!("/login?return_to={to}")).await;
            assert!(login.text.contains(&format!("href=\"/forgot?return_to={to}\"")), "{}", login.text);
            browser.get(&world, &format!("/forgot?return_to={to}")).await;
            let sent = browser.submit(&world, "/forgot", &format!("email={ADA}&return_to={to}")).await;
            let sign_in = format!("href=\"/login?return_to={to}\"");
            assert!(sent.text.contains(&sign_in), "{}", sent.text);
            assert!(sent.cookie(RETURN).unwrap().ends_with("; Path=/; Max-Age=1800; Secure; HttpOnly; SameSite=Lax"));
            let token = world.mailed_token("password_reset", ADA).await;
            browser.get(&world, &format!("/reset?token={token}")).await;
            let done = browser.submit(&world, "/reset", &format!("token={token}&new_password={NEW}")).await;
            assert!(done.status == 200 && done.text.contains(&sign_in), "{}", done.text);
            browser.get(&world, &format!("/login?return_to={to}")).await;
            let form = format!("login={ADA}&password={NEW}&return_to={to}");
            assert_eq!(browser.submit(&world, "/login", &form).await.leads_to(), place);
            assert!(!browser.cookies.contains_key(RETURN));
        }
    }

    async fn an_invitation_leads_back(world: World) {
        let mut world = world;
        world.follows(|policy| policy.sign_up.mode = SignUpMode::Invitation).await;
        registered(&mut world);
        world.has_admin("root@example.org").await;
        let admin = world.access_token("root@example.org").await;
        for (n, (place, to)) in places().into_iter().enumerate() {
            let invited = async |email: String| {
                assert_eq!(world.send_as("POST", "/v1/admin/users", &admin, Some(json!({"email": email}))).await.status, 202);
                world.mailed_token("invitation", &email).await
            };
            // The browser was asked to look for an invitation.
            let mut browser = Browser::default();
            let page = browser.get(&world, &format!("{}?return_to={to}", ["/signup", "/login"][n])).await;
            assert!(n > 0 || page.text.contains("You need an invitation"));
            let token = invited(format!("ada{n}@example.org")).await;
            may_lead_to(&browser.get(&world, &format!("/invitation?token={token}")).await, place);
            let done = browser.submit(&world, "/invitation", &format!("token={token}&password={PASSWORD}")).await;
            assert_eq!(done.leads_to(), place);
            assert!(!browser.cookies.contains_key(RETURN));
            // The application adds the destination itself.
            let (mut browser, token) = (Browser::default(), invited(format!("bob{n}@example.org")).await);
            let page = browser.get(&world, &format!("/invitation?token={token}&return_to={to}")).await;
            assert!(page.text.contains("name=\"return_to\""), "{}", page.text);
            let form = format!("token={token}&password={PASSWORD}&return_to={to}");
            assert_eq!(browser.submit(&world, "/invitation", &form).await.leads_to(), place);
        }
    }

    // B3: at every step, and in what the browser kept.
    async fn nobody_is_led_anywhere_else(world: World) {
        for (n, bad) in ["//evil.example", "/\\evil.example", "https://evil.example/", "javascript:alert(1)", "/%2f/evil.example"].into_iter().enumerate() {
            let to = encoded(bad);
            let mut browser = Browser::default();
            for path in ["/login", "/signup", "/forgot", "/invitation"] {
                let page = browser.get(&world, &format!("{path}?token=x&return_to={to}")).await;
                assert!(!page.text.contains("return_to") && !page.text.contains("evil"), "{path}: {}", page.text);
            }
            browser.get(&world, "/signup").await;
            let email = format!("ada{n}@example.org");
            let form = format!("email={email}&password={PASSWORD}&return_to={to}");
            assert_eq!(browser.submit(&world, "/signup", &form).await.leads_to(), "/check-mail");
            assert!(!browser.cookies.contains_key(RETURN), "{bad}");
            world.deliver().await;
            browser.cookies.insert(RETURN.to_owned(), data_encoding::BASE64URL_NOPAD.encode(bad.as_bytes()));
            let page = browser.get(&world, "/check-mail").await;
            assert!(!page.header("content-security-policy").contains("evil") && !page.text.contains("evil"));
            // The welcome mail of the previous one may have arrived after it.
            let mails = world.mailbox.list();
            let code = mails.iter().find(|mail| mail.to.as_str() == email).and_then(|mail| mail.code.clone()).unwrap();
            assert_eq!(browser.submit(&world, "/check-mail", &format!("code={code}")).await.leads_to(), "/account", "{bad}");
        }
        let mut browser = Browser::default();
        for broken in ["x", "%", "AA=="] {
            browser.cookies.insert(RETURN.to_owned(), broken.to_owned());
            assert_eq!(browser.get(&world, "/reset?token=x").await.status, 200);
        }
    }

    // A new start replaces the previous destination; S3: a taken address leads on alike.
    async fn the_last_way_counts(world: World) {
        world.has_account("taken@example.org").await;
        for email in ["free@example.org", "taken@example.org"] {
            let mut browser = Browser::default();
            browser.fills(&world, "/signup", &format!("email={email}&password={PASSWORD}&return_to=/docs")).await;
            assert!(browser.cookies.contains_key(RETURN), "{email}");
            browser.fills(&world, "/signup", &format!("email={email}&password={PASSWORD}")).await;
            assert!(!browser.cookies.contains_key(RETURN), "{email}");
        }
        let mut browser = Browser::default();
        browser.fills(&world, "/forgot", &format!("email={ADA}&return_to=/docs")).await;
        browser.fills(&world, "/login", &format!("login=taken@example.org&password={PASSWORD}")).await;
        assert!(!browser.cookies.contains_key(RETURN), "a sign-in ends it");
    }
}
