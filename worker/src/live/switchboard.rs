//! Who finds a running live session: questions from coordinators, lines from callers.

use super::inbox::{LetterOutcome, Letterbox, LiveInput};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::live::{
    AnswerPart, Declined, HangUp, InterruptSpeech, KeepSessionAlive, LineInput, LiveAnswer, LiveAsk, LiveQuestion,
    LiveStatus, NotDone, OfferToWatch, ReadLiveStatus, RestartIce, RestartedIce, SdpAnswer, TrickleIce, TypedQuestion,
};
use mouthpiece_ports::lines::{IncomingLine, IncomingLines};
use mouthpiece_ports::questions::{AskedQuestion, QuestionInbox};
use mouthpiece_transport::{SignalError, StreamId, Transport};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{sleep, timeout};

/// Questions that are answered at a time.
const ANSWERING: usize = 64;
/// Lines of one worker, at most.
const LINES: usize = 1024;
/// A session answers at its next packet of sound; one that does not in this time is over.
const PATIENCE: Duration = Duration::from_secs(2);
/// A session whose inbox is full is asked again after so long.
const AGAIN: Duration = Duration::from_millis(5);

/// One running session.
#[derive(Clone)]
struct ReachableSession {
    stream: StreamId,
    letterbox: Letterbox,
}

/// The running live sessions of one worker.
pub struct Switchboard {
    transport: Transport,
    sessions: Mutex<HashMap<Hold, ReachableSession>>,
    lines: AtomicU64,
    taking: Arc<Semaphore>,
}

/// A session's entry; it is found as long as this lives.
pub struct SwitchboardEntry<'a> {
    switchboard: &'a Switchboard,
    hold: Hold,
}

impl Drop for SwitchboardEntry<'_> {
    fn drop(&mut self) {
        self.switchboard.sessions(|sessions| sessions.remove(&self.hold));
    }
}

impl Switchboard {
    /// No session runs yet.
    pub fn new(transport: Transport) -> Self {
        let taking = Arc::new(Semaphore::new(LINES));
        Self { transport, sessions: Mutex::default(), lines: AtomicU64::new(0), taking }
    }

    /// Where streams are opened.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// A session runs and can be found.
    pub fn enter(&self, hold: Hold, stream: StreamId, letterbox: Letterbox) -> SwitchboardEntry<'_> {
        self.sessions(|sessions| sessions.insert(hold, ReachableSession { stream, letterbox }));
        SwitchboardEntry { switchboard: self, hold }
    }

    fn sessions<T>(&self, with: impl FnOnce(&mut HashMap<Hold, ReachableSession>) -> T) -> T {
        with(&mut self.sessions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn find(&self, hold: &Hold) -> Option<ReachableSession> {
        self.sessions(|sessions| sessions.get(hold).cloned())
    }

    /// Answers questions until there are no more, several at a time.
    pub async fn answer(self: Arc<Self>, mut questions: Box<dyn QuestionInbox>) {
        let answering = Arc::new(Semaphore::new(ANSWERING));
        while let Some(AskedQuestion { ask, reply }) = questions.next().await {
            let Ok(permit) = Arc::clone(&answering).acquire_owned().await else { return };
            let this = Arc::clone(&self);
            tokio::spawn(async move {
                reply.give(this.answer_to(ask).await).await;
                drop(permit);
            });
        }
    }

    /// Takes lines until there are no more.
    pub async fn connect(self: Arc<Self>, mut calls: Box<dyn IncomingLines>) {
        while let Some(IncomingLine { hold, mut up, down }) = calls.next().await {
            // Whoever is dropped sees the end of the line at once.
            let Some(session) = self.find(&hold) else { continue };
            let Ok(permit) = Arc::clone(&self.taking).try_acquire_owned() else { continue };
            let line = self.lines.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let _permit = permit;
                if leave(&session.letterbox, LiveInput::Line { line, down }).await {
                    relay(&session.letterbox, line, &mut up).await;
                }
            });
        }
    }

    async fn answer_to(&self, LiveAsk { hold, what }: LiveAsk) -> LiveAnswer {
        let Some(ReachableSession { stream, letterbox }) = self.find(&hold) else {
            return carried::<()>(declined(NotDone::NotHere, "the session does not run on this worker (any more)"));
        };
        let transport = &self.transport;
        if letterbox.has_moved() && matches!(what, LiveQuestion::Offer(_)) {
            return carried::<()>(declined(NotDone::NotHere, "the session was moved to another worker"));
        }
        match what {
            LiveQuestion::Offer(OfferToWatch { viewer, sdp }) => {
                let answered = transport.offer(stream, viewer.0, sdp).await;
                reply::<OfferToWatch>(answered.map(|a| SdpAnswer { sdp: a.sdp, tag: a.tag }).map_err(|e| signal(&e)))
            }
            LiveQuestion::Trickle(TrickleIce { viewer, tag, fragment }) => {
                reply::<TrickleIce>(transport.trickle(stream, viewer.0, tag, fragment).await.map_err(|e| signal(&e)))
            }
            LiveQuestion::Restart(RestartIce { viewer, fragment }) => {
                let again = transport.restart(stream, viewer.0, fragment).await;
                let again = again.map(|a| RestartedIce { fragment: a.fragment, tag: a.tag });
                reply::<RestartIce>(again.map_err(|e| signal(&e)))
            }
            LiveQuestion::HangUp(HangUp { viewer }) => {
                reply::<HangUp>(transport.hang_up(stream, viewer.0).await.map_err(|e| signal(&e)))
            }
            LiveQuestion::Interrupt => reply::<InterruptSpeech>(said(&letterbox, LiveInput::Interrupt).await),
            LiveQuestion::KeepAlive => reply::<KeepSessionAlive>(said(&letterbox, LiveInput::KeepAlive).await),
            LiveQuestion::Status => reply::<ReadLiveStatus>(status(&letterbox).await),
        }
    }
}

