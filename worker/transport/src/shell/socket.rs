//! The one UDP socket.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use tracing::{debug, info};

/// Asked of the system for each direction; it may give less. A key frame for a hundred viewers is one to two megabytes.
const BUFFER: usize = 4 * 1024 * 1024;

/// What became of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    Yes,
    /// The system's buffer is full.
    Later,
    /// It cannot be sent.
    Never,
}

/// Opens the socket. At an unspecified IPv6 address it serves IPv4 as well; on a machine without IPv6, only that.
///
/// # Errors
/// As the system says.
pub(super) fn open(bind: SocketAddr) -> io::Result<UdpSocket> {
    match open_at(bind) {
        Err(e) if bind.is_ipv6() && bind.ip().is_unspecified() && is_without_ipv6(&e) => {
            info!(error = %e, "this machine has no IPv6: WebRTC serves IPv4 only");
            open_at(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), bind.port()))
        }
        opened => opened,
    }
}

/// What systems say that were built, booted or locked in without IPv6. Where a port is taken they say something else.
fn is_without_ipv6(error: &io::Error) -> bool {
    // EPFNOSUPPORT, EPROTONOSUPPORT, EAFNOSUPPORT
    error.kind() == io::ErrorKind::AddrNotAvailable || matches!(error.raw_os_error(), Some(93 | 96 | 97))
}

fn open_at(bind: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(bind), Type::DGRAM, Some(Protocol::UDP))?;
    if bind.is_ipv6() {
        socket.set_only_v6(!bind.ip().is_unspecified())?;
    }
    for result in [socket.set_recv_buffer_size(BUFFER), socket.set_send_buffer_size(BUFFER)] {
        if let Err(e) = result {
            debug!(error = %e, "the socket's buffer stays as it is");
        }
    }
    socket.bind(&bind.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// The socket inside the thread's runtime. Addresses are IPv4 where they can be.
pub(super) struct Port {
    socket: tokio::net::UdpSocket,
    v6: bool,
}

impl Port {
    /// Must be called inside the runtime.
    ///
    /// # Errors
    /// As the system says.
    pub fn new(socket: UdpSocket, local: SocketAddr) -> io::Result<Self> {
        Ok(Self { socket: tokio::net::UdpSocket::from_std(socket)?, v6: local.is_ipv6() })
    }

    /// A datagram, if one is there.
    ///
    /// # Errors
    /// As the system says.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<Option<(usize, SocketAddr)>> {
        match self.socket.try_recv_from(buffer) {
            Ok((length, source)) => Ok(Some((length, SocketAddr::new(source.ip().to_canonical(), source.port())))),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Sends a datagram if the system takes it.
    pub fn send(&self, to: SocketAddr, data: &[u8]) -> Sent {
        let to = match (to.ip(), self.v6) {
            (IpAddr::V4(ip), true) => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
            (IpAddr::V6(_), false) => return Sent::Never,
            _ => to,
        };
        match self.socket.try_send_to(data, to) {
            Ok(_) => Sent::Yes,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Sent::Later,
            Err(_) => Sent::Never,
        }
    }

    /// Until something is there.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Until something is taken again.
    pub async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_machine_without_ipv6_falls_back_to_ipv4() {
        for code in [93, 96, 97, 99] {
            assert!(is_without_ipv6(&io::Error::from_raw_os_error(code)), "{code}");
        }
        // EACCES, EADDRINUSE
        for code in [13, 98] {
            assert!(!is_without_ipv6(&io::Error::from_raw_os_error(code)), "{code}");
        }
        let taken = open("[::]:0".parse().unwrap()).unwrap();
        let error = open(taken.local_addr().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "a port that is taken is told, not taken elsewhere");
    }

    #[test]
    fn one_socket_serves_both_families() {
        let socket = open("[::]:0".parse().unwrap()).unwrap();
        let local = socket.local_addr().unwrap();
        socket.set_nonblocking(false).unwrap();
        let mut buffer = [0; 8];
        // Where the machine has no IPv6 there is one family to serve.
        for from in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(client) = UdpSocket::bind(from) else { continue };
            let ip = client.local_addr().unwrap().ip();
            client.send_to(b"hello", SocketAddr::new(ip, local.port())).unwrap();
            let (length, source) = socket.recv_from(&mut buffer).unwrap();
            assert_eq!((&buffer[..length], source.ip().to_canonical()), (&b"hello"[..], ip));
        }
    }
}
