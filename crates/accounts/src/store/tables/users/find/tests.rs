//! A page costs what it may look at, however many users there are: counted in steps of SQLite's virtual machine.

use super::*;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user_list::listed::TimeRange;
use crate::domain::user_list::search_text::Needle;
use crate::policy::DatabasePolicy;
use crate::store::sql::args;
use crate::store::sqlite::steps;
use crate::store::tables::users::standing::count_with_factor;
use crate::store::{Store, migrations};

const USERS: i64 = 30_000;
/// For a page that looks at as many users as it may, and at as many again to count them.
const WALK: i64 = 120 * LOOKED_AT_MAX;
/// For counting all users, and for finding the rarest of eight trigrams.
const COUNT: i64 = 10 * LOOKED_AT_MAX;
const RAREST: i64 = 40 * LOOKED_AT_MAX;
/// Where an index knows at once who is meant.
const FEW: i64 = 1_000;

/// Users called `user000001` to `user030000`, one in `disabled_one_in` of them disabled; nobody has signed in, or has a role or
/// a second factor.
async fn store(disabled_one_in: i64) -> Store {
    let store =
        Store::open(&Secret::from("sqlite::memory:"), &DatabasePolicy::default(), true).await.unwrap();
    for script in &migrations::SCRIPTS {
        let text = migrations::text(&store, script.up);
        store.write(move |tx| tx.script(&text)).await.unwrap();
    }
    let fill = move |tx: &mut Tx<'_>| {
        tx.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) \
             INSERT INTO users (id, email, email_key, password_hash, roles, email_confirmed_at, created_at, disabled_at, \
             search_text) \
             SELECT CAST(printf('%016d', i) AS BLOB), email, email, '', '', 0, i, \
             CASE WHEN i % $2 = 0 THEN 1 END, char(10, 10) || email \
             FROM (SELECT i, printf('user%06d@example.org', i) AS email FROM n)",
            args![USERS, disabled_one_in],
        )?;
        tx.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 22) \
             INSERT INTO user_trigrams (trigram, user_id) \
             SELECT DISTINCT substr(search_text, i, 3), id FROM users, n WHERE i <= length(search_text) - 2 ORDER BY id, 1",
            &[],
        )
    };
    assert!(store.write(fill).await.unwrap() > 20 * u64::try_from(USERS).unwrap());
    store
}

fn all() -> Wanted {
    Wanted {
        needle: None,
        status: None,
        role: None,
        second_factor: None,
        with_passkeys: true,
        created: TimeRange::default(),
        signed_in: TimeRange::default(),
    }
}

fn searched(text: &str) -> Wanted {
    Wanted { needle: Needle::new(text), ..all() }
}

/// A page: how many users it has, whether the list goes on, how many were counted and whether there may be more, and the steps.
async fn page(store: &Store, wanted: &Wanted, order: UserOrder) -> (usize, bool, (i64, bool), i64) {
    let listing = Listing { wanted: wanted.clone(), order, typed: None };
    let read = move |tx: &mut Tx<'_>| {
        steps::take();
        let found = listing.find(tx, None, 51, true)?;
        let count = found.count.unwrap();
        let ids: Vec<UserId> = found.places.iter().map(|place| place.id).collect();
        assert_eq!(list::read(tx, &ids, true)?.len(), ids.len());
        let goes_on = found.end.is_some() || found.places.len() == 51;
        Ok::<_, Fault>((found.places.len(), goes_on, (count.counted, count.is_lower_bound), steps::take()))
    };
    store.read(read).await.unwrap()
}

