//! What happened in a fault run: one line of JSON an event, by the clock of the harness alone.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEvent {
    /// Milliseconds since the run began, by the steady clock of the harness. What others said is dated when it was heard.
    pub at_ms: u64,
    /// What it was.
    #[serde(flatten)]
    pub what: Happening,
}

/// A session in a slot of a worker, as the worker itself names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Placement {
    /// The process: its place in the farm, and how often that was started, `worker-1#3`.
    pub worker: String,
    /// The session's id.
    pub session: String,
    /// Its fence.
    pub fence: u32,
    /// The slot, from 0.
    pub slot: u8,
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by fence {} in slot {} of {}", self.session, self.fence, self.slot, self.worker)
    }
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happening {
    /// A caller asks for a session; asking again for want of an answer is no new request.
    Asked {
        /// The request, from 1; it goes with the session as metadata.
        request: u32,
        /// `live`, `render` or `prepare`.
        kind: String,
    },
    /// A request was answered for good.
    Answered {
        /// The request.
        request: u32,
        /// The HTTP status.
        status: u16,
        /// The session that it made.
        session: Option<String>,
        /// It says when to come back.
        retry_after: bool,
    },
    /// One try had no answer.
    Unanswered {
        /// The request.
        request: u32,
        /// The coordinator that was asked.
        coordinator: String,
        /// When it was asked, milliseconds.
        since_ms: u64,
        /// What went wrong.
        why: String,
    },
    /// A caller gave up asking: nobody ever answered.
    GivenUp {
        /// The request.
        request: u32,
    },
    /// A caller asks for the end of a session: what is delivered after that is not billed.
    EndAsked {
        /// The session.
        session: String,
    },
    /// A watcher was told how a session stands.
    Seen {
        /// The session.
        session: String,
        /// Its fence.
        fence: u32,
        /// Its state, in the API's words.
        state: String,
        /// Why it ended, once it has.
        reason: Option<String>,
    },
    /// A worker begins to serve a placement: it holds the lease.
    Serves {
        /// What and where.
        #[serde(flatten)]
        place: Placement,
    },
    /// A worker holds a slot for a session that still runs elsewhere, and does not serve it yet.
    Prepares {
        /// What and where.
        #[serde(flatten)]
        place: Placement,
    },
    /// A worker hands a placement over to the next fence; who watches there may stay for a moment.
    HandsOver {
        /// What and where.
        #[serde(flatten)]
        place: Placement,
    },
    /// A worker has let go of a placement.
    LetGo {
        /// What and where.
        #[serde(flatten)]
        place: Placement,
        /// Media time that it made in all, milliseconds.
        delivered_ms: u64,
    },
    /// A worker is about to tell what a placement delivered.
    Reports {
        /// What and where.
        #[serde(flatten)]
        place: Placement,
        /// Media time in all, milliseconds.
        delivered_ms: u64,
    },
    /// The bus took what a worker told.
    Reported {
        /// What and where.
        #[serde(flatten)]
        place: Placement,
        /// Media time in all, milliseconds.
        delivered_ms: u64,
        /// It was the session's end.
        ended: bool,
    },
    /// A viewer saw no frame for longer than a quarter of a second between two frames.
    Gap {
        /// The session.
        session: String,
        /// How long, milliseconds.
        ms: u64,
    },
    /// What a viewer saw in all.
    Watched {
        /// The session.
        session: String,
        /// Frames.
        frames: u64,
        /// How often it connected.
        connections: u32,
    },
    /// A process of the farm is ready.
    Started {
        /// Which: `coordinator-0#1`, `worker-1#3`.
        process: String,
    },
    /// A process of the farm is gone.
    Died {
        /// Which.
        process: String,
    },
    /// A process is stopped in the middle of whatever it does.
    Paused {
        /// Which.
        process: String,
    },
    /// It goes on.
    Resumed {
        /// Which.
        process: String,
    },
    /// A fault begins.
    Fault {
        /// Which of the plan's, from 0.
        number: u32,
        /// In words: what is done, to whom, for how long.
        fault: String,
    },
    /// Whatever the fault took away is back.
    FaultOver {
        /// Which of the plan's.
        number: u32,
    },
    /// A session's record at the end of the run.
    Recorded {
        /// The session.
        session: String,
        /// `live`, `render` or `prepare`.
        kind: String,
        /// Its state.
        state: String,
        /// Its fence.
        fence: u32,
        /// Why it ended.
        reason: Option<String>,
        /// The request that made it.
        request: Option<u32>,
    },
    /// What a session is billed for at the end of the run.
    Billed {
        /// The session.
        session: String,
        /// Milliseconds.
        delivered_ms: u64,
    },
}

/// A line that is no event.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the history: {reason}")]
pub struct HistoryError {
    /// The line, from 1.
    line: usize,
    /// What is wrong with it.
    reason: serde_json::Error,
}

/// Reads a history; empty lines are passed over.
///
/// # Errors
/// [`HistoryError`]: the first line that is no event.
pub fn read_history(text: &str) -> Result<Vec<HistoryEvent>, HistoryError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(at, line)| serde_json::from_str(line).map_err(|reason| HistoryError { line: at + 1, reason })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back() {
        let place = Placement { worker: "worker-0#1".to_owned(), session: "ses_1".to_owned(), fence: 2, slot: 1 };
        let told = [
            HistoryEvent { at_ms: 7, what: Happening::Serves { place: place.clone() } },
            HistoryEvent { at_ms: 9, what: Happening::LetGo { place, delivered_ms: 1200 } },
            HistoryEvent { at_ms: 10, what: Happening::GivenUp { request: 3 } },
        ];
        let lines: Vec<_> = told.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
        assert_eq!(
            lines[0],
            r#"{"at_ms":7,"event":"serves","worker":"worker-0#1","session":"ses_1","fence":2,"slot":1}"#
        );
        assert_eq!(read_history(&lines.join("\n")).unwrap(), told);
        let error = read_history("\n{}\n").unwrap_err().to_string();
        assert!(error.starts_with("line 2 of the history: missing field"), "{error}");
    }
}
