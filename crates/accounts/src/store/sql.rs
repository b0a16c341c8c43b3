//! One SQL interface for both databases: a closed set of values, rows and transactions.
//!
//! Every statement is a `&'static str`, so none can be assembled from input (G1). Parameters are `$1 … $n`. A `NULL` is
//! bound with the type of its column, as PostgreSQL requires.

use super::pulse::noted;
use crate::domain::ids::{
    AuditId, EventId, InvitationId, MailId, PasskeyId, RegistrationId, SessionId, UserId,
};
use crate::domain::time::Timestamp;
use crate::fault::Fault;

/// The value of a column: text, a 64-bit integer, or bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Text(Option<&'a str>),
    Int(Option<i64>),
    Bytes(Option<&'a [u8]>),
}

/// Types that can be parameters.
pub(crate) trait Bind {
    /// The `NULL` of this type.
    const NULL: Value<'static>;
    fn bind(&self) -> Value<'_>;
}

/// Types that can be read from a column.
pub(crate) trait Column: Sized {
    /// `None` if the column is `NULL`.
    fn read(row: &Row<'_>, index: usize) -> Result<Option<Self>, Fault>;
}

/// The parameters of a statement.
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::store::sql::Bind::bind(&$value)),*] };
}
pub(crate) use args;

impl Bind for str {
    const NULL: Value<'static> = Value::Text(None);
    fn bind(&self) -> Value<'_> {
        Value::Text(Some(self))
    }
}

impl Bind for String {
    const NULL: Value<'static> = Value::Text(None);
    fn bind(&self) -> Value<'_> {
        Value::Text(Some(self))
    }
}

impl Bind for i64 {
    const NULL: Value<'static> = Value::Int(None);
    fn bind(&self) -> Value<'_> {
        Value::Int(Some(*self))
    }
}

impl Bind for Timestamp {
    const NULL: Value<'static> = Value::Int(None);
    fn bind(&self) -> Value<'_> {
        Value::Int(Some(self.as_millis()))
    }
}

impl Bind for [u8] {
    const NULL: Value<'static> = Value::Bytes(None);
    fn bind(&self) -> Value<'_> {
        Value::Bytes(Some(self))
    }
}

impl Bind for Vec<u8> {
    const NULL: Value<'static> = Value::Bytes(None);
    fn bind(&self) -> Value<'_> {
        Value::Bytes(Some(self))
    }
}

impl<const N: usize> Bind for [u8; N] {
    const NULL: Value<'static> = Value::Bytes(None);
    fn bind(&self) -> Value<'_> {
        Value::Bytes(Some(self))
    }
}

impl<T: Bind + ?Sized> Bind for &T {
    const NULL: Value<'static> = T::NULL;
    fn bind(&self) -> Value<'_> {
        (**self).bind()
    }
}

impl<T: Bind> Bind for Option<T> {
    const NULL: Value<'static> = T::NULL;
    fn bind(&self) -> Value<'_> {
        self.as_ref().map_or(T::NULL, Bind::bind)
    }
}

impl Column for String {
    fn read(row: &Row<'_>, index: usize) -> Result<Option<Self>, Fault> {
        row.text(index)
    }
}

impl Column for i64 {
    fn read(row: &Row<'_>, index: usize) -> Result<Option<Self>, Fault> {
        row.int(index)
    }
}

impl Column for Timestamp {
    fn read(row: &Row<'_>, index: usize) -> Result<Option<Self>, Fault> {
        Ok(row.int(index)?.map(Self::from_millis))
    }
}

impl Column for Vec<u8> {
    fn read(row: &Row<'_>, index: usize) -> Result<Option<Self>, Fault> {
        row.bytes(index)
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(row: &Row<'_>, index: usize) -> Result<Option<Self>, Fault> {
        let fixed = |bytes: Vec<u8>| {
            Self::try_from(bytes).map_err(|bytes| {
                Fault::Unavailable(format!("column {index} holds {} bytes instead of {N}", bytes.len()))
            })
        };
        row.bytes(index)?.map(fixed).transpose()
    }
}

macro_rules! id_column {
    ($($id:ty),*) => { $(
        impl Bind for $id {
            const NULL: Value<'static> = Value::Bytes(None);
            fn bind(&self) -> Value<'_> {
                Value::Bytes(Some(self.as_bytes()))
            }
        }
        impl Column for $id {
            fn read(row: &Row<'_>, index: usize) -> Result<Option<Self>, Fault> {
                Ok(<[u8; 16]>::read(row, index)?.map(Self::from_bytes))
            }
        }
    )* };
}
id_column!(UserId, RegistrationId, SessionId, MailId, AuditId, EventId, InvitationId, PasskeyId);

