//! Who is asking: the other end of the connection, as far as the caller knows it.

use std::net::IpAddr;

/// The client of an operation. The limits per client count by its network prefix, the sessions page shows its device.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The address of the peer, or what a trusted proxy says it is.
    pub ip: Option<IpAddr>,
    /// The `User-Agent` of the browser or program.
    pub user_agent: Option<String>,
}

impl Client {
    /// What the limits count by: the IPv4 address, or the first 64 bits of the IPv6 address (L5).
    pub(crate) fn prefix(&self) -> Option<Vec<u8>> {
        match self.ip?.to_canonical() {
            IpAddr::V4(address) => Some(address.octets().to_vec()),
            IpAddr::V6(address) => Some(address.octets().iter().take(8).copied().collect()),
        }
    }
}
