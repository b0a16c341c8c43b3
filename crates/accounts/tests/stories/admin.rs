use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Account, Accounts, Actor, Expected, FactorStatus, NewUser, Page, UserQuery, UserRef, UserStatus,
};

async fn creates(world: &World, email: &str, name: Option<&str>, roles: &[&str]) -> Account {
    let new = NewUser {
        display_name: None,
        email: address(email),
        password: password(PASSWORD),
        user_name: name.map(|name| name.parse().unwrap()),
        roles: roles.iter().map(ToString::to_string).collect(),
    };
    world.accounts.create_user(Actor::Operator, new).await.unwrap()
}

async fn list(accounts: &Accounts, query: &UserQuery) -> Page<Account> {
    accounts.list_users(Actor::Operator, query).await.unwrap()
}

/// The addresses on every page, two users each.
async fn pages(accounts: &Accounts, query: UserQuery) -> Vec<String> {
    let mut query = UserQuery { limit: Some(2), ..query };
    let mut found = Vec::new();
    loop {
        let page = list(accounts, &query).await;
        assert!(page.items.len() <= 2);
        found.extend(page.items.iter().map(|user| user.email.to_string()));
        let Some(cursor) = page.next_cursor else { return found };
        query.cursor = Some(cursor);
    }
}

on_both_stores! {
    // M11, G1
    async fn users_are_listed_by_pages(world: &World) {
        for (email, name) in [("carol@example.org", Some("adalbert")), ("ada@example.org", Some("zoe-1")),
            ("adam@example.net", None), ("bob@example.org", Some("bobby")), ("ADELE@example.org", None)] {
            creates(world, email, name, &[]).await;
            world.advance(seconds(1));
        }
        let all = pages(&world.accounts, UserQuery::default()).await;
        assert_eq!(all, ["carol@example.org", "ada@example.org", "adam@example.net", "bob@example.org", "ADELE@example.org"]);
        // By the beginning of the address, in its order; then by the beginning of the user name.
        let prefix = |text: &str| UserQuery { prefix: Some(text.into()), ..UserQuery::default() };
        let found = pages(&world.accounts, prefix("Ad")).await;
        assert_eq!(found, ["ada@example.org", "adam@example.net", "ADELE@example.org", "carol@example.org"]);
        assert_eq!(pages(&world.accounts, prefix("bobb")).await, ["bob@example.org"]);
        assert!(pages(&world.accounts, prefix("%")).await.is_empty());
        assert!(pages(&world.accounts, prefix("xyz")).await.is_empty());
        world.accounts.disable_user(Actor::Operator, &UserRef::Email(address("adam@example.net")), None).await.unwrap();
        let status = |status| UserQuery { status: Some(status), ..UserQuery::default() };
        assert_eq!(pages(&world.accounts, status(UserStatus::Disabled)).await, ["adam@example.net"]);
        assert_eq!(pages(&world.accounts, status(UserStatus::Active)).await.len(), 4);
        let both = UserQuery { status: Some(UserStatus::Active), ..prefix("ad") };
        assert_eq!(pages(&world.accounts, both).await, ["ada@example.org", "ADELE@example.org", "carol@example.org"]);
    }

    // An app counts from its first code on, a passkey where there are passkeys; recovery codes alone do not.
    async fn users_are_listed_by_second_factor(world: &World) {
        for email in ["app@example.org", "begun@example.org", "key@example.org", "none@example.org"] {
            creates(world, email, None, &[]).await;
            world.advance(seconds(1));
        }
        world.adds_app(&world.session_of("app@example.org").await).await;
        world.accounts.begin_authenticator(&world.session_of("begun@example.org").await, &client()).await.unwrap();
        world.adds_passkey(&world.session_of("key@example.org").await).await;
        let by = |factor| UserQuery { second_factor: Some(factor), ..UserQuery::default() };
        let (without, with) = (by(FactorStatus::None), by(FactorStatus::Any));
        assert_eq!(pages(&world.accounts, without.clone()).await, ["begun@example.org", "none@example.org"]);
        assert_eq!(pages(&world.accounts, with.clone()).await, ["app@example.org", "key@example.org"]);
        let other = world.instance_with(|policy| policy.passkeys.enabled = false).await;
        assert_eq!(pages(&other, with.clone()).await, ["app@example.org"]);
        assert_eq!(pages(&other, without.clone()).await, ["begun@example.org", "key@example.org", "none@example.org"]);

        let begins = |with: &str, query: &UserQuery| UserQuery { prefix: Some(with.into()), ..query.clone() };
        assert_eq!(pages(&world.accounts, begins("k", &with)).await, ["key@example.org"]);
        assert!(pages(&world.accounts, begins("k", &without)).await.is_empty());
        for email in ["key@example.org", "none@example.org"] {
            world.accounts.disable_user(Actor::Operator, &UserRef::Email(address(email)), None).await.unwrap();
        }
        for (query, prefix, disabled, active) in [
            (&with, None, "key@example.org", "app@example.org"),
            (&without, None, "none@example.org", "begun@example.org"),
            (&with, Some("k"), "key@example.org", ""),
            (&without, Some("n"), "none@example.org", ""),
            (&with, Some("n"), "", ""),
        ] {
            let query = UserQuery { prefix: prefix.map(Into::into), ..query.clone() };
            for (status, expected) in [(UserStatus::Disabled, disabled), (UserStatus::Active, active)] {
                let found = pages(&world.accounts, UserQuery { status: Some(status), ..query.clone() }).await;
                assert_eq!(found.join(" "), expected, "{query:?} {status:?}");
            }
        }
        let first = list(&world.accounts, &UserQuery { limit: Some(1), ..without }).await;
        let other = UserQuery { cursor: first.next_cursor, ..with };
        assert_eq!(refusal(world.accounts.list_users(Actor::Operator, &other).await), "CursorInvalid");
    }

    // Only who may sign in counts; an administrator without a factor is told apart.
    async fn second_factors_are_counted_for_the_overview(world: &World) {
        for (email, roles) in [("root@example.org", ["admin", "editor"]), ("two@example.org", ["editor", "admin"]),
            ("three@example.org", ["admin", "writer"]), ("key@example.org", ["administrator", "writer"]), ("ada@example.org", ["writer", "editor"])] {
            creates(world, email, None, &roles).await;
        }
        world.adds_app(&world.session_of("root@example.org").await).await;
        world.adds_passkey(&world.session_of("key@example.org").await).await;
        let counted = async |accounts: &Accounts| {
            let stats = accounts.stats(Actor::Operator).await.unwrap();
            (stats.users_active, stats.users_with_second_factor, stats.admins_without_second_factor)
        };
        assert_eq!(counted(&world.accounts).await, (5, 2, 2));
        assert_eq!(counted(&world.instance_with(|policy| policy.passkeys.enabled = false).await).await, (5, 1, 2));
        for email in ["key@example.org", "two@example.org"] {
            world.accounts.disable_user(Actor::Operator, &UserRef::Email(address(email)), None).await.unwrap();
        }
        assert_eq!(counted(&world.accounts).await, (3, 1, 1));
    }

    // G1: a cursor belongs to its query and to this server.
    async fn made_up_cursors_are_refused(world: &World) {
        for number in 0..3 {
            creates(world, &format!("a{number}@example.org"), None, &[]).await;
        }
        let first = UserQuery { limit: Some(1), ..UserQuery::default() };
        let cursor = list(&world.accounts, &first).await.next_cursor.unwrap();
        for (cursor, prefix) in [(cursor.as_str(), Some("a")), ("", None), ("AAAA", None), (&cursor[1..], None), ("ä", None)] {
            let query = UserQuery { cursor: Some(cursor.into()), prefix: prefix.map(Into::into), ..UserQuery::default() };
            let refused = world.accounts.list_users(Actor::Operator, &query).await;
            assert_eq!(refusal(refused), "CursorInvalid", "{cursor}");
        }
        for limit in [0, 201] {
            let query = UserQuery { limit: Some(limit), ..UserQuery::default() };
            assert_eq!(refusal(world.accounts.list_users(Actor::Operator, &query).await), "LimitInvalid");
        }
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
