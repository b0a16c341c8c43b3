//! Daily numbers for the last days.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::time::Timestamp;

/// How many days are counted, today included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatsPeriod {
    /// 7 days.
    Week,
    /// 30 days.
    #[default]
    Month,
    /// 90 days.
    Quarter,
}

impl StatsPeriod {
    /// All of them, the shortest first.
    pub const ALL: [Self; 3] = [Self::Week, Self::Month, Self::Quarter];

    /// The number of days.
    pub const fn days(self) -> i64 {
        match self {
            Self::Week => 7,
            Self::Month => 30,
            Self::Quarter => 90,
        }
    }
}

/// Those of the longest period, and of the one before.
const KEPT: i64 = 2 * StatsPeriod::Quarter.days();

/// The numbers of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayStats {
    /// Its beginning, midnight UTC.
    pub day: Timestamp,
    /// Sign-ups, confirmed or not.
    pub sign_ups: i64,
    /// Sign-ups that became users.
    pub activations: i64,
    /// Sessions that began.
    pub sign_ins: i64,
    /// Wrong passwords.
    pub failed_sign_ins: i64,
}

/// Past days: their numbers no longer change, so they are counted once.
#[derive(Debug, Default)]
pub(crate) struct PastDays(Mutex<BTreeMap<i64, DayStats>>);

impl PastDays {
    pub(crate) fn get(&self, number: i64) -> Option<DayStats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&number).copied()
    }

    pub(crate) fn keep(&self, number: i64, day: DayStats) {
        let mut days = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        days.insert(number, day);
        days.retain(|kept, _| *kept > number - KEPT);
    }
}
