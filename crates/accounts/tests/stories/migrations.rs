use std::collections::BTreeMap;

use crate::applications::claims::told;
use crate::applications::{asks, shop};
use crate::world::*;
use vestibule::{MigrateError, Migrator, Secret};

fn sqlite_rows(path: &std::path::Path, sql: &str) -> Vec<Vec<String>> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement
        .query_map([], |row| {
            (0..columns).map(|i| row.get::<_, Option<String>>(i).map(Option::unwrap_or_default)).collect()
        })
        .unwrap();
    rows.map(Result::unwrap).collect()
}

/// Table and column to type and nullability; table to its unique keys.
type Schema = (BTreeMap<(String, String), (String, bool)>, BTreeMap<String, Vec<Vec<String>>>);

fn schema_of_sqlite(path: &std::path::Path) -> Schema {
    let columns = sqlite_rows(
        path,
        "SELECT m.name, c.name, lower(c.type), CAST(c.\"notnull\" AS TEXT) FROM sqlite_master m \
         JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'",
    );
    let keys = sqlite_rows(
        path,
        "SELECT m.name, (SELECT group_concat(i.name, ',') FROM pragma_index_info(l.name) i) FROM sqlite_master m \
         JOIN pragma_index_list(m.name) l WHERE m.type = 'table' AND l.\"unique\" = 1",
    );
    schema(columns, keys)
}

fn schema_of_postgres(database: &vestibule_testing::TestDatabase) -> Schema {
    let text = |rows: Vec<Vec<Option<String>>>| -> Vec<Vec<String>> {
        rows.into_iter().map(|row| row.into_iter().map(Option::unwrap_or_default).collect()).collect()
    };
    let columns = text(database.rows(
        "SELECT table_name, column_name, data_type, CASE is_nullable WHEN 'NO' THEN '1' ELSE '0' END \
         FROM information_schema.columns WHERE table_schema = 'public'",
    ));
    let keys = text(database.rows(
        "SELECT t.relname::text, string_agg(a.attname::text, ',' ORDER BY k.ord) FROM pg_index i \
         JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace \
         CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k (attnum, ord) \
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum \
         WHERE i.indisunique AND n.nspname = 'public' GROUP BY t.relname, i.indexrelid",
    ));
    schema(columns, keys)
}

fn schema(columns: Vec<Vec<String>>, keys: Vec<Vec<String>>) -> Schema {
    let mut named = BTreeMap::new();
    for column in columns {
        let [table, name, kind, not_null] = <[String; 4]>::try_from(column).unwrap();
        named.insert((table, name), (kind, not_null == "1"));
    }
    let mut unique: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for key in keys {
        let [table, columns] = <[String; 2]>::try_from(key).unwrap();
        unique.entry(table).or_default().push(columns.split(',').map(str::to_owned).collect());
    }
    for keys in unique.values_mut() {
        keys.sort();
    }
    (named, unique)
}

#[tokio::test]
async fn both_databases_have_the_same_schema() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("parity.db");
    let database = vestibule_testing::database();
    for url in [format!("sqlite:{}", path.display()), database.url().to_owned()] {
        Migrator::connect(&Secret::from(url)).await.unwrap().up(None).await.unwrap();
    }
    let (sqlite, postgres) = (schema_of_sqlite(&path), schema_of_postgres(&database));
    assert!(sqlite.0.len() > 50, "the columns were read");
    assert_eq!(sqlite.0, postgres.0);
    assert_eq!(sqlite.1, postgres.1);
}

async fn up_and_down(url: &str) {
    let url = Secret::from(url);
    let migrator = Migrator::connect(&url).await.unwrap();
    let newest = migrator.status().await.unwrap().last().unwrap().version;
    assert!(migrator.up(None).await.unwrap().is_empty(), "opening the accounts has applied everything");
    // The tables have rows: reverting must cope with them.
    let versions: Vec<i64> = migrator.status().await.unwrap().iter().map(|it| it.version).collect();
    for version in versions.iter().rev() {
        let taken_back = migrator.down(version - 1).await.unwrap();
        assert_eq!(taken_back.iter().map(|m| m.version).collect::<Vec<_>>(), [*version]);
    }
    assert!(migrator.status().await.unwrap().iter().all(|m| m.applied_at.is_none()));
    let script = migrator.sql(None).await.unwrap();
    assert!(script.contains("-- 0001 init up") && script.contains("CREATE TABLE users"));
    assert_eq!(migrator.up(None).await.unwrap().len(), versions.len());
    assert!(migrator.status().await.unwrap().iter().all(|m| m.applied_at.is_some() && m.checksum_matches));
    let script = migrator.sql(Some(0)).await.unwrap();
    assert!(script.contains("-- 0001 init down") && script.contains("DROP TABLE users"));
    let unknown = migrator.down(newest + 1).await.unwrap_err();
    assert_eq!(unknown.to_string(), format!("there is no schema version {}", newest + 1));
}

