//! A session and its rows, as the store sees them.

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, accepts, to_sql_checked};

use super::failure::Failure;
use super::session::Session;
use crate::fault::Fault;
use crate::store::sql::{self, Value};

/// The lock taken to change the schema or create the first keys: `vestibul` as a number.
const SCHEMA_LOCK: &str = "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; \
     SELECT pg_advisory_xact_lock(8531330762431002988)";

/// A session, inside or outside a transaction.
pub(crate) struct Tx<'c> {
    pub(super) session: &'c mut Session,
    /// The first failure in the closure, which decides whether it is run again.
    pub(super) failure: Option<Failure>,
}

impl Tx<'_> {
    pub(crate) fn execute(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<u64, Fault> {
        let done = self.session.with(sql, async |client, it| client.execute(it, &refs(args)).await);
        done.map_err(|failure| self.remember(failure))
    }

    pub(crate) fn rows<T>(
        &mut self,
        sql: &'static str,
        args: &[Value<'_>],
        mut map: impl FnMut(&sql::Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let rows = self.session.with(sql, async |client, it| client.query(it, &refs(args)).await);
        let rows = rows.map_err(|failure| self.remember(failure))?;
        rows.iter().map(|row| map(&sql::Row::Postgres(Row(row)))).collect()
    }

    pub(crate) fn script(&mut self, sql: &str) -> Result<(), Fault> {
        self.session.script(sql).map_err(|failure| self.remember(failure))
    }

    /// A second caller waits for the first, whose migration may take hours.
    pub(crate) fn lock_schema(&mut self) -> Result<(), Fault> {
        self.session.take_time();
        self.script(SCHEMA_LOCK)
    }

    fn remember(&mut self, failure: Failure) -> Fault {
        let told = failure.fault();
        self.failure.get_or_insert(failure);
        told
    }
}

fn refs<'a>(args: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    args.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Text(text) => text.to_sql(kind, out),
            Self::Int(number) => number.to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    accepts!(TEXT, INT8, BYTEA);
    to_sql_checked!();
}

pub(crate) struct Row<'r>(&'r tokio_postgres::Row);

impl Row<'_> {
    pub(crate) fn text(&self, index: usize) -> Result<Option<String>, Fault> {
        self.0.try_get(index).map_err(|error| Failure::from(error).fault())
    }

    pub(crate) fn int(&self, index: usize) -> Result<Option<i64>, Fault> {
        self.0.try_get(index).map_err(|error| Failure::from(error).fault())
    }

    pub(crate) fn bytes(&self, index: usize) -> Result<Option<Vec<u8>>, Fault> {
        self.0.try_get(index).map_err(|error| Failure::from(error).fault())
    }
}
