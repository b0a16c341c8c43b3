//! What the pages of mailed links show about the link.

use minijinja::{Value, context};
use vestibule::{Email, LinkState};

/// The state of a link and its address: masked for people looking over a shoulder, and whole for the password manager;
/// the mailbox it was sent to knows it.
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
