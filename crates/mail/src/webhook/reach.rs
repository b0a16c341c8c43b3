//! Which addresses a webhook may reach (O6): names are resolved here, and every address is checked before a connection
//! is made to it, so a name that resolves differently the next time gains nothing.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Who can be behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Anybody on the internet.
    Public,
    /// This machine, or a private network.
    Private,
    /// Nobody to post to: link-local (where clouds keep credentials), multicast, reserved, translated.
    Never,
}

/// The kinds that may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) public: bool,
    pub(super) private: bool,
}

impl Reach {
    pub(super) fn allows(self, address: IpAddr) -> bool {
        match kind(address) {
            Kind::Public => self.public,
            Kind::Private => self.private,
            Kind::Never => false,
        }
    }
}

/// IPv4 networks that are not public (IANA's registry of special-purpose addresses).
const V4: [(Ipv4Addr, u32, Kind); 16] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8, Kind::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Kind::Private), // shared by the customers of a provider (RFC 6598)
    (Ipv4Addr::new(127, 0, 0, 0), 8, Kind::Private),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Kind::Private),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Kind::Private),
    (Ipv4Addr::UNSPECIFIED, 8, Kind::Never), // "this host": Linux connects to loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16, Kind::Never), // link-local
    (Ipv4Addr::new(192, 0, 0, 0), 24, Kind::Never), // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24, Kind::Never), // documentation (RFC 5737)
    (Ipv4Addr::new(192, 88, 99, 0), 24, Kind::Never), // relays of 6to4
    (Ipv4Addr::new(198, 18, 0, 0), 15, Kind::Never), // benchmarks (RFC 2544)
    (Ipv4Addr::new(198, 51, 100, 0), 24, Kind::Never), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24, Kind::Never), // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4, Kind::Never), // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4, Kind::Never), // reserved, and broadcast
    (Ipv4Addr::new(168, 63, 129, 16), 32, Kind::Never), // a cloud's own services behind a public address
];

/// IPv6 networks inside `2000::/3` that are not public.
const V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments: Teredo, benchmarks, ORCHID …
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4 carries any IPv4 address
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation (RFC 9637)
];
const GLOBAL: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const UNIQUE_LOCAL: (Ipv6Addr, u32) = (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7);
/// IPv4 addresses as written in networks without IPv4 (RFC 6052).
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

pub(super) fn kind(address: IpAddr) -> Kind {
    // An IPv4 address in IPv6 notation (`::ffff:127.0.0.1`) is judged as IPv4.
    match address.to_canonical() {
        IpAddr::V4(address) => kind_of_v4(address),
        IpAddr::V6(address) => kind_of_v6(address),
    }
}

fn kind_of_v4(address: Ipv4Addr) -> Kind {
    let found =
        V4.iter().find(|(network, bits, _)| (address.to_bits() ^ network.to_bits()) >> (32 - bits) == 0);
    found.map_or(Kind::Public, |(.., kind)| *kind)
}

/// An address outside the networks known to be public is not public, including all notations that hide an IPv4 address.
fn kind_of_v6(address: Ipv6Addr) -> Kind {
    let is_in =
        |(network, bits): &(Ipv6Addr, u32)| (address.to_bits() ^ network.to_bits()) >> (128 - bits) == 0;
    if is_in(&NAT64) {
        let [.., a, b, c, d] = address.octets();
        return match kind_of_v4(Ipv4Addr::new(a, b, c, d)) {
            Kind::Public => Kind::Public,
            Kind::Private | Kind::Never => Kind::Never,
        };
    }
    if address.is_loopback() || is_in(&UNIQUE_LOCAL) {
        return Kind::Private;
    }
    if is_in(&GLOBAL) && !V6.iter().any(is_in) { Kind::Public } else { Kind::Never }
}

/// Resolves a name.
pub(super) type Lookup = fn(String) -> Found;
pub(super) type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// The system's resolver.
pub(super) fn system(name: String) -> Found {
    Box::pin(async move {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    })
}

