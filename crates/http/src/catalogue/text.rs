//! Codes as the API writes them.

use super::{CATALOGUE, Code};

impl std::str::FromStr for Code {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        CATALOGUE.iter().map(|entry| entry.code).find(|code| code.as_str() == text).ok_or(())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
