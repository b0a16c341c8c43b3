//! PostgreSQL goes away slowly, or allows less than was asked for.

use std::time::Duration;

use futures_util::future::join_all;
use vestibule_testing::Proxy;

use crate::world::*;

const ADA: &str = "ada@example.org";

/// Sends this many concurrent requests; each must be answered.
async fn asks_at_once(world: &World, token: &str, number: usize) {
    for answer in join_all((0..number).map(|_| world.accounts.authenticate(token))).await {
        answer.unwrap();
    }
}

// G4: a host that silently stops answering is abandoned for the next one in the URL; nobody is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_host_is_left_for_the_next_one() {
    let database = vestibule_testing::database();
    let (first, second) = (Proxy::before(&database), Proxy::before(&database));
    let url = Proxy::url(&database, &[&first, &second]);
    let brief = |policy: &mut vestibule::Policy| policy.database.statement_timeout = seconds(1);
    let world = World::reached_by(&url, database, brief).await;
    world.has_account(ADA).await;
    let tokens = world.signs_in(ADA, PASSWORD).await.unwrap();
    let token = tokens.access_token.expose();
    asks_at_once(&world, token, 64).await;
    first.fall_silent();
    let back = async {
        asks_at_once(&world, token, 64).await;
        world.accounts.refresh(tokens.refresh_token.expose(), &client()).await.unwrap();
    };
    tokio::time::timeout(Duration::from_secs(10), back).await.expect("back within ten seconds");
    // And back to the first, when it is the other one's turn to fail.
    first.speak_again();
    second.fall_silent();
    let back = asks_at_once(&world, token, 64);
    tokio::time::timeout(Duration::from_secs(10), back).await.expect("back within ten seconds");
    world.finish().await;
}

// An instance that gets fewer connections than it wants works with those, and refuses nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_connections_are_enough() {
    let database = vestibule_testing::database();
    let url = database.url_with_few_connections(3);
    let world = World::reached_by(&url, database, |_| {}).await;
    world.has_account(ADA).await;
    let tokens = world.signs_in(ADA, PASSWORD).await.unwrap();
    for _ in 0..3 {
        asks_at_once(&world, tokens.access_token.expose(), 100).await;
    }
    let people: Vec<_> = (0..10).map(|number| format!("person{number}@example.org")).collect();
    for pending in join_all(people.iter().map(|email| world.signs_up_with(email, PASSWORD))).await {
        pending.unwrap();
    }
    world.deliver().await;
    for email in &people {
        assert_eq!(world.kinds_to(email), ["confirm"]);
    }
    world.finish().await;
}

// The server may close connections that are idle for a while; the next user does not notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_were_closed_for_idleness_are_made_anew() {
    let database = vestibule_testing::database();
    database.execute(&format!("ALTER DATABASE {} SET idle_session_timeout = '200ms'", database.name()));
    let world = World::on(database).await;
    world.has_account(ADA).await;
    for _ in 0..4 {
        let tokens = world.signs_in(ADA, PASSWORD).await.unwrap();
        asks_at_once(&world, tokens.access_token.expose(), 32).await;
        world.postgres().wait_until_left("vestibule");
    }
    world.finish().await;
}
