//! This API's own language: JSON with a `type`, binary messages with samples.

use super::dialect::{Refusal, SpeechDialect, SpeechEvent};
use super::message::MessageReader;
use super::said::Said;
use mouthpiece_domain::live::Up;
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
    fn text(&mut self, text: &str, now: Instant) -> Result<Option<Up>, Refusal> {
        self.0.text(text, now)
    }

    fn binary(&mut self, bytes: &[u8], now: Instant) -> Result<Option<Up>, Refusal> {
        Ok(self.0.binary(bytes, now))
    }

    fn begin_anew(&mut self) {
        self.0.begin_anew();
    }

    fn event(&self, event: &SpeechEvent<'_>) -> String {
        match event {
            SpeechEvent::Voice(down) => Said::of(down),
            SpeechEvent::Live => Said::live(),
            SpeechEvent::Reconnecting => Said::session("reconnecting"),
            SpeechEvent::Ended(reason) => Said::ended(reason),
            SpeechEvent::Refused(refusal) => Said::refused(refusal),
        }
        .json()
    }
}
