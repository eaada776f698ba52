//! The little of STUN (RFC 8489) that is needed outside ICE: whose a request is, and which public address a socket has.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const COOKIE: u32 = 0x2112_A442;
const HEADER: usize = 20;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const USERNAME: u16 = 0x0006;
const MAPPED_ADDRESS: u16 = 0x0001;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;

/// What a datagram is, as far as routing needs it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DatagramKind<'a> {
    /// A binding request and the receiver's user fragment in it.
    Request(&'a str),
    /// Another STUN message.
    Stun,
    /// DTLS, RTP or RTCP; or noise.
    Other,
}

/// Sorts a datagram without trusting it.
pub(crate) fn kind(datagram: &[u8]) -> DatagramKind<'_> {
    match message(datagram) {
        None => DatagramKind::Other,
        Some(BINDING_REQUEST) => {
            let name = attributes(datagram).find(|(kind, _)| *kind == USERNAME).map(|(_, value)| value);
            match name.and_then(|name| std::str::from_utf8(name).ok()).and_then(|name| name.split_once(':')) {
                Some((local, _)) => DatagramKind::Request(local),
                None => DatagramKind::Stun,
            }
        }
        Some(_) => DatagramKind::Stun,
    }
}

/// A binding request without credentials, as servers that tell addresses expect it.
pub(crate) fn binding_request(transaction: [u8; 12]) -> [u8; HEADER] {
    let mut request = [0; HEADER];
    request[..2].copy_from_slice(&BINDING_REQUEST.to_be_bytes());
    request[4..8].copy_from_slice(&COOKIE.to_be_bytes());
    request[8..].copy_from_slice(&transaction);
    request
}

/// The address that a server saw, if this is the answer to that request.
pub(crate) fn mapped_address(datagram: &[u8], transaction: [u8; 12]) -> Option<SocketAddr> {
    if message(datagram) != Some(BINDING_SUCCESS) || datagram.get(8..HEADER)? != transaction {
        return None;
    }
    let plain = attributes(datagram).find(|(kind, _)| *kind == MAPPED_ADDRESS).and_then(|(_, v)| address(v, &[0; 16]));
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&COOKIE.to_be_bytes());
    mask[4..].copy_from_slice(&transaction);
    attributes(datagram).find(|(kind, _)| *kind == XOR_MAPPED_ADDRESS).and_then(|(_, v)| address(v, &mask)).or(plain)
}

/// The message's type, where the datagram is a whole STUN message.
fn message(datagram: &[u8]) -> Option<u16> {
    let cookie = datagram.get(4..8)?;
    if datagram.len() < HEADER || datagram[0] > 3 || cookie != COOKIE.to_be_bytes() {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([datagram[2], datagram[3]]));
    (length.is_multiple_of(4) && datagram.len() == HEADER + length)
        .then(|| u16::from_be_bytes([datagram[0], datagram[1]]))
}

