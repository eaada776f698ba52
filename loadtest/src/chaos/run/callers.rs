//! Callers: each asks for a session until it is answered, uses it, and follows it to its end.

use super::client::{Body, Reply};
use super::farm::ChaosFarm;
use super::{recording, viewer};
use crate::chaos::history::Happening;
use crate::chaos::plan::{Arrival, Wanted};
use bytes::Bytes;
use futures_util::SinkExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

/// A request that is not answered is asked again for so long, of one coordinator after the other.
const ASKS_FOR: Duration = Duration::from_secs(90);
/// Between two tries.
const AGAIN: Duration = Duration::from_millis(250);
/// A stream of events says at least every 15 s that it is there.
const STREAM_SILENT: Duration = Duration::from_secs(20);
/// Pixels of the longer side: enough for everything that is drawn, and little work.
const SIZE: u32 = 128;
const BOUNDARY: &str = "a-part-of-the-fault-run";

/// One caller's whole life.
pub(super) async fn call(farm: Arc<ChaosFarm>, arrival: Arrival) {
    let Arrival { request, wanted, .. } = arrival;
    let (path, body) = match wanted {
        Wanted::Live { .. } => ("/v1/sessions", live_body(&farm, request)),
        Wanted::Film { seconds, .. } => ("/v1/renders", film_body(&farm, request, seconds)),
        Wanted::Avatar => ("/v1/avatars", avatar_body(&farm, request)),
    };
    farm.recorder.tell(Happening::Asked { request, kind: wanted.kind().to_owned() });
    let Some(made) = ask(&farm, request, path, body).await else { return };
    let Some(session) = session_of(&made).map(str::to_owned) else { return };
    match wanted {
        Wanted::Live { for_ms } => {
            let token = made.pointer("/live/token").and_then(Value::as_str).map(str::to_owned);
            live(&farm, request, &session, token, Duration::from_millis(for_ms)).await;
        }
        Wanted::Film { cancelled_after: Some(ms), .. } => {
            sleep(Duration::from_millis(ms)).await;
            end(&farm, request, &session).await;
            follow(&farm, &session, request, None).await;
        }
        Wanted::Film { .. } | Wanted::Avatar => follow(&farm, &session, request, None).await,
    }
}

/// Asks until there is an answer; what it made, if it made something.
async fn ask(farm: &ChaosFarm, request: u32, path: &str, body: Body) -> Option<Value> {
    let token = format!("request-{request}");
    let begun = Instant::now();
    let mut nth = request as usize;
    while begun.elapsed() < ASKS_FOR {
        let since_ms = farm.recorder.now_ms();
        match farm.client.ask(nth, Method::POST, path, Some(body.clone()), Some(&token)).await {
            Ok(Reply { status, retry_after, body }) => {
                let session = session_of(&body).filter(|_| status < 300).map(str::to_owned);
                if session.is_none() && !retry_after {
                    tracing::warn!(request, status, %body, "a request was refused");
                }
                let made = session.is_some();
                farm.recorder.tell(Happening::Answered { request, status, session, retry_after });
                return made.then_some(body);
            }
            Err(why) => {
                let coordinator = farm.client.name(nth).to_owned();
                farm.recorder.tell(Happening::Unanswered { request, coordinator, since_ms, why });
            }
        }
        sleep(AGAIN).await;
        nth += 1;
    }
    farm.recorder.tell(Happening::GivenUp { request });
    None
}

/// The session that an answer tells of; of an avatar, the one that prepares it.
fn session_of(made: &Value) -> Option<&str> {
    made.get("prepared_by").or_else(|| made.get("id"))?.as_str()
}

async fn live(farm: &Arc<ChaosFarm>, request: u32, session: &str, token: Option<String>, time: Duration) {
    let (stop, stopped) = watch::channel(false);
    let (tell_fence, fence) = watch::channel(1);
    let watching = {
        let (farm, session, stopped) = (Arc::clone(farm), session.to_owned(), stopped.clone());
        tokio::spawn(async move { viewer::watch(&farm, &session, request as usize, fence, stopped).await })
    };
    let speaking = {
        let (farm, session) = (Arc::clone(farm), session.to_owned());
        tokio::spawn(async move { speak(&farm, request, &session, token.as_deref(), stopped).await })
    };
    let following = {
        let (farm, session) = (Arc::clone(farm), session.to_owned());
        tokio::spawn(async move { follow(&farm, &session, request, Some(tell_fence)).await })
    };
    let mut over = following;
    let ended = tokio::select! {
        () = sleep(time) => false,
        _ = &mut over => true,
    };
    stop.send_replace(true);
    let _ = tokio::join!(watching, speaking);
    if !ended {
        end(farm, request, session).await;
        let _ = over.await;
    }
}

/// Ends a session, through whichever coordinator takes it.
async fn end(farm: &ChaosFarm, request: u32, session: &str) {
    farm.recorder.tell(Happening::EndAsked { session: session.to_owned() });
    let path = format!("/v1/sessions/{session}");
    let begun = Instant::now();
    let mut nth = request as usize;
    while begun.elapsed() < ASKS_FOR && !farm.is_over() {
        match farm.client.ask(nth, Method::DELETE, &path, None, None).await {
            Ok(Reply { status: 200..=299 | 404 | 410, .. }) => return,
            Ok(Reply { status, body, .. }) => tracing::debug!(status, %body, "a session is not ended yet"),
            Err(why) => tracing::debug!(why, "a session is not ended yet"),
        }
        sleep(AGAIN).await;
        nth += 1;
    }
}

