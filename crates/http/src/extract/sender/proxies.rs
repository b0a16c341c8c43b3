//! Which peers are trusted to name the client they act for.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::sync::Arc;

use axum::http::HeaderMap;

/// The networks of the proxies in front of this server; none by default. Also how to treat requests with an unknown
/// peer, see [`with_unknown_peers`](Self::with_unknown_peers).
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(pub(super) Arc<[Network]>, pub(super) UnknownPeer);

/// How to treat a request whose peer address is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownPeer {
    /// Refused with 500, which explains how to serve instead: otherwise every limit per client would silently be off.
    #[default]
    IsRefused,
    /// Comes from a proxy, because nothing else can connect: a Unix socket, for example. `X-Forwarded-For` names the
    /// client. All requests without that header count as one client.
    IsProxy,
    /// Has no address, and is not limited per client: for tests, and behind something with limits of its own.
    IsUnlimited,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    address: u128,
    /// Significant leading bits, of 128.
    bits: u32,
}

/// Why these cannot be the networks of proxies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// The text is not an address or a network.
    #[error("`{0}` is not an IP address or a network such as 10.0.0.0/8 or fd00::/8")]
    Malformed(String),
    /// Together they are more than a sixteenth of all IPv4 or of all IPv6 addresses: anyone could claim any address
    /// (O5).
    #[error(
        "together they are more than a sixteenth of all addresses, so anybody could choose the address that limits count"
    )]
    Everybody,
}

/// At most this fraction of the addresses of a family may be proxies. Private networks are one in 127.
const FAMILY_SHARE: u128 = 16;
/// Leading bits of the IPv4 addresses among those of IPv6 (RFC 4291 §2.5.5.2).
const MAPPED_BITS: u32 = 96;

impl TrustedProxies {
    /// Reads addresses and networks.
    ///
    /// # Errors
    /// [`ProxyError::Malformed`] for the first entry that is neither; [`ProxyError::Everybody`].
    pub fn parse<T: AsRef<str>>(entries: &[T]) -> Result<Self, ProxyError> {
        let networks =
            entries.iter().map(|entry| entry.as_ref().trim().parse()).collect::<Result<Vec<_>, _>>()?;
        if is_everybody(&networks) {
            return Err(ProxyError::Everybody);
        }
        Ok(Self(networks.into(), UnknownPeer::default()))
    }

    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// The address of the client: the peer, or, if the peer is trusted, the right-most entry of `X-Forwarded-For` that
    /// is not (L5). If that entry cannot be read, it is the peer.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.contain(peer) {
            return peer;
        }
        self.forwarded(headers).unwrap_or(peer)
    }

    /// The right-most entry of `X-Forwarded-For` that is not a trusted proxy's, as a trusted peer reports it; the first
    /// one if all are. Entries to the left of it were written by the client, and are not read.
    pub(super) fn forwarded(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let mut farthest = None;
        for hop in hops(headers) {
            let address = read_hop(hop)?;
            farthest = Some(address);
            if !self.contain(address) {
                break;
            }
        }
        farthest
    }
}

/// The entries from right to left, without empty ones (RFC 9110 §5.6.1.2). Several lines are one list (§5.3).
fn hops(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    hops.map(<[u8]>::trim_ascii).filter(|hop| !hop.is_empty())
}

