//! A public URL with a path: the host is shared with an application.

use axum::http::Request;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

const HOME: &str = "https://app.example.org/our/accounts";
const SESSION: &str = "__Host-vestibule_session";

/// The values of the attributes that contain paths.
fn places(page: &str) -> Vec<String> {
    let page = page.replace("&#x2f;", "/");
    let named = ["href=\"", "action=\"", "src=\""].iter().flat_map(|start| page.split(start).skip(1));
    named.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// Checks that every path on a page is under the base, or on another host.
#[track_caller]
fn stays(path: &str, places: &[String]) {
    assert!(places.iter().any(|place| place.starts_with("/our/accounts/assets/")), "{path}: {places:?}");
    let is_ours = |place: &str| place == "/our/accounts" || place.starts_with("/our/accounts/");
    let is_elsewhere = |place: &str| place.is_empty() || place.starts_with(['#', '?']) || place.contains(':');
    let wrong: Vec<_> = places.iter().filter(|place| !is_ours(place) && !is_elsewhere(place)).collect();
    assert!(wrong.is_empty(), "{path}: {wrong:?}");
}

/// Opens a page, and the files it links to.
async fn looks_at(world: &World, browser: &mut Browser, path: &str) {
    let page = browser.get(world, path).await;
    assert_eq!(page.status, 200, "{path}: {}", page.text);
    let places = places(&page.text);
    stays(path, &places);
    for file in places.iter().filter(|place| place.contains("/assets/")) {
        assert_eq!(world.get(file).await.status, 200, "{path}: {file}");
    }
}

on_both_stores! {
    async fn every_page_stays_under_its_path(world: World) {
        let mut world = world;
        world.moves_to(&format!("{HOME}/")).await;
        world.has_admin(ADA).await;
        let mut nobody = Browser::default();
        for page in ["", "/login", "/signup", "/forgot", "/docs", "/docs/errors", "/login?lang=de"] {
            looks_at(&world, &mut nobody, &format!("/our/accounts{page}")).await;
        }
        let mut ada = Browser::default();
        let sent = ada.fills(&world, "/our/accounts/login", &format!("login={ADA}&password={PASSWORD}")).await;
        assert_eq!(sent.leads_to(), "/our/accounts/account");
        assert!(sent.cookie(SESSION).unwrap().contains("; Path=/; "), "__Host- cookies are of the whole host");
        for page in ["/account", "/admin", "/admin/users", "/admin/registrations", "/admin/mail", "/admin/audit"] {
            looks_at(&world, &mut ada, &format!("/our/accounts{page}")).await;
        }
        let lost = ada.get(&world, "/our/accounts/nowhere").await;
        assert_eq!(lost.status, 404);
        stays("nowhere", &places(&lost.text));
    }

    async fn people_come_back_to_where_they_were(world: World) {
        let mut world = world;
        world.moves_to(HOME).await;
        world.has_user(ADA, &[]).await;
        let sent_away = Browser::default().get(&world, "/our/accounts/account?said=profile").await;
        let login = "/our/accounts/login?return_to=%2Four%2Faccounts%2Faccount%3Fsaid%3Dprofile";
        assert_eq!(sent_away.leads_to(), login);
        let of_the_application = "/our/accounts/login?return_to=/orders%3Fid=1";
        for (from, to) in [
            (login, "/our/accounts/account?said=profile"),
            (of_the_application, "https://app.example.org/orders?id=1"),
            ("/our/accounts/login?return_to=https://evil.example", "/our/accounts/account"),
        ] {
            let mut browser = Browser::default();
            browser.get(&world, from).await;
            let wanted = from.split_once("return_to=").unwrap().1;
            let fields = format!("login={ADA}&password={PASSWORD}&return_to={wanted}");
            assert_eq!(browser.submit(&world, "/our/accounts/login", &fields).await.leads_to(), to);
            // A browser that is already signed in continues immediately.
            assert_eq!(browser.get(&world, from).await.leads_to(), to);
        }
    }

    async fn a_proof_leads_back_under_the_path(world: World) {
        let mut world = world;
        world.moves_to(HOME).await;
        world.has_user(ADA, &[]).await;
        let mut ada = Browser::default();
        ada.fills(&world, "/our/accounts/login", &format!("login={ADA}&password={PASSWORD}")).await;
        let verify = "/our/accounts/account/verify";
        ada.get(&world, verify).await;
        for (wanted, reached) in [
            ("/our/accounts/account%23email", "/our/accounts/account#email"),
            ("/our/accounts/login", "/our/accounts/account"), ("/account", "/our/accounts/account"),
        ] {
            let form = format!("password={PASSWORD}&return_to={wanted}");
            assert_eq!(ada.submit(&world, verify, &form).await.leads_to(), reached, "{wanted}");
        }
        let on = ada.submit(&world, verify, &format!("password={PASSWORD}&then=/account/authenticator")).await;
        assert_eq!((on.status, on.header("location")), (307, "/our/accounts/account/authenticator"));
    }

    async fn what_leaves_the_host_names_the_path(world: World) {
        let mut world = world;
        world.moves_to(HOME).await;
        world.has_admin("root@example.org").await;
        let wish = json!({"email": ADA, "password": PASSWORD});
        assert_eq!(world.post("/our/accounts/v1/signup", wish).await.status, 202);
        let link = world.newest_mail(ADA).await.link.unwrap();
        assert!(link.starts_with(&format!("{HOME}/confirm?token=")), "{link}");
        assert_eq!(Browser::default().get(&world, link.strip_prefix("https://app.example.org").unwrap()).await.status, 200);

        let root = json!({"email": "root@example.org", "password": PASSWORD});
        let session = world.post("/our/accounts/v1/login", root).await.json();
        let token = session["access_token"].as_str().unwrap();
        let claims = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(HOME), &json!(HOME)));
        assert_eq!(world.get("/our/accounts/.well-known/jwks.json").await.status, 200);
        let description = world.get("/our/accounts/openapi.json").await.json();
        assert_eq!(description["servers"], json!([{"url": HOME}]));

        world.has_user("bob@example.org", &[]).await;
        let list = world.get_as("/our/accounts/v1/admin/users?limit=1", token).await;
        assert!(list.header("link").starts_with(&format!("<{HOME}/v1/admin/users?")), "{}", list.header("link"));
        let problem = world.get("/our/accounts/v1/me").await.json();
        assert_eq!(problem["type"], format!("{HOME}/docs/errors/authentication_required"));
        // B2: the origin is the host, whatever the path.
        let mut browser = Browser::default();
        browser.get(&world, "/our/accounts/login").await;
        let form = format!("form_token={}&login=root@example.org&password={PASSWORD}", browser.form_token);
        let own = [("origin", "https://app.example.org")];
        assert_eq!(browser.post(&world, "/our/accounts/login", &form, &own).await.status, 303);
        // Everything else belongs to the application: the router has no answer for it.
        for path in ["/", "/login", "/v1/me", "/our", "/our/accountsx"] {
            let answer = world.send(Request::get(path).body(axum::body::Body::empty()).unwrap()).await;
            assert_eq!((answer.status, answer.text.as_str()), (404, ""), "{path}");
        }
    }
}
