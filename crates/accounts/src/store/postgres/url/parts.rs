//! What a database URL comes to, in parts.

use std::net::IpAddr;
use std::time::Duration;

use tokio_postgres::config::Config;

use crate::store::postgres::tls::Tls;

/// One host, and how to connect to it.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// For messages: where, without user and password.
    pub(crate) name: String,
    pub(crate) config: Config,
    pub(crate) tls: Tls,
    /// How long it may take until it can be asked something.
    pub(crate) patience: Duration,
}

/// The parts of a URL, decoded.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// Host and port as they stand there, each possibly empty.
    pub(crate) hosts: Vec<(String, String)>,
    pub(crate) database: Option<String>,
    pub(crate) parameters: Vec<(String, String)>,
}

/// Where to connect: name, address where it is not looked up, port.
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) address: Option<IpAddr>,
    pub(crate) port: u16,
}
