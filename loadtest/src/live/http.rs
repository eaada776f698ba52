//! The farm's API, as far as a caller of live sessions needs it.

use crate::{LoadError, setup};
use mouthpiece_domain::frame::{FrameRate, FrameSize};
use mouthpiece_domain::live::LiveStatus;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const BOUNDARY: &str = "a-part-of-the-load-test";
/// An avatar is prepared within this.
const PREPARED_WITHIN: Duration = Duration::from_secs(60);

/// A session is taken up by a worker within this.
const TAKEN_UP_WITHIN: Duration = Duration::from_secs(30);

/// A caller with a key.
pub(super) struct Api {
    client: Client,
    url: String,
    key: String,
}

/// A live session that was asked for.
pub(super) struct CreatedSession {
    pub(super) id: String,
    pub(super) token: String,
}

impl Api {
    pub(super) fn new(url: &str, key: &str) -> Result<Self, LoadError> {
        let client = Client::builder().no_proxy().build().map_err(setup)?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned(), key: key.to_owned() })
    }

    fn with_key(&self, request: RequestBuilder) -> RequestBuilder {
        request.header(AUTHORIZATION, format!("Bearer {}", self.key))
    }

    /// Registers a portrait and waits until it is prepared.
    pub(super) async fn avatar(&self, portrait: &Path) -> Result<String, LoadError> {
        let picture = std::fs::read(portrait).map_err(|e| setup(format!("{}: {e}", portrait.display())))?;
        let mut body =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"image\"; filename=\"portrait\"\r\n\r\n")
                .into_bytes();
        body.extend_from_slice(&picture);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let request = self
            .with_key(self.client.post(format!("{}/v1/avatars", self.url)))
            .header(CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"))
            .body(body);
        let made = answer(request).await?;
        let id = text(&made, "id")?;
        let asking = async {
            loop {
                let avatar = answer(self.with_key(self.client.get(format!("{}/v1/avatars/{id}", self.url)))).await?;
                match avatar.get("state").and_then(Value::as_str) {
                    Some("ready") => return Ok(()),
                    Some("failed") => return Err(setup(format!("the avatar cannot be prepared: {avatar}"))),
                    _ => sleep(Duration::from_millis(100)).await,
                }
            }
        };
        tokio::time::timeout(PREPARED_WITHIN, asking).await.map_err(|_| setup("the avatar is not prepared"))??;
        Ok(id)
    }

    /// Asks for a live session.
    pub(super) async fn session(
        &self,
        avatar: &str,
        size: FrameSize,
        fps: FrameRate,
        max: Duration,
    ) -> Result<CreatedSession, LoadError> {
        let body = json!({
            "kind": "live", "avatar_id": avatar, "size": size, "fps": fps, "max_duration_s": max.as_secs() + 120,
        });
        let request = self
            .with_key(self.client.post(format!("{}/v1/sessions", self.url)))
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        let made = answer(request).await?;
        let live = made.get("live").ok_or_else(|| setup(format!("an answer without 'live': {made}")))?;
        Ok(CreatedSession { id: text(&made, "id")?, token: text(live, "token")? })
    }

    /// Offers to watch; the answer and the viewer's address. Who is told to come back does so.
    pub(super) async fn offer(&self, session: &CreatedSession, sdp: String) -> Result<(String, Url), LoadError> {
        let begun = Instant::now();
        let response = loop {
            let response = self
                .client
                .post(format!("{}/v1/sessions/{}/whep", self.url, session.id))
                .header(AUTHORIZATION, format!("Bearer {}", session.token))
                .header(CONTENT_TYPE, "application/sdp")
                .body(sdp.clone())
                .send()
                .await
                .map_err(setup)?;
            match come_back_after(response.headers(), begun) {
                Some(after) if !response.status().is_success() => sleep(after).await,
                _ => break response,
            }
        };
        let status = response.status();
        let location = response.headers().get(LOCATION).and_then(|l| l.to_str().ok()).unwrap_or_default();
        let viewer = resolved(response.url(), location)?;
        let body = response.text().await.map_err(setup)?;
        if status == StatusCode::CREATED { Ok((body, viewer)) } else { Err(setup(format!("{status}: {body}"))) }
    }

    /// A viewer goes.
    pub(super) async fn hang_up(&self, session: &CreatedSession, viewer: &Url) -> Result<(), LoadError> {
        let request = self.client.delete(viewer.clone()).header(AUTHORIZATION, format!("Bearer {}", session.token));
        request.send().await.map_err(setup)?;
        Ok(())
    }

    /// How a session is.
    pub(super) async fn status(&self, session: &CreatedSession) -> Result<LiveStatus, LoadError> {
        let url = format!("{}/v1/sessions/{}/live", self.url, session.id);
        let status = answer(self.with_key(self.client.get(url))).await?;
        serde_json::from_value(status).map_err(setup)
    }

    /// Whether a session has not ended.
    pub(super) async fn is_open(&self, session: &CreatedSession) -> Result<bool, LoadError> {
        let now = answer(self.with_key(self.client.get(format!("{}/v1/sessions/{}", self.url, session.id)))).await?;
        Ok(now.get("state").and_then(Value::as_str) != Some("ended"))
    }

    /// Ends a session.
    pub(super) async fn end(&self, session: &CreatedSession) -> Result<(), LoadError> {
        let request = self.with_key(self.client.delete(format!("{}/v1/sessions/{}", self.url, session.id)));
        request.send().await.map_err(setup)?;
        Ok(())
    }

    /// Where a session's audio socket is.
    pub(super) fn audio(&self, session: &CreatedSession) -> String {
        let ws = self.url.replacen("http", "ws", 1);
        format!("{ws}/v1/sessions/{}/audio?token={}&sample_rate={}", session.id, session.token, super::sound::RATE)
    }
}

/// When an answer says that its caller may come back, in whole seconds (RFC 9110, 10.2.3); `None` when that is too late for a session
/// that was asked for first at `begun`.
pub(super) fn come_back_after(headers: &HeaderMap, begun: Instant) -> Option<Duration> {
    let after = Duration::from_secs(headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?);
    (begun.elapsed() + after < TAKEN_UP_WITHIN).then_some(after)
}

/// What an answer names, as a browser resolves a link: addresses are relative to the one that was asked.
fn resolved(asked: &Url, location: &str) -> Result<Url, LoadError> {
    asked.join(location).map_err(|e| setup(format!("the address '{location}' of an answer: {e}")))
}

async fn answer(request: RequestBuilder) -> Result<Value, LoadError> {
    let response = request.send().await.map_err(setup)?;
    let status = response.status();
    let body = response.text().await.map_err(setup)?;
    if status.is_success() {
        serde_json::from_str(&body).map_err(setup)
    } else {
        Err(setup(format!("{status}: {body}")))
    }
}

fn text(of: &Value, name: &str) -> Result<String, LoadError> {
    let found = of.get(name).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| setup(format!("an answer without '{name}': {of}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewers_address_is_resolved_against_the_one_that_was_asked() {
        let asked = Url::parse("http://127.0.0.1:8000/avatar/v1/sessions/ses_1/whep").unwrap();
        let viewer = resolved(&asked, "whep/vwr_2").unwrap();
        assert_eq!(viewer.as_str(), "http://127.0.0.1:8000/avatar/v1/sessions/ses_1/whep/vwr_2");
    }
}
