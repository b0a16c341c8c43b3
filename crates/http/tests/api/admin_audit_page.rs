use serde_json::json;
use vestibule::{Actor, AuditKind, UserQuery, UserRef};

use crate::admin_overview_page::{ROOT, administrator, is_for_administrators};
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

async fn id_of(world: &World, email: &str) -> String {
    let query = UserQuery { search: Some(email.to_owned()), ..UserQuery::default() };
    world.accounts.list_users(Actor::Operator, &query).await.unwrap().items[0].account.id.to_string()
}

/// The rows of the table, newest first.
fn rows(page: &str) -> Vec<&str> {
    let (_, body) = page.split_once("<tbody>").unwrap_or_else(|| panic!("no table in {page}"));
    body.split_once("</tbody>").unwrap().0.split("<tr>").skip(1).collect()
}

on_both_stores! {
    // O4
    async fn only_administrators_see_the_trail(world: World) {
        is_for_administrators(&world, &["/admin/audit", "/admin/audit?kind=signed_in"], &[]).await;
    }

    // O2: who did what, when, from where; text written by strangers stays text.
    async fn the_trail_is_shown_in_words(world: World) {
        let mut root = administrator(&world).await;
        world.has_account(ADA).await;
        let ada = id_of(&world, ADA).await;
        let login = json!({"email": ADA, "password": PASSWORD});
        world.post_with("/v1/login", login.clone(), &[("user-agent", FIREFOX)]).await;
        world.post_with("/v1/login", login, &[("user-agent", "<script>alert(1)</script>")]).await;
        world.post("/v1/login", json!({"email": "nobody@example.org", "password": PASSWORD})).await;
        let token = world.access_token(ROOT).await;
        let reason = json!({"reason": "<script>alert(2)</script>"});
        let disabled = world.send_as("POST", &format!("/v1/admin/users/{ada}/disable"), &token, Some(reason)).await;
        assert_eq!(disabled.status, 200, "{}", disabled.text);
        let page = root.get(&world, "/admin/audit").await.text;
        assert!(!page.contains("<script>alert") && page.contains("vestibule audit export"), "{page}");
        let rows = rows(&page);
        let link = format!("<a href=\"/admin/users/{ada}\"><bdi>a***@example.org</bdi></a>");
        let root_id = id_of(&world, ROOT).await;
        assert!(rows[0].contains("Account disabled<br><span dir=\"auto\">reason: &lt;script&gt;"), "{}", rows[0]);
        assert!(rows[0].contains(&format!("<a href=\"/admin/users/{root_id}\">an administrator</a>")) && rows[0].contains(&link), "{}", rows[0]);
        assert!(rows[1].contains("Signed in") && rows[1].contains("<td>the user</td>"), "{}", rows[1]);
        assert!(rows[2].contains("Sign-in failed") && rows[2].contains("<td>someone not signed in</td>"), "{}", rows[2]);
        assert!(rows[2].contains("<td><bdi>n***@example.org</bdi></td>"), "nobody to link to: {}", rows[2]);
        assert!(rows[3].contains("Unknown device") && rows[4].contains("Firefox · Linux"), "{} {}", rows[3], rows[4]);
        assert!(rows[4].contains(&link) && rows[4].contains("<time datetime=\"2027-01-15T08:00:00.000Z\""), "{}", rows[4]);
        assert!(page.contains("<td>the command line</td>"), "{page}");
    }

    // O4: which account of the machine it was. Its owner learns that somebody did it, not who.
    async fn operators_are_named_to_administrators(world: World) {
        let mut root = administrator(&world).await;
        world.has_account(ADA).await;
        let ada = UserRef::Email(ADA.parse().unwrap());
        let operated = world.operated_by("corp\\al<b>ice").await;
        operated.disable_user(Actor::Operator, &ada, None).await.unwrap();
        operated.enable_user(Actor::Operator, &ada, None).await.unwrap();
        let page = root.get(&world, "/admin/audit").await.text;
        let named = "the command line<br><bdi>corp\\al?b?ice</bdi>";
        assert!(rows(&page)[0].contains(named), "{}", rows(&page)[0]);
        let id = id_of(&world, ADA).await;
        let page = root.get(&world, &format!("/admin/users/{id}?tab=activity")).await.text;
        assert!(page.contains("the command line (<bdi>corp\\al?b?ice</bdi>)"), "{page}");
        let token = world.access_token(ROOT).await;
        let trail = world.get_as("/v1/admin/audit?kind=disabled", &token).await.json();
        let entry = &trail["items"][0];
        assert_eq!((&entry["actor"], &entry["operator"]), (&json!("operator"), &json!("corp\\al?b?ice")));
        let token = world.access_token(ADA).await;
        let held = world.get_as("/v1/me/export", &token).await;
        assert!(held.status == 200 && held.text.contains("\"disabled\"") && !held.text.contains("corp"), "{}", held.text);
    }

    async fn the_trail_is_filtered(world: World) {
        let mut root = administrator(&world).await;
        world.has_account(ADA).await;
        let ada = id_of(&world, ADA).await;
        let about = root.get(&world, &format!("/admin/audit?kind=&email=&user_id={ada}")).await.text;
        assert_eq!(rows(&about).len(), 1, "{about}");
        assert!(about.contains(&format!("name=\"user_id\" value=\"{ada}\"")), "{about}");
        let of_address = root.get(&world, "/admin/audit?email=ADA%40example.org").await.text;
        assert_eq!(rows(&of_address).len(), 2, "{of_address}");
        let of_kind = root.get(&world, "/admin/audit?kind=signed_up").await.text;
        assert!(rows(&of_kind).len() == 1 && of_kind.contains("<option value=\"signed_up\" selected>Signed up</option>"), "{of_kind}");
        assert_eq!(of_kind.matches("<option").count(), AuditKind::ALL.len() + 1);
        assert!(root.get(&world, "/admin/audit?kind=deleted").await.text.contains("Nothing to show."));
        for (query, status, told) in [
            ("kind=nothing", 422, "href=\"#kind\">There is no such kind"), ("email=ada", 422, "href=\"#email\">That’s not an email"),
            ("user_id=usr_", 422, "href=\"#user_id\">This is not a user ID"), ("cursor=x", 422, "not a page of this list"),
            ("since=1", 422, "does not know"), ("kind=signed_in&kind=signed_in", 400, "wasn’t accepted"),
        ] {
            let page = root.get(&world, &format!("/admin/audit?{query}")).await;
            assert!(page.status == status && page.text.contains(told), "{query} {} {}", page.status, page.text);
        }
        let lost = root.get(&world, "/admin/audit?kind=signed_in&cursor=x").await.text;
        assert!(lost.contains("<a href=\"&#x2f;admin&#x2f;audit?kind=signed_in\">First page</a>"), "{lost}");
        let echoed = root.get(&world, "/admin/audit?email=%22%3E%3Cscript%3E&user_id=%3Cb%3E").await;
        assert!(echoed.status == 422 && !echoed.text.contains("<script>") && !echoed.text.contains("<b>"), "{}", echoed.text);
        assert!(echoed.text.contains("aria-describedby=\"email-mistake\"") && !echoed.text.contains("<tbody>"));
    }

    async fn the_trail_has_pages_that_stay_small(world: World) {
        let mut root = administrator(&world).await;
        world.has_account(ADA).await;
        let token = world.access_token(ROOT).await;
        let ada = id_of(&world, ADA).await;
        for number in 0..52 {
            let act = if number % 2 == 0 { "disable" } else { "enable" };
            let reason = json!({"reason": "asked by phone, number of the ticket noted"});
            let headers = [("authorization", format!("Bearer {token}")), ("user-agent", FIREFOX.to_owned())];
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let done = world.post_with(&format!("/v1/admin/users/{ada}/{act}"), reason, &headers).await;
            assert_eq!(done.status, 200, "{}", done.text);
        }
        for language in ["ar", "de", "fr", "es", "en"] {
            let page = root.get(&world, &format!("/admin/audit?lang={language}")).await.text;
            assert!(page.len() < 40_000 && rows(&page).len() == 50, "{language} {}", page.len());
        }
        let first = root.get(&world, "/admin/audit?kind=disabled&limit=20").await.text;
        let next = first.split("<a href=\"").find(|link| link.contains("rel=\"next\"")).unwrap().split('"').next().unwrap();
        let next = next.replace("&amp;", "&").replace("&#x2f;", "/");
        assert!(next.starts_with("/admin/audit?kind=disabled&limit=20&cursor="), "{next}");
        let second = root.get(&world, &next).await.text;
        assert_eq!((rows(&first).len(), rows(&second).len(), second.contains("Next page")), (20, 6, false));
        // A cursor belongs to its list (G1).
        assert_eq!(root.get(&world, &next.replace("disabled", "enabled")).await.status, 422);
    }
}
