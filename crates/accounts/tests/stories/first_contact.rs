//! The first contact with a PostgreSQL database: its URL means the same as to PostgreSQL's own programs, and a database
//! that cannot be used is reported immediately, with its specific cause.

use vestibule::{DatabaseError, DatabasePolicy, Migrator, OpenError, Secret};
use vestibule_testing::{Cluster, Pooler, TestDatabase};

use crate::world::*;

/// Whether a database can be queried by this URL.
async fn ask(url: String) -> Result<(), String> {
    let migrator = Migrator::connect(&Secret::from(url)).await.map_err(|error| error.to_string())?;
    migrator.status().await.map(drop).map_err(|error| error.to_string())
}

// G2: the server's identity is checked as far as `sslmode` says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_checked_as_far_as_the_url_says() {
    let mut cluster = Cluster::start_private();
    let tls = cluster.listen_with_tls("db.example.test");
    let database = cluster.database();
    let own = format!("&sslrootcert={}", tls.authority.display());
    let stranger = format!("&sslrootcert={}", tls.self_signed.display());
    let by = |name: &str, mode: &str, roots: &str| tls.url(&database, name, &format!("{mode}{roots}"));
    let (full, ca, require) = ("&sslmode=verify-full", "&sslmode=verify-ca", "&sslmode=require");
    let (right, wrong) = ("db.example.test", "other.example.test");
    for accepted in
        [by(right, full, &own), by(right, ca, &own), by(wrong, ca, &own), by(wrong, require, &own)]
    {
        ask(accepted.clone()).await.unwrap_or_else(|error| panic!("{accepted}: {error}"));
    }
    for (refused, words) in [
        (by(wrong, full, &own), "not valid for name"),
        (by(right, full, &stranger), "UnknownIssuer"),
        (by(right, ca, &stranger), "UnknownIssuer"),
        (by(right, full, ""), "UnknownIssuer"),
        (by(right, require, ""), "UnknownIssuer"),
        (by(right, "", ""), "UnknownIssuer"),
        (by(right, "&sslmode=disable", ""), "no encryption"),
    ] {
        let error = ask(refused.clone()).await.expect_err(&refused);
        assert!(error.contains(words), "{refused}: {error}");
    }
    // A common setup: a certificate that is its own authority.
    cluster.show_self_signed();
    for accepted in [by(right, full, &stranger), by(wrong, ca, &stranger)] {
        ask(accepted.clone()).await.unwrap_or_else(|error| panic!("{accepted}: {error}"));
    }
    for (refused, words) in [
        (by(wrong, full, &stranger), "not valid for name"),
        (by(right, ca, &own), "invalid peer certificate"),
    ] {
        let error = ask(refused.clone()).await.expect_err(&refused);
        assert!(error.contains(words), "{refused}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_is_named_by_the_options() {
    let database = vestibule_testing::database();
    database.execute("CREATE SCHEMA apart");
    let url = format!("{}?options=-csearch_path%3Dapart", database.url());
    let migrator = Migrator::connect(&Secret::from(url)).await.unwrap();
    assert!(!migrator.up(None).await.unwrap().is_empty());
    let schemas = database.rows("SELECT DISTINCT schemaname::text FROM pg_tables WHERE tablename = 'users'");
    assert_eq!(schemas, [[Some("apart".to_owned())]]);
}

/// What is wrong with the database of this URL.
async fn refused(url: &str) -> DatabaseError {
    let policy = DatabasePolicy { wait: seconds(60), ..DatabasePolicy::default() };
    match Migrator::connect_existing(&Secret::from(url), &policy).await {
        Err(OpenError::Database(error)) => error,
        other => panic!("{url}: {other:?}"),
    }
}

// Waiting would not help: each is reported immediately, although the policy allows a minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_pass_is_not_waited_for() {
    let mut cluster = Cluster::start_private();
    let tls = cluster.listen_with_tls("db.example.test");
    let database = cluster.database();
    database.execute("CREATE ROLE asked LOGIN PASSWORD 'right'");
    let by = |login: &str| {
        let url = tls.url(&database, "db.example.test", "&sslmode=verify-full&sslrootcert=");
        url.replace("vestibule@", login) + &tls.authority.display().to_string()
    };
    Migrator::connect(&Secret::from(by("asked:right@"))).await.unwrap();
    for login in ["asked:wrong@", "asked@", "nobody@"] {
        let error = refused(&by(login)).await;
        assert!(matches!(error, DatabaseError::Credentials(_)), "{login}: {error}");
        assert!(!error.to_string().contains("wrong"), "{error}");
    }
    let error = refused(&by("vestibule@").replace(database.name(), "nothing")).await;
    assert!(matches!(error, DatabaseError::NoDatabase(_)), "{error}");
    let error = refused(vestibule_testing::latin1_database().url()).await;
    assert_eq!(error, DatabaseError::Encoding("LATIN1".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_must_pool_sessions() {
    let database = vestibule_testing::database();
    let pooler = Pooler::start(&database, "transaction");
    let error = refused(&pooler.url(&database)).await;
    assert_eq!(error, DatabaseError::TransactionPooling);
    let pooler = Pooler::start(&database, "session");
    let url = pooler.url(&database);
    let world = World::reached_by(&url, database, |_| {}).await;
    world.has_account("ada@example.org").await;
    world.finish().await;
}

// Database and server are started together, and the server is faster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_up_yet_is_waited_for() {
    let mut cluster = Cluster::start_private();
    let database: TestDatabase = cluster.database();
    cluster.stop();
    let url = Secret::from(database.url());
    let waits = |wait| {
        let (url, policy) = (url.clone(), DatabasePolicy { wait, ..DatabasePolicy::default() });
        async move { Migrator::connect_existing(&url, &policy).await }
    };
    let error = waits(seconds(0)).await.unwrap_err();
    assert!(matches!(error, OpenError::Database(DatabaseError::Unreachable(_))), "{error}");
    let waiting = tokio::spawn(waits(seconds(60)));
    cluster.start();
    waiting.await.unwrap().unwrap();
}
