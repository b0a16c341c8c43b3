//! `vestibule db move`: a site changes its database, and its users notice nothing but a moment of read-only.

use vestibule_testing::{Finished, PASSWORD, Server, Site, database, eventually, mode};

const ADA: &str = "ada@example.org";

/// The token of before, the password, and a new user.
fn works(server: &Server, token: &str, newcomer: &str) {
    let http = server.http();
    assert_eq!(http.me(token)["email"], ADA);
    http.sign_in(ADA, PASSWORD);
    server.has_confirmed(newcomer, PASSWORD);
}

#[test]
fn a_site_moves_to_postgres_while_it_runs() {
    let (site, postgres) = (Site::sqlite(), database());
    let before = site.serve();
    before.has_confirmed(ADA, PASSWORD);
    let token = before.http().sign_in(ADA, PASSWORD);
    site.run(&["db", "move"]).refused(2, "--to");
    site.run(&["db", "move", "--abort"]).refused(5, "not being moved");
    site.run(&["db", "move", "--to", "mysql://x"])
        .refused(2, "does not begin with `sqlite:` or `postgres://`");
    site.run(&["db", "move", "--to", "sqlite::memory:"]).refused(2, "name a file");
    let unreachable = "postgres://nobody@127.0.0.1:1/none";
    site.run(&["db", "move", "--to", unreachable]).refused(75, "the database to move to: ");
    before.http().sign_in(ADA, PASSWORD);

    let moved = site.run_with_input(&["database", "move", "--to", "-", "--json"], postgres.url()).ok();
    let users = moved.json().into_iter().find(|line| line["table"] == "users").unwrap();
    assert_eq!(users["rows"], 1);
    let key = site.path("vestibule-data/secret.key").canonicalize().unwrap();
    let (key, said) = (key.to_str().unwrap(), &moved.stderr);
    assert!(said.contains(&format!("VESTIBULE_SECRET_KEY_FILE to {key}")), "{said}");
    assert!(said.contains("counts and checksums agree") && said.contains("To go back"), "{said}");

    // The server of before reads and changes nothing; no other starts, and no command works on what it has.
    let refused = before.http().try_password(ADA, PASSWORD);
    assert_eq!(refused.status, 503);
    assert!(!refused.header("retry-after").is_empty());
    assert!(refused.json(503)["detail"].as_str().unwrap().contains("are being moved"));
    assert_eq!(before.http().me(&token)["email"], ADA);
    // Its answer counts for a second.
    eventually("it is not ready", || (before.get("/readyz").status == 503).then_some(()));
    site.run(&["user", "list"]).refused(3, "the accounts have moved from this database to postgres://");
    let again = ["db", "move", "--to", postgres.url()];
    site.run(&again).refused(3, "have moved from this database");

    let settings = [("VESTIBULE_DATABASE_URL", postgres.url()), ("VESTIBULE_SECRET_KEY_FILE", key)];
    works(&site.serve_with(&settings), &token, "bob@example.org");
    site.run(&["db", "move", "--abort"]).refused(2, "--yes");
    let aborted = site.run(&["db", "move", "--abort", "--yes", "--json"]).ok().json();
    assert!(aborted[0]["finished_at"].is_string(), "{aborted:?}");
    before.http().sign_in(ADA, PASSWORD);
    let trail = site.run(&["audit", "export", "--kind", "database_moved"]).ok().json();
    let off = trail[0]["detail"].as_str().unwrap();
    assert!(
        trail.len() == 1 && off.starts_with("the move to postgres://") && off.ends_with("was called off"),
        "{off}"
    );
}

#[test]
fn a_site_moves_to_sqlite() {
    let site = Site::postgres();
    let before = site.serve();
    before.has_confirmed(ADA, PASSWORD);
    let token = before.http().sign_in(ADA, PASSWORD);
    let target = format!("sqlite:{}", site.path("moved.db").display());
    let moved = site.run(&["db", "move", "--to", &target, "--reason", "one machine is enough"]).ok();
    assert!(moved.stdout.lines().any(|line| line.starts_with("users\t1\t")), "{}", moved.stdout);
    assert_eq!(mode(&site.path("moved.db")), 0o600);
    assert_eq!(before.http().try_password(ADA, PASSWORD).status, 503);
    drop(before);
    works(&site.serve_with(&[("VESTIBULE_DATABASE_URL", &target)]), &token, "bob@example.org");
    let mut audit = site.command(&["audit", "export", "--kind", "database_moved"]);
    let trail = Finished::of(audit.env("VESTIBULE_DATABASE_URL", &target)).ok().json();
    let detail = trail[0]["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("from postgres://") && detail.ends_with("; reason: one machine is enough"),
        "{detail}"
    );
    assert!(trail[0]["operator"].is_string(), "{trail:?}");
    site.run(&["db", "move", "--to", &target]).refused(3, "have moved from this database");
}