/// A resolver that never returns a forbidden address. One forbidden address discards all of them: it is no accident.
pub(super) struct Guard {
    lookup: Lookup,
    reach: Reach,
}

impl Guard {
    pub(super) fn new(lookup: Lookup, reach: Reach) -> Self {
        Self { lookup, reach }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, reach, name) = ((self.lookup)(name.as_str().to_owned()), self.reach, name);
        Box::pin(async move {
            let found = found.await?;
            if let Some(wrong) = found.iter().find(|address| !reach.allows(**address)) {
                return Err(format!("{} is {wrong}, {}", name.as_str(), why(*wrong)).into());
            }
            // The port is that of the URL.
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// Why an address is not allowed.
pub(super) fn why(address: IpAddr) -> &'static str {
    match kind(address) {
        Kind::Public => "a public address, which http:// must not be used for",
        Kind::Private => "a private address",
        Kind::Never => "an address that no webhook may reach",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(kind_wanted: Kind, addresses: &[&str]) {
        for address in addresses {
            assert_eq!(kind(address.parse().unwrap()), kind_wanted, "{address}");
        }
    }

    // O6: both ends of each range, and their neighbours.
    #[test]
    fn ipv4_ranges_end_where_they_end() {
        all(
            Kind::Private,
            &[
                "10.0.0.0",
                "10.255.255.255",
                "100.64.0.0",
                "100.127.255.255",
                "127.0.0.1",
                "127.255.255.255",
                "172.16.0.0",
                "172.31.255.255",
                "192.168.0.0",
                "192.168.255.255",
            ],
        );
        all(
            Kind::Never,
            &[
                "0.0.0.0",
                "0.255.255.255",
                "169.254.0.0",
                "169.254.169.254",
                "169.254.255.255",
                "192.0.0.0",
                "192.0.0.255",
                "192.0.2.1",
                "192.88.99.1",
                "198.18.0.0",
                "198.19.255.255",
                "198.51.100.255",
                "203.0.113.0",
                "224.0.0.0",
                "239.255.255.255",
                "240.0.0.0",
                "255.255.255.255",
                "168.63.129.16",
            ],
        );
        all(
            Kind::Public,
            &[
                "1.0.0.0",
                "9.255.255.255",
                "11.0.0.0",
                "100.63.255.255",
                "100.128.0.0",
                "126.255.255.255",
                "128.0.0.0",
                "169.253.255.255",
                "169.255.0.0",
                "172.15.255.255",
                "172.32.0.0",
                "192.0.1.0",
                "192.0.3.0",
                "192.167.255.255",
                "192.169.0.0",
                "198.17.255.255",
                "198.20.0.0",
                "223.255.255.255",
                "8.8.8.8",
            ],
        );
    }

    #[test]
    fn ipv6_hides_nothing() {
        all(Kind::Private, &["::1", "fc00::1", "fdff:ffff::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"]);
        all(
            Kind::Never,
            &[
                "::",
                "::2",
                "::127.0.0.1",
                "::8.8.8.8",
                "::ffff:169.254.169.254",
                "::ffff:0.0.0.0",
                "fe80::1",
                "febf::1",
                "fec0::1",
                "ff02::1",
                "100::1",
                "64:ff9b::127.0.0.1",
                "64:ff9b::10.0.0.1",
                "64:ff9b::169.254.169.254",
                "64:ff9b:1::8.8.8.8",
                "2001::1",
                "2001:10::1",
                "2001:2::1",
                "2001:db8::1",
                "2002:7f00:1::",
                "2002:808:808::",
                "3fff::1",
                "4000::1",
                "5f00::1",
                "1fff::1",
            ],
        );
        all(
            Kind::Public,
            &[
                "2000::1",
                "2001:200::1",
                "2001:4860:4860::8888",
                "2a00:1450::1",
                "3ffe::1",
                "64:ff9b::8.8.8.8",
                "::ffff:8.8.8.8",
            ],
        );
    }
}
