//! A connection whose socket can be cut.
//!
//! The client library waits for the broker to agree before it closes a connection, for as long as TCP believes in the other
//! side. A connection in doubt must end at once, and leave no thread behind.

use crate::error::{Trouble, explain};
use crate::options::Address;
use lapin::tcp::OwnedTLSConfig;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{AsyncTcpStream, Connection, ConnectionProperties};
use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// Cuts a connection's socket; also before it is open.
#[derive(Clone, Default)]
pub(crate) struct SocketCut(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    socket: Option<TcpStream>,
    cut: bool,
}

impl SocketCut {
    /// From now on every reading and writing of the socket ends.
    pub(crate) fn cut(&self) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.cut = true;
        if let Some(socket) = held.socket.take() {
            let _ = socket.shutdown(Shutdown::Both); // it may be closed already
        }
    }

    fn hold(&self, socket: &tokio::net::TcpStream) -> io::Result<()> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.cut {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        held.socket = Some(TcpStream::from(socket.as_fd().try_clone_to_owned()?));
        Ok(())
    }
}

/// Cuts the socket unless connecting came to an end.
struct CutUnlessDone(Option<SocketCut>);

impl Drop for CutUnlessDone {
    fn drop(&mut self) {
        if let Some(cut) = self.0.take() {
            cut.cut();
        }
    }
}

/// Connects and logs in, within `patience`.
pub(crate) async fn connect(
    address: &Address,
    name: &str,
    patience: Duration,
) -> Result<(Connection, SocketCut), Trouble> {
    let cut = SocketCut::default();
    let mut unless_done = CutUnlessDone(Some(cut.clone()));
    let authorities = address.authorities.clone();
    let runtime = lapin::runtime::default_runtime().map_err(|e| explain(address, &e))?;
    let open = {
        let (cut, reactor) = (cut.clone(), runtime.clone());
        async move |uri: AMQPUri, _| {
            let host = (uri.authority.host.clone(), uri.authority.port);
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host(host).await?.collect();
            let stream = AsyncTcpStream::connect(&reactor, addresses).await?;
            if let AsyncTcpStream::Plain(socket) = &stream {
                let socket = socket.get_ref();
                socket.set_nodelay(true)?;
                cut.hold(socket)?;
            }
            if uri.scheme == AMQPScheme::AMQP {
                return Ok(stream);
            }
            let tls = OwnedTLSConfig { identity: None, cert_chain: authorities.clone() };
            Ok(stream.into_tls(&uri.authority.host, tls.as_ref()).await?)
        }
    };
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    match timeout(patience, Connection::connector(address.uri.clone(), runtime, open, properties)).await {
        Ok(Ok(connection)) => {
            unless_done.0 = None;
            Ok((connection, cut))
        }
        Ok(Err(error)) => Err(explain(address, &error)),
        Err(_) => Err(Trouble::passing(format!(
            "the broker at {} did not answer within {patience:?}: it is tried again by itself; is it overloaded or behind a \
             wall that drops connections?",
            address.place()
        ))),
    }
}
