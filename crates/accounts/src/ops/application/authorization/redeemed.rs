//! Proof that an application has brought a code of its own. Nothing else can make it.

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq as _;

use crate::domain::access::session::Proven;
use crate::domain::application::request::AuthorizationRequest;
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::ops::application::authenticate::AuthenticatedApplication;
use crate::ops::application::authorization::issue::from_json;
use crate::store::Tx;
use crate::store::tables::application::codes::{self, IssuedCode};
use crate::store::tables::sessions::TokenHash;
use crate::store::tables::users;
use crate::token::opaque::sha256;

/// What an application sends with its code (RFC 6749 §4.1.3, RFC 7636 §4.5).
#[derive(Clone, Debug)]
pub(super) struct Presented {
    pub(super) code: TokenHash,
    pub(super) redirect_uri: String,
    pub(super) code_verifier: String,
}

/// A code that its own application has brought, in time, with the right verifier.
pub(crate) struct RedeemedCode {
    issued: IssuedCode,
    request: AuthorizationRequest,
}

/// What became of a code: it is used up in every case.
pub(super) enum Redemption {
    Good(Box<RedeemedCode>),
    /// It has been used before.
    Again,
    Wrong(&'static str),
}

impl RedeemedCode {
    pub(super) fn of(
        tx: &mut Tx<'_>,
        by: &AuthenticatedApplication,
        presented: &Presented,
        now: Timestamp,
    ) -> Result<Redemption, Fault> {
        // The user first, as everywhere: deleting one deletes the codes, too.
        if let Some(user) = codes::user_of(tx, &presented.code)? {
            users::lock(tx, user)?;
        }
        let Some(issued) = codes::consume(tx, &presented.code, now)? else { return Ok(Redemption::Again) };
        let request = from_json(&issued.request)?;
        if request.client_id != by.id().as_str() {
            return Ok(Redemption::Wrong("the code is another client's"));
        }
        if request.redirect_uri.as_str() != presented.redirect_uri {
            return Ok(Redemption::Wrong("`redirect_uri` is not that of the authorization request"));
        }
        if !is_verifier(&presented.code_verifier, &request.code_challenge) {
            return Ok(Redemption::Wrong("`code_verifier` does not fit the `code_challenge`"));
        }
        Ok(Redemption::Good(Box::new(Self { issued, request })))
    }

    /// What was asked for.
    pub(super) fn request(&self) -> &AuthorizationRequest {
        &self.request
    }

    /// The browser's session that the code comes from.
    pub(super) fn issued(&self) -> &IssuedCode {
        &self.issued
    }

    pub(crate) fn user(&self) -> UserId {
        self.issued.user
    }

    pub(crate) fn credential_version(&self) -> i64 {
        self.issued.credential_version
    }

    pub(crate) fn proven(&self) -> Proven {
        self.issued.proven
    }
}

/// RFC 7636 §4.1, §4.6.
fn is_verifier(verifier: &str, challenge: &str) -> bool {
    let is_unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    let is_well_formed = (43..=128).contains(&verifier.len()) && verifier.bytes().all(is_unreserved);
    let computed = BASE64URL_NOPAD.encode(&sha256(verifier.as_bytes()));
    is_well_formed && bool::from(computed.as_bytes().ct_eq(challenge.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636, appendix B
    #[test]
    fn the_example_of_the_standard_verifies() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(is_verifier(verifier, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
        assert!(!is_verifier(verifier, verifier));
        assert!(!is_verifier(&verifier[1..], "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
    }
}