/// A row of a result.
pub(crate) enum Row<'r> {
    #[cfg(feature = "sqlite")]
    Sqlite(super::sqlite::tx::Row<'r>),
    #[cfg(feature = "postgres")]
    Postgres(super::postgres::tx::Row<'r>),
}

impl Row<'_> {
    /// A column that is never `NULL`.
    pub(crate) fn get<C: Column>(&self, index: usize) -> Result<C, Fault> {
        C::read(self, index)?.ok_or_else(|| {
            Fault::Unavailable(format!("column {index} of a row is NULL, which it must not be"))
        })
    }

    /// A column that may be `NULL`.
    pub(crate) fn get_opt<C: Column>(&self, index: usize) -> Result<Option<C>, Fault> {
        C::read(self, index)
    }

    fn text(&self, index: usize) -> Result<Option<String>, Fault> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(row) => row.text(index),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => row.text(index),
        }
    }

    fn int(&self, index: usize) -> Result<Option<i64>, Fault> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(row) => row.int(index),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => row.int(index),
        }
    }

    fn bytes(&self, index: usize) -> Result<Option<Vec<u8>>, Fault> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(row) => row.bytes(index),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => row.bytes(index),
        }
    }
}

/// Where statements run: inside a transaction for a write, on its own for a read.
pub(crate) enum Tx<'c> {
    #[cfg(feature = "sqlite")]
    Sqlite(super::sqlite::tx::Tx<'c>),
    #[cfg(feature = "postgres")]
    Postgres(super::postgres::tx::Tx<'c>),
}

impl Tx<'_> {
    /// Runs a statement; returns how many rows it changed.
    pub(crate) fn execute(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<u64, Fault> {
        let executed = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(tx) => tx.execute(sql, args),
            #[cfg(feature = "postgres")]
            Self::Postgres(tx) => tx.execute(sql, args),
        };
        noted(executed, |rows| *rows > 0)
    }

    /// Runs a statement that returns rows, and maps each of them.
    pub(crate) fn rows<T>(
        &mut self,
        sql: &'static str,
        args: &[Value<'_>],
        map: impl FnMut(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let read = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(tx) => tx.rows(sql, args, map),
            #[cfg(feature = "postgres")]
            Self::Postgres(tx) => tx.rows(sql, args, map),
        };
        noted(read, |rows| !rows.is_empty() && !sql.starts_with("SELECT"))
    }

    /// Runs a statement and maps its first row, if there is one.
    pub(crate) fn row<T>(
        &mut self,
        sql: &'static str,
        args: &[Value<'_>],
        map: impl FnMut(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        Ok(self.rows(sql, args, map)?.into_iter().next())
    }

    /// The single number that a statement returns.
    pub(crate) fn count(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<i64, Fault> {
        Ok(self.row(sql, args, |row| row.get(0))?.unwrap_or(0))
    }

    /// Runs several statements without parameters: the text of a migration.
    pub(crate) fn script(&mut self, sql: &str) -> Result<(), Fault> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(tx) => tx.script(sql),
            #[cfg(feature = "postgres")]
            Self::Postgres(tx) => tx.script(sql),
        }
    }

    /// Runs a statement that changes nothing, and locks its rows until this transaction ends.
    pub(crate) fn lock_rows(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<(), Fault> {
        match self {
            // A write transaction of SQLite is exclusive already.
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => {
                let _ = (sql, args);
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => self.execute(sql, args).map(drop),
        }
    }

    /// Prevents others from changing the schema or creating the first keys until this transaction ends.
    pub(crate) fn lock_schema(&mut self) -> Result<(), Fault> {
        match self {
            // A write transaction of SQLite is exclusive already.
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(tx) => tx.lock_schema(),
        }
    }
}
