//! Cursors: the end of a page, as a text that cannot be forged or used with another list (G1).

use data_encoding::BASE64URL_NOPAD;

use crate::ops::admin::error::AdminError;
use crate::token::root::{Purpose, RootKeys};

/// Entries per page unless the query says otherwise.
const LIMIT: u32 = 50;
/// Entries per page at most.
const LIMIT_MAX: u32 = 200;

/// The number of entries per page. One more is read, to see whether there is a next page.
#[derive(Clone, Copy)]
pub(crate) struct PageSize(u32);

impl PageSize {
    pub(crate) fn new(wanted: Option<u32>) -> Result<Self, AdminError> {
        let size = wanted.unwrap_or(LIMIT);
        if (1..=LIMIT_MAX).contains(&size) { Ok(Self(size)) } else { Err(AdminError::LimitInvalid) }
    }

    pub(crate) const fn entries(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn and_one_more(self) -> i64 {
        i64::from(self.0) + 1
    }

    /// Like [`page`](Self::page), for a list that continues at `end` although fewer entries were found than fit on a
    /// page.
    pub(crate) fn page_until<T>(
        self,
        items: Vec<T>,
        end: Option<String>,
        cursor: impl FnOnce(&T) -> String,
    ) -> Page<T> {
        let page = self.page(items, cursor);
        let next_cursor = page.next_cursor.or(end);
        Page { next_cursor, ..page }
    }

    /// The page of the entries read, with the cursor of its last entry if there is a next page.
    pub(crate) fn page<T>(self, mut items: Vec<T>, cursor: impl FnOnce(&T) -> String) -> Page<T> {
        let size = self.entries();
        let more = items.len() > size;
        items.truncate(size);
        let next_cursor = items.last().filter(|_| more).map(cursor);
        Page { items, next_cursor }
    }
}

/// A list: its name and its conditions. A cursor is valid for one list only.
pub(crate) struct List<'a> {
    pub(crate) root: &'a RootKeys,
    pub(crate) conditions: &'a [&'a [u8]],
}

impl List<'_> {
    /// The cursor of a position in this list.
    pub(crate) fn cursor(&self, place: &str) -> String {
        let seal = self.root.short_mac(Purpose::Cursor, &self.parts(place));
        BASE64URL_NOPAD.encode(&[&seal, place.as_bytes()].concat())
    }

    /// The position that a cursor of this list stands for.
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

/// One page of a list, oldest first.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// The cursor of the next page; `None` at the end. A page looks at some thousands of rows at most, so it may have
    /// fewer entries than fit, or none, without being the last.
    pub next_cursor: Option<String>,
}