/// Follows a session's events to its end, through one coordinator after the other.
async fn follow(farm: &ChaosFarm, session: &str, first: u32, fences: Option<watch::Sender<u32>>) {
    let mut nth = first as usize;
    let mut told = (0, String::new());
    while !farm.is_over() {
        if let Ok(mut stream) = farm.client.events(nth, session).await {
            let mut text = Vec::new();
            while let Ok(Ok(Some(piece))) = timeout(STREAM_SILENT, stream.chunk()).await {
                text.extend_from_slice(&piece);
                while let Some(at) = text.windows(2).position(|two| two == b"\n\n") {
                    let event: Vec<u8> = text.drain(..at + 2).collect();
                    let Some((fence, state, reason)) = seen(&event) else { continue };
                    if let Some(fences) = &fences {
                        fences.send_if_modified(|known| fence > std::mem::replace(known, fence.max(*known)));
                    }
                    if told != (fence, state.clone()) {
                        told = (fence, state.clone());
                        let session = session.to_owned();
                        farm.recorder.tell(Happening::Seen { session, fence, state: state.clone(), reason });
                    }
                    if state == "ended" {
                        return;
                    }
                }
                if farm.is_over() {
                    return;
                }
            }
        }
        sleep(AGAIN).await;
        nth += 1;
    }
}

/// Fence, state and reason in a server-sent event.
fn seen(event: &[u8]) -> Option<(u32, String, Option<String>)> {
    let text = std::str::from_utf8(event).ok()?;
    let data = text.lines().find_map(|line| line.strip_prefix("data: "))?;
    let session: Value = serde_json::from_str(data).ok()?;
    let fence = u32::try_from(session.get("fence")?.as_u64()?).ok()?;
    let state = session.get("state")?.as_str()?.to_owned();
    let reason = session.pointer("/end/reason").and_then(Value::as_str).map(str::to_owned);
    Some((fence, state, reason))
}

/// Says something now and then until it is stopped; a line that is lost is opened again.
async fn speak(farm: &ChaosFarm, request: u32, session: &str, token: Option<&str>, mut stop: watch::Receiver<bool>) {
    let Some(token) = token else { return };
    let mut nth = request as usize;
    let saying = async {
        loop {
            let base = farm.client.address(nth).replacen("http", "ws", 1);
            let url = format!("{base}/v1/sessions/{session}/audio?token={token}&sample_rate={}", recording::RATE);
            if let Ok(Ok((mut socket, _))) = timeout(STREAM_SILENT, connect_async(url)).await {
                let sound: Vec<u8> = recording::sound(1).iter().flat_map(|s| s.to_le_bytes()).collect();
                'line: loop {
                    // Pieces of 20 ms, as they are spoken.
                    for piece in sound.chunks(recording::RATE as usize / 50 * 2) {
                        if socket.send(Message::Binary(piece.to_vec().into())).await.is_err() {
                            break 'line;
                        }
                        sleep(Duration::from_millis(20)).await;
                    }
                    if socket.send(Message::text(r#"{"type":"agent.speak_end"}"#)).await.is_err() {
                        break;
                    }
                    sleep(Duration::from_millis(1500)).await;
                }
            }
            sleep(AGAIN).await;
            nth += 1;
        }
    };
    tokio::select! {
        () = saying => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

fn live_body(farm: &ChaosFarm, request: u32) -> Body {
    let asked = json!({
        "kind": "live", "avatar_id": farm.avatar, "size": SIZE, "queue_timeout_s": 60, "absent_timeout_s": 600,
        "left_timeout_s": 600, "idle_timeout_s": 600, "metadata": {"request": request.to_string()},
    });
    Body { media_type: "application/json".to_owned(), bytes: asked.to_string().into() }
}

fn film_body(farm: &ChaosFarm, request: u32, seconds: u16) -> Body {
    let metadata = json!({"request": request.to_string()}).to_string();
    let size = SIZE.to_string();
    let texts = [("avatar_id", farm.avatar.as_str()), ("size", &size), ("preset", "fast"), ("metadata", &metadata)];
    form(&texts, "speech", "speech.wav", &recording::wav(seconds))
}

/// The portrait with some bytes behind its end, so that it is another file.
pub(super) fn avatar_body(farm: &ChaosFarm, request: u32) -> Body {
    let mut portrait = farm.portrait.to_vec();
    portrait.extend(format!("request {request}").as_bytes());
    form(&[], "image", "portrait", &portrait)
}

/// A multipart form with texts and a file.
fn form(texts: &[(&str, &str)], field: &str, file: &str, content: &[u8]) -> Body {
    let mut bytes = Vec::with_capacity(content.len() + 1024);
    for (name, text) in texts {
        let part = format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
        bytes.extend(part.as_bytes());
    }
    let head = format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"{file}\"\r\n\r\n");
    bytes.extend(head.as_bytes());
    bytes.extend(content);
    bytes.extend(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    Body { media_type: format!("multipart/form-data; boundary={BOUNDARY}"), bytes: Bytes::from(bytes) }
}
