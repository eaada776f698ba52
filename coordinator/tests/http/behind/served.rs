//! The blocks of the guide serve everything, at the root and below a prefix.

use super::proxy::{Proxy, blocks};
use crate::rig::{Answer, BOUND, Form, PNG, Rig};
use crate::stage::{FRAGMENT, OFFER, SDP, Stage, obliging};
use crate::ws::{BINARY, Ws};
use futures_util::StreamExt;
use mouthpiece_domain::live::LineInput;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::json;
use tokio::time::timeout;

/// A farm, the proxy before it, and what is before its paths there.
struct Front<'a> {
    rig: &'a Rig,
    proxy: &'a Proxy,
    prefix: &'a str,
}

impl Front<'_> {
    fn at(&self, path: &str) -> String {
        format!("{}{}{path}", self.proxy.http, self.prefix)
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.rig.client.request(method, self.at(path)).bearer_auth(&self.rig.secret)
    }

    /// The page, its files, and being let in.
    async fn serves_the_page(&self) {
        let page = Answer::of(self.rig.client.get(self.at("/"))).await.is(200);
        assert_eq!(page.header("set-cookie"), "");
        let text = page.text();
        for file in text.split('"').filter(|part| part.starts_with("assets/")) {
            Answer::of(self.rig.client.get(page.url.join(file).unwrap())).await.is(200);
        }
        let moved = Answer::of(self.rig.client.get(self.at("/docs"))).await.is(308);
        let docs = Answer::of(self.rig.client.get(page.url.join(&moved.location()).unwrap())).await.is(200);
        assert!(docs.text().contains("swagger-ui"));
        Answer::of(self.rig.client.get(docs.url.join("../openapi.json").unwrap())).await.is(200);
        let own = |request: RequestBuilder| request.header("origin", &self.proxy.http);
        let open = own(self.rig.client.post(self.at("/v1/page/session"))).header("content-type", "application/json");
        let open = Answer::of(open.body(json!({ "link": self.rig.link().await }).to_string())).await.is(204);
        let cookie = open.cookie();
        let who = self.rig.client.get(self.at("/v1/page/session")).header("cookie", &cookie);
        Answer::of(who).await.is(200);
        let close = own(self.rig.client.delete(self.at("/v1/page/session"))).header("cookie", &cookie);
        Answer::of(close).await.is(204);
        for path in ["/metrics", "/readyz"] {
            assert_eq!(Answer::of(self.rig.client.get(self.at(path))).await.status, 403, "{path} is told outside");
        }
    }

    /// An upload that is larger than a proxy takes by itself.
    async fn takes_an_upload(&self) {
        let portrait = [PNG, &vec![7; 3 << 20]].concat();
        let form = Form::default().file("image", &portrait);
        let post = self.ask(Method::POST, "/v1/avatars").header("content-type", Form::TYPE).body(form.finished());
        let made = Answer::of(post).await.is(202);
        assert_eq!(made.json()["bytes"], portrait.len());
        let place = made.url.join(made.header("location")).unwrap();
        Answer::of(self.rig.client.get(place).bearer_auth(&self.rig.secret)).await.is(200);
    }

    /// Events come while the stream is open: nothing waits until there is more of them.
    async fn passes_events_on(&self) {
        let stream = self.ask(Method::GET, "/v1/events").send().await.unwrap();
        assert_eq!(stream.status(), 200);
        let mut stream = stream.bytes_stream();
        let mut text = String::new();
        for events in 1..=2 {
            while text.matches("event: farm").count() < events {
                let piece = timeout(BOUND, stream.next()).await.expect("an event is held back").unwrap().unwrap();
                text.push_str(std::str::from_utf8(&piece).unwrap());
            }
        }
    }

    /// WHEP and the audio socket, at the addresses that the session tells.
    async fn serves_a_live_session(&self) {
        let (id, _) = self.rig.running().await;
        let mut stage = Stage::set(self.rig, obliging).await;
        let told = Answer::of(self.ask(Method::GET, &format!("/v1/sessions/{id}"))).await.is(200);
        let live = told.json()["live"].clone();
        let token = live["token"].as_str().unwrap();
        let whep = told.url.join(live["whep_url"].as_str().unwrap()).unwrap();
        let client = &self.rig.client;
        let offer = client.post(whep).bearer_auth(token).header("content-type", SDP).body(OFFER);
        let answer = Answer::of(offer).await.is(201);
        let place = answer.url.join(answer.header("location")).unwrap();
        let patch = client.patch(place.clone()).bearer_auth(token).header("content-type", FRAGMENT);
        Answer::of(patch.header("if-match", answer.header("etag")).body("a=candidate:1\r\n")).await.is(204);
        Answer::of(client.delete(place).bearer_auth(token)).await.is(200);

        let audio = told.leads(live["audio_url"].as_str().unwrap());
        let mut ws = Ws::at(&self.proxy.http, &format!("{audio}?token={token}"), "").await.unwrap();
        let mut called = stage.called().await;
        assert_eq!(ws.event().await["state"], "live");
        ws.send(BINARY, &[1; 960]).await;
        let mut heard = timeout(BOUND, called.up.recv()).await.unwrap().unwrap();
        if matches!(heard, LineInput::Identify(_)) {
            heard = timeout(BOUND, called.up.recv()).await.unwrap().unwrap();
        }
        assert!(matches!(heard, LineInput::Speak { .. }), "{heard:?}");
        assert!(!self.proxy.log("farm.log").contains(token), "a token is in the log");
    }

    /// With TLS, where the cookie is for TLS only.
    async fn serves_tls(&self) {
        let client = Client::builder().no_proxy().timeout(BOUND).danger_accept_invalid_certs(true).build().unwrap();
        let at = |path: &str| format!("{}{}{path}", self.proxy.https, self.prefix);
        Answer::of(client.get(at("/"))).await.is(200);
        let open = client.post(at("/v1/page/session")).header("content-type", "application/json");
        let body = json!({ "key": self.rig.secret }).to_string();
        let open = Answer::of(open.header("origin", &self.proxy.https).body(body)).await.is(204);
        assert!(open.header("set-cookie").contains("; Secure"), "{:?}", open.headers);
    }
}

async fn serves(proxy: impl Fn(&Rig) -> Proxy, prefix: &str) {
    let rig = Rig::start().await;
    let proxy = proxy(&rig);
    let front = Front { rig: &rig, proxy: &proxy, prefix };
    front.serves_the_page().await;
    front.takes_an_upload().await;
    front.passes_events_on().await;
    front.serves_a_live_session().await;
    front.serves_tls().await;
}

#[actix_web::test]
async fn the_guides_nginx_serves_everything() {
    let [root, prefixed] = blocks("nginx")[..] else { panic!("the guide has two blocks for nginx") };
    serves(|rig| Proxy::nginx(rig, root), "").await;
    serves(|rig| Proxy::nginx(rig, prefixed), "/avatar").await;
}

#[actix_web::test]
async fn the_guides_caddy_serves_everything() {
    let [root, prefixed] = blocks("caddy")[..] else { panic!("the guide has two blocks for Caddy") };
    serves(|rig| Proxy::caddy(rig, root), "").await;
    serves(|rig| Proxy::caddy(rig, prefixed), "/avatar").await;
}
