//! Sockets as both sides use them.

use crate::wire::LARGEST;
use socket2::SockRef;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// Bytes of a socket's buffer in one direction. Speech that lies there is speech that nobody counts: some tenths of a second
/// of it, and yet enough for hundreds of megabits a second in one network.
const BUFFER: usize = 64 * 1024;
/// Connections that the system holds before they are accepted.
const BACKLOG: u32 = 1024;
/// Bytes that are read at once, for each connection.
const READ_AT_ONCE: usize = 16 * 1024;

/// Sizes of messages and buffers.
pub(crate) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_AT_ONCE)
        .write_buffer_size(0)
        .max_write_buffer_size(LARGEST + READ_AT_ONCE)
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST))
}

fn new(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_send_buffer_size(BUFFER as u32)?;
    socket.set_recv_buffer_size(BUFFER as u32)?;
    Ok(socket)
}

/// Connects to an address.
pub(crate) async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = new(address)?.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Listens on an address; connections inherit the sizes of the buffers.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = new(address)?;
    socket.set_reuseaddr(true)?;
    if address.is_ipv6() {
        // One port for both kinds of addresses, whatever the system's default is.
        SockRef::from(&socket).set_only_v6(false)?;
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The address that this machine has on the way to others, of the kind of `like`: the system chooses it for a peer that nobody is
/// (RFC 5737, RFC 3849), and nothing is sent. `None` without such a way.
pub(crate) fn outward(like: IpAddr) -> Option<IpAddr> {
    let (from, to) = match like {
        IpAddr::V4(_) => (IpAddr::from(Ipv4Addr::UNSPECIFIED), IpAddr::from([192, 0, 2, 1])),
        IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()),
    };
    let socket = UdpSocket::bind((from, 0)).ok()?;
    socket.connect((to, 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_unspecified() && !own.is_loopback()).then_some(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_out_begins_at_an_address_of_this_machine() {
        for like in [IpAddr::from(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into()] {
            // A machine without a network has none.
            let Some(own) = outward(like) else { continue };
            assert_eq!(own.is_ipv4(), like.is_ipv4());
            assert!(UdpSocket::bind((own, 0)).is_ok(), "{own} is this machine's");
        }
    }
}
