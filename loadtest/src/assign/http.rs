//! The same load through the HTTP server: an upload of a recording for an avatar that is there.

use super::callers::CallerAsk;
use crate::{LoadError, setup};
use mouthpiece_coordinator::farm::Farm;
use mouthpiece_coordinator::http::{Api, HttpSettings, serve};
use mouthpiece_coordinator::metrics::Metrics;
use mouthpiece_coordinator::office::{KeyScope, new_secret, secret_hash};
use mouthpiece_domain::ids::{KeyId, SessionId};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::farm_ports::FarmPorts;
use mouthpiece_ports::records::ApiKey;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

const BOUNDARY: &str = "a-part-of-the-load-test";
/// The smallest PNG: one grey pixel.
pub(super) const PORTRAIT: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
    0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 0x0a, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x63, 0x68, 0, 0, 0, 0x82,
    0, 0x81, 0x77, 0xcd, 0x72, 0xb6, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

/// A client of a server in this process.
pub(super) struct OverHttp {
    client: Client,
    url: String,
    secret: String,
    body: bytes::Bytes,
}

impl OverHttp {
    /// Starts the server, registers an avatar with a first render, and returns that with the client for the others.
    pub(super) async fn start(
        farm: Arc<dyn Farm>,
        ports: &FarmPorts,
        folder: &Path,
    ) -> Result<(Self, SessionId), LoadError> {
        let secret = new_secret().map_err(setup)?;
        let key = ApiKey {
            id: KeyId(1),
            name: "load test".to_owned(),
            secret_hash: secret_hash(&secret),
            scopes: vec![KeyScope::Sessions.name().to_owned()],
            max_open: u32::MAX,
            minutes_per_day: None,
            created: Wall(0),
            revoked: None,
        };
        ports.records.add_key(&key).await.map_err(setup)?;
        let settings =
            HttpSettings { threads: 1, max_uploads: 1024, staging: folder.join("staging"), ..HttpSettings::default() };
        let metrics = Arc::new(Metrics::new().map_err(setup)?);
        let api = actix_web::web::Data::new(Api::new(farm, ports.office(), metrics, settings).map_err(setup)?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(setup)?;
        let url = format!("http://{}/v1/renders", listener.local_addr().map_err(setup)?);
        actix_rt::spawn(serve(listener, api).map_err(setup)?);
        let client = Client::builder().no_proxy().build().map_err(setup)?;
        let mut this = Self { client, url, secret, body: form("portrait", Some("a.png"), PORTRAIT) };
        let first = post(this.request()).await?.ok_or_else(|| setup("the first render was turned away"))?;
        let avatar = first.get("avatar_id").and_then(Value::as_str).unwrap_or_default();
        this.body = form("avatar_id", None, avatar.as_bytes());
        Ok((this, id(&first)?))
    }

    fn request(&self) -> reqwest::RequestBuilder {
        self.client
            .post(&self.url)
            .header(AUTHORIZATION, format!("Bearer {}", self.secret))
            .header(CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"))
            .body(self.body.clone())
    }
}

impl CallerAsk for OverHttp {
    fn ask(&self, _: u64) -> Pin<Box<dyn Future<Output = Result<Option<SessionId>, LoadError>>>> {
        let request = self.request();
        Box::pin(async move { post(request).await?.map(|session| id(&session)).transpose() })
    }
}

/// The session as answered; `None` when there is no capacity.
async fn post(request: reqwest::RequestBuilder) -> Result<Option<Value>, LoadError> {
    let answer = request.send().await.map_err(setup)?;
    let status = answer.status();
    let text = answer.text().await.map_err(setup)?;
    match status {
        StatusCode::ACCEPTED => serde_json::from_str(&text).map(Some).map_err(setup),
        StatusCode::SERVICE_UNAVAILABLE => Ok(None),
        _ => Err(setup(format!("a render was answered with {status}: {text}"))),
    }
}

fn id(session: &Value) -> Result<SessionId, LoadError> {
    session.get("id").and_then(Value::as_str).unwrap_or_default().parse().map_err(setup)
}

/// A form of one field and a recording of a tenth of a second of silence.
fn form(name: &str, file: Option<&str>, content: &[u8]) -> bytes::Bytes {
    let mut body = Vec::new();
    for (name, file, content) in [(name, file, content), ("speech", Some("a.wav"), silence().as_slice())] {
        part(&mut body, name, file, content);
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body.into()
}

/// A form of one file alone, with its media type.
#[cfg(feature = "cloud")]
pub(super) fn one_file_form(name: &str, file: &str, content: &[u8]) -> (String, bytes::Bytes) {
    let mut body = Vec::new();
    part(&mut body, name, Some(file), content);
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={BOUNDARY}"), body.into())
}

fn part(body: &mut Vec<u8>, name: &str, file: Option<&str>, content: &[u8]) {
    let file = file.map_or_else(String::new, |file| format!("; filename=\"{file}\""));
    let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n");
}

/// A WAV file: 1600 samples of 16 bits at 16 kHz.
fn silence() -> Vec<u8> {
    const RATE: u32 = 16_000;
    const BYTES: u32 = 3200;
    let mut wav = Vec::with_capacity(44 + BYTES as usize);
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + BYTES).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    wav.extend_from_slice(&16u32.to_le_bytes());
    for short in [1u16, 1] {
        wav.extend_from_slice(&short.to_le_bytes());
    }
    for long in [RATE, RATE * 2] {
        wav.extend_from_slice(&long.to_le_bytes());
    }
    for short in [2u16, 16] {
        wav.extend_from_slice(&short.to_le_bytes());
    }
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&BYTES.to_le_bytes());
    wav.resize(44 + BYTES as usize, 0);
    wav
}
