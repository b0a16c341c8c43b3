//! A connection and its rows, as the store sees them.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

#[cfg(test)]
use super::steps;
use crate::fault::Fault;
use crate::store::sql::{self, Value};

/// A connection, inside or outside a transaction.
pub(crate) struct Tx<'c>(pub(super) &'c Connection);

impl Tx<'_> {
    pub(crate) fn execute(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<u64, Fault> {
        let rows = self.0.prepare_cached(&numbered(sql))?.execute(rusqlite::params_from_iter(args))?;
        Ok(rows as u64)
    }

    pub(crate) fn rows<T>(
        &mut self,
        sql: &'static str,
        args: &[Value<'_>],
        mut map: impl FnMut(&sql::Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut statement = self.0.prepare_cached(&numbered(sql))?;
        let mut rows = statement.query(rusqlite::params_from_iter(args))?;
        let mut mapped = Vec::new();
        while let Some(row) = rows.next()? {
            mapped.push(map(&sql::Row::Sqlite(Row(row)))?);
        }
        drop(rows);
        #[cfg(test)]
        steps::count(&statement);
        Ok(mapped)
    }

    pub(crate) fn script(&mut self, sql: &str) -> Result<(), Fault> {
        Ok(self.0.execute_batch(sql)?)
    }
}

/// PostgreSQL's `$1` is a name to SQLite, which counts by number only when it is written `?1`.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Int(Some(number)) => ValueRef::Integer(*number),
            Self::Bytes(Some(bytes)) => ValueRef::Blob(bytes),
            Self::Text(None) | Self::Int(None) | Self::Bytes(None) => ValueRef::Null,
        }))
    }
}

pub(crate) struct Row<'r>(&'r rusqlite::Row<'r>);

impl Row<'_> {
    pub(crate) fn text(&self, index: usize) -> Result<Option<String>, Fault> {
        Ok(self.0.get(index)?)
    }

    pub(crate) fn int(&self, index: usize) -> Result<Option<i64>, Fault> {
        Ok(self.0.get(index)?)
    }

    pub(crate) fn bytes(&self, index: usize) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.0.get(index)?)
    }
}
