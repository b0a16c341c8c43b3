//! Accounts move to another database and back, with rows in every table; nobody is signed out, and no link is lost.

use std::ops::ControlFlow;

use crate::migrations::live_a_little;
use crate::world::*;
use vestibule::{
    Accounts, Actor, DatabaseError, DatabasePolicy, Env, Fault, MoveError, MovedTable, Mover, OpenError,
    Secret, Settings, Terms, Tokens, UserQuery, abort_move,
};

async fn mover(from: &Secret, to: &Secret) -> Result<Mover, MoveError> {
    Mover::connect(from, to, &DatabasePolicy::default()).await
}

async fn moves(from: &Secret, to: &Secret) -> Vec<MovedTable> {
    let mover = mover(from, to).await.unwrap();
    let tables = mover.run(|_| ControlFlow::Continue(())).await.unwrap();
    mover.close();
    tables
}

/// The second move found the rows of the first, and one more: that of the first in the audit trail.
fn assert_same(again: &[MovedTable], before: &[MovedTable]) {
    for (again, before) in again.iter().zip(before) {
        if again.name == "audit_events" {
            assert_eq!(again.rows, before.rows + 1);
        } else {
            assert_eq!(again, before);
        }
    }
}

fn at(settings: &Settings, url: &Secret) -> Settings {
    Settings { database_url: url.clone(), ..settings.clone() }
}

/// What somebody holds who signed in before the move.
struct Holdings {
    tokens: Tokens,
    link: String,
    code: String,
}

async fn holdings(world: &World) -> Holdings {
    world.has_account("frank@example.org").await;
    let tokens = world.signs_in("frank@example.org", PASSWORD).await.unwrap();
    let link = world.signs_up("grace@example.org").await.token();
    let code = world.signs_up("heidi@example.org").await.code();
    world.accounts.forgot_password(&address("frank@example.org"), &client()).await.unwrap();
    world.deliver().await;
    Holdings { tokens, link, code }
}

/// Session, refresh token, password, link and code of before.
async fn all_works(accounts: &Accounts, held: &Holdings) {
    let who = accounts.authenticate(held.tokens.access_token.expose()).await.unwrap();
    assert_eq!(who.account.email.as_str(), "frank@example.org");
    let tokens = accounts.refresh(held.tokens.refresh_token.expose(), &client()).await.unwrap();
    accounts.authenticate(tokens.access_token.expose()).await.unwrap();
    let login = vestibule::Login::Email(address("frank@example.org"));
    accounts.sign_in(&login, &password(PASSWORD), &client()).await.unwrap();
    let chosen = password(PASSWORD);
    accounts.confirm_by_link(&held.link, Some(&chosen), None, Terms::Unanswered, &client()).await.unwrap();
    confirm(accounts, "heidi@example.org", PASSWORD, &held.code).await.unwrap();
    accounts.health().await.unwrap();
    // The index of searches stays behind: it is made anew, and everybody is found meanwhile.
    for part in ["rank@", "fr"] {
        let search = UserQuery { search: Some(part.to_owned()), ..UserQuery::default() };
        for _ in 0..2 {
            let found = accounts.list_users(Actor::Operator, &search).await.unwrap().items;
            assert_eq!(found.len(), 1, "{part}");
            accounts.sweep().await.unwrap();
        }
    }
}

