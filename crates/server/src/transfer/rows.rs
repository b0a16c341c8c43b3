//! The records of a file, in whichever form it is: JSON lines, a JSON array, or CSV.

use std::io::{self, BufRead};

use serde_json::{Map, Value};

use super::elements::{Element, Elements};
use super::lines::{Line, Lines};
use super::record::{OCTETS_MAX, Record, Refusal, of_json, too_long};

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    JsonLines,
    /// The array, or the object with the member `users`.
    JsonArray {
        in_object: bool,
    },
    Csv,
}

/// A file that is read.
pub(crate) enum Rows<R> {
    JsonLines(Lines<R>),
    JsonArray(Elements<R>, u64),
    Csv { lines: Lines<R>, header: Vec<String>, raw_header: Vec<u8> },
}

impl<R: BufRead> Rows<R> {
    /// Finds out the form by how the file begins; `is_object` says that one beginning with `{` is one object, not lines.
    pub(crate) fn open(mut input: R, is_object: bool) -> io::Result<(Form, Self)> {
        let begins = input.fill_buf()?;
        if begins.starts_with(b"\xef\xbb\xbf") {
            input.consume(3);
        }
        let form = match input.fill_buf()?.trim_ascii_start().first() {
            Some(b'{') if is_object => Form::JsonArray { in_object: true },
            Some(b'[') => Form::JsonArray { in_object: false },
            Some(b'{') | None => Form::JsonLines,
            Some(_) => Form::Csv,
        };
        let rows = match form {
            Form::JsonLines => Self::JsonLines(Lines::new(input)),
            Form::JsonArray { .. } => Self::JsonArray(Elements::new(input), 0),
            Form::Csv => {
                let mut lines = Lines::new(input);
                let Some(Line::Whole(raw_header)) = lines.next()? else {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "the first line is longer than 1 MiB",
                    ));
                };
                let header =
                    cells(&raw_header).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
                Self::Csv { lines, header, raw_header }
            }
        };
        Ok((form, rows))
    }

    /// The names of the columns, where the file has them.
    pub(crate) fn header(&self) -> Option<(&[String], &[u8])> {
        match self {
            Self::Csv { header, raw_header, .. } => Some((header, raw_header)),
            _ => None,
        }
    }

    /// `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Record>> {
        match self {
            Self::JsonLines(lines) => loop {
                match lines.next()? {
                    None => return Ok(None),
                    Some(Line::TooLong) => return Ok(Some(too_long(lines.number))),
                    Some(Line::Whole(line)) if line.trim_ascii().is_empty() => {}
                    Some(Line::Whole(line)) => return Ok(Some(of_json(lines.number, line))),
                }
            },
            Self::JsonArray(elements, number) => {
                *number += 1;
                Ok(elements.next()?.map(|element| match element {
                    Element::Whole(raw) => of_json(*number, raw),
                    Element::TooLong => too_long(*number),
                }))
            }
            Self::Csv { lines, header, .. } => next_of_csv(lines, header),
        }
    }
}

/// A record of CSV may go on in the next line, within quotes.
fn next_of_csv<R: BufRead>(lines: &mut Lines<R>, header: &[String]) -> io::Result<Option<Record>> {
    let mut raw: Vec<u8> = Vec::new();
    let (mut number, mut is_quoted) = (0, false);
    loop {
        match lines.next()? {
            None if number == 0 => return Ok(None),
            None => {
                let fields = Err(Refusal::whole("a quote is opened and not closed"));
                return Ok(Some(Record { number, raw, fields }));
            }
            Some(Line::TooLong) => {
                return Ok(Some(too_long(if number == 0 { lines.number } else { number })));
            }
            Some(Line::Whole(line)) if number == 0 && line.trim_ascii().is_empty() => continue,
            Some(Line::Whole(line)) => {
                if number == 0 {
                    number = lines.number;
                } else {
                    raw.push(b'\n');
                }
                // A quote within quotes is written twice, so it changes nothing.
                is_quoted = line.iter().fold(is_quoted, |is_quoted, byte| is_quoted ^ (*byte == b'"'));
                raw.extend_from_slice(&line);
            }
        }
        if raw.len() > OCTETS_MAX {
            return Ok(Some(too_long(number)));
        }
        if !is_quoted {
            let fields = named(&raw, header).map_err(Refusal::whole);
            return Ok(Some(Record { number, raw, fields }));
        }
    }
}

/// The cells by their names; an empty one is `null`.
fn named(raw: &[u8], header: &[String]) -> Result<Map<String, Value>, String> {
    let cells = cells(raw)?;
    if cells.len() != header.len() {
        return Err(format!("{} cells in a file with {} columns", cells.len(), header.len()));
    }
    let value = |cell: &str| if cell.is_empty() { Value::Null } else { Value::from(unescaped(cell)) };
    Ok(header.iter().zip(cells).map(|(name, cell)| (name.clone(), value(&cell))).collect())
}

fn cells(raw: &[u8]) -> Result<Vec<String>, String> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).buffer_capacity(raw.len().max(1)).from_reader(raw);
    let mut record = csv::StringRecord::new();
    reader.read_record(&mut record).map_err(|error| match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "this is not UTF-8".to_owned(),
        _ => format!("this is not CSV: {error}"),
    })?;
    Ok(record.iter().map(str::to_owned).collect())
}

/// What a spreadsheet would take for a formula is written with `'` before it: see `export::escaped`.
fn unescaped(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(FORMULA) => rest,
        _ => cell,
    }
}

/// How formulas begin.
pub(crate) const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\''];
