//! Lines of bounded length.

use std::io::{self, BufRead, Read as _};

use super::record::OCTETS_MAX;

/// A line without its end, or the news that it was too long and was skipped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Whole(Vec<u8>),
    TooLong,
}

/// Lines that end with LF or CRLF, counted.
pub(crate) struct Lines<R> {
    input: R,
    /// The number of the last line.
    pub(crate) number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, number: 0 }
    }

    /// `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line>> {
        let mut line = Vec::new();
        let most = OCTETS_MAX as u64 + 2;
        if self.input.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() as u64 == most {
            self.skip_line()?;
            return Ok(Some(Line::TooLong));
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(if line.len() > OCTETS_MAX { Line::TooLong } else { Line::Whole(line) }))
    }

    /// Reads to the end of the line and keeps nothing.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let seen = self.input.fill_buf()?;
            if seen.is_empty() {
                return Ok(());
            }
            let end = seen.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(seen.len(), |end| end + 1);
            self.input.consume(length);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}
