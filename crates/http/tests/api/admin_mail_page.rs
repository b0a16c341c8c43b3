use serde_json::json;
use vestibule::{Actor, MailContent, MailQuery, MailState, SendError};

use crate::admin_overview_page::{Failing, administrator, is_for_administrators};
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

const NOBODY: &str = "msg_00000000000000000000000000";

async fn signs_up(world: &World, email: &str) {
    assert_eq!(world.post("/v1/signup", json!({"email": email, "password": PASSWORD})).await.status, 202);
}

/// Makes a dead letter with this cause; returns its id.
async fn dead_letter(world: &World, email: &str, cause: &str) -> String {
    signs_up(world, email).await;
    world.accounts.deliver(&Failing(SendError::Permanent(cause.to_owned()))).await.unwrap();
    let query = MailQuery { state: Some(MailState::Failed), ..MailQuery::default() };
    world.accounts.list_mail(Actor::Operator, &query).await.unwrap().items[0].id.to_string()
}

/// The actions of administrators in the trail, newest first.
async fn acts(world: &World, browser: &mut Browser) -> Vec<String> {
    let token = world.access_token(crate::admin_overview_page::ROOT).await;
    browser.get(world, "/admin/mail").await;
    let trail = world.get_as("/v1/admin/audit?kind=assisted", &token).await.json();
    trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["detail"].as_str().unwrap().to_owned())
        .collect()
}

