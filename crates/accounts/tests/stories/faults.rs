//! The database goes away and comes back.

use crate::world::*;
use vestibule_testing::Cluster;

// G4, G5: while the database is down everything is refused as temporarily unavailable, never as "wrong password" and
// never with a session; when it is back, the same program continues without a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_postgres_is_survived() {
    let mut cluster = Cluster::start_private();
    let world = World::on(cluster.database()).await;
    world.has_account("ada@example.org").await;
    let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
    let letter = world.signs_up("bob@example.org").await;
    cluster.stop();
    let unavailable = |refused: String| assert!(refused.starts_with("Fault(Unavailable("), "{refused}");
    unavailable(refusal(world.signs_in("ada@example.org", PASSWORD).await));
    unavailable(refusal(world.signs_in("ada@example.org", OTHER_PASSWORD).await));
    unavailable(refusal(world.accounts.authenticate(tokens.access_token.expose()).await));
    unavailable(refusal(world.accounts.refresh(tokens.refresh_token.expose(), &client()).await));
    unavailable(refusal(world.accounts.sign_up(wish("eve@example.org", PASSWORD), &client()).await));
    unavailable(refusal(confirm(&world.accounts, "bob@example.org", PASSWORD, &letter.code()).await));
    assert!(world.accounts.health().await.is_err());
    assert!(world.accounts.deliver(&world.mailbox).await.is_err());
    cluster.start();
    world.accounts.health().await.unwrap();
    world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
    // The refused attempts consumed nothing.
    world.accounts.refresh(tokens.refresh_token.expose(), &client()).await.unwrap();
    world.confirms("bob@example.org", PASSWORD, &letter.code()).await.unwrap();
    assert_eq!(world.kinds_to("bob@example.org"), ["welcome"]);
    world.finish().await;
}

// The server was restarted between two requests: lost connections are opened again without anyone noticing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_postgres_is_not_noticed() {
    let mut cluster = Cluster::start_private();
    let world = World::on(cluster.database()).await;
    world.has_account("ada@example.org").await;
    for _ in 0..3 {
        cluster.restart();
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
    }
    cluster.kill();
    cluster.start();
    world.signs_in("ada@example.org", PASSWORD).await.unwrap();
    world.finish().await;
}
