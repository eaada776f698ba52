//! This API's own language: JSON with a `type`, binary messages with samples.

use crate::dialect::{MessageRefusal, SpeechDialect, SpeechEvent};
use crate::message::MessageReader;
use crate::said::SocketEvent;
use mouthpiece_domain::live::LineInput;
use tokio::time::Instant;

/// The language of one socket.
pub struct AgentDialect(MessageReader);

impl AgentDialect {
    /// Of a socket whose binary messages have so many samples a second.
    pub fn new(rate: u32) -> Self {
        Self(MessageReader::new(rate))
    }
}

impl SpeechDialect for AgentDialect {
    fn text(&mut self, text: &str, now: Instant) -> Result<Option<LineInput>, MessageRefusal> {
        self.0.text(text, now)
    }

    fn binary(&mut self, bytes: &[u8], now: Instant) -> Result<Option<LineInput>, MessageRefusal> {
        Ok(self.0.binary(bytes, now))
    }

    fn begin_anew(&mut self) {
        self.0.begin_anew();
    }

    fn event(&self, event: &SpeechEvent<'_>) -> String {
        match event {
            SpeechEvent::Voice(down) => SocketEvent::of(down),
            SpeechEvent::Live => SocketEvent::live(),
            SpeechEvent::Reconnecting => SocketEvent::session("reconnecting"),
            SpeechEvent::Lost { lost_ms } => SocketEvent::Lost { lost_ms: *lost_ms },
            SpeechEvent::Progress { event, played_ms } => {
                SocketEvent::Progress { event_id: *event, played_ms: *played_ms }
            }
            SpeechEvent::Reconnect { taken } => SocketEvent::Reconnect { messages_taken: *taken },
            SpeechEvent::Ended(reason) => SocketEvent::ended(reason),
            SpeechEvent::Refused(refusal) => SocketEvent::refused(refusal),
        }
        .json()
    }
}
