use serde_json::json;
use vestibule::{Mail, MailTransport, SendAttempt, SendError};

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

pub(crate) const ROOT: &str = "root@example.org";

/// A relay that fails like this.
pub(crate) struct Failing(pub(crate) SendError);

impl MailTransport for Failing {
    async fn send(&self, _: &Mail, _: &SendAttempt) -> Result<(), SendError> {
        Err(self.0.clone())
    }
}

/// The browser of an administrator.
pub(crate) async fn administrator(world: &World) -> Browser {
    world.has_admin(ROOT).await;
    Browser::signed_in(world, ROOT).await
}

/// O4: each of these paths sends visitors to sign in, and tells users without the role what they lack.
pub(crate) async fn is_for_administrators(world: &World, pages: &[&str], forms: &[String]) {
    world.has_account(ADA).await;
    let mut ada = Browser::signed_in(world, ADA).await;
    ada.get(world, "/account").await;
    for path in pages {
        let back = percent_encoded(path);
        assert_eq!(Browser::default().get(world, path).await.leads_to(), format!("/login?return_to={back}"));
        let page = ada.get(world, path).await;
        assert!(
            page.status == 403 && page.text.contains("This is for administrators"),
            "{path} {}",
            page.text
        );
        ada.get(world, "/account").await;
    }
    for path in forms {
        let answer = Browser::default().submit(world, path, "").await;
        assert!(answer.leads_to().starts_with("/login?said=unsaved&return_to=%2Fadmin"), "{path}");
        assert_eq!(ada.submit(world, path, "").await.problem(), (403, "forbidden".to_owned()), "{path}");
    }
}

fn percent_encoded(path: &str) -> String {
    path.replace('/', "%2F").replace('?', "%3F").replace('=', "%3D")
}

/// The text between two texts.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("no {from} in {page}"));
    rest.split_once(to).unwrap().0
}

on_both_stores! {
    async fn only_administrators_see_the_overview(world: World) {
        is_for_administrators(&world, &["/admin"], &[]).await;
    }

    async fn the_overview_shows_the_numbers(world: World) {
        let mut root = administrator(&world).await;
        world.has_account(ADA).await;
        world.signs_up("bob@example.org").await;
        for password in ["not-the-password", PASSWORD] {
            world.post("/v1/login", json!({"email": ADA, "password": password})).await;
        }
        let page = root.get(&world, "/admin").await;
        assert_eq!(page.status, 200);
        let tiles = between(&page.text, "<ul class=\"card figures\">", "</ul>");
        for tile in [
            "<a href=\"/admin/users?status=active\">Active users</a><b class=\"num\">2</b>",
            "<a href=\"/admin/users?status=disabled\">Disabled users</a><b class=\"num\">0</b>",
            "<a href=\"/admin/users?status=active&amp;second_factor=any\">Active users with two-step sign-in</a><b class=\"num\">0%</b>",
            "Administrators without two-step sign-in<b class=\"num\">1</b>",
            "<a href=\"/admin/registrations\">Open sign-ups</a><b class=\"num\">1</b>",
            "Live sessions<b class=\"num\">2</b>",
            "<a href=\"/admin/mail?state=waiting\">Emails waiting</a><b class=\"num\">0</b>",
            "<a href=\"/admin/mail?state=failed\">Failed emails</a><b class=\"num\">0</b>",
        ] {
            assert!(tiles.contains(tile), "{tile} in {tiles}");
        }
        // The test clock is set to 2027-01-15T08:00:00Z.
        let table = between(&page.text, "<tbody>", "</tbody>");
        let today = "<th scope=\"row\">Jan 15 (so far)</th><td>2</td><td>1</td><td>2</td><td>1</td>";
        assert!(table.contains(today) && table.matches("<tr>").count() == 30, "{table}");
        assert!(page.text.contains("aria-label=\"Sign-ups per day: 2 in total, at most 2 (Jan 15)\""), "{}", page.text);
        let main = between(&page.text, "<main", "</main>");
        assert_eq!(main.matches("<rect").count(), 4 * 30 + 3);
        assert_eq!(page.text.matches("class=\"partial\"><title>Jan 15: ").count(), 4, "today is not over");
        let funnel = between(&page.text, "<figure class=\"funnel card box\">", "</ol>");
        let steps: Vec<_> = funnel.split("<b class=\"num\">").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
        assert_eq!(steps, ["2", "1", "2"]);
        assert!(!page.text.contains("class=\"note bad\"") && page.text.len() < 40_000, "{}", page.text.len());
    }

    async fn the_share_of_users_with_a_second_factor_is_shown(world: World) {
        let mut root = administrator(&world).await;
        for email in [ADA, "bob@example.org"] {
            world.has_account(email).await;
        }
        world.adds_app(&world.access_token(ADA).await).await;
        let page = root.get(&world, "/admin").await;
        let tiles = between(&page.text, "<ul class=\"card figures\">", "</ul>");
        assert!(tiles.contains("<b class=\"num\">33%</b>") && tiles.contains("sign-in<b class=\"num\">1</b>"), "{tiles}");
    }

    async fn mail_that_does_not_leave_is_told_first(world: World) {
        let mut root = administrator(&world).await;
        world.post("/v1/signup", json!({"email": ADA, "password": PASSWORD})).await;
        assert!(!root.get(&world, "/admin").await.text.contains("Email is not being sent"), "not tried yet");
        let cause = "451 <script>alert(1)</script> try later";
        world.accounts.deliver(&Failing(SendError::Temporary(cause.to_owned()))).await.unwrap();
        let page = root.get(&world, "/admin").await.text;
        let warning = between(&page, "<div class=\"note bad\">", "</div>");
        assert!(warning.contains("1 waiting, the oldest since <time datetime=\"2027-01-15T08:00:00.000Z\""), "{warning}");
        assert!(warning.contains("451 &lt;script&gt;alert(1)&lt;&#x2f;script&gt; try later"), "{warning}");
        assert!(warning.contains("href=\"/admin/mail?state=waiting\""), "{warning}");
        world.clock.advance(std::time::Duration::from_hours(1));
        world.accounts.deliver(&Failing(SendError::Permanent("550 no".to_owned()))).await.unwrap();
        let page = root.get(&world, "/admin").await.text;
        assert!(page.contains("Emails that failed for good: 1.") && !page.contains("Email is not being sent"), "{page}");
        assert!(page.contains("<a href=\"/admin/mail?state=failed\">Failed emails</a><b class=\"num\">1</b>"), "{page}");
    }

    // Each language writes numbers and days its own way; in languages read from right to left time runs that way too.
    async fn the_overview_speaks_to_its_reader(world: World) {
        let mut root = administrator(&world).await;
        let english = root.get(&world, "/admin").await.text;
        let arabic = root.get(&world, "/admin?lang=ar").await.text;
        let today = |page: &str| -> u32 {
            let bar = page.split("<rect x=\"").find(|bar| bar.contains("class=\"partial\"")).unwrap();
            bar.split('"').next().unwrap().parse().unwrap()
        };
        assert!(today(&english) > 2_000 && today(&arabic) < 1_000);
        assert!(arabic.contains("15 يناير") && arabic.len() < 40_000, "{}", arabic.len());
        assert!(root.get(&world, "/admin?lang=de").await.text.contains("<th scope=\"row\">15. Jan. (bis jetzt)</th>"));
    }
}
