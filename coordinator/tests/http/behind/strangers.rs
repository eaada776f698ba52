//! Nobody gets a cookie or an answer for coming through a proxy on this machine.

use super::forwarder::Forwarder;
use super::proxy::Proxy;
use crate::rig::{Answer, BOUND, Rig};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What nginx's documentation says about WebSockets, and nothing else.
const WEBSOCKETS: &str = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                          proxy_set_header Connection \"upgrade\";";

fn nginx(rig: &Rig, lines: &str) -> Proxy {
    let section = format!(
        "server {{ listen 443 ssl; ssl_certificate /etc/ssl/farm.example.pem; \
         ssl_certificate_key /etc/ssl/farm.example.key;\nlocation / {{ proxy_pass http://127.0.0.1:8000; {lines} }} }}"
    );
    Proxy::nginx(rig, &section)
}

/// A stranger tries what there is to try; and whoever has a link or a key still comes in there.
async fn is_shut(rig: &Rig, address: &str, what: &str) {
    for host in [None, Some("localhost"), Some("127.0.0.1:8000"), Some("farm.example")] {
        let ask = |method: Method, path: &str| {
            let request = rig.client.request(method, format!("{address}{path}"));
            host.iter().fold(request, |request, host| request.header("host", *host))
        };
        for path in ["/", "/studio", "/farm"] {
            let page = Answer::of(ask(Method::GET, path)).await.is(200);
            assert_eq!(page.header("set-cookie"), "", "{what}, host {host:?}");
        }
        for path in ["/v1/page/session", "/v1/keys", "/v1/sessions", "/v1/workers", "/v1/events"] {
            Answer::of(ask(Method::GET, path)).await.problem(401, "unauthorized");
        }
        let body = |request: reqwest::RequestBuilder, body: &str| {
            request.header("content-type", "application/json").header("origin", address).body(body.to_owned())
        };
        let keys = body(ask(Method::POST, "/v1/keys"), r#"{"name":"mine","scopes":["keys"]}"#);
        Answer::of(keys).await.problem(401, "unauthorized");
        let open = body(ask(Method::POST, "/v1/page/session"), &json!({ "link": "A".repeat(43) }).to_string());
        let open = Answer::of(open.header("sec-fetch-site", "same-origin")).await;
        assert_eq!(open.header("set-cookie"), "", "{what}, host {host:?}");
        open.problem(401, "unauthorized");
    }
    let link = json!({ "link": rig.link().await }).to_string();
    let open = rig.client.post(format!("{address}/v1/page/session")).header("content-type", "application/json");
    // The browser knows that the page is this one's, though the proxy asks for another host.
    let open = open.header("origin", address).header("sec-fetch-site", "same-origin").body(link);
    let cookie = Answer::of(open).await.is(204).cookie();
    let who = rig.client.get(format!("{address}/v1/page/session")).header("cookie", cookie);
    Answer::of(who).await.is(200);
    Answer::of(rig.client.get(format!("{address}/v1/keys")).bearer_auth(&rig.secret)).await.is(200);
}

#[actix_web::test]
async fn through_nginx_a_stranger_gets_nothing() {
    let rig = Rig::start().await;
    for (what, lines) in [
        ("the lines for WebSockets", WEBSOCKETS.to_owned()),
        ("nothing, which is HTTP/1.0", String::new()),
        ("the caller's host", format!("{WEBSOCKETS} proxy_set_header Host $http_host;")),
        ("a host of this machine", format!("{WEBSOCKETS} proxy_set_header Host localhost;")),
        ("Forwarded", format!("{WEBSOCKETS} proxy_set_header Forwarded \"for=127.0.0.1;host=localhost\";")),
        ("X-Forwarded-For", format!("{WEBSOCKETS} proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;")),
        (
            "X-Forwarded-*",
            format!(
                "{WEBSOCKETS} proxy_set_header X-Forwarded-Host localhost; proxy_set_header X-Forwarded-Proto http;"
            ),
        ),
        ("Via", format!("{WEBSOCKETS} proxy_set_header Via \"1.1 nginx\";")),
        ("X-Real-IP", format!("{WEBSOCKETS} proxy_set_header X-Real-IP 127.0.0.1;")),
    ] {
        let proxy = nginx(&rig, &lines);
        is_shut(&rig, &proxy.http, what).await;
    }
    assert_eq!(rig.memory.kept().keys.len(), 1);
}

#[actix_web::test]
async fn through_a_forwarder_a_stranger_gets_nothing() {
    let rig = Rig::start().await;
    let forwarder = Forwarder::to(&rig).await;
    is_shut(&rig, &forwarder.http, "a forwarder").await;
    // By hand, as a program of the last century asks.
    for request in
        ["GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\nhost: localhost\r\n\r\n", "GET /v1/keys HTTP/1.0\r\n\r\n"]
    {
        for address in [&forwarder.http, &rig.address] {
            let mut tcp = TcpStream::connect(address.strip_prefix("http://").unwrap()).await.unwrap();
            tcp.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            timeout(BOUND, tcp.read_to_end(&mut answer)).await.unwrap().unwrap();
            let answer = String::from_utf8_lossy(&answer).to_ascii_lowercase();
            assert!(!answer.contains("set-cookie") && !answer.contains("\"keys\""), "{request}: {answer}");
            assert_eq!(answer.contains(" 401 "), request.contains("keys"), "{request}: {answer}");
        }
    }
}