/// Puts rows into every table that an ordinary life fills.
pub(crate) async fn live_a_little(world: &World) {
    world.has_account("ada@example.org").await;
    world.signs_in("ada@example.org", "not the password").await.unwrap_err();
    world.signs_in("ada@example.org", PASSWORD).await.unwrap();
    let (_, proof) =
        world.accounts.sign_up_in_browser(wish("dora@example.org", PASSWORD), &client()).await.unwrap();
    world.deliver().await;
    let code = world.letter_to("dora@example.org").code().parse().unwrap();
    let confirmed =
        world.accounts.confirm_by_code_in_browser(proof.expose(), &code, None, None, &client()).await;
    assert!(confirmed.unwrap().is_some(), "a session of a browser, and a sign-up that was claimed");
    let display_name = Some("Bob, the Builder".parse().unwrap());
    let wish = vestibule::SignUp {
        display_name,
        idempotency_key: Some("1".into()),
        ..wish("bob@example.org", PASSWORD)
    };
    world.accounts.sign_up(wish, &client()).await.unwrap();
    let telling = crate::webhooks::telling(world, &["app"]).await;
    crate::webhooks::creates(&telling, "eve@example.org").await;
    let invitation = vestibule::NewInvitation {
        email: address("carol@example.org"),
        user_name: None,
        roles: vestibule::Roles::default(),
        locale: None,
    };
    world.accounts.invite(vestibule::Actor::Operator, invitation).await.unwrap();
    world.accounts.setup_link().await.unwrap().unwrap();
    lives_with_applications(world).await;
    crate::applications::assertions::uses_one(world).await;
    let by = world.has_application(&crate::applications::logouts::desk()).await;
    let who = world.session_of("ada@example.org").await;
    world.shops(&by, "openid", &who).await;
    world.accounts.sign_out(&who, false, &client()).await.unwrap();
    assert_eq!(world.sql("SELECT 1 FROM webhook_deliveries WHERE session_id IS NOT NULL"), 1);
    let who = world.session_of("ada@example.org").await;
    world.adds_app(&who).await;
    world.adds_passkey(&who).await;
    let asked = world.signs_in("ada@example.org", PASSWORD).await;
    assert!(refusal(asked).starts_with("SecondFactorRequired"), "a right password that waits");
}

/// Two sessions of one application, a code, and a request that waits; how many sessions are this service's own.
async fn lives_with_applications(world: &World) -> usize {
    let who = world.session_of("ada@example.org").await;
    let data = serde_json::json!({"theme": "dark"}).as_object().unwrap().clone();
    world.accounts.update_data(&who, data, &client()).await.unwrap();
    let own = world.sql("SELECT id FROM sessions");
    let by = world.has_application(&told()).await;
    for scope in ["openid", "openid offline_access"] {
        world.shops(&by, scope, &who).await;
    }
    world.code_for(&shop(), "openid", &who).await;
    let request = world.request(asks(&shop(), "openid")).await;
    world.accounts.keep_authorization(&request, "browser", &client()).await.unwrap();
    assert_eq!(world.sql("SELECT id FROM sessions"), own + 2);
    own
}

