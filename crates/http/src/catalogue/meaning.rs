//! What a code means.

use axum::http::StatusCode;

use super::{CATALOGUE, Code, Entry};

impl Code {
    /// What the code means.
    pub fn entry(self) -> &'static Entry {
        // The variants and the entries come from one list, so their positions agree.
        &CATALOGUE[self as usize]
    }

    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.entry().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
