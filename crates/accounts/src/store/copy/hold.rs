//! A database that is being copied away takes no changes: triggers refuse them, and a table says where the rows go.
//!
//! Triggers, because they cost nothing while nobody moves, and hold for every program on the database (decision 37).
//! Neither is part of the schema's versions: they are there for the time of a move only.

use std::sync::LazyLock;

use super::tables::TABLES;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::migrations::holds;
use crate::store::sql::args;

const TABLE: &str = "database_move";
const MAKE_TABLE: &str = "CREATE TABLE database_move (slot BIGINT NOT NULL PRIMARY KEY, role TEXT NOT NULL, \
     place TEXT NOT NULL, begun_at BIGINT NOT NULL, finished_at BIGINT, CHECK (slot = 1))";
const SOURCE: &str = "source";
const TARGET: &str = "target";

/// What the refusal of SQLite's triggers says; the store recognises it by its code.
const WORDS: &str = "the accounts are being moved to another database";

/// What a database is in a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Its rows are being copied to this place, or were.
    Source { to: String, finished_at: Option<Timestamp> },
    /// It gets the rows of this place, and does not have all of them yet.
    Target { from: String },
}

/// The part of this database in a move, if there is one.
pub(crate) fn role(tx: &mut Tx<'_>) -> Result<Option<Role>, Fault> {
    if !holds(tx, TABLE, "")? {
        return Ok(None);
    }
    let sql = "SELECT role, place, finished_at FROM database_move";
    tx.row(sql, &[], |row| {
        let (role, place): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(match role.as_str() {
            SOURCE => Role::Source { to: place, finished_at: row.get_opt(2)? },
            _ => Role::Target { from: place },
        })
    })
}

/// From the end of this transaction on, the database takes no changes. Waits for those that are under way.
pub(crate) fn hold(tx: &mut Tx<'_>, to: &str, now: Timestamp) -> Result<(), Fault> {
    tx.lock_schema()?;
    // An earlier attempt holds it: this one goes on.
    if let Some(Role::Source { .. }) = role(tx)? {
        let sql = "UPDATE database_move SET place = $1, begun_at = $2, finished_at = NULL";
        tx.execute(sql, args![to, now])?;
        return Ok(());
    }
    put(tx, SOURCE, to, now)?;
    tx.script(&triggers(tx).hold)
}

/// Notes that everything has been copied. The database stays as it is.
pub(crate) fn finish(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), Fault> {
    tx.execute("UPDATE database_move SET finished_at = $1", args![now])?;
    Ok(())
}

/// The database takes changes again.
pub(crate) fn release(tx: &mut Tx<'_>) -> Result<(), Fault> {
    tx.lock_schema()?;
    tx.script(&triggers(tx).release)?;
    forget(tx)
}

/// Notes that rows are coming, so that no server takes the first of them for all.
pub(crate) fn expect_rows(tx: &mut Tx<'_>, from: &str, now: Timestamp) -> Result<(), Fault> {
    tx.lock_schema()?;
    forget(tx)?;
    put(tx, TARGET, from, now)
}

/// Nothing is left of the move in this database.
pub(crate) fn forget(tx: &mut Tx<'_>) -> Result<(), Fault> {
    tx.script("DROP TABLE IF EXISTS database_move")
}

fn put(tx: &mut Tx<'_>, role: &str, place: &str, now: Timestamp) -> Result<(), Fault> {
    tx.script(MAKE_TABLE)?;
    tx.execute(
        "INSERT INTO database_move (slot, role, place, begun_at) VALUES (1, $1, $2, $3)",
        args![role, place, now],
    )?;
    Ok(())
}

struct Triggers {
    hold: String,
    release: String,
}

#[cfg(feature = "sqlite")]
static SQLITE: LazyLock<Triggers> = LazyLock::new(Triggers::of_sqlite);
#[cfg(feature = "postgres")]
static POSTGRES: LazyLock<Triggers> = LazyLock::new(Triggers::of_postgres);

fn triggers(tx: &Tx<'_>) -> &'static Triggers {
    match tx {
        #[cfg(feature = "sqlite")]
        Tx::Sqlite(_) => &SQLITE,
        #[cfg(feature = "postgres")]
        Tx::Postgres(_) => &POSTGRES,
    }
}

/// All tables that anything is written to.
fn tables() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|table| table.name).chain(["schema_migrations"])
}

impl Triggers {
    #[cfg(feature = "sqlite")]
    fn of_sqlite() -> Self {
        let changes =
            || tables().flat_map(|table| ["insert", "update", "delete"].map(|change| (table, change)));
        let hold = changes().map(|(table, change)| {
            format!(
                "CREATE TRIGGER held_{table}_{change} BEFORE {change} ON {table} \
                 BEGIN SELECT RAISE(ABORT, '{WORDS}'); END;\n"
            )
        });
        let release =
            changes().map(|(table, change)| format!("DROP TRIGGER IF EXISTS held_{table}_{change};\n"));
        Self { hold: hold.collect(), release: release.collect() }
    }

    /// All tables are locked against writes first, which waits for the transactions that write. One that waits for a lock
    /// of this one in turn is run again, or this one is.
    #[cfg(feature = "postgres")]
    fn of_postgres() -> Self {
        let code = crate::store::postgres::READ_ONLY;
        let begin = format!(
            "LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE;\n\
             CREATE FUNCTION database_held() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION '{WORDS}' USING ERRCODE = '{code}'; END $$;\n",
            tables().collect::<Vec<_>>().join(", "),
        );
        let triggers = tables().map(|table| {
            format!(
                "CREATE TRIGGER held BEFORE INSERT OR UPDATE OR DELETE ON {table} \
                 FOR EACH ROW EXECUTE FUNCTION database_held();\n"
            )
        });
        let release = "DROP FUNCTION IF EXISTS database_held() CASCADE;\n";
        Self { hold: std::iter::once(begin).chain(triggers).collect(), release: release.to_owned() }
    }
}
