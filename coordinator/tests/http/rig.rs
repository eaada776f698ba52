//! A server on a free port over ports in memory, and a caller.

use crate::memory::{Memory, Well};
use crate::script::Script;
use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use mouthpiece_coordinator::farm::Farm;
use mouthpiece_coordinator::http::{Api, HttpSettings, serve};
use mouthpiece_coordinator::metrics::Metrics;
use mouthpiece_coordinator::office::{KeyScope, new_id, new_page_link, new_secret, now, secret_hash};
use mouthpiece_domain::ids::{KeyId, SessionId};
use mouthpiece_embedded::{MemoryBus, MemoryLines};
use mouthpiece_ports::farm_ports::OfficePorts;
use mouthpiece_ports::lines::Lines;
use mouthpiece_ports::records::ApiKey;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use url::Url;

pub const BOUND: Duration = Duration::from_secs(30);
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR and so on";
pub const WAV: &[u8] = b"RIFF\0\0\0\0WAVEfmt and so on";

pub struct Rig {
    pub memory: Arc<Memory>,
    pub farm: Arc<Script>,
    pub bus: Arc<MemoryBus>,
    pub lines: Arc<MemoryLines>,
    pub api: Data<Api>,
    pub address: String,
    /// The secret of a key with every scope.
    pub secret: String,
    pub client: Client,
    pub staging: PathBuf,
    server: ServerHandle,
    _folder: TempDir,
}