fn refused(result: Result<impl std::fmt::Debug, OpenError>) -> DatabaseError {
    match result.unwrap_err() {
        OpenError::Database(error) => error,
        error => panic!("another error: {error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_move_to_postgres_and_back() {
    let world = World::on_sqlite().await;
    live_a_little(&world).await;
    let held = holdings(&world).await;
    let from = world.settings.database_url.clone();
    let database = vestibule_testing::database();
    let postgres = Secret::from(database.url());
    let there = moves(&from, &postgres).await;
    let empty: Vec<_> = there.iter().filter(|table| table.rows == 0).map(|table| table.name).collect();
    assert!(empty.is_empty(), "no rows in {empty:?}: the story shows nothing about them");

    let back = tempfile::tempdir().unwrap();
    let sqlite = Secret::from(format!("sqlite:{}", back.path().join("back.db").display()));
    assert_same(&moves(&postgres, &sqlite).await, &there);

    // What was left behind is opened by nobody; what was reached last works as before.
    for left in [&from, &postgres] {
        let error = refused(Accounts::open(at(&world.settings, left)).await);
        assert!(matches!(error, DatabaseError::Moved(_)), "{error}");
        assert!(!error.to_string().contains("postgres:postgres@"), "{error}");
    }
    let accounts = Accounts::open(at(&world.settings, &sqlite)).await.unwrap();
    all_works(&accounts, &held).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_move_to_sqlite_and_stay_whole() {
    let world = World::on_postgres().await;
    live_a_little(&world).await;
    let held = holdings(&world).await;
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Secret::from(format!("sqlite:{}", folder.path().join("moved.db").display()));
    let there = moves(&world.settings.database_url, &sqlite).await;
    let database = vestibule_testing::database();
    let postgres = Secret::from(database.url());
    assert_same(&moves(&sqlite, &postgres).await, &there);
    let accounts = Accounts::open(at(&world.settings, &postgres)).await.unwrap();
    all_works(&accounts, &held).await;
}

/// A move that is stopped, seen from a server that goes on running.
async fn a_server_is_read_only_while_its_accounts_move(world: &World, to: &Secret) {
    let held = holdings(world).await;
    let from = world.settings.database_url.clone();
    let mover = mover(&from, to).await.unwrap();
    let stopped = mover.run(|_| ControlFlow::Break(())).await.unwrap_err();
    assert!(matches!(stopped, MoveError::Stopped), "{stopped}");

    let read_only = |refused: String| assert_eq!(refused, "Fault(ReadOnly)");
    read_only(refusal(world.signs_in("frank@example.org", PASSWORD).await));
    read_only(refusal(world.accounts.refresh(held.tokens.refresh_token.expose(), &client()).await));
    read_only(refusal(confirm(&world.accounts, "heidi@example.org", PASSWORD, &held.code).await));
    read_only(refusal(world.accounts.sign_up(wish("ivan@example.org", PASSWORD), &client()).await));
    world.accounts.authenticate(held.tokens.access_token.expose()).await.unwrap();
    world.accounts.health().await.unwrap();
    let half = refused(Accounts::open(at(&world.settings, to)).await);
    assert!(matches!(half, DatabaseError::HalfMoved(_)), "{half}");

    // Taken back: everything goes on, and nothing was lost.
    let policy = DatabasePolicy::default();
    let aborted = abort_move(&from, &policy, &Env::system()).await.unwrap().unwrap();
    assert_eq!(aborted.finished_at, None);
    assert_eq!(abort_move(&from, &policy, &Env::system()).await.unwrap(), None);
    world.signs_in("frank@example.org", PASSWORD).await.unwrap();
    world.accounts.health().await.unwrap();

    // Run again, it begins anew, in the database that has some rows already.
    let tables = mover.run(|_| ControlFlow::Continue(())).await.unwrap();
    assert!(tables.iter().any(|table| table.name == "users" && table.rows == 1), "{tables:?}");
    read_only(refusal(world.signs_in("frank@example.org", PASSWORD).await));
    assert!(matches!(world.accounts.health().await, Err(Fault::Unavailable(_))));
    world.accounts.authenticate(held.tokens.access_token.expose()).await.unwrap();
    let again = self::mover(&from, to).await.unwrap_err();
    assert!(matches!(again, MoveError::AlreadyMoved(_)), "{again}");
    all_works(&Accounts::open(at(&world.settings, to)).await.unwrap(), &held).await;
    assert!(abort_move(&from, &policy, &Env::system()).await.unwrap().unwrap().finished_at.is_some());
    all_works(&world.accounts, &held).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_on_sqlite_is_read_only_while_its_accounts_move() {
    let database = vestibule_testing::database();
    let world = World::on_sqlite().await;
    a_server_is_read_only_while_its_accounts_move(&world, &Secret::from(database.url())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_on_postgres_is_read_only_while_its_accounts_move() {
    let folder = tempfile::tempdir().unwrap();
    let to = Secret::from(format!("sqlite:{}", folder.path().join("moved.db").display()));
    a_server_is_read_only_while_its_accounts_move(&World::on_postgres().await, &to).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_with_rows_and_a_source_without_are_refused() {
    let (world, other) = (World::on_sqlite().await, World::on_postgres().await);
    let (from, to) = (&world.settings.database_url, &other.settings.database_url);
    let error = mover(from, to).await.unwrap_err();
    assert!(matches!(error, MoveError::NotEmpty("signing_keys")), "{error}");
    let error = mover(from, from).await.unwrap_err();
    assert!(matches!(error, MoveError::NotEmpty(_)), "{error}");
    world.has_account("ada@example.org").await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| Secret::from(format!("sqlite:{}", folder.path().join(name).display()));
    let error = mover(&path("missing.db"), &path("new.db")).await.unwrap_err();
    assert!(error.to_string().contains("there is no database at"), "{error}");
    let empty = path("empty.db");
    vestibule::Migrator::connect(&empty).await.unwrap().up(None).await.unwrap();
    let error = mover(&empty, &path("new.db")).await.unwrap_err();
    assert!(error.to_string().contains("no server has used it"), "{error}");
    let error = mover(from, &path("no/such/folder.db")).await.unwrap_err();
    assert!(error.to_string().starts_with("the database to move to: "), "{error}");
    // None of these attempts holds anything.
    world.signs_in("ada@example.org", PASSWORD).await.unwrap();
}
