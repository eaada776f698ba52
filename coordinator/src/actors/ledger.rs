//! The ledger: writes what the brain decides, many at a time.
//!
//! One batch is being written while the next collects. An idle ledger writes at once, a busy one writes larger batches, so
//! that the cost of making a batch durable is shared by all that wait for it. One batch at a time also keeps the order.

use super::control::Control;
use super::messages::{Happened, Writes};
use super::retry::LEDGER;
use crate::metrics::Metrics;
use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, WrapFuture};
use mouthpiece_domain::control::Event;
use mouthpiece_domain::ledger::{Write, Written};
use mouthpiece_ports::records::SessionLedger;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;
use tokio::time::sleep;

/// Writes in one batch at most.
const BATCH: usize = 512;

/// Owns what waits to be written. What waits is bounded by control, which admits nothing new while too much does.
pub(super) struct Ledger {
    records: Arc<dyn SessionLedger>,
    control: Addr<Control>,
    metrics: Arc<Metrics>,
    waiting: VecDeque<Write>,
    writing: bool,
}

impl Ledger {
    pub(super) fn new(records: Arc<dyn SessionLedger>, control: Addr<Control>, metrics: Arc<Metrics>) -> Self {
        Self { records, control, metrics, waiting: VecDeque::new(), writing: false }
    }

    fn write_next(&mut self, ctx: &mut Context<Self>) {
        if self.writing || self.waiting.is_empty() {
            return;
        }
        self.writing = true;
        let batch: Vec<Write> = self.waiting.drain(..self.waiting.len().min(BATCH)).collect();
        let written = write(Arc::clone(&self.records), batch, Arc::clone(&self.metrics));
        ctx.spawn(written.into_actor(self).map(|events, act, ctx| {
            act.control.do_send(Happened(events));
            act.writing = false;
            act.write_next(ctx);
        }));
    }
}

impl Actor for Ledger {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(super::MAILBOX);
    }
}

impl Handler<Writes> for Ledger {
    type Result = ();

    fn handle(&mut self, Writes(writes): Writes, ctx: &mut Self::Context) {
        self.waiting.extend(writes);
        self.write_next(ctx);
    }
}

/// Writes a batch, patiently. Every write gets its event; without an outcome when the store could not be used.
async fn write(records: Arc<dyn SessionLedger>, batch: Vec<Write>, metrics: Arc<Metrics>) -> Vec<Event> {
    let started = Instant::now();
    let mut tries = 0;
    let outcomes: Vec<Written> = loop {
        let error = match records.write(&batch).await {
            Ok(outcomes) => {
                metrics.observe_batch(batch.len(), started.elapsed());
                break outcomes;
            }
            Err(error) => error,
        };
        let wait = LEDGER.backoff.wait(tries).filter(|_| error.is_retryable());
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
    batch.into_iter().zip(outcomes).map(|(write, outcome)| Event::Written { write, outcome }).collect()
}

fn name(write: &Write) -> &'static str {
    match write {
        Write::Create { .. } => "create",
        Write::Assign { .. } => "assign",
        Write::Requeue { .. } => "requeue",
        Write::Advance { .. } => "advance",
        Write::End { .. } => "end",
        Write::Machine { .. } => "machine",
    }
}
