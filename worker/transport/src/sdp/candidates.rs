//! Our own candidates, as lines of a description.
//!
//! They are written here and not by the ICE agent: it knows one local address a family, since there is one socket, while
//! viewers are told every address under which that socket can be reached.

use std::net::SocketAddr;

/// An address told to viewers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advertised {
    /// Where viewers send to.
    pub addr: SocketAddr,
    /// For an address that a STUN server saw: the local one behind it.
    pub base: Option<SocketAddr>,
}

impl Advertised {
    /// A local address.
    pub fn host(addr: SocketAddr) -> Self {
        Self { addr, base: None }
    }
}

/// One attribute for each, without the `a=`, the most wanted first.
pub(crate) fn attributes(advertised: &[Advertised]) -> Vec<String> {
    let line = |(place, Advertised { addr, base }): (usize, &Advertised)| {
        let preference: u32 = if base.is_some() { 100 } else { 126 };
        let local = 65_535 - u32::try_from(place.min(65_535)).unwrap_or(65_535);
        let priority = (preference << 24) | (local << 8) | 255;
        let (ip, port) = (addr.ip(), addr.port());
        let start = format!("candidate:{} 1 udp {priority} {ip} {port} typ", place + 1);
        match base {
            None => format!("{start} host"),
            Some(base) => format!("{start} srflx raddr {} rport {}", base.ip(), base.port()),
        }
    };
    advertised.iter().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::candidate;
    use str0m::CandidateKind;

    #[test]
    fn lines_are_what_others_read() {
        let host = Advertised::host("192.0.2.1:5000".parse().unwrap());
        let six = Advertised::host("[2001:db8::1]:5000".parse().unwrap());
        let seen = Advertised { addr: "203.0.113.1:6000".parse().unwrap(), base: Some(host.addr) };
        let lines = attributes(&[host, six, seen]);
        assert_eq!(lines[0], "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host");
        let read: Vec<_> = lines.iter().map(|line| candidate(line).unwrap()).collect();
        assert_eq!(read.iter().map(|c| c.addr()).collect::<Vec<_>>(), [host.addr, six.addr, seen.addr]);
        assert_eq!(read[2].kind(), CandidateKind::ServerReflexive);
        assert!(read[0].prio() > read[1].prio() && read[1].prio() > read[2].prio());
    }
}
