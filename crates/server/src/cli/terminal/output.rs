//! Prints data to standard output: tables on a terminal, tab-separated lines elsewhere, JSON on request.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::failure::Failure;
use crate::printable;

/// The version of the JSON that commands print. It changes when a field is removed or changes its meaning.
const SCHEMA_VERSION: u32 = 1;

static READER_LEFT: AtomicBool = AtomicBool::new(false);

/// Whether the reader of standard output has left, so that no further output is needed.
pub(crate) fn reader_left() -> bool {
    READER_LEFT.load(Ordering::Relaxed)
}

/// Prints one line, or several.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    checked(writeln!(io::stdout(), "{}", printable::lines(text)))
}

/// Prints one JSON object on one line; several make NDJSON.
pub(crate) fn object(mut value: Value) -> Result<(), Failure> {
    if let Value::Object(fields) = &mut value {
        fields.insert("schema_version".to_owned(), SCHEMA_VERSION.into());
    }
    line(&printable::json(&value.to_string()))
}

/// Prints a table: with a header and aligned on a terminal, tab-separated and bare elsewhere.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> Result<(), Failure> {
    let rows: Vec<[String; N]> =
        rows.iter().map(|row| row.each_ref().map(|cell| printable::text(cell).into_owned())).collect();
    if !io::stdout().is_terminal() {
        return rows.iter().try_for_each(|row| line(&row.join("\t")));
    }
    let header = header.map(str::to_uppercase);
    let width = |i: usize| rows.iter().chain([&header]).map(|row| row[i].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    for row in [&header].into_iter().chain(&rows) {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        line(cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// A reader that left (`vestibule user list | head`) is not a failure, and cannot be informed of one.
fn checked(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("cannot write to standard output: {error}")))
        }
        Err(_) => {
            READER_LEFT.store(true, Ordering::Relaxed);
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// `1 user`, `2 users`.
pub(crate) fn number(number: u64, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}
