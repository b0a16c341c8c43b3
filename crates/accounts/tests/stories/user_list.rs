//! The list of users: every order page by page, what finds whom, and how many there are.

use crate::admin::creates;
use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Accounts, Actor, Edit, Expected, FactorStatus, LastSignIn, TimeRange, Timestamp, UserChange, UserCount,
    UserOrder, UserPage, UserQuery, UserRef, UserStatus,
};

const ORDERS: [UserOrder; 6] = UserOrder::ALL;

async fn list(accounts: &Accounts, query: &UserQuery) -> UserPage {
    accounts.list_users(Actor::Operator, query).await.unwrap()
}

/// The names before the `@` on every page, `size` users each; and how often a page was asked for.
async fn walk(accounts: &Accounts, query: UserQuery, size: u32) -> (Vec<String>, usize) {
    let mut query = UserQuery { limit: Some(size), ..query };
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let page = list(accounts, &query).await;
        assert!(page.items.len() <= size as usize);
        found.extend(page.items.iter().map(|user| user.account.email.local_part().to_owned()));
        pages += 1;
        let Some(cursor) = page.next_cursor else { return (found, pages) };
        query.cursor = Some(cursor);
    }
}

async fn pages(accounts: &Accounts, query: UserQuery) -> Vec<String> {
    walk(accounts, query, 2).await.0
}

fn searched(text: &str) -> UserQuery {
    UserQuery { search: Some(text.into()), ..UserQuery::default() }
}

/// Who is found by this text, in the order of addresses.
async fn finds(world: &World, text: &str) -> String {
    pages(&world.accounts, UserQuery { order: UserOrder::Email, ..searched(text) }).await.join(" ")
}

async fn counted(accounts: &Accounts, query: UserQuery) -> (i64, bool) {
    let UserCount { counted, is_lower_bound } =
        list(accounts, &UserQuery { counted: true, ..query }).await.count.unwrap();
    (counted, is_lower_bound)
}

/// Four users, of whom the third and the first have signed in, in this order.
async fn some_users(world: &World) {
    for (email, name) in [
        ("carol@example.org", Some("adalbert")),
        ("ada@example.org", Some("zoe-1")),
        ("BOB@example.net", None),
        ("adele@example.org", None),
    ] {
        creates(world, email, name, &[]).await;
        world.advance(seconds(1));
    }
    for email in ["bob@example.net", "carol@example.org"] {
        world.signs_in(email, PASSWORD).await.unwrap();
        world.advance(seconds(1));
    }
}

/// Users who were in the database before it had an index, oldest first: `early00000`, `early00001` …
fn were_there_before(world: &World, many: u32) {
    for chunk in (0..many).collect::<Vec<_>>().chunks(1000) {
        let row = |number: &u32| {
            let id = world.bytes(&format!("{:032x}", number + 1));
            format!("({id}, 'early{number:05}@e.co', 'early{number:05}@e.co', 'x', '', 1, 1)")
        };
        let rows: Vec<String> = chunk.iter().map(row).collect();
        world.sql(&format!(
            "INSERT INTO users (id, email, email_key, password_hash, roles, email_confirmed_at, created_at) VALUES {}",
            rows.join(", ")
        ));
    }
}

