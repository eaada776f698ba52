//! A caller on the audio socket.

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{api::Api, farm::PATIENCE};

/// An open audio socket.
pub struct Caller {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Every event so far.
    pub heard: Vec<Value>,
}

impl Caller {
    /// Connects with a session's token.
    pub async fn of(api: &Api, session: &str, token: &str) -> Self {
        Self::asking(api, session, &format!("token={token}")).await
    }

    /// The same, having heard everything up to a position.
    #[cfg(feature = "cloud")]
    pub async fn after(api: &Api, session: &str, token: &str, position: &str) -> Self {
        Self::asking(api, session, &format!("token={token}&after={position}")).await
    }

    async fn asking(api: &Api, session: &str, query: &str) -> Self {
        let address = api.address().replacen("http", "ws", 1);
        Self::at(&format!("{address}/v1/sessions/{session}/audio?{query}")).await
    }

    /// At an address that holds all that is needed.
    pub async fn at(url: &str) -> Self {
        let (socket, _) = connect_async(url).await.unwrap();
        Self { socket, heard: Vec::new() }
    }

    /// Waits until it is closed, and returns the code; none where it broke off.
    #[cfg(feature = "cloud")]
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("it stays open") {
                Some(Ok(Message::Text(text))) => self.heard.push(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    pub async fn say(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    /// Pushes a hum of 220 Hz at 24 kHz.
    pub async fn speak(&mut self, event: &str, ms: u32) {
        let hum = |n: u32| ((f64::from(n) * 220.0 * std::f64::consts::TAU / 24_000.0).sin() * 9000.0) as i16;
        let bytes: Vec<u8> = (0..ms * 24).flat_map(|n| hum(n).to_le_bytes()).collect();
        self.say(json!({"type": "agent.speak", "audio": STANDARD.encode(bytes), "event_id": event})).await;
    }

    /// The last thing of an event of this type that was heard.
    #[cfg(feature = "cloud")]
    pub fn last(&self, kind: &str) -> Option<&Value> {
        self.heard.iter().rev().find(|event| event["type"] == kind)
    }

    /// Waits for an event of this type, and returns it.
    pub async fn hears(&mut self, kind: &str) -> Value {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await;
            let message = message.unwrap_or_else(|_| panic!("no {kind} came, but {:?}", self.heard));
            match message.unwrap_or_else(|| panic!("closed before {kind}: {:?}", self.heard)).unwrap() {
                Message::Text(text) => {
                    let event: Value = serde_json::from_str(&text).unwrap();
                    self.heard.push(event.clone());
                    if event["type"] == kind {
                        return event;
                    }
                }
                Message::Close(frame) => panic!("closed before {kind}: {frame:?}, {:?}", self.heard),
                _ => {}
            }
        }
    }

    /// How many events of a type were heard.
    pub fn count(&self, kind: &str) -> usize {
        self.heard.iter().filter(|event| event["type"] == kind).count()
    }
}
