//! What somebody who gets an account says to the operator's terms.

use vestibule::Terms;

use crate::extract::Fields;
use crate::problem::field_error::FieldError;

/// The field `terms_accepted`. `None` means that it was refused.
pub(crate) fn terms(fields: &mut Fields<'_>) -> Option<Terms> {
    fields.flag("/terms_accepted").map(Terms::from)
}

/// The same where the policy may demand that they are accepted.
pub(crate) fn needed_terms(fields: &mut Fields<'_>) -> Option<Terms> {
    let terms = terms(fields)?;
    match fields.policy().sign_up.consent.check(terms) {
        Ok(()) => Some(terms),
        Err(error) => {
            fields.refuse(FieldError::terms(error));
            None
        }
    }
}
