//! Which addresses may be fetched from: public ones.
//!
//! A caller that names an address must not reach, through this server, what only this server can reach: its own machine,
//! its network, the cloud's metadata. Addresses are judged after resolution, and only judged addresses are connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// True for addresses on the public internet. Everything that is private, local, reserved, for documentation, multicast, a
/// tunnel's or a translator's way to such an address, or known to be a cloud's metadata is not.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => public_v4(v4),
        IpAddr::V6(v6) => public_v6(v6),
    }
}

fn public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, d] = address.octets();
    !matches!(
        (a, b, c, d),
        (0 | 10 | 127 | 224..=255, ..)          // this network, private, loopback, multicast, reserved, broadcast
            | (100, 64..=127, ..)               // carrier-grade NAT; metadata of Alibaba Cloud
            | (169, 254, ..)                    // link-local; metadata of most clouds
            | (172, 16..=31, ..)                // private
            | (192, 0, 0, _)                    // protocol assignments; metadata of Oracle Cloud
            | (192, 0, 2, _)                    // documentation
            | (192, 88, 99, _)                  // 6to4 relays
            | (192, 168, ..)                    // private
            | (198, 18..=19, ..)                // benchmarks
            | (198, 51, 100, _)                 // documentation
            | (203, 0, 113, _)                  // documentation
            | (168, 63, 129, 16) // the host's services on Azure
    )
}

fn public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = || Ipv4Addr::from((u32::from(g) << 16) | u32::from(h));
    match (a, b) {
        // Translated (NAT64): as good as the address behind it.
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => public_v4(embedded()),
        // An IPv4 address in IPv6 clothes: a connection to it is an IPv4 connection.
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0xffff) => public_v4(embedded()),
        (0x2001, 0..=0x01ff)                    // protocol assignments: Teredo, benchmarks, ORCHID
        | (0x2001, 0x0db8)                      // documentation
        | (0x2002, _)                           // 6to4: a way to an IPv4 address
        | (0x3fff, 0..=0x0fff) => false, // documentation
        // Of the rest, only global unicast is in use: no loopback, unspecified, unique local, link-local, multicast.
        (0x2000..=0x3fff, _) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn what_is_not_public_is_refused() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.0.1",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "192.168.255.255",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::10.1.2.3",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:c0a8:1::1",
            "2002:808:808::1",
            "3fff::1",
            "3fff:fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fdff::1",
            "fe80::1",
            "fe80::a9fe:a9fe",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
            "4000::1",
        ] {
            assert!(!public(text), "{text}");
        }
    }

    #[test]
    fn what_is_public_passes() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.0.0.1",
            "128.0.0.1",
            "169.253.0.1",
            "169.255.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.0.1",
            "192.169.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "168.63.129.17",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:200::1",
            "2001:4860::1",
            "2003::1",
            "3fff:1000::1",
            "64:ff9b::8.8.8.8",
            "::ffff:8.8.8.8",
        ] {
            assert!(public(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_standard_library_agrees_on_what_it_knows(n in any::<u32>()) {
            let a = Ipv4Addr::from(n);
            let known = a.is_private() || a.is_loopback() || a.is_link_local() || a.is_multicast() || a.is_broadcast()
                || a.is_documentation() || a.is_unspecified();
            prop_assert!(!(known && public_v4(a)));
        }

        #[test]
        fn no_ipv6_form_of_a_private_address_passes(n in any::<u32>(), tail in any::<u64>()) {
            let a = Ipv4Addr::from(n);
            let v4 = u128::from(n);
            let mapped = Ipv6Addr::from(0xffff_0000_0000 | v4);
            let translated = Ipv6Addr::from((0x0064_ff9b_u128 << 96) | v4);
            prop_assert_eq!(public_v6(mapped), public_v4(a));
            prop_assert_eq!(public_v6(translated), public_v4(a));
            prop_assert!(!public_v6(Ipv6Addr::from(v4))); // compatible, deprecated
            prop_assert!(!public_v6(Ipv6Addr::from((0x2002_u128 << 112) | (v4 << 80) | u128::from(tail)))); // 6to4
            prop_assert!(!public_v6(Ipv6Addr::from((0x2001_u128 << 112) | (v4 << 64) | u128::from(tail)))); // Teredo
        }

        #[test]
        fn only_global_unicast_passes(n in any::<u128>()) {
            let a = Ipv6Addr::from(n);
            if public_v6(a) {
                prop_assert!(n >> 125 == 1 || a.to_ipv4_mapped().is_some() || n >> 96 == 0x0064_ff9b);
                prop_assert!(!a.is_loopback() && !a.is_unspecified() && !a.is_multicast());
            }
        }
    }
}
