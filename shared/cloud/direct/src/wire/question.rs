//! Questions and answers: JSON, with a number that says which answer is for which question.

use super::{WireError, WireRead, read_json};
use mouthpiece_domain::live::{LiveAnswer, LiveAsk};
use mouthpiece_domain::time::millis;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A question on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// Its number on this connection.
    pub id: u64,
    /// For so long the answer is waited for, from when it arrives.
    #[serde(with = "millis")]
    pub patience: Duration,
    /// The question.
    pub ask: LiveAsk,
}

/// From a coordinator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ToWorker {
    /// Answer this.
    Ask(Box<Asked>),
    /// Nobody waits for this answer any more.
    Withdraw {
        /// Which.
        id: u64,
    },
    /// A kind that is not known.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// Why a question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NoAnswer {
    /// Too many wait.
    Full,
    /// The worker takes no questions; it was not heard.
    Nobody,
    /// It was dropped.
    Dropped,
}

/// From a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ToCoordinator {
    /// The answer.
    Answer {
        /// To which question.
        id: u64,
        /// What is answered.
        answer: Box<LiveAnswer>,
    },
    /// There will be none.
    None {
        /// To which question.
        id: u64,
        /// Why.
        why: NoAnswer,
    },
    /// A kind that is not known.
    #[serde(other, skip_serializing)]
    Unknown,
}

impl WireRead for ToWorker {
    fn read_text(text: &str) -> Result<Option<Self>, WireError> {
        Ok(Some(read_json(text)?).filter(|message| *message != Self::Unknown))
    }
}

impl WireRead for ToCoordinator {
    fn read_text(text: &str) -> Result<Option<Self>, WireError> {
        Ok(Some(read_json(text)?).filter(|message| *message != Self::Unknown))
    }
}