#[tokio::test]
async fn a_page_looks_at_a_bounded_number_of_users() {
    use UserStatus::{Active, Disabled};
    let (few, many, everybody) = (store(USERS).await, store(2).await, store(1).await);
    let only = |status| Wanted { status: Some(status), ..all() };
    let signed_in = TimeRange { from: Some(Timestamp::from_millis(1)), before: None };
    for order in UserOrder::ALL {
        for (name, store, wanted, expected, most) in [
            ("all", &few, all(), (51, true, (10_000, true)), COUNT),
            ("few are disabled", &few, only(Disabled), (1, false, (1, false)), FEW),
            ("many are", &many, only(Disabled), (51, true, (5_000, true)), WALK),
            ("nobody is active", &everybody, only(Active), (0, true, (0, true)), WALK),
            (
                "nobody has a role",
                &few,
                Wanted { role: "admin".parse().ok(), ..all() },
                (0, false, (0, false)),
                FEW,
            ),
            ("or signed in", &few, Wanted { signed_in, ..all() }, (0, false, (0, false)), FEW),
            (
                "or has a factor",
                &few,
                Wanted { second_factor: Some(FactorStatus::Any), ..all() },
                (0, false, (0, false)),
                FEW,
            ),
            (
                "nobody has one",
                &few,
                Wanted { second_factor: Some(FactorStatus::None), ..all() },
                (51, true, (10_000, true)),
                WALK,
            ),
            ("found by index", &few, searched("ser012345@"), (1, false, (1, false)), RAREST),
            ("not there", &few, searched("nobody"), (0, false, (0, false)), FEW),
            ("part of all", &few, searched("EXAMPLE"), (51, true, (10_000, true)), WALK),
            ("the beginning of all", &few, searched("us"), (51, true, (10_000, true)), WALK),
            ("common parts of nobody", &few, searched("user0example"), (0, false, (0, false)), RAREST),
            (
                "active among all",
                &everybody,
                Wanted { status: Some(Active), ..searched("example") },
                (0, true, (0, true)),
                WALK,
            ),
        ] {
            let (found, goes_on, count, steps) = page(store, &wanted, order).await;
            assert_eq!((found, goes_on, count), expected, "{order:?}: {name}");
            assert!(steps <= most, "{order:?}: {name}: {steps} steps");
        }
    }
}

// What comes after a user costs the same, wherever it is: also among the many who never signed in.
#[tokio::test]
async fn a_later_page_costs_no_more() {
    let store = store(USERS).await;
    for order in UserOrder::ALL {
        let listing = Listing { wanted: all(), order, typed: None };
        let read = move |tx: &mut Tx<'_>| {
            let end = UserId::from_bytes(*b"0000000000015000");
            let after = Place { id: end, email_key: "user015000@example.org".to_owned(), signed_in: 0 };
            steps::take();
            let found = listing.find(tx, Some(&after), 51, false)?;
            Ok::<_, Fault>((found.places, steps::take()))
        };
        let (places, steps) = store.read(read).await.unwrap();
        let first = String::from_utf8_lossy(places[0].id.as_bytes()).into_owned();
        let expected =
            if first.as_str() > "0000000000015000" { "0000000000015001" } else { "0000000000014999" };
        assert_eq!((places.len(), first.as_str()), (51, expected), "{order:?}");
        assert!(steps <= 2_000, "{order:?}: {steps} steps");
    }
}

#[tokio::test]
async fn second_factors_are_counted_in_bounded_work() {
    let store = store(USERS).await;
    let count = |tx: &mut Tx<'_>| {
        steps::take();
        Ok::<_, Fault>((count_with_factor(tx, true, LOOKED_AT_MAX)?, steps::take()))
    };
    let (counted, steps) = store.read(count).await.unwrap();
    assert_eq!(counted, 0);
    assert!(steps <= 80 * LOOKED_AT_MAX, "{steps} steps");
}

// Bytes per user that the index takes, as decision 39 has them.
#[tokio::test]
async fn the_index_takes_about_a_kilobyte_per_user() {
    let store = store(USERS).await;
    let size = |tx: &mut Tx<'_>| {
        let pages = "SELECT SUM(pgsize) FROM dbstat WHERE name = 'user_trigrams'";
        tx.count(pages, &[])
    };
    let bytes = store.read::<_, Fault, _>(size).await.unwrap();
    assert!(bytes / USERS < 1_000, "{} bytes per user", bytes / USERS);
}

/// Of trigrams that more users have than a page looks at, the search goes along the one that finds most.
#[tokio::test]
async fn of_common_trigrams_the_rarest_is_used() {
    let store = store(USERS).await;
    let halve = |tx: &mut Tx<'_>| {
        tx.execute("INSERT INTO user_trigrams (trigram, user_id) SELECT 'erx', id FROM users WHERE created_at % 2 = 0", &[])
    };
    store.write(halve).await.unwrap();
    let listing = Listing { wanted: searched("userx"), order: UserOrder::Newest, typed: None };
    let rarest = store.read(move |tx| listing.rarest(tx)).await.unwrap();
    assert_eq!(rarest, Some(("erx".to_owned(), LOOKED_AT_MAX + 1)));
}
