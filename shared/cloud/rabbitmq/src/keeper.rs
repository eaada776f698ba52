//! Keeps a connection to the broker, for as long as the bus lives.

use crate::error::Trouble;
use crate::link::{CallError, Link};
use crate::names::Names;
use crate::options::{Address, RabbitOptions};
use crate::socket::connect;
use crate::topology::declare_shared;
use futures_util::StreamExt as _;
use lapin::Event;
use mouthpiece_domain::backoff::Backoff;
use mouthpiece_ports::retry::jittered;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, sleep_until};

/// Between two attempts to connect.
const PAUSES: Backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(5), again: None };

/// When nothing was heard for so long, the broker is asked.
const QUIET: Duration = Duration::from_secs(1);

/// How it stands with the broker.
#[derive(Clone)]
pub(crate) enum State {
    /// Connected, everything declared.
    Up(Arc<Link>),
    /// Not, and why; it is tried again.
    Down(Trouble),
    /// The bus was closed.
    Closed,
}

/// Makes links.
pub(crate) struct Keeper {
    pub(crate) address: Arc<Address>,
    pub(crate) options: Arc<RabbitOptions>,
    pub(crate) names: Arc<Names>,
}

impl Keeper {
    /// Connects, logs in and declares what the farm shares.
    pub(crate) async fn make(&self) -> Result<Arc<Link>, Trouble> {
        let RabbitOptions { patience, connect_patience, in_flight, .. } = *self.options;
        let connection = connect(&self.address, "mouthpiece", connect_patience).await?;
        let link = Link::new(Arc::clone(&self.address), connection, patience, in_flight).await?;
        let declared = async {
            let channel = link.channel().await?;
            declare_shared(&link, &channel, &self.names).await
        };
        declared.await.map_err(|error| link.trouble(&error))?;
        Ok(Arc::new(link))
    }

    /// Keeps a link, until it is aborted.
    pub(crate) async fn keep(self, mut link: Option<Arc<Link>>, state: Arc<watch::Sender<State>>) {
        let mut tries = 0;
        loop {
            let made = match link.take() {
                Some(link) => Ok(link),
                None => self.make().await,
            };
            let trouble = match made {
                Ok(link) => {
                    tries = 0;
                    state.send_replace(State::Up(Arc::clone(&link)));
                    let trouble = watch_over(&link).await;
                    link.end();
                    tracing::warn!(trouble = %trouble.text, "the broker is gone, connecting again");
                    trouble
                }
                Err(trouble) => {
                    tracing::warn!(trouble = %trouble.text, tries, "no connection to the broker, trying again");
                    trouble
                }
            };
            state.send_replace(State::Down(trouble));
            sleep(jittered(PAUSES.pause(tries))).await;
            tries = tries.saturating_add(1);
        }
    }
}

/// Until the link is of no use any more; why.
async fn watch_over(link: &Link) -> Trouble {
    let mut events = pin!(link.events());
    loop {
        tokio::select! {
            event = events.next() => match event {
                // Channels' errors come here too, and are their callers' to deal with.
                Some(Event::Error(error)) if !link.connected() => return link.trouble(&CallError::Broker(error)),
                Some(_) => continue,
                None => return Trouble::passing("the connection to the broker was closed"),
            },
            () = link.until_ended() => return Trouble::passing("the farm's queues on the broker are declared again"),
            () = link.until_doubt() => {}
            () = sleep_until(link.heard() + QUIET) => {}
        }
        if !link.connected() {
            return Trouble::passing("the connection to the broker was closed");
        }
        if link.blocked() {
            // It does not read what we send either: its heartbeats tell whether it is there.
            sleep(QUIET).await;
        } else if let Err(trouble) = link.prove().await {
            return trouble;
        }
    }
}
