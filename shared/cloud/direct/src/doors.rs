//! Who takes lines and questions in this process.

use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::live::{LiveAnswer, LiveAsk};
use mouthpiece_ports::lines::{CallerLine, IncomingLine, LineError, WAITING};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Lines that a worker has not taken up yet.
const RINGING: usize = 64;
/// Questions that wait for one worker.
const ASKED: usize = 256;

/// A question on its way to whoever answers.
pub(crate) struct Letter {
    pub ask: LiveAsk,
    /// Closed when nobody waits for the answer any more.
    pub reply: oneshot::Sender<LiveAnswer>,
    /// From then on nobody does, by this machine's clock.
    pub until: Instant,
}

#[derive(Default)]
struct Takers {
    lines: HashMap<WorkerId, mpsc::Sender<IncomingLine>>,
    questions: HashMap<WorkerId, mpsc::Sender<Letter>>,
}

/// The takers of a process's workers.
#[derive(Default)]
pub(crate) struct Doors(Mutex<Takers>);

impl Doors {
    fn lock(&self) -> MutexGuard<'_, Takers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True for a worker of this process.
    pub(crate) fn has(&self, worker: WorkerId) -> bool {
        let takers = self.lock();
        takers.lines.contains_key(&worker) || takers.questions.contains_key(&worker)
    }

    /// Whoever takes this worker's lines.
    pub(crate) fn lines(&self, worker: WorkerId) -> Option<mpsc::Sender<IncomingLine>> {
        self.lock().lines.get(&worker).filter(|taker| !taker.is_closed()).cloned()
    }

    /// A line to a session of this process. Where it does not run here, the line ends at once.
    ///
    /// # Errors
    /// Nobody takes lines of its worker here, or too many wait to be taken up.
    pub(crate) fn ring(&self, hold: Hold) -> Result<CallerLine, LineError> {
        let taker = self.lines(hold.worker).ok_or(LineError::Unroutable(hold.worker))?;
        let ((up, of_caller), (to_caller, down)) = (mpsc::channel(WAITING), mpsc::channel(WAITING));
        let called = IncomingLine { hold, up: of_caller, down: to_caller };
        taker.try_send(called).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => LineError::Full,
            mpsc::error::TrySendError::Closed(_) => LineError::Unroutable(hold.worker),
        })?;
        Ok(CallerLine { up, down })
    }

    /// Whoever takes questions to this worker.
    pub(crate) fn questions(&self, worker: WorkerId) -> Option<mpsc::Sender<Letter>> {
        self.lock().questions.get(&worker).filter(|taker| !taker.is_closed()).cloned()
    }

    /// Takes a worker's lines from now on.
    pub(crate) fn take_lines(&self, worker: WorkerId) -> mpsc::Receiver<IncomingLine> {
        let (sender, receiver) = mpsc::channel(RINGING);
        let mut takers = self.lock();
        takers.lines.retain(|_, taker| !taker.is_closed());
        takers.lines.insert(worker, sender);
        receiver
    }

    /// Takes questions to a worker from now on.
    pub(crate) fn take_questions(&self, worker: WorkerId) -> mpsc::Receiver<Letter> {
        let (sender, receiver) = mpsc::channel(ASKED);
        let mut takers = self.lock();
        takers.questions.retain(|_, taker| !taker.is_closed());
        takers.questions.insert(worker, sender);
        receiver
    }
}
