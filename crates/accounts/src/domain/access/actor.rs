//! Who performs an administrative operation.

use crate::domain::access::client::Client;
use crate::domain::access::session::SignedIn;

/// Who performs an administrative operation.
#[derive(Clone, Copy, Debug)]
pub enum Actor<'a> {
    /// The operator: anyone who can run the program on the server.
    Operator,
    /// A signed-in user, who needs the role `admin`, and the client it comes from.
    User(&'a SignedIn, &'a Client),
}
