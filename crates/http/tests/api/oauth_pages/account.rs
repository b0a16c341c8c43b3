//! The applications on the page of an account.

use super::{answers, asked, exchanges, goes, is_asked, with_applications};
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, World};

on_both_stores! {
    async fn a_user_sees_the_applications_and_disconnects_them(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        world.has_account("eve@example.org").await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        assert!(browser.get(&world, "/account").await.text.contains("No app is connected"));
        let (mut browser, page) = is_asked(&world, &[("scope", "openid email notes:<write> offline_access")]).await;
        let code = answers(&world, &mut browser, &page, "allow").await.code();
        let tokens = exchanges(&world, &code).await.unwrap();
        let account = browser.get(&world, "/account").await;
        for told in ["<bdi>Field &lt;Notes&gt;</bdi>", "See your email address", "<code dir=\"ltr\">plan</code>", "<code dir=\"ltr\">notes:&lt;write&gt;</code>",
            "datetime=\"2027-", "aria-label=\"Disconnect Field &lt;Notes&gt;\""] {
            assert!(account.text.contains(told), "{told}: {}", account.text);
        }
        assert!(!account.text.contains("No app is connected"));
        // Nobody else's.
        let mut eve = Browser::signed_in(&world, "eve@example.org").await;
        eve.get(&world, "/account").await;
        assert_eq!(eve.submit(&world, "/account/applications/disconnect", "id=notes").await.status, 303);
        browser.get(&world, "/account").await;
        assert!(world.accounts.user_info(tokens.access_token.expose()).await.is_ok());
        let done = browser.submit(&world, "/account/applications/disconnect", "id=notes").await;
        assert_eq!(done.leads_to(), "/account?said=disconnected#applications");
        let account = browser.get(&world, "/account?said=disconnected").await;
        assert!(account.text.contains("The app is disconnected") && account.text.contains("No app is connected"));
        assert!(world.accounts.user_info(tokens.access_token.expose()).await.is_err());
        assert!(goes(&world, &mut browser, &asked(&[])).await.page.text.contains("/oauth/consent"), "asked again");
        // Once more, of another tab; and without saying which.
        browser.get(&world, "/account").await;
        assert_eq!(browser.submit(&world, "/account/applications/disconnect", "id=notes").await.status, 303);
        assert_eq!(browser.submit(&world, "/account/applications/disconnect", "").await.status, 404);
    }
}