fn new_key(scopes: &[KeyScope]) -> (ApiKey, String) {
    let secret = new_secret().unwrap();
    let key = ApiKey {
        id: KeyId(new_id()),
        name: "test".into(),
        secret_hash: secret_hash(&secret),
        scopes: scopes.iter().map(|s| s.name().to_owned()).collect(),
        max_open: 64,
        minutes_per_day: None,
        created: now(),
        revoked: None,
    };
    (key, secret)
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// What was asked.
    pub url: Url,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Ports that a test can take away.
pub fn of_memory(memory: &Arc<Memory>, bus: &Arc<MemoryBus>, lines: &Arc<MemoryLines>) -> OfficePorts {
    OfficePorts {
        ledger: Arc::clone(memory) as _,
        avatars: Arc::clone(memory) as _,
        keys: Arc::clone(memory) as _,
        books: Arc::clone(memory) as _,
        passes: Arc::clone(memory) as _,
        removals: Arc::clone(memory) as _,
        blobs: Arc::clone(memory) as _,
        bus: Arc::clone(bus) as _,
        questions: Arc::clone(bus) as _,
        lines: Arc::clone(lines) as _,
        pool: Arc::new(Well),
    }
}

impl Rig {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut HttpSettings)) -> Self {
        let memory = Arc::new(Memory::default());
        let farm = Arc::new(Script::new(Arc::clone(&memory)));
        let (bus, lines) = (Arc::new(MemoryBus::new()), Arc::new(MemoryLines::new()));
        let ports = of_memory(&memory, &bus, &lines);
        Self::serving(Arc::clone(&farm) as _, ports, (memory, farm, bus, lines), change).await
    }

    /// With other lines than those in memory, which have no part in it then.
    pub async fn with_lines(other: Arc<dyn Lines>) -> Self {
        let memory = Arc::new(Memory::default());
        let farm = Arc::new(Script::new(Arc::clone(&memory)));
        let (bus, lines) = (Arc::new(MemoryBus::new()), Arc::new(MemoryLines::new()));
        let ports = OfficePorts { lines: other, ..of_memory(&memory, &bus, &lines) };
        Self::serving(Arc::clone(&farm) as _, ports, (memory, farm, bus, lines), |_| {}).await
    }

    /// Over other ports; `memory`, `farm`, `bus` and `lines` have no part in it then.
    pub async fn over(over: Arc<dyn Farm>, ports: OfficePorts, change: impl FnOnce(&mut HttpSettings)) -> Self {
        let memory = Arc::new(Memory::default());
        let farm = Arc::new(Script::new(Arc::clone(&memory)));
        let (bus, lines) = (Arc::new(MemoryBus::new()), Arc::new(MemoryLines::new()));
        Self::serving(over, ports, (memory, farm, bus, lines), change).await
    }

    async fn serving(
        over: Arc<dyn Farm>,
        ports: OfficePorts,
        (memory, farm, bus, lines): (Arc<Memory>, Arc<Script>, Arc<MemoryBus>, Arc<MemoryLines>),
        change: impl FnOnce(&mut HttpSettings),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let staging = folder.path().join("staging");
        let mut settings = HttpSettings { staging: staging.clone(), threads: 1, ..HttpSettings::default() };
        change(&mut settings);
        let (key, secret) = new_key(&KeyScope::ALL);
        ports.keys.add_key(&key).await.unwrap();
        let api = Data::new(Api::new(over, ports, Arc::new(Metrics::new().unwrap()), settings).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = serve(listener, Data::clone(&api)).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(BOUND).build().unwrap();
        Self { memory, farm, bus, lines, api, address, secret, client, staging, server: handle, _folder: folder }
    }

    /// Adds a key and returns its secret.
    pub fn key(&self, scopes: &[KeyScope], change: impl FnOnce(&mut ApiKey)) -> String {
        let (mut key, secret) = new_key(scopes);
        change(&mut key);
        self.memory.kept().keys.push(key);
        secret
    }

    /// A request without a key.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address))
    }

    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(&self.secret)
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.ask(Method::GET, path)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.ask(Method::DELETE, path)).await
    }

    pub async fn post_json(&self, path: &str, body: &str) -> Answer {
        Answer::of(self.ask(Method::POST, path).header("content-type", "application/json").body(body.to_owned())).await
    }

    pub fn form(&self, path: &str, form: &Form) -> RequestBuilder {
        self.ask(Method::POST, path).header("content-type", Form::TYPE).body(form.finished())
    }

    /// The secret of a new link that opens the page.
    pub async fn link(&self) -> String {
        let link = new_page_link(self.memory.as_ref(), self.memory.as_ref()).await.unwrap().unwrap();
        link.below("").strip_prefix("#open=").unwrap().to_owned()
    }

    /// Opens the page's session as the page does.
    pub async fn open_page(&self, body: Value) -> Answer {
        let request = self.bare(Method::POST, "/v1/page/session").header("origin", &self.address);
        Answer::of(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// The cookie of a page that was let in by a link, as a browser sends it back.
    pub async fn cookie(&self) -> String {
        let body = serde_json::json!({ "link": self.link().await });
        self.open_page(body).await.is(204).cookie()
    }

    /// A render that is accepted; its id.
    pub async fn render(&self) -> SessionId {
        let form = Form::default().file("portrait", PNG).file("speech", WAV);
        Answer::of(self.form("/v1/renders", &form)).await.is(202).id()
    }

    /// An avatar that is accepted; its id.
    pub async fn avatar(&self) -> String {
        let form = Form::default().file("image", PNG);
        let body = Answer::of(self.form("/v1/avatars", &form)).await.is(202).json();
        body["id"].as_str().unwrap().to_owned()
    }

    /// Names of staged files.
    pub fn staged(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.staging).unwrap();
        entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    pub async fn stop(self) {
        self.api.close();
        self.server.stop(true).await;
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        Self::read(request.send().await.unwrap()).await
    }

    pub async fn read(response: Response) -> Self {
        let (url, status, headers) = (response.url().clone(), response.status().as_u16(), response.headers().clone());
        Self { url, status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub fn id(&self) -> SessionId {
        self.json()["id"].as_str().unwrap().parse().unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// The cookie that it sets, as a browser sends it back.
    pub fn cookie(&self) -> String {
        self.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    /// The path that a reference of this answer leads to.
    pub fn leads(&self, reference: &str) -> String {
        let url = self.url.join(reference).unwrap();
        url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
    }

    /// The path that it is about.
    pub fn location(&self) -> String {
        self.leads(self.header("location"))
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Checks that it is a problem of this kind, complete in itself.
    #[track_caller]
    pub fn problem(self, status: u16, slug: &str) -> Value {
        let answer = self.is(status);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.text());
        let body = answer.json();
        assert_eq!(body["type"], format!("/problems/{slug}"), "{body}");
        assert_eq!(body["status"], status, "{body}");
        assert_eq!(body["request_id"], answer.header("x-request-id"), "{body}");
        let detail = body["detail"].as_str().unwrap_or_default();
        assert!(detail.len() > 10 && !detail.contains(char::is_control), "{body}");
        // No library's words: where JSON parsers break, what systems call it, addresses of memory.
        for mark in ["0x", " at line ", "os error", "PointerOffset", "EOF", "expected "] {
            assert!(!detail.contains(mark), "{body}");
        }
        assert!(body["title"].as_str().is_some_and(|t| t.len() > 5), "{body}");
        if matches!(status, 429 | 503) {
            let seconds: u64 = answer.header("retry-after").parse().unwrap();
            assert!(seconds >= 1 && body["retry_after_s"] == seconds, "{body}");
        }
        body
    }

    /// Checks that it blames this field.
    #[track_caller]
    pub fn blames(self, field: &str) -> Value {
        let slug = if self.text().contains("unknown-field") { "unknown-field" } else { "invalid-field" };
        let body = self.problem(422, slug);
        assert_eq!(body["field"], field, "{body}");
        body
    }
}

/// A form with files.
#[derive(Default, Clone)]
pub struct Form(Vec<u8>);

impl Form {
    pub const TYPE: &'static str = "multipart/form-data; boundary=b0undary";

    pub fn text(self, name: &str, value: &str) -> Self {
        self.part(&format!("name=\"{name}\""), value.as_bytes())
    }

    pub fn file(self, name: &str, content: &[u8]) -> Self {
        self.part(&format!("name=\"{name}\"; filename=\"f\""), content)
    }

    pub fn part(mut self, disposition: &str, content: &[u8]) -> Self {
        let head = format!("--b0undary\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(content);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    /// What was written so far, without the end.
    pub fn broken_off(&self) -> Vec<u8> {
        self.0.clone()
    }

    pub fn finished(&self) -> Vec<u8> {
        [&self.0[..], b"--b0undary--\r\n"].concat()
    }
}

/// Waits until `look` sees something.
pub async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(started.elapsed() < BOUND, "waited in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
