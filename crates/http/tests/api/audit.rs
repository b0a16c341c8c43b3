use serde_json::json;

use crate::on_both_stores;
use crate::world::{ADA, URL, World};

on_both_stores! {
    // O2, O4: administrators read who did what, page by page.
    async fn administrators_read_the_trail(world: World) {
        world.has_account(ADA).await;
        world.has_admin("root@example.org").await;
        let token = world.access_token("root@example.org").await;
        let first = world.get_as("/v1/admin/audit?limit=2", &token).await;
        assert_eq!(first.status, 200, "{}", first.text);
        let page = first.json();
        assert_eq!((&page["items"][0]["kind"], &page["items"][0]["actor"]), (&json!("signed_in"), &json!("user")));
        assert_eq!(page["items"][0]["actor_id"], page["items"][0]["user_id"]);
        assert_eq!(page["items"][0]["email"], "r***@example.org");
        let next = first.header("link").strip_prefix(&format!("<{URL}")).unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        let rest = world.get_as(next, &token).await.json();
        let kinds: Vec<_> = rest["items"].as_array().unwrap().iter().map(|item| item["kind"].clone()).collect();
        assert_eq!(kinds, [json!("activated"), json!("signed_up")]);
        let ada = world.get_as("/v1/admin/audit?email=ada%40example.org&kind=nothing_counts", &token).await;
        assert_eq!(ada.field_errors(), ["/kind kind_invalid"]);
        let ada = world.get_as("/v1/admin/audit?email=ADA%40example.org", &token).await.json();
        assert_eq!(ada["items"].as_array().unwrap().len(), 2);
        let id = ada["items"][0]["user_id"].as_str().unwrap();
        let about = world.get_as(&format!("/v1/admin/audit?user_id={id}"), &token).await.json();
        assert_eq!(about["items"].as_array().unwrap().len(), 1);
        for (query, expected) in [
            ("user_id=usr_", "/user_id id_invalid"), ("user_id=%00", "/user_id id_invalid"),
            ("email=ada", "/email email_invalid"), ("kind=", "/kind kind_invalid"), ("limit=0", "/limit limit_invalid"),
            ("cursor=x", "/cursor cursor_invalid"), ("since=1", "/since unknown_field"),
        ] {
            let answer = world.get_as(&format!("/v1/admin/audit?{query}"), &token).await;
            assert_eq!(answer.field_errors(), [expected], "{query}");
        }
        let ada = world.access_token(ADA).await;
        assert_eq!(world.get_as("/v1/admin/audit", &ada).await.problem(), (403, "forbidden".to_owned()));
        assert_eq!(world.get("/v1/admin/audit").await.problem(), (401, "authentication_required".to_owned()));
    }

    // L4: a browser that has signed in is known again, and gets past the wait that strangers have caused.
    async fn a_known_device_signs_in_while_strangers_try(world: World) {
        world.has_account(ADA).await;
        let right = json!({"email": ADA, "password": crate::world::PASSWORD});
        let first = world.post("/v1/login", right.clone()).await;
        let cookie = first.header("set-cookie").to_owned();
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert!(pair.starts_with("__Host-vestibule_device="), "{pair}");
        assert_eq!(attributes, "Path=/; Max-Age=15552000; Secure; HttpOnly; SameSite=Lax");
        for _ in 0..5 {
            world.post("/v1/login", json!({"email": ADA, "password": "another-long-word-9"})).await;
        }
        assert_eq!(world.post("/v1/login", right.clone()).await.problem(), (429, "too_many_requests".to_owned()));
        let known = world.post_with("/v1/login", right.clone(), &[("cookie", pair)]).await;
        assert_eq!((known.status, known.header("set-cookie")), (200, ""));
        let twice = world.post_with("/v1/login", right, &[("cookie", &format!("{pair}; {pair}"))]).await;
        assert_eq!(twice.status, 429, "a cookie that came twice is none");
    }
}
