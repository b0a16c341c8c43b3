//! The subjects of limits and audit entries: keyed hashes that reveal nobody.

use crate::domain::access::client::Client;
use crate::domain::access::factor::Factor;
use crate::domain::email::Email;
use crate::domain::ids::{RegistrationId, UserId};
use crate::domain::user_name::UserName;
use crate::store::tables::limits::Subject;
use crate::token::root::{Purpose, RootKeys};

/// The subject that stands for an address, whether it has an account or not.
pub(crate) fn address(root: &RootKeys, email: &Email) -> Subject {
    root.short_mac(Purpose::Address, &[email.key().as_bytes()])
}

/// The subject that stands for the holder of a sign-up's link.
pub(crate) fn link(root: &RootKeys, id: RegistrationId) -> Subject {
    root.short_mac(Purpose::Address, &[b"link", id.as_bytes()])
}

/// The subject that stands for a deleted user.
pub(crate) fn gone(root: &RootKeys, id: UserId) -> Subject {
    root.short_mac(Purpose::Address, &[b"gone", id.as_bytes()])
}

/// The subject that stands for a kind of second factor of a user.
pub(crate) fn factor(root: &RootKeys, id: UserId, factor: Factor) -> Subject {
    root.short_mac(Purpose::Address, &[b"factor", factor.name().as_bytes(), id.as_bytes()])
}

/// The subject that stands for a user name without an account.
pub(crate) fn unknown_name(root: &RootKeys, name: &UserName) -> Subject {
    root.short_mac(Purpose::Address, &[b"name", name.key().as_bytes()])
}

/// The subject that stands for a client's network.
pub(crate) fn client(root: &RootKeys, client: &Client) -> Option<Subject> {
    client.prefix().map(|prefix| root.short_mac(Purpose::ClientPrefix, &[&prefix]))
}
