//! Fetching from addresses that callers name: only public ones, at every hop.

use crate::rig::{Answer, PNG, Rig};
use reqwest::Method;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A small site on this machine.
struct Site {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Site {
    /// Serves what `answer` makes of a path.
    async fn at(ip: &str, answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let (count, answer) = (Arc::clone(&asked), Arc::new(answer));
        tokio::spawn(async move {
            loop {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                count.fetch_add(1, Ordering::SeqCst);
                let answer = Arc::clone(&answer);
                tokio::spawn(async move {
                    let mut head = vec![0; 4096];
                    let n = stream.read(&mut head).await.unwrap_or(0);
                    let head = String::from_utf8_lossy(&head[..n]).into_owned();
                    let path = head.split(' ').nth(1).unwrap_or_default();
                    let _ = stream.write_all(&answer(path)).await;
                    if path == "/slow" {
                        tokio::time::sleep(Duration::from_secs(60)).await;
                    }
                });
            }
        });
        Self { address, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn ok(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn moved(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes()
}

/// A server that may fetch from 127.0.0.1, and from nowhere else that is not public.
async fn rig() -> Rig {
    Rig::with(|s| {
        s.fetch.private_addresses = vec!["127.0.0.1".parse().unwrap()];
        s.fetch.total_timeout = Duration::from_secs(2);
        s.portrait_bytes = 1000;
    })
    .await
}

async fn add(rig: &Rig, url: &str) -> Answer {
    rig.post_json("/v1/avatars", &serde_json::json!({ "url": url }).to_string()).await
}

#[actix_web::test]
async fn what_is_public_is_fetched_and_redirects_are_followed() {
    let rig = rig().await;
    let site = Site::at("127.0.0.1", |path| match path {
        "/a" => moved("/b?x=1#part"),
        "/b?x=1" => moved("c/../me.png"),
        _ => ok(PNG),
    })
    .await;
    let body = add(&rig, &site.url("/a")).await.is(202).json();
    assert_eq!((body["media_type"].as_str(), site.asked()), (Some("image/png"), 3));
    // By name: what it resolves to is judged.
    let by_name = format!("http://localhost:{}/me.png", site.address.port());
    add(&rig, &by_name).await.is(200);
    assert_eq!(rig.staged(), Vec::<String>::new());
}

#[actix_web::test]
async fn addresses_that_are_not_public_are_refused() {
    let rig = Rig::start().await;
    let site = Site::at("127.0.0.1", |_| ok(PNG)).await;
    let port = site.address.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "0.0.0.0",
        "[::]",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "224.0.0.1",
        "168.63.129.16",
        "①②⑦.0.0.1",
    ] {
        let problem = add(&rig, &format!("http://{host}:{port}/")).await.blames("url");
        assert!(problem["detail"].as_str().unwrap().contains("does not lead to a public address"), "{host}: {problem}");
    }
    assert_eq!(site.asked(), 0);
}

#[actix_web::test]
async fn a_redirect_is_judged_like_the_first_address() {
    let rig = rig().await;
    let inner = Site::at("127.0.0.2", |_| ok(PNG)).await;
    let targets = [
        inner.url("/me.png"),
        format!("http://[::ffff:127.0.0.2]:{}/", inner.address.port()),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/passwd".to_owned(),
        format!("http://user:word@{}/", inner.address),
        "http://".to_owned(),
    ];
    let list = targets.clone();
    let site = Site::at("127.0.0.1", move |path| moved(&list[path[1..].parse::<usize>().unwrap()])).await;
    for (n, target) in targets.iter().enumerate() {
        add(&rig, &site.url(&format!("/{n}"))).await.blames("url");
        assert_eq!((inner.asked(), site.asked()), (0, n + 1), "{target}");
    }
}

#[actix_web::test]
async fn addresses_of_other_kinds_are_refused() {
    let rig = rig().await;
    for url in [
        "",
        "me.png",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com",
        "data:image/png;base64,AA",
        "javascript:alert(1)",
        "http://",
        "http://user@127.0.0.1/",
        "http://user:word@127.0.0.1/",
        "unix:/tmp/x",
        "http://a b/",
        "http://[::1",
        "http://256.256.256.256/",
        "http://x\u{0}y/",
    ] {
        add(&rig, url).await.blames("url");
    }
    add(&rig, "http://does-not-exist.invalid/").await.blames("url");
}

#[actix_web::test]
async fn fetching_is_bounded() {
    let rig = rig().await;
    let site = Site::at("127.0.0.1", |path| match path {
        "/loop" => moved("/loop"),
        "/gone" => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec(),
        "/nowhere" => b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec(),
        "/large" => ok(&[PNG, &[0; 1000]].concat()),
        "/endless" => [b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", PNG, &[0; 5000][..]].concat(),
        "/short" => [b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\nconnection: close\r\n\r\n", PNG].concat(),
        "/slow" => [b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n", PNG].concat(),
        "/text" => ok(b"<html>this is no picture</html>"),
        "/empty" => ok(b""),
        _ => b"SSH-2.0-OpenSSH\r\n".to_vec(),
    })
    .await;
    for (path, says) in [
        ("/loop", "more than 5 times"),
        ("/gone", "status 404"),
        ("/nowhere", "to nowhere"),
        ("/short", "broke off"),
        ("/slow", "within 2 s"),
        ("/empty", "is empty"),
        ("/ssh", "could not be fetched"),
    ] {
        let problem = add(&rig, &site.url(path)).await.blames("url");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{path}: {problem}");
    }
    for path in ["/large", "/endless"] {
        add(&rig, &site.url(path)).await.problem(413, "too-large");
    }
    add(&rig, &site.url("/text")).await.problem(415, "unsupported-media");
    assert_eq!(rig.staged(), Vec::<String>::new());
    assert!(rig.memory.kept().avatars.is_empty());
}

#[actix_web::test]
async fn a_session_fetches_its_speech_once() {
    let rig = rig().await;
    let site = Site::at("127.0.0.1", |_| ok(crate::rig::WAV)).await;
    let avatar = rig.avatar().await;
    let body = serde_json::json!({"kind": "render", "avatar_id": avatar, "speech_url": site.url("/a.wav")}).to_string();
    let post = || {
        let request = rig.ask(Method::POST, "/v1/sessions").header("content-type", "application/json");
        request.header("idempotency-key", "once").body(body.clone())
    };
    let made = Answer::of(post()).await.is(201);
    assert_eq!(made.location(), format!("/v1/sessions/{}", made.id()));
    let again = Answer::of(post()).await.is(200);
    assert_eq!((again.id(), again.header("idempotent-replay"), site.asked()), (made.id(), "true", 1));
    let other = body.replace("a.wav", "b.wav");
    let request = rig.ask(Method::POST, "/v1/sessions").header("content-type", "application/json");
    let reused = Answer::of(request.header("idempotency-key", "once").body(other)).await;
    reused.problem(422, "idempotency-reused");
    let inner = rig.post_json("/v1/sessions", &body.replace("127.0.0.1", "127.0.0.2")).await;
    inner.blames("speech_url");
}
