//! The bus.

use crate::error::RabbitError;
use crate::inbox::{Buffer, Receiver, Source};
use crate::keeper::{Keeper, State};
use crate::link::{CallError, Link, Outgoing, Published};
use crate::names::{Names, command_key};
use crate::options::RabbitOptions;
use crate::removal;
use crate::topology::{bind_worker, declare_worker};
use crate::worker_lock::WorkerLocks;
use async_trait::async_trait;
use mouthpiece_domain::fleet::{WorkerCommand, WorkerEvent};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_ports::bus::{Bus, BusError, BusInbox};
use mouthpiece_ports::wire::{WireMessage, encode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Handed out to one coordinator without an answer.
const EVENTS_UNANSWERED: u16 = 1024;
/// The same of commands that came back.
const RETURNED_UNANSWERED: u16 = 64;

/// Commands to workers and events to coordinators, through a RabbitMQ broker. What it confirmed survives the broker's crash.
///
/// It keeps one connection and makes it again when it is lost; receivers subscribe again by themselves.
pub struct RabbitBus {
    options: Arc<RabbitOptions>,
    names: Arc<Names>,
    state: Arc<watch::Sender<State>>,
    keeper: JoinHandle<()>,
    locks: WorkerLocks,
}

impl RabbitBus {
    /// Opens the bus. A broker that is down is no failure: the bus is not ready until it is there. Within a tokio runtime.
    ///
    /// # Errors
    /// [`RabbitError`]: settings that cannot be, or a broker that answers and refuses us.
    pub async fn open(options: RabbitOptions) -> Result<Self, RabbitError> {
        let address = Arc::new(options.address()?);
        let options = Arc::new(options);
        let names = Arc::new(Names::new(&options.prefix));
        let keeper = Keeper { address, options: Arc::clone(&options), names: Arc::clone(&names) };
        let (state, link) = match keeper.make().await {
            Ok(link) => (State::Up(Arc::clone(&link)), Some(link)),
            Err(trouble) if trouble.lasting => return Err(RabbitError::Refused(trouble.text)),
            Err(trouble) => {
                tracing::warn!(trouble = %trouble.text, "no connection to the broker yet, trying again");
                (State::Down(trouble), None)
            }
        };
        let state = Arc::new(watch::Sender::new(state));
        let keeper = tokio::spawn(keeper.keep(link, Arc::clone(&state)));
        Ok(Self { options, names, state, keeper, locks: WorkerLocks::default() })
    }

    /// Closes the bus: every receiver's next message is `None`, and nothing more is taken.
    pub fn close(&self) {
        self.keeper.abort();
        self.state.send_replace(State::Closed);
    }

    fn link(&self) -> Result<Arc<Link>, BusError> {
        match &*self.state.borrow() {
            State::Up(link) => Ok(Arc::clone(link)),
            State::Down(trouble) => Err(BusError::Unavailable(trouble.text.clone())),
            State::Closed => Err(BusError::Unavailable("it was closed".into())),
        }
    }

    async fn receive<M: WireMessage + Send + 'static>(
        &self,
        link: Arc<Link>,
        source: Source,
    ) -> Result<Box<dyn BusInbox<M>>, BusError> {
        let receiver = Receiver {
            state: self.state.subscribe(),
            names: Arc::clone(&self.names),
            source,
            patience: self.options.patience,
            buffer: Arc::new(Buffer::default()),
        };
        receiver.open(link).await
    }

    /// Bounds what takes several calls.
    async fn bounded<T>(
        &self,
        late: &'static str,
        what: impl Future<Output = Result<T, BusError>>,
    ) -> Result<T, BusError> {
        let limit = self.options.patience.saturating_mul(2);
        timeout(limit, what).await.unwrap_or_else(|_| Err(BusError::Unavailable(late.into())))
    }
}

impl Drop for RabbitBus {
    fn drop(&mut self) {
        self.close();
    }
}

