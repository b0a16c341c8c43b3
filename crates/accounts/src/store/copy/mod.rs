//! Copies the rows of one database into another, table by table, and says what a table holds: the same sum of the same
//! rows on both databases.

pub(crate) mod hold;
#[cfg(feature = "sqlite")]
pub(crate) mod manifest;
#[cfg(feature = "sqlite")]
pub(crate) mod restored;
mod statements;
pub(crate) mod tables;
#[cfg(test)]
mod tests;

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;

use self::statements::{GROUP, of};
use self::tables::{Kind, TABLES, Table};
use super::Tx;
use super::sql::{Row, Value};
use crate::fault::Fault;

/// A value that has left its database.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Held {
    Text(Option<String>),
    Int(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

impl Held {
    fn read(row: &Row<'_>, index: usize, kind: Kind) -> Result<Self, Fault> {
        Ok(match kind {
            Kind::Text => Self::Text(row.get_opt(index)?),
            Kind::Int => Self::Int(row.get_opt(index)?),
            Kind::Bytes => Self::Bytes(row.get_opt(index)?),
        })
    }

    fn bind(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text.as_deref()),
            Self::Int(number) => Value::Int(*number),
            Self::Bytes(bytes) => Value::Bytes(bytes.as_deref()),
        }
    }

    /// Adds what it is, how long, and its bytes: no two rows of different values add the same.
    fn add_to(&self, sum: &mut Context) {
        let number;
        let (kind, bytes) = match self {
            Self::Text(text) => (b't', text.as_deref().map(str::as_bytes)),
            Self::Int(value) => {
                number = value.map(i64::to_be_bytes);
                (b'i', number.as_ref().map(<[u8; 8]>::as_slice))
            }
            Self::Bytes(bytes) => (b'b', bytes.as_deref()),
        };
        let Some(bytes) = bytes else { return sum.update(&[kind, 0]) };
        sum.update(&[kind, 1]);
        sum.update(&(bytes.len() as u64).to_be_bytes());
        sum.update(bytes);
    }
}

/// Equal rows of a table.
#[derive(Clone, Debug)]
struct Rows {
    values: Vec<Held>,
    /// How many they are: one, unless the table may have several.
    times: i64,
}

/// Some rows of a table, in the order of its key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch(Vec<Rows>);

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a table holds: how many rows, and a SHA-256 over all of them in the order of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) rows: u64,
    pub(crate) checksum: String,
}

/// Goes through a table from its beginning to its end.
pub(crate) struct Reading {
    table: &'static Table,
    after: Option<Vec<Held>>,
    rows: u64,
    sum: Context,
}

impl Reading {
    pub(crate) fn of(table: &'static Table) -> Self {
        Self { table, after: None, rows: 0, sum: Context::new(&SHA256) }
    }

    /// How to read what comes next, in a transaction.
    pub(crate) fn next(&self) -> impl FnMut(&mut Tx<'_>) -> Result<Batch, Fault> + Send + 'static {
        let (table, after) = (self.table, self.after.clone());
        move |tx| read(tx, table, after.as_deref())
    }

    /// Counts what was read, and returns how many rows it is; those after it come next.
    pub(crate) fn take(&mut self, batch: &Batch) -> u64 {
        let before = self.rows;
        for rows in &batch.0 {
            rows.values.iter().for_each(|value| value.add_to(&mut self.sum));
            Held::Int(Some(rows.times)).add_to(&mut self.sum);
            self.rows += rows.times.unsigned_abs();
        }
        if let Some(last) = batch.0.last() {
            let position = |key: &&str| self.table.columns.iter().position(|(name, _)| *name == *key);
            let places = self.table.key.iter().filter_map(position);
            self.after = Some(places.filter_map(|place| last.values.get(place).cloned()).collect());
        }
        self.rows - before
    }

    pub(crate) fn end(self) -> Contents {
        Contents { rows: self.rows, checksum: HEXLOWER.encode(self.sum.finish().as_ref()) }
    }
}

fn read(tx: &mut Tx<'_>, table: &'static Table, after: Option<&[Held]>) -> Result<Batch, Fault> {
    let statements = of(tx, table)?;
    let map = |row: &Row<'_>| {
        let columns = table.columns.iter().enumerate();
        let values = columns.map(|(index, (_, kind))| Held::read(row, index, *kind));
        Ok(Rows { values: values.collect::<Result<_, Fault>>()?, times: row.get(table.columns.len())? })
    };
    let read = match after {
        None => tx.rows(&statements.first, &[], map),
        Some(key) => tx.rows(&statements.next, &key.iter().map(Held::bind).collect::<Vec<_>>(), map),
    };
    read.map(Batch).map_err(|fault| fault.about(&format!("a row of the table {}", table.name)))
}

/// Inserts rows that were read from another database.
pub(crate) fn insert(tx: &mut Tx<'_>, table: &'static Table, batch: &Batch) -> Result<(), Fault> {
    let statements = of(tx, table)?;
    let each = batch.0.iter().flat_map(|rows| (0..rows.times).map(|_| &rows.values));
    let each: Vec<&Vec<Held>> = each.collect();
    for group in each.chunks(GROUP) {
        let sql = if group.len() == GROUP { &statements.insert_group } else { &statements.insert };
        let per_statement = if group.len() == GROUP { GROUP } else { 1 };
        for rows in group.chunks(per_statement) {
            let args: Vec<Value<'_>> = rows.iter().flat_map(|row| row.iter().map(Held::bind)).collect();
            tx.execute(sql, &args)
                .map_err(|fault| fault.about(&format!("a row of the table {}", table.name)))?;
        }
    }
    Ok(())
}

/// The first table that has rows.
pub(crate) fn first_with_rows(tx: &mut Tx<'_>) -> Result<Option<&'static str>, Fault> {
    for table in &TABLES {
        if tx.row(&of(tx, table)?.any, &[], |row| row.get::<i64>(0))?.is_some() {
            return Ok(Some(table.name));
        }
    }
    Ok(None)
}

/// How many rows all tables have.
pub(crate) fn total(tx: &mut Tx<'_>) -> Result<u64, Fault> {
    let mut total = 0;
    for table in &TABLES {
        let rows = tx.row(&of(tx, table)?.count, &[], |row| row.get::<i64>(0))?;
        total += rows.unwrap_or_default().unsigned_abs();
    }
    Ok(total)
}

/// Deletes every row of every table.
pub(crate) fn clear(tx: &mut Tx<'_>) -> Result<(), Fault> {
    tx.execute("DELETE FROM user_trigrams", &[])?;
    for table in TABLES.iter().rev() {
        tx.execute(&of(tx, table)?.clear, &[])?;
    }
    Ok(())
}
