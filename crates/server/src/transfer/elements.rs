//! The elements of a JSON array, one at a time, whether it is the whole file or the member `users` of the object that is.

use std::io::{self, BufRead};

use super::record::OCTETS_MAX;

/// One element as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Whole(Vec<u8>),
    TooLong,
}

/// Cuts a text into elements; what is in them is read later.
pub(crate) struct Elements<R> {
    input: R,
    is_in_array: bool,
    is_over: bool,
}

/// Where in a JSON text a byte is.
#[derive(Default)]
struct Place {
    depth: usize,
    is_in_string: bool,
    is_escaped: bool,
}

impl Place {
    /// Takes the next byte. Brackets count after they open, and before they close.
    fn take(&mut self, byte: u8) {
        if self.is_in_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.is_in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.is_in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

fn damaged(words: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words)
}

impl<R: BufRead> Elements<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, is_in_array: false, is_over: false }
    }

    /// `None` at the end of the array.
    pub(crate) fn next(&mut self) -> io::Result<Option<Element>> {
        if !self.is_in_array {
            self.find_array()?;
            self.is_in_array = true;
        }
        if self.is_over {
            return Ok(None);
        }
        let (mut place, mut element, mut is_too_long) = (Place::default(), Vec::new(), false);
        loop {
            let Some(byte) = self.byte()? else {
                return Err(damaged("the file ends in the middle of the list of users"));
            };
            let is_outside = place.depth == 0 && !place.is_in_string;
            if is_outside && (byte == b',' || byte == b']') {
                self.is_over = byte == b']';
                break;
            }
            place.take(byte);
            let is_blank = element.is_empty() && byte.is_ascii_whitespace();
            if element.len() >= OCTETS_MAX {
                is_too_long = true;
            } else if !is_blank {
                element.push(byte);
            }
        }
        if is_too_long {
            return Ok(Some(Element::TooLong));
        }
        element.truncate(element.trim_ascii_end().len());
        // `[]`, or a comma before the end.
        if element.is_empty() && self.is_over { Ok(None) } else { Ok(Some(Element::Whole(element))) }
    }

    /// Reads past the `[` of the array: the first byte, or that of the member `users` of the outermost object.
    fn find_array(&mut self) -> io::Result<()> {
        const MISSING: &str =
            "there is no list of users: neither a JSON array nor an object with a member `users`";
        let first = loop {
            match self.byte()? {
                Some(byte) if byte.is_ascii_whitespace() => {}
                byte => break byte,
            }
        };
        match first {
            Some(b'[') => return Ok(()),
            Some(b'{') => {}
            _ => return Err(damaged(MISSING)),
        }
        let (mut place, mut text) = (Place { depth: 1, ..Place::default() }, Vec::new());
        while let Some(byte) = self.byte()? {
            let (was_in_string, depth) = (place.is_in_string, place.depth);
            place.take(byte);
            if !was_in_string && byte == b'[' && depth == 1 && text == b"\"users\":" {
                return Ok(());
            }
            match byte {
                // Of the outermost object, the text since the last comma.
                b',' if depth == 1 && !was_in_string => text.clear(),
                _ if depth == 1 && text.len() < 16 && (was_in_string || !byte.is_ascii_whitespace()) => {
                    text.push(byte);
                }
                _ => {}
            }
            if place.depth == 0 {
                break;
            }
        }
        Err(damaged(MISSING))
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.input.fill_buf()?.first().copied();
        if byte.is_some() {
            self.input.consume(1);
        }
        Ok(byte)
    }
}
