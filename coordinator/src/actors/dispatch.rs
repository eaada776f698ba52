//! Dispatch: talks to pool and bus, and listens to them.

use super::errand::Errands;
use super::lanes::Lanes;
use super::listen;
use super::messages::{ControlHappened, LaneDone, OrdersFor, StopListening, Sweep};
use super::prices;
use actix::{Actor, Addr, AsyncContext, Context, Handler};
use mouthpiece_ports::records::UsageBooks;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Owns what waits to be carried out, and every task that does so: they end with it.
pub(super) struct Dispatch {
    errands: Errands,
    lanes: Lanes,
    carrying: JoinSet<()>,
    listening: JoinSet<()>,
    behind: watch::Receiver<bool>,
    roster: RosterTerms,
}

/// What is asked for now and then.
#[derive(Clone)]
pub(super) struct RosterTerms {
    /// How often the pool is asked for its workers.
    pub(super) every: Duration,
    /// Who asks for the right to decide on the fleet, and for how long.
    pub(super) decides: Option<(u128, Duration)>,
    /// Where prices are read.
    pub(super) books: Arc<dyn UsageBooks>,
}

impl Dispatch {
    /// `behind` is true while control has more to write than it wants to; nothing is received then.
    pub(super) fn new(errands: Errands, behind: watch::Receiver<bool>, roster: RosterTerms) -> Self {
        Self { errands, lanes: Lanes::default(), carrying: JoinSet::new(), listening: JoinSet::new(), behind, roster }
    }

    fn run_lanes(&mut self, myself: &Addr<Self>) {
        while self.carrying.try_join_next().is_some() {}
        while let Some((worker, orders)) = self.lanes.take() {
            let (errands, myself) = (self.errands.clone(), myself.clone());
            self.carrying.spawn_local(async move {
                for order in orders {
                    if let Some(event) = errands.carry(order).await {
                        errands.control.do_send(ControlHappened(vec![event]));
                    }
                }
                myself.do_send(LaneDone(worker));
            });
        }
    }
}

impl Actor for Dispatch {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(super::MAILBOX);
        let Errands { bus, pool, control, metrics, .. } = self.errands.clone();
        let RosterTerms { every, decides, books } = self.roster.clone();
        self.listening.spawn_local(prices::keep(books, control.clone(), Arc::clone(&metrics)));
        let (told, counted) = (control.clone(), Arc::clone(&metrics));
        let roster = listen::RosterKeeper { pool, control: told, metrics: counted, every, decides };
        self.listening.spawn_local(roster.run());
        let listener = listen::Listener { bus, control, metrics, behind: self.behind.clone() };
        self.listening.spawn_local(listener.clone().events());
        self.listening.spawn_local(listener.returned());
    }
}

impl Handler<OrdersFor> for Dispatch {
    type Result = ();

    fn handle(&mut self, OrdersFor(orders): OrdersFor, ctx: &mut Self::Context) {
        for order in orders {
            self.lanes.push(order);
        }
        self.run_lanes(&ctx.address());
    }
}

impl Handler<LaneDone> for Dispatch {
    type Result = ();

    fn handle(&mut self, LaneDone(worker): LaneDone, ctx: &mut Self::Context) {
        self.lanes.done(worker);
        self.run_lanes(&ctx.address());
    }
}

impl Handler<Sweep> for Dispatch {
    type Result = ();

    fn handle(&mut self, _: Sweep, _: &mut Self::Context) {
        let errands = self.errands.clone();
        self.carrying.spawn_local(async move {
            let swept = errands.sweep().await;
            errands.control.do_send(ControlHappened(vec![swept]));
        });
    }
}

impl Handler<StopListening> for Dispatch {
    type Result = ();

    fn handle(&mut self, _: StopListening, _: &mut Self::Context) {
        self.listening.abort_all();
    }
}
