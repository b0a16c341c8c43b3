//! The authenticator in software, as the tests of this module use it.

pub(crate) use vestibule_testing::webauthn::*;

use super::{Algorithm, Expected};

impl Ceremony for Expected<'_> {
    fn rp_id(&self) -> &str {
        self.rp_id
    }

    fn origin(&self) -> &str {
        self.origin
    }

    fn challenge(&self) -> &[u8] {
        self.challenge
    }
}

impl From<Algorithm> for i64 {
    fn from(algorithm: Algorithm) -> Self {
        algorithm.number()
    }
}