on_both_stores! {
    // M11, G1
    async fn every_order_is_paged_through(world: &World) {
        some_users(world).await;
        for (order, expected) in [
            (UserOrder::Newest, "adele BOB ada carol"),
            (UserOrder::Oldest, "carol ada BOB adele"),
            (UserOrder::Email, "ada adele BOB carol"),
            (UserOrder::EmailDescending, "carol BOB adele ada"),
            (UserOrder::LatestSignIn, "carol BOB adele ada"),
            (UserOrder::EarliestSignIn, "ada adele BOB carol"),
        ] {
            for size in 1..=5 {
                let (found, _) = walk(&world.accounts, UserQuery { order, ..UserQuery::default() }, size).await;
                assert_eq!(found.join(" "), expected, "{order:?} {size}");
                let (found, _) = walk(&world.accounts, UserQuery { order, ..searched("example") }, size).await;
                assert_eq!(found.join(" "), expected, "{order:?} {size}, searched");
            }
        }
        assert_eq!(UserQuery::default().order, UserOrder::Newest);
    }

    async fn the_last_sign_in_is_told(world: &World) {
        let before = world.accounts.now();
        some_users(world).await;
        let page = list(&world.accounts, &UserQuery { order: UserOrder::LatestSignIn, ..UserQuery::default() }).await;
        let told: Vec<_> = page.items.iter().map(|user| user.last_sign_in_at.map(|at| at.since(before))).collect();
        assert_eq!(told, [Some(seconds(5)), Some(seconds(4)), None, None]);
    }

    // Any part of an address or a name, as both are compared; signs of SQL's LIKE stand for themselves.
    async fn any_part_finds_a_user(world: &World) {
        some_users(world).await;
        creates(world, "straße@Bücher.example", Some("o_o-1"), &[]).await;
        let dora = UserRef::Id(creates(world, "dora@example.org", None, &[]).await.id);
        let named = UserChange { display_name: Edit::Set("Ada, Gräfin LOVELACE".parse().unwrap()), ..UserChange::default() };
        world.accounts.change_user(Actor::Operator, &dora, &Expected::Any, named, None).await.unwrap();
        for (text, expected) in [
            ("example.net", "BOB"), ("B@EXAMPLE", "BOB"), ("ada", "ada carol dora"), ("LBERT", "carol"), ("oe-1", "ada"),
            ("lovel", "dora"), ("GRÄFIN", "dora"), ("a, g", "dora"), ("strasse", "straße"), ("bücher", "straße"),
            ("xn--bcher", "straße"), ("ada@example.org", "ada"),
            // Up to two characters: the beginning of an address or a name.
            ("ad", "ada adele carol dora"), ("A", "ada adele carol dora"), ("zo", "ada"), ("o_", "straße"), ("or", ""), ("@", ""),
            ("%", ""), ("_", ""), ("a%a", ""), ("_da", ""), ("e_a", ""), ("o_o", "straße"), ("nobody", ""), ("adadada", ""),
            ("\\", ""), ("'", ""), ("𝐀𝐃𝐀", "ada carol dora"),
        ] {
            assert_eq!(finds(world, text).await, expected, "{text}");
        }
        let cut = "x".repeat(500);
        assert_eq!(finds(world, &cut).await, "");
    }

    // An id that somebody else's system or a token has: whole, since a part of it means nothing.
    async fn ids_find_their_user(world: &World) {
        some_users(world).await;
        world.sql("UPDATE users SET external_id = 'auth0|5f7C' WHERE email_key = 'ada@example.org'");
        let ada = world.accounts.find_user(Actor::Operator, &UserRef::Email(address("ada@example.org"))).await.unwrap();
        assert_eq!(ada.external_id.as_ref().map(vestibule::ExternalId::as_str), Some("auth0|5f7C"));
        for text in [ada.id.to_string().as_str(), "auth0|5f7C"] {
            assert_eq!(finds(world, text).await, "ada");
            assert_eq!(counted(&world.accounts, searched(text)).await, (1, false));
            let disabled = UserQuery { status: Some(UserStatus::Disabled), ..searched(text) };
            assert!(pages(&world.accounts, disabled).await.is_empty());
        }
        for text in ["auth0|", "auth0|5f7c", "usr_", &ada.id.to_string()[..29]] {
            assert_eq!(finds(world, text).await, "", "{text}");
        }
        // Somebody whose address says the same is found beside.
        world.sql("UPDATE users SET external_id = 'bob@' WHERE email_key = 'ada@example.org'");
        assert_eq!(finds(world, "bob@").await, "ada BOB");
    }

    // The index follows whatever changes what a user is called.
    async fn changes_are_followed(world: &World) {
        let ada = creates(world, "ada@example.org", Some("countess"), &[]).await;
        assert_eq!((finds(world, "unte").await.as_str(), finds(world, "lovelace").await.as_str()), ("ada", ""));
        let id = UserRef::Id(ada.id);
        let change = UserChange {
            user_name: Some("lovelace".parse().unwrap()),
            display_name: Edit::Set("Augusta".parse().unwrap()),
            ..UserChange::default()
        };
        world.accounts.change_user(Actor::Operator, &id, &Expected::Any, change, None).await.unwrap();
        assert_eq!((finds(world, "unte").await.as_str(), finds(world, "lovelace").await.as_str()), ("", "ada"));
        assert_eq!(finds(world, "augusta").await, "ada");

        crate::account::moves(world, "ada@example.org", "byron@example.org").await;
        assert_eq!((finds(world, "byron").await.as_str(), finds(world, "ada@").await.as_str()), ("byron", ""));
        assert_eq!(finds(world, "lovelace").await, "byron");

        let trigrams = || world.sql("SELECT 1 FROM user_trigrams");
        let before = trigrams();
        let change = UserChange { display_name: Edit::Remove, ..UserChange::default() };
        world.accounts.change_user(Actor::Operator, &id, &Expected::Any, change, None).await.unwrap();
        assert_eq!(finds(world, "augusta").await, "");
        assert!(trigrams() < before);
        world.accounts.delete_user(Actor::Operator, &id, &Expected::Any, None).await.unwrap();
        assert_eq!((finds(world, "lovelace").await.as_str(), trigrams()), ("", 0));
    }

    async fn users_are_listed_by_conditions(world: &World) {
        let start = world.accounts.now();
        some_users(world).await;
        creates(world, "eve@example.org", None, &["editor", "writer"]).await;
        creates(world, "frank@example.org", None, &["editor-in-chief"]).await;
        world.accounts.disable_user(Actor::Operator, &UserRef::Email(address("ada@example.org")), None).await.unwrap();
        let all = UserQuery { order: UserOrder::Oldest, ..UserQuery::default() };
        let at = |after: u64| Some(start + seconds(after));
        let created = |from, before| UserQuery { created: TimeRange { from, before }, ..all.clone() };
        let signed_in = |which| UserQuery { last_sign_in: Some(which), ..all.clone() };
        let within = |from, before| signed_in(LastSignIn::Within(TimeRange { from, before }));
        let status = |status| UserQuery { status: Some(status), ..all.clone() };
        let role = |name: &str| UserQuery { role: Some(name.parse().unwrap()), ..all.clone() };
        for (query, expected) in [
            (all.clone(), "carol ada BOB adele eve frank"),
            (status(UserStatus::Disabled), "ada"),
            (status(UserStatus::Active), "carol BOB adele eve frank"),
            (UserQuery { search: Some("ad".into()), ..status(UserStatus::Active) }, "carol adele"),
            (role("editor"), "eve"),
            (role("writer"), "eve"),
            (role("edit"), ""),
            (role("editor-in-chief"), "frank"),
            (UserQuery { search: Some("frank".into()), ..role("editor") }, ""),
            (created(at(1), None), "ada BOB adele eve frank"),
            (created(at(1), at(3)), "ada BOB"),
            (created(None, at(1)), "carol"),
            (created(at(3), at(3)), ""),
            (within(at(4), None), "carol BOB"),
            (within(at(5), at(6)), "carol"),
            // Whoever never signed in has not done so since.
            (within(None, at(5)), "ada BOB adele eve frank"),
            (signed_in(LastSignIn::Never), "ada adele eve frank"),
            (UserQuery { status: Some(UserStatus::Disabled), ..signed_in(LastSignIn::Never) }, "ada"),
        ] {
            assert_eq!(pages(&world.accounts, query.clone()).await.join(" "), expected, "{query:?}");
            let many = expected.split_whitespace().count();
            assert_eq!(counted(&world.accounts, query.clone()).await, (i64::try_from(many).unwrap(), false), "{query:?}");
            for order in ORDERS {
                let (mut found, _) = walk(&world.accounts, UserQuery { order, ..query.clone() }, 3).await;
                let mut expected: Vec<_> = expected.split_whitespace().map(str::to_owned).collect();
                found.sort();
                expected.sort();
                assert_eq!(found, expected, "{order:?} {query:?}");
            }
        }
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
        let by = |factor| UserQuery { second_factor: Some(factor), order: UserOrder::Oldest, ..UserQuery::default() };
        let other = world.instance_with(|policy| policy.passkeys.enabled = false).await;
        for (factor, expected, without_passkeys) in [
            (FactorStatus::None, "begun none", "begun key none"),
            (FactorStatus::Any, "app key", "app"),
            (FactorStatus::Passkey, "key", ""),
            (FactorStatus::Authenticator, "app", "app"),
        ] {
            assert_eq!(pages(&world.accounts, by(factor)).await.join(" "), expected, "{factor:?}");
            assert_eq!(pages(&other, by(factor)).await.join(" "), without_passkeys, "{factor:?}");
        }
        let page = list(&world.accounts, &UserQuery { order: UserOrder::Email, ..UserQuery::default() }).await;
        let has: Vec<_> = page.items.iter().map(|user| (user.has_authenticator, user.has_passkey)).collect();
        assert_eq!(has, [(true, false), (false, false), (false, true), (false, false)]);
        let page = list(&other, &UserQuery::default()).await;
        assert!(page.items.iter().all(|user| !user.has_passkey));

        for email in ["key@example.org", "none@example.org"] {
            world.accounts.disable_user(Actor::Operator, &UserRef::Email(address(email)), None).await.unwrap();
        }
        for (factor, search, disabled, active) in [
            (FactorStatus::Any, None, "key", "app"),
            (FactorStatus::None, None, "none", "begun"),
            (FactorStatus::Any, Some("k"), "key", ""),
            (FactorStatus::None, Some("one@"), "none", ""),
            (FactorStatus::Any, Some("one@"), "", ""),
        ] {
            for (status, expected) in [(UserStatus::Disabled, disabled), (UserStatus::Active, active)] {
                let query = UserQuery { search: search.map(Into::into), status: Some(status), ..by(factor) };
                assert_eq!(pages(&world.accounts, query.clone()).await.join(" "), expected, "{query:?}");
            }
        }
        let first = list(&world.accounts, &UserQuery { limit: Some(1), ..by(FactorStatus::None) }).await;
        let other = UserQuery { cursor: first.next_cursor, ..by(FactorStatus::Any) };
        assert_eq!(refusal(world.accounts.list_users(Actor::Operator, &other).await), "CursorInvalid");
    }

    // G1: a cursor belongs to its query and to this server.
    async fn made_up_cursors_are_refused(world: &World) {
        for number in 0..3 {
            creates(world, &format!("a{number}@example.org"), None, &[]).await;
        }
        let first = UserQuery { limit: Some(1), ..UserQuery::default() };
        let cursor = list(&world.accounts, &first).await.next_cursor.unwrap();
        for (cursor, search) in [(cursor.as_str(), Some("a")), ("", None), ("AAAA", None), (&cursor[1..], None), ("ä", None)] {
            let query = UserQuery { cursor: Some(cursor.into()), search: search.map(Into::into), ..UserQuery::default() };
            let refused = world.accounts.list_users(Actor::Operator, &query).await;
            assert_eq!(refusal(refused), "CursorInvalid", "{cursor}");
        }
        let since = TimeRange { from: Some(Timestamp::from_millis(0)), before: None };
        for other in [
            UserQuery { order: UserOrder::Oldest, ..first.clone() },
            UserQuery { role: Some("admin".parse().unwrap()), ..first.clone() },
            UserQuery { created: since, ..first.clone() },
            UserQuery { last_sign_in: Some(LastSignIn::Within(since)), ..first.clone() },
        ] {
            let query = UserQuery { cursor: Some(cursor.clone()), ..other };
            assert_eq!(refusal(world.accounts.list_users(Actor::Operator, &query).await), "CursorInvalid", "{query:?}");
        }
        let again = UserQuery { cursor: Some(cursor), counted: true, limit: Some(2), ..first };
        assert_eq!(list(&world.accounts, &again).await.items.len(), 2, "the size of a page may change");
        for limit in [0, 201] {
            let query = UserQuery { limit: Some(limit), ..UserQuery::default() };
            assert_eq!(refusal(world.accounts.list_users(Actor::Operator, &query).await), "LimitInvalid");
        }
    }

    async fn users_are_counted_by_state(world: &World) {
        some_users(world).await;
        world.accounts.disable_user(Actor::Operator, &UserRef::Email(address("ada@example.org")), None).await.unwrap();
        let counts = world.accounts.count_users(Actor::Operator).await.unwrap();
        let exactly = |counted| UserCount { counted, is_lower_bound: false };
        assert_eq!((counts.all, counts.active, counts.disabled), (exactly(4), exactly(3), exactly(1)));
        assert_eq!(list(&world.accounts, &UserQuery::default()).await.count, None, "nobody wanted to know");
    }

    // More than a page looks at: counting ends, and a page may be empty without being the last. Those who were there before the
    // index are found all the same, and are indexed step by step.
    async fn thousands_of_users_are_looked_at_in_steps(world: &World) {
        were_there_before(world, 10_050);
        some_users(world).await;
        let all = UserQuery::default();
        assert_eq!(counted(&world.accounts, all.clone()).await, (10_000, true));
        let counts = world.accounts.count_users(Actor::Operator).await.unwrap();
        assert_eq!((counts.all.counted, counts.active.counted, counts.disabled.counted), (10_000, 10_000, 0));
        assert_eq!((counts.all.is_lower_bound, counts.active.is_lower_bound, counts.disabled.is_lower_bound), (true, true, false));

        // Not indexed: all users are looked at.
        let (found, asked) = walk(&world.accounts, searched("early00007"), 50).await;
        assert_eq!((found, asked), (vec!["early00007".to_owned()], 2));
        assert_eq!(counted(&world.accounts, searched("early00007")).await, (0, true));
        assert_eq!(finds(world, "adalb").await, "carol");
        while world.accounts.sweep().await.unwrap() > 0 {}
        assert_eq!(counted(&world.accounts, searched("early00007")).await, (1, false));
        assert_eq!(walk(&world.accounts, searched("early00007"), 50).await, (vec!["early00007".to_owned()], 1));
        assert_eq!(finds(world, "adalb").await, "carol");

        assert_eq!(counted(&world.accounts, searched("early")).await, (10_000, true));
        assert_eq!(counted(&world.accounts, searched("e.coearly")).await, (0, false));

        // A walk through everybody, in each order; and one for the only one who is meant, whom no index knows.
        let early = |order| UserQuery { order, status: Some(UserStatus::Active), ..searched("early") };
        for order in ORDERS {
            let (found, asked) = walk(&world.accounts, early(order), 200).await;
            assert_eq!((found.len(), asked), (10_050, 51), "{order:?}");
            let mut sorted = found.clone();
            sorted.sort();
            sorted.dedup();
            assert_eq!(sorted.len(), 10_050, "{order:?}: nobody twice");
            if matches!(order, UserOrder::Email | UserOrder::Oldest | UserOrder::EarliestSignIn) {
                assert_eq!(found, sorted, "{order:?}");
            }
        }
        world.sql("UPDATE users SET disabled_at = 1 WHERE email_key LIKE 'early%' AND email_key NOT LIKE '%00007@%'");
        for order in ORDERS {
            let (found, asked) = walk(&world.accounts, early(order), 50).await;
            assert_eq!((found, asked), (vec!["early00007".to_owned()], 2), "{order:?}");
        }
        let counts = world.accounts.count_users(Actor::Operator).await.unwrap();
        assert_eq!((counts.active.counted, counts.active.is_lower_bound, counts.disabled.counted), (5, true, 10_000));
    }
}
