//! Every route that ends sessions tells the applications (OpenID Connect Back-Channel Logout).

use std::sync::Mutex;

use serde_json::{Value, json};
use vestibule::{Actor, Application, ApplicationKind, Logout, LogoutTransport, SendError};

use super::client::{Registered, application, code_in};
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

/// The applications, as the server reaches them.
#[derive(Default)]
pub(crate) struct Told(Mutex<Vec<Logout>>);

impl LogoutTransport for Told {
    async fn post(&self, logout: &Logout) -> Result<(), SendError> {
        self.0.lock().unwrap().push(logout.clone());
        Ok(())
    }
}

impl Told {
    /// The logout tokens that are sent now.
    pub(crate) async fn now(world: &World) -> Vec<String> {
        let told = Self::default();
        while world.accounts.deliver_logouts(&told).await.unwrap().sent > 0 {}
        told.0.into_inner().unwrap().iter().map(|logout| logout.token.expose().to_owned()).collect()
    }
}

/// A client that wants to be told.
pub(crate) async fn listening(world: &World, id: &'static str) -> Registered {
    let uri = Some("https://shop.example.org/logout".to_owned());
    let client = Application { logout_uri: uri, ..application(id, ApplicationKind::Confidential) };
    let secret = world.accounts.create_application(Actor::Operator, client).await.unwrap();
    Registered { id, secret: secret.map(|secret| secret.expose().to_owned()) }
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap()
}

/// Signs in at the client in this browser; the tokens.
async fn comes(world: &World, browser: &Browser, client: &Registered) -> Value {
    let code = code_in(world, browser, client.id, |asked| asked.scope = Some("openid".to_owned())).await;
    client.redeems(world, &code).await.json()
}

const ROUTES: [&str; 9] = [
    "/logout",
    "/oauth/logout",
    "/v1/logout?all=true",
    "/v1/me/sessions",
    "/v1/me/grants",
    "/v1/admin sign-out",
    "/v1/admin grants",
    "/v1/admin disable",
    "/v1/me",
];

/// Ends what `browser` has begun by a route.
async fn ends(world: &World, route: &str, browser: &mut Browser, hint: &str) -> u16 {
    let (token, root) = (world.access_token(ADA).await, world.access_token("root@example.org").await);
    let user = world.get_as("/v1/me", &token).await.json()["id"].as_str().unwrap().to_owned();
    let admin = |path: &str| format!("/v1/admin/users/{user}/{path}");
    let answer = match route {
        "/logout" => {
            browser.get(world, "/account").await;
            browser.submit(world, "/logout", "").await
        }
        "/oauth/logout" => browser.get(world, &format!("/oauth/logout?id_token_hint={hint}")).await,
        "/v1/me/sessions" => {
            let secret = &browser.cookies["__Host-vestibule_session"];
            let who = world.accounts.authenticate_browser(secret).await.unwrap();
            let path = format!("/v1/me/sessions/{}", who.session_id);
            world.send_as("DELETE", &path, &token, None).await
        }
        "/v1/logout?all=true" => world.send_as("POST", route, &token, None).await,
        "/v1/me/grants" => world.send_as("DELETE", "/v1/me/grants/shop", &token, None).await,
        "/v1/admin sign-out" => world.send_as("POST", &admin("sign-out"), &root, None).await,
        "/v1/admin grants" => world.send_as("DELETE", &admin("grants/shop"), &root, None).await,
        "/v1/admin disable" => {
            let disabled = world.send_as("POST", &admin("disable"), &root, None).await;
            world.send_as("POST", &admin("enable"), &root, None).await;
            disabled
        }
        "/v1/me" => world.send_as("DELETE", "/v1/me", &token, Some(json!({"password": PASSWORD}))).await,
        other => panic!("{other}"),
    };
    answer.status
}

on_both_stores! {
    async fn an_application_hears_of_every_route_that_ends_a_session(world: World) {
        let mut world = world;
        world.follows(|policy| policy.client_limits = false).await;
        world.has_account(ADA).await;
        world.has_admin("root@example.org").await;
        let client = listening(&world, "shop").await;
        for route in ROUTES {
            let mut browser = Browser::signed_in(&world, ADA).await;
            let tokens = comes(&world, &browser, &client).await;
            let hint = tokens["id_token"].as_str().unwrap();
            let status = ends(&world, route, &mut browser, hint).await;
            assert!((200..400).contains(&status), "{route}: {status}");
            let told = Told::now(&world).await;
            let sids: Vec<_> = told.iter().map(|token| claims(token)["sid"].clone()).collect();
            assert_eq!(sids, [claims(hint)["sid"].clone()], "{route}");
        }
    }

    // RFC 7009: whoever gives a token back knows. The session of the service itself is another matter.
    async fn a_token_that_is_given_back_tells_who_did_not_give_it(world: World) {
        world.has_account(ADA).await;
        let client = listening(&world, "shop").await;
        let browser = Browser::signed_in(&world, ADA).await;
        let tokens = comes(&world, &browser, &client).await;
        let form = client.form(&format!("token={}", tokens["access_token"].as_str().unwrap()));
        assert_eq!(world.post_form("/v1/token/revoke", &form).await.status, 200);
        assert_eq!(world.get_as("/v1/userinfo", tokens["access_token"].as_str().unwrap()).await.status, 401);
        assert_eq!(Told::now(&world).await, [""; 0]);
    }
}
