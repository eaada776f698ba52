//! The farm's API, as a caller uses it that knows several coordinators.

use crate::{LoadError, setup};
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use std::time::Duration;

/// An answer comes within this, whatever is down: the farm's own patience with its servers is shorter.
const ANSWERED_WITHIN: Duration = Duration::from_secs(25);
const CONNECTED_WITHIN: Duration = Duration::from_secs(3);

/// All coordinators.
pub(super) struct FarmClient {
    client: Client,
    /// Their names and addresses.
    coordinators: Vec<(String, String)>,
    key: String,
}

/// A body to be sent.
#[derive(Clone)]
pub(super) struct Body {
    pub(super) media_type: String,
    pub(super) bytes: Bytes,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) retry_after: bool,
    pub(super) body: Value,
}

impl FarmClient {
    pub(super) fn new(coordinators: Vec<(String, String)>, key: String) -> Result<Self, LoadError> {
        let client = Client::builder().no_proxy().connect_timeout(CONNECTED_WITHIN).build().map_err(setup)?;
        Ok(Self { client, coordinators, key })
    }

    /// The name of the coordinator that is asked at the nth try.
    pub(super) fn name(&self, nth: usize) -> &str {
        &self.coordinators[nth % self.coordinators.len()].0
    }

    /// Its address.
    pub(super) fn address(&self, nth: usize) -> &str {
        &self.coordinators[nth % self.coordinators.len()].1
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.coordinators.len()
    }

    fn request(&self, nth: usize, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.address(nth));
        self.client.request(method, url).header(AUTHORIZATION, format!("Bearer {}", self.key))
    }

    /// Asks the nth coordinator; what went wrong if it does not answer.
    pub(super) async fn ask(
        &self,
        nth: usize,
        method: Method,
        path: &str,
        body: Option<Body>,
        token: Option<&str>,
    ) -> Result<Reply, String> {
        let mut request = self.request(nth, method, path).timeout(ANSWERED_WITHIN);
        if let Some(Body { media_type, bytes }) = body {
            request = request.header(CONTENT_TYPE, media_type).body(bytes);
        }
        if let Some(token) = token {
            request = request.header("idempotency-key", token);
        }
        let response = request.send().await.map_err(words)?;
        let (status, retry_after) = (response.status().as_u16(), response.headers().contains_key(RETRY_AFTER));
        let text = response.text().await.map_err(words)?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Reply { status, retry_after, body })
    }

    /// Reads something from any coordinator that answers with 200, each asked a few times.
    pub(super) async fn read(&self, path: &str) -> Result<Value, LoadError> {
        let mut last = String::new();
        for nth in 0..self.count() * 30 {
            match self.ask(nth, Method::GET, path, None, None).await {
                Ok(Reply { status: 200, body, .. }) => return Ok(body),
                Ok(Reply { status, body, .. }) => last = format!("{status}: {body}"),
                Err(why) => last = why,
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Err(setup(format!("{path} is not answered: {last}")))
    }

    /// Posts an offer to watch; the answer's SDP.
    pub(super) async fn offer(&self, nth: usize, session: &str, sdp: String) -> Result<String, String> {
        let path = format!("/v1/sessions/{session}/whep");
        let request = self.request(nth, Method::POST, &path).header(CONTENT_TYPE, "application/sdp").body(sdp);
        let response = request.timeout(ANSWERED_WITHIN).send().await.map_err(words)?;
        let status = response.status().as_u16();
        let text = response.text().await.map_err(words)?;
        if status == 201 { Ok(text) } else { Err(format!("{status}: {text}")) }
    }

    /// Opens a session's event stream.
    pub(super) async fn events(&self, nth: usize, session: &str) -> Result<Response, String> {
        let request = self.request(nth, Method::GET, &format!("/v1/sessions/{session}/events"));
        let response =
            tokio::time::timeout(ANSWERED_WITHIN, request.send()).await.map_err(|_| "no answer".to_owned())?;
        response.map_err(words)?.error_for_status().map_err(words)
    }
}

/// An error with its causes.
#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn words(error: reqwest::Error) -> String {
    let mut told = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        told = format!("{told}: {inner}");
        cause = inner.source();
    }
    told
}
