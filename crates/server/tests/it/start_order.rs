//! The server and its database are started together, in any order.

use std::process::Stdio;

use vestibule_testing::{Cluster, Finished, PATIENCE, Site, eventually, lines};

/// A site whose database is not up.
fn too_early() -> (Cluster, Site) {
    let mut cluster = Cluster::start_private();
    let site = Site::on(cluster.database());
    cluster.stop();
    (cluster, site)
}

#[test]
fn a_database_that_starts_late_is_waited_for_and_that_is_said_once() {
    let (mut cluster, site) = too_early();
    let mut child = site.serving(&[]).stderr(Stdio::piped()).spawn().unwrap();
    let log = lines(child.stderr.take().unwrap());
    let next = || log.recv_timeout(PATIENCE).expect("the server goes on");
    let first = next();
    assert!(first.contains("waiting for the database") && first.contains("30s"), "{first}");
    cluster.start();
    let said = std::iter::from_fn(|| Some(next())).take_while(|line| !line.contains("\"listening\""));
    assert_eq!(said.filter(|line| line.contains("waiting")).count(), 0);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn waiting_has_an_end_and_ends_at_a_signal() {
    let (_cluster, site) = too_early();
    let brief = [("VESTIBULE_DATABASE_WAIT", "1s")];
    Finished::of(&mut site.serving(&brief))
        .refused(75, "the database cannot be reached")
        .refused(75, "fix: check that the database runs");
    let mut child = site.serving(&[]).stderr(Stdio::piped()).spawn().unwrap();
    let log = lines(child.stderr.take().unwrap());
    assert!(log.recv_timeout(PATIENCE).unwrap().contains("waiting for the database"));
    assert!(std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert_eq!(eventually("it ends", || child.try_wait().unwrap()).code(), Some(0));
}

// A person waits for these: they report it immediately.
#[test]
fn commands_do_not_wait_but_migrations_do() {
    let (mut cluster, site) = too_early();
    site.run(&["user", "list"]).refused(75, "the database cannot be reached");
    site.run(&["migrate", "status"]).refused(75, "the database cannot be reached");
    let mut child = site.command(&["migrate", "up"]).stderr(Stdio::piped()).spawn().unwrap();
    let log = lines(child.stderr.take().unwrap());
    assert!(log.recv_timeout(PATIENCE).unwrap().contains("waiting for the database"));
    cluster.start();
    assert!(child.wait().unwrap().success());
}
