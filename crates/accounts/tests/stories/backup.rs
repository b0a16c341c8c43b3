//! Backups: whole under load, from both databases, and refused when a byte of them has changed.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::migrations::live_a_little;
use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Accounts, BackupError, KeyState, RestoreError, RestoreOptions, SecretKey, Settings, Terms,
    back_up_before_migration, restore_backup, verify_backup,
};

on_both_stores! {
    async fn a_backup_has_every_row(world: &World) {
        live_a_little(world).await;
        world.deliver().await;
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("first.db"), folder.path().join("second.db"));
        let made = world.accounts.back_up(&first).await.unwrap();
        assert_eq!(verify_backup(&first).await.unwrap(), made);
        let rows = |name: &str| made.tables.iter().find(|table| table.name == name).unwrap().rows;
        assert_eq!(rows("users"), u64::try_from(world.sql("SELECT id FROM users")).unwrap());
        assert!(rows("sessions") > 0 && rows("limit_events") > 0 && rows("audit_events") > 0, "{made:?}");
        let permissions = std::fs::metadata(&first).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
        // Nothing changed meanwhile, so another one holds the same, but for the trail, which knows of the first one; and nothing but
        // the two files is left.
        let again = world.accounts.back_up(&second).await.unwrap();
        for (before, now) in made.tables.iter().zip(&again.tables) {
            match before.name.as_str() {
                "audit_events" => assert_eq!(now.rows, before.rows + 1),
                _ => assert_eq!(now, before),
            }
        }
        assert_eq!(again.tables.len(), made.tables.len());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        let refused = world.accounts.back_up(&first).await.unwrap_err();
        assert!(matches!(refused, BackupError::Exists(_)), "{refused}");
        let nowhere = world.accounts.back_up(&folder.path().join("no/such/folder.db")).await.unwrap_err();
        assert!(matches!(nowhere, BackupError::File { .. }), "{nowhere}");
        for mail in ["ada@example.org", "dora@example.org", "bob@example.org", "carol@example.org", "eve@example.org"] {
            world.take_mails_to(mail);
        }
    }

    // Everything acknowledged before it began is in it; what comes meanwhile does not tear it.
    async fn a_backup_under_load_is_whole(world: &World) {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..20 {
            world.signs_up(&format!("before-{number}@example.org")).await;
        }
        let accounts = world.accounts.clone();
        let load = tokio::spawn(async move {
            for number in 0..60 {
                let from = client_at(&format!("198.51.100.{number}"));
                accounts.sign_up(wish(&format!("during-{number}@example.org"), PASSWORD), &from).await.unwrap();
            }
        });
        let mut least = 20;
        for number in 0.. {
            let path = folder.path().join(format!("{number}.db"));
            let made = world.accounts.back_up(&path).await.unwrap();
            assert_eq!(verify_backup(&path).await.unwrap(), made);
            let rows = made.tables.iter().find(|table| table.name == "registrations").unwrap().rows;
            assert!(rows >= least, "{rows} of at least {least}");
            least = rows;
            if load.is_finished() {
                break;
            }
        }
        load.await.unwrap();
        world.deliver().await;
        for number in 0..60 {
            world.letter_to(&format!("during-{number}@example.org"));
        }
    }
}

