//! The keeper: looks for what is old, now and then, and goes on without a pause as long as there is some.

use crate::metrics::{Metrics, PortName};
use crate::retention::{Sweeper, Swept};
use actix::{Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, WrapFuture};
use mouthpiece_domain::retention::Ages;
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::farm_ports::RetentionPorts;
use std::sync::Arc;
use std::time::Duration;

/// Ages are hours and days, so nobody notices this.
const EVERY: Duration = Duration::from_secs(60);
/// Between two steps of much work: whoever writes meanwhile gets his turn.
const BREATH: Duration = Duration::from_millis(50);

/// The time of the calendar.
pub type Calendar = Arc<dyn Fn() -> Wall + Send + Sync>;

/// Keeps things for their ages as long as it lives.
#[derive(Debug)]
#[must_use = "nothing is removed any more when this is dropped"]
pub struct Keeping(Addr<Keeper>);

impl Drop for Keeping {
    fn drop(&mut self) {
        self.0.do_send(Stop);
    }
}

/// Removes what is older than its age from now on, on the arbiter of this thread. `calendar` says what time it is.
///
/// # Panics
/// When no actix system runs on this thread.
pub fn keep(ports: RetentionPorts, ages: Ages, calendar: Calendar, metrics: Arc<Metrics>) -> Keeping {
    let sweeper = Sweeper::new(ports, ages, Arc::clone(&metrics));
    Keeping(Keeper { sweeper: Some(sweeper), calendar, metrics }.start())
}

#[derive(Message)]
#[rtype(result = "()")]
struct Stop;

struct Keeper {
    /// With whoever takes a step just now, otherwise here.
    sweeper: Option<Sweeper>,
    calendar: Calendar,
    metrics: Arc<Metrics>,
}

impl Keeper {
    fn step(&mut self, ctx: &mut Context<Self>) {
        let Some(mut sweeper) = self.sweeper.take() else { return };
        let now = (self.calendar)();
        let step = async move { (sweeper.step(now).await, sweeper) };
        ctx.spawn(step.into_actor(self).map(|(swept, sweeper), act, ctx| {
            act.sweeper = Some(sweeper);
            let wait = match swept {
                Ok(Swept::More) => BREATH,
                Ok(Swept::All) => EVERY,
                Err(error) => {
                    act.metrics.port_error(PortName::Records, "let_go");
                    tracing::warn!(%error, "what is old was not looked for");
                    EVERY
                }
            };
            ctx.run_later(wait, Self::step);
        }));
    }
}

impl Actor for Keeper {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.step(ctx);
    }
}

impl Handler<Stop> for Keeper {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) {
        ctx.stop();
    }
}