on_both_stores! {
    // O4
    async fn only_administrators_see_and_help_the_outbox(world: World) {
        let id = dead_letter(&world, "bob@example.org", "550 no").await;
        let forms = [
            "/admin/mail/retry".to_owned(), format!("/admin/mail/{id}/retry"), format!("/admin/mail/{id}/drop"),
            format!("/admin/mail/{NOBODY}/drop"), "/admin/mail/x/retry".to_owned(),
        ];
        is_for_administrators(&world, &["/admin/mail", "/admin/mail?state=failed"], &forms).await;
        let query = MailQuery { state: Some(MailState::Failed), ..MailQuery::default() };
        let dead = world.accounts.list_mail(Actor::Operator, &query).await.unwrap().items;
        assert!(dead.len() == 1 && dead[0].id.to_string() == id, "nothing was done: {dead:?}");
    }

    // M7, O1: kinds, states and causes; addresses are masked.
    async fn messages_are_shown_with_their_fate(world: World) {
        let mut root = administrator(&world).await;
        assert!(root.get(&world, "/admin/mail").await.text.contains("Nothing to show."));
        dead_letter(&world, "bob@example.org", "550 <script>alert(1)</script>").await;
        let code = world.signs_up(ADA).await.code.unwrap();
        signs_up(&world, "eve@example.org").await;
        world.accounts.deliver(&Failing(SendError::Temporary("451 later".to_owned()))).await.unwrap();
        let all = root.get(&world, "/admin/mail").await.text;
        for shown in ["<bdi>e***@example.org</bdi>", ">Waiting</span>", "Next attempt <time", "attempts: 1", "451 later",
            ">Sent</span>", ">Failed</span>", "550 &lt;script&gt;alert(1)&lt;"] {
            assert!(all.contains(shown), "{shown} in {all}");
        }
        assert!(!all.contains("bob@example.org") && !all.contains("token=") && !all.contains(&format!(">{code}<")));
        for (state, one) in [("waiting", "e***@"), ("sent", "a***@"), ("failed", "b***@")] {
            let some = root.get(&world, &format!("/admin/mail?state={state}&lang=en")).await.text;
            assert!(some.contains(one) && some.matches("<bdi>").count() == 1, "{state} {some}");
            assert!(some.contains(&format!("<option value=\"{state}\" selected>")), "{state}");
            assert_eq!(some.matches("formaction").count(), if state == "sent" { 0 } else { 2 }, "{state}");
        }
        assert_eq!(root.get(&world, "/admin/mail?state=&cursor=").await.status, 200, "an empty condition is none");
        world.clock.advance(std::time::Duration::from_hours(1));
        world.deliver().await;
    }

    async fn a_message_is_tried_again_or_dropped(world: World) {
        let mut root = administrator(&world).await;
        let id = dead_letter(&world, ADA, "550 no").await;
        root.get(&world, "/admin/mail?state=failed").await;
        let answer = root.submit(&world, &format!("/admin/mail/{id}/retry"), "state=failed").await;
        assert_eq!(answer.leads_to(), "/admin/mail?state=failed&said=retried");
        assert!(root.get(&world, "/admin/mail?said=retried").await.text.contains("Trying it now."));
        assert_eq!(world.mails("confirm", ADA).await, 1);
        let bob = dead_letter(&world, "bob@example.org", "550 no").await;
        let answer = root.submit(&world, &format!("/admin/mail/{bob}/drop"), "state=").await;
        assert_eq!(answer.leads_to(), "/admin/mail?said=dropped");
        assert!(root.get(&world, "/admin/mail?said=dropped").await.text.contains("The email is removed."));
        for (path, status, told) in [
            (format!("/admin/mail/{id}/retry"), 409, "already been sent"), (format!("/admin/mail/{id}/drop"), 409, "already been sent"),
            (format!("/admin/mail/{bob}/drop"), 404, "no longer there"), (format!("/admin/mail/{NOBODY}/retry"), 404, "no longer there"),
        ] {
            let refused = root.submit(&world, &path, "state=sent").await;
            assert!(refused.status == status && refused.text.contains(told), "{path} {} {}", refused.status, refused.text);
            assert!(refused.text.contains("<bdi>a***@example.org</bdi>"), "the list is there, too");
        }
        assert_eq!(root.submit(&world, "/admin/mail/usr_1/drop", "").await.problem(), (404, "not_found".to_owned()));
        assert_eq!(acts(&world, &mut root).await, [format!("mail {bob} (confirm) dropped"), format!("mail {id} (confirm) tried again")]);
        assert_eq!(world.mails("confirm", "bob@example.org").await, 0);
    }

    async fn all_dead_letters_are_tried_again(world: World) {
        let mut root = administrator(&world).await;
        assert!(!root.get(&world, "/admin/mail?state=failed").await.text.contains("Try all"));
        for email in [ADA, "bob@example.org"] {
            dead_letter(&world, email, "550 no").await;
        }
        assert!(root.get(&world, "/admin/mail?state=failed").await.text.contains("Try all of them again"));
        let answer = root.submit(&world, "/admin/mail/retry", "state=failed").await;
        assert_eq!(answer.leads_to(), "/admin/mail?state=failed&said=all_retried");
        assert!(root.get(&world, answer.leads_to()).await.text.contains("Trying all failed emails again."));
        assert_eq!([world.mails("confirm", ADA).await, world.mails("confirm", "bob@example.org").await], [1, 1]);
        assert_eq!(acts(&world, &mut root).await, ["2 dead letters tried again"]);
    }

    async fn the_outbox_has_pages_that_stay_small(world: World) {
        let mut root = administrator(&world).await;
        for number in 0..52 {
            dead_letter(&world, &format!("somebody.{number}@example.org"), "550 5.1.1 The email account does not exist").await;
        }
        let first = root.get(&world, "/admin/mail?state=failed").await.text;
        let arabic = root.get(&world, "/admin/mail?state=failed&lang=ar").await.text;
        assert!(first.len() < 44_000 && arabic.len() < 44_000, "{} {}", first.len(), arabic.len());
        let first = root.get(&world, "/admin/mail?state=failed&lang=en").await.text;
        assert_eq!((first.matches("<bdi>").count(), first.contains("First page")), (50, false));
        let next = first.split("<a href=\"").find(|link| link.contains("rel=\"next\"")).unwrap().split('"').next().unwrap();
        let next = next.replace("&amp;", "&").replace("&#x2f;", "/");
        assert!(next.starts_with("/admin/mail?state=failed&cursor="), "{next}");
        let second = root.get(&world, &next).await.text;
        assert_eq!((second.matches("<bdi>").count(), second.contains("Next page")), (2, false));
        assert!(second.contains("First page"));
        // A cursor belongs to its list (G1).
        let other = root.get(&world, &next.replace("failed", "waiting")).await;
        assert!(other.status == 422 && other.text.contains("not a page of this list"), "{}", other.text);
    }

    async fn a_bad_condition_of_the_outbox_is_told(world: World) {
        let mut root = administrator(&world).await;
        for (query, status, told) in [
            ("state=held", 422, "href=\"#state\">There is no such state."), ("cursor=x", 422, "not a page of this list"),
            ("cursor=%00", 422, "a character we can’t use"), ("limit=0", 422, "1 to 200"), ("limit=201", 422, "1 to 200"),
            ("kind=confirm", 422, "<p>The address asks for something that this list does not know."), ("state=sent&state=sent", 400, "wasn’t accepted"), ("state=%FF", 400, "wasn’t accepted"),
        ] {
            let page = root.get(&world, &format!("/admin/mail?{query}")).await;
            assert!(page.status == status && page.text.contains(told), "{query} {} {}", page.status, page.text);
            assert!(page.text.contains("<title>Error: ") && page.text.contains("<select id=\"state\""), "{query}");
        }
        let lost = root.get(&world, "/admin/mail?state=sent&cursor=x").await.text;
        assert!(lost.contains("<a href=\"&#x2f;admin&#x2f;mail?state=sent\">First page</a>"), "{lost}");
        let echoed = root.get(&world, "/admin/mail?state=%22%3E%3Cscript%3E&said=%3Cb%3E").await.text;
        assert!(!echoed.contains("><script>") && !echoed.contains("<b>"), "{echoed}");
    }
}

/// Every kind of message in the outbox has a name on the page.
#[test]
fn every_kind_of_mail_has_its_words() {
    let texts: serde_json::Value = serde_json::from_str(include_str!("../../locales/en.json")).unwrap();
    for kind in MailContent::KINDS.iter().filter(|kind| **kind != "test") {
        assert!(texts.get(format!("mail.{kind}")).is_some(), "{kind}");
    }
}
