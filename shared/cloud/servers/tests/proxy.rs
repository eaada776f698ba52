//! The proxy does what its modes say, to new connections and to open ones.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use mouthpiece_servers::{Harm, HarmfulProxy};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

/// The longest that anything is waited for.
const BOUND: Duration = Duration::from_secs(30);
/// Long enough for what must not come to have come, on an idle machine; a busy one only misses a fault.
const WHILE: Duration = Duration::from_millis(200);

/// A server that says everything back.
async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    address
}

async fn connect(proxy: &HarmfulProxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

async fn said_back(stream: &mut TcpStream, word: &[u8; 4]) {
    stream.write_all(word).await.unwrap();
    hears(stream, word).await;
}

async fn hears(stream: &mut TcpStream, word: &[u8; 4]) {
    let mut heard = [0; 4];
    timeout(BOUND, stream.read_exact(&mut heard)).await.expect("nothing came").unwrap();
    assert_eq!(&heard, word);
}

async fn is_silent(stream: &mut TcpStream) {
    assert!(timeout(WHILE, stream.read(&mut [0; 4])).await.is_err(), "nothing may come");
}

async fn is_closed(stream: &mut TcpStream) {
    let read = timeout(BOUND, stream.read(&mut [0; 4])).await.expect("it stays open");
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
}

#[tokio::test]
async fn it_passes_until_it_is_cut_and_again_afterwards() {
    let proxy = HarmfulProxy::start(echo().await).await.unwrap();
    let mut stream = connect(&proxy).await;
    said_back(&mut stream, b"pass").await;
    proxy.set(Harm::Cut);
    is_closed(&mut stream).await;
    let refused = async { while TcpStream::connect(proxy.address()).await.is_ok() {} };
    timeout(BOUND, refused).await.expect("connections are still accepted");
    proxy.set(Harm::Pass);
    let back = async {
        loop {
            if let Ok(stream) = TcpStream::connect(proxy.address()).await {
                break stream;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    said_back(&mut timeout(BOUND, back).await.expect("it does not come back"), b"back").await;
}

#[tokio::test]
async fn a_stalled_connection_goes_on_where_it_stopped() {
    let proxy = HarmfulProxy::start(echo().await).await.unwrap();
    let mut old = connect(&proxy).await;
    said_back(&mut old, b"pass").await;
    proxy.set(Harm::Stall);
    let mut new = connect(&proxy).await;
    for stream in [&mut old, &mut new] {
        stream.write_all(b"held").await.unwrap();
        is_silent(stream).await;
    }
    proxy.set(Harm::Pass);
    hears(&mut old, b"held").await;
    hears(&mut new, b"held").await;
}

#[tokio::test]
async fn a_delay_is_kept_each_way_and_in_order() {
    let proxy = HarmfulProxy::start(echo().await).await.unwrap();
    let mut stream = connect(&proxy).await;
    said_back(&mut stream, b"pass").await;
    let delay = Duration::from_millis(60);
    proxy.set(Harm::Delay(delay));
    let begun = Instant::now();
    stream.write_all(b"one.two.").await.unwrap();
    hears(&mut stream, b"one.").await;
    assert!(begun.elapsed() >= delay * 2, "{:?}", begun.elapsed());
    hears(&mut stream, b"two.").await;
}

#[tokio::test]
async fn it_accepts_and_closes() {
    let proxy = HarmfulProxy::start(echo().await).await.unwrap();
    let mut old = connect(&proxy).await;
    said_back(&mut old, b"pass").await;
    proxy.set(Harm::AcceptThenClose);
    is_closed(&mut old).await;
    is_closed(&mut connect(&proxy).await).await;
    assert_eq!(proxy.accepted(), 2);
}

#[tokio::test]
async fn it_accepts_and_never_answers() {
    let proxy = HarmfulProxy::start(echo().await).await.unwrap();
    proxy.set(Harm::AcceptThenSilence);
    let mut stream = connect(&proxy).await;
    stream.write_all(b"lost").await.unwrap();
    is_silent(&mut stream).await;
    proxy.set(Harm::Pass);
    is_silent(&mut stream).await;
    said_back(&mut connect(&proxy).await, b"pass").await;
}
