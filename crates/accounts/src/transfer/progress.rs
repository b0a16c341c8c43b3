//! How far a copy of all accounts has come.

use std::fmt;
use std::sync::Arc;

/// How far a copy of all accounts has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyProgress {
    /// The table at hand.
    pub table: &'static str,
    /// Whether its rows are compared, after they were copied.
    pub is_check: bool,
    /// How many rows of all tables are done. A row that is copied and compared counts twice.
    pub rows: u64,
    /// How many there will be, as counted at the beginning.
    pub of: u64,
}

type Told = dyn Fn(CopyProgress) + Send + Sync;

/// Whoever is told how far it is; nobody by default.
#[derive(Clone, Default)]
pub struct CopyWatch(Option<Arc<Told>>);

impl CopyWatch {
    /// Calls `told` after each batch of rows. The copy waits for it.
    pub fn new(told: impl Fn(CopyProgress) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }
}

impl fmt::Debug for CopyWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CopyWatch").field(&self.0.is_some()).finish()
    }
}

/// Counts rows for a watch.
#[cfg(feature = "sqlite")]
pub(super) struct Count<'a> {
    watch: &'a CopyWatch,
    pub(super) is_check: bool,
    rows: u64,
    of: u64,
}

#[cfg(feature = "sqlite")]
impl<'a> Count<'a> {
    pub(super) fn new(watch: &'a CopyWatch, of: u64) -> Self {
        Self { watch, is_check: false, rows: 0, of }
    }

    /// The same, of rows that are only read.
    pub(super) fn check(watch: &'a CopyWatch, of: u64) -> Self {
        Self { is_check: true, ..Self::new(watch, of) }
    }

    pub(super) fn add(&mut self, table: &'static str, rows: u64) {
        self.rows += rows;
        if let Some(told) = &self.watch.0 {
            told(CopyProgress { table, is_check: self.is_check, rows: self.rows, of: self.of });
        }
    }
}