/// The answer to a question of this kind.
fn reply<Q: TypedQuestion>(answer: Result<Q::Answer, Declined>) -> LiveAnswer {
    carried(answer)
}

fn carried<A: AnswerPart>(answer: Result<A, Declined>) -> LiveAnswer {
    answer.map_or_else(LiveAnswer::Declined, A::carried)
}

/// Carries what a caller says to its session, until either is gone.
async fn relay(letterbox: &Letterbox, line: u64, up: &mut tokio::sync::mpsc::Receiver<LineInput>) {
    while let Some(up) = up.recv().await {
        if !leave(letterbox, LiveInput::Up { line, up }).await {
            return;
        }
    }
    leave(letterbox, LiveInput::LineGone { line }).await;
}

/// Leaves a message, patiently; false when the session is over.
async fn leave(letterbox: &Letterbox, input: LiveInput) -> bool {
    let mut input = input;
    loop {
        match letterbox.leave(input) {
            (LetterOutcome::Taken, _) => return true,
            (LetterOutcome::Full, Some(back)) => input = back,
            _ => return false,
        }
        sleep(AGAIN).await;
    }
}

async fn said(letterbox: &Letterbox, input: LiveInput) -> Result<(), Declined> {
    match timeout(PATIENCE, leave(letterbox, input)).await {
        Ok(true) => Ok(()),
        _ => declined(NotDone::NotHere, "the session is ending"),
    }
}

async fn status(letterbox: &Letterbox) -> Result<LiveStatus, Declined> {
    let (asked, told) = oneshot::channel::<LiveStatus>();
    let asking = async {
        leave(letterbox, LiveInput::Status(asked)).await;
        told.await
    };
    match timeout(PATIENCE, asking).await {
        Ok(Ok(status)) => Ok(status),
        _ => declined(NotDone::NotHere, "the session is ending"),
    }
}

fn declined<T>(why: NotDone, detail: &str) -> Result<T, Declined> {
    Err(Declined { why, detail: detail.to_owned() })
}

fn signal(error: &SignalError) -> Declined {
    Declined { why: why(error), detail: error.to_string() }
}

fn why(error: &SignalError) -> NotDone {
    match error {
        SignalError::Malformed(_) => NotDone::Malformed,
        SignalError::NoCodec(_) => NotDone::NoCodec,
        SignalError::Full => NotDone::Full,
        SignalError::NoViewer => NotDone::NoViewer,
        SignalError::NoStream | SignalError::Stopped => NotDone::NotHere,
        SignalError::StaleTag => NotDone::StaleTag,
        SignalError::Unprocessable(_) => NotDone::Unprocessable,
    }
}
