use serde_json::json;

use crate::on_both_stores;
use crate::world::{ADA, URL, World};

on_both_stores! {
    async fn an_administrator_pages_through_the_users(world: World) {
        world.has_admin("root@example.org").await;
        for name in ["ada", "bob", "carol"] {
            world.has_admin(&format!("{name}@example.com")).await;
        }
        let token = world.access_token("root@example.org").await;
        let first = world.get_as("/v1/admin/users?limit=3&status=active", &token).await;
        assert_eq!(first.status, 200, "{}", first.text);
        let page = first.json();
        assert_eq!(page["items"].as_array().unwrap().len(), 3);
        let link = first.header("link").to_owned();
        let next = link.strip_prefix(&format!("<{URL}")).unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        assert!(next.starts_with("/v1/admin/users?status=active&limit=3&cursor="), "{next}");
        let last = world.get_as(next, &token).await;
        assert_eq!(last.json()["items"].as_array().unwrap().len(), 1);
        assert_eq!((last.json()["next_cursor"].clone(), last.header("link")), (json!(null), ""));
        let found = world.get_as("/v1/admin/users?q=car", &token).await.json();
        assert_eq!(found["items"][0]["email"], "carol@example.com");
        assert_eq!(found["items"].as_array().unwrap().len(), 1);
    }

    async fn users_are_found_by_their_second_factor(world: World) {
        world.has_admin("root@example.org").await;
        world.has_account(ADA).await;
        world.adds_app(&world.access_token(ADA).await).await;
        for name in ["bob", "carol"] {
            world.has_user(&format!("{name}@example.com"), &[]).await;
        }
        let token = world.access_token("root@example.org").await;
        let emails = |page: &serde_json::Value| -> Vec<String> {
            page["items"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect()
        };
        let with = world.get_as("/v1/admin/users?second_factor=any", &token).await.json();
        assert_eq!(emails(&with), [ADA]);
        let first = world.get_as("/v1/admin/users?second_factor=none&limit=2", &token).await;
        assert_eq!(emails(&first.json()), ["root@example.org", "bob@example.com"]);
        let link = first.header("link").to_owned();
        let next = link.strip_prefix(&format!("<{URL}")).unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        assert!(next.starts_with("/v1/admin/users?second_factor=none&limit=2&cursor="), "{next}");
        assert_eq!(emails(&world.get_as(next, &token).await.json()), ["carol@example.com"]);
    }

    async fn others_do_not(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        let answer = world.get_as("/v1/admin/users", &token).await;
        assert_eq!(answer.problem(), (403, "forbidden".to_owned()));
        // O4: the role is checked before anything else, on every list.
        for list in ["users", "audit", "registrations", "mail"] {
            let refused = world.get_as(&format!("/v1/admin/{list}?limit=0&unknown=1"), &token).await;
            assert_eq!(refused.problem(), (403, "forbidden".to_owned()), "{list}");
        }
        let challenge = "Bearer realm=\"vestibule\", error=\"insufficient_scope\", scope=\"admin\""; // J7
        assert_eq!(answer.header("www-authenticate"), challenge);
        assert_eq!(world.get("/v1/admin/users").await.problem(), (401, "authentication_required".to_owned()));
    }

    async fn every_bad_parameter_is_named(world: World) {
        world.has_admin("root@example.org").await;
        let token = world.access_token("root@example.org").await;
        for (query, expected) in [
            ("limit=0", "/limit limit_invalid"),
            ("limit=201", "/limit limit_invalid"),
            ("limit=-1", "/limit limit_invalid"),
            ("limit=%2B5", "/limit limit_invalid"),
            ("limit=", "/limit limit_invalid"),
            ("limit=99999999999", "/limit limit_invalid"),
            ("status=gone", "/status status_invalid"),
            ("second_factor=totp", "/second_factor factor_status_invalid"),
            ("second_factor=", "/second_factor factor_status_invalid"),
            ("cursor=x", "/cursor cursor_invalid"),
            ("cursor=%00", "/cursor text_invalid"),
            ("q=%00", "/q text_invalid"),
            ("page=2&status=", "/page unknown_field, /status status_invalid"),
        ] {
            let answer = world.get_as(&format!("/v1/admin/users?{query}"), &token).await;
            assert_eq!(answer.field_errors().join(", "), expected, "{query}");
        }
        for query in ["q=a&q=b", "q=%ff", "q=%"] {
            let answer = world.get_as(&format!("/v1/admin/users?{query}"), &token).await;
            assert_eq!(answer.problem(), (400, "invalid_request".to_owned()), "{query}");
        }
        for query in ["q=%25", "q=_", "q=%EF%BF%BD", "q='", "q=%F0%9F%98%80"] {
            let answer = world.get_as(&format!("/v1/admin/users?{query}"), &token).await;
            assert_eq!((answer.status, answer.json()["items"].as_array().unwrap().len()), (200, 0), "{query}");
        }
    }
}
