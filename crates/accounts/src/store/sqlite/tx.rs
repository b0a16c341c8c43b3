//! A connection and its rows, as the store sees them.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement, ToSql};

#[cfg(test)]
use super::steps;
use crate::fault::Fault;
use crate::store::sql::{self, Value};

/// A connection, inside or outside a transaction.
pub(crate) struct Tx<'c>(pub(super) &'c Connection);

impl Tx<'_> {
    pub(crate) fn execute(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<u64, Fault> {
        let mut statement = self.0.prepare_cached(sql)?;
        bind(&mut statement, args)?;
        Ok(statement.raw_execute()? as u64)
    }

    pub(crate) fn rows<T>(
        &mut self,
        sql: &'static str,
        args: &[Value<'_>],
        mut map: impl FnMut(&sql::Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut statement = self.0.prepare_cached(sql)?;
        bind(&mut statement, args)?;
        let mut rows = statement.raw_query();
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

/// PostgreSQL's `$1` is a name to SQLite, which numbers names in the order in which a statement mentions them.
fn bind(statement: &mut Statement<'_>, args: &[Value<'_>]) -> Result<(), Fault> {
    for place in 1..=statement.parameter_count() {
        let number =
            statement.parameter_name(place).and_then(|name| name.strip_prefix('$')?.parse::<usize>().ok());
        let value = number.and_then(|number| args.get(number.checked_sub(1)?));
        let value = value
            .ok_or_else(|| Fault::Unavailable(format!("parameter {place} of a statement has no value")))?;
        statement.raw_bind_parameter(place, value)?;
    }
    Ok(())
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
