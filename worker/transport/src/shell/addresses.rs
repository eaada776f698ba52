//! Which addresses viewers are told.

use crate::error::TransportError;
use crate::hub::Advertised;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use tracing::warn;

/// Addresses from blocks for documentation: nothing is ever sent there, but the system says by which way it would.
const SOMEWHERE: [(IpAddr, IpAddr); 2] = [
    (IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))),
    (IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))),
];

/// Those given, or those found, for a socket at `local`.
///
/// # Errors
/// [`TransportError::NoAddress`] when there is none that this socket serves.
pub(super) fn advertised(local: SocketAddr, given: &[IpAddr]) -> Result<Vec<Advertised>, TransportError> {
    let found = match (given, local.ip()) {
        ([], ip) if ip.is_unspecified() => found(),
        ([], ip) => vec![ip],
        (given, _) => given.to_vec(),
    };
    let mut told: Vec<IpAddr> = Vec::new();
    for ip in found {
        if serves(local.ip(), ip) && !told.contains(&ip) {
            told.push(ip);
        } else if given.contains(&ip) && !told.contains(&ip) {
            warn!(address = %ip, bind = %local, "the socket does not serve this address; viewers are not told of it");
        }
    }
    if told.is_empty() {
        return Err(TransportError::NoAddress { bind: local });
    }
    Ok(told.into_iter().map(|ip| Advertised::host(SocketAddr::new(ip, local.port()))).collect())
}

/// This machine's addresses towards the world, then those towards itself, as far as it has them.
fn found() -> Vec<IpAddr> {
    let outward = SOMEWHERE.into_iter().filter_map(|(any, there)| {
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect((there, 9)).ok()?;
        let ip = socket.local_addr().ok()?.ip();
        (!ip.is_unspecified() && !ip.is_loopback()).then_some(ip)
    });
    let inward = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    outward.chain(inward.into_iter().filter(|ip: &IpAddr| UdpSocket::bind((*ip, 0)).is_ok())).collect()
}

/// Whether what is sent to `ip` can arrive at a socket bound to `bound`. Where an address is bound, another one may be given
/// that a NAT translates to it.
fn serves(bound: IpAddr, ip: IpAddr) -> bool {
    match bound {
        IpAddr::V4(_) => ip.is_ipv4(),
        IpAddr::V6(bound) => ip.is_ipv6() || bound.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(local: &str, given: &[&str]) -> Vec<String> {
        let given: Vec<IpAddr> = given.iter().map(|ip| ip.parse().unwrap()).collect();
        let told = advertised(local.parse().unwrap(), &given).unwrap();
        told.iter().map(|a| a.addr.to_string()).collect()
    }

    #[test]
    fn those_given_are_told_as_far_as_the_socket_serves_them() {
        assert_eq!(ips("0.0.0.0:5", &["203.0.113.1", "2001:db8::5", "203.0.113.1"]), ["203.0.113.1:5"]);
        assert_eq!(ips("[::]:5", &["203.0.113.1", "2001:db8::5"]), ["203.0.113.1:5", "[2001:db8::5]:5"]);
        assert_eq!(ips("10.0.0.4:5", &["203.0.113.1"]), ["203.0.113.1:5"], "behind a NAT");
        let none = advertised("0.0.0.0:5".parse().unwrap(), &["2001:db8::5".parse().unwrap()]);
        assert!(matches!(none, Err(TransportError::NoAddress { .. })));
    }

    #[test]
    fn a_bound_address_is_the_one() {
        assert_eq!(ips("127.0.0.1:7", &[]), ["127.0.0.1:7"]);
        assert_eq!(ips("[::1]:7", &[]), ["[::1]:7"]);
    }

    #[test]
    fn a_page_on_this_machine_always_connects() {
        let told = ips("0.0.0.0:9", &[]);
        assert_eq!(told.last().unwrap(), "127.0.0.1:9");
        assert!(told.iter().all(|a| !a.starts_with("0.0.0.0") && !a.starts_with('[')));
        let told = ips("[::]:9", &[]);
        assert!(told.contains(&"127.0.0.1:9".to_owned()));
        assert_eq!(told.contains(&"[::1]:9".to_owned()), UdpSocket::bind("[::1]:0").is_ok(), "{told:?}");
    }
}
