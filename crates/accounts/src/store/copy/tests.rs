//! The list of tables is that of the schema.

use std::collections::BTreeSet;

use super::tables::{DERIVED, Kind, TABLES};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::migrator::migrate_up;
use crate::policy::DatabasePolicy;
use crate::store::sql::Row;
use crate::store::{Store, Tx};

const OF_SQLITE: &str = "SELECT m.name, c.name, lower(c.type) FROM sqlite_master m JOIN pragma_table_info(m.name) c \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";
const OF_POSTGRES: &str = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), CAST(data_type AS TEXT) \
     FROM information_schema.columns WHERE table_schema = 'public'";

type Columns = BTreeSet<(String, String, String)>;

async fn columns(url: &str) -> Columns {
    let policy = DatabasePolicy { connections: 1, ..DatabasePolicy::default() };
    let store = Store::open(&Secret::from(url), &policy, true).await.unwrap();
    migrate_up(&store, None, Timestamp::from_millis(0)).await.unwrap();
    let read = |tx: &mut Tx<'_>| {
        let sql = if matches!(tx, Tx::Sqlite(_)) { OF_SQLITE } else { OF_POSTGRES };
        tx.rows(sql, &[], |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    };
    let rows: Vec<(String, String, String)> = store.read::<_, Fault, _>(read).await.unwrap();
    rows.into_iter().filter(|(table, ..)| table != "schema_migrations").collect()
}

#[tokio::test]
async fn every_table_and_column_is_copied() {
    let folder = tempfile::tempdir().unwrap();
    let database = vestibule_testing::database();
    let copied =
        TABLES.iter().flat_map(|table| table.columns.iter().map(|(name, kind)| (table.name, *name, *kind)));
    let listed: Columns = copied
        .chain(DERIVED)
        .map(|(table, column, kind)| {
            let kind = match kind {
                Kind::Text => "text",
                Kind::Int => "bigint",
                Kind::Bytes => "bytea",
            };
            (table.to_owned(), column.to_owned(), kind.to_owned())
        })
        .collect();
    for url in [format!("sqlite:{}", folder.path().join("new.db").display()), database.url().to_owned()] {
        let there = columns(&url).await;
        let missing: Vec<_> = there.difference(&listed).collect();
        assert!(missing.is_empty(), "add to store/copy/tables.rs: {missing:?}");
        let gone: Vec<_> = listed.difference(&there).collect();
        assert!(gone.is_empty(), "take off store/copy/tables.rs: {gone:?}");
    }
}

#[test]
fn keys_are_columns() {
    for table in &TABLES {
        assert!(!table.key.is_empty() && table.key.iter().all(|key| table.kind(key).is_some()), "{table:?}");
    }
}
