//! The client of an operation: the other end of the connection, as far as the caller knows it.

use std::net::IpAddr;

use crate::domain::secret::Secret;

/// Characters of a `User-Agent` that are kept.
const USER_AGENT_CHARS_MAX: usize = 256;

/// The client of an operation. Limits count it by its network prefix; the sessions page shows its device.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The address of the peer, or what a trusted proxy says it is.
    pub ip: Option<IpAddr>,
    /// The `User-Agent` of the browser or program.
    pub user_agent: Option<String>,
    /// The [`Tokens::device_token`](crate::Tokens::device_token) it received at an earlier sign-in.
    pub device_token: Option<Secret>,
}

impl Client {
    /// The `User-Agent`, cut to a length that no real browser exceeds.
    pub(crate) fn device(&self) -> Option<String> {
        self.user_agent.as_ref().map(|text| text.chars().take(USER_AGENT_CHARS_MAX).collect())
    }

    /// What the limits count by: the IPv4 address, or the first 64 bits of the IPv6 address (L5).
    pub(crate) fn prefix(&self) -> Option<Vec<u8>> {
        match self.ip?.to_canonical() {
            IpAddr::V4(address) => Some(address.octets().to_vec()),
            IpAddr::V6(address) => Some(address.octets().iter().take(8).copied().collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // L5: an IPv4 address counts alone, however it is written; an IPv6 network of 64 bits counts as one client.
    #[test]
    fn limits_count_by_network() {
        let prefix = |ip: &str| Client { ip: Some(ip.parse().unwrap()), ..Client::default() }.prefix();
        assert_eq!(prefix("192.0.2.1"), prefix("::ffff:192.0.2.1"));
        assert_ne!(prefix("192.0.2.1"), prefix("192.0.2.2"));
        assert_eq!(prefix("2001:db8:1:2::1"), prefix("2001:db8:1:2:ffff::9"));
        assert_ne!(prefix("2001:db8:1:2::1"), prefix("2001:db8:1:3::1"));
        assert_eq!(Client::default().prefix(), None);
    }
}
