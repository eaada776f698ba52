//! The farm's outside: what HTTP handlers hold.

use super::control::Control;
use super::messages::{Cancel, Drain, Lookup, Quiesce, Submit, View};
use crate::farm::{Farm, FarmError, News};
use actix::{Addr, Arbiter, MailboxError};
use async_trait::async_trait;
use mouthpiece_domain::control::{Answer, Change, FarmView};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::ledger::Idempotency;
use mouthpiece_domain::session::Session;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast, oneshot};
use tokio::time::timeout;

/// What is under way when the farm stops gets so long to come to rest.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// Callers that wait for an answer, at most: a second or two of what the records can take.
const ASKING: usize = 4096;

/// A running farm. Clones speak to the same one; when the last is dropped, the farm ends as if the process had died.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

struct Inner {
    control: Addr<Control>,
    /// The sender proper belongs to control: watchers see the end of the news when that has stopped.
    hub: broadcast::WeakSender<News>,
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

impl Handle {
    pub(super) fn new(control: Addr<Control>, hub: broadcast::WeakSender<News>, arbiter: Arbiter) -> Self {
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
}

#[async_trait]
impl Farm for Handle {
    async fn submit(
        &self,
        session: Session,
        idempotency: Option<Idempotency>,
        max_open: u32,
    ) -> Result<Answer, FarmError> {
        let _asking = self.inner.asking.try_acquire().map_err(|_| FarmError::Overwhelmed)?;
        let (answer, answered) = oneshot::channel();
        self.inner.control.do_send(Submit { session: Box::new(session), idempotency, max_open, answer });
        // Dropped unanswered by a control that has stopped.
        answered.await.unwrap_or(Err(FarmError::Stopped))
    }

    async fn cancel(&self, id: SessionId) -> Result<(), FarmError> {
        self.inner.control.send(Cancel(id)).await.map_err(Self::stopped)
    }

    async fn drain(&self, id: WorkerId) -> Result<Option<Vec<SessionId>>, FarmError> {
        self.inner.control.send(Drain(id)).await.map_err(Self::stopped)
    }

    async fn view(&self) -> Result<FarmView, FarmError> {
        self.inner.control.send(View).await.map_err(Self::stopped)
    }

    async fn session(&self, id: SessionId) -> Result<Option<Change>, FarmError> {
        self.inner.control.send(Lookup(id)).await.map_err(Self::stopped)
    }

    fn watch(&self) -> broadcast::Receiver<News> {
        match self.inner.hub.upgrade() {
            Some(hub) => hub.subscribe(),
            // A channel without a sender: its end is seen at once.
            None => broadcast::channel(1).1,
        }
    }
}
