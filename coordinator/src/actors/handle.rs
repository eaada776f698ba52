//! The farm's outside: what HTTP handlers hold.

use super::control::Control;
use super::messages::{Cancel, Drain, Lookup, Quiesce, Submit, View, WhenWritten};
use crate::farm::{Farm, FarmError, FarmNews};
use actix::{Addr, Arbiter, MailboxError};
use async_trait::async_trait;
use mouthpiece_domain::control::{FarmView, SessionChange, SubmitAnswer};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::ledger::Idempotency;
use mouthpiece_domain::session::Session;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast, oneshot};
use tokio::time::{sleep, timeout};

/// What is under way when the farm stops gets so long to come to rest.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// A session's end is on record within this, or whoever wants it asks again.
const CANCELLED_WITHIN: Duration = Duration::from_secs(5);
/// An end that waits for another write of its session is looked for again after this.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Callers that wait for an answer, at most: a second or two of what the records can take.
const ASKING: usize = 4096;

/// A running farm. Clones speak to the same one; when the last is dropped, the farm ends as if the process had died.
#[derive(Clone)]
pub struct FarmHandle {
    inner: Arc<Inner>,
}

struct Inner {
    control: Addr<Control>,
    /// The sender proper belongs to control: watchers see the end of the news when that has stopped.
    hub: broadcast::WeakSender<FarmNews>,
    asking: Semaphore,
    arbiter: Mutex<Option<Arbiter>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(arbiter) = self.take_arbiter() {
            arbiter.stop();
        }
    }
}

impl Inner {
    fn take_arbiter(&self) -> Option<Arbiter> {
        self.arbiter.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl FarmHandle {
    pub(super) fn new(control: Addr<Control>, hub: broadcast::WeakSender<FarmNews>, arbiter: Arbiter) -> Self {
        Self {
            inner: Arc::new(Inner { control, hub, asking: Semaphore::new(ASKING), arbiter: Mutex::new(Some(arbiter)) }),
        }
    }

    /// Takes no more sessions, waits until what is under way is on record (at most 10 s), and ends the actors and all that
    /// they run. Sessions stay as they are: whoever starts next picks them up. A second call does nothing.
    pub async fn stop(&self) {
        let (at_rest, rest) = oneshot::channel();
        let quiet = async {
            self.inner.control.send(Quiesce(at_rest)).await.ok()?;
            rest.await.ok()
        };
        let quiet = timeout(STOP_WITHIN, quiet).await;
        let Some(arbiter) = self.inner.take_arbiter() else { return };
        if !matches!(quiet, Ok(Some(()))) {
            tracing::warn!("the farm stopped before everything under way was on record");
        }
        arbiter.stop();
        // Its thread ends when its tasks are dropped; that must not block whoever waits here.
        if tokio::task::spawn_blocking(|| arbiter.join()).await.is_err() {
            tracing::error!("the actors' thread was not waited for");
        }
    }

    fn stopped(_: MailboxError) -> FarmError {
        FarmError::Stopped
    }

    /// Waits until the brain has let go of a session, which it does when the end is on record.
    async fn has_ended(&self, id: SessionId) -> Result<(), FarmError> {
        loop {
            let (tell, written) = oneshot::channel();
            self.inner.control.send(WhenWritten(tell)).await.map_err(Self::stopped)?;
            let well = written.await.map_err(|_| FarmError::Stopped)?;
            if well && self.session(id).await?.is_none() {
                return Ok(());
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

#[async_trait]
impl Farm for FarmHandle {
    async fn submit(
        &self,
        session: Session,
        idempotency: Option<Idempotency>,
        max_open: u32,
    ) -> Result<SubmitAnswer, FarmError> {
        let _asking = self.inner.asking.try_acquire().map_err(|_| FarmError::Overwhelmed)?;
        let (answer, answered) = oneshot::channel();
        self.inner.control.do_send(Submit { session: Box::new(session), idempotency, max_open, answer });
        // Dropped unanswered by a control that has stopped.
        answered.await.unwrap_or(Err(FarmError::Stopped))
    }

    async fn cancel(&self, id: SessionId) -> Result<(), FarmError> {
        self.inner.control.send(Cancel(id)).await.map_err(Self::stopped)?;
        // What is only decided dies with this process. Whoever hears that it takes too long asks again, of any coordinator.
        timeout(CANCELLED_WITHIN, self.has_ended(id)).await.unwrap_or(Err(FarmError::Overwhelmed))
    }

    async fn drain(&self, id: WorkerId) -> Result<Option<Vec<SessionId>>, FarmError> {
        self.inner.control.send(Drain(id)).await.map_err(Self::stopped)
    }

    async fn view(&self) -> Result<FarmView, FarmError> {
        self.inner.control.send(View).await.map_err(Self::stopped)
    }

    async fn session(&self, id: SessionId) -> Result<Option<SessionChange>, FarmError> {
        self.inner.control.send(Lookup(id)).await.map_err(Self::stopped)
    }

    fn watch(&self) -> broadcast::Receiver<FarmNews> {
        match self.inner.hub.upgrade() {
            Some(hub) => hub.subscribe(),
            // A channel without a sender: its end is seen at once.
            None => broadcast::channel(1).1,
        }
    }
}
