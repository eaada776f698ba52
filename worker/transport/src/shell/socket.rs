//! The one UDP socket.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use tracing::debug;

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

/// Opens the socket. At an unspecified IPv6 address it serves IPv4 as well.
///
/// # Errors
/// As the system says.
pub(super) fn open(bind: SocketAddr) -> io::Result<UdpSocket> {
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
