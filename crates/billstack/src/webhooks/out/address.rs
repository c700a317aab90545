//! Which addresses may be called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The prefix by which networks that have IPv6 alone reach IPv4 (RFC 6052).
const NAT64: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

/// The networks of the operator's own that webhooks may be sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedNetworks(Vec<IpNet>);

impl AllowedNetworks {
    /// Reads networks separated by commas, such as `10.1.0.0/16, fd00:1::/64`; none from an empty text.
    pub fn parse(text: &str) -> Option<AllowedNetworks> {
        let texts = text.split(',').map(str::trim);
        let networks: Option<Vec<IpNet>> =
            texts.filter(|text| !text.is_empty()).map(network).collect();
        networks.map(AllowedNetworks)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// A network, or a single address. One with an address inside it, such as `10.1.2.3/8`, is a slip.
fn network(text: &str) -> Option<IpNet> {
    let single = || text.parse::<IpAddr>().ok().map(IpNet::from);
    let network = text.parse::<IpNet>().ok().or_else(single)?;
    (network == network.trunc()).then_some(network)
}

/// Where an address is that may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In the public part of the Internet.
    Public,
    /// In a network that the operator allows.
    Inner,
}

/// Where an address is, if it may be called.
///
/// The kernel connects to the IPv4 address inside a mapped one, and a translator to the one inside a NAT64 one, so
/// these are what is judged. 6to4 and Teredo addresses lead to an IPv4 address too, and are refused as they are.
pub fn reach(address: IpAddr, allowed: &AllowedNetworks) -> Option<Reach> {
    let address = address.to_canonical();
    let meant = match address {
        IpAddr::V6(address) => translated(address).map_or(address.into(), IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    if allowed.contain(address) || allowed.contain(meant) {
        return Some(Reach::Inner);
    }
    let is_public = match meant {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    };
    is_public.then_some(Reach::Public)
}

/// The IPv4 address that a translator makes of this one.
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let (prefix, rest) = segments.split_first_chunk::<6>()?;
    let [high, low] = rest else {
        return None;
    };
    (*prefix == NAT64).then(|| Ipv4Addr::from(u32::from(*high) << 16 | u32::from(*low)))
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        // This network, private ones, this machine; from 224 on multicast, reserved and broadcast.
        [0 | 10 | 127 | 224.., ..]
            // Behind the address translation of a provider.
            | [100, 64..=127, ..]
            // Link-local: where clouds keep credentials.
            | [169, 254, ..]
            | [172, 16..=31, ..]
            // Assignments of the IETF, and documentation.
            | [192, 0, 0 | 2, _]
            // The relays of 6to4.
            | [192, 88, 99, _]
            | [192, 168, ..]
            // Benchmarks.
            | [198, 18 | 19, ..]
            // Documentation.
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

/// Only 2000::/3 has been given out for the public Internet.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Assignments of the IETF, such as Teredo, benchmarks and ORCHID.
        [0x2001, ..=0x01ff, ..] => false,
        // Documentation.
        [0x2001, 0x0db8, ..] | [0x3fff, ..=0x0fff, ..] => false,
        // 6to4.
        [0x2002, ..] => false,
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
