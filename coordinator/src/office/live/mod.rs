//! Live sessions that run: where they are, what is asked of them, lines to speak over.

pub mod ice;
mod lines;
mod questions;
mod settings;
mod whereabouts;

pub use ice::{IceAccess, IceServer, IceServerError};
pub use settings::{LiveSettings, SocketTimeouts};
pub use whereabouts::Whereabouts;

use super::refusal::refuses_when_unavailable;
use super::sessions::Sessions;
use super::{Closing, StoreUnavailable, now};
use crate::metrics::Metrics;
use mouthpiece_domain::control::SessionChange;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::live::Declined;
use mouthpiece_domain::session::{Session, SessionKind};
use mouthpiece_ports::lines::Lines;
use mouthpiece_ports::questions::QuestionBus;
use mouthpiece_ports::seats::BoundedSeats;
use mouthpiece_speech::SOCKETS_OF_A_SESSION;
use std::sync::Arc;
use std::time::Duration;

/// Whoever is told to come back does so after this.
pub const COME_BACK: Duration = Duration::from_secs(1);
/// Whoever comes while the server stops may find another after this.
const STOPPING: Duration = Duration::from_secs(5);

/// Why the worker that runs a session cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerTrouble {
    /// It did not answer in time.
    Silent,
    /// It has too much to do.
    Busy,
    /// It cannot be reached.
    Unreachable,
}

/// Why a live session cannot be watched, asked or spoken in.
#[derive(Debug)]
pub enum LiveRefusal {
    /// There is no such session.
    NoSuchSession(SessionId),
    /// It is of another kind.
    NotLive(SessionKind),
    /// It does not run yet. Come back after [`COME_BACK`].
    NotRunning(Box<SessionChange>),
    /// It is over.
    Ended(Box<Session>),
    /// It is on its way to another worker, or just came.
    Moving {
        /// Come back then.
        retry_after: Duration,
    },
    /// Its worker says why not.
    Declined(Declined),
    /// Its worker cannot be used just now.
    Worker {
        /// What is the matter.
        trouble: WorkerTrouble,
        /// Come back then.
        retry_after: Duration,
    },
    /// It has as many speakers as it may have.
    SessionSpeakers {
        /// How many may be open at a time.
        most: usize,
        /// Come back then.
        retry_after: Duration,
    },
    /// All sessions together have as many speakers as they may have.
    AllSpeakers {
        /// Come back then.
        retry_after: Duration,
    },
    /// The server is about to stop.
    Closing {
        /// Another may be there then.
        retry_after: Duration,
    },
    /// What is needed cannot be used just now.
    Unavailable(StoreUnavailable),
}

refuses_when_unavailable!(LiveRefusal);

/// What live sessions are reached by.
pub(super) struct LiveNeeds {
    pub questions: Arc<dyn QuestionBus>,
    pub lines: Arc<dyn Lines>,
    pub sessions: Sessions,
    pub metrics: Arc<Metrics>,
}

/// Live sessions.
pub struct LiveSessions {
    settings: LiveSettings,
    questions: Arc<dyn QuestionBus>,
    lines: Arc<dyn Lines>,
    sessions: Sessions,
    metrics: Arc<Metrics>,
    closing: Closing,
    speakers: BoundedSeats<SessionId>,
}

impl LiveSessions {
    pub(super) fn new(settings: LiveSettings, needs: LiveNeeds, closing: Closing) -> Result<Self, IceServerError> {
        ice::check(&settings.ice_servers)?;
        let LiveNeeds { questions, lines, sessions, metrics } = needs;
        let speakers = BoundedSeats::new(SOCKETS_OF_A_SESSION, settings.max_sockets);
        Ok(Self { settings, questions, lines, sessions, metrics, closing, speakers })
    }

    /// What a session's viewers are told of ICE servers.
    pub fn ice(&self, session: SessionId) -> Vec<IceAccess> {
        let at = u64::try_from(now().0.div_euclid(1000)).unwrap_or_default();
        ice::access(&self.settings.ice_servers, session, at)
    }

    fn unreachable(&self, trouble: WorkerTrouble) -> LiveRefusal {
        LiveRefusal::Worker { trouble, retry_after: COME_BACK }
    }
}

/// Passes for a live session.
///
/// # Errors
/// [`LiveRefusal::NotLive`].
pub fn must_be_live(session: &Session) -> Result<(), LiveRefusal> {
    if session.kind == SessionKind::Live { Ok(()) } else { Err(LiveRefusal::NotLive(session.kind)) }
}
