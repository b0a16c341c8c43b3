use crate::on_both_stores;
use crate::world::*;
use vestibule::{Actor, Expected, Login, NewUser, UserRef};

on_both_stores! {
    // M4, L1: one answer for an unknown name and a wrong password.
    async fn only_the_right_pair_signs_in(world: &World) {
        let account = world.has_account("ada@example.org").await;
        assert_eq!(refusal(world.signs_in("ada@example.org", OTHER_PASSWORD).await), "Refused");
        assert_eq!(refusal(world.signs_in("bob@example.org", PASSWORD).await), "Refused");
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        assert_eq!(tokens.account.id, account.id);
        assert_eq!(tokens.expires_in, seconds(600));
    }

    async fn a_user_name_signs_in(world: &World) {
        let new = NewUser {
            email: address("ada@example.org"),
            display_name: None,
            password: password(PASSWORD),
            user_name: Some("Countess".parse().unwrap()),
            roles: vec![],
        };
        world.accounts.create_user(Actor::Operator, new).await.unwrap();
        let login = Login::UserName("countess".parse().unwrap());
        world.accounts.sign_in(&login, &password(PASSWORD), &client()).await.unwrap();
        let wrong = world.accounts.sign_in(&login, &password(OTHER_PASSWORD), &client()).await;
        assert_eq!(refusal(wrong), "Refused");
        let unknown = Login::UserName("somebody".parse().unwrap());
        assert_eq!(refusal(world.accounts.sign_in(&unknown, &password(PASSWORD), &client()).await), "Refused");
    }

    // L1: only those who know the password learn that the account is disabled.
    async fn a_disabled_user_is_told_only_with_the_right_password(world: &World) {
        let account = world.has_account("ada@example.org").await;
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let user = UserRef::Id(account.id);
        let disabled = world.accounts.disable_user(Actor::Operator, &user, None).await.unwrap();
        assert_eq!(disabled.disabled_at, Some(world.clock.now()));
        assert_eq!(refusal(world.signs_in("ada@example.org", PASSWORD).await), "Disabled");
        assert_eq!(refusal(world.signs_in("ada@example.org", OTHER_PASSWORD).await), "Refused");
        // J5: tokens issued before are refused immediately.
        assert!(world.accounts.authenticate(tokens.access_token.expose()).await.is_err());
        assert!(world.accounts.refresh(tokens.refresh_token.expose(), &client()).await.is_err());
        world.accounts.enable_user(Actor::Operator, &user, None).await.unwrap();
        assert!(world.accounts.authenticate(tokens.access_token.expose()).await.is_err());
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
    }

    // P4: when the cost is raised, the next sign-in raises the hash's, and the password stays the same.
    async fn a_cheaper_hash_is_replaced_at_sign_in(world: &World) {
        world.has_account("ada@example.org").await;
        let dearer = world.instance_with(|policy| policy.hash.passes = 3).await;
        let login = Login::Email(address("ada@example.org"));
        dearer.sign_in(&login, &password(PASSWORD), &client()).await.unwrap();
        // The new hash is made after the answer: a further sign-in on the same threads comes after it.
        for _ in 0..8 {
            dearer.sign_in(&login, &password(PASSWORD), &client()).await.unwrap();
        }
        assert_eq!(refusal(dearer.sign_in(&login, &password(OTHER_PASSWORD), &client()).await), "Refused");
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
    }

    // P6: in a storm, requests get tokens or a realistic "later", and nothing else.
    async fn a_storm_of_sign_ins_is_served_or_told_to_wait(world: &World) {
        world.has_account("ada@example.org").await;
        let narrow = world.instance_with(|policy| {
            policy.hash.threads = 1;
            // Four sign-ins: each may cost two hashes.
            policy.hash.queue = 8;
        }).await;
        let (login, secret, from) = (Login::Email(address("ada@example.org")), password(PASSWORD), client());
        let storm = (0..64).map(|_| narrow.sign_in(&login, &secret, &from));
        let answers = futures_util::future::join_all(storm).await;
        let served = answers.iter().filter(|answer| answer.is_ok()).count();
        assert!((4..64).contains(&served), "{served} of 64");
        for refused in answers.into_iter().filter(Result::is_err).map(refusal) {
            assert!(refused.starts_with("Fault(Overloaded { retry_after: "), "{refused}");
        }
    }

    // The same answer for a deleted user; the address may sign up again, under another id.
    async fn a_deleted_user_is_gone(world: &World) {
        let before = world.has_account("ada@example.org").await;
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let user = UserRef::Email(address("ADA@example.org"));
        world.accounts.delete_user(Actor::Operator, &user, &Expected::Any, None).await.unwrap();
        assert_eq!(refusal(world.signs_in("ada@example.org", PASSWORD).await), "Refused");
        assert!(world.accounts.authenticate(tokens.access_token.expose()).await.is_err());
        assert!(world.accounts.refresh(tokens.refresh_token.expose(), &client()).await.is_err());
        let after = world.has_account("ada@example.org").await;
        assert_ne!(before.id, after.id);
        assert!(world.accounts.authenticate(tokens.access_token.expose()).await.is_err());
    }
}
