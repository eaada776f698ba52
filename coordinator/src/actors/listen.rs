//! Listening: what workers report, commands that come back, and who is in the pool.

use super::control::Control;
use super::messages::{Happened, Roster};
use super::retry::ENDLESS;
use crate::metrics::{Metrics, PortName};
use actix::Addr;
use futures_util::FutureExt;
use mouthpiece_domain::control::Event;
use mouthpiece_ports::bus::{Bus, BusError, Delivery, Inbox};
use mouthpiece_ports::pool::Pool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// Deliveries that are handed on together, when so many are there.
const GROUP: usize = 64;

/// Receives from the bus. A delivery is acknowledged when control has dealt with it; when control cannot keep up, nothing
/// more is received, and the bus keeps it.
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
                    self.receive(inbox, Event::Worker).await;
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
                    self.receive(inbox, Event::Returned).await;
                    tries = 0;
                }
                Err(error) => self.deaf("returned", &error),
            }
            sleep(ENDLESS.pause(tries)).await;
            tries += 1;
        }
    }

    /// Until the inbox ends.
    async fn receive<M>(&self, mut inbox: Box<dyn Inbox<M>>, event: impl Fn(M) -> Event) {
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
            if self.control.send(Happened(events)).await.is_err() {
                return;
            }
            for receipt in receipts {
                if let Err(error) = receipt.ack().await {
                    self.metrics.port_error(PortName::Bus, "ack");
                    tracing::warn!(%error, "a delivery was dealt with but may come again");
                }
            }
        }
    }

    fn deaf(&self, call: &'static str, error: &BusError) {
        self.metrics.port_error(PortName::Bus, call);
        tracing::warn!(%error, call, "the bus cannot be listened to, trying again");
    }
}

/// Tells control who is in the pool, every `every`, until it is aborted. When the pool cannot be asked at the start, the
/// work begins without.
pub(super) async fn roster(pool: Arc<dyn Pool>, every: Duration, control: Addr<Control>, metrics: Arc<Metrics>) {
    let mut begun = false;
    loop {
        match pool.workers().await {
            Ok(workers) => {
                if control.send(Roster(workers)).await.is_err() {
                    return;
                }
                begun = true;
            }
            Err(error) => {
                metrics.port_error(PortName::Pool, "workers");
                tracing::warn!(%error, "the pool does not say which workers there are");
                if !begun && control.send(Roster(Vec::new())).await.is_err() {
                    return;
                }
                begun = true;
            }
        }
        sleep(every).await;
    }
}
