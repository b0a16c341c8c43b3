//! The parts of a parsed database URL.

use std::net::IpAddr;
use std::time::Duration;

use tokio_postgres::config::Config;

use crate::store::postgres::tls::Tls;

/// One host, and how to connect to it.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// Host and port for messages, without user and password.
    pub(crate) name: String,
    pub(crate) config: Config,
    pub(crate) tls: Tls,
    /// How long connecting may take until the host can be queried.
    pub(crate) patience: Duration,
}

/// The parts of a URL, decoded.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// Host and port as written, each possibly empty.
    pub(crate) hosts: Vec<(String, String)>,
    pub(crate) database: Option<String>,
    pub(crate) parameters: Vec<(String, String)>,
}

/// Where to connect: name, address if it is not looked up, port.
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) address: Option<IpAddr>,
    pub(crate) port: u16,
}
