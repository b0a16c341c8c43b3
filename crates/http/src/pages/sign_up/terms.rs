//! The operator's terms on the pages where people get an account.

use crate::extract::Pairs;

/// In the form of a page that shows the terms: a checkbox, or hidden under the line that says what the button does.
pub(super) const FIELD: &str = "terms_accepted";

/// Takes the answer from the form. What the page did not show is not accepted.
pub(super) fn take(form: &mut Pairs) -> bool {
    form.filled(FIELD).is_some()
}