/// An address as proxies write it: in quotes, in brackets, with a port or the zone of a link-local one, or bare.
fn read_hop(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let text = text.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(text);
    let address = match text.strip_prefix('[') {
        Some(inner) => {
            let (address, rest) = inner.split_once(']')?;
            let is_plain = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
            is_plain.then_some(address)?
        }
        // Several colons mean an IPv6 address, which has no port outside brackets.
        None => text.split_once(':').filter(|(_, port)| is_port(port)).map_or(text, |(address, _)| address),
    };
    let address = address.split_once('%').map_or(address, |(address, _)| address);
    address.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// Whether the networks are too large a part of a family, in one entry or together.
fn is_everybody(networks: &[Network]) -> bool {
    let mapped = bits(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let outermost =
        |one: &&Network| !networks.iter().any(|other| other.bits < one.bits && other.holds(one.address));
    let mut counted: Vec<&Network> = networks.iter().filter(outermost).collect();
    counted.sort_unstable_by_key(|network| (network.address, network.bits));
    counted.dedup_by_key(|network| (network.address >> (128 - network.bits), network.bits));
    let (of_4, of_6): (Vec<&Network>, Vec<&Network>) = counted.iter().partition(|network| {
        network.bits >= MAPPED_BITS && (network.address ^ mapped).leading_zeros() >= MAPPED_BITS
    });
    // An IPv6 network may contain all of IPv4.
    let holds_4 = of_6.iter().any(|network| network.holds(mapped));
    let size = |of: &[&Network]| {
        of.iter().fold(0, |sum: u128, network| sum.saturating_add(1 << (128 - network.bits)))
    };
    holds_4 || size(&of_4) > (1 << 32) / FAMILY_SHARE || size(&of_6) > u128::MAX / FAMILY_SHARE
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        self.holds(bits(address))
    }

    fn holds(self, address: u128) -> bool {
        // If the first bits are equal, the difference has that many leading zeros.
        (self.address ^ address).leading_zeros() >= self.bits
    }
}

impl FromStr for Network {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let refused = || ProxyError::Malformed(text.to_owned());
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
    use axum::http::HeaderValue;

    use super::*;

    fn client(peer: &str, forwarded: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        client_of(peer, &headers)
    }

    fn client_of(peer: &str, headers: &HeaderMap) -> String {
        let proxies = TrustedProxies::parse(&["10.0.0.0/8", "::1"]).expect("networks");
        proxies.client(peer.parse().expect("an address"), headers).to_string()
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

    // L5: what a client writes to the left of its own address has no effect.
    #[test]
    fn what_stands_left_of_the_client_is_not_read() {
        for forged in [
            "x, 203.0.113.9",
            "unknown,, 203.0.113.9, ",
            "\u{e4}\u{ff}, 203.0.113.9",
            "a b, 203.0.113.9,10.9.9.9",
        ] {
            let mut headers = HeaderMap::new();
            headers.append("x-forwarded-for", HeaderValue::from_bytes(forged.as_bytes()).expect("a header"));
            assert_eq!(client_of("10.1.2.3", &headers), "203.0.113.9", "{forged}");
        }
        assert_eq!(client("10.1.2.3", &["x", "203.0.113.9", ""]), "203.0.113.9");
    }

    #[test]
    fn a_hop_is_read_as_proxies_write_it() {
        for (hop, address) in [
            ("203.0.113.9:51234", "203.0.113.9"),
            ("\"203.0.113.9\"", "203.0.113.9"),
            ("\"203.0.113.9:80\"", "203.0.113.9"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:51234", "2001:db8::7"),
            ("\"[2001:db8::7]:51234\"", "2001:db8::7"),
            ("2001:db8::7:80", "2001:db8::7:80"),
            ("fe80::7%eth0", "fe80::7"),
            ("[fe80::7%eth0]:80", "fe80::7"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("[::ffff:203.0.113.9]:80", "203.0.113.9"),
        ] {
            assert_eq!(client("10.1.2.3", &[hop]), address, "{hop}");
        }
    }

    // L5: an unreadable hop never skips a limit.
    #[test]
    fn behind_an_unreadable_hop_the_peer_counts() {
        for hop in [
            "unknown",
            "_hidden",
            "203.0.113.9:",
            "203.0.113.9:http",
            "[2001:db8::7",
            "[2001:db8::7]80",
            "\"203.0.113.9",
        ] {
            assert_eq!(client("10.1.2.3", &[hop]), "10.1.2.3", "{hop}");
        }
        assert_eq!(client("10.1.2.3", &["203.0.113.9, unknown"]), "10.1.2.3");
        assert_eq!(client("10.1.2.3", &["203.0.113.9, unknown, 10.9.9.9"]), "10.1.2.3");
        assert_eq!(client("10.1.2.3", &[""]), "10.1.2.3");
        assert_eq!(client("10.1.2.3", &[" , ,"]), "10.1.2.3");
        assert_eq!(client("10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn networks_are_read_strictly() {
        for text in ["0.0.0.0/0", "::/0", "10.0.0.0/33", "10.0.0", "proxy", "10.0.0.0/-1", ""] {
            assert!(TrustedProxies::parse(&[text]).is_err(), "{text}");
        }
    }

    // O5: not even in parts.
    #[test]
    fn nobody_trusts_everybody() {
        let eighths: Vec<String> = (0..=255).map(|first| format!("{first}.0.0.0/8")).collect();
        let texts: Vec<&str> = eighths.iter().map(String::as_str).collect();
        for networks in [
            &["0.0.0.0/1", "128.0.0.0/1"][..],
            &["0.0.0.0/1"],
            &["10.0.0.1", "8.0.0.0/3"],
            &["2000::/3"],
            &["::/1", "8000::/1"],
            &["::/8"],
            &["::/96", "::ffff:0.0.0.0/96"],
            &["::ffff:0.0.0.0/97"],
            &texts,
            &texts[..17],
        ] {
            assert_eq!(TrustedProxies::parse(networks).err(), Some(ProxyError::Everybody), "{networks:?}");
        }
        for networks in [
            &[
                "10.0.0.0/8",
                "100.64.0.0/10",
                "172.16.0.0/12",
                "192.168.0.0/16",
                "fc00::/7",
                "fe80::/10",
                "::1",
            ][..],
            &["10.0.0.0/8"; 64],
            &["10.0.0.0/8", "10.1.0.0/16", "::ffff:10.0.0.0/104"],
            &texts[..16],
            &[],
        ] {
            assert!(TrustedProxies::parse(networks).is_ok(), "{networks:?}");
        }
    }
}
