//! The adapter: lines and questions straight to workers, and the taking of them where there is a listener.

use crate::ask::{AskEnd, Asker};
use crate::callers::{CallerListener, CallerSettings, CallersUrl};
use crate::dial::{DialError, Dialler};
use crate::directory::WorkerDirectory;
use crate::doors::Letter;
use crate::events::{DirectEvent, DirectObserver};
use crate::headers::QUESTIONS;
use crate::link::Liveness;
use crate::listener::{DirectListener, ListenError};
use crate::secrets::FarmSecrets;
use crate::ticket::Ticket;
use crate::tls::{ClientTls, ServerTls};
use crate::wire::NoAnswer;
use async_trait::async_trait;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::live::{LiveAnswer, LiveAsk};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::bus::BusError;
use mouthpiece_ports::lines::{CallerAddress, CallerLine, IncomingLine, IncomingLines, LineError, Lines};
use mouthpiece_ports::questions::{AskedQuestion, QuestionBus, QuestionInbox, QuestionReply};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

/// What takes lines and questions where nothing listens.
const NO_LISTENER: &str = "this process has no listener for lines and questions: it is no worker";

/// How a coordinator calls workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialSettings {
    /// A worker must answer a call within so long.
    pub patience: Duration,
    /// A connection for questions over which nothing was asked for so long is closed.
    pub idle: Duration,
    /// How silent workers are found.
    pub liveness: Liveness,
}

impl Default for DialSettings {
    /// 3 s for an answer, a minute for a quiet connection.
    fn default() -> Self {
        Self { patience: Duration::from_secs(3), idle: Duration::from_secs(60), liveness: Liveness::default() }
    }
}

/// One worker's connection for questions, if there is one.
#[derive(Clone)]
struct Place {
    asker: Arc<tokio::sync::Mutex<Option<Arc<Asker>>>>,
    used: Instant,
}

/// Lines and questions straight to workers. A coordinator opens and asks; a worker, which has a listener, takes.
pub struct Direct {
    dialler: Arc<Dialler>,
    settings: DialSettings,
    listener: Option<Arc<DirectListener>>,
    callers: Option<CallerListener>,
    places: Mutex<HashMap<WorkerId, Place>>,
}

impl Direct {
    /// Calls the workers of a directory, over TLS where `tls` is given.
    pub fn new(
        settings: DialSettings,
        secrets: Arc<FarmSecrets>,
        directory: Arc<dyn WorkerDirectory>,
        tls: Option<ClientTls>,
        observer: Arc<dyn DirectObserver>,
    ) -> Self {
        let DialSettings { patience, liveness, .. } = settings;
        let dialler = Arc::new(Dialler { secrets, directory, tls, observer, patience, liveness });
        Self { dialler, settings, listener: None, callers: None, places: Mutex::default() }
    }

    /// The same, which also takes what comes to a listener.
    #[must_use]
    pub fn with_listener(self, listener: Arc<DirectListener>) -> Self {
        Self { listener: Some(listener), ..self }
    }

    /// The same, which lets callers come to the listener's workers, too, at a port of their own; with TLS where `tls` is given.
    ///
    /// # Errors
    /// [`ListenError`]; also where there is no listener.
    pub fn with_callers(self, settings: CallerSettings, tls: Option<ServerTls>) -> Result<Self, ListenError> {
        let listener = self.listener.clone().ok_or(ListenError::NoWorkers)?;
        let callers = CallerListener::open(settings, tls, Arc::clone(&self.dialler), Arc::clone(&listener))?;
        listener.tell_callers(callers.url().clone());
        Ok(Self { callers: Some(callers), ..self })
    }

    /// Where callers come to this process's workers, if they may.
    pub fn callers(&self) -> Option<&CallersUrl> {
        self.callers.as_ref().map(CallerListener::url)
    }

    fn listener(&self) -> Option<&DirectListener> {
        self.listener.as_deref()
    }

