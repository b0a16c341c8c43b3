//! On whose behalf an administrative operation runs.

use crate::domain::access::client::Client;
use crate::domain::access::session::SignedIn;

/// On whose behalf an administrative operation runs.
#[derive(Clone, Copy, Debug)]
pub enum Actor<'a> {
    /// Whoever may run the program on the server.
    Operator,
    /// A signed-in user, who needs the role `admin`, and from where.
    User(&'a SignedIn, &'a Client),
}
