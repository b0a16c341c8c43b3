use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Account, Accounts, Actor, AuditActor, AuditKind, FirstAdmin, JoinError, NewUser, Terms, UserQuery,
};

fn newcomer(email: &str) -> FirstAdmin {
    FirstAdmin { email: address(email), password: password(PASSWORD), user_name: None }
}

/// The key of the link.
async fn key(accounts: &Accounts) -> Option<String> {
    let link = accounts.setup_link().await.unwrap()?;
    let base = "https://accounts.example.org/setup#k=";
    Some(link.link.expose().strip_prefix(base).unwrap().to_owned())
}

async fn sets_up(accounts: &Accounts, key: &str, email: &str) -> Result<Account, JoinError> {
    accounts.set_up(key, newcomer(email), &client()).await
}

async fn users(world: &World) -> Vec<String> {
    let page = world.accounts.list_users(Actor::Operator, &UserQuery::default()).await.unwrap();
    page.items.iter().map(|user| format!("{} {}", user.account.email, user.account.roles.join(" "))).collect()
}

on_both_stores! {
    // O3: never whoever comes first, and closed for ever afterwards.
    async fn the_link_makes_the_first_administrator_once(world: &World) {
        world.signs_up("ada@example.org").await;
        let first = key(&world.accounts).await.unwrap();
        world.advance(seconds(60));
        let other = world.another_instance().await;
        assert_eq!(key(&other).await.unwrap(), first, "it can be printed again");
        let ada = sets_up(&other, &first, "Ada@example.org").await.unwrap();
        assert_eq!(users(world).await, ["Ada@example.org admin"]);
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        assert_eq!(key(&world.accounts).await, None);
        assert_eq!(refusal(sets_up(&world.accounts, &first, "eve@example.org").await), "Link(Used)");
        let events = world.accounts.audit_after(Actor::Operator, None, None).await.unwrap();
        let kinds: Vec<_> = events.iter().map(|event| (event.kind, event.actor)).collect();
        assert_eq!(kinds[1..3], [
            (AuditKind::SetupLinkMade, AuditActor::Operator),
            (AuditKind::SetUp, AuditActor::User(ada.id)),
        ]);
        assert!(!format!("{events:?}").contains(&first), "O1");
    }

    // G3: of many concurrent claims one becomes the administrator, with whatever address.
    async fn parallel_claims_make_one_administrator(world: &World) {
        let key = key(&world.accounts).await.unwrap();
        let other = world.another_instance().await;
        let addresses: Vec<_> = (0..6).map(|i| format!("root{i}@example.org")).collect();
        let tries = addresses.iter().enumerate().map(|(i, email)| {
            sets_up(if i % 2 == 0 { &world.accounts } else { &other }, &key, email)
        });
        let answers = futures_util::future::join_all(tries).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        for answer in answers.into_iter().filter(Result::is_err) {
            assert_eq!(refusal(answer), "Link(Used)");
        }
        assert_eq!(users(world).await.len(), 1);
    }

    // Two concurrent requests for the link get the same one.
    async fn parallel_prints_show_one_link(world: &World) {
        let other = world.another_instance().await;
        let (one, two) = futures_util::future::join(key(&world.accounts), key(&other)).await;
        assert!(one.is_some());
        assert_eq!(one, two);
    }

    // T3: half an hour, then another one.
    async fn the_link_ends_and_another_takes_its_place(world: &World) {
        let first = key(&world.accounts).await.unwrap();
        world.advance(seconds(30 * 60));
        assert_eq!(refusal(sets_up(&world.accounts, &first, "ada@example.org").await), "Link(Expired)");
        let second = key(&world.accounts).await.unwrap();
        assert_ne!(first, second);
        assert_eq!(refusal(sets_up(&world.accounts, &first, "ada@example.org").await), "Link(Expired)");
        world.advance(seconds(30 * 60 - 1));
        sets_up(&world.accounts, &second, "ada@example.org").await.unwrap();
    }

    // T5, P1: a refusal leaves the link as it is; without the key nothing is revealed.
    async fn only_the_key_counts(world: &World) {
        world.has_account("ada@example.org").await;
        let key = key(&world.accounts).await.unwrap();
        for wrong in ["", "x", &key[1..], &"A".repeat(43)] {
            assert_eq!(refusal(sets_up(&world.accounts, wrong, "ada@example.org").await), "Link(Invalid)", "{wrong}");
        }
        assert_eq!(refusal(world.accounts.accept_invitation(&key, &password(PASSWORD), None, Terms::Unanswered, &client()).await), "Link(Expired)");
        assert_eq!(refusal(world.accounts.authenticate(&key).await), "Invalid");
        assert_eq!(refusal(sets_up(&world.accounts, &key, "ada@example.org").await), "EmailTaken");
        let weak = FirstAdmin { password: password("password1"), ..newcomer("root@example.org") };
        assert_eq!(refusal(world.accounts.set_up(&key, weak, &client()).await), "Password(TooCommon)");
        sets_up(&world.accounts, &key, "root@example.org").await.unwrap();
    }

    // O3: an administrator created in another way closes the link as well.
    async fn any_administrator_closes_the_link(world: &World) {
        let key = key(&world.accounts).await.unwrap();
        let admin = NewUser {
            email: address("root@example.org"),
            display_name: None,
            password: password(PASSWORD),
            user_name: None,
            roles: vec!["admin".to_owned()],
        };
        world.accounts.create_user(Actor::Operator, admin).await.unwrap();
        assert_eq!(refusal(sets_up(&world.accounts, &key, "eve@example.org").await), "Link(Used)");
        assert_eq!(users(world).await, ["root@example.org admin"]);
    }

    async fn the_settings_make_an_administrator_where_there_is_none(world: &World) {
        let other = world.another_instance().await;
        let (one, two) = futures_util::future::join(
            world.accounts.bootstrap_admin(newcomer("root@example.org")),
            other.bootstrap_admin(newcomer("root@example.org")),
        ).await;
        assert!(one.as_ref().unwrap().is_some() != two.as_ref().unwrap().is_some(), "{one:?} {two:?}");
        assert!(world.accounts.bootstrap_admin(newcomer("other@example.org")).await.unwrap().is_none());
        assert_eq!(users(world).await, ["root@example.org admin"]);
        let events = world.accounts.audit_after(Actor::Operator, None, None).await.unwrap();
        assert_eq!((events.len(), events[0].kind, events[0].actor), (1, AuditKind::Created, AuditActor::System));
    }

    // A user with this address is not made an administrator unexpectedly.
    async fn the_settings_promote_nobody(world: &World) {
        world.has_account("ada@example.org").await;
        assert_eq!(refusal(world.accounts.bootstrap_admin(newcomer("ada@example.org")).await), "EmailTaken");
        assert_eq!(users(world).await, ["ada@example.org "]);
    }
}
