use crate::on_both_stores;
use crate::world::*;

/// Inserts 2,500 rows: `insert` and the values of each, with different `{bytes}` each time.
fn many(world: &World, insert: &str, values: &str) {
    let bytes = if world.bytes("00").starts_with('x') {
        "CAST(printf('%032d', n) AS BLOB)"
    } else {
        "convert_to(lpad(n::text, 32, '0'), 'UTF8')"
    };
    let numbers =
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2500)";
    let values = values.replace("{bytes}", bytes);
    world.sql(&format!("{numbers} INSERT INTO {insert} SELECT {values} FROM numbers"));
}

on_both_stores! {
    // However much has expired, no step takes long: a thousand rows of each table.
    async fn much_is_swept_in_small_steps(world: &World) {
        world.has_account("ada@example.org").await;
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        world.sql("DELETE FROM refresh_tokens");
        world.sql("UPDATE sessions SET expires_at = 3");
        let subject = world.bytes(&"00".repeat(16));
        many(world, "limit_events (subject, rule, at)", &format!("{subject}, 'code', n"));
        many(world, "limit_subjects (subject, touched_at, failures, free_at)", "{bytes}, n, 0, 0");
        many(world, "idempotency_keys (key, fingerprint, created_at)", "{bytes}, {bytes}, n");
        let session = "session_id, created_at, expires_at";
        many(world, &format!("refresh_tokens (hash, {session})"), "{bytes}, (SELECT id FROM sessions), 1, 2");
        let mut steps = Vec::new();
        loop {
            match world.accounts.sweep().await.unwrap() {
                0 => break,
                rows => steps.push(rows),
            }
        }
        assert_eq!(steps, [4000, 4000, 2001], "the last session goes with its last token");
    }

    // What has expired is deleted; everything else stays.
    async fn the_sweeper_forgets_what_is_over(world: &World) {
        world.has_account("ada@example.org").await;
        world.signs_up("bob@example.org").await;
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        assert_eq!(world.accounts.sweep().await.unwrap(), 0);
        world.advance(hours(24));
        // Two sign-ups: the one that became a user, and the one that did not.
        assert_eq!(world.accounts.sweep().await.unwrap(), 2);
        world.advance(hours(30 * 24));
        // Three mails, the session; requests, codes and sendings of two addresses, and the subjects they were counted
        // for.
        assert!(world.accounts.sweep().await.unwrap() >= 3 + 1 + 6);
        assert_eq!(world.accounts.sweep().await.unwrap(), 0);
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
    }

    async fn health_counts_mail_and_names_its_cause(world: &World) {
        let health = world.accounts.health().await.unwrap();
        assert_eq!((health.mails_waiting, health.mails_failed, health.last_mail_error), (0, 0, None));
        let start = world.clock.now();
        world.accounts.sign_up(wish("ada@example.org", PASSWORD), &client()).await.unwrap();
        let health = world.accounts.health().await.unwrap();
        assert_eq!((health.mails_waiting, health.oldest_mail_at), (1, Some(start)));
        world.deliver().await;
        world.letter_to("ada@example.org");
    }

    // The cost of a readiness check does not grow with the outbox.
    async fn a_ready_check_counts_to_a_thousand(world: &World) {
        let row = |i: u32| format!("({}, 'confirm', {0}, {i}, {}, 0, {})", world.bytes(&format!("{i:032x}")),
            if i < 1500 { "5" } else { "NULL" }, if i < 1500 { "NULL" } else { "6" });
        let rows: Vec<String> = (0..3000).map(row).collect();
        world.sql(&format!("INSERT INTO outbox (id, kind, about, created_at, due_at, attempts, failed_at) VALUES {}", rows.join(", ")));
        let health = world.accounts.health().await.unwrap();
        assert_eq!((health.mails_waiting, health.mails_failed), (1000, 1000));
        world.sql("DELETE FROM outbox");
    }

    // G4: from the first failed write until one succeeds again, the server is not ready.
    async fn writes_that_fail_are_noticed(world: &World) {
        world.has_account("ada@example.org").await;
        world.accounts.health().await.unwrap();
        world.sql("ALTER TABLE registrations RENAME TO elsewhere");
        world.accounts.sign_up(wish("bob@example.org", PASSWORD), &client()).await.unwrap_err();
        world.sql("ALTER TABLE limit_subjects RENAME TO nowhere");
        world.accounts.health().await.unwrap_err();
        world.sql("ALTER TABLE nowhere RENAME TO limit_subjects");
        world.accounts.health().await.unwrap();
        world.sql("ALTER TABLE elsewhere RENAME TO registrations");
    }
}

// A readiness check does not wait for writers: the outcome of the last writes is known.
#[tokio::test]
async fn a_ready_check_does_not_wait_for_the_writer() {
    let world = World::on_sqlite().await;
    world.has_account("ada@example.org").await;
    let path = world.settings.database_url.expose().strip_prefix("sqlite:").unwrap().to_owned();
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    world.accounts.health().await.unwrap();
    other.execute_batch("ROLLBACK").unwrap();
    world.finish().await;
}
