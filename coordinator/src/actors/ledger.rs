//! The ledger: writes what the brain decides, many at a time.
//!
//! One batch is being written while the next collects. An idle ledger writes at once, a busy one writes larger batches, so
//! that the cost of making a batch durable is shared by all that wait for it. One batch at a time also keeps the order.

use super::control::Control;
use super::messages::{ControlHappened, WhenWritten, WriteBatch};
use super::retry::LEDGER;
use crate::metrics::Metrics;
use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, WrapFuture};
use mouthpiece_domain::control::ControlEvent;
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_ports::records::SessionLedger;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;
use tokio::time::sleep;

/// Writes in one batch at most.
const BATCH: usize = 512;

/// Owns what waits to be written. What waits is bounded by control, which admits nothing new while too much does.
pub(super) struct Ledger {
    records: Arc<dyn SessionLedger>,
    control: Addr<Control>,
    metrics: Arc<Metrics>,
    waiting: VecDeque<LedgerWrite>,
    writing: bool,
    /// Writes that came so far, and those of them that are done, one way or the other.
    came: u64,
    done: u64,
    /// The last batch went well. What did not is decided about anew, and comes again.
    well: bool,
    /// Who waits for how many of them, with whether all so far went well.
    waiters: VecDeque<(u64, bool, oneshot::Sender<bool>)>,
}

impl Ledger {
    pub(super) fn new(records: Arc<dyn SessionLedger>, control: Addr<Control>, metrics: Arc<Metrics>) -> Self {
        let (waiting, waiters) = (VecDeque::new(), VecDeque::new());
        Self { records, control, metrics, waiting, writing: false, came: 0, done: 0, well: true, waiters }
    }

    fn write_next(&mut self, ctx: &mut Context<Self>) {
        if self.writing || self.waiting.is_empty() {
            return;
        }
        self.writing = true;
        let batch: Vec<LedgerWrite> = self.waiting.drain(..self.waiting.len().min(BATCH)).collect();
        let written = write(Arc::clone(&self.records), batch, Arc::clone(&self.metrics));
        ctx.spawn(written.into_actor(self).map(|events, act, ctx| {
            let went_well = |event: &ControlEvent| !matches!(event, ControlEvent::Written { outcome: None, .. });
            act.tell_waiters(events.len() as u64, events.iter().all(went_well));
            act.control.do_send(ControlHappened(events));
            act.writing = false;
            act.write_next(ctx);
        }));
    }

    /// So many writes are done.
    fn tell_waiters(&mut self, writes: u64, well: bool) {
        self.done += writes;
        self.well = well;
        for (_, well_so_far, _) in &mut self.waiters {
            *well_so_far &= well;
        }
        while let Some((_, well, waiter)) = self.waiters.pop_front_if(|(target, ..)| *target <= self.done) {
            // Whoever waited may be gone.
            let _ = waiter.send(well);
        }
    }
}

impl Actor for Ledger {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(super::MAILBOX);
    }
}

impl Handler<WriteBatch> for Ledger {
    type Result = ();

    fn handle(&mut self, WriteBatch(writes): WriteBatch, ctx: &mut Self::Context) {
        self.came += writes.len() as u64;
        self.waiting.extend(writes);
        self.write_next(ctx);
    }
}

impl Handler<WhenWritten> for Ledger {
    type Result = ();

    fn handle(&mut self, WhenWritten(waiter): WhenWritten, _: &mut Self::Context) {
        if self.done < self.came {
            self.waiters.push_back((self.came, true, waiter));
        } else {
            // Whoever asked may be gone.
            let _ = waiter.send(self.well);
        }
    }
}

/// Writes a batch, patiently. Every write gets its event; without an outcome when the store could not be used.
async fn write(records: Arc<dyn SessionLedger>, batch: Vec<LedgerWrite>, metrics: Arc<Metrics>) -> Vec<ControlEvent> {
    let started = Instant::now();
    let mut tries = 0;
    let outcomes: Vec<WriteOutcome> = loop {
        let error = match records.write(&batch).await {
            Ok(outcomes) => {
                metrics.observe_batch(batch.len(), started.elapsed());
                break outcomes;
            }
            Err(error) => error,
        };
        let wait = LEDGER.wait(tries).filter(|_| error.is_retryable());
        metrics.ledger_error(wait.is_none());
        match wait {
            Some(wait) => {
                tracing::warn!(%error, writes = batch.len(), tries, "the records were not written, trying again");
                sleep(wait).await;
            }
            None => {
                for write in &batch {
                    let session_id = write.session().map(tracing::field::display);
                    tracing::error!(session_id, %error, write = name(write), "a write was given up");
                }
                break Vec::new();
            }
        }
        tries += 1;
    };
    let outcomes = outcomes.into_iter().map(Some).chain(std::iter::repeat(None));
    batch.into_iter().zip(outcomes).map(|(write, outcome)| ControlEvent::Written { write, outcome }).collect()
}

fn name(write: &LedgerWrite) -> &'static str {
    match write {
        LedgerWrite::Create { .. } => "create",
        LedgerWrite::Assign { .. } => "assign",
        LedgerWrite::Requeue { .. } => "requeue",
        LedgerWrite::Move { .. } => "move",
        LedgerWrite::HandedOver { .. } => "handed_over",
        LedgerWrite::Advance { .. } => "advance",
        LedgerWrite::End { .. } => "end",
        LedgerWrite::Egress { .. } => "egress",
        LedgerWrite::Machine { .. } => "machine",
    }
}
