//! A coordinator's side of the questions to one worker: one connection, many questions.

use crate::callers::CallersUrl;
use crate::dial::Reached;
use crate::link::{Liveness, carry};
use crate::wire::{Asked, Encoded, NoAnswer, ToCoordinator, ToWorker, WireError};
use mouthpiece_domain::live::{LiveAnswer, LiveAsk};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Messages that wait in one direction.
const IN_PIPE: usize = 64;
/// Questions of one connection that have no answer yet.
const OPEN: usize = 512;

type Answer = Result<LiveAnswer, NoAnswer>;

/// Who waits for which answer; `None` when no more will come.
struct Waiting(Mutex<Option<HashMap<u64, oneshot::Sender<Answer>>>>);

impl Waiting {
    fn with<T>(&self, with: impl FnOnce(&mut Option<HashMap<u64, oneshot::Sender<Answer>>>) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What came of a question.
#[derive(Debug)]
pub(crate) enum AskEnd {
    /// The answer.
    Answer(Box<LiveAnswer>),
    /// There is none; the worker says why.
    None(NoAnswer),
    /// The connection was lost; whether it was heard is not known.
    Lost,
    /// The connection was gone before: it was not said.
    NotSaid,
    /// Too many wait for their answers.
    Full,
    /// It cannot be carried.
    Wire(WireError),
}

/// A connection for questions. It is closed when this is dropped and nothing is open.
pub(crate) struct Asker {
    questions: mpsc::Sender<Encoded>,
    waiting: Arc<Waiting>,
    next: AtomicU64,
    callers: Option<CallersUrl>,
}

/// A question that is given up when it is dropped.
struct Open<'a> {
    asker: &'a Asker,
    id: u64,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let was_open = self.asker.waiting.with(|waiting| waiting.as_mut()?.remove(&self.id)).is_some();
        if let Some(withdraw) = was_open.then(|| Encoded::of(&ToWorker::Withdraw { id: self.id }).ok()).flatten() {
            // Where there is no room the worker finds out by itself: it knows how long is waited.
            let _ = self.asker.questions.try_send(withdraw);
        }
    }
}

impl Asker {
    /// Over a connection that the worker has welcomed; `lost` is called when it breaks.
    pub(crate) fn new(
        Reached { socket, callers }: Reached,
        liveness: Liveness,
        lost: impl FnOnce(&dyn std::fmt::Display) + Send + 'static,
    ) -> Self {
        let (questions, outgoing) = mpsc::channel::<Encoded>(IN_PIPE);
        let (incoming, mut answers) = mpsc::channel::<ToCoordinator>(IN_PIPE);
        let waiting = Arc::new(Waiting(Mutex::new(Some(HashMap::new()))));
        let told = Arc::clone(&waiting);
        tokio::spawn(async move {
            let carrying = async {
                if let Err(why) = carry(socket, outgoing, incoming, liveness).await {
                    lost(&why);
                }
            };
            let handing = async {
                while let Some(answer) = answers.recv().await {
                    let (id, answer) = match answer {
                        ToCoordinator::Answer { id, answer } => (id, Ok(*answer)),
                        ToCoordinator::None { id, why } => (id, Err(why)),
                        ToCoordinator::Unknown => continue,
                    };
                    if let Some(asker) = told.with(|waiting| waiting.as_mut()?.remove(&id)) {
                        let _ = asker.send(answer);
                    }
                }
                // Whoever waits sees that nothing will come, and nobody begins to wait.
                told.with(Option::take);
            };
            tokio::join!(carrying, handing);
        });
        Self { questions, waiting, next: AtomicU64::new(0), callers }
    }

    /// Where callers may come straight to the worker, if they may.
    pub(crate) fn callers(&self) -> Option<&CallersUrl> {
        self.callers.as_ref()
    }

    /// True when nothing can be asked over this any more.
    pub(crate) fn is_over(&self) -> bool {
        self.questions.is_closed()
    }

    /// True while an answer is waited for.
    pub(crate) fn is_busy(&self) -> bool {
        self.waiting.with(|waiting| waiting.as_ref().is_some_and(|waiting| !waiting.is_empty()))
    }

    /// Asks, at most once. Dropping this gives the question up.
    pub(crate) async fn ask(&self, ask: &LiveAsk, patience: Duration) -> AskEnd {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let message = ToWorker::Ask(Box::new(Asked { id, patience, ask: ask.clone() }));
        let message = match Encoded::of(&message) {
            Ok(message) => message,
            Err(error) => return AskEnd::Wire(error),
        };
        // Room first: from when the question is in the pipe it may be heard.
        let Ok(room) = self.questions.reserve().await else { return AskEnd::NotSaid };
        let (answer, answered) = oneshot::channel();
        let begun = self.waiting.with(|waiting| match waiting {
            Some(waiting) if waiting.len() < OPEN => {
                waiting.insert(id, answer);
                Ok(())
            }
            Some(_) => Err(AskEnd::Full),
            None => Err(AskEnd::NotSaid),
        });
        if let Err(end) = begun {
            return end;
        }
        let open = Open { asker: self, id };
        room.send(message);
        let end = match answered.await {
            Ok(Ok(answer)) => AskEnd::Answer(Box::new(answer)),
            Ok(Err(why)) => AskEnd::None(why),
            Err(_) => AskEnd::Lost,
        };
        drop(open);
        end
    }
}
