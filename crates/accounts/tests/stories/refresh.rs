use crate::on_both_stores;
use crate::world::*;

on_both_stores! {
    // R2: each token buys one successor.
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

    // R2: of fifty at once, over two instances, one gets the successor, and the session lives on.
    async fn parallel_refreshes_yield_one_successor(world: &World) {
        world.has_account("ada@example.org").await;
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let other = world.another_instance().await;
        let from = client();
        let calls = (0..50).map(|n| {
            let accounts = if n % 2 == 0 { &world.accounts } else { &other };
            accounts.refresh(tokens.refresh_token.expose(), &from)
        });
        let mut won: Vec<_> = futures_util::future::join_all(calls).await.into_iter().filter_map(Result::ok).collect();
        assert_eq!(won.len(), 1);
        world.accounts.refresh(won.remove(0).refresh_token.expose(), &client()).await.unwrap();
    }

    // R3: quiet within ten seconds (a lost answer), the end of the session later (a thief).
    async fn reuse_ends_the_session_after_its_grace(world: &World) {
        world.has_account("ada@example.org").await;
        let first = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let second = world.accounts.refresh(first.refresh_token.expose(), &client()).await.unwrap();
        world.advance(seconds(9));
        assert_eq!(refusal(world.accounts.refresh(first.refresh_token.expose(), &client()).await), "Invalid");
        world.accounts.authenticate(second.access_token.expose()).await.unwrap();
        world.advance(seconds(1));
        assert_eq!(refusal(world.accounts.refresh(first.refresh_token.expose(), &client()).await), "Invalid");
        assert!(world.accounts.authenticate(second.access_token.expose()).await.is_err());
        assert_eq!(refusal(world.accounts.refresh(second.refresh_token.expose(), &client()).await), "Invalid");
        // The user is told, once.
        assert_eq!(refusal(world.accounts.refresh(first.refresh_token.expose(), &client()).await), "Invalid");
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["refresh_reused"]);
        // Another session of the same user is not touched.
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
    }

    // R1: two weeks without use, thirty days in any case.
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
