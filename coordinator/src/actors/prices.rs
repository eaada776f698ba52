//! What machines cost now, for the brain: it shows what they cost together, and a ceiling in dollars is one on the number of workers.

use super::clock::calendar;
use super::control::Control;
use super::messages::ControlHappened;
use crate::metrics::{Metrics, PortName};
use actix::Addr;
use mouthpiece_domain::control::ControlEvent;
use mouthpiece_domain::cost::prices_at;
use mouthpiece_ports::records::UsageBooks;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Prices are read again after this.
const EVERY: Duration = Duration::from_secs(60);
/// When they could not be read, after this.
const AGAIN: Duration = Duration::from_secs(5);

/// Tells control, until control is gone.
pub(super) async fn keep(books: Arc<dyn UsageBooks>, control: Addr<Control>, metrics: Arc<Metrics>) {
    loop {
        let wait = match books.prices().await {
            Ok(prices) => {
                let told = ControlEvent::Prices(prices_at(&prices, calendar()));
                if control.send(ControlHappened(vec![told])).await.is_err() {
                    return;
                }
                EVERY
            }
            Err(error) => {
                metrics.port_error(PortName::Records, "prices");
                tracing::warn!(%error, "what machines cost cannot be read");
                AGAIN
            }
        };
        sleep(wait).await;
    }
}
