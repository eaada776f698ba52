//! A caller.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Client, Method, RequestBuilder, StatusCode, Url, header::HeaderMap};
use serde_json::Value;

use crate::{
    farm::{PATIENCE, eventually},
    fixtures,
    watch::Events,
};

/// The API with one key.
#[derive(Clone)]
pub struct Api {
    client: Client,
    address: String,
    key: String,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// What was asked.
    pub url: Url,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; `null` when it is empty.
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The path that a reference of this answer leads to.
    pub fn leads(&self, reference: &str) -> String {
        self.url.join(reference).unwrap().path().to_owned()
    }

    /// Checks the status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// Checks that it is a problem of this kind, and returns it.
    #[track_caller]
    pub fn problem(self, status: u16, slug: &str) -> Value {
        let answer = self.is(status);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let body = answer.json();
        assert!(body["type"].as_str().unwrap().ends_with(&format!("/problems/{slug}")), "{body}");
        assert_eq!(body["request_id"], answer.header("x-request-id"), "{body}");
        if [429, 503].contains(&status) {
            assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1, "{:?}", answer.headers);
        }
        body
    }
}

impl Api {
    pub fn new(address: &str, key: &str) -> Self {
        let client = Client::builder().timeout(PATIENCE).no_proxy().build().unwrap();
        Self { client, address: address.to_owned(), key: key.to_owned() }
    }

    /// The same with another key.
    pub fn with(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    #[cfg(feature = "cloud")]
    pub fn key(&self) -> &str {
        &self.key
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address)).bearer_auth(&self.key)
    }

    async fn answered(request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (url, status, headers) = (response.url().clone(), response.status(), response.headers().clone());
        Answer { url, status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        Self::answered(self.request(Method::GET, path)).await
    }

    /// Bytes of a resource, as the `Range` header asks for them.
    pub async fn range(&self, path: &str, range: &str) -> Answer {
        Self::answered(self.request(Method::GET, path).header("range", range)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        Self::answered(self.request(Method::DELETE, path)).await
    }

    pub async fn post(&self, path: &str) -> Answer {
        Self::answered(self.request(Method::POST, path)).await
    }

    /// Posts a body of some type.
    pub async fn post_body(&self, path: &str, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
        Self::answered(self.request(Method::POST, path).header("content-type", content_type).body(body)).await
    }

    /// Registers the sample portrait and waits until it is prepared; its id.
    pub async fn avatar(&self) -> String {
        let portrait = std::fs::read(fixtures::SAMPLE).unwrap();
        let form = Form::default().file("image", "me.png", &portrait);
        let content_type = form.content_type();
        let made = self.post_body("/v1/avatars", &content_type, form.finished()).await.json();
        let id = made["id"].as_str().unwrap().to_owned();
        eventually("the avatar is prepared", async || {
            let avatar = self.get(&format!("/v1/avatars/{id}")).await.is(200).json();
            assert_ne!(avatar["state"], "failed", "{avatar}");
            (avatar["state"] == "ready").then_some(())
        })
        .await;
        id
    }

    /// Opens the page's session as the page does.
    pub async fn open_page(&self, link: &str) -> Answer {
        let body = serde_json::json!({ "link": link }).to_string();
        let request = self.client.post(format!("{}/v1/page/session", self.address)).header("origin", &self.address);
        Self::answered(request.header("content-type", "application/json").body(body)).await
    }

    /// Asks with the page's cookie only.
    pub async fn get_with_cookie(&self, path: &str, cookie: &str) -> Answer {
        Self::answered(self.client.get(format!("{}{path}", self.address)).header("cookie", cookie)).await
    }

    /// Server-sent events.
    pub async fn events(&self, path: &str) -> Events {
        // A stream lasts as long as it lasts; each of its events is waited for with patience.
        let request = self.request(Method::GET, path).timeout(Duration::from_secs(3600));
        Events::of(request.send().await.unwrap())
    }

    /// Asks for a render of the sample portrait, 128 pixels large, that says `speech` (a WAV file).
    pub async fn render(&self, speech: &[u8], options: &[(&str, &str)]) -> Answer {
        let portrait = std::fs::read(fixtures::SAMPLE).unwrap();
        let mut form = Form::default().file("portrait", "me.png", &portrait).file("speech", "hello.wav", speech);
        for (name, value) in [&[("size", "128")], options].concat() {
            form = form.text(name, value);
        }
        let request = self.request(Method::POST, "/v1/renders").header("content-type", form.content_type());
        Self::answered(request.body(form.finished())).await
    }

    /// The same; it is accepted, and its id is returned.
    pub async fn accepted(&self, speech: &[u8], options: &[(&str, &str)]) -> String {
        self.render(speech, options).await.is(202).json()["id"].as_str().unwrap().to_owned()
    }

    /// A session now.
    pub async fn session(&self, id: &str) -> Value {
        self.get(&format!("/v1/sessions/{id}")).await.is(200).json()
    }

    /// Waits until something is true of a session, and returns it.
    pub async fn until(&self, id: &str, what: &str, mut is: impl FnMut(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let asked = eventually(what, async || {
            last = self.session(id).await;
            is(&last).then(|| last.clone())
        });
        asked.await
    }

    /// Waits until a session has begun to make frames.
    pub async fn rendering(&self, id: &str) -> Value {
        let made = |s: &Value| s["progress"]["frames_done"].as_u64().unwrap() > 0;
        self.until(id, "frames are made", |s| made(s) || s["state"] == "ended").await
    }

    /// Waits until a session has ended, and returns it with its reason checked.
    pub async fn ended(&self, id: &str, reason: &str) -> Value {
        let session = self.until(id, "the session ends", |s| s["state"] == "ended").await;
        assert_eq!(session["end"]["reason"], reason, "{session}");
        session
    }

    /// The farm now.
    pub async fn farm(&self) -> Value {
        self.get("/v1/workers").await.is(200).json()
    }

    /// The values of the metrics by their names with labels.
    pub async fn metrics(&self) -> BTreeMap<String, f64> {
        let answer = self.get("/metrics").await.is(200);
        assert!(answer.header("content-type").starts_with("text/plain"), "{:?}", answer.headers);
        let text = answer.text();
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let read = |line: &str| {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
            (name.to_owned(), value.parse().unwrap_or_else(|e| panic!("{line}: {e}")))
        };
        lines.map(read).collect()
    }
}

/// A multipart form.
#[derive(Default)]
struct Form(Vec<u8>);

const BOUNDARY: &str = "----the-boundary-of-these-tests";

impl Form {
    fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    fn part(mut self, head: &str, body: &[u8]) -> Self {
        self.0.extend(format!("--{BOUNDARY}\r\ncontent-disposition: form-data; {head}\r\n\r\n").as_bytes());
        self.0.extend(body);
        self.0.extend(b"\r\n");
        self
    }

    fn text(self, name: &str, value: &str) -> Self {
        self.part(&format!("name=\"{name}\""), value.as_bytes())
    }

    fn file(self, name: &str, file: &str, body: &[u8]) -> Self {
        self.part(&format!("name=\"{name}\"; filename=\"{file}\""), body)
    }

    fn finished(mut self) -> Vec<u8> {
        self.0.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.0
    }
}
