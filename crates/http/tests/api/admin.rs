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
        assert_eq!(emails(&first.json()), ["carol@example.com", "bob@example.com"]);
        let link = first.header("link").to_owned();
        let next = link.strip_prefix(&format!("<{URL}")).unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        assert!(next.starts_with("/v1/admin/users?second_factor=none&limit=2&cursor="), "{next}");
        assert_eq!(emails(&world.get_as(next, &token).await.json()), ["root@example.org"]);
    }

    // Every condition travels in the link to the next page, in any order.
    async fn users_are_found_by_conditions_and_sorted(world: World) {
        world.has_admin("root@example.org").await;
        for (email, roles) in [("ada@example.com", &["editor"] as &[_]), ("bob@example.net", &["editor"]), ("carol@example.org", &[])] {
            world.has_user(email, roles).await;
        }
        world.access_token("bob@example.net").await;
        world.clock.advance(std::time::Duration::from_secs(1));
        let token = world.access_token("root@example.org").await;
        let found = async |query: &str| -> String {
            let mut path = format!("/v1/admin/users?limit=1{query}");
            let mut names = Vec::new();
            loop {
                let answer = world.get_as(&path, &token).await;
                let page = answer.json();
                assert_eq!((answer.status, &page["count_is_lower_bound"]), (200, &json!(false)), "{query} {}", answer.text);
                names.extend(page["items"].as_array().unwrap().iter().map(|user| {
                    user["email"].as_str().unwrap().split('@').next().unwrap().to_owned()
                }));
                let link = answer.header("link").to_owned();
                if link.is_empty() {
                    assert_eq!(page["count"], names.len(), "{query}");
                    return names.join(" ");
                }
                path = link.replace(&format!("<{URL}"), "").replace(">; rel=\"next\"", "");
            }
        };
        for (query, expected) in [
            ("", "carol bob ada root"),
            ("&sort=created", "root ada bob carol"),
            ("&sort=email", "ada bob carol root"),
            ("&sort=-email", "root carol bob ada"),
            ("&sort=-last_sign_in", "root bob carol ada"),
            ("&sort=last_sign_in", "ada carol bob root"),
            ("&q=EXAMPLE.net", "bob"),
            ("&q=xample.&sort=email", "ada bob carol root"),
            ("&role=editor&sort=email", "ada bob"),
            ("&role=editor&last_sign_in=never", "ada"),
            ("&last_sign_in=never&sort=email", "ada carol"),
            ("&last_sign_in_from=2020-01-01&sort=email", "bob root"),
            ("&last_sign_in_before=2020-01-01T00:00:00%2B02:00&sort=email", "ada carol"),
            ("&created_from=2020-01-01&created_before=2999-12-31T23:59:59Z&sort=email", "ada bob carol root"),
            ("&created_before=2020-01-01", ""),
        ] {
            assert_eq!(found(query).await, expected, "{query}");
        }
    }

    async fn the_list_says_more_of_a_user(world: World) {
        world.has_admin("root@example.org").await;
        world.has_account(ADA).await;
        world.adds_app(&world.access_token(ADA).await).await;
        world.has_user("bob@example.org", &[]).await;
        let token = world.access_token("root@example.org").await;
        let page = world.get_as("/v1/admin/users?sort=email", &token).await.json();
        let (ada, bob) = (&page["items"][0], &page["items"][1]);
        assert_eq!((&ada["second_factors"], &bob["second_factors"]), (&json!(["authenticator"]), &json!([])));
        assert!(ada["last_sign_in_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{ada}");
        assert!(bob.get("last_sign_in_at").is_none() && bob["id"].is_string(), "{bob}");
        let one = world.get_as(&format!("/v1/admin/users?q={}", bob["id"].as_str().unwrap()), &token).await.json();
        assert_eq!((&one["items"][0]["email"], &one["count"]), (&json!("bob@example.org"), &json!(1)));
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
            ("role=Not%20A%20Role", "/role role_invalid"),
            ("role=", "/role role_invalid"),
            ("sort=size", "/sort sort_invalid"),
            ("sort=-", "/sort sort_invalid"),
            ("created_from=yesterday", "/created_from time_invalid"),
            ("created_before=2026-02-30", "/created_before time_invalid"),
            ("last_sign_in_from=2026-03-01T09:30:00", "/last_sign_in_from time_invalid"),
            ("last_sign_in_before=", "/last_sign_in_before time_invalid"),
            ("last_sign_in=always", "/last_sign_in last_sign_in_invalid"),
            ("last_sign_in=never&last_sign_in_from=2026-03-01", "/last_sign_in last_sign_in_invalid"),
            ("sort=x&role=X&q=%00", "/q text_invalid, /role role_invalid, /sort sort_invalid"),
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
