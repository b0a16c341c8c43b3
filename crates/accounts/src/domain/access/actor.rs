//! Who performs an administrative operation.

use crate::domain::access::client::Client;
use crate::domain::access::session::SignedIn;
use crate::domain::application::registered::Application;

/// Who performs an administrative operation.
#[derive(Clone, Copy, Debug)]
pub enum Actor<'a> {
    /// The operator: anyone who can run the program on the server.
    Operator,
    /// An application that speaks for itself, as [`authenticate_app_data`](crate::Accounts::authenticate_app_data) has found
    /// it, and the client it comes from. It may keep data about users, and nothing else.
    Application(&'a Application, &'a Client),
    /// A signed-in user, who needs the role `admin`, and the client it comes from.
    User(&'a SignedIn, &'a Client),
}
