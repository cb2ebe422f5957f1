//! Addresses that nobody outside may make us call.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Ranges of IPv4 that are not of the public Internet (IANA special-purpose registry, RFC 6890), and one
/// address that only looks as if it were: within Azure the platform itself answers there.
const V4: [([u8; 4], u8, &str); 17] = [
    ([0, 0, 0, 0], 8, "an unspecified address"),
    ([10, 0, 0, 0], 8, "a private address"),
    ([100, 64, 0, 0], 10, "an address behind a carrier's NAT"),
    ([127, 0, 0, 0], 8, "a loopback address"),
    (
        [168, 63, 129, 16],
        32,
        "an address of a cloud's own services",
    ),
    ([169, 254, 0, 0], 16, "a link-local address"),
    ([172, 16, 0, 0], 12, "a private address"),
    ([192, 0, 0, 0], 24, "an address of IETF protocols"),
    ([192, 0, 2, 0], 24, "a documentation address"),
    ([192, 31, 196, 0], 24, "an address of AS112"),
    ([192, 88, 99, 0], 24, "a 6to4 address"),
    ([192, 168, 0, 0], 16, "a private address"),
    ([198, 18, 0, 0], 15, "an address for benchmarks"),
    ([198, 51, 100, 0], 24, "a documentation address"),
    ([203, 0, 113, 0], 24, "a documentation address"),
    ([224, 0, 0, 0], 4, "a multicast address"),
    ([240, 0, 0, 0], 4, "a reserved address"),
];

/// The same of IPv6. What is outside of `2000::/3` is not of the public Internet in any case; these rows
/// give it a name. Forms that carry an IPv4 address are refused whatever that is: they are a detour.
const V6: [(Ipv6Addr, u8, &str); 13] = [
    (Ipv6Addr::UNSPECIFIED, 128, "an unspecified address"),
    (Ipv6Addr::LOCALHOST, 128, "a loopback address"),
    (v6(0, 0, 0, 0xffff), 96, "an IPv4-mapped address"),
    (v6(0, 0, 0, 0), 96, "an IPv4-compatible address"),
    (v6(0x64, 0xff9b, 0, 0), 95, "a NAT64 address"),
    (v6(0x64, 0xff9b, 1, 0), 48, "a NAT64 address"),
    (
        v6(0x2001, 0, 0, 0),
        23,
        "an address of IETF protocols (Teredo, ORCHID)",
    ),
    (v6(0x2001, 0xdb8, 0, 0), 32, "a documentation address"),
    (v6(0x2002, 0, 0, 0), 16, "a 6to4 address"),
    (v6(0x3fff, 0, 0, 0), 20, "a documentation address"),
    (v6(0xfc00, 0, 0, 0), 7, "a private address"),
    (v6(0xfe80, 0, 0, 0), 10, "a link-local address"),
    (v6(0xff00, 0, 0, 0), 8, "a multicast address"),
];

/// The first three groups, and the sixth.
const fn v6(a: u16, b: u16, c: u16, sixth: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, 0, 0, sixth, 0, 0)
}

/// Why an address must not be called; `None` for one of the public Internet, or of `networks`.
///
/// An IPv4-mapped IPv6 address (`::ffff:10.0.0.1`) is one of `networks` only where those have the IPv6
/// range: what was configured is an address, not its disguise.
pub fn refused(address: IpAddr, networks: &[IpNet]) -> Option<&'static str> {
    if networks.iter().any(|network| network.contains(&address)) {
        return None;
    }
    match address {
        IpAddr::V4(address) => V4
            .iter()
            .find(|(net, bits, _)| {
                is_in(
                    address.to_bits().into(),
                    Ipv4Addr::from(*net).to_bits().into(),
                    *bits,
                    32,
                )
            })
            .map(|(_, _, name)| *name),
        IpAddr::V6(address) => V6
            .iter()
            .find(|(net, bits, _)| is_in(address.to_bits(), net.to_bits(), *bits, 128))
            .map(|(_, _, name)| *name)
            .or_else(|| (address.segments()[0] >> 13 != 1).then_some("a reserved address")),
    }
}

fn is_in(address: u128, net: u128, bits: u8, width: u8) -> bool {
    let shift = u32::from(width.saturating_sub(bits));
    address.checked_shr(shift) == net.checked_shr(shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(address: &str) -> Option<&'static str> {
        refused(address.parse().unwrap(), &[])
    }

    #[test]
    fn item_44_addresses_that_are_not_of_the_public_internet() {
        for (address, kind) in [
            ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "unspecified"),
            ("10.0.0.1", "private"),
            ("10.255.255.255", "private"),
            ("100.64.0.1", "carrier"),
            ("100.127.255.255", "carrier"),
            ("127.0.0.1", "loopback"),
            ("127.255.255.254", "loopback"),
            ("168.63.129.16", "cloud"),
            ("169.254.169.254", "link-local"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.0.0.170", "IETF"),
            ("192.0.2.1", "documentation"),
            ("192.88.99.1", "6to4"),
            ("192.168.1.1", "private"),
            ("198.19.255.255", "benchmarks"),
            ("198.51.100.1", "documentation"),
            ("203.0.113.1", "documentation"),
            ("224.0.0.1", "multicast"),
            ("239.255.255.255", "multicast"),
            ("255.255.255.255", "reserved"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::ffff:127.0.0.1", "mapped"),
            ("::ffff:8.8.8.8", "mapped"),
            ("::7f00:1", "compatible"),
            ("::2", "compatible"),
            ("64:ff9b::7f00:1", "NAT64"),
            ("64:ff9b::a9fe:a9fe", "NAT64"),
            ("64:ff9b:1::1", "NAT64"),
            ("100::1", "reserved"),
            ("2001::1", "Teredo"),
            ("2001:10::1", "ORCHID"),
            ("2001:db8::1", "documentation"),
            ("2002:7f00:1::1", "6to4"),
            ("3fff::1", "documentation"),
            ("fc00::1", "private"),
            ("fd00:ec2::254", "private"),
            ("fe80::1", "link-local"),
            ("fec0::1", "reserved"),
            ("ff02::1", "multicast"),
            ("4000::1", "reserved"),
        ] {
            let why = why(address);
            assert!(
                why.is_some_and(|why| why.contains(kind)),
                "{address}: {why:?}"
            );
        }
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "223.255.255.255",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert_eq!(why(address), None, "{address}");
        }
    }

    #[test]
    fn a_configured_range_is_that_range_only() {
        let networks = ["10.1.0.0/16".parse().unwrap(), "fd12::/16".parse().unwrap()];
        let why = |address: &str| refused(address.parse().unwrap(), &networks);
        assert_eq!(why("10.1.2.3"), None);
        assert_eq!(why("fd12::1"), None);
        for address in [
            "10.2.0.1",
            "127.0.0.1",
            "::ffff:10.1.2.3",
            "fd13::1",
            "64:ff9b::a01:203",
        ] {
            assert!(why(address).is_some(), "{address}");
        }
    }
}
