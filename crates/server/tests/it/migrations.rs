//! `vestibule migrate`, and how the server treats an outdated schema.

use vestibule_testing::{Site, on_both_databases};

#[test]
fn the_schema_goes_up_and_down() {
    on_both_databases(|site| {
        // A server has created the database; its tables are reverted.
        drop(site.serve());
        site.run(&["migrate", "down", "--to", "0", "--yes"]).ok();
        let status = site.run(&["migrate", "status", "--json"]).refused(3, "vestibule migrate up");
        let known = status.json();
        assert!(!known.is_empty() && known.iter().all(|it| it["applied_at"].is_null()), "{known:?}");
        let newest = known.len();

        let script = site.run(&["migrate", "sql"]).ok().stdout;
        assert!(
            script.contains("CREATE TABLE") && script.contains("INSERT INTO schema_migrations"),
            "{script}"
        );
        assert_eq!(site.run(&["migrate", "up", "--json"]).ok().json().len(), newest);
        assert!(site.run(&["migrate", "up"]).ok().stdout.is_empty());
        let applied = site.run(&["migrate", "status", "--json"]).ok().json();
        assert!(
            applied.iter().all(|it| it["applied_at"].is_string() && it["checksum_matches"] == true),
            "{applied:?}"
        );

        site.run(&["migrate", "down", "--to", "0"]).refused(2, "--yes");
        assert_eq!(site.run(&["migrate", "down", "--to", "0", "--yes", "--json"]).ok().json().len(), newest);
        site.run(&["migrate", "status"]).refused(3, "pending");
        site.run(&["migrate", "up", "--to", "99"]).refused(5, "99");
        site.run(&["migrate", "down"]).refused(2, "--to");
    });
}

#[test]
fn an_unreachable_database_is_worth_another_try() {
    let site = Site::sqlite();
    let mut command = site.command(&["migrate", "status"]);
    let output = command.env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none").output().unwrap();
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("check that the database runs"));
}
