//! Sign-ups that wait, the outbox and the overview, for administrators.

use serde_json::{Value, json};
use vestibule::{Mail, MailTransport, SendAttempt, SendError};

use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, URL, World};

const NOBODY: &str = "00000000000000000000000000";

/// A relay that wants nothing.
struct Refusing;

impl MailTransport for Refusing {
    async fn send(&self, _: &Mail, _: &SendAttempt) -> Result<(), SendError> {
        Err(SendError::Permanent("550 no such user".to_owned()))
    }
}

async fn administrator(world: &World) -> String {
    world.has_admin("root@example.org").await;
    world.access_token("root@example.org").await
}

async fn signs_up(world: &World, email: &str, name: Option<&str>) {
    let mut body = json!({"email": email, "password": PASSWORD});
    if let Some(name) = name {
        body["user_name"] = json!(name);
    }
    assert_eq!(world.post("/v1/signup", body).await.status, 202);
}

async fn items(world: &World, path: &str, token: &str) -> Vec<Value> {
    let page = world.get_as(path, token).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.json()["items"].as_array().unwrap().clone()
}

async fn first_id(world: &World, path: &str, token: &str) -> String {
    items(world, path, token).await[0]["id"].as_str().unwrap().to_owned()
}

on_both_stores! {
    // O4: who signed up and waits, page by page, without a hash or a code.
    async fn sign_ups_that_wait_are_listed(world: World) {
        let token = administrator(&world).await;
        world.has_account("owner@example.org").await;
        signs_up(&world, ADA, Some("ada")).await;
        signs_up(&world, "owner@example.org", None).await;
        let first = world.get_as("/v1/admin/registrations?limit=1", &token).await;
        let decoy = first.json()["items"][0].clone();
        assert_eq!((&decoy["email"], &decoy["decoy"]), (&json!("owner@example.org"), &json!(true)));
        let next = first.header("link").strip_prefix(&format!("<{URL}")).unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        let rest = world.get_as(next, &token).await.json();
        let ada = &rest["items"][0];
        assert_eq!((&ada["email"], &ada["user_name"], &ada["decoy"]), (&json!(ADA), &json!("ada"), &json!(false)));
        assert_eq!((&rest["next_cursor"], ada.as_object().unwrap().len()), (&Value::Null, 6), "{ada}");
    }

    // S7, S4: another mail within the limits; by hand where mail does not help.
    async fn sign_ups_that_wait_are_helped(world: World) {
        let token = administrator(&world).await;
        signs_up(&world, ADA, None).await;
        let id = first_id(&world, "/v1/admin/registrations", &token).await;
        let resend = format!("/v1/admin/registrations/{id}/resend");
        let answer = world.post_as(&resend, &token).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"queued": false, "reason": "one_waits"})));
        world.deliver().await;
        assert_eq!(world.post_as(&resend, &token).await.json(), json!({"queued": false, "reason": "too_soon"}));
        world.clock.advance(std::time::Duration::from_mins(1));
        assert_eq!(world.post_as(&resend, &token).await.json(), json!({"queued": true}));
        assert_eq!(world.mails("confirm", ADA).await, 2);
        let confirm = format!("/v1/admin/registrations/{id}/confirm");
        let user = world.post_as(&confirm, &token).await;
        assert_eq!((user.status, &user.json()["email"]), (200, &json!(ADA)), "{}", user.text);
        assert_eq!(world.mails("welcome", ADA).await, 1);
        world.access_token(ADA).await;
        for again in [confirm, resend] {
            assert_eq!(world.post_as(&again, &token).await.problem(), (409, "already_active".to_owned()));
        }
        let acts = items(&world, "/v1/admin/audit?email=ada%40example.org", &token).await;
        let kinds: Vec<_> = acts.iter().map(|act| (act["kind"].as_str().unwrap(), act["actor"].as_str().unwrap())).collect();
        assert_eq!(kinds, [("signed_in", "user"), ("activated", "user"), ("assisted", "user"), ("signed_up", "anonymous")]);
        assert_ne!(acts[1]["actor_id"], acts[1]["user_id"], "the administrator did it");
    }

    // S3, S5
    async fn what_cannot_become_a_user_is_refused(world: World) {
        let token = administrator(&world).await;
        world.has_account("owner@example.org").await;
        signs_up(&world, "owner@example.org", None).await;
        let decoy = first_id(&world, "/v1/admin/registrations", &token).await;
        let path = format!("/v1/admin/registrations/{decoy}/confirm");
        assert_eq!(world.post_as(&path, &token).await.problem(), (409, "sign_up_decoy".to_owned()));
        for email in ["one@example.org", "two@example.org"] {
            signs_up(&world, email, Some("wanted")).await;
        }
        let ids = items(&world, "/v1/admin/registrations?limit=2", &token).await;
        let confirm = |index: usize| format!("/v1/admin/registrations/{}/confirm", ids[index]["id"].as_str().unwrap());
        assert_eq!(world.post_as(&confirm(0), &token).await.status, 200);
        assert_eq!(world.post_as(&confirm(1), &token).await.problem(), (409, "user_name_taken".to_owned()));
    }

    // M7, O1: the outbox names kinds and states, no addresses in full and no secrets.
    async fn the_outbox_is_listed_and_helped(world: World) {
        let token = administrator(&world).await;
        signs_up(&world, ADA, None).await;
        let waiting = items(&world, "/v1/admin/mail?state=waiting", &token).await;
        assert_eq!((&waiting[0]["kind"], &waiting[0]["to"], &waiting[0]["attempts"]), (&json!("confirm"), &json!("a***@example.org"), &json!(0)));
        world.accounts.deliver(&Refusing).await.unwrap();
        assert!(items(&world, "/v1/admin/mail?state=waiting", &token).await.is_empty());
        let dead = items(&world, "/v1/admin/mail?state=failed", &token).await;
        assert_eq!((&dead[0]["state"], &dead[0]["last_error"]), (&json!("failed"), &json!("550 no such user")));
        let retry = format!("/v1/admin/mail/{}/retry", dead[0]["id"].as_str().unwrap());
        let again = world.post_as(&retry, &token).await;
        assert_eq!((again.status, &again.json()["state"]), (200, &json!("waiting")), "{}", again.text);
        assert_eq!(world.mails("confirm", ADA).await, 1);
        assert_eq!(world.post_as(&retry, &token).await.problem(), (409, "mail_sent".to_owned()));
        signs_up(&world, "bob@example.org", None).await;
        let first = world.get_as("/v1/admin/mail?limit=1", &token).await;
        let next = first.header("link").strip_prefix(&format!("<{URL}")).unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        assert_eq!(world.get_as(next, &token).await.json()["items"][0]["state"], "sent");
        world.deliver().await;
    }

    async fn the_overview_has_the_numbers(world: World) {
        let token = administrator(&world).await;
        world.has_account(ADA).await;
        signs_up(&world, "bob@example.org", None).await;
        let stats = world.get_as("/v1/admin/stats", &token).await;
        assert_eq!(stats.status, 200, "{}", stats.text);
        let stats = stats.json();
        assert_eq!(stats["users"], json!({"active": 2, "disabled": 0, "new_signed_in": 1,
            "with_second_factor": 0, "admins_without_second_factor": 1}));
        assert_eq!((&stats["registrations"]["open"], &stats["counted_up_to"]), (&json!(1), &json!(10_000)));
        assert_eq!(stats["sessions"], json!({"live": 1, "counted_up_to": 1000}));
        assert_eq!(stats["mail"], json!({"waiting": 1, "failed": 0, "oldest_at": "2027-01-15T08:00:00.000Z"}));
        assert_eq!(stats["days"].as_array().unwrap().len(), 30);
        assert_eq!(stats["days"][29],
            json!({"date": "2027-01-15", "sign_ups": 2, "activations": 1, "sign_ins": 1, "failed_sign_ins": 0}));
        assert_eq!(stats["days"][0]["date"], "2026-12-17");
        assert_eq!(stats["days_before"].as_array().unwrap().len(), 29);
        assert_eq!(stats["days_before"][28]["date"], "2026-12-16");
        let week = world.get_as("/v1/admin/stats?days=7", &token).await.json();
        assert_eq!((&week["days"][0]["date"], &week["days_before"][0]["date"]), (&json!("2027-01-09"), &json!("2027-01-03")));
        for days in ["8", "07", "-7", "", "%D9%A7"] {
            let refused = world.get_as(&format!("/v1/admin/stats?days={days}"), &token).await;
            assert_eq!((refused.status, refused.json()["errors"][0]["code"].as_str()), (422, Some("period_invalid")), "{days}");
        }
        world.deliver().await;
    }

    // O4: deny by default.
    async fn others_see_and_do_none_of_it(world: World) {
        let root = administrator(&world).await;
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        for (method, path, known) in [
            ("GET", "/v1/admin/registrations".to_owned(), true), ("GET", "/v1/admin/mail".to_owned(), true),
            ("GET", "/v1/admin/stats".to_owned(), true),
            ("POST", format!("/v1/admin/registrations/reg_{NOBODY}/resend"), false),
            ("POST", format!("/v1/admin/registrations/reg_{NOBODY}/confirm"), false),
            ("POST", format!("/v1/admin/mail/msg_{NOBODY}/retry"), false),
            ("POST", "/v1/admin/mail/x/retry".to_owned(), false),
        ] {
            let request = axum::http::Request::builder().method(method).uri(&path);
            let anonymous = world.send(request.body(axum::body::Body::empty()).unwrap()).await;
            assert_eq!(anonymous.problem(), (401, "authentication_required".to_owned()), "{path}");
            let user = world.send_as(method, &path, &token, None).await;
            assert_eq!(user.problem(), (403, "forbidden".to_owned()), "{path}");
            if !known {
                let nothing = world.send_as(method, &path, &root, None).await;
                assert_eq!(nothing.problem(), (404, "not_found".to_owned()), "{path}");
            }
        }
    }

    async fn every_bad_parameter_of_these_lists_is_named(world: World) {
        let token = administrator(&world).await;
        for (path, expected) in [
            ("registrations?limit=0", "/limit limit_invalid"), ("registrations?limit=201", "/limit limit_invalid"),
            ("registrations?cursor=x", "/cursor cursor_invalid"), ("registrations?cursor=%00", "/cursor text_invalid"),
            ("registrations?q=a", "/q unknown_field"), ("mail?state=held", "/state state_invalid"),
            ("mail?state=", "/state state_invalid"), ("mail?state=Waiting&limit=-1", "/limit limit_invalid, /state state_invalid"),
            ("mail?cursor=AAAA", "/cursor cursor_invalid"), ("mail?kind=confirm", "/kind unknown_field"),
        ] {
            let answer = world.get_as(&format!("/v1/admin/{path}"), &token).await;
            assert_eq!(answer.field_errors().join(", "), expected, "{path}");
        }
        for path in ["registrations/x/confirm", "registrations//confirm", "registrations/reg_%30/resend", "mail/1/retry",
            "mail/usr_00000000000000000000000000/retry"] {
            let answer = world.post_as(&format!("/v1/admin/{path}"), &token).await;
            assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{path}");
        }
        let twice = world.get_as("/v1/admin/mail?limit=1&limit=2", &token).await;
        assert_eq!(twice.problem(), (400, "invalid_request".to_owned()));
    }
}
