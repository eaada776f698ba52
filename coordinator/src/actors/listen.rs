//! Listening: what workers report, commands that come back, and who is in the pool.

use super::control::Control;
use super::messages::{ControlHappened, Decides, Roster, WhenWritten};
use super::retry::ENDLESS;
use crate::metrics::{Metrics, PortName};
use actix::Addr;
use futures_util::FutureExt;
use mouthpiece_domain::control::ControlEvent;
use mouthpiece_domain::fleet::WorkerEvent;
use mouthpiece_domain::session::Phase;
use mouthpiece_ports::bus::{Bus, BusError, BusInbox, Delivery, DeliveryReceipt};
use mouthpiece_ports::pool::Pool;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};
use tokio::time::sleep;

/// Deliveries that are handed on together, when so many are there.
const GROUP: usize = 64;

/// An end that could not be written is told again after this.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// Receives from the bus. A delivery is acknowledged when control has dealt with it, one that tells a session's end when that is on
/// record: it is told once, and this coordinator may die before. When control cannot keep up, nothing more is received, and the
/// bus keeps it.
#[derive(Clone)]
pub(super) struct Listener {
    pub(super) bus: Arc<dyn Bus>,
    pub(super) control: Addr<Control>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) behind: watch::Receiver<bool>,
}

impl Listener {
    /// Hears what workers report, until it is aborted.
    pub(super) async fn events(self) {
        let mut tries = 0;
        loop {
            match self.bus.events().await {
                Ok(inbox) => {
                    self.receive(inbox, ControlEvent::Worker).await;
                    tries = 0;
                }
                Err(error) => self.deaf("events", &error),
            }
            sleep(ENDLESS.pause(tries)).await;
            tries += 1;
        }
    }

    /// Takes commands back that were never acknowledged, until it is aborted.
    pub(super) async fn returned(self) {
        let mut tries = 0;
        loop {
            match self.bus.returned().await {
                Ok(inbox) => {
                    self.receive(inbox, ControlEvent::Returned).await;
                    tries = 0;
                }
                Err(error) => self.deaf("returned", &error),
            }
            sleep(ENDLESS.pause(tries)).await;
            tries += 1;
        }
    }

    /// Until the inbox ends.
    async fn receive<M>(&self, mut inbox: Box<dyn BusInbox<M>>, event: impl Fn(M) -> ControlEvent) {
        let mut behind = self.behind.clone();
        loop {
            // An error means that control is gone; then sending fails below.
            let _ = behind.wait_for(|behind| !behind).await;
            let Some(Delivery { body, receipt, .. }) = inbox.next().await else { return };
            let mut events = vec![event(body)];
            let mut receipts = vec![receipt];
            while events.len() < GROUP
                && let Some(Some(Delivery { body, receipt, .. })) = inbox.next().now_or_never()
            {
                events.push(event(body));
                receipts.push(receipt);
            }
            let (mut ends, mut of_ends, mut others) = (Vec::new(), Vec::new(), Vec::new());
            for (event, receipt) in events.iter().zip(receipts) {
                if is_end(event) {
                    ends.push(event.clone());
                    of_ends.push(receipt);
                } else {
                    others.push(receipt);
                }
            }
            if self.control.send(ControlHappened(events)).await.is_err() {
                return;
            }
            self.acknowledge(others).await;
            if !ends.is_empty() {
                actix::spawn(self.clone().acknowledge_written(ends, of_ends));
            }
        }
    }

    async fn acknowledge(&self, receipts: Vec<Box<dyn DeliveryReceipt>>) {
        for receipt in receipts {
            if let Err(error) = receipt.ack().await {
                self.metrics.port_error(PortName::Bus, "ack");
                tracing::warn!(%error, "a delivery was dealt with but may come again");
            }
        }
    }

    /// Waits until these ends are on record, and tells them again when they could not be written: of a session that it does not
    /// know, control forgets an end with the write. When this coordinator ends before, they come to another one.
    async fn acknowledge_written(self, ends: Vec<ControlEvent>, receipts: Vec<Box<dyn DeliveryReceipt>>) {
        loop {
            let (tell, written) = oneshot::channel();
            if self.control.send(WhenWritten(tell)).await.is_err() {
                return;
            }
            match written.await {
                Ok(true) => return self.acknowledge(receipts).await,
                Ok(false) => sleep(ASK_AGAIN).await,
                Err(_) => return,
            }
            if self.control.send(ControlHappened(ends.clone())).await.is_err() {
                return;
            }
        }
    }

    fn deaf(&self, call: &'static str, error: &BusError) {
        self.metrics.port_error(PortName::Bus, call);
        tracing::warn!(%error, call, "the bus cannot be listened to, trying again");
    }
}

/// Whether it tells that a session has ended.
fn is_end(event: &ControlEvent) -> bool {
    matches!(event, ControlEvent::Worker(WorkerEvent::Report(report)) if report.phase == Phase::Ended)
}

/// Tells control who is in the pool.
pub(super) struct RosterKeeper {
    pub(super) pool: Arc<dyn Pool>,
    pub(super) control: Addr<Control>,
    pub(super) metrics: Arc<Metrics>,
    /// How often.
    pub(super) every: Duration,
    /// The right to decide on the fleet: who asks for it and for how long. Nobody asks where nothing is decided.
    pub(super) decides: Option<(u128, Duration)>,
}

impl RosterKeeper {
    /// Tells, until it is aborted. When the pool cannot be asked at the start, the work begins without. Only who was told of
    /// the workers may decide on them.
    pub(super) async fn run(self) {
        let mut begun = false;
        loop {
            match self.pool.workers().await {
                Ok(workers) => {
                    if self.control.send(Roster(workers)).await.is_err() {
                        return;
                    }
                    begun = true;
                    self.ask_for_the_decision().await;
                }
                Err(error) => {
                    self.metrics.port_error(PortName::Pool, "workers");
                    tracing::warn!(%error, "the pool does not say which workers there are");
                    if !begun && self.control.send(Roster(Vec::new())).await.is_err() {
                        return;
                    }
                    begun = true;
                }
            }
            sleep(self.every).await;
        }
    }

    async fn ask_for_the_decision(&self) {
        let Some((who, expiry)) = self.decides else { return };
        let asked = Instant::now();
        let granted = self.pool.decide(who, expiry).await.unwrap_or_else(|error| {
            self.metrics.port_error(PortName::Pool, "decide");
            tracing::warn!(%error, "the pool does not say who decides on the fleet");
            false
        });
        self.control.do_send(Decides { asked, granted });
    }
}