/// What an application was given does not become a session of this service's own.
async fn sessions_of_applications_go_with_their_columns(world: &World) {
    world.has_account("ada@example.org").await;
    let own = lives_with_applications(world).await;
    let migrator = Migrator::connect(&world.settings.database_url).await.unwrap();
    migrator.down(13).await.unwrap();
    assert_eq!(world.sql("SELECT id FROM sessions"), own);
    assert_eq!(world.sql("SELECT hash FROM refresh_tokens"), own);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_applications_go_with_their_columns_on_sqlite() {
    sessions_of_applications_go_with_their_columns(&World::on_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_applications_go_with_their_columns_on_postgres() {
    sessions_of_applications_go_with_their_columns(&World::on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_migration_goes_down_with_rows_on_sqlite() {
    let world = World::on_sqlite().await;
    live_a_little(&world).await;
    up_and_down(world.settings.database_url.expose()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_migration_goes_down_with_rows_on_postgres() {
    let world = World::on_postgres().await;
    live_a_little(&world).await;
    up_and_down(world.settings.database_url.expose()).await;
}

/// The users of earlier mails are found during the migration.
async fn mails_find_their_users(world: &World) {
    let ada = vestibule::UserRef::Id(world.has_account("ada@example.org").await.id);
    world.advance(seconds(60));
    world.accounts.forgot_password(&address("ada@example.org"), &client()).await.unwrap();
    world.signs_up("bob@example.org").await;
    world.deliver().await;
    assert_eq!(world.kinds_to("ada@example.org"), ["password_reset"]);
    let before = world.accounts.mails_to(vestibule::Actor::Operator, &ada).await.unwrap();
    let kinds: Vec<_> = before.iter().map(|mail| mail.kind.as_str()).collect();
    assert_eq!(kinds, ["password_reset", "welcome", "confirm"]);
    let migrator = Migrator::connect(&world.settings.database_url).await.unwrap();
    migrator.down(7).await.unwrap();
    migrator.up(None).await.unwrap();
    let reopened = world.instance_with(|_| ()).await;
    let after = reopened.mails_to(vestibule::Actor::Operator, &ada).await.unwrap();
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_of_before_find_their_users_on_sqlite() {
    mails_find_their_users(&World::on_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_of_before_find_their_users_on_postgres() {
    mails_find_their_users(&World::on_postgres().await).await;
}

// G5: a program does not touch a newer schema.
#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("newer.db");
    let url = Secret::from(format!("sqlite:{}", path.display()));
    Migrator::connect(&url).await.unwrap().up(None).await.unwrap();
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute("INSERT INTO schema_migrations VALUES (99, 'future', '', 0)", [])
        .unwrap();
    let error = Migrator::connect(&url).await.unwrap().up(None).await.unwrap_err();
    assert!(error.to_string().contains("schema version 99"), "{error}");
}

// G5: concurrent migrations wait for each other.
#[tokio::test(flavor = "multi_thread")]
async fn parallel_migrations_apply_each_version_once() {
    let folder = tempfile::tempdir().unwrap();
    let database = vestibule_testing::database();
    for url in [format!("sqlite:{}", folder.path().join("m.db").display()), database.url().to_owned()] {
        let url = Secret::from(url);
        let runs = (0..6).map(|_| async {
            let migrator = Migrator::connect(&url).await.unwrap();
            migrator.up(None).await.unwrap().len()
        });
        let applied: usize = futures_util::future::join_all(runs).await.into_iter().sum();
        assert_eq!(applied, Migrator::connect(&url).await.unwrap().status().await.unwrap().len());
    }
}

/// Runs a script as a database administrator does.
fn run_by_hand(world: &World, script: &str) {
    match world.settings.database_url.expose().strip_prefix("sqlite:") {
        Some(path) => rusqlite::Connection::open(path).unwrap().execute_batch(script).unwrap(),
        None => world.postgres().execute(script),
    }
}

// A script that was printed and run by hand is equivalent to `migrate up`: it records what it does.
async fn scripts_run_by_hand(world: &World) {
    let migrator = Migrator::connect(&world.settings.database_url).await.unwrap();
    let newest = migrator.status().await.unwrap().len();
    run_by_hand(world, &migrator.sql(Some(3)).await.unwrap());
    let status = migrator.status().await.unwrap();
    assert_eq!(status.iter().filter(|it| it.applied_at.is_some()).count(), 3);
    run_by_hand(world, &migrator.sql(None).await.unwrap());
    let status = migrator.status().await.unwrap();
    let is_recent =
        |it: &vestibule::Migration| it.applied_at.is_some_and(|at| at.as_millis() > 1_700_000_000_000);
    assert!(status.iter().all(|it| is_recent(it) && it.checksum_matches), "{status:?}");
    assert_eq!(migrator.sql(None).await.unwrap(), "");
    assert!(migrator.up(None).await.unwrap().is_empty());
    world.another_instance().await;

    // An older script, or one run without recording: this is noticed, reported, and can be fixed.
    world.sql("DELETE FROM schema_migrations WHERE version > 6");
    let error = migrator.up(None).await.unwrap_err();
    assert!(matches!(error, MigrateError::NotRecorded(7)), "{error}");
    let recorded = migrator.record(None).await.unwrap();
    assert_eq!(
        recorded.iter().map(|it| it.version).collect::<Vec<_>>(),
        status.iter().map(|it| it.version).filter(|version| *version > 6).collect::<Vec<_>>()
    );
    world.another_instance().await;
    // A version that was not applied is not recorded either.
    migrator.down(6).await.unwrap();
    let error = migrator.record(None).await.unwrap_err();
    assert!(matches!(error, MigrateError::NotThere(7)), "{error}");
    assert_eq!(migrator.status().await.unwrap().iter().filter(|it| it.applied_at.is_some()).count(), 6);
    assert_eq!(migrator.up(None).await.unwrap().len(), newest - 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_run_by_hand_are_recorded_on_sqlite() {
    scripts_run_by_hand(&World::on_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_run_by_hand_are_recorded_on_postgres() {
    scripts_run_by_hand(&World::on_postgres().await).await;
}

#[tokio::test]
async fn wrong_urls_are_told() {
    for (url, told) in [
        ("mysql://localhost/x", "does not begin with `sqlite:` or `postgres://`"),
        ("sqlite:", "names no file"),
        ("postgres://host:port", "the port in the database URL is not a number"),
    ] {
        let error = Migrator::connect(&Secret::from(url)).await.unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}
