//! The statements that copy a table, made once of the constants in [`tables`](super::tables): none depends on input.

use std::sync::LazyLock;

use super::tables::{Kind, TABLES, Table};
use crate::fault::Fault;
use crate::store::Tx;

/// How many rows are read at a time.
const BATCH: usize = 500;
/// How many rows one statement inserts, where there are as many.
pub(super) const GROUP: usize = 25;

/// The statements of one table.
pub(super) struct Statements {
    table: &'static str,
    /// The first rows in the order of the key.
    pub(super) first: String,
    /// The rows after a key.
    pub(super) next: String,
    pub(super) insert: String,
    /// Inserts [`GROUP`] rows.
    pub(super) insert_group: String,
    /// Finds a row, if there is one.
    pub(super) any: String,
    pub(super) count: String,
    pub(super) clear: String,
}

#[cfg(feature = "sqlite")]
static SQLITE: LazyLock<Vec<Statements>> = LazyLock::new(|| made(""));
// The order of text must be that of SQLite, which compares bytes: checksums go through the rows in it.
#[cfg(feature = "postgres")]
static POSTGRES: LazyLock<Vec<Statements>> = LazyLock::new(|| made(" COLLATE \"C\""));

/// The statements of `table` for the database of `tx`.
pub(super) fn of(tx: &Tx<'_>, table: &Table) -> Result<&'static Statements, Fault> {
    let all: &'static [Statements] = match tx {
        #[cfg(feature = "sqlite")]
        Tx::Sqlite(_) => &SQLITE,
        #[cfg(feature = "postgres")]
        Tx::Postgres(_) => &POSTGRES,
    };
    let found = all.iter().find(|statements| statements.table == table.name);
    found.ok_or_else(|| Fault::Unavailable(format!("no statements for the table {}", table.name)))
}

fn made(collation: &str) -> Vec<Statements> {
    TABLES.iter().map(|table| Statements::new(table, collation)).collect()
}

impl Statements {
    fn new(table: &'static Table, collation: &str) -> Self {
        let name = table.name;
        let key = |column: &&str| match table.kind(column) {
            Some(Kind::Text) => format!("{column}{collation}"),
            _ => (*column).to_owned(),
        };
        let key = table.key.iter().map(key).collect::<Vec<_>>().join(", ");
        let columns = table.columns.iter().map(|(column, _)| *column).collect::<Vec<_>>().join(", ");
        let (count, group) =
            if table.is_unique { ("1", String::new()) } else { ("COUNT(*)", format!(" GROUP BY {columns}")) };
        let select = format!("SELECT {columns}, CAST({count} AS BIGINT) FROM {name}");
        let order = format!("{group} ORDER BY {key} LIMIT {BATCH}");
        let after = row(0, table.key.len());
        let insert = |rows: usize| {
            let width = table.columns.len();
            let rows = (0..rows).map(|number| row(number, width)).collect::<Vec<_>>().join(", ");
            format!("INSERT INTO {name} ({columns}) VALUES {rows}")
        };
        Self {
            table: name,
            first: format!("{select}{order}"),
            next: format!("{select} WHERE ({key}) > {after}{order}"),
            insert: insert(1),
            insert_group: insert(GROUP),
            any: format!("SELECT CAST(1 AS BIGINT) FROM {name} LIMIT 1"),
            count: format!("SELECT COUNT(*) FROM {name}"),
            clear: format!("DELETE FROM {name}"),
        }
    }
}

/// The parameters of row `number`: `($1, $2, $3)`.
fn row(number: usize, width: usize) -> String {
    let parameters = (1..=width).map(|column| format!("${}", number * width + column));
    format!("({})", parameters.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_follow_the_key_and_the_columns() {
        let of = |name: &str| {
            let table = TABLES.iter().find(|table| table.name == name).unwrap();
            Statements::new(table, " COLLATE \"C\"")
        };
        let grants = of("application_grants");
        assert!(grants.next.contains("WHERE (user_id, application_id COLLATE \"C\") > ($1, $2) ORDER BY"));
        assert!(grants.insert.ends_with("VALUES ($1, $2, $3, $4, $5)"), "{}", grants.insert);
        assert!(grants.insert_group.contains("($6, $7, $8, $9, $10)"), "{}", grants.insert_group);
        let events = of("limit_events");
        assert!(events.first.contains("COUNT(*)") && events.first.contains("GROUP BY subject, rule, at"));
    }
}
