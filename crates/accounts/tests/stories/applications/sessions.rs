//! Sessions of applications: what they open, and what ends them.

use super::*;
use crate::on_both_stores;
use vestibule::{Login, SignOutParameters};

on_both_stores! {
    // B9: what an application holds opens nothing of this service's own, and the other way round.
    async fn tokens_work_on_their_own_side_only(world: &World) {
        world.has_account("ada@example.org").await;
        let own = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let who = world.who_is(own.access_token.expose()).await;
        let by = world.has_application(&shop()).await;
        let tokens = world.shops(&by, "openid offline_access", &who).await;
        let refresh = tokens.refresh_token.as_ref().unwrap().expose();
        for token in [&tokens.access_token, tokens.id_token.as_ref().unwrap()] {
            assert_eq!(refusal(world.accounts.authenticate(token.expose()).await), "Invalid");
        }
        assert_eq!(refusal(world.accounts.refresh(refresh, &client()).await), "Invalid");
        for token in [&own.access_token, tokens.id_token.as_ref().unwrap()] {
            assert_eq!(refusal(world.accounts.user_info(token.expose()).await), "Invalid");
        }
        let foreign = own.refresh_token.expose();
        let next = world.accounts.refresh_for_application(&by, foreign, None, None, &client()).await;
        assert_eq!(refusal(next), "Refresh(Invalid)");
        // Nobody lost anything by it.
        world.accounts.refresh(foreign, &client()).await.unwrap();
        world.accounts.refresh_for_application(&by, refresh, None, None, &client()).await.unwrap();
        // It is no session that its user could take for one of a browser.
        assert_eq!(world.accounts.list_sessions(&who).await.unwrap().len(), 1);
        let grants = world.accounts.list_grants(&who).await.unwrap();
        let [grant] = grants.as_slice() else { panic!("{grants:?}") };
        assert_eq!((grant.name.as_str(), grant.scopes.to_string()), ("Shop", "offline_access openid".to_owned()));
        assert_eq!(world.accounts.export_account(&who, &client()).await.unwrap().grants, grants);
    }

    async fn another_application_cannot_use_a_refresh_token(world: &World) {
        world.has_account("ada@example.org").await;
        let who = world.session_of("ada@example.org").await;
        let by = world.has_application(&shop()).await;
        let thief = world.has_application(&Application { id: "thief".parse().unwrap(), ..shop() }).await;
        let tokens = world.shops(&by, "openid offline_access", &who).await;
        let refresh = tokens.refresh_token.unwrap();
        let stolen = world.accounts.refresh_for_application(&thief, refresh.expose(), None, None, &client()).await;
        assert_eq!(refusal(stolen), "Refresh(Invalid)");
        world.accounts.refresh_for_application(&by, refresh.expose(), None, None, &client()).await.unwrap();
    }

    // RFC 6749 §6: less, never more; and what is refused for it costs nothing.
    async fn a_refresh_may_ask_for_less(world: &World) {
        world.has_account("ada@example.org").await;
        let who = world.session_of("ada@example.org").await;
        let by = world.has_application(&shop()).await;
        let refresh = world.shops(&by, "openid offline_access orders", &who).await.refresh_token.unwrap();
        let more = "openid email".parse().unwrap();
        let next = |token: Secret, scopes, resource| {
            let (by, accounts) = (by.clone(), world.accounts.clone());
            async move { accounts.refresh_for_application(&by, token.expose(), scopes, resource, &client()).await }
        };
        assert_eq!(refusal(next(refresh.clone(), Some(&more), None).await), "Scope");
        assert_eq!(refusal(next(refresh.clone(), None, Some(API)).await), "Target");
        let less = "orders".parse().unwrap();
        let tokens = next(refresh, Some(&less), None).await.unwrap();
        assert_eq!(claims(&tokens.access_token)["scope"], "orders");
        let tokens = next(tokens.refresh_token.unwrap(), None, None).await.unwrap();
        assert_eq!(claims(&tokens.access_token)["scope"], "offline_access openid orders");
    }

    // OpenID Connect Core §11: only what was asked for offline outlives the browser's session.
    async fn without_offline_access_a_token_ends_with_the_browser(world: &World) {
        world.has_account("ada@example.org").await;
        let who = world.session_of("ada@example.org").await;
        let by = world.has_application(&shop()).await;
        let online = world.shops(&by, "openid", &who).await;
        let offline = world.shops(&by, "openid offline_access", &who).await;
        assert!(online.refresh_token.is_none());
        world.accounts.user_info(online.access_token.expose()).await.unwrap();
        world.accounts.sign_out(&who, false, &client()).await.unwrap();
        assert_eq!(refusal(world.accounts.user_info(online.access_token.expose()).await), "Invalid");
        world.accounts.user_info(offline.access_token.expose()).await.unwrap();
    }

    // RP-Initiated Logout §2, §3: unasked only for the browser's own sign-in, and only to a registered address.
    async fn an_application_sends_its_user_to_sign_out(world: &World) {
        world.has_account("ada@example.org").await;
        let who = world.session_of("ada@example.org").await;
        let login = Login::Email(address("ada@example.org"));
        let elsewhere = world.accounts.sign_in(&login, &password(PASSWORD), &client()).await.unwrap();
        let elsewhere = world.who_is(elsewhere.access_token.expose()).await;
        let by = world.has_application(&shop()).await;
        let tokens = world.shops(&by, "openid", &who).await;
        let hint = tokens.id_token.unwrap().expose().to_owned();
        world.advance(hours(2));
        let wish = |hint: Option<&str>, client_id: Option<&str>, uri: &str| SignOutParameters {
            id_token_hint: hint.map(str::to_owned),
            client_id: client_id.map(str::to_owned),
            post_logout_redirect_uri: Some(uri.to_owned()),
            state: Some("s&1".to_owned()),
        };
        let bye = "https://shop.example/bye";
        for (parameters, who, is_own, redirect) in [
            (wish(Some(&hint), None, bye), Some(&who), true, Some("https://shop.example/bye?state=s%261")),
            (wish(Some(&hint), Some("shop"), bye), Some(&elsewhere), false, Some("https://shop.example/bye?state=s%261")),
            (wish(Some(&hint), Some("other"), bye), Some(&who), false, None),
            (wish(None, Some("shop"), bye), Some(&who), false, Some("https://shop.example/bye?state=s%261")),
            (wish(Some(&hint), None, "https://evil.example/bye"), Some(&who), true, None),
            (wish(Some(tokens.access_token.expose()), None, bye), Some(&who), false, None),
            (wish(None, None, bye), Some(&who), false, None),
            (wish(Some(&hint), None, bye), None, false, Some("https://shop.example/bye?state=s%261")),
        ] {
            let found = world.accounts.check_sign_out(parameters.clone(), who).await.unwrap();
            assert_eq!((found.is_own, found.redirect.as_deref()), (is_own, redirect), "{parameters:?}");
        }
    }
}
