//! Server-sent events, as a program reads them.

use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use serde_json::Value;

use crate::farm::PATIENCE;

type Pieces = Pin<Box<dyn Stream<Item = Result<Vec<u8>, reqwest::Error>> + Send>>;

/// A stream of events.
pub struct Events {
    pieces: Pieces,
    buffered: String,
}

impl Events {
    pub fn of(response: reqwest::Response) -> Self {
        assert_eq!(response.status().as_u16(), 200);
        let content_type = response.headers()["content-type"].to_str().unwrap();
        assert!(content_type.starts_with("text/event-stream"), "{content_type}");
        let pieces = response.bytes_stream().map(|piece| piece.map(|bytes| bytes.to_vec()));
        Self { pieces: Box::pin(pieces), buffered: String::new() }
    }

    /// The next event's name and data; `None` when the server has closed the stream.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some(end) = self.buffered.find("\n\n") {
                let event: String = self.buffered.drain(..end + 2).collect();
                let field = |name: &str| {
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim).map(str::to_owned))
                };
                if let Some(data) = field("data") {
                    return Some((field("event").unwrap_or_default(), serde_json::from_str(&data).unwrap()));
                }
            }
            let piece = tokio::time::timeout(PATIENCE, self.pieces.next()).await.expect("an event comes in time")?;
            self.buffered.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
        }
    }
}
