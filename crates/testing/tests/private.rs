//! A cluster that a test may stop and crash.

use vestibule_testing::Cluster;

fn count(database: &vestibule_testing::TestDatabase) -> Option<String> {
    database.rows("SELECT count(*) FROM marks").remove(0).remove(0)
}

#[test]
fn data_survives_a_stop_and_a_crash() {
    let mut cluster = Cluster::start_private();
    let database = cluster.database();
    database.execute("CREATE TABLE marks (id BIGINT); INSERT INTO marks VALUES (1)");
    cluster.restart();
    assert_eq!(count(&database).as_deref(), Some("1"));

    database.execute("INSERT INTO marks VALUES (2)");
    cluster.kill();
    assert!(postgres::Client::connect(database.url(), postgres::NoTls).is_err());
    cluster.start();
    assert_eq!(count(&database).as_deref(), Some("2"));
}

#[test]
fn an_open_connection_is_told_of_a_stop() {
    let mut cluster = Cluster::start_private();
    let database = cluster.database();
    let mut client = postgres::Client::connect(database.url(), postgres::NoTls).unwrap();
    cluster.stop();
    let error = client.batch_execute("SELECT 1").unwrap_err();
    assert!(
        error.is_closed() || error.code() == Some(&postgres::error::SqlState::ADMIN_SHUTDOWN),
        "{error:?}"
    );
}

#[test]
fn it_may_be_used_inside_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let database = Cluster::start_private().database();
        drop(database);
    });
}
