//! A small farm's network on the loopback: listeners, and who calls them.

use async_trait::async_trait;
use mouthpiece_direct::{
    DialSettings, Direct, DirectEvent, DirectListener, DirectObserver, FarmSecrets, ListenerSettings, Liveness,
    WorkerDirectory,
};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::session::{Fence, SlotIndex};
use mouthpiece_ports::lines::{CallerLine, IncomingLine, IncomingLines, Lines};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{sleep, timeout};

pub const SECRET: &str = "a-secret-of-this-farm-that-nobody-guesses";
pub const WORKER: WorkerId = WorkerId(1);
/// The longest that anything is waited for.
pub const BOUND: Duration = Duration::from_secs(30);

/// Addresses as they are told; the same one for everybody who has none of its own.
#[derive(Default)]
pub struct Book {
    pub own: Mutex<HashMap<WorkerId, String>>,
    pub everybody: Mutex<Option<String>>,
    /// Where sessions run.
    pub places: Mutex<HashMap<SessionId, Hold>>,
}

#[async_trait]
impl WorkerDirectory for Book {
    async fn address(&self, worker: WorkerId) -> Option<String> {
        self.own.lock().unwrap().get(&worker).cloned().or_else(|| self.everybody.lock().unwrap().clone())
    }

    async fn runs(&self, session: SessionId) -> Option<Hold> {
        self.places.lock().unwrap().get(&session).copied()
    }
}

impl Book {
    pub fn of(address: &str) -> Arc<Self> {
        let book = Self::default();
        *book.everybody.lock().unwrap() = Some(address.to_owned());
        Arc::new(book)
    }
}

/// Counts.
#[derive(Default)]
pub struct Seen(Mutex<Vec<DirectEvent>>);

impl DirectObserver for Seen {
    fn saw(&self, event: DirectEvent) {
        self.0.lock().unwrap().push(event);
    }
}

impl Seen {
    pub fn all(&self) -> Vec<DirectEvent> {
        self.0.lock().unwrap().clone()
    }

    pub fn count(&self, event: DirectEvent) -> usize {
        self.all().iter().filter(|seen| **seen == event).count()
    }

    pub async fn comes(&self, event: DirectEvent) {
        eventually(&format!("{event:?} is counted"), || self.count(event) > 0).await;
    }
}

pub fn secrets() -> Arc<FarmSecrets> {
    Arc::new(FarmSecrets::parse(SECRET).unwrap())
}

pub fn hold(session: u128) -> Hold {
    Hold { session: SessionId(session), fence: Fence(1), worker: WORKER, slot: SlotIndex(0) }
}

pub fn listen(settings: ListenerSettings, seen: &Arc<Seen>) -> Arc<DirectListener> {
    Arc::new(DirectListener::open(settings, secrets(), None, Arc::clone(seen) as _).unwrap())
}

pub fn coordinator(settings: DialSettings, book: Arc<Book>, seen: &Arc<Seen>) -> Direct {
    Direct::new(settings, secrets(), book, None, Arc::clone(seen) as _)
}

/// A worker's side and a coordinator's side of one network.
pub struct Pair {
    /// Its listener dies with it.
    pub worker: Option<Direct>,
    pub coordinator: Arc<Direct>,
    pub book: Arc<Book>,
    /// What the worker knows of others.
    pub worker_book: Arc<Book>,
    /// What the worker counted.
    pub at_worker: Arc<Seen>,
    /// What the coordinator counted.
    pub at_coordinator: Arc<Seen>,
}

pub fn pair(listening: ListenerSettings, dialling: DialSettings) -> Pair {
    let (at_worker, at_coordinator) = (Arc::<Seen>::default(), Arc::<Seen>::default());
    let listener = listen(listening, &at_worker);
    let book = Book::of(listener.address());
    let coordinator = Arc::new(coordinator(dialling, Arc::clone(&book), &at_coordinator));
    // A worker knows nobody, unless a test tells it.
    let worker_book = Arc::<Book>::default();
    let worker = Direct::new(dialling, secrets(), Arc::clone(&worker_book) as _, None, Arc::clone(&at_worker) as _);
    Pair { worker: Some(worker.with_listener(listener)), coordinator, book, worker_book, at_worker, at_coordinator }
}

impl Pair {
    pub fn worker(&self) -> &Direct {
        self.worker.as_ref().unwrap()
    }

    /// A line and its other end.
    pub async fn line(&self, calls: &mut Box<dyn IncomingLines>, session: u128) -> (CallerLine, IncomingLine) {
        let hold = hold(session);
        let (line, called) = comes("a line", async { tokio::join!(self.coordinator.open(&hold), calls.next()) }).await;
        (line.unwrap(), called.unwrap())
    }
}

/// Silence is noticed soon: for tests in which somebody is silent.
pub fn impatient() -> Liveness {
    let ms = Duration::from_millis;
    Liveness { ping: ms(50), silence: ms(500), farewell: ms(500) }
}

/// The same, with room for a machine that is busy: for tests in which nobody is silent.
pub fn patient() -> Liveness {
    Liveness { ping: Duration::from_millis(100), silence: Duration::from_millis(1500), ..impatient() }
}

pub async fn comes<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(BOUND, future).await.unwrap_or_else(|_| panic!("{what} (waited {BOUND:?})"))
}

pub async fn eventually(what: &str, mut look: impl FnMut() -> bool) {
    comes(what, async {
        while !look() {
            sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}
