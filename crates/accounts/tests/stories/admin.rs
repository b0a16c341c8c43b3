use crate::on_both_stores;
use crate::world::*;
use vestibule::{Account, Accounts, Actor, Expected, NewUser, StatsPeriod, UserQuery, UserRef};

pub(crate) async fn creates(world: &World, email: &str, name: Option<&str>, roles: &[&str]) -> Account {
    let new = NewUser {
        display_name: None,
        email: address(email),
        password: password(PASSWORD),
        user_name: name.map(|name| name.parse().unwrap()),
        roles: roles.iter().map(ToString::to_string).collect(),
    };
    world.accounts.create_user(Actor::Operator, new).await.unwrap()
}

on_both_stores! {
    // Only who may sign in counts; an administrator without a factor is told apart.
    async fn second_factors_are_counted_for_the_overview(world: &World) {
        for (email, roles) in [("root@example.org", ["admin", "editor"]), ("two@example.org", ["editor", "admin"]),
            ("three@example.org", ["admin", "writer"]), ("key@example.org", ["administrator", "writer"]), ("ada@example.org", ["writer", "editor"])] {
            creates(world, email, None, &roles).await;
        }
        world.adds_app(&world.session_of("root@example.org").await).await;
        world.adds_passkey(&world.session_of("key@example.org").await).await;
        let counted = async |accounts: &Accounts| {
            let stats = accounts.stats(Actor::Operator, StatsPeriod::Month).await.unwrap();
            (stats.users_active, stats.users_with_second_factor, stats.admins_without_second_factor)
        };
        assert_eq!(counted(&world.accounts).await, (5, 2, 2));
        assert_eq!(counted(&world.instance_with(|policy| policy.passkeys.enabled = false).await).await, (5, 1, 2));
        for email in ["key@example.org", "two@example.org"] {
            world.accounts.disable_user(Actor::Operator, &UserRef::Email(address(email)), None).await.unwrap();
        }
        assert_eq!(counted(&world.accounts).await, (3, 1, 1));
    }

    // O4, J5: the role is read at each call.
    async fn only_administrators_may_list(world: &World) {
        world.has_account("ada@example.org").await;
        creates(world, "root@example.org", None, &["admin"]).await;
        let user = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let user = world.accounts.authenticate(user.access_token.expose()).await.unwrap();
        let refused = world.accounts.list_users(Actor::User(&user, &client()), &UserQuery::default()).await;
        assert_eq!(refusal(refused), "Forbidden");
        let id = UserRef::Id(user.account.id);
        assert_eq!(refusal(world.accounts.find_user(Actor::User(&user, &client()), &id).await), "Forbidden");
        assert_eq!(refusal(world.accounts.disable_user(Actor::User(&user, &client()), &id, None).await), "Forbidden");
        assert_eq!(refusal(world.accounts.delete_user(Actor::User(&user, &client()), &id, &Expected::Any, None).await), "Forbidden");
        let admin = world.signs_in("root@example.org", PASSWORD).await.unwrap();
        let admin = world.accounts.authenticate(admin.access_token.expose()).await.unwrap();
        let page = world.accounts.list_users(Actor::User(&admin, &client()), &UserQuery::default()).await.unwrap();
        assert_eq!(page.items.len(), 2);
    }

    // O4: there is always an active administrator, even if two remove each other at the same time.
    async fn the_last_administrator_stays(world: &World) {
        let root = UserRef::Id(creates(world, "root@example.org", None, &["admin"]).await.id);
        assert_eq!(refusal(world.accounts.disable_user(Actor::Operator, &root, None).await), "LastAdmin");
        assert_eq!(refusal(world.accounts.delete_user(Actor::Operator, &root, &Expected::Any, None).await), "LastAdmin");
        let second = UserRef::Id(creates(world, "two@example.org", None, &["admin", "editor"]).await.id);
        let other = world.another_instance().await;
        let (one, two) = futures_util::future::join(
            world.accounts.disable_user(Actor::Operator, &root, None),
            other.delete_user(Actor::Operator, &second, &Expected::Any, None),
        )
        .await;
        assert!(one.is_ok() != two.is_ok(), "exactly one of the two may go: {one:?} {two:?}");
        // A disabled administrator does not count, and may be removed.
        if one.is_ok() {
            world.accounts.delete_user(Actor::Operator, &root, &Expected::Any, None).await.unwrap();
        }
    }

    // Roles are stored in one text: "not admin" must not become two roles.
    async fn a_role_is_one_word(world: &World) {
        let long = "x".repeat(65);
        for wrong in ["not admin", " admin", "admin\n", "a\tb", "", "a,b", "a\"b", "a\\b", "r\u{f4}le", "a\u{a0}b", &long] {
            let new = NewUser {
                email: address("eve@example.org"),
                display_name: None,
                password: password(PASSWORD),
                user_name: None,
                roles: vec!["editor".to_owned(), wrong.to_owned()],
            };
            let refused = world.accounts.create_user(Actor::Operator, new).await;
            assert_eq!(refusal(refused), "Roles(Malformed { index: 1 })", "{wrong:?}");
        }
        let good = ["editor", "shop-orders_read"];
        let made = creates(world, "ada@example.org", None, &good).await;
        assert_eq!(made.roles, good);
        assert_eq!(world.accounts.find_user(Actor::Operator, &UserRef::Id(made.id)).await.unwrap(), made);
    }

    async fn taken_names_and_unknown_users_are_told_to_the_operator(world: &World) {
        creates(world, "ada@example.org", Some("countess"), &[]).await;
        let new = |email, name: &str| NewUser {
            email: address(email),
            display_name: None,
            password: password(PASSWORD),
            user_name: Some(name.parse().unwrap()),
            roles: vec![],
        };
        let taken = world.accounts.create_user(Actor::Operator, new("ADA@example.org", "other")).await;
        assert_eq!(refusal(taken), "EmailTaken");
        let taken = world.accounts.create_user(Actor::Operator, new("eve@example.org", "Countess")).await;
        assert_eq!(refusal(taken), "UserNameTaken");
        let weak = NewUser { password: password("password1"), ..new("eve@example.org", "eve-1") };
        assert_eq!(refusal(world.accounts.create_user(Actor::Operator, weak).await), "Password(TooCommon)");
        let nobody = UserRef::Email(address("nobody@example.org"));
        assert_eq!(refusal(world.accounts.find_user(Actor::Operator, &nobody).await), "NotFound");
        assert_eq!(refusal(world.accounts.delete_user(Actor::Operator, &nobody, &Expected::Any, None).await), "NotFound");
        let by_name = UserRef::UserName("COUNTESS".parse().unwrap());
        let found = world.accounts.find_user(Actor::Operator, &by_name).await.unwrap();
        assert_eq!(found.email.as_str(), "ada@example.org");
    }
}
