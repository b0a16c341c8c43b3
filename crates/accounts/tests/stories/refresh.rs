use crate::on_both_stores;
use crate::world::*;
use vestibule::{RefreshError, Tokens};

async fn refreshes(world: &World, with: &Tokens) -> Result<Tokens, RefreshError> {
    world.accounts.refresh(with.refresh_token.expose(), &client()).await
}

on_both_stores! {
    // R2: each token gives one successor.
    async fn a_refresh_token_rotates(world: &World) {
        let account = world.has_account("ada@example.org").await;
        let first = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        world.advance(seconds(60));
        let second = world.accounts.refresh(first.refresh_token.expose(), &client()).await.unwrap();
        assert_eq!(second.account.id, account.id);
        assert_ne!(first.refresh_token.expose(), second.refresh_token.expose());
        let signed_in = world.accounts.authenticate(second.access_token.expose()).await.unwrap();
        // The session, and the moment the password was given, stay the same.
        let before = world.accounts.authenticate(first.access_token.expose()).await.unwrap();
        assert_eq!(signed_in.session_id, before.session_id);
        assert_eq!(signed_in.auth_time, before.auth_time);
    }

    // R2: of fifty concurrent refreshes, over two instances, one gets the successor, and the session lives on.
    async fn parallel_refreshes_yield_one_successor(world: &World) {
        world.has_account("ada@example.org").await;
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let other = world.another_instance().await;
        let from = client();
        let calls = (0..50).map(|n| {
            let accounts = if n % 2 == 0 { &world.accounts } else { &other };
            accounts.refresh(tokens.refresh_token.expose(), &from)
        });
        let answers = futures_util::future::join_all(calls).await;
        let (mut won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        assert!(lost.into_iter().all(|answer| refusal(answer) == "Limited { retry_after: 10s }"));
        refreshes(world, &won.remove(0).unwrap()).await.unwrap();
    }

    // R3: a lost answer signs nobody out: after ten seconds the token gives another successor.
    async fn a_lost_answer_is_asked_for_again(world: &World) {
        world.has_account("ada@example.org").await;
        let first = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let lost = refreshes(world, &first).await.unwrap();
        world.advance(seconds(9));
        assert_eq!(refusal(refreshes(world, &first).await), "Limited { retry_after: 1s }");
        world.advance(seconds(1));
        let second = refreshes(world, &first).await.unwrap();
        world.accounts.authenticate(second.access_token.expose()).await.unwrap();
        // It may be lost any number of times.
        assert_eq!(refusal(refreshes(world, &first).await), "Limited { retry_after: 10s }");
        world.advance(seconds(10));
        let third = refreshes(world, &first).await.unwrap();
        let fourth = refreshes(world, &third).await.unwrap();
        // The lost token was voided: whoever presents it has a copy.
        assert_eq!(refusal(refreshes(world, &lost).await), "Invalid");
        assert!(world.accounts.authenticate(fourth.access_token.expose()).await.is_err());
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["refresh_reused"]);
    }

    // R3: once the successor was used, the previous token is a copy.
    async fn reuse_ends_the_session(world: &World) {
        world.has_account("ada@example.org").await;
        let first = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let second = refreshes(world, &first).await.unwrap();
        let third = refreshes(world, &second).await.unwrap();
        assert_eq!(refusal(refreshes(world, &first).await), "Limited { retry_after: 10s }");
        world.accounts.authenticate(third.access_token.expose()).await.unwrap();
        world.advance(seconds(10));
        assert_eq!(refusal(refreshes(world, &first).await), "Invalid");
        assert!(world.accounts.authenticate(third.access_token.expose()).await.is_err());
        assert_eq!(refusal(refreshes(world, &third).await), "Invalid");
        // The user is informed, once.
        assert_eq!(refusal(refreshes(world, &first).await), "Invalid");
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["refresh_reused"]);
        // Another session of the same user is not affected.
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
    }

    // R2: of many clients that ask again for a lost answer, over two instances, one gets it, and the session lives on.
    async fn parallel_second_tries_yield_one_successor(world: &World) {
        world.has_account("ada@example.org").await;
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        refreshes(world, &tokens).await.unwrap();
        world.advance(seconds(10));
        let other = world.another_instance().await;
        let from = client();
        let calls = (0..50).map(|n| {
            let accounts = if n % 2 == 0 { &world.accounts } else { &other };
            accounts.refresh(tokens.refresh_token.expose(), &from)
        });
        let answers = futures_util::future::join_all(calls).await;
        let (mut won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        assert!(lost.into_iter().all(|answer| refusal(answer) == "Limited { retry_after: 10s }"));
        refreshes(world, &won.remove(0).unwrap()).await.unwrap();
    }

    // R1: two weeks without use, thirty days at the latest.
    async fn a_session_ends_after_idle_and_absolute_time(world: &World) {
        world.has_account("ada@example.org").await;
        let idle = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let mut used = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        for _ in 0..2 {
            world.advance(hours(13 * 24));
            used = world.accounts.refresh(used.refresh_token.expose(), &client()).await.unwrap();
        }
        assert_eq!(refusal(world.accounts.refresh(idle.refresh_token.expose(), &client()).await), "Invalid");
        world.advance(hours(4 * 24));
        assert_eq!(refusal(world.accounts.refresh(used.refresh_token.expose(), &client()).await), "Invalid");
        assert!(world.accounts.authenticate(used.access_token.expose()).await.is_err());
    }

    async fn other_texts_are_not_refresh_tokens(world: &World) {
        world.has_account("ada@example.org").await;
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let changed = tokens.refresh_token.expose().replace("vrt_", "vrt-");
        let other = format!("vrt_{}", "A".repeat(43));
        for text in ["", "vrt_", &changed, &other, tokens.access_token.expose(), &"x".repeat(100_000)] {
            assert_eq!(refusal(world.accounts.refresh(text, &client()).await), "Invalid");
        }
        world.accounts.refresh(tokens.refresh_token.expose(), &client()).await.unwrap();
    }
}
