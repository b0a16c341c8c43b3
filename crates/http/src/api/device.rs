//! A `User-Agent` in words, for the API.

pub(crate) const UNKNOWN: &str = "unknown device";

/// `Firefox on Linux`, `curl`, `unknown device`.
pub(crate) fn in_words(user_agent: &str) -> String {
    vestibule::device_in_words(user_agent).unwrap_or_else(|| UNKNOWN.to_owned())
}
