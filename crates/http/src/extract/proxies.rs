//! Which peers may say on whose behalf they ask.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::http::HeaderMap;

/// The networks of the proxies in front of this server; none by default.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[Network]>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: u128,
    /// Leading bits that count, of 128.
    bits: u32,
}

/// The text is not an address or a network such as `10.0.0.0/8`, or it is everybody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an IP address or a network such as 10.0.0.0/8 or fd00::/8 (and not everybody: then anyone could claim any address)"
)]
pub struct ProxyError(String);

impl TrustedProxies {
    /// Reads addresses and networks.
    ///
    /// # Errors
    /// The first entry that is neither, or that is a whole address family (O5).
    pub fn parse<T: AsRef<str>>(entries: &[T]) -> Result<Self, ProxyError> {
        let networks =
            entries.iter().map(|entry| entry.as_ref().trim().parse()).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(networks.into()))
    }

    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// The address of the client: the peer, or, where the peer is trusted, the right-most entry of
    /// `X-Forwarded-For` that is not (L5). A header that cannot be read is ignored as a whole.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.contain(peer) {
            return peer;
        }
        let hops: Option<Vec<IpAddr>> = headers
            .get_all("x-forwarded-for")
            .iter()
            .flat_map(|line| line.to_str().unwrap_or("?").split(','))
            .map(|hop| read_hop(hop.trim()))
            .collect();
        let hops = hops.unwrap_or_default();
        let client = hops.iter().rev().find(|hop| !self.contain(**hop)).or(hops.first());
        client.copied().unwrap_or(peer)
    }
}

/// An address as proxies write it, without the zone of a link-local one.
fn read_hop(text: &str) -> Option<IpAddr> {
    let text = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text);
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        // The first bits are equal: the difference has that many leading zeros.
        (self.address ^ bits(address)).leading_zeros() >= self.bits
    }
}

impl FromStr for Network {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let refused = || ProxyError(text.to_owned());
        let (address, length) = match text.split_once('/') {
            None => (text, None),
            Some((address, length)) => (address, Some(length.parse::<u32>().map_err(|_| refused())?)),
        };
        let address: IpAddr = address.parse().map_err(|_| refused())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(width);
        if !(1..=width).contains(&length) {
            return Err(refused());
        }
        Ok(Self { address: bits(address), bits: 128 - width + length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&'static str]) -> String {
        let proxies = TrustedProxies::parse(&["10.0.0.0/8", "::1"]).expect("networks");
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", axum::http::HeaderValue::from_static(line));
        }
        proxies.client(peer.parse().expect("an address"), &headers).to_string()
    }

    #[test]
    fn only_a_trusted_peer_speaks_for_others() {
        assert_eq!(client("192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(client("10.1.2.3", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("::ffff:10.1.2.3", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("::1", &["2001:db8::7"]), "2001:db8::7");
    }

    #[test]
    fn what_the_client_itself_wrote_is_not_believed() {
        assert_eq!(client("10.1.2.3", &["1.1.1.1, 203.0.113.9, 10.9.9.9"]), "203.0.113.9");
        assert_eq!(client("10.1.2.3", &["1.1.1.1", "203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("10.1.2.3", &["10.7.7.7, 10.9.9.9"]), "10.7.7.7");
    }

    // L5: an unreadable header never skips a limit.
    #[test]
    fn an_unreadable_header_is_ignored() {
        assert_eq!(client("10.1.2.3", &["203.0.113.9, unknown"]), "10.1.2.3");
        assert_eq!(client("10.1.2.3", &[""]), "10.1.2.3");
        assert_eq!(client("10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn networks_are_read_strictly() {
        for text in ["0.0.0.0/0", "::/0", "10.0.0.0/33", "10.0.0", "proxy", "10.0.0.0/-1", ""] {
            assert!(TrustedProxies::parse(&[text]).is_err(), "{text}");
        }
    }
}
