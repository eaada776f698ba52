//! What a program hears over an audio socket, written.

use crate::dialect::{MessageRefusal, NO_ROOM};
use mouthpiece_domain::live::{EventPosition, LineOutput};
use mouthpiece_domain::session::Fence;
use serde::Serialize;

/// An event as it goes over the wire.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type")]
pub enum SocketEvent<'a> {
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
    /// An utterance goes on that began on a worker that was lost or left.
    #[serde(rename = "agent.speak_resumed")]
    Continued {
        /// The caller's name for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        event_id: Option<&'a str>,
        /// How much of it was played before.
        from_ms: u64,
    },
    /// Speech was lost with a worker.
    #[serde(rename = "agent.speak_lost")]
    Lost {
        /// How much.
        lost_ms: u64,
    },
    /// So much was played of what this caller is saying.
    #[serde(rename = "agent.speak_progress")]
    Progress {
        /// The caller's name for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        event_id: Option<&'a str>,
        /// How much, over all workers that it was said on.
        played_ms: u64,
    },
    /// This socket ends: the caller opens another one, at an address that it asks for anew.
    #[serde(rename = "session.reconnect")]
    Reconnect {
        /// So many of its messages were taken; those after them are to be sent again.
        messages_taken: u64,
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
    /// The face has so many frames a second from now on.
    #[serde(rename = "session.frame_rate")]
    FrameRate {
        /// That.
        fps: u32,
        /// As many were asked for.
        asked: u32,
    },
    /// Everything was told up to here.
    #[serde(rename = "session.position")]
    Position {
        /// What a caller that comes back says.
        position: String,
    },
    /// What was missed follows.
    #[serde(rename = "session.resumed")]
    Resumed {
        /// All of it.
        complete: bool,
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

impl<'a> SocketEvent<'a> {
    /// What a session's voice says. [`LineOutput::Over`] is the end.
    pub fn of(down: &'a LineOutput) -> Self {
        match down {
            LineOutput::Mood { mood, event } => Self::Mood { state: mood.name(), event_id: event.as_deref() },
            // The relay's own; a caller that is told of it all the same hears that the session is there.
            LineOutput::Settled { .. } => Self::live(),
            LineOutput::Resumed { complete } => Self::Resumed { complete: *complete },
            LineOutput::Position { position } => Self::Position { position: position_text(*position) },
            LineOutput::Kept { event } => Self::Session { state: LIVE, event_id: event.as_deref(), reason: None },
            LineOutput::Started { event } => Self::Started { event_id: event.as_deref() },
            LineOutput::Continued { utterance } => {
                Self::Continued { event_id: utterance.event.as_deref(), from_ms: utterance.played_ms }
            }
            LineOutput::Ended { event, played_ms } => Self::Ended { event_id: event.as_deref(), played_ms: *played_ms },
            LineOutput::Interrupted { event, played_ms } => {
                Self::Interrupted { event_id: event.as_deref(), played_ms: *played_ms }
            }
            LineOutput::Buffer { buffered_ms, limit_ms } => {
                Self::Buffer { buffered_ms: *buffered_ms, limit_ms: *limit_ms }
            }
            LineOutput::FrameRate { fps, asked } => Self::FrameRate { fps: *fps, asked: *asked },
            LineOutput::Refused { event, retry_after_ms, detail, .. } => Self::Error {
                code: NO_ROOM,
                message: detail,
                event_id: event.as_deref(),
                retry_after_ms: Some(*retry_after_ms),
            },
            LineOutput::Over { reason } => Self::ended(reason),
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
    pub fn refused(refusal: &'a MessageRefusal) -> Self {
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

/// A position as callers have it: the placement, and the number of the event.
fn position_text(position: EventPosition) -> String {
    format!("{}-{}", position.fence.0, position.number)
}

/// A position that a caller was told.
pub fn read_position(text: &str) -> Option<EventPosition> {
    let (fence, number) = text.split_once('-')?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(fence) || !is_number(number) {
        return None;
    }
    Some(EventPosition { fence: Fence(fence.parse().ok()?), number: number.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_domain::live::{BegunUtterance, FaceMood};

    #[test]
    fn positions_are_read_as_they_are_told() {
        let position = EventPosition { fence: Fence(3), number: u64::MAX };
        assert_eq!(read_position(&position_text(position)), Some(position));
        for bad in ["", "-", "3", "3-", "-1", "3-+1", "3-1-1", "3-18446744073709551616", " 3-1", "3_1"] {
            assert_eq!(read_position(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_event_has_its_words() {
        let event = || Some("e".to_owned());
        for (down, wanted) in [
            (
                LineOutput::Mood { mood: FaceMood::Talking, event: None },
                r#"{"type":"agent.state_updated","state":"talking"}"#,
            ),
            (
                LineOutput::Mood { mood: FaceMood::Idle, event: event() },
                r#"{"type":"agent.state_updated","state":"idle","event_id":"e"}"#,
            ),
            (LineOutput::Kept { event: event() }, r#"{"type":"session.state_updated","state":"live","event_id":"e"}"#),
            (LineOutput::Kept { event: None }, r#"{"type":"session.state_updated","state":"live"}"#),
            (LineOutput::Started { event: event() }, r#"{"type":"agent.speak_started","event_id":"e"}"#),
            (LineOutput::Started { event: None }, r#"{"type":"agent.speak_started"}"#),
            (
                LineOutput::Ended { event: event(), played_ms: 40 },
                r#"{"type":"agent.speak_ended","event_id":"e","played_ms":40}"#,
            ),
            (
                LineOutput::Continued { utterance: BegunUtterance { event: event(), played_ms: 40 } },
                r#"{"type":"agent.speak_resumed","event_id":"e","from_ms":40}"#,
            ),
            (
                LineOutput::Position { position: EventPosition { fence: Fence(2), number: 17 } },
                r#"{"type":"session.position","position":"2-17"}"#,
            ),
            (LineOutput::Resumed { complete: false }, r#"{"type":"session.resumed","complete":false}"#),
            (
                LineOutput::Interrupted { event: None, played_ms: 0 },
                r#"{"type":"agent.speak_interrupted","played_ms":0}"#,
            ),
            (LineOutput::FrameRate { fps: 25, asked: 30 }, r#"{"type":"session.frame_rate","fps":25,"asked":30}"#),
            (
                LineOutput::Buffer { buffered_ms: 5, limit_ms: 10 },
                r#"{"type":"agent.buffer","buffered_ms":5,"limit_ms":10}"#,
            ),
            (
                LineOutput::Refused { number: 1, event: event(), retry_after_ms: 250, detail: "full".into() },
                r#"{"type":"error","code":"no_room","message":"full","event_id":"e","retry_after_ms":250}"#,
            ),
            (
                LineOutput::Over { reason: "completed".into() },
                r#"{"type":"session.state_updated","state":"ended","reason":"completed"}"#,
            ),
        ] {
            assert_eq!(SocketEvent::of(&down).json(), wanted);
        }
        assert_eq!(SocketEvent::live().json(), r#"{"type":"session.state_updated","state":"live"}"#);
    }
}
