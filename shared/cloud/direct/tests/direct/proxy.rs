//! What stands between a coordinator and a worker: passes on, writes down, and can fall silent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A proxy in front of one address.
pub struct Proxy {
    pub address: SocketAddr,
    /// What came from those who connected.
    pub heard: Arc<Mutex<Vec<u8>>>,
    silent: watch::Sender<bool>,
}

impl Proxy {
    /// On a listener that is bound already, so that its address can be told before its target is there.
    pub fn start(listener: TcpListener, target: SocketAddr) -> Self {
        let address = listener.local_addr().unwrap();
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let (silent, watching) = watch::channel(false);
        let writes = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (near_read, near_write) = near.into_split();
                let (far_read, far_write) = TcpStream::connect(target).await.unwrap().into_split();
                tokio::spawn(pass(near_read, far_write, watching.clone(), Some(Arc::clone(&writes))));
                tokio::spawn(pass(far_read, near_write, watching.clone(), None));
            }
        });
        Self { address, heard, silent }
    }

    /// Passes nothing on any more, and hangs up on nobody.
    pub fn fall_silent(&self) {
        self.silent.send_replace(true);
    }

    pub fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut silent: watch::Receiver<bool>,
    heard: Option<Arc<Mutex<Vec<u8>>>>,
) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut bytes) => read.unwrap_or(0),
            () = async { drop(silent.wait_for(|silent| *silent).await) } => return std::future::pending().await,
        };
        if let Some(heard) = &heard {
            heard.lock().unwrap().extend_from_slice(&bytes[..read]);
        }
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

pub async fn free() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}
