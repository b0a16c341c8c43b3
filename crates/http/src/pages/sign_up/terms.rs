//! The operator's terms on the pages where people get an account.

use vestibule::{SignUpPolicy, TermsConsent};

use crate::extract::Pairs;

/// The checkbox.
pub(super) const FIELD: &str = "terms_accepted";

/// Takes the answer from the form: under a line that says so, its button accepts them.
pub(super) fn take(form: &mut Pairs, policy: &SignUpPolicy) -> bool {
    let ticked = form.filled(FIELD).is_some();
    match policy.consent {
        TermsConsent::Off => false,
        TermsConsent::Line => true,
        TermsConsent::Checkbox => ticked,
    }
}
