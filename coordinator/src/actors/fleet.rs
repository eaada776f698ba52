//! The fleet: tells the port how many workers are wanted, and which machines can be given back.

use super::messages::{Desire, Retire};
use super::retry::{CALL, ENDLESS, Failure, RetryPolicy, ask, doubling};
use crate::metrics::{Metrics, PortName};
use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_ports::fleet::{Fleet as FleetPort, FleetError};
use std::collections::VecDeque;
use std::sync::Arc;

/// Workers whose machines wait to be given back; beyond that the oldest is left to the fleet's own clean-up.
const RETIRING: usize = 1024;
/// A machine is given back within six attempts in 31 s.
const PATIENCE: RetryPolicy = RetryPolicy { backoff: doubling(1000, 5), call: CALL };

/// Owns what is to be said to the fleet. Of wanted sizes only the latest counts; one thing is said at a time.
pub(super) struct Fleet {
    port: Arc<dyn FleetPort>,
    metrics: Arc<Metrics>,
    wanted: Option<u32>,
    failed: u32,
    retiring: VecDeque<WorkerId>,
    speaking: bool,
}

impl Fleet {
    pub(super) fn new(port: Arc<dyn FleetPort>, metrics: Arc<Metrics>) -> Self {
        Self { port, metrics, wanted: None, failed: 0, retiring: VecDeque::new(), speaking: false }
    }

    fn say_next(&mut self, ctx: &mut Context<Self>) {
        if self.speaking {
            return;
        }
        let (port, metrics) = (Arc::clone(&self.port), Arc::clone(&self.metrics));
        if let Some(worker) = self.retiring.pop_front() {
            self.speaking = true;
            ctx.spawn(retire(port, worker, metrics).into_actor(self).map(|(), act, ctx| {
                act.speaking = false;
                act.say_next(ctx);
            }));
        } else if let Some(workers) = self.wanted.take() {
            self.speaking = true;
            ctx.spawn(desire(port, workers, metrics).into_actor(self).map(move |done, act, ctx| {
                if done {
                    act.failed = 0;
                    act.speaking = false;
                    act.say_next(ctx);
                } else {
                    // Said again after a while, unless another size is wanted by then.
                    act.wanted.get_or_insert(workers);
                    act.failed += 1;
                    ctx.run_later(ENDLESS.pause(act.failed), |act, ctx| {
                        act.speaking = false;
                        act.say_next(ctx);
                    });
                }
            }));
        }
    }
}

impl Actor for Fleet {
    type Context = Context<Self>;
}

impl Handler<Desire> for Fleet {
    type Result = ();

    fn handle(&mut self, Desire(workers): Desire, ctx: &mut Self::Context) {
        self.wanted = Some(workers);
        self.say_next(ctx);
    }
}

impl Handler<Retire> for Fleet {
    type Result = ();

    fn handle(&mut self, Retire(worker): Retire, ctx: &mut Self::Context) {
        if self.retiring.len() >= RETIRING {
            self.retiring.pop_front();
        }
        self.retiring.push_back(worker);
        self.say_next(ctx);
    }
}

/// Once; false when it failed.
async fn desire(port: Arc<dyn FleetPort>, workers: u32, metrics: Arc<Metrics>) -> bool {
    let once = RetryPolicy { backoff: doubling(0, 0), call: CALL };
    ask(once, || port.desire(workers), |_| false, |failure| note(failure, "desire", &metrics)).await.is_some()
}

async fn retire(port: Arc<dyn FleetPort>, worker: WorkerId, metrics: Arc<Metrics>) {
    if ask(PATIENCE, || port.retire(worker), |_| false, |failure| note(failure, "retire", &metrics)).await.is_none() {
        tracing::error!(worker_id = %worker, "the worker's machine was not given back");
    }
}

fn note(failure: &Failure<FleetError>, call: &'static str, metrics: &Metrics) {
    metrics.port_error(PortName::Fleet, call);
    match failure {
        Failure::Port(error) => tracing::warn!(%error, call, "the fleet failed"),
        Failure::Silent => tracing::warn!(call, "the fleet did not answer in time"),
    }
}
