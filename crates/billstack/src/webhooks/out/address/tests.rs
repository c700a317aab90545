use super::*;
use proptest::prelude::*;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

fn networks(text: &str) -> AllowedNetworks {
    AllowedNetworks::parse(text).unwrap_or_else(|| panic!("{text}"))
}

fn without_networks(text: &str) -> Option<Reach> {
    reach(address(text), &AllowedNetworks::default())
}

#[test]
fn of_ipv4_nothing_but_the_public_internet_may_be_called() {
    for refused in [
        // Each block at both ends.
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.0.0",
        "169.254.169.254",
        "169.254.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.0",
        "192.0.0.192",
        "192.0.0.255",
        "192.0.2.0",
        "192.0.2.255",
        "192.88.99.0",
        "192.88.99.255",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.0",
        "198.51.100.255",
        "203.0.113.0",
        "203.0.113.255",
        "224.0.0.0",
        "239.255.255.255",
        "240.0.0.0",
        "255.255.255.255",
    ] {
        assert_eq!(without_networks(refused), None, "{refused}");
    }
}

#[test]
fn of_ipv6_nothing_but_the_public_internet_may_be_called() {
    for refused in [
        // Unspecified, loopback, discard, local translation, SRv6, unique local, link-local, site-local, multicast.
        "::",
        "::1",
        "100::1",
        "64:ff9b:1::1",
        "64:ff9b:1::8.8.8.8",
        "5f00::1",
        "fc00::",
        "fd00::1",
        "fdff:ffff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "4000::1",
        "1fff:ffff::1",
        // Teredo, benchmark, ORCHID, documentation, 6to4.
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:1ff:ffff::1",
        "2001:db8::1",
        "2001:db8:ffff::1",
        "3fff::1",
        "3fff:fff:ffff::1",
        "2002::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        // IPv4 inside IPv6: compatible, mapped, translated.
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:7f00:1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::192.168.1.1",
        "64:ff9b:0:0:0:1:8.8.8.8",
    ] {
        assert_eq!(without_networks(refused), None, "{refused}");
    }
}

#[test]
fn the_public_internet_may_be_called() {
    for public in [
        "1.0.0.0",
        "8.8.8.8",
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
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "2000::1",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2001:db7::1",
        "2001:db9::1",
        "2003::1",
        "2606:4700::1111",
        "3ffe::1",
        "3fff:1000::1",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
    ] {
        assert_eq!(without_networks(public), Some(Reach::Public), "{public}");
    }
}

#[test]
fn allowed_networks_may_be_called_and_no_others() {
    let allowed = networks("10.1.0.0/16,fd00:1::/32, 127.0.0.1");
    for inner in [
        "10.1.0.0",
        "10.1.255.255",
        "::ffff:10.1.2.3",
        "64:ff9b::10.1.2.3",
        "fd00:1::7",
        "127.0.0.1",
    ] {
        let found = reach(address(inner), &allowed);
        assert_eq!(found, Some(Reach::Inner), "{inner}");
    }
    for other in [
        "10.2.0.0",
        "127.0.0.2",
        "fd00:2::7",
        "::1",
        "2002:a01:203::",
    ] {
        assert_eq!(reach(address(other), &allowed), None, "{other}");
    }
    assert_eq!(reach(address("8.8.8.8"), &allowed), Some(Reach::Public));
    let mapped = networks("::/0");
    assert_eq!(
        reach(address("::ffff:10.0.0.1"), &mapped),
        None,
        "it is IPv4"
    );
}

#[test]
fn networks_are_read_or_refused() {
    for empty in ["", " ", " , "] {
        assert!(networks(empty).is_empty(), "{empty}");
    }
    for wrong in [
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.1/8",
        "10.0/8",
        "localhost",
        "fd00::/129",
        "fd00::1/8",
        "10.0.0.0/8 fd00::/8",
        "10.0.0.0/8;fd00::/8",
        "0x7f.1",
        "fe80::%eth0/10",
    ] {
        assert_eq!(AllowedNetworks::parse(wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn a_mapped_or_translated_address_is_judged_as_what_is_inside(bits: u32) {
        let inside = Ipv4Addr::from(bits);
        let [a, b] = [(bits >> 16) as u16, bits as u16];
        let none = AllowedNetworks::default();
        let plain = reach(inside.into(), &none);
        prop_assert_eq!(reach(inside.to_ipv6_mapped().into(), &none), plain);
        let translated = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b);
        prop_assert_eq!(reach(translated.into(), &none), plain);
        let six_to_four = Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1);
        prop_assert_eq!(reach(six_to_four.into(), &none), None);
    }

    #[test]
    fn what_the_standard_library_calls_special_is_never_public(bits: u32, wide: u128) {
        let none = AllowedNetworks::default();
        let four = Ipv4Addr::from(bits);
        let special = four.is_private() || four.is_loopback() || four.is_link_local()
            || four.is_multicast() || four.is_broadcast() || four.is_unspecified()
            || four.is_documentation();
        prop_assert!(!special || reach(four.into(), &none).is_none());
        let six = Ipv6Addr::from(wide);
        let special = six.is_loopback() || six.is_multicast() || six.is_unspecified()
            || six.is_unique_local() || six.is_unicast_link_local();
        prop_assert!(!special || reach(six.into(), &none).is_none());
    }
}
