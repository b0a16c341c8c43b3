//! What the pages of mailed links show of the link.

use minijinja::{Value, context};
use vestibule::{Email, LinkState};

/// What the page of a link shows: what of it, and about whom. The address is masked for whoever looks over a shoulder, and
/// whole for the password manager; the mailbox it was sent to knows it.
pub(crate) fn shown(state: &LinkState) -> Value {
    let (view, email) = match state {
        LinkState::Open(email) => ("form", Some(email)),
        LinkState::Choose(email) => ("choose", Some(email)),
        LinkState::Used => ("used", None),
        LinkState::Expired => ("expired", None),
        LinkState::Invalid => ("incomplete", None),
    };
    context! { view, whom => email.map(Email::masked), username => email.map(Email::as_str) }
}