#[async_trait]
impl Bus for RabbitBus {
    async fn send(&self, worker: WorkerId, command: &WorkerCommand) -> Result<(), BusError> {
        let body = encode(command).map_err(|e| BusError::Unavailable(e.to_string()))?;
        let link = self.link()?;
        let sent = link.publish(Outgoing {
            exchange: self.names.commands(),
            key: command_key(worker),
            body: &body,
            kind: "command",
            expiration: None,
        });
        match sent.await.map_err(|e| renew_if_missing(&link, &e))? {
            Published::Taken => Ok(()),
            Published::Refused => Err(BusError::Full),
            Published::Unroutable => Err(BusError::Unroutable(worker)),
        }
    }

    async fn commands(&self, worker: WorkerId, unanswered: u16) -> Result<Box<dyn BusInbox<WorkerCommand>>, BusError> {
        let link = self.link()?;
        let opened = async {
            let failed = |e: CallError| renew_if_missing(&link, &e);
            let lock = self.locks.take(&link, &self.names, worker).await.map_err(failed)?;
            declare_worker(&link, lock.channel(), &self.names, &self.options, worker).await.map_err(failed)?;
            bind_worker(&link, lock.channel(), &self.names, worker).await.map_err(failed)
        };
        self.bounded("another process opens or removes this worker's queue: try again", opened).await?;
        let source = Source { queue: self.names.worker(worker), unanswered: unanswered.max(1), worker: Some(worker) };
        self.receive(link, source).await
    }

    async fn remove(&self, worker: WorkerId) -> Result<(), BusError> {
        let link = self.link()?;
        let removed = async {
            let lock = self.locks.take(&link, &self.names, worker).await.map_err(|e| link.failure(&e))?;
            removal::remove(&link, &self.names, worker, &lock).await
        };
        self.bounded("the receiver of this worker's queue does not let go of it: try again", removed).await
    }

    async fn emit(&self, event: &WorkerEvent) -> Result<(), BusError> {
        let body = encode(event).map_err(|e| BusError::Unavailable(e.to_string()))?;
        let link = self.link()?;
        let sent = link.publish(Outgoing {
            exchange: self.names.events(),
            key: event_key(event),
            body: &body,
            kind: "event",
            expiration: None,
        });
        match sent.await.map_err(|e| renew_if_missing(&link, &e))? {
            Published::Taken => Ok(()),
            Published::Refused => Err(BusError::Full),
            Published::Unroutable => {
                link.end();
                Err(BusError::Unavailable("the queue of events is gone and is made again".into()))
            }
        }
    }

    async fn events(&self) -> Result<Box<dyn BusInbox<WorkerEvent>>, BusError> {
        let source = Source { queue: self.names.events(), unanswered: EVENTS_UNANSWERED, worker: None };
        self.receive(self.link()?, source).await
    }

    async fn returned(&self) -> Result<Box<dyn BusInbox<WorkerCommand>>, BusError> {
        let source = Source { queue: self.names.returned(), unanswered: RETURNED_UNANSWERED, worker: None };
        self.receive(self.link()?, source).await
    }

    async fn check(&self) -> Result<(), BusError> {
        let link = self.link()?;
        if link.in_doubt() {
            return Err(BusError::Unavailable(link.doubtful().text));
        }
        // The link may be given up while it is asked.
        let asked = async {
            tokio::select! {
                proven = link.prove() => proven.map_err(|trouble| trouble.text),
                () = link.until_ended() => Err("the connection to the broker is lost; it is made again by itself".into()),
            }
        };
        timeout(CHECK, asked).await.unwrap_or_else(|_| Err(link.doubtful().text)).map_err(BusError::Unavailable)
    }
}

/// A check says no rather than wait any longer.
const CHECK: Duration = Duration::from_secs(1);

/// When somebody removed what the farm shares, a new link declares it again.
fn renew_if_missing(link: &Link, error: &CallError) -> BusError {
    if error.is_missing() {
        link.end();
    }
    link.failure(error)
}

/// What an event is about, so that others can listen to some of them.
fn event_key(event: &WorkerEvent) -> String {
    match event {
        WorkerEvent::Heartbeat(beat) => format!("heartbeat.{}", beat.worker),
        WorkerEvent::Report(report) => format!("report.{}", report.hold.worker),
        WorkerEvent::Refused { hold, .. } => format!("refused.{}", hold.worker),
        WorkerEvent::HandedOver { hold, .. } => format!("handed_over.{}", hold.worker),
        WorkerEvent::Goodbye { worker, .. } => format!("goodbye.{worker}"),
    }
}
