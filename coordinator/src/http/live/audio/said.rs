//! What a program hears over an audio socket, written.

use super::dialect::{NO_ROOM, Refusal};
use mouthpiece_domain::live::Down;
use serde::Serialize;

/// An event as it goes over the wire.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type")]
pub enum Said<'a> {
    /// The session itself: `live`, `reconnecting` or `ended`.
    #[serde(rename = "session.state_updated")]
    Session {
        /// Its state.
        state: &'a str,
        /// What it answers.
        #[serde(skip_serializing_if = "Option::is_none")]
        event_id: Option<&'a str>,
        /// Why it ended.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    },
    /// What the face does: `idle`, `listening` or `talking`.
    #[serde(rename = "agent.state_updated")]
    Mood {
        /// That.
        state: &'a str,
        /// What it answers.
        #[serde(skip_serializing_if = "Option::is_none")]
        event_id: Option<&'a str>,
    },
    /// An utterance begins to sound.
    #[serde(rename = "agent.speak_started")]
    Started {
        /// The caller's name for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        event_id: Option<&'a str>,
    },
    /// An utterance has sounded to its end.
    #[serde(rename = "agent.speak_ended")]
    Ended {
        /// The caller's name for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        event_id: Option<&'a str>,
        /// How much of it was played.
        played_ms: u64,
    },
    /// An utterance was cut off.
    #[serde(rename = "agent.speak_interrupted")]
    Interrupted {
        /// The caller's name for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        event_id: Option<&'a str>,
        /// How much of it was played.
        played_ms: u64,
    },
    /// How much speech waits to be said.
    #[serde(rename = "agent.buffer")]
    Buffer {
        /// That.
        buffered_ms: u64,
        /// As much may wait.
        limit_ms: u64,
    },
    /// A message was not taken.
    #[serde(rename = "error")]
    Error {
        /// A stable word.
        code: &'a str,
        /// What is wrong, and the remedy.
        message: &'a str,
        /// The caller's name for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        event_id: Option<&'a str>,
        /// When to send it again.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
}

/// The state of a session that runs.
const LIVE: &str = "live";

impl<'a> Said<'a> {
    /// What a session's voice says. [`Down::Over`] is the end.
    pub fn of(down: &'a Down) -> Self {
        match down {
            Down::Mood { mood, event } => Self::Mood { state: mood.name(), event_id: event.as_deref() },
            Down::Kept { event } => Self::Session { state: LIVE, event_id: event.as_deref(), reason: None },
            Down::Started { event } => Self::Started { event_id: event.as_deref() },
            Down::Ended { event, played_ms } => Self::Ended { event_id: event.as_deref(), played_ms: *played_ms },
            Down::Interrupted { event, played_ms } => {
                Self::Interrupted { event_id: event.as_deref(), played_ms: *played_ms }
            }
            Down::Buffer { buffered_ms, limit_ms } => Self::Buffer { buffered_ms: *buffered_ms, limit_ms: *limit_ms },
            Down::Refused { event, retry_after_ms, detail } => Self::Error {
                code: NO_ROOM,
                message: detail,
                event_id: event.as_deref(),
                retry_after_ms: Some(*retry_after_ms),
            },
            Down::Over { reason } => Self::ended(reason),
        }
    }

    /// The session has ended.
    pub fn ended(reason: &'a str) -> Self {
        Self::Session { state: "ended", event_id: None, reason: Some(reason) }
    }

    /// The session runs, and is spoken with.
    pub fn live() -> Self {
        Self::session(LIVE)
    }

    /// The session is in a state.
    pub fn session(state: &'a str) -> Self {
        Self::Session { state, event_id: None, reason: None }
    }

    /// A message cannot be used.
    pub fn refused(refusal: &'a Refusal) -> Self {
        Self::Error {
            code: refusal.code.name(),
            message: &refusal.message,
            event_id: refusal.event.as_deref(),
            retry_after_ms: None,
        }
    }

    /// As JSON.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_domain::live::Mood;

    #[test]
    fn every_event_has_its_words() {
        let event = || Some("e".to_owned());
        for (down, wanted) in [
            (Down::Mood { mood: Mood::Talking, event: None }, r#"{"type":"agent.state_updated","state":"talking"}"#),
            (
                Down::Mood { mood: Mood::Idle, event: event() },
                r#"{"type":"agent.state_updated","state":"idle","event_id":"e"}"#,
            ),
            (Down::Kept { event: event() }, r#"{"type":"session.state_updated","state":"live","event_id":"e"}"#),
            (Down::Kept { event: None }, r#"{"type":"session.state_updated","state":"live"}"#),
            (Down::Started { event: event() }, r#"{"type":"agent.speak_started","event_id":"e"}"#),
            (Down::Started { event: None }, r#"{"type":"agent.speak_started"}"#),
            (
                Down::Ended { event: event(), played_ms: 40 },
                r#"{"type":"agent.speak_ended","event_id":"e","played_ms":40}"#,
            ),
            (Down::Interrupted { event: None, played_ms: 0 }, r#"{"type":"agent.speak_interrupted","played_ms":0}"#),
            (Down::Buffer { buffered_ms: 5, limit_ms: 10 }, r#"{"type":"agent.buffer","buffered_ms":5,"limit_ms":10}"#),
            (
                Down::Refused { event: event(), retry_after_ms: 250, detail: "full".into() },
                r#"{"type":"error","code":"no_room","message":"full","event_id":"e","retry_after_ms":250}"#,
            ),
            (
                Down::Over { reason: "completed".into() },
                r#"{"type":"session.state_updated","state":"ended","reason":"completed"}"#,
            ),
        ] {
            assert_eq!(Said::of(&down).json(), wanted);
        }
        assert_eq!(Said::live().json(), r#"{"type":"session.state_updated","state":"live"}"#);
    }
}