fn attributes(datagram: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = datagram.get(HEADER..).unwrap_or_default();
    std::iter::from_fn(move || {
        let head = rest.get(..4)?;
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = rest.get(4..4 + length)?;
        rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

fn address(value: &[u8], mask: &[u8; 16]) -> Option<SocketAddr> {
    let family = *value.get(1)?;
    let port = u16::from_be_bytes([value.get(2)? ^ mask[0], value.get(3)? ^ mask[1]]);
    let ip: IpAddr = match family {
        1 => {
            let bytes: [u8; 4] = value.get(4..8)?.try_into().ok()?;
            Ipv4Addr::from(std::array::from_fn::<u8, 4, _>(|i| bytes[i] ^ mask[i])).into()
        }
        2 => {
            let bytes: [u8; 16] = value.get(4..20)?.try_into().ok()?;
            Ipv6Addr::from(std::array::from_fn::<u8, 16, _>(|i| bytes[i] ^ mask[i])).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn made(kind: u16, transaction: [u8; 12], attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut message = binding_request(transaction).to_vec();
        message[..2].copy_from_slice(&kind.to_be_bytes());
        for (kind, value) in attributes {
            message.extend(kind.to_be_bytes());
            message.extend((value.len() as u16).to_be_bytes());
            message.extend(*value);
            message.resize(message.len().next_multiple_of(4), 0);
        }
        let length = (message.len() - HEADER) as u16;
        message[2..4].copy_from_slice(&length.to_be_bytes());
        message
    }

    #[test]
    fn a_request_names_its_receiver() {
        let request = made(BINDING_REQUEST, [7; 12], &[(0x8022, b"odd"), (USERNAME, b"here:there")]);
        assert_eq!(kind(&request), DatagramKind::Request("here"));
        assert_eq!(kind(&made(BINDING_REQUEST, [7; 12], &[(USERNAME, b"nobody")])), DatagramKind::Stun);
        assert_eq!(kind(&made(BINDING_REQUEST, [7; 12], &[])), DatagramKind::Stun);
        assert_eq!(kind(&made(BINDING_SUCCESS, [7; 12], &[])), DatagramKind::Stun);
        assert_eq!(kind(&request[..30]), DatagramKind::Other);
        assert_eq!(kind(&[0x80, 96, 0, 1, 0, 0, 0, 0]), DatagramKind::Other);
        assert_eq!(kind(&[]), DatagramKind::Other);
    }

    #[test]
    fn a_server_tells_the_public_address() {
        // 203.0.113.9:4711, masked as the standard says.
        let masked =
            [0, 1, (4711u16 >> 8) as u8 ^ 0x21, (4711u16 & 255) as u8 ^ 0x12, 203 ^ 0x21, 0x12, 113 ^ 0xA4, 9 ^ 0x42];
        let answer = made(BINDING_SUCCESS, [5; 12], &[(XOR_MAPPED_ADDRESS, &masked)]);
        assert_eq!(mapped_address(&answer, [5; 12]), Some("203.0.113.9:4711".parse().unwrap()));
        assert_eq!(mapped_address(&answer, [6; 12]), None, "the answer to another request");
        let old = made(BINDING_SUCCESS, [5; 12], &[(MAPPED_ADDRESS, &[0, 1, 0, 80, 192, 0, 2, 1])]);
        assert_eq!(mapped_address(&old, [5; 12]), Some("192.0.2.1:80".parse().unwrap()));
        let refused = made(0x0111, [5; 12], &[]);
        assert_eq!(mapped_address(&refused, [5; 12]), None);
    }

    #[test]
    fn version_6_addresses_are_masked_with_the_transaction() {
        let ip: Ipv6Addr = "2001:db8::7".parse().unwrap();
        let mut value = vec![0, 2, 0x21, 0x12];
        let mask: Vec<u8> = COOKIE.to_be_bytes().into_iter().chain([9; 12]).collect();
        value.extend(ip.octets().iter().zip(&mask).map(|(a, b)| a ^ b));
        let answer = made(BINDING_SUCCESS, [9; 12], &[(XOR_MAPPED_ADDRESS, &value)]);
        assert_eq!(mapped_address(&answer, [9; 12]), Some(SocketAddr::new(ip.into(), 0)));
    }

    proptest! {
        #[test]
        fn no_datagram_breaks_it(datagram: Vec<u8>) {
            let _ = kind(&datagram);
            let _ = mapped_address(&datagram, [0; 12]);
        }

        #[test]
        fn no_message_breaks_it(attributes: Vec<u8>, kind_of in 0u16..0x400) {
            let mut message = binding_request([0; 12]).to_vec();
            message[..2].copy_from_slice(&kind_of.to_be_bytes());
            message.extend(&attributes[..attributes.len() / 4 * 4]);
            let length = (message.len() - HEADER) as u16;
            message[2..4].copy_from_slice(&length.to_be_bytes());
            let _ = kind(&message);
            let _ = mapped_address(&message, [0; 12]);
        }
    }
}
