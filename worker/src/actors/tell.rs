//! Telling the coordinators.

use crate::board::{Board, WorkState};
use mouthpiece_domain::backoff::Backoff;
use mouthpiece_domain::fleet::{Command, Hold, Refusal, Report, WorkerEvent};
use mouthpiece_ports::bus::{Bus, BusError, Delivery};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

/// A bus that takes longer is asked again.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries.
const PAUSES: Backoff = Backoff { first: Duration::from_millis(50), longest: Duration::from_secs(2), again: None };
/// Progress is told so often while nothing else is.
const EVERY: Duration = Duration::from_secs(1);
/// What was given up is told for so long; then leases and heartbeats must do.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(60);

async fn once(bus: &dyn Bus, event: &WorkerEvent) -> Result<(), BusError> {
    let late = || BusError::Unavailable("it does not answer".to_owned());
    timeout(PATIENCE, bus.emit(event)).await.unwrap_or_else(|_| Err(late()))
}

/// Tells until the bus took it.
async fn until_taken(bus: &dyn Bus, event: &WorkerEvent) {
    let mut tries = 0;
    while let Err(e) = once(bus, event).await {
        warn!(error = %e, "the coordinators could not be told: trying again");
        sleep(PAUSES.pause(tries)).await;
        tries += 1;
    }
}

/// Tells, again and again for at most a minute.
pub(super) async fn tell(bus: &dyn Bus, event: &WorkerEvent) {
    if timeout(REFUSAL_PATIENCE, until_taken(bus, event)).await.is_err() {
        warn!(?event, "the coordinators could not be told");
    }
}

/// Reports a session: every change at once, progress every second. Returns when the bus took its end, or when there is
/// nothing to be said of it any more.
pub(super) async fn report(bus: &dyn Bus, hold: Hold, board: Arc<Board>) {
    let mut stages = board.watch();
    loop {
        let stage = stages.borrow_and_update().clone();
        if stage == WorkState::Abandoned {
            return;
        }
        let event = news(hold, &board, &stage);
        if stage.is_over() {
            return until_taken(bus, &event).await;
        }
        if let Err(e) = once(bus, &event).await {
            warn!(error = %e, session_id = %hold.session, "progress could not be told");
        }
        // The board is ours too, so the channel stays open.
        let _ = timeout(EVERY, stages.changed()).await;
    }
}

/// What there is to say of a session.
pub(super) fn news(hold: Hold, board: &Board, stage: &WorkState) -> WorkerEvent {
    let end = match stage {
        WorkState::Ended(end) => Some((**end).clone()),
        _ => None,
    };
    let (phase, progress, delivered) = (stage.phase(), board.progress(), board.delivered());
    WorkerEvent::Report(Box::new(Report { hold, phase, progress, delivered, end }))
}

/// Tells that an assignment is not taken, then acknowledges it: should the worker die between, it comes again.
pub(super) fn refuse(bus: Arc<dyn Bus>, hold: Hold, why: Refusal, delivery: Delivery<Command>) {
    info!(session_id = %hold.session, fence = hold.fence.0, ?why, "refused");
    actix_rt::spawn(async move {
        tell(&*bus, &WorkerEvent::Refused { hold, why }).await;
        if let Err(e) = delivery.ack().await {
            warn!(error = %e, "a command could not be acknowledged: it may come again");
        }
    });
}
