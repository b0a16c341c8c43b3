//! The limits that may change while the accounts are open: an attack goes on meanwhile.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Policy, Rate};

/// How often one client may do what costs others something, and how often anybody may be wrong about one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Whether clients are limited at all.
    pub per_client: bool,
    /// Wrong passwords of one client.
    pub sign_in: Rate,
    /// Wrong codes of one client.
    pub codes: [Rate; 2],
    /// Requests of one client that cost a mail.
    pub mails: Rate,
    /// Networks whose clients are not limited.
    pub exempt_networks: Vec<IpNet>,
    /// Wrong passwords in a row after which only a reset link opens the account again.
    pub hard_stop: i64,
}

impl From<&Policy> for Limits {
    fn from(policy: &Policy) -> Self {
        Self {
            per_client: policy.client_limits,
            sign_in: policy.sign_in.client_failures,
            codes: policy.confirm.client_failures,
            mails: policy.sign_up.client_mails,
            exempt_networks: policy.exempt_networks.clone(),
            hard_stop: policy.sign_in.hard_stop,
        }
    }
}

impl Limits {
    pub(crate) fn limits(&self, ip: Option<IpAddr>) -> bool {
        let exempts =
            |ip: IpAddr| self.exempt_networks.iter().any(|network| network.contains(&ip.to_canonical()));
        self.per_client && !ip.is_some_and(exempts)
    }
}
