//! Where a page of a list ends: a text that cannot be made up or used with another list (G1).

use data_encoding::BASE64URL_NOPAD;

use crate::ops::admin::AdminError;
use crate::token::root::{Purpose, RootKeys};

/// Entries on a page where the query does not say.
const LIMIT: u32 = 50;
/// Entries on a page at most.
const LIMIT_MAX: u32 = 200;

/// How many entries a page has.
pub(crate) fn page_size(wanted: Option<u32>) -> Result<usize, AdminError> {
    let limit = wanted.unwrap_or(LIMIT);
    if (1..=LIMIT_MAX).contains(&limit) { Ok(limit as usize) } else { Err(AdminError::LimitInvalid) }
}

/// A list: its name and its conditions. A cursor of one list is none of another.
pub(crate) struct List<'a> {
    pub(crate) root: &'a RootKeys,
    pub(crate) conditions: &'a [&'a [u8]],
}

impl List<'_> {
    /// The cursor of a place in this list.
    pub(crate) fn cursor(&self, place: &str) -> String {
        let seal = self.root.short_mac(Purpose::Cursor, &self.parts(place));
        BASE64URL_NOPAD.encode(&[&seal, place.as_bytes()].concat())
    }

    /// The place that a cursor of this list stands for.
    pub(crate) fn open(&self, cursor: &str) -> Result<String, AdminError> {
        let place = || -> Option<String> {
            let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
            let (seal, place) = bytes.split_first_chunk::<16>()?;
            let place = std::str::from_utf8(place).ok()?;
            self.root.is_short_mac(Purpose::Cursor, &self.parts(place), seal).then(|| place.to_owned())
        };
        place().ok_or(AdminError::CursorInvalid)
    }

    fn parts<'p>(&'p self, place: &'p str) -> Vec<&'p [u8]> {
        self.conditions.iter().copied().chain([place.as_bytes()]).collect()
    }
}
