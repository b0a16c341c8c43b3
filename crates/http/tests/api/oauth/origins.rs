//! Pages of clients read the API from their own origins (decision 35).

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use vestibule::{Actor, ApplicationKind, ConfiguredApplication, Consent};

use super::client::application;
use crate::on_both_stores;
use crate::world::World;

const SHOP: &str = "https://shop.example.org";

/// The origin that may read the answer of a path, for a page of this one.
async fn allowed(world: &World, method: &str, path: &str, origin: &str) -> String {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("origin", origin)
        .header("access-control-request-method", "POST");
    let answer = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    let varies = answer.headers.get_all("vary").iter().any(|line| line.to_str().unwrap().contains("Origin"));
    assert_eq!(varies, path.starts_with("/v1/"), "{path}");
    let allowed = answer.header("access-control-allow-origin");
    let is_answered = method == "OPTIONS" && !allowed.is_empty();
    assert_eq!(
        !answer.header("access-control-allow-methods").is_empty(),
        is_answered,
        "{method} {path} {origin}"
    );
    allowed.to_owned()
}

/// What is known of clients is old enough to be read again.
fn time_passes(world: &World) {
    world.clock.advance(Duration::from_secs(5));
}

on_both_stores! {
    // H4
    async fn a_client_s_page_reads_what_is_for_clients(world: World) {
        world.accounts.create_application(Actor::Operator, application("shop", ApplicationKind::Public)).await.unwrap();
        for method in ["OPTIONS", "POST", "GET"] {
            for path in ["/v1/token", "/v1/userinfo", "/v1/me", "/v1/token/revoke", "/v1/nowhere"] {
                assert_eq!(allowed(&world, method, path, SHOP).await, SHOP, "{method} {path}");
                for other in ["https://evil.example", "http://shop.example.org", "https://shop.example.org:8443",
                    "https://SHOP.example.org", "https://shop.example.org/", "null", ""] {
                    assert_eq!(allowed(&world, method, path, other).await, "", "{method} {path} {other}");
                }
            }
            for path in ["/v1/admin", "/v1/admin/users", "/oauth/authorize", "/login"] {
                assert_eq!(allowed(&world, method, path, SHOP).await, "", "{method} {path}");
            }
        }
    }

    async fn clients_come_and_go(world: World) {
        assert_eq!(allowed(&world, "GET", "/v1/me", SHOP).await, "");
        world.accounts.create_application(Actor::Operator, application("shop", ApplicationKind::Public)).await.unwrap();
        time_passes(&world);
        assert_eq!(allowed(&world, "GET", "/v1/me", SHOP).await, SHOP);
        world.accounts.remove_application(Actor::Operator, &"shop".parse().unwrap()).await.unwrap();
        time_passes(&world);
        assert_eq!(allowed(&world, "GET", "/v1/me", SHOP).await, "");
    }

    // RFC 8252: what a program on a device registers is nobody's origin. The settings win over the database.
    async fn only_sites_have_an_origin(world: World) {
        let mut native = application("native", ApplicationKind::Public);
        native.consent = Consent::Ask;
        native.redirect_uris = ["http://localhost:5173/callback", "http://127.0.0.1/callback", "com.example.app:/callback"]
            .map(|uri| uri.parse().unwrap())
            .to_vec();
        world.accounts.create_application(Actor::Operator, native).await.unwrap();
        world.accounts.create_application(Actor::Operator, application("shop", ApplicationKind::Public)).await.unwrap();
        let mut world = world;
        world.follows(|policy| {
            let mut of_settings = application("shop", ApplicationKind::Public);
            of_settings.redirect_uris = vec!["https://spa.example.org:8443/in".parse().unwrap()];
            policy.applications = vec![ConfiguredApplication { application: of_settings, secrets: Vec::new() }];
        })
        .await;
        assert_eq!(allowed(&world, "GET", "/v1/me", "https://spa.example.org:8443").await, "https://spa.example.org:8443");
        for origin in ["http://localhost:5173", "http://127.0.0.1", "http://localhost", SHOP, "com.example.app:", "com.example.app://"] {
            assert_eq!(allowed(&world, "GET", "/v1/me", origin).await, "", "{origin}");
        }
    }
}