    /// Where this worker's connection is kept. Places that were not used for long, or whose worker is gone, are given up.
    fn place(&self, worker: WorkerId) -> Place {
        let now = Instant::now();
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|_, place| {
            let quiet = now.duration_since(place.used) >= self.settings.idle;
            // Whoever dials or asks just now holds it.
            !quiet || place.asker.try_lock().map_or(true, |asker| asker.as_ref().is_some_and(|a| a.is_busy()))
        });
        let place = places.entry(worker).or_insert_with(|| Place { asker: Arc::default(), used: now });
        place.used = now;
        place.clone()
    }

    /// The connection for questions to a worker; a new one where there is none.
    async fn asker(&self, worker: WorkerId) -> Result<Arc<Asker>, DialError> {
        let place = self.place(worker);
        // Several that come at the same time wait for the one who dials.
        let mut kept = place.asker.lock().await;
        if let Some(asker) = kept.as_ref().filter(|asker| !asker.is_over()) {
            return Ok(Arc::clone(asker));
        }
        *kept = None;
        let ticket = |challenge| Ticket::Questions { worker, challenge };
        let reached = self.dialler.dial(worker, QUESTIONS, ticket).await?;
        let observer = Arc::clone(&self.dialler.observer);
        let asker = Arc::new(Asker::new(reached, self.settings.liveness, move |why| {
            tracing::info!(worker_id = %worker, %why, "a connection for questions was lost");
            observer.saw(DirectEvent::Lost);
        }));
        *kept = Some(Arc::clone(&asker));
        Ok(asker)
    }

    async fn ask_within(&self, worker: WorkerId, ask: &LiveAsk, until: Instant) -> Result<LiveAnswer, BusError> {
        // Once more where the connection had ended before the question was said.
        for _ in 0..2 {
            let asker = self.asker(worker).await.map_err(|error| not_asked(error, worker))?;
            let left = until.saturating_duration_since(Instant::now());
            return match asker.ask(ask, left).await {
                AskEnd::Answer(answer) => Ok(*answer),
                AskEnd::None(NoAnswer::Nobody) => Err(BusError::Unroutable(worker)),
                AskEnd::None(NoAnswer::Full) | AskEnd::Full => Err(BusError::Full),
                AskEnd::None(NoAnswer::Dropped) | AskEnd::Lost => Err(BusError::Unanswered(worker)),
                AskEnd::Wire(error) => Err(BusError::Unavailable(error.to_string())),
                AskEnd::NotSaid => continue,
            };
        }
        Err(BusError::Unavailable(format!("the connection to worker {worker} ends again and again")))
    }
}

fn not_asked(error: DialError, worker: WorkerId) -> BusError {
    match error {
        DialError::Nobody(_) => BusError::Unroutable(worker),
        DialError::Full => BusError::Full,
        error => BusError::Unavailable(error.to_string()),
    }
}

fn not_opened(error: DialError, worker: WorkerId) -> LineError {
    match error {
        DialError::Nobody(_) => LineError::Unroutable(worker),
        DialError::Full => LineError::Full,
        error => LineError::Unavailable(error.to_string()),
    }
}

#[async_trait]
impl Lines for Direct {
    async fn open(&self, hold: &Hold) -> Result<CallerLine, LineError> {
        self.dialler.line(*hold).await.map_err(|error| not_opened(error, hold.worker))
    }

    async fn calls(&self, worker: WorkerId) -> Result<Box<dyn IncomingLines>, LineError> {
        let listener = self.listener().ok_or_else(|| LineError::Unavailable(NO_LISTENER.to_owned()))?;
        let calls = listener.doors().take_lines(worker);
        Ok(Box::new(Incoming { calls, address: listener.address().to_owned() }))
    }

    /// A worker tells where callers come when it proves itself: nobody else can make a coordinator send them elsewhere.
    async fn caller_address(&self, hold: &Hold, now: Wall) -> Option<CallerAddress> {
        let asker = self.asker(hold.worker).await.ok()?;
        let ticket = Ticket::for_caller(*hold, now).sign(&self.dialler.secrets);
        let url = asker.callers()?.audio(hold.session, &ticket);
        Some(CallerAddress { url, until: Ticket::last(now) })
    }

    async fn send_callers_on(&self, within: Duration) {
        if let Some(callers) = &self.callers {
            callers.send_on(within).await;
        }
    }
}

struct Incoming {
    calls: mpsc::Receiver<IncomingLine>,
    address: String,
}

#[async_trait]
impl IncomingLines for Incoming {
    async fn next(&mut self) -> Option<IncomingLine> {
        self.calls.recv().await
    }

    fn address(&self) -> Option<String> {
        Some(self.address.clone())
    }
}

#[async_trait]
impl QuestionBus for Direct {
    async fn ask(&self, worker: WorkerId, ask: &LiveAsk, patience: Duration) -> Result<LiveAnswer, BusError> {
        let until = Instant::now() + patience;
        timeout(patience, self.ask_within(worker, ask, until)).await.unwrap_or(Err(BusError::Unanswered(worker)))
    }

    async fn questions(&self, worker: WorkerId) -> Result<Box<dyn QuestionInbox>, BusError> {
        let listener = self.listener().ok_or_else(|| BusError::Unavailable(NO_LISTENER.to_owned()))?;
        Ok(Box::new(Mailbox(listener.doors().take_questions(worker))))
    }
}

struct Mailbox(mpsc::Receiver<Letter>);

#[async_trait]
impl QuestionInbox for Mailbox {
    async fn next(&mut self) -> Option<AskedQuestion> {
        loop {
            let Letter { ask, reply, until } = self.0.recv().await?;
            // Never late: nobody waits for the answers to these.
            if !reply.is_closed() && Instant::now() < until {
                return Some(AskedQuestion { ask, reply: Box::new(Once(reply)) });
            }
        }
    }
}

struct Once(oneshot::Sender<LiveAnswer>);

#[async_trait]
impl QuestionReply for Once {
    async fn give(self: Box<Self>, answer: LiveAnswer) {
        let _ = self.0.send(answer); // whoever asked may wait no longer
    }
}
