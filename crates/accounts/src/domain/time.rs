//! Points in time and lengths of time, in milliseconds.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::Duration;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX time).
///
/// The same integer is stored in the database. `Display` writes RFC 3339 in UTC with three decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down: the unit of JWT claims (RFC 7519 "`NumericDate`").
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The time from `earlier` to this point; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, length: Duration) -> Self {
        Self(self.0.saturating_add(millis(length)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, length: Duration) -> Self {
        Self(self.0.saturating_sub(millis(length)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => write!(f, "{} ms since 1970", self.0),
        }
    }
}

/// The text is not a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time like `2026-03-01T09:30:00Z` or a date like `2026-03-01`")]
pub struct TimestampError;

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// A time with its offset (RFC 3339), or a date, which stands for midnight UTC.
    ///
    /// # Errors
    /// [`TimestampError`].
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let midnight = |date: jiff::civil::Date| date.to_zoned(jiff::tz::TimeZone::UTC).ok();
        let time = if text.len() == 10 {
            text.parse().ok().and_then(midnight).map(|midnight| midnight.timestamp())
        } else {
            text.parse::<jiff::Timestamp>().ok()
        };
        time.map(|time| Self(time.as_millisecond())).ok_or(TimestampError)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

pub(crate) const HOUR: Duration = Duration::from_hours(1);

pub(crate) const DAY: Duration = Duration::from_hours(24);

/// The longest window of any limit or count: older events no longer matter.
pub(crate) const MONTH: Duration = Duration::from_hours(720);

/// The maximum difference between the clocks of instances, or between the starts of concurrent operations.
pub(crate) const SKEW: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_rfc_3339_in_utc() {
        assert_eq!(Timestamp::from_millis(1_700_000_000_123).to_string(), "2023-11-14T22:13:20.123Z");
        assert_eq!(Timestamp::from_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn is_read_from_a_time_or_a_date() {
        let time = Timestamp::from_millis(1_700_000_000_123);
        assert_eq!(time.to_string().parse(), Ok(time));
        assert_eq!("2023-11-14T23:13:20.123+01:00".parse(), Ok(time));
        assert_eq!("2023-11-14".parse(), Ok(Timestamp::from_millis(1_699_920_000_000)));
        for wrong in ["", "2023", "2023-13-01", "2023-11-14T22:13:20", "yesterday", "2023/11/14"] {
            assert_eq!(wrong.parse::<Timestamp>(), Err(TimestampError), "{wrong}");
        }
    }

    #[test]
    fn arithmetic_stays_in_range() {
        let last = Timestamp::from_millis(i64::MAX);
        assert_eq!(last + Duration::from_secs(1), last);
        assert_eq!(Timestamp::from_millis(5).since(Timestamp::from_millis(9)), Duration::ZERO);
        assert_eq!(Timestamp::from_millis(-1).as_seconds(), -1);
    }
}
