use std::time::Duration;

use serde_json::json;
use vestibule::{BackupOptions, SendError};

use crate::admin_overview_page::{Failing, ROOT, administrator, is_for_administrators};
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

/// The section about the server, without its markup.
async fn health(world: &World, root: &mut Browser, language: &str) -> String {
    let page = root.get(world, &format!("/admin?lang={language}")).await.text;
    let (_, rest) = page.split_once("id=\"health\"").unwrap_or_else(|| panic!("{page}"));
    let section = rest.split_once("</section>").unwrap().0;
    section
        .split('<')
        .filter_map(|piece| piece.split_once('>'))
        .map(|(_, text)| text)
        .collect::<Vec<_>>()
        .join(" ")
}

/// These words, in this order.
#[track_caller]
fn says(section: &str, words: &[&str]) {
    let mut rest = section;
    for word in words {
        let Some((_, after)) = rest.split_once(word) else { panic!("{word:?} is missing in {section}") };
        rest = after;
    }
}

on_both_stores! {
    // O4
    async fn only_administrators_have_a_test_mail_sent(world: World) {
        is_for_administrators(&world, &[], &["/admin/mail/test".to_owned()]).await;
    }

    async fn the_overview_says_how_the_server_is(world: World) {
        let mut root = administrator(&world).await;
        let section = health(&world, &mut root, "en").await;
        let product = ["SQLite 3.", "PostgreSQL 1"].into_iter().find(|it| section.contains(it)).unwrap();
        says(&section, &["Health", "Database", product, " answers within ", " ms", "Schema version ", "Email"]);
        says(&section, &["Password checks", "0 waiting; one takes ", "Signing key", "In use since ", "2027-01-15 08:00 UTC"]);
        says(&section, &["Last backup", "Not known. ", "vestibule backup create", "Version", env!("CARGO_PKG_VERSION")]);
        assert!(!section.contains("Needs attention"), "{section}");

        world.clock.advance(Duration::from_mins(2));
        let folder = tempfile::tempdir().unwrap();
        world.accounts.back_up_with(&folder.path().join("a.backup"), &BackupOptions::default()).await.unwrap();
        says(&health(&world, &mut root, "en").await, &["Last backup", "2027-01-15 08:02 UTC", "Version"]);
        for language in ["de", "fr", "es", "ar"] {
            let section = health(&world, &mut root, language).await;
            says(&section, &[product, "2027-01-15 08:02 UTC", "Vestibule "]);
            assert!(!section.contains('{') && !section.contains("Database"), "{section}");
        }
    }

    async fn the_overview_says_since_when_mail_fails(world: World) {
        let mut root = administrator(&world).await;
        world.signs_up(ADA).await;
        says(&health(&world, &mut root, "en").await, &["Last sent ", "2027-01-15 08:00 UTC", "Nothing is waiting"]);
        world.post("/v1/signup", json!({"email": "bob@example.org", "password": PASSWORD})).await;
        for _ in 0..2 {
            world.clock.advance(Duration::from_mins(10));
            let refused = SendError::Temporary("451 <b>later</b>".to_owned());
            world.accounts.deliver(&Failing(refused)).await.unwrap();
        }
        let section = health(&world, &mut root, "en").await;
        says(&section, &["Needs attention", "Nothing has been sent since ", "2027-01-15 08:10 UTC", "451 &lt;b&gt;later"]);
        says(&section, &["1 waiting, the oldest since ", "2027-01-15 08:00 UTC"]);
        // That one message is refused for now says nothing of the others.
        world.clock.advance(Duration::from_hours(2));
        world.accounts.deliver(&Failing(SendError::Deferred("450 greylisted".to_owned()))).await.unwrap();
        let section = health(&world, &mut root, "en").await;
        says(&section, &["The last attempt failed:", "450 greylisted", "Last sent ", "2027-01-15 08:00 UTC", "1 waiting"]);
        world.clock.advance(Duration::from_hours(1));
        world.deliver().await;
        let section = health(&world, &mut root, "en").await;
        says(&section, &["Last sent ", "Nothing is waiting"]);
        assert!(!section.contains("Needs attention"), "{section}");
    }

    async fn an_administrator_tries_whether_mail_arrives(world: World) {
        let mut root = administrator(&world).await;
        let per_day = world.accounts.policy().admin.mails_per_day;
        for _ in 0..per_day {
            root.get(&world, "/admin").await;
            let answer = root.submit(&world, "/admin/mail/test", "").await;
            assert_eq!(answer.leads_to(), "/admin/mail?said=tested");
        }
        let page = root.get(&world, "/admin/mail?said=tested").await.text;
        assert!(page.contains("A test email to you is on its way.") && page.contains(">Test</b>"), "{page}");
        assert_eq!(i64::try_from(world.mails("test", ROOT).await).unwrap(), per_day);
        // L3: as many as administrators may have sent to any address.
        let answer = root.submit(&world, "/admin/mail/test", "").await;
        assert_eq!(answer.status, 429, "{}", answer.text);
        assert_eq!(i64::try_from(world.mails("test", ROOT).await).unwrap(), per_day);
        let token = world.access_token(ROOT).await;
        let trail = world.get_as("/v1/admin/audit?kind=assisted", &token).await.json();
        assert_eq!(trail["items"][0]["detail"], "a test mail to themselves", "{trail}");
    }
}
