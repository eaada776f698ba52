//! Telling the coordinators.

use crate::board::{ProgressBoard, WorkState};
use mouthpiece_domain::backoff::Backoff;
use mouthpiece_domain::fleet::{Hold, SessionReport, WorkerCommand, WorkerEvent, WorkerRefusal};
use mouthpiece_domain::time::as_millis;
use mouthpiece_ports::bus::{Bus, BusError, Delivery};
use mouthpiece_ports::retry::{CallFailure, RetryPolicy, ask_again};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tracing::{debug, info, warn};

/// A bus that takes longer is asked again.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries, for as long as it takes.
const PAUSES: Backoff = Backoff { first: Duration::from_millis(50), longest: Duration::from_secs(2), again: None };
/// Progress that is not taken is told again with the next.
const ONCE: Backoff = Backoff { again: Some(0), ..PAUSES };
/// Progress is told so often while nothing else is.
const EVERY: Duration = Duration::from_secs(1);
/// What was given up is told for so long; then leases and heartbeats must do.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(60);

/// The log's name for what is counted: `log.level = "info,placements=debug"` shows it.
const COUNTS: &str = "placements";

/// Tells until the bus took it, or as often as the waits last. Whether it took it.
async fn emit(bus: &dyn Bus, event: &WorkerEvent, backoff: Backoff) -> bool {
    let policy = RetryPolicy { backoff, call: Some(PATIENCE) };
    let failed = |failure: &CallFailure<BusError>| warn!(%failure, "the coordinators could not be told");
    ask_again(policy, || bus.emit(event), |_| false, failed).await.is_ok()
}

/// Tells, again and again for at most a minute.
pub(super) async fn tell(bus: &dyn Bus, event: &WorkerEvent) {
    note(event, "reports");
    if timeout(REFUSAL_PATIENCE, emit(bus, event, PAUSES)).await.unwrap_or(false) {
        note(event, "reported");
    } else {
        warn!(?event, "the coordinators were not told");
    }
}

/// Reports a session: every change at once, progress every second. Returns when the bus took its end, or when there is
/// nothing to be said of it any more.
pub(super) async fn report(bus: &dyn Bus, hold: Hold, board: Arc<ProgressBoard>) {
    let mut stages = board.watch();
    loop {
        let stage = stages.borrow_and_update().clone();
        if stage == WorkState::Abandoned {
            return;
        }
        let event = news(hold, &board, &stage);
        let ended = stage.is_over();
        note(&event, "reports");
        if emit(bus, &event, if ended { PAUSES } else { ONCE }).await {
            note(&event, "reported");
        }
        if ended {
            return;
        }
        // The board is ours too, so the channel stays open.
        let _ = timeout(EVERY, stages.changed()).await;
    }
}

/// Logs what a report counts.
fn note(event: &WorkerEvent, message: &'static str) {
    match event {
        WorkerEvent::Report(report) => count(report.hold, report.delivered, report.end.is_some(), message),
        WorkerEvent::HandedOver { hold, delivered, .. } => count(*hold, *delivered, false, message),
        _ => {}
    }
}

/// Logs what the coordinators are told of a placement's delivery, before they are told and when it was taken: fault runs compare it
/// with the bill.
pub(super) fn count(hold: Hold, delivered: Duration, ended: bool, message: &'static str) {
    let (fence, slot, delivered_ms) = (hold.fence.0, hold.slot.0, as_millis(delivered));
    debug!(target: COUNTS, session_id = %hold.session, fence, slot, delivered_ms, ended, "{message}");
}

/// What there is to say of a session.
pub(super) fn news(hold: Hold, board: &ProgressBoard, stage: &WorkState) -> WorkerEvent {
    WorkerEvent::Report(Box::new(session_report(hold, board, stage)))
}

/// A session's last report, once it has come to its end.
pub(super) fn last_report(hold: Hold, board: &ProgressBoard) -> Option<Box<SessionReport>> {
    let stage = board.stage();
    matches!(stage, WorkState::Ended(_)).then(|| Box::new(session_report(hold, board, &stage)))
}

fn session_report(hold: Hold, board: &ProgressBoard, stage: &WorkState) -> SessionReport {
    let end = match stage {
        WorkState::Ended(end) => Some((**end).clone()),
        _ => None,
    };
    let (phase, progress, delivered) = (stage.phase(), board.progress(), board.delivered());
    SessionReport { hold, phase, progress, delivered, sent_bytes: board.sent_bytes(), end }
}

/// The last word of a session that was moved away.
pub(super) fn handed_over(hold: Hold, board: &ProgressBoard) -> WorkerEvent {
    WorkerEvent::HandedOver { hold, delivered: board.delivered(), sent_bytes: board.sent_bytes() }
}

/// Tells that an assignment is not taken, then acknowledges it: should the worker die between, it comes again.
pub(super) fn refuse(bus: Arc<dyn Bus>, hold: Hold, why: WorkerRefusal, delivery: Delivery<WorkerCommand>) {
    info!(session_id = %hold.session, fence = hold.fence.0, ?why, "refused");
    actix_rt::spawn(async move {
        tell(&*bus, &WorkerEvent::Refused { hold, why }).await;
        if let Err(e) = delivery.ack().await {
            warn!(error = %e, "a command could not be acknowledged: it may come again");
        }
    });
}
