//! The limits per client, which may change while the accounts are open.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Policy, Rate};

/// How often one client may do what costs others something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientLimits {
    /// Wrong passwords.
    pub sign_in: Rate,
    /// Wrong codes.
    pub codes: [Rate; 2],
    /// Requests that cost a mail.
    pub mails: Rate,
    /// Networks whose clients are not limited.
    pub exempt_networks: Vec<IpNet>,
}

impl From<&Policy> for ClientLimits {
    fn from(policy: &Policy) -> Self {
        Self {
            sign_in: policy.sign_in.client_failures,
            codes: policy.confirm.client_failures,
            mails: policy.sign_up.client_mails,
            exempt_networks: policy.exempt_networks.clone(),
        }
    }
}

impl ClientLimits {
    pub(crate) fn exempts(&self, ip: IpAddr) -> bool {
        self.exempt_networks.iter().any(|network| network.contains(&ip.to_canonical()))
    }
}
