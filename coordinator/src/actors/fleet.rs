//! The fleet: tells the port how many workers are wanted, and which machines can be given back.
//!
//! The brain that decides says the size again now and then, and after a machine was given back, which lowered the number by
//! one. Nothing waits for it: a cloud that is away, or refuses, is a log line, a metric and a repetition. What is wanted and what is
//! given back are said side by side, so that trouble with the one does not hold up the other.

use super::messages::{Desire, Retire};
use crate::fleet_calls::{FleetCalls, in_time};
use crate::metrics::Metrics;
use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use mouthpiece_domain::backoff::Backoff;
use mouthpiece_domain::fleet::DepartedWorker;
use mouthpiece_ports::fleet::{Fleet as FleetPort, FleetError};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Workers whose machines wait to be given back; beyond that the oldest is left to whoever looks after the cloud.
const RETIRING: usize = 1024;
/// A cloud that is busy is asked several times within one call.
const CALL: Duration = Duration::from_secs(30);
/// Between repetitions, which never end: an operator may put right what the cloud refuses.
const PAUSES: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60), again: None };

/// Owns what is to be said to the fleet. Of wanted sizes only the latest counts.
pub(super) struct Fleet {
    port: Arc<dyn FleetPort>,
    calls: FleetCalls,
    /// To be said.
    wanted: Option<u32>,
    desiring: Lane,
    retiring: VecDeque<DepartedWorker>,
    giving_back: Lane,
}

/// One thing is said at a time, and not before its pause is over.
#[derive(Default)]
struct Lane {
    taken: bool,
    failed: u32,
}

impl Lane {
    /// Notes how it went; the pause before the next thing is said.
    fn went(&mut self, well: bool) -> Duration {
        if well {
            self.failed = 0;
            return Duration::ZERO;
        }
        self.failed = self.failed.saturating_add(1);
        PAUSES.pause(self.failed - 1)
    }
}

impl Fleet {
    pub(super) fn new(port: Arc<dyn FleetPort>, metrics: Arc<Metrics>) -> Self {
        Self {
            port,
            calls: FleetCalls::new(metrics),
            wanted: None,
            desiring: Lane::default(),
            retiring: VecDeque::new(),
            giving_back: Lane::default(),
        }
    }

    fn desire(&mut self, ctx: &mut Context<Self>) {
        if self.desiring.taken {
            return;
        }
        let Some(workers) = self.wanted.take() else { return };
        self.desiring.taken = true;
        let port = Arc::clone(&self.port);
        let asked = async move { in_time(CALL, port.desire(workers)).await };
        ctx.spawn(asked.into_actor(self).map(move |answer, act, ctx| {
            act.calls.went("desire", &answer);
            if answer.is_err() {
                // Said again after a while, unless another size is wanted by then.
                act.wanted.get_or_insert(workers);
            }
            ctx.run_later(act.desiring.went(answer.is_ok()), |act, ctx| {
                act.desiring.taken = false;
                act.desire(ctx);
            });
        }));
    }

    fn give_back(&mut self, ctx: &mut Context<Self>) {
        if self.giving_back.taken {
            return;
        }
        let Some(left) = self.retiring.pop_front() else { return };
        self.giving_back.taken = true;
        let port = Arc::clone(&self.port);
        let asked = async move { (in_time(CALL, port.retire(&left)).await, left) };
        ctx.spawn(asked.into_actor(self).map(|(answer, left), act, ctx| {
            act.calls.went("retire", &answer);
            let well = answer.is_ok();
            match answer {
                Ok(()) => {}
                Err(FleetError::Hopeless(_)) => {
                    tracing::error!(worker_id = %left.worker, "the worker's machine is not given back");
                }
                // The others first: it may be this one that is in the way.
                Err(_) => act.keep(left),
            }
            ctx.run_later(act.giving_back.went(well), |act, ctx| {
                act.giving_back.taken = false;
                act.give_back(ctx);
            });
        }));
    }

    fn keep(&mut self, left: DepartedWorker) {
        if self.retiring.len() >= RETIRING
            && let Some(oldest) = self.retiring.pop_front()
        {
            tracing::error!(worker_id = %oldest.worker, machine = ?oldest.machine, "too many machines wait: this one is not given back");
        }
        self.retiring.push_back(left);
    }
}

impl Actor for Fleet {
    type Context = Context<Self>;
}

impl Handler<Desire> for Fleet {
    type Result = ();

    fn handle(&mut self, Desire(workers): Desire, ctx: &mut Self::Context) {
        self.wanted = Some(workers);
        self.desire(ctx);
    }
}

impl Handler<Retire> for Fleet {
    type Result = ();

    fn handle(&mut self, Retire(left): Retire, ctx: &mut Self::Context) {
        self.keep(left);
        self.give_back(ctx);
    }
}
