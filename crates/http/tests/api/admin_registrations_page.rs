use serde_json::json;
use vestibule::{Actor, RegistrationQuery};

use crate::admin_overview_page::{ROOT, administrator, is_for_administrators};
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

const PAGE: &str = "/admin/registrations";
const NOBODY: &str = "reg_00000000000000000000000000";

async fn signs_up(world: &World, email: &str, name: Option<&str>) {
    let mut body = json!({"email": email, "password": PASSWORD});
    if let Some(name) = name {
        body["user_name"] = json!(name);
    }
    assert_eq!(world.post("/v1/signup", body).await.status, 202);
}

/// The id of the newest open sign-up.
async fn newest(world: &World) -> String {
    let page =
        world.accounts.list_registrations(Actor::Operator, &RegistrationQuery::default()).await.unwrap();
    page.items[0].id.to_string()
}

on_both_stores! {
    // O4
    async fn only_administrators_see_and_help_sign_ups(world: World) {
        signs_up(&world, "bob@example.org", None).await;
        let id = newest(&world).await;
        let forms = [format!("{PAGE}/{id}/confirm"), format!("{PAGE}/{id}/resend"), format!("{PAGE}/{NOBODY}/confirm"), format!("{PAGE}/x/resend")];
        is_for_administrators(&world, &[PAGE], &forms).await;
        assert_eq!(newest(&world).await, id, "nothing was done");
        world.deliver().await;
    }

    // S3: open sign-ups, and those that can never become a user, in words.
    async fn those_who_wait_are_shown(world: World) {
        let mut root = administrator(&world).await;
        assert!(root.get(&world, PAGE).await.text.contains("Nothing to show."));
        signs_up(&world, ADA, Some("countess")).await;
        let page = root.get(&world, PAGE).await.text;
        assert!(page.contains("<bdi id=\"r1\">ada@example.org</bdi> · <bdi>countess</bdi>"), "{page}");
        assert!(page.contains("No email sent yet") && page.contains("I vouch for the address"), "{page}");
        assert!(page.contains("Expires <time datetime=\"2027-01-16T08:00:00.000Z\""), "{page}");
        world.deliver().await;
        let page = root.get(&world, PAGE).await.text;
        assert!(page.contains("Last email <time datetime=\"2027-01-15T08:00:00.000Z\""), "{page}");
        world.has_account("owner@example.org").await;
        signs_up(&world, "owner@example.org", None).await;
        let page = root.get(&world, PAGE).await.text;
        assert!(page.contains("The address has or had an account, so this can never become one."), "{page}");
        assert_eq!((page.matches("/resend\"").count(), page.matches("/confirm\"").count()), (2, 1), "{page}");
        world.deliver().await;
    }

    // S7
    async fn another_mail_is_sent_within_the_limits(world: World) {
        let mut root = administrator(&world).await;
        signs_up(&world, ADA, None).await;
        let path = format!("{PAGE}/{}/resend", newest(&world).await);
        for (said, told) in [
            ("one_waits", "hasn’t left yet"), ("too_soon", "left a short time ago"), ("queued", "Another email is on its way"),
        ] {
            root.get(&world, PAGE).await;
            assert_eq!(root.submit(&world, &path, "").await.leads_to(), format!("{PAGE}?said={said}"));
            assert!(root.get(&world, &format!("{PAGE}?said={said}")).await.text.contains(told), "{said}");
            world.deliver().await;
            if said == "too_soon" {
                world.clock.advance(std::time::Duration::from_mins(1));
            }
        }
        assert_eq!(world.mails("confirm", ADA).await, 2);
        let mut said = String::new();
        for _ in 0..20 {
            world.clock.advance(std::time::Duration::from_hours(1));
            root.submit(&world, &path, "").await.leads_to().clone_into(&mut said);
            world.deliver().await;
            if said.ends_with("too_many") {
                break;
            }
        }
        assert_eq!(said, format!("{PAGE}?said=too_many"));
        assert!(root.get(&world, &format!("{PAGE}?said=too_many")).await.text.contains("has had all its emails for today"));
        let acts = world.get_as("/v1/admin/audit?kind=assisted", &world.access_token(ROOT).await).await.json();
        let acts = acts["items"].as_array().unwrap();
        assert!(acts.len() >= 2 && acts.iter().all(|act| act["detail"] == "another confirmation mail"), "{acts:?}");
        assert!(acts.iter().all(|act| act["email"] == "a***@example.org" && act["user_id"].is_null()), "{acts:?}");
    }

    // S3, S4: an administrator who confirms by hand vouches for the address; refusals are shown on the page.
    async fn somebody_is_confirmed_by_hand(world: World) {
        let mut root = administrator(&world).await;
        signs_up(&world, ADA, Some("wanted")).await;
        let ada = newest(&world).await;
        signs_up(&world, "bob@example.org", Some("wanted")).await;
        let bob = newest(&world).await;
        root.get(&world, PAGE).await;
        assert_eq!(root.submit(&world, &format!("{PAGE}/{ada}/confirm"), "").await.leads_to(), "/admin/registrations?said=confirmed");
        let page = root.get(&world, "/admin/registrations?said=confirmed").await.text;
        assert!(page.contains("The account is active.") && !page.contains(ADA), "{page}");
        let token = world.access_token(ROOT).await;
        let trail = world.get_as("/v1/admin/audit?kind=activated", &token).await.json();
        let act = &trail["items"][0];
        assert_eq!((&act["detail"], &act["actor"]), (&json!("by hand"), &json!("user")));
        assert_ne!(act["actor_id"], act["user_id"]);
        signs_up(&world, ADA, None).await;
        let decoy = newest(&world).await;
        for (id, status, told) in [
            (&ada, 409, "already been confirmed"), (&bob, 409, "username is taken"), (&decoy, 409, "has or had an account"),
            (&NOBODY.to_owned(), 404, "no longer there"),
        ] {
            let refused = root.submit(&world, &format!("{PAGE}/{id}/confirm"), "").await;
            assert!(refused.status == status && refused.text.contains(told), "{id} {} {}", refused.status, refused.text);
            assert!(refused.text.contains("bob@example.org") && refused.text.contains("role=\"alert\""), "the list is there, too");
        }
        assert_eq!(root.submit(&world, &format!("{PAGE}/1/confirm"), "").await.problem(), (404, "not_found".to_owned()));
        world.access_token(ADA).await;
        world.clock.advance(std::time::Duration::from_hours(24));
        root = Browser::signed_in(&world, ROOT).await;
        root.get(&world, PAGE).await;
        let late = root.submit(&world, &format!("{PAGE}/{bob}/confirm"), "").await;
        assert!(late.status == 404 && late.text.contains("no longer there"), "{}", late.text);
        world.deliver().await;
    }

    async fn sign_ups_have_pages_that_stay_small(world: World) {
        let mut root = administrator(&world).await;
        for number in 0..52 {
            let request = json!({"email": format!("somebody.{number}@example.org"), "password": PASSWORD, "user_name": format!("somebody{number}")});
            let headers = [("x-forwarded-for", format!("203.0.113.{number}"))];
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(world.post_with("/v1/signup", request, &headers).await.status, 202);
        }
        world.deliver().await;
        for language in ["ar", "de", "fr", "es", "en"] {
            let page = root.get(&world, &format!("{PAGE}?lang={language}")).await.text;
            assert!(page.len() < 44_000, "{language} {}", page.len());
        }
        let first = root.get(&world, PAGE).await.text;
        assert_eq!((first.matches("<bdi id=").count(), first.contains("First page")), (50, false));
        let next = first.split("<a href=\"").find(|link| link.contains("rel=\"next\"")).unwrap().split('"').next().unwrap();
        let second = root.get(&world, &next.replace("&#x2f;", "/")).await.text;
        assert_eq!((second.matches("<bdi id=").count(), second.contains("Next page"), second.contains("First page")), (2, false, true));
        let lost = root.get(&world, "/admin/registrations?cursor=x").await.text;
        assert!(lost.contains("<a href=\"&#x2f;admin&#x2f;registrations\">First page</a>"), "{lost}");
        for (query, status) in [("cursor=x", 422), ("limit=0", 422), ("q=a", 422), ("a=%FF", 400)] {
            let page = root.get(&world, &format!("{PAGE}?{query}")).await;
            assert!(page.status == status && page.text.contains("role=\"alert\""), "{query} {}", page.status);
        }
    }
}