async fn refused(path: &Path) -> String {
    verify_backup(path).await.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_backup_is_refused_with_the_place() {
    let world = World::on_sqlite().await;
    world.has_account("ada@example.org").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole.db");
    world.accounts.back_up(&path).await.unwrap();
    let whole = std::fs::read(&path).unwrap();
    let changed = |bytes: Vec<u8>| {
        let other = folder.path().join("other.db");
        std::fs::write(&other, bytes).unwrap();
        other
    };
    // One letter of an address, which no check of pages would find.
    let at = whole.windows(15).position(|bytes| bytes == b"ada@example.org").unwrap();
    let mut bytes = whole.clone();
    bytes[at] = b'o';
    let told = refused(&changed(bytes)).await;
    assert!(told.contains("is damaged: "), "{told}");
    let mut bytes = whole.clone();
    bytes.truncate(whole.len() / 2);
    let told = refused(&changed(bytes)).await;
    assert!(told.contains("is damaged: "), "{told}");
    let told = refused(&changed(b"addresses of the shop\n".repeat(1000))).await;
    assert!(told.contains("is not an SQLite database"), "{told}");
    let told = refused(&changed(Vec::new())).await;
    assert!(told.contains("is no backup"), "{told}");
    let told = refused(&folder.path().join("missing.db")).await;
    assert!(told.contains("cannot read"), "{told}");

    let newer = folder.path().join("newer.db");
    std::fs::copy(&path, &newer).unwrap();
    let connection = rusqlite::Connection::open(&newer).unwrap();
    let text: String =
        connection.query_one("SELECT text FROM backup_manifest", [], |row| row.get(0)).unwrap();
    let text = text.replacen("\"schema\":", "\"schema\":9", 1);
    connection.execute("UPDATE backup_manifest SET text = ?1", [text]).unwrap();
    drop(connection);
    let told = verify_backup(&newer).await.unwrap_err();
    assert!(matches!(told, BackupError::Newer { .. }), "{told}");
    verify_backup(&path).await.unwrap();
    // The database file itself is no backup.
    let file = world.settings.database_url.expose().strip_prefix("sqlite:").unwrap().to_owned();
    let told = refused(Path::new(&file)).await;
    assert!(told.contains("it has no manifest"), "{told}");
}

fn at(world: &World, url: &str) -> Settings {
    Settings { database_url: url.into(), ..world.settings.clone() }
}

/// What somebody has who stole the old database, or was in it.
async fn restore_ends_what_was_handed_out(world: &World, url: &str) {
    live_a_little(world).await;
    world.has_account("frank@example.org").await;
    let tokens = world.signs_in("frank@example.org", PASSWORD).await.unwrap();
    let link = world.signs_up("grace@example.org").await.token();
    world.accounts.sign_up(wish("heidi@example.org", PASSWORD), &client()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup.db");
    let made = world.accounts.back_up(&path).await.unwrap();

    let restored = restore_backup(at(world, url), &path, RestoreOptions::default()).await.unwrap();
    assert_eq!(restored.manifest, made);
    assert!(restored.sessions_ended > 0 && restored.recovery_codes_voided == 10, "{restored:?}");
    assert!(restored.mails_given_up > 0, "{restored:?}");
    let accounts = Accounts::open(at(world, url)).await.unwrap();
    assert!(accounts.authenticate(tokens.access_token.expose()).await.is_err());
    assert!(accounts.refresh(tokens.refresh_token.expose(), &client()).await.is_err());
    let chosen = password(PASSWORD);
    assert!(
        accounts.confirm_by_link(&link, Some(&chosen), None, Terms::Unanswered, &client()).await.is_err()
    );
    let states: Vec<_> = accounts.signing_keys().await.unwrap().iter().map(|key| key.state).collect();
    assert_eq!(states, [KeyState::Signing, KeyState::Retired]);
    // The password is as it was, and new mail goes out.
    let login = vestibule::Login::Email(address("frank@example.org"));
    let tokens = accounts.sign_in(&login, &chosen, &client()).await.unwrap();
    accounts.authenticate(tokens.access_token.expose()).await.unwrap();
    assert_eq!(accounts.deliver(&world.mailbox).await.unwrap().sent, 0);
    accounts.health().await.unwrap();
    accounts.close().await;

    // A database with rows is replaced on demand only; and then sessions may be kept.
    let again = restore_backup(at(world, url), &path, RestoreOptions::default()).await.unwrap_err();
    assert!(matches!(again, RestoreError::NotEmpty(_)), "{again}");
    let keep = RestoreOptions { replace: true, keep_sessions: true, resend: true };
    let restored = restore_backup(at(world, url), &path, keep).await.unwrap();
    assert_eq!((restored.sessions_ended, restored.mails_given_up), (0, 0));
    let accounts = Accounts::open(at(world, url)).await.unwrap();
    assert!(accounts.authenticate(tokens.access_token.expose()).await.is_err(), "a session of since");
    accounts.confirm_by_link(&link, Some(&chosen), None, Terms::Unanswered, &client()).await.unwrap();
    let reason = "a laptop was stolen".parse().unwrap();
    assert!(accounts.end_all_sessions(&reason).await.unwrap() > 0);
    assert_eq!(accounts.end_all_sessions(&reason).await.unwrap(), 0);
    accounts.close().await;

    // With another key nothing in it would open.
    let other = Settings { secret_key: SecretKey::generate(), ..at(world, url) };
    let error = restore_backup(other, &path, keep).await.unwrap_err();
    assert!(matches!(error, RestoreError::WrongKey(_)), "{error}");
    Accounts::open(at(world, url)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_sqlite_is_restored_to_postgres() {
    let database = vestibule_testing::database();
    restore_ends_what_was_handed_out(&World::on_sqlite().await, database.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_postgres_is_restored_to_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("restored.db").display());
    restore_ends_what_was_handed_out(&World::on_postgres().await, &url).await;
}

// What is made before a migration can be restored after it, and is migrated on the way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_an_older_schema_is_restored() {
    let world = World::on_sqlite().await;
    world.has_account("ada@example.org").await;
    let folder = tempfile::tempdir().unwrap();
    let (path, url) = (folder.path().join("older.db"), &world.settings.database_url);
    vestibule::Migrator::connect(url).await.unwrap().down(15).await.unwrap();
    let key = Some(&world.settings.secret_key);
    let made = back_up_before_migration(url, key, &path).await.unwrap();
    assert_eq!((made.schema, made.tables.len()), (15, 0));
    assert_eq!(verify_backup(&path).await.unwrap(), made);
    let restored = format!("sqlite:{}", folder.path().join("restored.db").display());
    restore_backup(at(&world, &restored), &path, RestoreOptions::default()).await.unwrap();
    let accounts = Accounts::open(at(&world, &restored)).await.unwrap();
    let login = vestibule::Login::Email(address("ada@example.org"));
    accounts.sign_in(&login, &password(PASSWORD), &client()).await.unwrap();
    assert_eq!(verify_backup(&path).await.unwrap(), made, "the backup stays as it was");
}
